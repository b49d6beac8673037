use rayon::prelude::*;

/// Numbers of one parallel task.
const CHUNK: usize = 32_768;

/// A function applied to every number, in place.
///
/// | name | `y` | `dy/dx` in terms of `y` |
/// |---|---|---|
/// | linear | `x` | 1 |
/// | ReLU | `max(x, 0)` | 1 where `y > 0`, else 0 |
/// | ELU | `x` where `x > 0`, else `exp(x) - 1` | 1 where `y > 0`, else `y + 1` |
/// | sigmoid | `1 / (1 + exp(-x))` | `y (1 - y)` |
///
/// All derivatives follow from the output, so the input need not be kept. ReLU at 0 has the
/// derivative 0, ELU 1. ELU: Clevert, Unterthiner and Hochreiter, 2015, with alpha = 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Activation {
    /// The identity.
    #[default]
    Linear,
    /// Rectified linear unit.
    Relu,
    /// Exponential linear unit with alpha = 1.
    Elu,
    /// Logistic function.
    Sigmoid,
}

impl Activation {
    /// Replaces every `x` by `y`.
    pub fn forward(self, values: &mut [f32]) {
        let apply = |function: fn(f32) -> f32, values: &mut [f32]| {
            values.par_chunks_mut(CHUNK).for_each(|chunk| chunk.iter_mut().for_each(|v| *v = function(*v)));
        };
        match self {
            Self::Linear => {}
            Self::Relu => values.par_chunks_mut(CHUNK).for_each(|chunk| {
                // Written so that a NaN passes: a fault upstream must not look like a zero.
                chunk.iter_mut().for_each(|v| *v = if *v < 0.0 { 0.0 } else { *v });
            }),
            Self::Elu => apply(|x| if x > 0.0 { x } else { x.exp_m1() }, values),
            Self::Sigmoid => apply(sigmoid, values),
        }
    }

    /// Replaces every gradient in `y` by the gradient in `x`, for the `outputs` of the forward pass.
    ///
    /// # Panics
    /// When the two slices differ in length.
    pub fn backward(self, outputs: &[f32], gradients: &mut [f32]) {
        assert_eq!(outputs.len(), gradients.len(), "outputs and gradients of an activation");
        let chunks = || outputs.par_chunks(CHUNK);
        let pairs = gradients.par_chunks_mut(CHUNK).zip(chunks());
        match self {
            Self::Linear => {}
            Self::Relu => pairs.for_each(|(gradients, outputs)| {
                gradients.iter_mut().zip(outputs).for_each(|(g, &y)| *g = if y > 0.0 { *g } else { 0.0 });
            }),
            Self::Elu => pairs.for_each(|(gradients, outputs)| {
                gradients
                    .iter_mut()
                    .zip(outputs)
                    .for_each(|(g, &y)| *g *= if y > 0.0 { 1.0 } else { y + 1.0 });
            }),
            Self::Sigmoid => pairs.for_each(|(gradients, outputs)| {
                gradients.iter_mut().zip(outputs).for_each(|(g, &y)| *g *= y * (1.0 - y));
            }),
        }
    }
}

/// Never overflows: the exponential is taken of a number that is not positive.
fn sigmoid(x: f32) -> f32 {
    let e = (-x.abs()).exp();
    if x >= 0.0 { 1.0 / (1.0 + e) } else { e / (1.0 + e) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{assert_close, assert_gradient, pseudo_random, weighted_sum, widen};

    fn reference(activation: Activation, x: &[f64]) -> Vec<f64> {
        let function = |x: f64| match activation {
            Activation::Linear => x,
            Activation::Relu => x.max(0.0),
            Activation::Elu => x.max(0.0) + x.min(0.0).exp_m1(),
            Activation::Sigmoid => 1.0 / (1.0 + (-x).exp()),
        };
        x.iter().copied().map(function).collect()
    }

    #[test]
    fn values_and_derivatives_agree_with_double_precision() {
        let x: Vec<f32> = pseudo_random(1, 300).iter().map(|x| 6.0 * x).collect();
        let dy = pseudo_random(2, x.len());
        for activation in [Activation::Linear, Activation::Relu, Activation::Elu, Activation::Sigmoid] {
            let mut y = x.clone();
            activation.forward(&mut y);
            let what = format!("{activation:?}");
            assert_close(&what, &y, &reference(activation, &widen(&x)), 1e-6);
            let mut dx = dy.clone();
            activation.backward(&y, &mut dx);
            assert_gradient(&what, &dx, &x, |x| weighted_sum(&reference(activation, x), &dy));
        }
    }

    #[test]
    fn far_out_values_saturate_and_faults_stay_visible() {
        let mut ends = [-200.0, -0.0, 200.0];
        Activation::Sigmoid.forward(&mut ends);
        assert_eq!(ends, [0.0, 0.5, 1.0]);
        for activation in [Activation::Relu, Activation::Elu, Activation::Sigmoid] {
            let mut fault = [f32::NAN];
            activation.forward(&mut fault);
            assert!(fault[0].is_nan(), "{activation:?}");
        }
    }
}
