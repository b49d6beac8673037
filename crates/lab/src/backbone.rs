use crate::LabError;
use boneage_core::{Digest, Plane};
use boneage_nets::{Features, NetsError, Vgg16};
use std::path::Path;

/// A frozen network whose features are computed once and kept: VGG16, or a small stand-in of a test.
pub trait Backbone: Sync {
    /// What its weights are known by.
    fn digest(&self) -> Digest;

    /// `[height, width, channels]` of the features of an image of `size` x `size` pixels.
    fn map(&self, size: usize) -> [usize; 3];

    /// Features of square images of one size, greys 0..255.
    ///
    /// # Errors
    /// When the images do not suit the network.
    fn features(&self, images: &[&Plane]) -> Result<Features, NetsError>;
}

impl Backbone for Vgg16 {
    fn digest(&self) -> Digest {
        Vgg16::digest(self).clone()
    }

    fn map(&self, size: usize) -> [usize; 3] {
        // Five halvings, each rounding down.
        [size / 32, size / 32, 512]
    }

    fn features(&self, images: &[&Plane]) -> Result<Features, NetsError> {
        Vgg16::features(self, images)
    }
}

/// VGG16 from its safetensors file.
///
/// # Errors
/// When the file cannot be read or holds something else.
pub fn read_vgg16(path: &Path) -> Result<Vgg16, LabError> {
    let bytes = std::fs::read(path).map_err(LabError::io(path))?;
    Ok(Vgg16::from_safetensors(&bytes)?)
}
