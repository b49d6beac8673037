use super::direct::{DirectWeights, direct_forward};
use super::kernels::DirectImage;
use super::tiles::{self, Finish};
use super::transformed_weights::{Direction, TransformedWeights};
use crate::blocked::Blocked;
use crate::buffer::{Buffer, LINE};
use crate::error::NnError;
use crate::max_pool::max_pool;
use crate::simd::Isa;

/// A 3x3 convolution with bias, stride 1, zeros around the image; weights transformed once.
pub struct Conv3x3 {
    in_channels: usize,
    out_channels: usize,
    weights: Weights,
    /// `[out_channels padded to 16]`.
    bias: Buffer,
}

enum Weights {
    Winograd(TransformedWeights),
    Direct(DirectWeights),
}

impl Conv3x3 {
    /// From weights `[out, in, 3, 3]` and bias `[out]`, for the best instruction set at hand.
    ///
    /// # Errors
    /// When an array has another length.
    pub fn new(
        weights: &[f32],
        bias: &[f32],
        in_channels: usize,
        out_channels: usize,
    ) -> Result<Self, NnError> {
        Conv3x3::with_isa(weights, bias, in_channels, out_channels, Isa::detect())
    }

    /// The same for one instruction set.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    ///
    /// # Panics
    /// When the processor lacks the set.
    pub fn with_isa(
        weights: &[f32],
        bias: &[f32],
        in_channels: usize,
        out_channels: usize,
        isa: Isa,
    ) -> Result<Self, NnError> {
        check_lengths(weights, bias, [in_channels, out_channels])?;
        let channels = [in_channels, out_channels];
        let weights = Weights::Winograd(TransformedWeights::new(weights, channels, Direction::Forward, isa));
        Ok(Conv3x3 { in_channels, out_channels, weights, bias: padded(bias) })
    }

    /// The same layer computed as it is defined, several times slower: each output is a plain sum of
    /// products in f32. For holding the fast path against.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn exact(
        weights: &[f32],
        bias: &[f32],
        in_channels: usize,
        out_channels: usize,
    ) -> Result<Self, NnError> {
        Conv3x3::exact_with_isa(weights, bias, in_channels, out_channels, Isa::detect())
    }

    /// [`exact`](Self::exact) for one instruction set.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    ///
    /// # Panics
    /// When the processor lacks the set.
    pub fn exact_with_isa(
        weights: &[f32],
        bias: &[f32],
        in_channels: usize,
        out_channels: usize,
        isa: Isa,
    ) -> Result<Self, NnError> {
        check_lengths(weights, bias, [in_channels, out_channels])?;
        let weights = Weights::Direct(DirectWeights::new(weights, [in_channels, out_channels], isa));
        Ok(Conv3x3 { in_channels, out_channels, weights, bias: padded(bias) })
    }

    /// `[batch, in, height, width]` to `[batch, out, height, width]`, or half the size when pooled.
    ///
    /// # Errors
    /// When `x` has another number of channels.
    pub fn forward(&self, x: &Blocked, finish: Finish) -> Result<Blocked, NnError> {
        NnError::check_length("channels of the convolution's input", x.channels(), self.in_channels)?;
        match &self.weights {
            Weights::Winograd(weights) => {
                let (height, width) = finish.size(x.height(), x.width());
                let mut y = Blocked::stale(x.batch(), self.out_channels, height, width);
                tiles::forward(weights, self.bias.as_slice(), x, finish, &mut y, None);
                Ok(y)
            }
            Weights::Direct(weights) => {
                let image = DirectImage {
                    pixels: x.as_slice(),
                    channels: self.in_channels,
                    height: x.height(),
                    width: x.width(),
                    lanes: LINE,
                };
                let y = direct_forward(weights, self.bias.as_slice(), image, x.batch(), finish.relu, None);
                Ok(if finish.pool { max_pool(&y) } else { y })
            }
        }
    }
}

/// Refuses arrays that are not `[out, in, 3, 3]` and `[out]`.
pub(super) fn check_lengths(
    weights: &[f32],
    bias: &[f32],
    [in_channels, out_channels]: [usize; 2],
) -> Result<(), NnError> {
    NnError::check_length("convolution weights", weights.len(), out_channels * in_channels * 9)?;
    NnError::check_length("convolution bias", bias.len(), out_channels)
}

/// Filled up with zeros to whole blocks.
pub(super) fn padded(bias: &[f32]) -> Buffer {
    let mut buffer = Buffer::zeroed(bias.len());
    buffer.as_mut_slice()[..bias.len()].copy_from_slice(bias);
    buffer
}
