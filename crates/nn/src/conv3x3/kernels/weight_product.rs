use super::product::second_register;
use crate::buffer::LINE;
use crate::simd::{Job, Simd};

/// One of the 36 products of the weight gradient, one panel wide:
/// `du[channels][panel] (+)= v[blocks][tiles][16]^T * d[panel][tiles][16]`.
///
/// The sum runs over the tiles in their order, so its bits depend on how tiles are cut into jobs and on
/// nothing else.
///
/// # Safety
/// `v` and `d` hold `stride` tiles a block, `du` a panel for `16 * blocks` channels; no one else touches `du`.
pub(crate) struct WeightProduct {
    pub(crate) v: *const f32,
    pub(crate) v_stride: usize,
    pub(crate) d: *const f32,
    pub(crate) d_stride: usize,
    pub(crate) du: *mut f32,
    /// Blocks of 16 input channels.
    pub(crate) blocks: usize,
    /// Tiles.
    pub(crate) count: usize,
    /// Add to what `du` holds instead of replacing it.
    pub(crate) add: bool,
}

impl Job for WeightProduct {
    #[inline(always)]
    unsafe fn run<S: Simd>(&mut self) {
        // SAFETY: the caller's promise. The constants divide 16.
        unsafe {
            match S::LANES {
                16 => self.all_channels::<S, 8>(),
                _ => self.all_channels::<S, 4>(),
            }
        }
    }
}

impl WeightProduct {
    /// In register blocks of `ROWS` input channels by two registers of output channels.
    ///
    /// # Safety
    /// As for the job.
    #[inline(always)]
    unsafe fn all_channels<S: Simd, const ROWS: usize>(&self) {
        let second = second_register::<S>(self.d_stride);
        for channel in (0..self.blocks * LINE).step_by(ROWS) {
            // SAFETY: channels stay below `16 * blocks`, tiles below `count`.
            unsafe {
                let v = self.v.add(channel / LINE * self.v_stride * LINE + channel % LINE);
                let du = self.du.add(channel * 2 * S::LANES);
                let mut sums = [[S::splat(0.0); 2]; ROWS];
                if self.add {
                    for (row, sums) in sums.iter_mut().enumerate() {
                        sums[0] = S::load(du.add(row * 2 * S::LANES));
                        sums[1] = S::load(du.add((row * 2 + 1) * S::LANES));
                    }
                }
                for t in 0..self.count {
                    let d = self.d.add(t * LINE);
                    let d = [S::load(d), S::load(d.add(second))];
                    for (row, sums) in sums.iter_mut().enumerate() {
                        let input = S::splat(*v.add(t * LINE + row));
                        sums[0] = S::mul_add(input, d[0], sums[0]);
                        sums[1] = S::mul_add(input, d[1], sums[1]);
                    }
                }
                for (row, sums) in sums.iter().enumerate() {
                    S::store(du.add(row * 2 * S::LANES), sums[0]);
                    S::store(du.add((row * 2 + 1) * S::LANES), sums[1]);
                }
            }
        }
    }
}
