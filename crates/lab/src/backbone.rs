use crate::LabError;
use boneage_core::{Digest, Plane};
use boneage_nets::{Features, NetsError, VGG16_CONVOLUTIONS, Vgg16, VggTail};
use std::path::Path;

/// A frozen network whose features are computed once and kept: VGG16, or a small stand-in of a test.
pub trait Backbone: Sync {
    /// What these features are known by: weights and depth.
    fn digest(&self) -> Digest;

    /// What the file of its weights is known by.
    fn weights(&self) -> Digest {
        self.digest()
    }

    /// `[height, width, channels]` of the features of an image of `size` x `size` pixels.
    fn map(&self, size: usize) -> [usize; 3];

    /// Features of square images of one size, greys 0..255.
    ///
    /// # Errors
    /// When the images do not suit the network.
    fn features(&self, images: &[&Plane]) -> Result<Features, NetsError>;

    /// The pretrained layers between these features and the head, where some are to be trained.
    fn tail(&self) -> Option<VggTail> {
        None
    }
}

/// The first convolutions of VGG16, frozen, with the others waiting to be trained.
pub struct FrozenVgg16 {
    vgg: Vgg16,
    frozen: usize,
    tail: VggTail,
}

impl FrozenVgg16 {
    /// VGG16 from its safetensors file, of which `frozen` convolutions keep their weights.
    ///
    /// # Errors
    /// When the file cannot be read or holds something else, or VGG16 has not as many convolutions.
    pub fn read(path: &Path, frozen: usize) -> Result<Self, LabError> {
        let bytes = std::fs::read(path).map_err(LabError::io(path))?;
        let tail = VggTail::from_safetensors(&bytes, frozen)?;
        Ok(FrozenVgg16 { vgg: Vgg16::from_safetensors(&bytes)?, frozen, tail })
    }
}

impl Backbone for FrozenVgg16 {
    fn digest(&self) -> Digest {
        let whole = self.vgg.digest();
        if self.frozen == VGG16_CONVOLUTIONS {
            return whole.clone();
        }
        Digest::of_parts([whole.0.as_bytes(), self.frozen.to_string().as_bytes()])
    }

    fn weights(&self) -> Digest {
        self.vgg.digest().clone()
    }

    fn map(&self, size: usize) -> [usize; 3] {
        Vgg16::map_after(self.frozen, size)
    }

    fn features(&self, images: &[&Plane]) -> Result<Features, NetsError> {
        self.vgg.features_after(images, self.frozen)
    }

    fn tail(&self) -> Option<VggTail> {
        (self.frozen < VGG16_CONVOLUTIONS).then(|| self.tail.clone())
    }
}
