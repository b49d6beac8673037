use crate::dense::row_chunk;
use crate::{Dense, Param};
use rayon::prelude::*;

/// A scale and a shift a channel, `y[r, c] = scale[c] x[r, c] + shift[c]`: what a
/// [`BatchNorm`](crate::BatchNorm) amounts to once its statistics stand.
///
/// Where the input is frozen, large, and only linear layers follow, it need never be applied to the
/// input: it is folded into the layers instead, and the gradients come back out of theirs. That
/// saves every pass over the normalised array and the product that would give its gradient.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ChannelAffine {
    /// `[channels]`.
    pub scale: Vec<f32>,
    /// `[channels]`.
    pub shift: Vec<f32>,
}

impl ChannelAffine {
    /// The dense layer that gives for `x` what `layer` gives for `scale x + shift`: weights
    /// `scale[i] weights[i, o]`, bias `bias[o] + sum over i of shift[i] weights[i, o]`.
    ///
    /// # Panics
    /// When the layer has another number of inputs than this has channels.
    pub fn folded_into(&self, layer: &Dense) -> Dense {
        assert_eq!(self.scale.len(), layer.inputs(), "{}: channels folded into it", layer.weights.name);
        let mut folded = layer.clone();
        let rows = folded.weights.value.chunks_exact_mut(layer.outputs());
        for ((row, scale), shift) in rows.zip(&self.scale).zip(&self.shift) {
            for (weight, bias) in row.iter_mut().zip(&mut folded.bias.value) {
                *bias += shift * *weight;
                *weight *= scale;
            }
        }
        folded
    }

    /// Carries the gradients of a `folded` layer back: sets those of `layer`, which it was made from,
    /// and adds its part of the gradient in scale and shift to `grad`.
    ///
    /// # Panics
    /// As [`folded_into`](Self::folded_into).
    pub fn backward_folded(&self, folded: &Dense, layer: &mut Dense, grad: &mut Self) {
        assert_eq!(self.scale.len(), layer.inputs(), "{}: channels folded into it", layer.weights.name);
        let outputs = layer.outputs();
        layer.bias.grad.copy_from_slice(&folded.bias.grad);
        let Dense { weights: Param { value, grad: grad_weights, .. }, bias } = layer;
        let rows = value.chunks_exact(outputs).zip(grad_weights.chunks_exact_mut(outputs));
        for (c, ((weights, grad_weights), folded)) in
            rows.zip(folded.weights.grad.chunks_exact(outputs)).enumerate()
        {
            let (mut scale, mut shift) = (0.0, 0.0);
            for o in 0..outputs {
                grad_weights[o] = self.scale[c] * folded[o] + self.shift[c] * bias.grad[o];
                scale += weights[o] * folded[o];
                shift += weights[o] * bias.grad[o];
            }
            grad.scale[c] += scale;
            grad.shift[c] += shift;
        }
    }

    /// Adds what it makes of `x` to `sum`, both `[rows, channels]`: `sum[r, c] += scale[c] x[r, c] + shift[c]`.
    ///
    /// # Panics
    /// Unless both have the same whole number of rows.
    pub fn add_to(&self, x: &[f32], sum: &mut [f32]) {
        let channels = self.scale.len();
        assert_eq!(x.len(), sum.len(), "as many rows in as out");
        assert_eq!(x.len() % channels, 0, "rows of {channels} channels");
        let chunk = channels * row_chunk(channels);
        sum.par_chunks_mut(chunk).zip(x.par_chunks(chunk)).for_each(|(sum, x)| {
            for (sum, x) in sum.chunks_exact_mut(channels).zip(x.chunks_exact(channels)) {
                let numbers = x.iter().zip(&self.scale).zip(&self.shift);
                sum.iter_mut().zip(numbers).for_each(|(sum, ((x, scale), shift))| *sum += scale * x + shift);
            }
        });
    }

    /// Applies it to averages: `y[r, c] = scale[c] x[r, c] + coverage[r] shift[c]`, where `coverage`
    /// `[rows]` is the sum of the weights with which `x` was averaged (see
    /// [`MaskedAverage::coverage`](crate::MaskedAverage::coverage)), 1 for a true average. The result
    /// is the average of what it would have made of each position.
    ///
    /// # Panics
    /// Unless `averages` is `[rows, channels]`.
    pub fn of_averages(&self, averages: &[f32], coverage: &[f32]) -> Vec<f32> {
        let channels = self.scale.len();
        assert_eq!(averages.len(), coverage.len() * channels, "rows of {channels} averages");
        let mut out = Vec::with_capacity(averages.len());
        for (row, coverage) in averages.chunks_exact(channels).zip(coverage) {
            let numbers = row.iter().zip(&self.scale).zip(&self.shift);
            out.extend(numbers.map(|((x, scale), shift)| scale * x + coverage * shift));
        }
        out
    }

