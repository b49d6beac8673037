/// A trainable array: its value and, after a backward pass, the gradient of the loss in it.
///
/// A backward pass overwrites `grad`; it does not add to what stood there.
#[derive(Clone, Debug, PartialEq)]
pub struct Param {
    /// Where the array sits in its network, for example `head.dense.weights`.
    pub name: String,
    /// Extents, slowest varying first.
    pub shape: Vec<usize>,
    /// Row-major values; as many as the product of `shape`.
    pub value: Vec<f32>,
    /// Gradient of the loss, laid out as `value`.
    pub grad: Vec<f32>,
}

impl Param {
    /// A parameter with a zero gradient.
    ///
    /// # Panics
    /// When `value` does not hold as many numbers as `shape` says.
    pub fn new(name: impl Into<String>, shape: &[usize], value: Vec<f32>) -> Self {
        let name = name.into();
        assert_eq!(value.len(), shape.iter().product::<usize>(), "{name} has shape {shape:?}");
        let grad = vec![0.0; value.len()];
        Self { name, shape: shape.to_vec(), value, grad }
    }

    /// A parameter that is `value` everywhere.
    pub fn filled(name: impl Into<String>, shape: &[usize], value: f32) -> Self {
        Self::new(name, shape, vec![value; shape.iter().product()])
    }

    /// A parameter drawn uniformly from +-sqrt(6 / (`fan_in` + `fan_out`)): Glorot and Bengio, 2010,
    /// equation 16, the default of Keras. `unit` draws uniformly from `[0, 1)`.
    pub fn glorot_uniform(
        name: impl Into<String>,
        shape: &[usize],
        [fan_in, fan_out]: [usize; 2],
        unit: &mut dyn FnMut() -> f64,
    ) -> Self {
        let limit = (6.0 / (fan_in + fan_out) as f64).sqrt();
        let count = shape.iter().product();
        let value = (0..count).map(|_| (limit * (2.0 * unit() - 1.0)) as f32).collect();
        Self::new(name, shape, value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn glorot_draws_stay_within_the_limit_and_fill_it() {
        let mut state = 0.0;
        let mut unit = || {
            state = (state + 0.618_034) % 1.0;
            state
        };
        let param = Param::glorot_uniform("dense.weights", &[30, 20], [30, 20], &mut unit);
        let limit = (6.0f32 / 50.0).sqrt();
        let largest = param.value.iter().fold(0.0f32, |largest, v| largest.max(v.abs()));
        assert!(largest <= limit && largest > 0.98 * limit, "{largest} against {limit}");
        assert!(param.value.iter().sum::<f32>().abs() < 1.0);
        assert_eq!(param.grad, vec![0.0; 600]);
    }
}
