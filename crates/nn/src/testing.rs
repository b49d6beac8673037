//! What the tests of the layers share: numbers to feed them, gradients to hold them against.

/// `count` numbers in -1..1 that look random, the same for the same `seed`.
pub(crate) fn pseudo_random(seed: u64, count: usize) -> Vec<f32> {
    let mut unit = unit_source(seed);
    (0..count).map(|_| (2.0 * unit() - 1.0) as f32).collect()
}

/// A source of numbers in `[0, 1)` (SplitMix64).
pub(crate) fn unit_source(seed: u64) -> impl FnMut() -> f64 {
    let mut state = seed;
    move || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64
    }
}

/// Runs `work` on a pool of its own with that many threads.
pub(crate) fn with_threads<R: Send>(threads: usize, work: impl FnOnce() -> R + Send) -> R {
    rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(work)
}

/// The same numbers in double precision.
pub(crate) fn widen(values: &[f32]) -> Vec<f64> {
    values.iter().map(|&v| f64::from(v)).collect()
}

/// Holds `values` against double-precision `expected`, relative to the largest of them.
#[track_caller]
pub(crate) fn assert_close(what: &str, values: &[f32], expected: &[f64], tolerance: f64) {
    assert_eq!(values.len(), expected.len(), "{what}: number of values");
    let scale = expected.iter().fold(1e-3f64, |largest, v| largest.max(v.abs()));
    for (i, (&got, &want)) in values.iter().zip(expected).enumerate() {
        let off = (f64::from(got) - want).abs();
        assert!(off <= tolerance * scale, "{what}[{i}] is {got}, expected {want} (scale {scale})");
    }
}

/// Holds an analytic gradient against central differences of `loss`, a reference in double
/// precision, at `at`.
#[track_caller]
pub(crate) fn assert_gradient(what: &str, gradient: &[f32], at: &[f32], loss: impl Fn(&[f64]) -> f64) {
    const STEP: f64 = 1e-6;
    let mut point = widen(at);
    let numeric: Vec<f64> = (0..point.len())
        .map(|i| {
            let here = point[i];
            point[i] = here + STEP;
            let above = loss(&point);
            point[i] = here - STEP;
            let below = loss(&point);
            point[i] = here;
            (above - below) / (2.0 * STEP)
        })
        .collect();
    assert_close(what, gradient, &numeric, 2e-5);
}

/// Sum of products in double precision: turns a layer's output into a loss whose gradient in the
/// output is `weights`.
pub(crate) fn weighted_sum(values: &[f64], weights: &[f32]) -> f64 {
    values.iter().zip(weights).map(|(v, &w)| v * f64::from(w)).sum()
}
