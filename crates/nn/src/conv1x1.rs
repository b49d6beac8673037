use crate::Dense;

/// A 1x1 convolution: `y[n, h, w, o] = bias[o] + sum over i of x[n, h, w, i] weights[i, o]`.
///
/// Input `[batch, height, width, channels]`, output the same with `outputs` channels. With the
/// channels last every position is a row of a matrix, so this is a [`Dense`] layer over
/// batch x height x width rows: forward, gradients and initial values are the same, as in Keras,
/// where the kernel `[1, 1, channels, outputs]` has the same numbers in the same order.
pub type Conv1x1 = Dense;
