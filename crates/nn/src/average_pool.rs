use rayon::prelude::*;

/// Global average pooling: `pooled[n, c] = mean over p of features[n, p, c]`.
///
/// Features `[batch, positions, channels]`, output `[batch, channels]`; the gradient is
/// `dfeatures[n, p, c] = dpooled[n, c] / positions`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AveragePool {
    /// Channels of the features.
    pub channels: usize,
    /// Positions that are averaged.
    pub positions: usize,
}

impl AveragePool {
    fn check(&self, features: &[f32], pooled: &[f32]) {
        assert_eq!(pooled.len() % self.channels, 0, "whole rows of {} channels", self.channels);
        assert_eq!(features.len(), pooled.len() * self.positions, "positions of each average");
    }

    /// Features `[batch, positions, channels]` to `[batch, channels]`.
    ///
    /// # Panics
    /// When the lengths do not belong to one batch size.
    pub fn forward(&self, features: &[f32], pooled: &mut [f32]) {
        self.check(features, pooled);
        let samples = features.par_chunks(self.positions * self.channels);
        pooled.par_chunks_mut(self.channels).zip(samples).for_each(|(pooled, features)| {
            pooled.fill(0.0);
            for row in features.chunks_exact(self.channels) {
                pooled.iter_mut().zip(row).for_each(|(sum, x)| *sum += x);
            }
            pooled.iter_mut().for_each(|sum| *sum /= self.positions as f32);
        });
    }

    /// The gradient in the features, `[batch, positions, channels]`.
    ///
    /// # Panics
    /// As [`forward`](Self::forward).
    pub fn backward(&self, grad: &[f32], grad_features: &mut [f32]) {
        self.check(grad_features, grad);
        let samples = grad_features.par_chunks_mut(self.positions * self.channels);
        samples.zip(grad.par_chunks(self.channels)).for_each(|(grad_features, grad)| {
            for row in grad_features.chunks_exact_mut(self.channels) {
                row.iter_mut().zip(grad).for_each(|(out, g)| *out = g / self.positions as f32);
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{assert_close, assert_gradient, pseudo_random, weighted_sum, widen};

    #[test]
    fn forward_and_gradient_agree_with_double_precision() {
        let layer = AveragePool { channels: 3, positions: 4 };
        let x = pseudo_random(1, 2 * 12);
        let grad = pseudo_random(2, 2 * 3);
        let reference = |x: &[f64]| -> Vec<f64> {
            let sample = |x: &[f64]| -> Vec<f64> {
                (0..3).map(|c| x.iter().skip(c).step_by(3).sum::<f64>() / 4.0).collect()
            };
            x.chunks_exact(12).flat_map(sample).collect()
        };
        let (mut pooled, mut dx) = (vec![0.0; 6], vec![f32::NAN; 24]);
        layer.forward(&x, &mut pooled);
        layer.backward(&grad, &mut dx);
        assert_close("pooled", &pooled, &reference(&widen(&x)), 1e-6);
        assert_gradient("features", &dx, &x, |x| weighted_sum(&reference(x), &grad));
    }
}
