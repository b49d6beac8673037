#![allow(unused_unsafe, reason = "NEON is part of the architecture, so some of its functions are safe")]

use super::{Portable, Simd};
use std::arch::aarch64::*;

/// 8 lanes in two registers of four, of which there are 32.
///
/// Not verified on hardware: no test of ours has run on this instruction set.
#[derive(Clone, Copy)]
pub(crate) struct Neon;

type Pair = (float32x4_t, float32x4_t);

// SAFETY (of every method): the trait asks the caller for the instruction set and for valid pointers.
impl Simd for Neon {
    const LANES: usize = 8;
    const TILE_ROWS: usize = 6;
    type V = Pair;
    #[inline(always)]
    unsafe fn splat(x: f32) -> Pair {
        // SAFETY: see above.
        unsafe { (vdupq_n_f32(x), vdupq_n_f32(x)) }
    }
    #[inline(always)]
    unsafe fn load(from: *const f32) -> Pair {
        // SAFETY: see above.
        unsafe { (vld1q_f32(from), vld1q_f32(from.add(4))) }
    }
    #[inline(always)]
    unsafe fn store(to: *mut f32, v: Pair) {
        // SAFETY: see above.
        unsafe {
            vst1q_f32(to, v.0);
            vst1q_f32(to.add(4), v.1);
        }
    }
    #[inline(always)]
    unsafe fn add(a: Pair, b: Pair) -> Pair {
        // SAFETY: see above.
        unsafe { (vaddq_f32(a.0, b.0), vaddq_f32(a.1, b.1)) }
    }
    #[inline(always)]
    unsafe fn sub(a: Pair, b: Pair) -> Pair {
        // SAFETY: see above.
        unsafe { (vsubq_f32(a.0, b.0), vsubq_f32(a.1, b.1)) }
    }
    #[inline(always)]
    unsafe fn mul(a: Pair, b: Pair) -> Pair {
        // SAFETY: see above.
        unsafe { (vmulq_f32(a.0, b.0), vmulq_f32(a.1, b.1)) }
    }
    #[inline(always)]
    unsafe fn max(a: Pair, b: Pair) -> Pair {
        // A comparison, as `vmaxq_f32` treats numbers that are none in another way than the trait says.
        // SAFETY: see above.
        unsafe { Self::select_greater(a, b, a, b) }
    }
    #[inline(always)]
    unsafe fn mul_add(a: Pair, b: Pair, c: Pair) -> Pair {
        // SAFETY: see above.
        unsafe { (vfmaq_f32(c.0, a.0, b.0), vfmaq_f32(c.1, a.1, b.1)) }
    }
    #[inline(always)]
    unsafe fn neg_mul_add(a: Pair, b: Pair, c: Pair) -> Pair {
        // SAFETY: see above.
        unsafe { (vfmsq_f32(c.0, a.0, b.0), vfmsq_f32(c.1, a.1, b.1)) }
    }
    #[inline(always)]
    unsafe fn select_greater(a: Pair, b: Pair, x: Pair, y: Pair) -> Pair {
        // SAFETY: see above.
        unsafe { (vbslq_f32(vcgtq_f32(a.0, b.0), x.0, y.0), vbslq_f32(vcgtq_f32(a.1, b.1), x.1, y.1)) }
    }
    #[inline(always)]
    unsafe fn load_bytes(from: *const u8) -> Pair {
        // SAFETY: see above.
        unsafe {
            let wide = vmovl_u8(vld1_u8(from));
            (vcvtq_f32_u32(vmovl_u16(vget_low_u16(wide))), vcvtq_f32_u32(vmovl_u16(vget_high_u16(wide))))
        }
    }
    #[inline(always)]
    unsafe fn store_bytes(to: *mut u8, v: Pair) {
        // SAFETY: see above.
        unsafe {
            let (low, high) = (vmovn_u32(vcvtq_u32_f32(v.0)), vmovn_u32(vcvtq_u32_f32(v.1)));
            vst1_u8(to, vmovn_u16(vcombine_u16(low, high)));
        }
    }
    #[inline(always)]
    unsafe fn load_halves(from: *const u8) -> Pair {
        // The architecture's own conversion is not among the stable functions.
        // SAFETY: see above; 8 lanes are those of the portable set.
        unsafe { Self::load(Portable::load_halves(from).as_ptr()) }
    }
    #[inline(always)]
    unsafe fn zip(a: Pair, b: Pair) -> [Pair; 2] {
        // SAFETY: see above.
        unsafe {
            let both = |a, b| (vzip1q_f32(a, b), vzip2q_f32(a, b));
            [both(a.0, b.0), both(a.1, b.1)]
        }
    }
}
