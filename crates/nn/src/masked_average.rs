use rayon::prelude::*;

use crate::reduce::dot;

/// The smallest divisor. A map that is 0 everywhere (the sigmoid can underflow) then gives 0
/// instead of 0 / 0.
const LEAST_WEIGHT: f32 = 1e-30;

/// Average of each channel over the positions, weighted by a map:
/// `pooled[n, c] = sum over p of features[n, p, c] map[n, p] / d[n]`.
///
/// With `rescale` the divisor `d[n]` is the map's own sum ("RescaleGAP": global average pooling of
/// the masked features divided by that of the map), without it the number of positions.
///
/// Features `[batch, positions, channels]`, map `[batch, positions]`, output `[batch, channels]`.
/// For an output gradient `g`: `dfeatures[n, p, c] = map[n, p] g[n, c] / d[n]`, and
/// `dmap[n, p] = sum over c of g[n, c] (features[n, p, c] - pooled[n, c]) / d[n]`, where the term of
/// `pooled` falls away without `rescale`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MaskedAverage {
    /// Channels of the features.
    pub channels: usize,
    /// Positions of the map.
    pub positions: usize,
    /// Divide by the map's sum instead of the number of positions.
    pub rescale: bool,
}

impl MaskedAverage {
    fn check(&self, features: &[f32], map: &[f32], pooled: &[f32]) {
        let batch = map.len() / self.positions;
        assert_eq!(map.len(), batch * self.positions, "whole maps of {} positions", self.positions);
        assert_eq!(features.len(), map.len() * self.channels, "features under a map");
        assert_eq!(pooled.len(), batch * self.channels, "one average a channel and sample");
    }

    fn divisor(&self, map: &[f32]) -> f32 {
        if self.rescale { map.iter().sum::<f32>().max(LEAST_WEIGHT) } else { self.positions as f32 }
    }

    /// Features `[batch, positions, channels]` and map `[batch, positions]` to `[batch, channels]`.
    ///
    /// # Panics
    /// When the lengths do not belong to one batch size.
    pub fn forward(&self, features: &[f32], map: &[f32], pooled: &mut [f32]) {
        self.check(features, map, pooled);
        let samples = features.par_chunks(self.positions * self.channels).zip(map.par_chunks(self.positions));
        pooled.par_chunks_mut(self.channels).zip(samples).for_each(|(pooled, (features, map))| {
            let divisor = self.divisor(map);
            pooled.fill(0.0);
            for (row, &weight) in features.chunks_exact(self.channels).zip(map) {
                for (sum, x) in pooled.iter_mut().zip(row) {
                    *sum += weight * x;
                }
            }
            pooled.iter_mut().for_each(|sum| *sum /= divisor);
        });
    }

    /// The sum of the weights with which each sample is averaged, `[batch]`: 1 with `rescale`, the
    /// mean of the map without. What a number added to all features adds to the average.
    pub fn coverage(&self, map: &[f32]) -> Vec<f32> {
        map.chunks_exact(self.positions).map(|map| map.iter().sum::<f32>() / self.divisor(map)).collect()
    }

    /// Adds the gradient through [`coverage`](Self::coverage) to `grad_map` `[batch, positions]`, for
    /// `grad` `[batch]`. With `rescale` there is none.
    pub fn add_backward_coverage(&self, grad: &[f32], grad_map: &mut [f32]) {
        if self.rescale {
            return;
        }
        for (grad_map, grad) in grad_map.chunks_exact_mut(self.positions).zip(grad) {
            grad_map.iter_mut().for_each(|out| *out += grad / self.positions as f32);
        }
    }

    /// The gradient in the map, `[batch, positions]`, for `grad` `[batch, channels]`, the gradient in
    /// the `pooled` output of the forward pass.
    ///
    /// # Panics
    /// As [`forward`](Self::forward).
    pub fn backward_map(
        &self,
        features: &[f32],
        map: &[f32],
        pooled: &[f32],
        grad: &[f32],
        grad_map: &mut [f32],
    ) {
        self.check(features, map, pooled);
        self.check(features, grad_map, grad);
        let samples = features.par_chunks(self.positions * self.channels).zip(map.par_chunks(self.positions));
        let averages = pooled.par_chunks(self.channels).zip(grad.par_chunks(self.channels));
        let work = grad_map.par_chunks_mut(self.positions).zip(samples).zip(averages);
        work.for_each(|((grad_map, (features, map)), (pooled, grad))| {
            let divisor = self.divisor(map);
            let common = if self.rescale { dot(grad, pooled) } else { 0.0 };
            for (out, row) in grad_map.iter_mut().zip(features.chunks_exact(self.channels)) {
                *out = (dot(grad, row) - common) / divisor;
            }
        });
    }

