use rayon::prelude::*;

use crate::Param;
use crate::reduce::dot;

/// A locally connected 1x1 layer with one output channel: each position has its own weights,
/// `y[n, p] = bias[p] + sum over c of x[n, p, c] weights[p, c]`.
///
/// Input `[batch, positions, channels]`, output `[batch, positions]`. The gradients for an output
/// gradient `dy` are `dweights[p, c] = sum over n of dy[n, p] x[n, p, c]`,
/// `dbias[p] = sum over n of dy[n, p]` and `dx[n, p, c] = dy[n, p] weights[p, c]`.
///
/// It is the `LocallyConnected2D(1, 1x1)` of Keras 2: unlike a convolution it can learn where in the
/// frame to look, and unlike a convolution it is bound to one image size.
#[derive(Clone, Debug)]
pub struct LocallyConnected {
    /// `[positions, channels]`.
    pub weights: Param,
    /// `[positions]`.
    pub bias: Param,
}

impl LocallyConnected {
    /// A layer called `name` with Glorot uniform weights, drawn from `unit` in `[0, 1)`, and zero
    /// bias.
    ///
    /// Keras takes the positions of the kernel `[positions, channels, 1]` for a receptive field, so
    /// its fans are `positions * channels` and `positions`, and the weights start `sqrt(positions)`
    /// times smaller than those of a 1x1 convolution. So do these.
    pub fn new(name: &str, positions: usize, channels: usize, unit: &mut dyn FnMut() -> f64) -> Self {
        let (shape, fans) = ([positions, channels], [positions * channels, positions]);
        Self {
            weights: Param::glorot_uniform(format!("{name}.weights"), &shape, fans, unit),
            bias: Param::filled(format!("{name}.bias"), &[positions], 0.0),
        }
    }

    /// Positions, height times width of the map.
    pub fn positions(&self) -> usize {
        self.weights.shape[0]
    }

    /// Channels of the input.
    pub fn channels(&self) -> usize {
        self.weights.shape[1]
    }

    /// Weights, then bias.
    pub fn params(&self) -> [&Param; 2] {
        [&self.weights, &self.bias]
    }

    /// Weights, then bias.
    pub fn params_mut(&mut self) -> [&mut Param; 2] {
        [&mut self.weights, &mut self.bias]
    }

    fn check(&self, input: &[f32], output: &[f32]) {
        let name = &self.weights.name;
        assert_eq!(output.len() % self.positions(), 0, "{name}: whole maps of output");
        assert_eq!(input.len(), output.len() * self.channels(), "{name}: channels of input");
    }

    /// Input `[batch, positions, channels]` to output `[batch, positions]`.
    ///
    /// # Panics
    /// When the lengths of input and output do not belong to one batch size.
    pub fn forward(&self, input: &[f32], output: &mut [f32]) {
        self.check(input, output);
        let (positions, channels) = (self.positions(), self.channels());
        let samples = input.par_chunks(positions * channels);
        output.par_chunks_mut(positions).zip(samples).for_each(|(output, sample)| {
            let rows = sample.chunks_exact(channels).zip(self.weights.value.chunks_exact(channels));
            for ((value, bias), (x, weights)) in output.iter_mut().zip(&self.bias.value).zip(rows) {
                *value = bias + dot(x, weights);
            }
        });
    }

    /// Sets the gradients of weights and bias for `grad_output` `[batch, positions]`, the gradient
    /// in the output, and the `input` of the forward pass.
    ///
    /// # Panics
    /// As [`forward`](Self::forward).
    pub fn backward_parameters(&mut self, input: &[f32], grad_output: &[f32]) {
        self.check(input, grad_output);
        let (positions, channels) = (self.positions(), self.channels());
        // A position's sums belong to one task: the samples are added in their order.
        let gradients = self.weights.grad.par_chunks_mut(channels).zip(&mut self.bias.grad);
        gradients.with_min_len(16).enumerate().for_each(|(p, (grad_weights, grad_bias))| {
            grad_weights.fill(0.0);
            *grad_bias = 0.0;
            for (sample, maps) in grad_output.chunks_exact(positions).enumerate() {
                let dy = maps[p];
                *grad_bias += dy;
                let x = &input[(sample * positions + p) * channels..][..channels];
                for (grad, x) in grad_weights.iter_mut().zip(x) {
                    *grad += dy * x;
                }
            }
        });
    }

    /// The gradient in the input, `[batch, positions, channels]`.
    ///
    /// # Panics
    /// As [`forward`](Self::forward).
    pub fn backward_input(&self, grad_output: &[f32], grad_input: &mut [f32]) {
        self.check(grad_input, grad_output);
        let (positions, channels) = (self.positions(), self.channels());
        let samples = grad_input.par_chunks_mut(positions * channels);
        samples.zip(grad_output.par_chunks(positions)).for_each(|(sample, maps)| {
            let rows = sample.chunks_exact_mut(channels).zip(self.weights.value.chunks_exact(channels));
            for ((dx, weights), dy) in rows.zip(maps) {
                for (dx, weight) in dx.iter_mut().zip(weights) {
                    *dx = dy * weight;
                }
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{assert_close, assert_gradient, pseudo_random, unit_source, weighted_sum, widen};

    fn reference(x: &[f64], weights: &[f64], bias: &[f64]) -> Vec<f64> {
        let (positions, channels) = (bias.len(), weights.len() / bias.len());
        let value = |(row, x): (usize, &[f64])| {
            let p = row % positions;
            bias[p] + x.iter().zip(&weights[p * channels..]).map(|(x, w)| x * w).sum::<f64>()
        };
        x.chunks_exact(channels).enumerate().map(value).collect()
    }

    #[test]
    fn forward_and_gradients_agree_with_double_precision() {
        let (batch, positions, channels) = (3, 6, 5);
        let mut layer = LocallyConnected::new("map", positions, channels, &mut unit_source(1));
        layer.weights.value = pseudo_random(5, positions * channels);
        layer.bias.value = pseudo_random(2, positions);
        let x = pseudo_random(3, batch * positions * channels);
        let dy = pseudo_random(4, batch * positions);
        let (w, b) = (layer.weights.value.clone(), layer.bias.value.clone());

        let mut y = vec![0.0; batch * positions];
        layer.forward(&x, &mut y);
        assert_close("output", &y, &reference(&widen(&x), &widen(&w), &widen(&b)), 1e-6);

        let mut dx = vec![0.0; x.len()];
        layer.backward_parameters(&x, &dy);
        layer.backward_input(&dy, &mut dx);
        let loss = |x: &[f64], w: &[f64], b: &[f64]| weighted_sum(&reference(x, w, b), &dy);
        assert_gradient("input", &dx, &x, |x| loss(x, &widen(&w), &widen(&b)));
        assert_gradient("weights", &layer.weights.grad, &w, |w| loss(&widen(&x), w, &widen(&b)));
        assert_gradient("bias", &layer.bias.grad, &b, |b| loss(&widen(&x), &widen(&w), b));
    }

    #[test]
    fn initial_weights_are_as_small_as_in_keras() {
        let layer = LocallyConnected::new("map", 225, 16, &mut unit_source(1));
        let limit = (6.0f32 / (225 * 17) as f32).sqrt();
        assert!(layer.weights.value.iter().all(|w| w.abs() <= limit));
        assert!(layer.weights.value.iter().any(|w| w.abs() > 0.95 * limit));
    }
}