    /// The gradients in scale and shift, in the averages `[rows, channels]` and in the coverage
    /// `[rows]`, for `grad_output`, the gradient in the result of
    /// [`of_averages`](Self::of_averages).
    ///
    /// # Panics
    /// As [`of_averages`](Self::of_averages).
    pub fn backward_of_averages(
        &self,
        averages: &[f32],
        coverage: &[f32],
        grad_output: &[f32],
    ) -> (Self, Vec<f32>, Vec<f32>) {
        let channels = self.scale.len();
        assert_eq!(averages.len(), coverage.len() * channels, "rows of {channels} averages");
        assert_eq!(averages.len(), grad_output.len(), "one gradient an average");
        let mut grad = Self { scale: vec![0.0; channels], shift: vec![0.0; channels] };
        let mut grad_averages = Vec::with_capacity(averages.len());
        let mut grad_coverage = Vec::with_capacity(coverage.len());
        let rows = averages.chunks_exact(channels).zip(grad_output.chunks_exact(channels));
        for ((averages, dy), coverage) in rows.zip(coverage) {
            for c in 0..channels {
                grad.scale[c] += dy[c] * averages[c];
                grad.shift[c] += dy[c] * coverage;
            }
            grad_averages.extend(dy.iter().zip(&self.scale).map(|(dy, scale)| dy * scale));
            grad_coverage.push(dy.iter().zip(&self.shift).map(|(dy, shift)| dy * shift).sum());
        }
        (grad, grad_averages, grad_coverage)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dense::tests::reference as dense;
    use crate::testing::{assert_close, assert_gradient, pseudo_random, unit_source, weighted_sum, widen};

    fn affine(channels: usize) -> ChannelAffine {
        ChannelAffine { scale: pseudo_random(1, channels), shift: pseudo_random(2, channels) }
    }

    fn apply(scale: &[f64], shift: &[f64], x: &[f64]) -> Vec<f64> {
        x.iter().enumerate().map(|(i, x)| scale[i % scale.len()] * x + shift[i % scale.len()]).collect()
    }

    #[test]
    fn a_folded_layer_gives_and_learns_what_the_two_steps_would() {
        let (rows, channels, outputs) = (6, 5, 3);
        let affine = affine(channels);
        let mut layer = Dense::new("dense", channels, outputs, &mut unit_source(3));
        layer.bias.value = pseudo_random(4, outputs);
        let (x, dy) = (pseudo_random(5, rows * channels), pseudo_random(6, rows * outputs));
        let (w, b) = (layer.weights.value.clone(), layer.bias.value.clone());
        let two_steps = |scale: &[f64], shift: &[f64], w: &[f64], b: &[f64]| {
            dense(&apply(scale, shift, &widen(&x)), w, b)
        };

        let mut folded = affine.folded_into(&layer);
        let mut y = vec![0.0; rows * outputs];
        folded.forward(&x, &mut y);
        let (scale, shift) = (widen(&affine.scale), widen(&affine.shift));
        assert_close("output", &y, &two_steps(&scale, &shift, &widen(&w), &widen(&b)), 1e-6);

        folded.backward_parameters(&x, &dy);
        let mut grad = ChannelAffine { scale: vec![0.0; channels], shift: vec![0.0; channels] };
        affine.backward_folded(&folded, &mut layer, &mut grad);
        let loss = |scale: &[f64], shift: &[f64], w: &[f64], b: &[f64]| {
            weighted_sum(&two_steps(scale, shift, w, b), &dy)
        };
        assert_gradient("scale", &grad.scale, &affine.scale, |s| loss(s, &shift, &widen(&w), &widen(&b)));
        assert_gradient("shift", &grad.shift, &affine.shift, |s| loss(&scale, s, &widen(&w), &widen(&b)));
        assert_gradient("weights", &layer.weights.grad, &w, |w| loss(&scale, &shift, w, &widen(&b)));
        assert_gradient("bias", &layer.bias.grad, &b, |b| loss(&scale, &shift, &widen(&w), b));
    }

    #[test]
    fn averages_and_their_gradients_agree_with_double_precision() {
        let (rows, channels) = (4, 3);
        let affine = affine(channels);
        let (x, coverage) = (pseudo_random(3, rows * channels), pseudo_random(4, rows));
        let dy = pseudo_random(5, x.len());
        let reference = |scale: &[f64], shift: &[f64], x: &[f64], coverage: &[f64]| -> Vec<f64> {
            let value = |(i, x): (usize, &f64)| {
                let (r, c) = (i / channels, i % channels);
                scale[c] * x + coverage[r] * shift[c]
            };
            x.iter().enumerate().map(value).collect()
        };
        let (s, t, wide, cover) = (widen(&affine.scale), widen(&affine.shift), widen(&x), widen(&coverage));
        assert_close("output", &affine.of_averages(&x, &coverage), &reference(&s, &t, &wide, &cover), 1e-6);
        let (grad, grad_x, grad_coverage) = affine.backward_of_averages(&x, &coverage, &dy);
        let loss = |s: &[f64], t: &[f64], x: &[f64], r: &[f64]| weighted_sum(&reference(s, t, x, r), &dy);
        assert_gradient("scale", &grad.scale, &affine.scale, |s| loss(s, &t, &wide, &cover));
        assert_gradient("shift", &grad.shift, &affine.shift, |t| loss(&s, t, &wide, &cover));
        assert_gradient("averages", &grad_x, &x, |x| loss(&s, &t, x, &cover));
        assert_gradient("coverage", &grad_coverage, &coverage, |r| loss(&s, &t, &wide, r));
    }
}
