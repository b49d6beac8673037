use crate::buffer::LINE;
use crate::conv3x3::tiles::{TileGrid, TileSlots};
use crate::conv3x3::transform::{self, STEP, TILE};
use crate::simd::{Job, Simd};
use std::ops::Range;

/// The choice that stands for an output which ReLU cut off.
pub(crate) const CUT: f32 = 4.0;

/// Output tiles from `m[36][blocks][tiles][16]`: `Y = A^T m A`, plus bias, through ReLU and the 2x2 maximum.
///
/// # Safety
/// `m` has the size that `slots` gives; `y`, and `choices` unless null, that of the batch that `grid` and
/// `pool` describe; no one else touches the pixels of these tiles and blocks in them.
pub(crate) struct OutputTiles<'a> {
    pub(crate) m: *const f32,
    /// Blocks in `m`: some of those of `y`, filled up to whole panels.
    pub(crate) slots: TileSlots,
    /// The block of `y` that is the first in `m`.
    pub(crate) first_block: usize,
    pub(crate) grid: TileGrid,
    /// Blocks in `y`.
    pub(crate) all_blocks: usize,
    pub(crate) blocks: Range<usize>,
    pub(crate) first: usize,
    pub(crate) count: usize,
    /// `[all_blocks * 16]`.
    pub(crate) bias: &'a [f32],
    pub(crate) relu: bool,
    pub(crate) pool: bool,
    /// `[batch, all_blocks, height, width, 16]`, or half of height and width when pooled.
    pub(crate) y: *mut f32,
    /// Laid out as `y`: which of the four pixels is the maximum, in row order, the first of equals; 0
    /// without a pool; [`CUT`] where ReLU let nothing through. Null where no gradient is wanted.
    pub(crate) choices: *mut u8,
}

impl Job for OutputTiles<'_> {
    #[inline(always)]
    unsafe fn run<S: Simd>(&mut self) {
        let (height, width) = match self.pool {
            true => (self.grid.height / 2, self.grid.width / 2),
            false => (self.grid.height, self.grid.width),
        };
        let step = if self.pool { STEP / 2 } else { STEP };
        for block in self.blocks.clone() {
            for t in 0..self.count {
                let (image, tile_y, tile_x) = self.grid.locate(self.first + t);
                let rows = step.min(height.saturating_sub(tile_y * step));
                let columns = step.min(width.saturating_sub(tile_x * step));
                let start = (image * self.all_blocks + block) * height * width;
                let start = start + tile_y * step * width + tile_x * step;
                for lane in (0..LINE).step_by(S::LANES) {
                    // SAFETY: `rows` and `columns` keep the stores within the image; the tile's slots of
                    // `m` were written for every point.
                    unsafe {
                        let m = self.m.add(self.slots.at(block - self.first_block, t) + lane);
                        let tile = self.tile::<S>(m, block, lane);
                        for i in 0..step {
                            for j in 0..step {
                                if i >= rows || j >= columns {
                                    continue;
                                }
                                let at = (start + i * width + j) * LINE + lane;
                                let values = match self.pool {
                                    true => [
                                        tile[2 * i][2 * j],
                                        tile[2 * i][2 * j + 1],
                                        tile[2 * i + 1][2 * j],
                                        tile[2 * i + 1][2 * j + 1],
                                    ],
                                    false => [tile[i][j]; 4],
                                };
                                self.finish::<S>(values, at);
                            }
                        }
                    }
                }
            }
        }
    }
}

impl OutputTiles<'_> {
    /// `A^T m A` plus bias.
    ///
    /// # Safety
    /// As for the job.
    #[inline(always)]
    unsafe fn tile<S: Simd>(&self, source: *const f32, block: usize, lane: usize) -> [[S::V; STEP]; STEP] {
        let point_stride = self.slots.point_stride();
        // SAFETY: the caller's promise.
        unsafe {
            let mut half = [[S::splat(0.0); TILE]; STEP];
            for j in 0..TILE {
                let mut m = [S::splat(0.0); TILE];
                for (i, m) in m.iter_mut().enumerate() {
                    *m = S::load(source.add((i * TILE + j) * point_stride));
                }
                let column = transform::output::<S>(m);
                for i in 0..STEP {
                    half[i][j] = column[i];
                }
            }
            let bias = S::load(self.bias.as_ptr().add(block * LINE + lane));
            let mut tile = [[S::splat(0.0); STEP]; STEP];
            for i in 0..STEP {
                let row = transform::output::<S>(half[i]);
                for j in 0..STEP {
                    tile[i][j] = S::add(row[j], bias);
                }
            }
            tile
        }
    }

    /// Writes one output, and its choice where it is wanted, from the four pixels under the pool.
    ///
    /// # Safety
    /// As for the job; `at` lies within `y`.
    #[inline(always)]
    unsafe fn finish<S: Simd>(&self, values: [S::V; 4], at: usize) {
        // SAFETY: the caller's promise.
        unsafe {
            let zero = S::splat(0.0);
            let mut best = values[0];
            if self.pool {
                best = S::max(S::max(values[0], values[1]), S::max(values[2], values[3]));
            }
            if !self.choices.is_null() {
                let (mut choice, mut so_far) = (zero, values[0]);
                if self.pool {
                    for (k, &value) in values.iter().enumerate().skip(1) {
                        choice = S::select_greater(value, so_far, S::splat(k as f32), choice);
                        so_far = S::max(value, so_far);
                    }
                }
                if self.relu {
                    choice = S::select_greater(best, zero, choice, S::splat(CUT));
                }
                S::store_bytes(self.choices.add(at), choice);
            }
            if self.relu {
                // In this order a NaN passes: a fault upstream must not look like a zero.
                best = S::max(zero, best);
            }
            S::store(self.y.add(at), best);
        }
    }
}
