//! The few register operations that the convolution kernels are written in.
//!
//! A kernel is one generic function over [`Simd`]; each instruction set compiles it again inside a
//! function that carries the right `target_feature` (see `conv3x3::kernels`). No kernel is written twice.

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod portable;

#[cfg(target_arch = "x86_64")]
pub(crate) use avx2::Avx2;
#[cfg(target_arch = "x86_64")]
pub(crate) use avx512::Avx512;
pub(crate) use portable::Portable;

/// One register of f32 lanes.
///
/// # Safety
/// Every method needs the instruction set to be present; `load` and `store` need `LANES` floats at the
/// pointer. No alignment is asked for.
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
    unsafe fn max(a: Self::V, b: Self::V) -> Self::V;
    /// `a * b + c`
    unsafe fn mul_add(a: Self::V, b: Self::V, c: Self::V) -> Self::V;
    /// `c - a * b`
    unsafe fn neg_mul_add(a: Self::V, b: Self::V, c: Self::V) -> Self::V;
}

/// Which instructions the kernels use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Isa {
    /// 16 lanes with fused multiply-add.
    Avx512,
    /// 8 lanes with fused multiply-add.
    Avx2,
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
            if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
                sets.push(Isa::Avx2);
            }
        }
        sets.push(Isa::Portable);
        sets
    }

    /// The set that `NN_ISA` names (`avx512`, `avx2`, `portable`) if the processor has it, else the best.
    pub fn detect() -> Isa {
        let available = Isa::available();
        let wish = std::env::var("NN_ISA").unwrap_or_default();
        available.iter().copied().find(|isa| isa.as_str() == wish).unwrap_or(available[0])
    }

    /// The word that `NN_ISA` takes.
    pub fn as_str(self) -> &'static str {
        match self {
            Isa::Avx512 => "avx512",
            Isa::Avx2 => "avx2",
            Isa::Portable => "portable",
        }
    }
}
