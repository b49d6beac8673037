//! The paper's networks, built from the layers of `boneage-nn`.
//!
//! [`Vgg16`] turns greys into feature maps with the Oxford weights, whole or up to a cut. A [`Head`] turns
//! feature maps and a sex into a standardised age and an attention map: the paper's Model 2
//! ([`HeadKind::Attention`]) or its Model 1 ([`HeadKind::FullyConnected`]). What is trained is a [`Network`]:
//! a head, and below it a [`VggTail`], the convolutions that a recipe does not freeze.

mod attention;
mod error;
mod fully_connected;
mod half_features;
mod head;
mod head_config;
mod layer;
mod named_tensor;
mod network;
mod parameter_average;
mod sex_branch;
mod vgg16;
mod vgg_tail;
mod weights;

pub use error::NetsError;
pub use half_features::widen_features;
pub use head::{Head, HeadOutput};
pub use head_config::{HeadActivation, HeadConfig, HeadKind};
pub use layer::{Branch, Layer, LayerKind};
pub use named_tensor::NamedTensor;
pub use network::Network;
pub use parameter_average::ParameterAverage;
pub use vgg_tail::{TailTrace, VggTail};
pub use vgg16::{Arithmetic, Features, VGG16_BLOCKS, VGG16_CONVOLUTIONS, Vgg16, vgg16_layers};
pub use weights::WeightsFile;
