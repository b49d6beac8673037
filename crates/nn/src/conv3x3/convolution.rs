use super::direct::{DirectWeights, direct_forward};
use super::kernels::DirectImage;
use super::tiles::{self, Finish, PassWeights};
use super::transformed_weights::{Direction, TransformedWeights, WeightSource};
use super::weights::Weights3x3;
use crate::blocked::Blocked;
use crate::buffer::{Buffer, LINE};
use crate::error::NnError;
use crate::max_pool::max_pool;

/// A 3x3 convolution with bias, stride 1, zeros around the image. Made by [`Weights3x3`].
pub struct Conv3x3 {
    in_channels: usize,
    out_channels: usize,
    weights: Weights,
    /// `[out_channels padded to 16]`.
    bias: Buffer,
}

enum Weights {
    Prepared(TransformedWeights),
    Streamed(WeightSource<'static>),
    Direct(DirectWeights),
}

impl Conv3x3 {
    pub(super) fn prepared(layer: Weights3x3<'_>) -> Self {
        Conv3x3::with(layer, |layer| Weights::Prepared(TransformedWeights::new(&source(layer))))
    }

    pub(super) fn streamed(layer: Weights3x3<'static>) -> Self {
        Conv3x3::with(layer, |layer| Weights::Streamed(source(layer)))
    }

    pub(super) fn exact(layer: Weights3x3<'_>) -> Self {
        Conv3x3::with(layer, |layer| Weights::Direct(DirectWeights::new(layer)))
    }

    fn with<'a>(layer: Weights3x3<'a>, weights: impl FnOnce(Weights3x3<'a>) -> Weights) -> Self {
        let ([in_channels, out_channels], bias) = (layer.channels, padded(&layer.bias));
        Conv3x3 { in_channels, out_channels, weights: weights(layer), bias }
    }

    /// `[batch, in, height, width]` to `[batch, out, height, width]`, or half the size when pooled.
    ///
    /// # Errors
    /// When `x` has another number of channels.
    pub fn forward(&self, x: &Blocked, finish: Finish) -> Result<Blocked, NnError> {
        NnError::check_length("channels of the convolution's input", x.channels(), self.in_channels)?;
        let by_tiles = |weights: PassWeights<'_>| {
            let (height, width) = finish.size(x.height(), x.width());
            let mut y = Blocked::stale(x.batch(), self.out_channels, height, width);
            tiles::forward(weights, self.bias.as_slice(), x, finish, &mut y, None);
            y
        };
        Ok(match &self.weights {
            Weights::Prepared(weights) => by_tiles(PassWeights::Prepared(weights)),
            Weights::Streamed(source) => by_tiles(PassWeights::Streamed(source)),
            Weights::Direct(weights) => {
                let image = DirectImage {
                    pixels: x.as_slice(),
                    channels: self.in_channels,
                    height: x.height(),
                    width: x.width(),
                    lanes: LINE,
                };
                let y = direct_forward(weights, self.bias.as_slice(), image, x.batch(), finish.relu, None);
                if finish.pool { max_pool(&y) } else { y }
            }
        })
    }
}

fn source(layer: Weights3x3<'_>) -> WeightSource<'_> {
    WeightSource::new(layer.weights, layer.channels, Direction::Forward, layer.isa)
}

/// Filled up with zeros to whole blocks.
pub(super) fn padded(bias: &[f32]) -> Buffer {
    let mut buffer = Buffer::zeroed(bias.len());
    buffer.as_mut_slice()[..bias.len()].copy_from_slice(bias);
    buffer
}
