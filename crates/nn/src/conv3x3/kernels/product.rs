use crate::buffer::LINE;
use crate::simd::{Job, Simd};

/// One matrix product of the 36: `m[panel][tiles][16] (+)= v[blocks][tiles][16] * u[channels][panel]`.
///
/// A sum over channels that is cut in two jobs has the bits of one job: each is a chain of multiply-adds in
/// the order of the channels, and `m` holds it as the registers do.
///
/// # Safety
/// `v` and `m` hold `stride` tiles a block, `u` a panel for `16 * blocks` channels; no one else touches `m`.
pub(crate) struct TileProduct {
    pub(crate) v: *const f32,
    pub(crate) u: *const f32,
    /// What the product that comes next will read, to be brought nearer meanwhile.
    pub(crate) next: *const f32,
    /// Cache lines of it for each block of channels.
    pub(crate) next_lines: usize,
    pub(crate) m: *mut f32,
    /// Blocks of 16 input channels.
    pub(crate) blocks: usize,
    pub(crate) stride: usize,
    /// Tiles, at most `stride`.
    pub(crate) count: usize,
    /// Add to what `m` holds instead of replacing it.
    pub(crate) add: bool,
}

/// Channels by which the first cache is ahead of the weights that are used.
const AHEAD: usize = 24;

impl Job for TileProduct {
    /// In register blocks of `TILE_ROWS` tiles by two registers of output channels.
    #[inline(always)]
    unsafe fn run<S: Simd>(&mut self) {
        let row_blocks = self.count.div_ceil(S::TILE_ROWS);
        // Each row block fetches its share, so that memory is never asked for everything within one of them.
        let share = self.next_lines.div_ceil(row_blocks);
        let mut next = self.next;
        let mut t = 0;
        while t < self.count {
            let rows = (self.count - t).min(S::TILE_ROWS);
            // SAFETY: rows `t..t + rows` lie within the `count` tiles that the caller vouches for.
            unsafe {
                let (v, m) = (self.v.add(t * LINE), self.m.add(t * LINE));
                match rows {
                    1 => self.register_block::<S, 1>(v, m, next, share),
                    2 => self.register_block::<S, 2>(v, m, next, share),
                    3 => self.register_block::<S, 3>(v, m, next, share),
                    4 => self.register_block::<S, 4>(v, m, next, share),
                    5 => self.register_block::<S, 5>(v, m, next, share),
                    6 => self.register_block::<S, 6>(v, m, next, share),
                    7 => self.register_block::<S, 7>(v, m, next, share),
                    8 => self.register_block::<S, 8>(v, m, next, share),
                    9 => self.register_block::<S, 9>(v, m, next, share),
                    10 => self.register_block::<S, 10>(v, m, next, share),
                    11 => self.register_block::<S, 11>(v, m, next, share),
                    _ => self.register_block::<S, 12>(v, m, next, share),
                }
            }
            t += rows;
            next = next.wrapping_add(self.blocks * share * LINE);
        }
    }
}

impl TileProduct {
    /// Meanwhile fetches `share` lines of `next` for each block of channels.
    ///
    /// # Safety
    /// As for the job, for `ROWS` tiles from `v` and `m` on.
    #[inline(always)]
    unsafe fn register_block<S: Simd, const ROWS: usize>(
        &self,
        v: *const f32,
        m: *mut f32,
        mut next: *const f32,
        share: usize,
    ) {
        if ROWS > S::TILE_ROWS {
            return; // never asked for; spares the compiler a kernel that would spill
        }
        // SAFETY: the pointers stay within the arrays that the caller vouches for.
        unsafe {
            let second = second_register::<S>(self.stride);
            let mut sums = [[S::splat(0.0); 2]; ROWS];
            if self.add {
                for (row, sums) in sums.iter_mut().enumerate() {
                    *sums = [S::load(m.add(row * LINE)), S::load(m.add(row * LINE + second))];
                }
            }
            let mut u = self.u;
            for block in 0..self.blocks {
                let v = v.add(block * self.stride * LINE);
                for _ in 0..share {
                    S::prefetch_far(next);
                    next = next.wrapping_add(LINE);
                }
                for channel in 0..LINE {
                    let weights = [S::load(u), S::load(u.add(S::LANES))];
                    S::prefetch(u.wrapping_add(AHEAD * 2 * S::LANES));
                    if S::LANES == LINE {
                        S::prefetch(u.wrapping_add(AHEAD * 2 * S::LANES + LINE));
                    }
                    u = u.add(2 * S::LANES);
                    for (row, sums) in sums.iter_mut().enumerate() {
                        let input = S::splat(*v.add(row * LINE + channel));
                        sums[0] = S::mul_add(input, weights[0], sums[0]);
                        sums[1] = S::mul_add(input, weights[1], sums[1]);
                    }
                }
            }
            for (row, sums) in sums.iter().enumerate() {
                S::store(m.add(row * LINE), sums[0]);
                S::store(m.add(row * LINE + second), sums[1]);
            }
        }
    }
}

/// From the first to the second register of a panel in `[blocks][stride][16]`: the other half of the
/// block, or the next block.
#[inline(always)]
pub(super) fn second_register<S: Simd>(stride: usize) -> usize {
    S::LANES / LINE * stride * LINE + S::LANES % LINE
}
