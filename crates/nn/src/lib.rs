//! The layers of the bone-age networks on a CPU, each with a forward and a backward pass written by hand.
//!
//! There is no automatic differentiation and no graph: a network is a list of layers that one can read. A
//! layer keeps its weights in [`Param`]s, whose gradients its backward pass sets and [`Adam`] follows. Between
//! 3x3 convolutions the numbers lie as [`Blocked`]; heads use plain slices with the channels last.
//!
//! Most of the time goes into the 3x3 convolution, which computes by Winograd's minimal filtering (Lavin and
//! Gray, 2016) on AVX-512, AVX2 or plain Rust; `docs/explanation/engine.md` has the measurements. Results
//! have the same bits for any number of threads.
//!
//! ```
//! use boneage_nn::{Adam, AdamConfig, Blocked, Finish, Weights3x3};
//!
//! // One channel to two, behind them ReLU and a 2x2 pool.
//! let mut layer = Weights3x3::new(vec![0.1; 18], vec![0.0; 2], [1, 2])?.trainable("conv");
//! let x = Blocked::from_nhwc(&[1.0; 16], 1, 1, 4, 4);
//! let (y, passed) = layer.forward_train(&x, Finish { relu: true, pool: true })?;
//! assert_eq!([y.height(), y.width(), y.channels()], [2, 2, 2]);
//!
//! // A loss that is the sum of the outputs has a gradient of one in each.
//! let dy = Blocked::from_nhwc(&[1.0; 8], 1, 2, 2, 2);
//! let dx = layer.backward(&x, &passed, &dy, true)?;
//! Adam::new(AdamConfig::default()).step(&mut layer.params_mut());
//! # assert!(dx.is_some());
//! # Ok::<(), boneage_nn::NnError>(())
//! ```

mod activation;
mod adam;
mod average_pool;
mod batch_norm;
mod blocked;
mod buffer;
mod channel_affine;
mod conv1x1;
mod conv3x3;
mod dense;
mod dropout;
mod error;
mod locally_connected;
mod loss;
mod masked_average;
mod matrix;
mod max_pool;
mod param;
mod plateau;
mod reduce;
mod simd;
#[cfg(test)]
mod testing;

pub use activation::Activation;
pub use adam::{Adam, AdamConfig, AdamMoments, AdamState};
pub use average_pool::AveragePool;
pub use batch_norm::{BatchNorm, BatchStatistics};
pub use blocked::Blocked;
pub use buffer::release_scratch;
pub use channel_affine::ChannelAffine;
pub use conv1x1::Conv1x1;
pub use conv3x3::{
    Conv3x3, DirectConv3x3, Finish, Passed, StoredWeights, TrainableConv3x3, TrainableDirectConv3x3,
    Weights3x3,
};
pub use dense::Dense;
pub use dropout::Dropout;
pub use error::NnError;
pub use locally_connected::LocallyConnected;
pub use loss::Loss;
pub use masked_average::MaskedAverage;
pub use param::Param;
pub use plateau::{PlateauConfig, PlateauState, ReduceOnPlateau};
pub use simd::Isa;
