use super::output::CUT;
use crate::buffer::LINE;
use crate::simd::{Job, Simd};

/// An image whose channels lie `lanes` together in a pixel: 1 for `[channels, height, width]`, 16 for
/// blocked order.
#[derive(Clone, Copy)]
pub(crate) struct DirectImage<'a> {
    pub(crate) pixels: &'a [f32],
    pub(crate) channels: usize,
    pub(crate) height: usize,
    pub(crate) width: usize,
    pub(crate) lanes: usize,
}

impl DirectImage<'_> {
    fn check(&self) {
        let planes = self.channels.div_ceil(self.lanes);
        assert_eq!(self.pixels.len(), planes * self.height * self.width * self.lanes);
    }

    /// Where channel `channel` of the first pixel of `row` lies.
    fn row(&self, channel: usize, row: usize) -> usize {
        ((channel / self.lanes * self.height + row) * self.width) * self.lanes + channel % self.lanes
    }
}

/// A row of outputs of a convolution computed as it is defined.
///
/// Slices are checked by the job.
pub(crate) struct DirectRow<'a> {
    pub(crate) x: DirectImage<'a>,
    pub(crate) row: usize,
    /// `[channels * 9][16]` of one block of output channels.
    pub(crate) weights: &'a [f32],
    /// `[16]`.
    pub(crate) bias: &'a [f32],
    pub(crate) relu: bool,
    /// `[width][16]`.
    pub(crate) y: &'a mut [f32],
    /// As in [`OutputTiles`](super::OutputTiles), one an output.
    pub(crate) choices: Option<&'a mut [u8]>,
}

/// Pixels that are computed side by side: enough sums to keep two multipliers with a latency of four busy.
const PIXELS: usize = 8;

impl Job for DirectRow<'_> {
    #[inline(always)]
    unsafe fn run<S: Simd>(&mut self) {
        let DirectImage { pixels, channels, height, width, lanes } = self.x;
        self.x.check();
        assert!(self.y.len() == width * LINE && self.row < height);
        assert!(self.choices.as_ref().is_none_or(|choices| choices.len() == width * LINE));
        assert!(self.weights.len() == channels * 9 * LINE && self.bias.len() == LINE);
        for lane in (0..LINE).step_by(S::LANES) {
            for x0 in (0..width).step_by(PIXELS) {
                // Taps of all pixels lie inside the row: no test a tap.
                let inside = x0 > 0 && x0 + PIXELS < width;
                // SAFETY: taps outside the image are skipped, and the asserts above give the sizes.
                unsafe {
                    let mut sums = [S::load(self.bias.as_ptr().add(lane)); PIXELS];
                    for channel in 0..channels {
                        for i in 0..3 {
                            let y = self.row + i;
                            if y == 0 || y > height {
                                continue;
                            }
                            let source = pixels.as_ptr().add(self.x.row(channel, y - 1));
                            for j in 0..3 {
                                let tap = self.weights.as_ptr();
                                let weight = S::load(tap.add(((channel * 3 + i) * 3 + j) * LINE + lane));
                                for (p, sum) in sums.iter_mut().enumerate() {
                                    let x = x0 + p + j;
                                    if inside || (x > 0 && x <= width) {
                                        let pixel = S::splat(*source.add((x - 1) * lanes));
                                        *sum = S::mul_add(pixel, weight, *sum);
                                    }
                                }
                            }
                        }
                    }
                    for (p, &sum) in sums.iter().enumerate().take(width - x0) {
                        let (at, zero) = ((x0 + p) * LINE + lane, S::splat(0.0));
                        let value = if self.relu { S::max(zero, sum) } else { sum };
                        S::store(self.y.as_mut_ptr().add(at), value);
                        if let Some(choices) = &mut self.choices {
                            let cut = if self.relu { S::splat(CUT) } else { zero };
                            let choice = S::select_greater(sum, zero, zero, cut);
                            S::store_bytes(choices.as_mut_ptr().add(at), choice);
                        }
                    }
                }
            }
        }
    }
}

/// What some rows of an output gradient add to the weight gradient of one block of output channels:
/// `gradient[channel * 9 + tap][16] += sum over pixels of x[pixel + tap] dy[pixel][16]`.
///
/// Slices are checked by the job.
pub(crate) struct DirectGradient<'a> {
    pub(crate) x: DirectImage<'a>,
    /// One plane, `[height, width, 16]`.
    pub(crate) dy: &'a [f32],
    pub(crate) rows: std::ops::Range<usize>,
    /// `[channels * 9][16]`.
    pub(crate) gradient: &'a mut [f32],
}

impl Job for DirectGradient<'_> {
    #[inline(always)]
    unsafe fn run<S: Simd>(&mut self) {
        let DirectImage { channels, height, width, .. } = self.x;
        self.x.check();
        assert!(self.dy.len() == height * width * LINE && self.gradient.len() == channels * 9 * LINE);
        assert!(self.rows.end <= height);
        for row in self.rows.clone() {
            for channel in 0..channels {
                for lane in (0..LINE).step_by(S::LANES) {
                    // SAFETY: the asserts give the sizes.
                    unsafe { self.row::<S>(row, channel, lane) }
                }
            }
        }
    }
}

impl DirectGradient<'_> {
    /// # Safety
    /// The instruction set of `S` is present; `row`, `channel` and `lane` lie within the slices.
    #[inline(always)]
    unsafe fn row<S: Simd>(&mut self, row: usize, channel: usize, lane: usize) {
        let DirectImage { pixels, height, width, lanes, .. } = self.x;
        // SAFETY: rows and columns outside the image are replaced by a factor that is zero, so every
        // read lies within.
        unsafe {
            let taps = self.gradient.as_mut_ptr().add(channel * 9 * LINE + lane);
            let mut sums = [[S::splat(0.0); 3]; 3];
            let inside = [row > 0, true, row + 1 < height];
            let rows: [usize; 3] =
                std::array::from_fn(|i| self.x.row(channel, if inside[i] { row + i - 1 } else { row }));
            for x in 0..width {
                let dy = S::load(self.dy.as_ptr().add((row * width + x) * LINE + lane));
                for i in 0..3 {
                    let source = pixels.as_ptr().add(rows[i]);
                    if x > 0 {
                        sums[i][0] = S::mul_add(S::splat(*source.add((x - 1) * lanes)), dy, sums[i][0]);
                    }
                    sums[i][1] = S::mul_add(S::splat(*source.add(x * lanes)), dy, sums[i][1]);
                    if x + 1 < width {
                        sums[i][2] = S::mul_add(S::splat(*source.add((x + 1) * lanes)), dy, sums[i][2]);
                    }
                }
            }
            for i in 0..3 {
                if inside[i] {
                    for j in 0..3 {
                        let tap = taps.add((i * 3 + j) * LINE);
                        S::store(tap, S::add(S::load(tap), sums[i][j]));
                    }
                }
            }
        }
    }
}
