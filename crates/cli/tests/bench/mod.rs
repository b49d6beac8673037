//! A folder with a small untrained model and films, and the command run in it.

use boneage_assess::{
    BackboneName, Bundle, Manifest, ModelShape, ModelWeights, NetworkShape, NetworkWeights, Training,
};
use boneage_core::{Digest, Months};
use boneage_nets::{Head, HeadConfig, HeadKind};
use boneage_vision::Preprocess;
use image::{GrayImage, Luma};
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

/// Where a test's files lie; gone when it is dropped.
pub(crate) struct Bench {
    pub(crate) dir: TempDir,
}

/// What a run left.
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Bench {
    /// A bench with `model.safetensors`, which reads every film as 122.4 months, and `hand.png`.
    pub(crate) fn new() -> Self {
        let bench = Bench { dir: tempfile::tempdir().expect("a temporary folder") };
        bench.write("model.safetensors", &model());
        bench.film("hand.png", 320, 400);
        bench
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, bytes: &[u8]) {
        std::fs::write(self.path(name), bytes).expect("a writable temporary folder");
    }

    /// A film with a bright blob on a dark ground.
    pub(crate) fn film(&self, name: &str, width: u32, height: u32) {
        let grey = |x: u32, y: u32| {
            let (u, v) = (x as f32 / width as f32 - 0.5, y as f32 / height as f32 - 0.55);
            let bright = 200.0 * (-(u * u + v * v) * 12.0).exp();
            Luma([20 + (bright + ((x * 13 + y * 7) % 16) as f32) as u8])
        };
        GrayImage::from_fn(width, height, grey).save(self.path(name)).expect("an image file");
    }

    /// The file of a film like no other: its number is in its first pixels.
    pub(crate) fn numbered(&self, number: u32) -> Vec<u8> {
        let path = self.path("film.png");
        let grey = |x: u32, y: u32| {
            let (u, v) = (x as f32 / 96.0 - 0.5, y as f32 / 128.0 - 0.55);
            let bright = 150.0 * (-(u * u + v * v) * 12.0).exp();
            let told = if y == 0 && x < 4 { number.to_le_bytes()[x as usize] } else { 0 };
            Luma([told.wrapping_add(20 + (bright + ((x * 13 + y * 7) % 16) as f32) as u8)])
        };
        GrayImage::from_fn(96, 128, grey).save(&path).expect("an image file");
        std::fs::read(path).expect("it was written")
    }

    /// `boneage predict ARGS --model model.safetensors`, in the folder.
    pub(crate) fn predict(&self, args: &[&str]) -> Ran {
        let mut all = vec!["predict"];
        all.extend(args);
        if !args.contains(&"--model") {
            all.extend(["--model", "model.safetensors"]);
        }
        run(self.dir.path(), &all)
    }
}

/// The command in a folder.
pub(crate) fn run(folder: &Path, args: &[&str]) -> Ran {
    let output = Command::new(env!("CARGO_BIN_EXE_boneage"))
        .args(args)
        .current_dir(folder)
        .output()
        .expect("the command starts");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
    Ran {
        code: output.status.code().expect("it ended by itself"),
        stdout: text(output.stdout),
        stderr: text(output.stderr),
    }
}

fn model() -> Vec<u8> {
    let mut head = HeadConfig::new(HeadKind::Attention, 2, 2);
    (head.hidden, head.sex_units) = (8, Some(4));
    let backbone = concat!(env!("CARGO_MANIFEST_DIR"), "/../../models/vgg16-imagenet.safetensors");
    let backbone = std::fs::read(backbone).expect("the backbone is part of the repository");
    let digest = Digest::of(b"none");
    let manifest = Manifest {
        format: Manifest::FORMAT,
        name: "tiny".into(),
        version: "1".into(),
        model: ModelShape::Network(NetworkShape {
            head: head.clone(),
            age_mean: 122.4,
            // So small that rounding hides the untrained head.
            age_sd: 1e-3,
            backbone: BackboneName {
                name: "vgg16-imagenet".into(),
                digest: Digest::of(&backbone),
                frozen: 13,
            },
        }),
        preprocess: Preprocess { size: 64, ..Preprocess::default() },
        trained_ages: [Months(12.0), Months(216.0)],
        training: Training {
            recipe: serde_json::Value::Null,
            recipe_digest: digest.clone(),
            data_digest: digest,
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
    let weights = Box::new(NetworkWeights { head: Head::new(head, 11), tuned: Vec::new() });
    Bundle { manifest, weights: ModelWeights::Network(weights) }.to_bytes().expect("a sound bundle")
}
