//! The inner loops, one a file, each written once over [`Simd`](crate::simd::Simd) as a
//! [`Job`](crate::simd::Job).

#![allow(clippy::needless_range_loop, reason = "a transform reads rows and writes columns by their index")]

mod direct;
mod finish_gradient;
mod input;
mod output;
mod product;
mod weight_product;
mod weights;

pub(crate) use direct::{DirectGradient, DirectImage, DirectRow};
pub(crate) use finish_gradient::FinishGradient;
pub(crate) use input::{GradientTiles, InputTiles};
pub(crate) use output::OutputTiles;
pub(crate) use product::TileProduct;
pub(crate) use weight_product::WeightProduct;
pub(crate) use weights::{PanelKernels, WeightTransform, WeightTransformGradient};
