use crate::forward::weights;
use anyhow::{Context, Result};
use boneage_assess::{
    BackboneName, Bundle, Manifest, ModelShape, ModelWeights, NetworkShape, NetworkWeights, Training,
};
use boneage_core::{Digest, Months};
use boneage_nets::{Head, HeadConfig, HeadKind, VGG16_CONVOLUTIONS};
use boneage_vision::Preprocess;
use std::path::Path;

/// Writes a model of this image size with an untrained attention head: its readings mean nothing, its
/// time and its memory are those of a trained one.
pub(crate) fn write(side: usize, file: &Path) -> Result<()> {
    let head = HeadConfig::new(HeadKind::Attention, side / 32, side / 32);
    let nothing = Digest::of(b"");
    let manifest = Manifest {
        format: Manifest::FORMAT,
        name: format!("untrained-{side}"),
        version: "0".into(),
        model: ModelShape::Network(NetworkShape {
            head: head.clone(),
            age_mean: 127.3,
            age_sd: 41.2,
            backbone: BackboneName {
                name: "vgg16-imagenet".into(),
                digest: Digest::of(&weights()?),
                frozen: VGG16_CONVOLUTIONS,
            },
        }),
        preprocess: Preprocess { size: side, ..Preprocess::default() },
        trained_ages: [Months(12.0), Months(216.0)],
        training: Training {
            recipe: serde_json::json!({ "epochs": 0 }),
            recipe_digest: nothing.clone(),
            data_digest: nothing,
            split: "none".into(),
        },
        metrics: Vec::new(),
        licence: "none".into(),
        attribution: "nobody".into(),
        interval: None,
        recalibration: None,
        guard: None,
        weights: None,
    };
    let weights = Box::new(NetworkWeights { head: Head::new(head, 1), tuned: Vec::new() });
    let bytes = Bundle { manifest, weights: ModelWeights::Network(weights) }.to_bytes()?;
    std::fs::write(file, bytes).with_context(|| file.display().to_string())
}
