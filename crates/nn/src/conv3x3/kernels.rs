//! The three inner loops, each written once over [`Simd`] and compiled once an instruction set.

use super::tiles::TileGrid;
use super::transform::{self, POINTS, STEP, TILE};
use crate::buffer::LINE;
#[cfg(target_arch = "x86_64")]
use crate::simd::{Avx2, Avx512};
use crate::simd::{Isa, Portable, Simd};
use std::ops::Range;

/// Input tiles `first..first + count` of some channel blocks, to be transformed into
/// `v[36][blocks][stride][16]`.
pub(crate) struct InputTiles<'a> {
    /// Activations `[batch, all_blocks, height, width, 16]`.
    pub(crate) x: &'a [f32],
    pub(crate) grid: TileGrid,
    pub(crate) all_blocks: usize,
    pub(crate) blocks: Range<usize>,
    pub(crate) first: usize,
    pub(crate) count: usize,
    pub(crate) v: *mut f32,
    pub(crate) stride: usize,
}

/// One product of the 36: `m[panel][stride][16] = v[blocks][stride][16] * u[channels][panel]`.
pub(crate) struct TileProduct {
    pub(crate) v: *const f32,
    pub(crate) u: *const f32,
    pub(crate) m: *mut f32,
    /// Blocks of 16 input channels.
    pub(crate) blocks: usize,
    pub(crate) stride: usize,
    pub(crate) count: usize,
}

/// Output tiles from `m[36][m_blocks][stride][16]`, with bias, ReLU and pooling, into `y`.
pub(crate) struct OutputTiles<'a> {
    pub(crate) m: *const f32,
    /// Blocks in `m`: those of `y`, filled up to whole panels.
    pub(crate) m_blocks: usize,
    pub(crate) grid: TileGrid,
    pub(crate) all_blocks: usize,
    pub(crate) blocks: Range<usize>,
    pub(crate) first: usize,
    pub(crate) count: usize,
    pub(crate) stride: usize,
    /// `[all_blocks * 16]`.
    pub(crate) bias: &'a [f32],
    pub(crate) relu: bool,
    pub(crate) pool: bool,
    /// `[batch, all_blocks, height, width, 16]`, or half of height and width when pooled.
    pub(crate) y: *mut f32,
}

/// A row of outputs of a direct convolution over few input channels.
pub(crate) struct DirectRow<'a> {
    /// One image, `[channels, height, width]`.
    pub(crate) x: &'a [f32],
    pub(crate) channels: usize,
    pub(crate) height: usize,
    pub(crate) width: usize,
    pub(crate) row: usize,
    /// `[channels * 9][16]` of one block of output channels.
    pub(crate) weights: &'a [f32],
    /// `[16]`.
    pub(crate) bias: &'a [f32],
    pub(crate) relu: bool,
    /// `[width][16]`.
    pub(crate) y: &'a mut [f32],
}

/// The kernels of one instruction set.
pub(crate) struct Kernels {
    /// Output channels of a matrix product: two registers.
    pub(crate) panel: usize,
    pub(crate) input_tiles: unsafe fn(&InputTiles),
    pub(crate) tile_product: unsafe fn(&TileProduct),
    pub(crate) output_tiles: unsafe fn(&OutputTiles),
    pub(crate) direct_row: unsafe fn(&mut DirectRow),
}

