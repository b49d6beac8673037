/// Inverted dropout (Srivastava et al., 2014): in training each number is set to 0 with probability
/// `rate` and multiplied by `1 / (1 - rate)` otherwise, so that its expectation stays what it is in
/// use, where nothing is dropped.
///
/// The mask is drawn first and applied with [`Dropout::apply`] to the values on the way forward and
/// to their gradients on the way back.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Dropout {
    rate: f32,
}

impl Dropout {
    /// Dropout of the share `rate`.
    ///
    /// # Panics
    /// Unless `0 <= rate < 1`.
    pub fn new(rate: f32) -> Self {
        assert!((0.0..1.0).contains(&rate), "dropout rate {rate} in 0..1");
        Self { rate }
    }

    /// Fills `mask` with 0 and `1 / (1 - rate)`. `unit` draws uniformly from `[0, 1)`, once a number
    /// in order, and not at all when the rate is 0.
    pub fn draw(&self, mask: &mut [f32], unit: &mut dyn FnMut() -> f64) {
        if self.rate == 0.0 {
            mask.fill(1.0);
            return;
        }
        let keep = 1.0 / (1.0 - self.rate);
        for factor in mask {
            *factor = if unit() < f64::from(self.rate) { 0.0 } else { keep };
        }
    }

    /// Multiplies each number by its factor in `mask`.
    ///
    /// # Panics
    /// When the two slices differ in length.
    pub fn apply(mask: &[f32], values: &mut [f32]) {
        assert_eq!(mask.len(), values.len(), "one factor of the dropout mask a value");
        for (value, factor) in values.iter_mut().zip(mask) {
            *value *= factor;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::unit_source;

    #[test]
    fn masks_drop_their_share_and_keep_the_expectation() {
        let mut mask = vec![f32::NAN; 40_000];
        Dropout::new(0.25).draw(&mut mask, &mut unit_source(3));
        let dropped = mask.iter().filter(|&&m| m == 0.0).count() as f64 / mask.len() as f64;
        assert!((dropped - 0.25).abs() < 0.01, "{dropped}");
        assert!(mask.iter().all(|&m| m == 0.0 || (m - 4.0 / 3.0).abs() < 1e-6));
        let mut values = vec![2.0; mask.len()];
        Dropout::apply(&mask, &mut values);
        let mean = values.iter().map(|&v| f64::from(v)).sum::<f64>() / values.len() as f64;
        assert!((mean - 2.0).abs() < 0.03, "{mean}");
    }

    #[test]
    fn a_rate_of_zero_draws_nothing() {
        let mut mask = [0.0; 3];
        Dropout::new(0.0).draw(&mut mask, &mut || unreachable!("no draw at rate 0"));
        assert_eq!(mask, [1.0; 3]);
    }
}
