use super::convolution::padded;
use super::finish_gradient::Passed;
use super::kernels::{DirectGradient, DirectImage, DirectRow};
use super::tiles::Finish;
use super::weights::Weights3x3;
use crate::blocked::Blocked;
use crate::buffer::{Buffer, LINE};
use crate::error::NnError;
use crate::simd::Isa;
use rayon::prelude::*;

/// Rows of one image whose part of a gradient one task sums up; a number that follows from nothing but
/// this line, so that the bits do not depend on the number of threads.
const GRADIENT_ROWS: usize = 32;

/// A 3x3 convolution computed as it is defined: for the first layer, where tiles of 16 channels would be
/// mostly filling. Made by [`Weights3x3::direct`].
pub struct DirectConv3x3 {
    in_channels: usize,
    weights: DirectWeights,
    bias: Buffer,
}

impl DirectConv3x3 {
    pub(super) fn new(layer: Weights3x3<'_>) -> Self {
        let bias = padded(&layer.bias);
        DirectConv3x3 { in_channels: layer.channels[0], weights: DirectWeights::new(layer), bias }
    }

    /// Plain `[batch, in, height, width]` of `size` `[batch, height, width]` to blocked
    /// `[batch, out, height, width]`.
    ///
    /// # Errors
    /// When `x` has another length.
    pub fn forward(&self, x: &[f32], size: [usize; 3], relu: bool) -> Result<Blocked, NnError> {
        self.pass(x, size, relu, None)
    }

    /// The same, with what the backward pass needs.
    pub(super) fn forward_train(
        &self,
        x: &[f32],
        size: [usize; 3],
        relu: bool,
    ) -> Result<(Blocked, Passed), NnError> {
        let mut passed = None;
        let y = self.pass(x, size, relu, Some(&mut passed))?;
        Ok((y, passed.expect("a pass that is asked to keeps what it passed")))
    }

    fn pass(
        &self,
        x: &[f32],
        [batch, height, width]: [usize; 3],
        relu: bool,
        passed: Option<&mut Option<Passed>>,
    ) -> Result<Blocked, NnError> {
        let channels = self.in_channels;
        NnError::check_length("the convolution's input", x.len(), batch * channels * height * width)?;
        let image = DirectImage { pixels: x, channels, height, width, lanes: 1 };
        Ok(direct_forward(&self.weights, self.bias.as_slice(), image, batch, relu, passed))
    }
}

/// Weights as the direct kernel reads them: `[out / 16][in * 9][16]`.
pub(super) struct DirectWeights {
    isa: Isa,
    out_channels: usize,
    values: Buffer,
}

impl DirectWeights {
    pub(super) fn new(layer: Weights3x3<'_>) -> Self {
        let Weights3x3 { weights, channels: [in_channels, out_channels], isa, .. } = layer;
        isa.assert_available();
        let (weights, taps) = (weights.widened(), in_channels * 9);
        let mut values = Buffer::zeroed(out_channels.next_multiple_of(LINE) * taps);
        for out in 0..out_channels {
            for tap in 0..taps {
                values.as_mut_slice()[(out / LINE * taps + tap) * LINE + out % LINE] =
                    weights[out * taps + tap];
            }
        }
        Self { isa, out_channels, values }
    }
}

/// The forward pass over `batch` images that lie one behind the other in `x.pixels`.
pub(super) fn direct_forward(
    weights: &DirectWeights,
    bias: &[f32],
    x: DirectImage,
    batch: usize,
    relu: bool,
    passed: Option<&mut Option<Passed>>,
) -> Blocked {
    let DirectImage { height, width, .. } = x;
    let mut y = Blocked::stale(batch, weights.out_channels, height, width);
    let passed =
        passed.map(|slot| slot.insert(Passed::new(&y, Finish { relu, pool: false }, [height, width])));
    let choices = passed.and_then(|passed| passed.choices_mut());
    let (blocks, taps) = (y.blocks(), x.channels * 9 * LINE);
    let (image, row) = (x.pixels.len() / batch.max(1), (width * LINE).max(1));
    let compute = |q: usize, y: &mut [f32], choices: Option<&mut [u8]>| {
        let (plane, block) = (q / height, q / height % blocks);
        let mut job = DirectRow {
            x: DirectImage { pixels: &x.pixels[plane / blocks * image..][..image], ..x },
            row: q % height,
            weights: &weights.values.as_slice()[block * taps..][..taps],
            bias: &bias[block * LINE..][..LINE],
            relu,
            y,
            choices,
        };
        // SAFETY: the set is available since the weights were made; the job checks its slices.
        unsafe { weights.isa.run(&mut job) }
    };
    let rows = y.as_mut_slice().par_chunks_exact_mut(row).enumerate();
    match choices {
        None => rows.with_min_len(16).for_each(|(q, y)| compute(q, y, None)),
        Some(choices) => rows
            .zip(choices.par_chunks_exact_mut(row))
            .with_min_len(16)
            .for_each(|((q, y), choices)| compute(q, y, Some(choices))),
    }
    y
}

/// Sets `gradient` `[out, in, 3, 3]` for plain input `x` `[batch, in, height, width]` and `dy`, the gradient
/// before bias and ReLU: `dw[k, c, tap] = sum over images and pixels of x[c, pixel + tap] dy[k, pixel]`.
pub(super) fn direct_weight_gradient(x: DirectImage, dy: &Blocked, isa: Isa, gradient: &mut [f32]) {
    isa.assert_available();
    let taps = x.channels * 9;
    assert_eq!(gradient.len(), dy.channels() * taps);
    let (image, plane) = (x.pixels.len() / dy.batch().max(1), dy.height() * dy.width() * LINE);
    let strips = dy.height().div_ceil(GRADIENT_ROWS);
    let parts = dy.batch() * strips;
    gradient.par_chunks_mut(LINE * taps).enumerate().for_each(|(block, gradient)| {
        // One strip of rows a task, added up in order.
        let partial: Vec<Vec<f32>> = (0..parts)
            .into_par_iter()
            .map(|part| {
                let (n, strip) = (part / strips, part % strips);
                let mut sums = vec![0.0; taps * LINE];
                let mut job = DirectGradient {
                    x: DirectImage { pixels: &x.pixels[n * image..][..image], ..x },
                    dy: &dy.as_slice()[(n * dy.blocks() + block) * plane..][..plane],
                    rows: strip * GRADIENT_ROWS..((strip + 1) * GRADIENT_ROWS).min(dy.height()),
                    gradient: &mut sums,
                };
                // SAFETY: the set is available; the job checks its slices.
                unsafe { isa.run(&mut job) }
                sums
            })
            .collect();
        for (lane, kernels) in gradient.chunks_exact_mut(taps).enumerate() {
            for (tap, value) in kernels.iter_mut().enumerate() {
                *value = partial.iter().map(|sums| f64::from(sums[tap * LINE + lane])).sum::<f64>() as f32;
            }
        }
    });
}
