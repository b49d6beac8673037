//! 3x3 convolution, stride 1, same padding, by Winograd's minimal filtering F(4x4, 3x3).
//!
//! **Why.** A 3x3 convolution costs nine multiplications an output and channel pair, and good engines
//! already run them at over 90 % of what the processor can do. Only fewer multiplications can be faster.
//! A polynomial of degree 5 is fixed by six values, so four outputs of a 3-tap filter need six products
//! instead of twelve; in two dimensions 16 outputs need 36 instead of 144: four times fewer.
//!
//! **How.** An image is cut into tiles of 4x4 outputs, each with its 6x6 inputs `d`. With the matrices of
//! [`transform`], and `.` element by element,
//!
//! ```text
//! Y[k] = A^T ( sum over channels c of (G g[k,c] G^T) . (B^T d[c] B) ) A
//! ```
//!
//! The sum over channels, read at one of the 36 points for all tiles and all output channels at once, is
//! a matrix product `M[tiles, K] = V[tiles, C] U[C, K]`. So a layer is three stages:
//!
//! 1. `V = B^T d B`: additions, written to `V[36][C/16][tiles][16]`;
//! 2. 36 matrix products, where the time goes, in register blocks that never leave the registers;
//! 3. `Y = A^T M A`, then bias, ReLU and, where asked, the 2x2 maximum, while the tile is in registers.
//!
//! `U = G g G^T` is computed when the layer is made, for many images, or part by part in the pass that uses
//! it, for one or while the layer learns ([`weights`], [`transformed_weights`]). [`tiles`] decides which tiles
//! go together so that `V` and `M` stay in the cache; [`kernels`] holds the loops, generic over the instruction
//! set.
//!
//! **Back.** With `g` the gradient in the convolution's sums, past pool and ReLU ([`finish_gradient`]):
//!
//! - The gradient in the input is a convolution of `g` with the same kernels turned by half a circle, input
//!   and output channels exchanged: the forward pass again, with other weights ([`transformed_weights`]).
//! - `Y = A^T M A` is linear, so the gradient in `M` is `A g A^T`; that in `U` is, at each point, the matrix
//!   product `V^T (A g A^T)` over all tiles; and as `U = G w G^T`, that in the weights is `G^T dU G`
//!   ([`weight_gradient`]). Again 36 products instead of 144 a tile and channel pair.
//! - The gradient in the bias is the sum of `g`.
//!
//! **The same bits.** How tiles are cut into groups whose sums are rounded follows from the shape alone, and
//! partial sums are added in one order, so neither the number of threads nor their luck changes a result. Two
//! instruction sets may differ in the last digits.
//!
//! **Accuracy.** The transforms multiply by up to 8 and cancel again, which costs about a digit: 1.8e-6
//! relative over the 13 layers of VGG16, against 6e-7 for direct f32 (measured against f64;
//! `crates/nets/tests/vgg16_against_pytorch.rs` holds each block to 5e-6). Larger tiles would cost more than
//! they give. [`Weights3x3::exact`] makes the same layer computed as it is defined.

mod convolution;
mod direct;
mod finish_gradient;
mod kernels;
mod tiles;
mod trainable;
mod transform;
mod transformed_weights;
mod weight_gradient;
mod weights;

pub use convolution::Conv3x3;
pub use direct::DirectConv3x3;
pub use finish_gradient::Passed;
pub use tiles::Finish;
pub use trainable::{TrainableConv3x3, TrainableDirectConv3x3};
pub use weights::{StoredWeights, Weights3x3};

#[cfg(test)]
mod gradient_tests;
#[cfg(test)]
mod property_tests;
#[cfg(test)]
mod tests;
