use crate::buffer::LINE;
use crate::conv3x3::tiles::{TileGrid, TileSlots};
use crate::conv3x3::transform::{self, STEP, TILE};
use crate::simd::{Job, Simd};
use std::ops::Range;

/// Input tiles `first..first + count` of some channel blocks, transformed into `v[36][all_blocks][tiles][16]`:
/// `V = B^T d B` for each tile and channel.
///
/// # Safety
/// `x` holds the batch that `grid` describes; `v` has the room that `slots` asks for, of which no one else
/// touches the slots of these tiles and blocks.
pub(crate) struct InputTiles<'a> {
    /// Activations `[batch, all_blocks, height, width, 16]`.
    pub(crate) x: &'a [f32],
    pub(crate) grid: TileGrid,
    pub(crate) blocks: Range<usize>,
    pub(crate) first: usize,
    pub(crate) count: usize,
    pub(crate) v: *mut f32,
    pub(crate) slots: TileSlots,
}

impl Job for InputTiles<'_> {
    #[inline(always)]
    unsafe fn run<S: Simd>(&mut self) {
        let (height, width) = (self.grid.height, self.grid.width);
        let plane = height * width * LINE;
        // Block by block, so that the reads are six streams along the rows.
        for block in self.blocks.clone() {
            for t in 0..self.count {
                let (image, tile_y, tile_x) = self.grid.locate(self.first + t);
                // The tile begins one pixel up and left of its outputs; rows and columns outside are zero.
                let rows = valid(tile_y, height);
                let columns = valid(tile_x, width);
                let start = ((image * self.slots.blocks + block) * plane) as isize;
                let corner = (tile_y * STEP * width + tile_x * STEP) as isize - width as isize - 1;
                let source = self.x.as_ptr().wrapping_offset(start + corner * LINE as isize);
                // The columns that the tile after the next adds; the streams are too short for the
                // processor to guess.
                for i in 0..TILE {
                    for j in TILE..TILE + STEP {
                        S::prefetch(source.wrapping_add((i * width + j + STEP) * LINE));
                    }
                }
                for lane in (0..LINE).step_by(S::LANES) {
                    // SAFETY: only pixels within `rows` and `columns` are read, which lie in the image; the
                    // slots written are those of tile `t` and this block.
                    unsafe {
                        let target = self.v.add(self.slots.at(block, t) + lane);
                        let d = load::<S, TILE>(source.wrapping_add(lane), width, &rows, &columns);
                        transform_both_ways::<S, TILE>(d, target, self.slots.point_stride());
                    }
                }
            }
        }
    }
}

/// Tiles of an output gradient, transformed into `v[36][all_blocks][tiles][16]`: `A d A^T` for each tile
/// and channel.
///
/// # Safety
/// As [`InputTiles`].
pub(crate) struct GradientTiles<'a> {
    pub(crate) tiles: InputTiles<'a>,
    /// Blocks that `x` has; `slots` may have one more, to fill up a panel.
    pub(crate) planes: usize,
}

impl Job for GradientTiles<'_> {
    #[inline(always)]
    unsafe fn run<S: Simd>(&mut self) {
        let job = &self.tiles;
        let (height, width) = (job.grid.height, job.grid.width);
        for block in job.blocks.clone() {
            for t in 0..job.count {
                let (image, tile_y, tile_x) = job.grid.locate(job.first + t);
                let rows = 0..STEP.min(height - tile_y * STEP);
                let columns = 0..STEP.min(width - tile_x * STEP);
                let corner = tile_y * STEP * width + tile_x * STEP;
                let source = (image * self.planes + block) * height * width + corner;
                let source = job.x.as_ptr().wrapping_add(source * LINE);
                for i in 0..STEP {
                    for j in 2 * STEP..3 * STEP {
                        S::prefetch(source.wrapping_add((i * width + j) * LINE));
                    }
                }
                for lane in (0..LINE).step_by(S::LANES) {
                    // SAFETY: as in `InputTiles`.
                    unsafe {
                        let target = job.v.add(job.slots.at(block, t) + lane);
                        let d = load::<S, STEP>(source.wrapping_add(lane), width, &rows, &columns);
                        transform_both_ways::<S, STEP>(d, target, job.slots.point_stride());
                    }
                }
            }
        }
    }
}

/// Which of a tile's six rows (or columns) lie in an image of `size`.
fn valid(tile: usize, size: usize) -> Range<usize> {
    let first = usize::from(tile == 0);
    first..TILE.min(size + 1 - tile * STEP)
}

/// A tile of `N x N` pixels column by column, zero outside `rows` and `columns`.
///
/// # Safety
/// Pixels within `rows` and `columns` from `source` on can be read.
#[inline(always)]
unsafe fn load<S: Simd, const N: usize>(
    source: *const f32,
    width: usize,
    rows: &Range<usize>,
    columns: &Range<usize>,
) -> [[S::V; N]; N] {
    // SAFETY: the caller's promise; `wrapping_add` may pass over pixels that are not read.
    unsafe {
        let mut d = [[S::splat(0.0); N]; N];
        if *rows == (0..N) && *columns == (0..N) {
            for i in 0..N {
                for j in 0..N {
                    d[j][i] = S::load(source.wrapping_add((i * width + j) * LINE));
                }
            }
        } else {
            for i in 0..N {
                for j in 0..N {
                    if rows.contains(&i) && columns.contains(&j) {
                        d[j][i] = S::load(source.wrapping_add((i * width + j) * LINE));
                    }
                }
            }
        }
        d
    }
}

/// The transform of inputs (6) or of output gradients (4), down the columns and along the rows, each of
/// the 36 results to its own place.
///
/// # Safety
/// As [`InputTiles`].
#[inline(always)]
unsafe fn transform_both_ways<S: Simd, const N: usize>(
    d: [[S::V; N]; N],
    target: *mut f32,
    point_stride: usize,
) {
    // SAFETY: the caller's promise.
    unsafe {
        let mut half = [[S::splat(0.0); N]; TILE];
        for j in 0..N {
            let column = one_way::<S, N>(d[j]);
            for i in 0..TILE {
                half[i][j] = column[i];
            }
        }
        for i in 0..TILE {
            let row = one_way::<S, N>(half[i]);
            for j in 0..TILE {
                S::store(target.add((i * TILE + j) * point_stride), row[j]);
            }
        }
    }
}

/// # Safety
/// The instruction set of `S` is present.
#[inline(always)]
unsafe fn one_way<S: Simd, const N: usize>(d: [S::V; N]) -> [S::V; TILE] {
    // SAFETY: the caller's promise.
    unsafe {
        match N {
            TILE => transform::input::<S>([d[0], d[1], d[2], d[3], d[N - 2], d[N - 1]]),
            _ => transform::output_gradient::<S>([d[0], d[1], d[2], d[3]]),
        }
    }
}
