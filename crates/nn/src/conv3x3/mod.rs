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
//! `U = G g G^T` is computed once, when the layer is built. [`tiles`] decides which tiles go together so
//! that `V` and `M` stay in the cache; [`kernels`] holds the three loops, generic over the instruction set.
//!
//! **Accuracy.** The transforms multiply by up to 8 and cancel again, which costs about a digit and a half:
//! 1.8e-6 relative over the 13 layers of VGG16, against 6e-7 for direct f32 (measured against f64).
//! Larger tiles would cost more than they give.

mod convolution;
mod direct;
mod finish_gradient;
mod kernels;
mod tiles;
mod trainable;
mod transform;
mod transformed_weights;
mod weight_gradient;

pub use convolution::Conv3x3;
pub use direct::DirectConv3x3;
pub use finish_gradient::Passed;
pub use tiles::Finish;
pub use trainable::{TrainableConv3x3, TrainableDirectConv3x3};

#[cfg(test)]
mod gradient_tests;
#[cfg(test)]
mod tests;
