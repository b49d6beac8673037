use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use sha2::{Digest as _, Sha256};

/// A named stream of random numbers: `stream(seed, &["augment", "1377", "view 2"])`.
///
/// The same seed and names give the same numbers on every machine, whatever else was drawn before
/// and however many threads run.
pub fn stream(seed: u64, names: &[&str]) -> Stream {
    let mut hash = Sha256::new();
    hash.update(seed.to_le_bytes());
    for name in names {
        hash.update((name.len() as u64).to_le_bytes());
        hash.update(name.as_bytes());
    }
    Stream(ChaCha8Rng::from_seed(hash.finalize().into()))
}

/// A stream of random numbers; see [`stream`].
pub struct Stream(ChaCha8Rng);

impl Stream {
    /// Uniform 64 bits.
    pub fn bits(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// Uniform in `[0, 1)`.
    pub fn unit(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Uniform in `[low, high)`.
    pub fn uniform(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.unit()
    }

    /// A whole number in `0..n`, `n > 0`.
    pub fn below(&mut self, n: usize) -> usize {
        // The bias of the 128-bit product is below n / 2^64.
        ((u128::from(self.bits()) * n as u128) >> 64) as usize
    }

    /// Standard normal, by Box and Muller.
    pub fn normal(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - self.unit()).ln()).sqrt();
        radius * (std::f64::consts::TAU * self.unit()).cos()
    }

    /// Shuffles in place (Fisher and Yates).
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for i in (1..items.len()).rev() {
            items.swap(i, self.below(i + 1));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_depends_on_seed_and_names_alone() {
        let draw = |seed, names: &[&str]| stream(seed, names).bits();
        assert_eq!(draw(1, &["a", "b"]), draw(1, &["a", "b"]));
        assert_ne!(draw(1, &["a", "b"]), draw(1, &["ab"]));
        assert_ne!(draw(1, &["a"]), draw(2, &["a"]));
    }

    #[test]
    fn draws_lie_in_their_ranges_and_shuffles_keep_the_items() {
        let mut random = stream(7, &["test"]);
        for _ in 0..1000 {
            assert!(random.below(3) < 3);
            let u = random.uniform(-2.0, 5.0);
            assert!((-2.0..5.0).contains(&u));
        }
        let mut items: Vec<u32> = (0..50).collect();
        random.shuffle(&mut items);
        assert_ne!(items, (0..50).collect::<Vec<_>>());
        items.sort_unstable();
        assert_eq!(items, (0..50).collect::<Vec<_>>());
    }
}
