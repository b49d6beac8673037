//! In the making.
mod error;
mod vgg16;
mod weights;

pub use error::NetsError;
pub use vgg16::{Features, VGG16_BLOCKS, Vgg16};