    /// Adds the gradient in the features, `[batch, positions, channels]`, to what `grad_features`
    /// holds: the features also reach the loss through the map that was made from them.
    ///
    /// # Panics
    /// As [`forward`](Self::forward).
    pub fn add_backward_features(&self, map: &[f32], grad: &[f32], grad_features: &mut [f32]) {
        self.check(grad_features, map, grad);
        let samples = map.par_chunks(self.positions).zip(grad.par_chunks(self.channels));
        let work = grad_features.par_chunks_mut(self.positions * self.channels).zip(samples);
        work.for_each(|(grad_features, (map, grad))| {
            let divisor = self.divisor(map);
            for (row, weight) in grad_features.chunks_exact_mut(self.channels).zip(map) {
                let weight = weight / divisor;
                for (out, g) in row.iter_mut().zip(grad) {
                    *out += weight * g;
                }
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{assert_close, assert_gradient, pseudo_random, weighted_sum, widen};

    fn reference(layer: MaskedAverage, features: &[f64], map: &[f64]) -> Vec<f64> {
        let mut pooled = Vec::new();
        let samples = features.chunks_exact(layer.positions * layer.channels);
        for (features, map) in samples.zip(map.chunks_exact(layer.positions)) {
            let divisor = if layer.rescale { map.iter().sum::<f64>() } else { layer.positions as f64 };
            for c in 0..layer.channels {
                let column = features.iter().skip(c).step_by(layer.channels);
                pooled.push(column.zip(map).map(|(x, w)| x * w).sum::<f64>() / divisor);
            }
        }
        pooled
    }

    #[test]
    fn forward_and_gradients_agree_with_double_precision() {
        let (batch, positions, channels) = (3, 5, 4);
        let x = pseudo_random(1, batch * positions * channels);
        let map: Vec<f32> = pseudo_random(2, batch * positions).iter().map(|m| 0.5 + 0.4 * m).collect();
        let grad = pseudo_random(3, batch * channels);
        for rescale in [true, false] {
            let layer = MaskedAverage { channels, positions, rescale };
            let mut pooled = vec![0.0; batch * channels];
            layer.forward(&x, &map, &mut pooled);
            assert_close("pooled", &pooled, &reference(layer, &widen(&x), &widen(&map)), 1e-6);

            let (mut dx, mut dmap) = (vec![0.0; x.len()], vec![0.0; map.len()]);
            layer.backward_map(&x, &map, &pooled, &grad, &mut dmap);
            layer.add_backward_features(&map, &grad, &mut dx);
            let loss = |x: &[f64], map: &[f64]| weighted_sum(&reference(layer, x, map), &grad);
            assert_gradient("features", &dx, &x, |x| loss(x, &widen(&map)));
            assert_gradient("map", &dmap, &map, |map| loss(&widen(&x), map));
        }
    }

    #[test]
    fn coverage_is_what_a_constant_adds() {
        let map: Vec<f32> = pseudo_random(2, 10).iter().map(|m| 0.5 + 0.4 * m).collect();
        let grad = pseudo_random(3, 2);
        for rescale in [true, false] {
            let layer = MaskedAverage { channels: 1, positions: 5, rescale };
            let ones = vec![1.0; 10];
            let expected = reference(layer, &widen(&ones), &widen(&map));
            assert_close("coverage", &layer.coverage(&map), &expected, 1e-6);
            let mut grad_map = vec![0.0; 10];
            layer.add_backward_coverage(&grad, &mut grad_map);
            let loss = |map: &[f64]| weighted_sum(&reference(layer, &widen(&ones), map), &grad);
            assert_gradient("map", &grad_map, &map, loss);
        }
    }

    #[test]
    fn an_even_map_gives_the_plain_average_and_an_empty_one_gives_zero() {
        let layer = MaskedAverage { channels: 2, positions: 2, rescale: true };
        let mut pooled = [f32::NAN; 2];
        layer.forward(&[1.0, 2.0, 3.0, 6.0], &[0.3, 0.3], &mut pooled);
        assert_eq!(pooled, [2.0, 4.0]);
        layer.forward(&[1.0, 2.0, 3.0, 6.0], &[0.0, 0.0], &mut pooled);
        assert_eq!(pooled, [0.0, 0.0]);
    }
}