/// Compiles the generic kernels for one instruction set.
macro_rules! kernels_for {
    ($table:ident, $module:ident, $simd:ty $(, $feature:literal)?) => {
        mod $module {
            use super::*;
            $(#[target_feature(enable = $feature)])?
            pub(super) unsafe fn input_tiles(job: &InputTiles) {
                // SAFETY: the caller's promise, see the generic function.
                unsafe { super::input_tiles::<$simd>(job) }
            }
            $(#[target_feature(enable = $feature)])?
            pub(super) unsafe fn tile_product(job: &TileProduct) {
                // SAFETY: the caller's promise, see the generic function.
                unsafe { super::tile_product::<$simd>(job) }
            }
            $(#[target_feature(enable = $feature)])?
            pub(super) unsafe fn output_tiles(job: &OutputTiles) {
                // SAFETY: the caller's promise, see the generic function.
                unsafe { super::output_tiles::<$simd>(job) }
            }
            $(#[target_feature(enable = $feature)])?
            pub(super) unsafe fn direct_row(job: &mut DirectRow) {
                // SAFETY: the caller's promise, see the generic function.
                unsafe { super::direct_row::<$simd>(job) }
            }
        }
        static $table: Kernels = Kernels {
            panel: 2 * <$simd>::LANES,
            input_tiles: $module::input_tiles,
            tile_product: $module::tile_product,
            output_tiles: $module::output_tiles,
            direct_row: $module::direct_row,
        };
    };
}

#[cfg(target_arch = "x86_64")]
kernels_for!(AVX512, avx512, Avx512, "avx512f");
#[cfg(target_arch = "x86_64")]
kernels_for!(AVX2, avx2, Avx2, "avx2,fma");
kernels_for!(PORTABLE, portable, Portable);

impl Kernels {
    /// The kernels of `isa`.
    ///
    /// # Panics
    /// If this processor lacks the set: running its instructions would be undefined.
    pub(crate) fn of(isa: Isa) -> &'static Kernels {
        assert!(Isa::available().contains(&isa), "this processor has no {}", isa.as_str());
        match isa {
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512 => &AVX512,
            #[cfg(target_arch = "x86_64")]
            Isa::Avx2 => &AVX2,
            _ => &PORTABLE,
        }
    }
}

/// `V = B^T d B` for each tile and channel.
///
/// # Safety
/// The instruction set is present; `x` holds the batch that `grid` describes; `v` has room for
/// `36 * all_blocks * stride * 16` floats, of which no one else touches the slots of these tiles and blocks.
#[inline(always)]
unsafe fn input_tiles<S: Simd>(job: &InputTiles) {
    let (height, width) = (job.grid.height, job.grid.width);
    let plane = height * width * LINE;
    let point_stride = job.all_blocks * job.stride * LINE;
    for t in 0..job.count {
        let (image, tile_y, tile_x) = job.grid.locate(job.first + t);
        // The tile begins one pixel up and left of its outputs; rows and columns outside are zero.
        let rows = valid(tile_y, height);
        let columns = valid(tile_x, width);
        let inside = rows == (0..TILE) && columns == (0..TILE);
        let corner = (tile_y * STEP * width + tile_x * STEP) as isize - width as isize - 1;
        for block in job.blocks.clone() {
            let start = (image * job.all_blocks + block) * plane;
            for lane in (0..LINE).step_by(S::LANES) {
                // SAFETY: only pixels within `rows` and `columns` are read, which lie in the image; the
                // slots written are those of tile `t` and this block.
                unsafe {
                    let corner = start as isize + corner * LINE as isize + lane as isize;
                    let source = job.x.as_ptr().wrapping_offset(corner);
                    let target = job.v.add((block * job.stride + t) * LINE + lane);
                    let mut half = [[S::splat(0.0); TILE]; TILE];
                    for (j, half) in half.iter_mut().enumerate() {
                        let mut d = [S::splat(0.0); TILE];
                        if inside {
                            for (i, d) in d.iter_mut().enumerate() {
                                *d = S::load(source.add((i * width + j) * LINE));
                            }
                        } else if columns.contains(&j) {
                            for (i, d) in d.iter_mut().enumerate().take(rows.end).skip(rows.start) {
                                *d = S::load(source.wrapping_add((i * width + j) * LINE));
                            }
                        }
                        *half = transform::input::<S>(d);
                    }
                    #[expect(clippy::needless_range_loop, reason = "the loop reads column i of `half`")]
                    for i in 0..TILE {
                        let row = transform::input::<S>(std::array::from_fn(|j| half[j][i]));
                        for (j, &value) in row.iter().enumerate() {
                            S::store(target.add((i * TILE + j) * point_stride), value);
                        }
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

/// The matrix product, in register blocks of `TILE_ROWS` tiles by two registers of output channels.
///
/// # Safety
/// The instruction set is present; `v`, `u` and `m` have the sizes that [`TileProduct`] gives, and no one
/// else touches `m`.
#[inline(always)]
unsafe fn tile_product<S: Simd>(job: &TileProduct) {
    let mut t = 0;
    while t < job.count {
        let rows = (job.count - t).min(S::TILE_ROWS);
        // SAFETY: rows `t..t + rows` lie within the `count` tiles that the caller vouches for.
        unsafe {
            let (v, m) = (job.v.add(t * LINE), job.m.add(t * LINE));
            match rows {
                1 => register_block::<S, 1>(job, v, m),
                2 => register_block::<S, 2>(job, v, m),
                3 => register_block::<S, 3>(job, v, m),
                4 => register_block::<S, 4>(job, v, m),
                5 => register_block::<S, 5>(job, v, m),
                6 => register_block::<S, 6>(job, v, m),
                7 => register_block::<S, 7>(job, v, m),
                8 => register_block::<S, 8>(job, v, m),
                9 => register_block::<S, 9>(job, v, m),
                10 => register_block::<S, 10>(job, v, m),
                11 => register_block::<S, 11>(job, v, m),
                _ => register_block::<S, 12>(job, v, m),
            }
        }
        t += rows;
    }
}

/// # Safety
/// As [`tile_product`], for `ROWS` tiles from `v` and `m` on.
#[inline(always)]
unsafe fn register_block<S: Simd, const ROWS: usize>(job: &TileProduct, v: *const f32, m: *mut f32) {
    if ROWS > S::TILE_ROWS {
        return; // never asked for; spares the compiler a kernel that would spill
    }
    // SAFETY: the pointers stay within the arrays that the caller vouches for.
    unsafe {
        let mut sums = [[S::splat(0.0); 2]; ROWS];
        let mut u = job.u;
        for block in 0..job.blocks {
            let v = v.add(block * job.stride * LINE);
            for channel in 0..LINE {
                let weights = [S::load(u), S::load(u.add(S::LANES))];
                u = u.add(2 * S::LANES);
                for (row, sums) in sums.iter_mut().enumerate() {
                    let input = S::splat(*v.add(row * LINE + channel));
                    sums[0] = S::mul_add(input, weights[0], sums[0]);
                    sums[1] = S::mul_add(input, weights[1], sums[1]);
                }
            }
        }
        // The second register is the other half of the block, or the next block.
        let second = S::LANES / LINE * job.stride * LINE + S::LANES % LINE;
        for (row, sums) in sums.iter().enumerate() {
            S::store(m.add(row * LINE), sums[0]);
            S::store(m.add(row * LINE + second), sums[1]);
        }
    }
}

/// `Y = A^T m A`, plus bias, through ReLU and the 2x2 maximum.
///
/// # Safety
/// The instruction set is present; `m` and `y` have the sizes that [`OutputTiles`] gives, and no one else
/// touches the pixels of these tiles and blocks in `y`.
#[inline(always)]
unsafe fn output_tiles<S: Simd>(job: &OutputTiles) {
    let point_stride = job.m_blocks * job.stride * LINE;
    let (height, width) = match job.pool {
        true => (job.grid.height / 2, job.grid.width / 2),
        false => (job.grid.height, job.grid.width),
    };
    let step = if job.pool { STEP / 2 } else { STEP };
    for t in 0..job.count {
        let (image, tile_y, tile_x) = job.grid.locate(job.first + t);
        let rows = step.min(height.saturating_sub(tile_y * step));
        let columns = step.min(width.saturating_sub(tile_x * step));
        for block in job.blocks.clone() {
            let start = (image * job.all_blocks + block) * height * width;
            for lane in (0..LINE).step_by(S::LANES) {
                // SAFETY: `rows` and `columns` keep the stores within the image; the tile's slots of `m`
                // were written for every point.
                unsafe {
                    let source = job.m.add((block * job.stride + t) * LINE + lane);
                    let mut half = [[S::splat(0.0); STEP]; TILE];
                    for (j, half) in half.iter_mut().enumerate() {
                        let m = std::array::from_fn(|i| S::load(source.add((i * TILE + j) * point_stride)));
                        *half = transform::output::<S>(m);
                    }
                    let bias = S::load(job.bias.as_ptr().add(block * LINE + lane));
                    let mut tile = [[S::splat(0.0); STEP]; STEP];
                    for (i, tile) in tile.iter_mut().enumerate() {
                        let row = transform::output::<S>(std::array::from_fn(|j| half[j][i]));
                        for (tile, value) in tile.iter_mut().zip(row) {
                            let sum = S::add(value, bias);
                            *tile = if job.relu { S::max(sum, S::splat(0.0)) } else { sum };
                        }
                    }
                    let target = job.y.add(start * LINE + lane);
                    let at = |i: usize, j: usize| ((tile_y * step + i) * width + tile_x * step + j) * LINE;
                    for i in 0..rows {
                        for j in 0..columns {
                            let value = match job.pool {
                                true => S::max(
                                    S::max(tile[2 * i][2 * j], tile[2 * i][2 * j + 1]),
                                    S::max(tile[2 * i + 1][2 * j], tile[2 * i + 1][2 * j + 1]),
                                ),
                                false => tile[i][j],
                            };
                            S::store(target.add(at(i, j)), value);
                        }
                    }
                }
            }
        }
    }
}

/// A direct convolution for the first layer, whose one or three channels would leave most of a block empty.
///
/// # Safety
/// The instruction set is present. Slices are checked here.
#[inline(always)]
unsafe fn direct_row<S: Simd>(job: &mut DirectRow) {
    const PIXELS: usize = 4;
    let (height, width) = (job.height, job.width);
    assert!(job.x.len() == job.channels * height * width && job.y.len() == width * LINE);
    assert!(job.weights.len() == job.channels * 9 * LINE && job.bias.len() == LINE && job.row < height);
    for lane in (0..LINE).step_by(S::LANES) {
        for x0 in (0..width).step_by(PIXELS) {
            let pixels = PIXELS.min(width - x0);
            // Taps of all four pixels lie inside the row: no test a tap.
            let inside = x0 > 0 && x0 + PIXELS < width;
            // SAFETY: taps outside the image are skipped, and the asserts above give the sizes.
            unsafe {
                let mut sums = [S::load(job.bias.as_ptr().add(lane)); PIXELS];
                for channel in 0..job.channels {
                    for i in 0..3 {
                        let y = job.row + i;
                        if y == 0 || y > height {
                            continue;
                        }
                        let source = &job.x[(channel * height + y - 1) * width..][..width];
                        for j in 0..3 {
                            let tap = job.weights.as_ptr().add(((channel * 3 + i) * 3 + j) * LINE + lane);
                            let weight = S::load(tap);
                            for (p, sum) in sums.iter_mut().enumerate() {
                                let x = x0 + p + j;
                                if inside || (x > 0 && x <= width) {
                                    *sum = S::mul_add(S::splat(*source.get_unchecked(x - 1)), weight, *sum);
                                }
                            }
                        }
                    }
                }
                for (p, &sum) in sums.iter().enumerate().take(pixels) {
                    let value = if job.relu { S::max(sum, S::splat(0.0)) } else { sum };
                    S::store(job.y.as_mut_ptr().add((x0 + p) * LINE + lane), value);
                }
            }
        }
    }
}

/// Floats of scratch for `stride` tiles of `blocks` blocks.
pub(crate) fn scratch_floats(blocks: usize, stride: usize) -> usize {
    POINTS * blocks * stride * LINE
}
