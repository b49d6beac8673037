use crate::buffer::{LINE, Scratch};
use rayon::prelude::*;

/// Activations between convolutions: `[batch, channels / 16, height, width, 16]`.
///
/// Sixteen channels of a pixel lie together, so that every kernel loads whole registers whatever the
/// image size. A number of channels that is no multiple of 16 is filled up with zeros.
pub struct Blocked {
    batch: usize,
    channels: usize,
    height: usize,
    width: usize,
    values: Scratch,
}

impl Blocked {
    /// Zeros.
    pub fn zeroed(batch: usize, channels: usize, height: usize, width: usize) -> Self {
        let mut blocked = Blocked::stale(batch, channels, height, width);
        blocked.as_mut_slice().fill(0.0);
        blocked
    }

    /// Whatever the memory's last user left: for a layer that writes every float, the filling included.
    pub(crate) fn stale(batch: usize, channels: usize, height: usize, width: usize) -> Self {
        let values = Scratch::take(batch * channels.div_ceil(LINE) * height * width * LINE);
        Blocked { batch, channels, height, width, values }
    }

    fn floats(&self) -> usize {
        self.batch * self.blocks() * self.height * self.width * LINE
    }

    /// From plain `[batch, channels, height, width]`.
    ///
    /// # Panics
    /// If `values` has another length.
    pub fn from_nchw(values: &[f32], batch: usize, channels: usize, height: usize, width: usize) -> Self {
        assert_eq!(values.len(), batch * channels * height * width, "length of an NCHW tensor");
        let mut blocked = Blocked::zeroed(batch, channels, height, width);
        for image in 0..batch {
            for channel in 0..channels {
                for pixel in 0..height * width {
                    let at = blocked.index(image, channel, pixel);
                    blocked.as_mut_slice()[at] =
                        values[(image * channels + channel) * height * width + pixel];
                }
            }
        }
        blocked
    }

    /// From plain `[batch, height, width, channels]`, the order of the heads and of their gradients.
    ///
    /// # Panics
    /// If `values` has another length.
    pub fn from_nhwc(values: &[f32], batch: usize, channels: usize, height: usize, width: usize) -> Self {
        assert_eq!(values.len(), batch * channels * height * width, "length of an NHWC tensor");
        let mut blocked = Blocked::stale(batch, channels, height, width);
        let (blocks, pixels) = (blocked.blocks(), height * width);
        blocked.as_mut_slice().par_chunks_exact_mut((pixels * LINE).max(1)).enumerate().for_each(
            |(plane, target)| {
                let (image, channel) = (plane / blocks, plane % blocks * LINE);
                let filled = LINE.min(channels - channel);
                let source = values[image * pixels * channels..].chunks_exact(channels);
                for (target, source) in target.chunks_exact_mut(LINE).zip(source) {
                    target[..filled].copy_from_slice(&source[channel..channel + filled]);
                    target[filled..].fill(0.0);
                }
            },
        );
        blocked
    }

    /// To plain `[batch, height, width, channels]`, the order of the heads.
    pub fn to_nhwc(&self) -> Vec<f32> {
        let (pixels, channels) = (self.height * self.width, self.channels);
        let mut plain = Vec::with_capacity(self.batch * pixels * channels);
        for image in 0..self.batch {
            for pixel in 0..pixels {
                for channel in (0..channels).step_by(LINE) {
                    let at = self.index(image, channel, pixel);
                    plain.extend_from_slice(&self.as_slice()[at..][..LINE.min(channels - channel)]);
                }
            }
        }
        plain
    }

    /// To plain `[batch, channels, height, width]`.
    pub fn to_nchw(&self) -> Vec<f32> {
        let mut plain = Vec::with_capacity(self.batch * self.channels * self.height * self.width);
        for image in 0..self.batch {
            for channel in 0..self.channels {
                plain.extend(
                    (0..self.height * self.width).map(|p| self.as_slice()[self.index(image, channel, p)]),
                );
            }
        }
        plain
    }

    fn index(&self, image: usize, channel: usize, pixel: usize) -> usize {
        ((image * self.blocks() + channel / LINE) * self.height * self.width + pixel) * LINE + channel % LINE
    }

    /// Images.
    pub fn batch(&self) -> usize {
        self.batch
    }

    /// Channels, without the filling.
    pub fn channels(&self) -> usize {
        self.channels
    }

    /// Blocks of 16 channels, the last one perhaps filled up.
    pub(crate) fn blocks(&self) -> usize {
        self.channels.div_ceil(LINE)
    }

    /// Rows of an image.
    pub fn height(&self) -> usize {
        self.height
    }

    /// Columns of an image.
    pub fn width(&self) -> usize {
        self.width
    }

    /// All floats in blocked order, the filling included.
    pub(crate) fn as_slice(&self) -> &[f32] {
        &self.values.as_slice()[..self.floats()]
    }

    pub(crate) fn as_mut_slice(&mut self) -> &mut [f32] {
        let floats = self.floats();
        &mut self.values.as_mut_slice()[..floats]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_orders_come_back_and_filling_is_zero() {
        let plain: Vec<f32> = (0..2 * 19 * 3 * 5).map(|i| i as f32 + 1.0).collect();
        let blocked = Blocked::from_nchw(&plain, 2, 19, 3, 5);
        assert_eq!(blocked.to_nchw(), plain);
        assert_eq!(blocked.to_nhwc()[1], plain[15], "second channel of the first pixel");
        let again = Blocked::from_nhwc(&blocked.to_nhwc(), 2, 19, 3, 5);
        assert_eq!(again.as_slice(), blocked.as_slice());
        let filled = blocked.as_slice().iter().filter(|&&v| v == 0.0).count();
        assert_eq!(filled, 2 * (32 - 19) * 15);
    }
}
