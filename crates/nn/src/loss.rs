/// What training makes small: a mean over the batch of a function of `e = predicted - target`.
///
/// | name | function | derivative |
/// |---|---|---|
/// | mean squared error | `e^2` | `2 e` |
/// | mean absolute error | `abs(e)` | `sign(e)`, 0 at 0 |
/// | Huber | `e^2 / 2` up to `delta`, `delta (abs(e) - delta / 2)` beyond | `e` cut to +-`delta` |
///
/// Huber, Robust Estimation of a Location Parameter, 1964.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[non_exhaustive]
pub enum Loss {
    /// Mean squared error.
    #[default]
    Mse,
    /// Mean absolute error.
    Mae,
    /// Squared near the target, absolute far from it.
    Huber {
        /// Where the one passes into the other, in the unit of the target.
        delta: f32,
    },
}

impl Loss {
    /// The mean loss of `predicted` against `target`, both `[batch]`, and its gradient in
    /// `predicted`, written to `grad`. The loss of an empty batch is 0.
    ///
    /// # Panics
    /// When the three slices differ in length.
    pub fn evaluate(self, predicted: &[f32], target: &[f32], grad: &mut [f32]) -> f32 {
        assert_eq!(predicted.len(), target.len(), "one target a prediction");
        assert_eq!(predicted.len(), grad.len(), "one gradient a prediction");
        let n = predicted.len().max(1) as f32;
        let mut sum = 0.0f64;
        for ((p, t), g) in predicted.iter().zip(target).zip(grad) {
            let (value, derivative) = self.at(p - t);
            sum += f64::from(value);
            *g = derivative / n;
        }
        (sum / f64::from(n)) as f32
    }

    fn at(self, e: f32) -> (f32, f32) {
        match self {
            Self::Mse => (e * e, 2.0 * e),
            Self::Mae => (e.abs(), if e == 0.0 { 0.0 } else { e.signum() }),
            Self::Huber { delta } if e.abs() <= delta => (0.5 * e * e, e),
            Self::Huber { delta } => (delta * (e.abs() - 0.5 * delta), delta * e.signum()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{assert_gradient, pseudo_random, widen};

    fn reference(loss: Loss, predicted: &[f64], target: &[f64]) -> f64 {
        let at = |e: f64| match loss {
            Loss::Mse => e * e,
            Loss::Mae => e.abs(),
            Loss::Huber { delta } => {
                let near = e.abs().min(f64::from(delta));
                near * (e.abs() - 0.5 * near)
            }
        };
        predicted.iter().zip(target).map(|(p, t)| at(p - t)).sum::<f64>() / predicted.len() as f64
    }

    #[test]
    fn values_and_gradients_agree_with_double_precision() {
        let (predicted, target) = (pseudo_random(1, 40), pseudo_random(2, 40));
        for loss in [Loss::Mse, Loss::Mae, Loss::Huber { delta: 0.5 }] {
            let mut grad = vec![0.0; 40];
            let value = loss.evaluate(&predicted, &target, &mut grad);
            let expected = reference(loss, &widen(&predicted), &widen(&target));
            assert!((f64::from(value) - expected).abs() < 1e-6, "{loss:?}: {value} {expected}");
            let what = format!("{loss:?}");
            assert_gradient(&what, &grad, &predicted, |p| reference(loss, p, &widen(&target)));
        }
    }

    #[test]
    fn nothing_costs_nothing() {
        for loss in [Loss::Mse, Loss::Mae, Loss::Huber { delta: 1.0 }] {
            assert_eq!(loss.evaluate(&[], &[], &mut []), 0.0);
            let mut grad = [f32::NAN];
            assert_eq!(loss.evaluate(&[3.0], &[3.0], &mut grad), 0.0);
            assert_eq!(grad, [0.0]);
        }
    }
}
