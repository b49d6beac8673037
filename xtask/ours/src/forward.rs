use crate::Work;
use anyhow::{Context, Result};
use boneage_core::Plane;
use boneage_nets::Vgg16;
use std::path::PathBuf;

/// VGG16's feature stack over a batch of square images, weights as shipped.
pub(crate) struct Forward {
    network: Vgg16,
    images: Vec<Plane>,
}

impl Forward {
    pub(crate) fn new(batch: usize, side: usize) -> Result<Self> {
        let images = (0..batch).map(|image| drawing(image, side)).collect();
        Ok(Forward { network: Vgg16::from_safetensors(&weights()?)?, images })
    }

    fn features(&self) -> Result<Vec<f32>> {
        Ok(self.network.features(&self.images.iter().collect::<Vec<_>>())?.values)
    }
}

impl Work for Forward {
    fn run(&mut self) -> Result<()> {
        std::hint::black_box(self.features()?);
        Ok(())
    }

    fn result(&mut self) -> Result<Vec<f32>> {
        self.features()
    }
}

/// Image `image` of a batch: waves and a bright bar, whole greys, the same in `xtask/bench/vgg16.py`.
pub(crate) fn drawing(image: usize, side: usize) -> Plane {
    Plane::from_fn(side, side, |x, y| {
        let wave = (x * 7 + y * 13 + x * y + 31 * image) % 256;
        let bar = x.abs_diff(side / 2) < side / 10;
        (wave / 2 + if bar { 127 } else { 0 }) as f32
    })
}

/// A file of the workspace that the binary was built from.
pub(crate) fn workspace_file(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..").join(path)
}

/// The shipped weights of VGG16.
pub(crate) fn weights() -> Result<Vec<u8>> {
    let file = workspace_file("models/vgg16-imagenet.safetensors");
    std::fs::read(&file).with_context(|| file.display().to_string())
}
