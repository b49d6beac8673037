//! What this machine can do at most: multiply-adds a second and bytes a second, measured now.

use rayon::prelude::*;
use std::hint::black_box;
use std::time::Instant;

/// Independent sums, enough to hide the latency of two multiply-add units.
const CHAINS: usize = 12;
const ROUNDS: usize = 4_000_000;
const REPEATS: usize = 7;

/// Floats of the arrays that are streamed: far more than any cache holds.
const STREAMED: usize = 48 << 20;

/// `GFLOP/s of one core, of all, for each instruction set; GB/s read and copied`, as `key=value` words.
pub(crate) fn measure() -> String {
    let mut words = Vec::new();
    for (name, lanes, kernel) in kernels() {
        let work = (ROUNDS * CHAINS * lanes * 2) as f64;
        let threads = rayon::current_num_threads();
        let one = best(|| kernel(ROUNDS));
        let all = best(|| (0..threads).into_par_iter().for_each(|_| kernel(ROUNDS)));
        words.push(format!("{name}_one={:.1}", work / one / 1e9));
        words.push(format!("{name}_all={:.1}", work * threads as f64 / all / 1e9));
    }
    let (from, mut to) = (vec![1.0f32; STREAMED], vec![0.0f32; STREAMED]);
    let bytes = (STREAMED * size_of::<f32>()) as f64;
    let piece = STREAMED / rayon::current_num_threads() / 4;
    let read = best(|| {
        // Whole registers of whole numbers: an order of additions that the compiler may choose.
        let sum = |part: &[f32]| part.iter().fold(0u32, |sum, value| sum.wrapping_add(value.to_bits()));
        black_box(from.par_chunks(piece).map(sum).reduce(|| 0, u32::wrapping_add));
    });
    let copy = best(|| {
        let pieces = to.par_chunks_mut(piece).zip(from.par_chunks(piece));
        pieces.for_each(|(to, from)| to.copy_from_slice(from));
        black_box(&to);
    });
    words.push(format!("read={:.1}", bytes / read / 1e9));
    words.push(format!("copy={:.1}", 2.0 * bytes / copy / 1e9));
    words.join(" ")
}

/// The shortest of several runs, in seconds: a limit is what was reached once.
fn best(mut run: impl FnMut()) -> f64 {
    let seconds = |_| {
        let start = Instant::now();
        run();
        start.elapsed().as_secs_f64()
    };
    (0..REPEATS).map(seconds).fold(f64::INFINITY, f64::min)
}

/// Name, lanes, and a function that does that many rounds of `CHAINS` independent multiply-adds.
type Kernel = (&'static str, usize, fn(usize));

#[cfg(target_arch = "x86_64")]
fn kernels() -> Vec<Kernel> {
    let mut kernels: Vec<Kernel> = Vec::new();
    if is_x86_feature_detected!("avx512f") {
        // SAFETY: the processor has AVX-512.
        kernels.push(("avx512", 16, |rounds| unsafe { x86::avx512(rounds) }));
    }
    if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
        // SAFETY: the processor has AVX2 and FMA.
        kernels.push(("avx2", 8, |rounds| unsafe { x86::avx2(rounds) }));
    }
    kernels
}

#[cfg(not(target_arch = "x86_64"))]
fn kernels() -> Vec<Kernel> {
    vec![("scalar", 1, |rounds| {
        let mut sums = [1.0f32; CHAINS];
        for _ in 0..rounds {
            sums = sums.map(|sum| sum.mul_add(black_box(1.0), 1e-9));
        }
        black_box(sums);
    })]
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use super::CHAINS;
    use std::arch::x86_64::*;
    use std::hint::black_box;

    #[target_feature(enable = "avx512f")]
    pub(super) fn avx512(rounds: usize) {
        let (factor, term) = (_mm512_set1_ps(black_box(0.999)), _mm512_set1_ps(black_box(0.001)));
        let mut sums = [_mm512_setzero_ps(); CHAINS];
        for _ in 0..rounds {
            for sum in &mut sums {
                *sum = _mm512_fmadd_ps(*sum, factor, term);
            }
        }
        black_box(sums);
    }

    #[target_feature(enable = "avx2,fma")]
    pub(super) fn avx2(rounds: usize) {
        let (factor, term) = (_mm256_set1_ps(black_box(0.999)), _mm256_set1_ps(black_box(0.001)));
        let mut sums = [_mm256_setzero_ps(); CHAINS];
        for _ in 0..rounds {
            for sum in &mut sums {
                *sum = _mm256_fmadd_ps(*sum, factor, term);
            }
        }
        black_box(sums);
    }
}
