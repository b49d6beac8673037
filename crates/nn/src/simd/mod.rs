//! The few register operations that the convolution kernels are written in.
//!
//! A kernel is a [`Job`], written once over [`Simd`]; [`Isa::run`] compiles it again for each instruction
//! set, inside a function that carries the right `target_feature`. No kernel is written twice.

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
#[cfg(target_arch = "aarch64")]
mod neon;
mod portable;
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
mod wasm128;

#[cfg(target_arch = "x86_64")]
pub(crate) use avx2::Avx2;
#[cfg(target_arch = "x86_64")]
pub(crate) use avx512::Avx512;
#[cfg(target_arch = "aarch64")]
pub(crate) use neon::Neon;
pub(crate) use portable::Portable;
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
pub(crate) use wasm128::Wasm128;

/// One register of f32 lanes.
///
/// # Safety
/// Every method needs the instruction set to be present; `load` and `store` need `LANES` floats at the
/// pointer, `load_bytes` and `store_bytes` as many bytes, `load_halves`
/// twice as many. No alignment is asked for.
pub(crate) trait Simd: Copy + 'static {
    /// Floats in a register: 8 or 16.
    const LANES: usize;
    /// Tiles in the register block of the matrix kernel: with two registers of output channels each
    /// they must leave room for two weights and one input.
    const TILE_ROWS: usize;
    /// A register.
    type V: Copy;

    unsafe fn splat(x: f32) -> Self::V;
    unsafe fn load(from: *const f32) -> Self::V;
    unsafe fn store(to: *mut f32, v: Self::V);
    unsafe fn add(a: Self::V, b: Self::V) -> Self::V;
    unsafe fn sub(a: Self::V, b: Self::V) -> Self::V;
    unsafe fn mul(a: Self::V, b: Self::V) -> Self::V;
    /// The larger one; `b` where they are equal, and where `a` is not a number.
    unsafe fn max(a: Self::V, b: Self::V) -> Self::V;
    /// `a * b + c`
    unsafe fn mul_add(a: Self::V, b: Self::V, c: Self::V) -> Self::V;
    /// `c - a * b`
    unsafe fn neg_mul_add(a: Self::V, b: Self::V, c: Self::V) -> Self::V;
    /// `x` where `a > b`, else `y`.
    unsafe fn select_greater(a: Self::V, b: Self::V, x: Self::V, y: Self::V) -> Self::V;
    /// Small whole numbers from a byte each.
    unsafe fn load_bytes(from: *const u8) -> Self::V;
    /// Whole numbers 0..=255 to a byte each.
    unsafe fn store_bytes(to: *mut u8, v: Self::V);
    /// Little-endian f16, two bytes each.
    unsafe fn load_halves(from: *const u8) -> Self::V;
    /// The lanes of both in turn, `a0 b0 a1 b1 ...`: the first half of them, then the second.
    unsafe fn zip(a: Self::V, b: Self::V) -> [Self::V; 2];
    /// Asks for a cache line that will be read soon; any address will do, and no memory is touched.
    #[inline(always)]
    fn prefetch(_from: *const f32) {}
    /// The same for one that will be read later: into the second cache, so that the first keeps its lines.
    #[inline(always)]
    fn prefetch_far(_from: *const f32) {}
}

/// A kernel with its arguments.
pub(crate) trait Job {
    /// Does it with the registers of `S`.
    ///
    /// # Safety
    /// The instruction set of `S` is present, and what the job says of its pointers is true.
    unsafe fn run<S: Simd>(&mut self);
}

/// Which instructions the kernels use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Isa {
    /// 16 lanes with fused multiply-add.
    Avx512,
    /// 8 lanes with fused multiply-add.
    Avx2,
    /// 8 lanes in two registers with fused multiply-add, on 64-bit Arm; not verified on hardware.
    Neon,
    /// 8 lanes in two registers, in WebAssembly built with `simd128`; not verified on hardware.
    Wasm128,
    /// Plain Rust that every processor runs.
    Portable,
}

impl Isa {
    /// Every set that this processor has, best first.
    pub fn available() -> Vec<Isa> {
        let mut sets = Vec::new();
        #[cfg(target_arch = "x86_64")]
        {
            if is_x86_feature_detected!("avx512f") {
                sets.push(Isa::Avx512);
            }
            // The conversion from f16 came before AVX2 and is told apart from it all the same.
            let parts = [
                is_x86_feature_detected!("avx2"),
                is_x86_feature_detected!("fma"),
                is_x86_feature_detected!("f16c"),
            ];
            if parts == [true; 3] {
                sets.push(Isa::Avx2);
            }
        }
        #[cfg(target_arch = "aarch64")]
        sets.push(Isa::Neon); // part of the architecture
        #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
        sets.push(Isa::Wasm128); // a module that has it does not load elsewhere
        sets.push(Isa::Portable);
        sets
    }

    /// The set that `NN_ISA` names (`avx512`, `avx2`, `neon`, `wasm128`, `portable`) if the processor has it, else the best.
    pub fn detect() -> Isa {
        let available = Isa::available();
        let wish = std::env::var("NN_ISA").unwrap_or_default();
        available.iter().copied().find(|isa| isa.as_str() == wish).unwrap_or(available[0])
    }

    /// Does `job` with this instruction set.
    ///
    /// # Safety
    /// The set is among [`Isa::available`], and what the job says of its pointers is true.
    pub(crate) unsafe fn run(self, job: &mut impl Job) {
        // SAFETY: the caller's promise.
        unsafe {
            match self {
                #[cfg(target_arch = "x86_64")]
                Isa::Avx512 => on_avx512(job),
                #[cfg(target_arch = "x86_64")]
                Isa::Avx2 => on_avx2(job),
                #[cfg(target_arch = "aarch64")]
                Isa::Neon => job.run::<Neon>(),
                #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
                Isa::Wasm128 => job.run::<Wasm128>(),
                _ => job.run::<Portable>(),
            }
        }
    }

    /// Output channels of a matrix product: two registers.
    pub(crate) fn panel(self) -> usize {
        match self {
            Isa::Avx512 => 32,
            _ => 16,
        }
    }

    /// Panics unless this processor has the set: running its instructions would be undefined.
    pub(crate) fn assert_available(self) {
        assert!(Isa::available().contains(&self), "this processor has no {}", self.as_str());
    }

    /// The word that `NN_ISA` takes.
    pub fn as_str(self) -> &'static str {
        match self {
            Isa::Avx512 => "avx512",
            Isa::Avx2 => "avx2",
            Isa::Neon => "neon",
            Isa::Wasm128 => "wasm128",
            Isa::Portable => "portable",
        }
    }
}

/// # Safety
/// AVX-512 is present; and the job's own conditions.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f")]
unsafe fn on_avx512(job: &mut impl Job) {
    // SAFETY: the caller's promise.
    unsafe { job.run::<Avx512>() }
}

/// # Safety
/// AVX2, FMA and F16C are present; and the job's own conditions.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma,f16c")]
unsafe fn on_avx2(job: &mut impl Job) {
    // SAFETY: the caller's promise.
    unsafe { job.run::<Avx2>() }
}
