use rayon::prelude::*;

use crate::Param;
use crate::matrix::{Matrix, multiply};

/// A dense layer: `y[r, o] = bias[o] + sum over i of x[r, i] weights[i, o]`.
///
/// Input `[rows, inputs]`, output `[rows, outputs]`. The gradients for an output gradient `dy` are
/// `dweights = x^T dy`, `dbias[o] = sum over r of dy[r, o]` and `dx = dy weights^T`.
#[derive(Clone, Debug)]
pub struct Dense {
    /// `[inputs, outputs]`, the layout of Keras.
    pub weights: Param,
    /// `[outputs]`.
    pub bias: Param,
}

impl Dense {
    /// A layer called `name` with Glorot uniform weights, drawn from `unit` in `[0, 1)`, and zero
    /// bias, as Keras starts one.
    pub fn new(name: &str, inputs: usize, outputs: usize, unit: &mut dyn FnMut() -> f64) -> Self {
        let (shape, fans) = ([inputs, outputs], [inputs, outputs]);
        Self {
            weights: Param::glorot_uniform(format!("{name}.weights"), &shape, fans, unit),
            bias: Param::filled(format!("{name}.bias"), &[outputs], 0.0),
        }
    }

    /// Numbers in a row of the input.
    pub fn inputs(&self) -> usize {
        self.weights.shape[0]
    }

    /// Numbers in a row of the output.
    pub fn outputs(&self) -> usize {
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

    fn weight_matrix(&self) -> Matrix<'_> {
        Matrix::new(&self.weights.value, self.inputs(), self.outputs())
    }

    fn rows(&self, input: &[f32], output: &[f32]) -> usize {
        let rows = output.len() / self.outputs();
        assert_eq!(output.len(), rows * self.outputs(), "{}: whole rows of output", self.weights.name);
        assert_eq!(input.len(), rows * self.inputs(), "{}: as many rows of input", self.weights.name);
        rows
    }

    /// Input `[rows, inputs]` to output `[rows, outputs]`.
    ///
    /// # Panics
    /// When the lengths of input and output do not belong to one number of rows.
    pub fn forward(&self, input: &[f32], output: &mut [f32]) {
        let rows = self.rows(input, output);
        multiply(Matrix::new(input, rows, self.inputs()), self.weight_matrix(), output);
        output.par_chunks_mut(self.outputs() * row_chunk(self.outputs())).for_each(|chunk| {
            for row in chunk.chunks_exact_mut(self.bias.value.len()) {
                for (value, bias) in row.iter_mut().zip(&self.bias.value) {
                    *value += bias;
                }
            }
        });
    }

    /// Sets the gradients of weights and bias for `grad_output` `[rows, outputs]`, the gradient in
    /// the output, and the `input` of the forward pass.
    ///
    /// # Panics
    /// As [`forward`](Self::forward).
    pub fn backward_parameters(&mut self, input: &[f32], grad_output: &[f32]) {
        let rows = self.rows(input, grad_output);
        let (inputs, outputs) = (self.inputs(), self.outputs());
        let input = Matrix::new(input, rows, inputs).transposed();
        multiply(input, Matrix::new(grad_output, rows, outputs), &mut self.weights.grad);
        column_sums(grad_output, &mut self.bias.grad);
    }

    /// The gradient in the input, `[rows, inputs]`.
    ///
    /// # Panics
    /// As [`forward`](Self::forward).
    pub fn backward_input(&self, grad_output: &[f32], grad_input: &mut [f32]) {
        let rows = self.rows(grad_input, grad_output);
        let grad_output = Matrix::new(grad_output, rows, self.outputs());
        multiply(grad_output, self.weight_matrix().transposed(), grad_input);
    }
}

/// Rows of `width` numbers that one task takes: about 128 KiB, so that they stay in a core's cache.
/// It follows from the shape alone, and so do all sums over rows.
pub(crate) fn row_chunk(width: usize) -> usize {
    (32_768 / width.max(1)).max(1)
}

/// Sums over the rows of `[rows, sums.len()]`, in one order whatever the number of threads.
fn column_sums(values: &[f32], sums: &mut [f32]) {
    let width = sums.len();
    let partial: Vec<Vec<f32>> = values
        .par_chunks(width * row_chunk(width))
        .map(|chunk| {
            let mut partial = vec![0.0f32; width];
            for row in chunk.chunks_exact(width) {
                for (sum, value) in partial.iter_mut().zip(row) {
                    *sum += value;
                }
            }
            partial
        })
        .collect();
    sums.fill(0.0);
    for partial in partial {
        for (sum, value) in sums.iter_mut().zip(partial) {
            *sum += value;
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::testing::{assert_close, assert_gradient, pseudo_random, unit_source, weighted_sum, widen};

    /// The definition, in double precision.
    pub(crate) fn reference(x: &[f64], weights: &[f64], bias: &[f64]) -> Vec<f64> {
        let (outputs, inputs) = (bias.len(), weights.len() / bias.len());
        let value = |row: &[f64], o: usize| {
            bias[o] + row.iter().enumerate().map(|(i, x)| x * weights[i * outputs + o]).sum::<f64>()
        };
        x.chunks_exact(inputs).flat_map(|row| (0..outputs).map(move |o| value(row, o))).collect()
    }

    #[test]
    fn forward_and_gradients_agree_with_double_precision() {
        let (rows, inputs, outputs) = (5, 7, 3);
        let mut layer = Dense::new("dense", inputs, outputs, &mut unit_source(1));
        layer.bias.value = pseudo_random(2, outputs);
        let x = pseudo_random(3, rows * inputs);
        let dy = pseudo_random(4, rows * outputs);
        let (w, b) = (layer.weights.value.clone(), layer.bias.value.clone());

        let mut y = vec![0.0; rows * outputs];
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
    fn a_new_layer_has_a_row_of_weights_an_input_and_no_bias() {
        let layer = Dense::new("head.dense", 512, 4, &mut unit_source(1));
        assert_eq!(layer.weights.shape, [512, 4]);
        assert_eq!(layer.weights.name, "head.dense.weights");
        assert_eq!(layer.bias.value, [0.0; 4]);
    }

    #[test]
    #[should_panic(expected = "dense.weights: as many rows of input")]
    fn rows_of_input_and_output_must_agree() {
        Dense::new("dense", 2, 2, &mut unit_source(1)).forward(&[0.0; 6], &mut [0.0; 4]);
    }
}
