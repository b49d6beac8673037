use super::{Portable, Simd};
use std::arch::wasm32::*;

/// 8 lanes in two registers of four; multiplication and addition are rounded apart.
///
/// Not verified on hardware: no test of ours has run on this instruction set.
#[derive(Clone, Copy)]
pub(crate) struct Wasm128;

type Pair = (v128, v128);

// SAFETY (of every method): the trait asks the caller for the instruction set and for valid pointers.
impl Simd for Wasm128 {
    const LANES: usize = 8;
    const TILE_ROWS: usize = 4;
    type V = Pair;
    #[inline(always)]
    unsafe fn splat(x: f32) -> Pair {
        (f32x4_splat(x), f32x4_splat(x))
    }
    #[inline(always)]
    unsafe fn load(from: *const f32) -> Pair {
        // SAFETY: see above.
        unsafe { (v128_load(from.cast()), v128_load(from.add(4).cast())) }
    }
    #[inline(always)]
    unsafe fn store(to: *mut f32, v: Pair) {
        // SAFETY: see above.
        unsafe {
            v128_store(to.cast(), v.0);
            v128_store(to.add(4).cast(), v.1);
        }
    }
    #[inline(always)]
    unsafe fn add(a: Pair, b: Pair) -> Pair {
        (f32x4_add(a.0, b.0), f32x4_add(a.1, b.1))
    }
    #[inline(always)]
    unsafe fn sub(a: Pair, b: Pair) -> Pair {
        (f32x4_sub(a.0, b.0), f32x4_sub(a.1, b.1))
    }
    #[inline(always)]
    unsafe fn mul(a: Pair, b: Pair) -> Pair {
        (f32x4_mul(a.0, b.0), f32x4_mul(a.1, b.1))
    }
    #[inline(always)]
    unsafe fn max(a: Pair, b: Pair) -> Pair {
        // `pmax(b, a)` is `a` where `b < a`, else `b`.
        (f32x4_pmax(b.0, a.0), f32x4_pmax(b.1, a.1))
    }
    #[inline(always)]
    unsafe fn mul_add(a: Pair, b: Pair, c: Pair) -> Pair {
        (f32x4_add(f32x4_mul(a.0, b.0), c.0), f32x4_add(f32x4_mul(a.1, b.1), c.1))
    }
    #[inline(always)]
    unsafe fn neg_mul_add(a: Pair, b: Pair, c: Pair) -> Pair {
        (f32x4_sub(c.0, f32x4_mul(a.0, b.0)), f32x4_sub(c.1, f32x4_mul(a.1, b.1)))
    }
    #[inline(always)]
    unsafe fn select_greater(a: Pair, b: Pair, x: Pair, y: Pair) -> Pair {
        let select = |a, b, x, y| v128_bitselect(x, y, f32x4_gt(a, b));
        (select(a.0, b.0, x.0, y.0), select(a.1, b.1, x.1, y.1))
    }
    #[inline(always)]
    unsafe fn load_bytes(from: *const u8) -> Pair {
        // SAFETY: see above.
        let wide = unsafe { u16x8_load_extend_u8x8(from) };
        let (low, high) = (u32x4_extend_low_u16x8(wide), u32x4_extend_high_u16x8(wide));
        (f32x4_convert_u32x4(low), f32x4_convert_u32x4(high))
    }
    #[inline(always)]
    unsafe fn store_bytes(to: *mut u8, v: Pair) {
        let whole = u16x8_narrow_i32x4(i32x4_trunc_sat_f32x4(v.0), i32x4_trunc_sat_f32x4(v.1));
        // SAFETY: see above.
        unsafe { v128_store64_lane::<0>(u8x16_narrow_i16x8(whole, whole), to.cast()) }
    }
    #[inline(always)]
    unsafe fn load_halves(from: *const u8) -> Pair {
        // SAFETY: see above; 8 lanes are those of the portable set.
        unsafe { Self::load(Portable::load_halves(from).as_ptr()) }
    }
    #[inline(always)]
    unsafe fn zip(a: Pair, b: Pair) -> [Pair; 2] {
        let both = |a, b| (i32x4_shuffle::<0, 4, 1, 5>(a, b), i32x4_shuffle::<2, 6, 3, 7>(a, b));
        [both(a.0, b.0), both(a.1, b.1)]
    }
}
