use super::Simd;
use half::f16;

/// 8 lanes of plain Rust, which the compiler maps onto whatever registers there are.
#[derive(Clone, Copy)]
pub(crate) struct Portable;

type Lanes = [f32; 8];

#[inline(always)]
fn each(a: Lanes, b: Lanes, f: impl Fn(f32, f32) -> f32) -> Lanes {
    std::array::from_fn(|i| f(a[i], b[i]))
}

// Multiplication and addition are rounded apart: a fused one is a slow library call where the
// processor has none.
impl Simd for Portable {
    const LANES: usize = 8;
    const TILE_ROWS: usize = 4;
    type V = Lanes;

    #[inline(always)]
    unsafe fn splat(x: f32) -> Lanes {
        [x; 8]
    }
    #[inline(always)]
    unsafe fn load(from: *const f32) -> Lanes {
        // SAFETY: the trait asks the caller for 8 floats at the pointer.
        unsafe { from.cast::<Lanes>().read_unaligned() }
    }
    #[inline(always)]
    unsafe fn store(to: *mut f32, v: Lanes) {
        // SAFETY: as in `load`.
        unsafe { to.cast::<Lanes>().write_unaligned(v) }
    }
    #[inline(always)]
    unsafe fn add(a: Lanes, b: Lanes) -> Lanes {
        each(a, b, |a, b| a + b)
    }
    #[inline(always)]
    unsafe fn sub(a: Lanes, b: Lanes) -> Lanes {
        each(a, b, |a, b| a - b)
    }
    #[inline(always)]
    unsafe fn mul(a: Lanes, b: Lanes) -> Lanes {
        each(a, b, |a, b| a * b)
    }
    #[inline(always)]
    unsafe fn max(a: Lanes, b: Lanes) -> Lanes {
        each(a, b, |a, b| if a > b { a } else { b })
    }
    #[inline(always)]
    unsafe fn mul_add(a: Lanes, b: Lanes, c: Lanes) -> Lanes {
        std::array::from_fn(|i| a[i] * b[i] + c[i])
    }
    #[inline(always)]
    unsafe fn neg_mul_add(a: Lanes, b: Lanes, c: Lanes) -> Lanes {
        std::array::from_fn(|i| c[i] - a[i] * b[i])
    }
    #[inline(always)]
    unsafe fn select_greater(a: Lanes, b: Lanes, x: Lanes, y: Lanes) -> Lanes {
        std::array::from_fn(|i| if a[i] > b[i] { x[i] } else { y[i] })
    }
    #[inline(always)]
    unsafe fn load_bytes(from: *const u8) -> Lanes {
        // SAFETY: the trait asks the caller for 8 bytes at the pointer.
        unsafe { from.cast::<[u8; 8]>().read().map(f32::from) }
    }
    #[inline(always)]
    unsafe fn store_bytes(to: *mut u8, v: Lanes) {
        // SAFETY: as in `load_bytes`.
        unsafe { to.cast::<[u8; 8]>().write(v.map(|x| x as u8)) }
    }
    #[inline(always)]
    unsafe fn load_halves(from: *const u8) -> Lanes {
        // SAFETY: the trait asks the caller for 8 pairs of bytes at the pointer.
        unsafe { from.cast::<[[u8; 2]; 8]>().read().map(|pair| f16::from_le_bytes(pair).to_f32_const()) }
    }
    #[inline(always)]
    unsafe fn zip(a: Lanes, b: Lanes) -> [Lanes; 2] {
        let lanes = |first| std::array::from_fn(|i| [a, b][i % 2][first + i / 2]);
        [lanes(0), lanes(4)]
    }
}
