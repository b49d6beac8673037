use rayon::prelude::*;

use crate::dense::row_chunk;
use crate::{ChannelAffine, Param};

/// Batch normalisation over the last dimension (Ioffe and Szegedy, 2015):
/// `y[r, c] = gamma[c] (x[r, c] - mean[c]) / sqrt(variance[c] + epsilon) + beta[c]`.
///
/// Input and output `[rows, channels]`, where rows are batch x height x width. In training mean and
/// variance (over n rows, divided by n) are those of the batch, and the running ones follow them:
/// `running = momentum running + (1 - momentum) batch`, where the running variance takes the batch's
/// divided by n - 1, as Keras 2 and PyTorch do. In use they are the running ones.
///
/// Momentum 0.99 and epsilon 1e-3 are the defaults of Keras (PyTorch would write `momentum = 0.01`).
///
/// With `xhat = (x - mean) / sqrt(variance + epsilon)` and the means taken over the rows:
/// `dgamma = sum of dy xhat`, `dbeta = sum of dy`,
/// `dx = gamma / sqrt(variance + epsilon) (dy - mean(dy) - xhat mean(dy xhat))`.
#[derive(Clone, Debug)]
pub struct BatchNorm {
    /// `[channels]`, starts at 1.
    pub gamma: Param,
    /// `[channels]`, starts at 0.
    pub beta: Param,
    /// `[channels]`, starts at 0.
    pub running_mean: Vec<f32>,
    /// `[channels]`, starts at 1.
    pub running_variance: Vec<f32>,
    /// Share of the running statistics that one batch leaves in place.
    pub momentum: f32,
    /// Added to the variance.
    pub epsilon: f32,
}

/// Mean and `1 / sqrt(variance + epsilon)` of one batch, for the backward pass.
#[derive(Clone, Debug, Default)]
pub struct BatchStatistics {
    /// `[channels]`.
    pub mean: Vec<f32>,
    /// `[channels]`.
    pub inverse_sd: Vec<f32>,
}

impl BatchNorm {
    /// A layer called `name` that starts as the identity.
    pub fn new(name: &str, channels: usize) -> Self {
        Self {
            gamma: Param::filled(format!("{name}.gamma"), &[channels], 1.0),
            beta: Param::filled(format!("{name}.beta"), &[channels], 0.0),
            running_mean: vec![0.0; channels],
            running_variance: vec![1.0; channels],
            momentum: 0.99,
            epsilon: 1e-3,
        }
    }

    /// Channels of input and output.
    pub fn channels(&self) -> usize {
        self.gamma.value.len()
    }

    /// Gamma, then beta.
    pub fn params(&self) -> [&Param; 2] {
        [&self.gamma, &self.beta]
    }

    /// Gamma, then beta.
    pub fn params_mut(&mut self) -> [&mut Param; 2] {
        [&mut self.gamma, &mut self.beta]
    }

    fn rows(&self, input: &[f32], other: &[f32]) -> usize {
        let (name, channels) = (&self.gamma.name, self.channels());
        assert_eq!(input.len(), other.len(), "{name}: as many numbers in as out");
        assert_eq!(input.len() % channels, 0, "{name}: whole rows of {channels} channels");
        input.len() / channels
    }

    /// In use: normalises `[rows, channels]` with the running statistics.
    ///
    /// # Panics
    /// When input and output differ in length or do not consist of whole rows.
    pub fn forward(&self, input: &[f32], output: &mut [f32]) {
        self.normalise(input, &self.running_statistics(), output);
    }

    /// In training: normalises `[rows, channels]` with the statistics of the batch, which are
    /// returned, and lets the running statistics follow.
    ///
    /// # Panics
    /// As [`forward`](Self::forward).
    pub fn forward_train(&mut self, input: &[f32], output: &mut [f32]) -> BatchStatistics {
        let statistics = self.observe(input);
        self.normalise(input, &statistics, output);
        statistics
    }

    /// The statistics of a batch `[rows, channels]`; the running ones follow. The first half of
    /// [`forward_train`](Self::forward_train).
    ///
    /// # Panics
    /// When the input does not consist of whole rows.
    pub fn observe(&mut self, input: &[f32]) -> BatchStatistics {
        let n = self.rows(input, input).max(1) as f64;
        let moments = Moments::of(input, self.channels());
        let follow = |running: &mut f32, batch: f64| {
            *running = self.momentum * *running + (1.0 - self.momentum) * batch as f32;
        };
        for (running, &mean) in self.running_mean.iter_mut().zip(&moments.mean) {
            follow(running, mean);
        }
        for (running, &squares) in self.running_variance.iter_mut().zip(&moments.squares) {
            follow(running, squares / (n - 1.0).max(1.0));
        }
        BatchStatistics {
            mean: moments.mean.iter().map(|&mean| mean as f32).collect(),
            inverse_sd: inverse_sd(moments.squares.iter().map(|squares| squares / n), self.epsilon),
        }
    }

    /// The running statistics, as they serve in use.
    pub fn running_statistics(&self) -> BatchStatistics {
        let variance = self.running_variance.iter().map(|&v| f64::from(v));
        BatchStatistics { mean: self.running_mean.clone(), inverse_sd: inverse_sd(variance, self.epsilon) }
    }

    /// What normalising with `statistics` does to a number of each channel:
    /// `scale = gamma inverse_sd`, `shift = beta - mean scale`.
    pub fn affine(&self, statistics: &BatchStatistics) -> ChannelAffine {
        let scale: Vec<f32> = self
            .gamma
            .value
            .iter()
            .zip(&statistics.inverse_sd)
            .map(|(gamma, inverse)| gamma * inverse)
            .collect();
        let channels = self.beta.value.iter().zip(&statistics.mean).zip(&scale);
        let shift = channels.map(|((beta, mean), scale)| beta - mean * scale).collect();
        ChannelAffine { scale, shift }
    }

    /// Sets the gradients of gamma and beta from `grad`, the gradient in scale and shift of
    /// [`affine`](Self::affine): `dbeta = dshift`, `dgamma = (dscale - mean dshift) inverse_sd`.
    pub fn backward_affine(&mut self, statistics: &BatchStatistics, grad: &ChannelAffine) {
        self.beta.grad.copy_from_slice(&grad.shift);
        for (c, gamma) in self.gamma.grad.iter_mut().enumerate() {
            *gamma = (grad.scale[c] - statistics.mean[c] * grad.shift[c]) * statistics.inverse_sd[c];
        }
    }

    /// What the gradient in the input gains through the batch's own mean and variance, as a scale and a
    /// shift of the input: `dx[r, c] += scale[c] x[r, c] + shift[c]`. With `n` rows,
    ///
    /// ```text
    /// scale = -gamma inverse_sd^2 dgamma / n
    /// shift = -gamma inverse_sd dbeta / n - mean scale
    /// ```
    ///
    /// For use beside [`affine`](Self::affine), whose layers give the rest; call after
    /// [`backward_affine`](Self::backward_affine).
    pub fn backward_statistics(&self, statistics: &BatchStatistics, rows: usize) -> ChannelAffine {
        let n = rows.max(1) as f32;
        let mut through = ChannelAffine::default();
        for (c, &inverse) in statistics.inverse_sd.iter().enumerate() {
            let common = -self.gamma.value[c] * inverse / n;
            let scale = common * inverse * self.gamma.grad[c];
            through.scale.push(scale);
            through.shift.push(common * self.beta.grad[c] - statistics.mean[c] * scale);
        }
        through
    }

    fn normalise(&self, input: &[f32], statistics: &BatchStatistics, output: &mut [f32]) {
        self.rows(input, output);
        let channels = self.channels();
        let scale: Vec<f32> = self
            .gamma
            .value
            .iter()
            .zip(&statistics.inverse_sd)
            .map(|(gamma, inverse)| gamma * inverse)
            .collect();
        let chunk = channels * row_chunk(channels);
        output.par_chunks_mut(chunk).zip(input.par_chunks(chunk)).for_each(|(output, input)| {
            for (y, x) in output.chunks_exact_mut(channels).zip(input.chunks_exact(channels)) {
                let (mean, beta) = (&statistics.mean[..channels], &self.beta.value[..channels]);
                for c in 0..channels {
                    y[c] = (x[c] - mean[c]) * scale[c] + beta[c];
                }
            }
        });
    }

    /// Sets the gradients of gamma and beta, for the `input` and statistics of the forward pass and
    /// `grad_output` `[rows, channels]`. All that is needed when the input is frozen.
    ///
    /// # Panics
    /// As [`forward`](Self::forward).
    pub fn backward_parameters(&mut self, input: &[f32], statistics: &BatchStatistics, grad_output: &[f32]) {
        self.rows(input, grad_output);
        let channels = self.channels();
        let chunk = channels * row_chunk(channels);
        // [sum of dy, sum of dy (x - mean)] of each chunk of rows.
        let partial: Vec<[Vec<f32>; 2]> = grad_output
            .par_chunks(chunk)
            .zip(input.par_chunks(chunk))
            .map(|(grad_output, input)| {
                let (mut plain, mut centred) = (vec![0.0f32; channels], vec![0.0f32; channels]);
                let (plain_sum, centred_sum) = (&mut plain[..channels], &mut centred[..channels]);
                let mean = &statistics.mean[..channels];
                for (dy, x) in grad_output.chunks_exact(channels).zip(input.chunks_exact(channels)) {
                    for c in 0..channels {
                        plain_sum[c] += dy[c];
                        centred_sum[c] += dy[c] * (x[c] - mean[c]);
                    }
                }
                [plain, centred]
            })
            .collect();
        for c in 0..channels {
            let sum = |which: usize| partial.iter().map(|p| f64::from(p[which][c])).sum::<f64>();
            self.beta.grad[c] = sum(0) as f32;
            self.gamma.grad[c] = (sum(1) * f64::from(statistics.inverse_sd[c])) as f32;
        }
    }

    /// The gradient in the input, `[rows, channels]`, through the batch's mean and variance too.
    /// Call after [`backward_parameters`](Self::backward_parameters), whose sums it uses.
    ///
    /// # Panics
    /// As [`forward`](Self::forward).
    pub fn backward_input(
        &self,
        input: &[f32],
        statistics: &BatchStatistics,
        grad_output: &[f32],
        grad_input: &mut [f32],
    ) {
        let rows = self.rows(input, grad_output).max(1) as f32;
        self.rows(input, grad_input);
        let channels = self.channels();
        let chunk = channels * row_chunk(channels);
        let work =
            grad_input.par_chunks_mut(chunk).zip(grad_output.par_chunks(chunk)).zip(input.par_chunks(chunk));
        work.for_each(|((grad_input, grad_output), input)| {
            let numbers = grad_input.iter_mut().zip(grad_output).zip(input);
            for (i, ((dx, &dy), &x)) in numbers.enumerate() {
                let c = i % channels;
                let inverse_sd = statistics.inverse_sd[c];
                let normal = (x - statistics.mean[c]) * inverse_sd;
                let through_batch = (self.beta.grad[c] + normal * self.gamma.grad[c]) / rows;
                *dx = self.gamma.value[c] * inverse_sd * (dy - through_batch);
            }
        });
    }
}

fn inverse_sd(variances: impl Iterator<Item = f64>, epsilon: f32) -> Vec<f32> {
    variances.map(|v| (1.0 / (v + f64::from(epsilon)).sqrt()) as f32).collect()
}

/// Mean and sum of squared deviations of each channel.
struct Moments {
    rows: f64,
    mean: Vec<f64>,
    squares: Vec<f64>,
}

impl Moments {
    /// Two passes within each chunk of rows, which stays in cache; the chunks are then merged in
    /// order (Chan, Golub and LeVeque, 1979), so no difference of large sums is ever taken.
    fn of(input: &[f32], channels: usize) -> Self {
        let chunks: Vec<Self> = input
            .par_chunks(channels * row_chunk(channels))
            .map(|chunk| Self::of_chunk(chunk, channels))
            .collect();
        let empty = Self { rows: 0.0, mean: vec![0.0; channels], squares: vec![0.0; channels] };
        chunks.into_iter().fold(empty, Self::merged)
    }

    fn of_chunk(chunk: &[f32], channels: usize) -> Self {
        let rows = (chunk.len() / channels) as f32;
        let mut mean = vec![0.0f32; channels];
        for row in chunk.chunks_exact(channels) {
            mean.iter_mut().zip(row).for_each(|(mean, x)| *mean += x);
        }
        mean.iter_mut().for_each(|mean| *mean /= rows);
        let mut squares = vec![0.0f32; channels];
        for row in chunk.chunks_exact(channels) {
            for ((squares, x), mean) in squares.iter_mut().zip(row).zip(&mean) {
                *squares += (x - mean) * (x - mean);
            }
        }
        let widen = |values: Vec<f32>| values.into_iter().map(f64::from).collect();
        Self { rows: f64::from(rows), mean: widen(mean), squares: widen(squares) }
    }

    fn merged(mut self, next: Self) -> Self {
        let rows = self.rows + next.rows;
        for c in 0..self.mean.len() {
            let step = next.mean[c] - self.mean[c];
            self.mean[c] += step * next.rows / rows;
            self.squares[c] += next.squares[c] + step * step * self.rows * next.rows / rows;
        }
        Self { rows, ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{assert_close, assert_gradient, pseudo_random, weighted_sum, widen};

    fn reference(x: &[f64], gamma: &[f64], beta: &[f64]) -> Vec<f64> {
        let (channels, rows) = (gamma.len(), (x.len() / gamma.len()) as f64);
        let mut y = vec![0.0; x.len()];
        for c in 0..channels {
            let column = || x.iter().skip(c).step_by(channels);
            let mean = column().sum::<f64>() / rows;
            let variance = column().map(|x| (x - mean) * (x - mean)).sum::<f64>() / rows;
            for (y, x) in y.iter_mut().skip(c).step_by(channels).zip(column()) {
                *y = gamma[c] * (x - mean) / (variance + 1e-3).sqrt() + beta[c];
            }
        }
        y
    }

    #[test]
    fn training_forward_and_gradients_agree_with_double_precision() {
        let (rows, channels) = (11, 4);
        let mut layer = BatchNorm::new("norm", channels);
        layer.gamma.value = pseudo_random(1, channels);
        layer.beta.value = pseudo_random(2, channels);
        let x: Vec<f32> = pseudo_random(3, rows * channels).iter().map(|x| 2.0 * x + 1.0).collect();
        let dy = pseudo_random(4, x.len());
        let (gamma, beta) = (layer.gamma.value.clone(), layer.beta.value.clone());
        let (mut y, mut dx) = (vec![0.0; x.len()], vec![0.0; x.len()]);

        let statistics = layer.forward_train(&x, &mut y);
        assert_close("output", &y, &reference(&widen(&x), &widen(&gamma), &widen(&beta)), 1e-6);
        layer.backward_parameters(&x, &statistics, &dy);
        layer.backward_input(&x, &statistics, &dy, &mut dx);
        let loss = |x: &[f64], gamma: &[f64], beta: &[f64]| weighted_sum(&reference(x, gamma, beta), &dy);
        assert_gradient("input", &dx, &x, |x| loss(x, &widen(&gamma), &widen(&beta)));
        assert_gradient("gamma", &layer.gamma.grad, &gamma, |g| loss(&widen(&x), g, &widen(&beta)));
        assert_gradient("beta", &layer.beta.grad, &beta, |b| loss(&widen(&x), &widen(&gamma), b));
    }

    #[test]
    fn scale_and_shift_are_the_same_map_with_the_same_gradients() {
        let (rows, channels) = (11, 4);
        let mut layer = BatchNorm::new("norm", channels);
        layer.gamma.value = pseudo_random(1, channels);
        layer.beta.value = pseudo_random(2, channels);
        let x: Vec<f32> = pseudo_random(3, rows * channels).iter().map(|x| 2.0 * x + 1.0).collect();
        let dy = pseudo_random(4, x.len());
        let mut y = vec![0.0; x.len()];
        let statistics = layer.forward_train(&x, &mut y);
        let affine = layer.affine(&statistics);
        let scaled: Vec<f32> =
            x.iter().enumerate().map(|(i, x)| affine.scale[i % 4] * x + affine.shift[i % 4]).collect();
        assert_close("output", &scaled, &widen(&y), 1e-6);

        layer.backward_parameters(&x, &statistics, &dy);
        let expected = [widen(&layer.gamma.grad), widen(&layer.beta.grad)];
        let column = |c: usize| dy.iter().zip(&x).skip(c).step_by(channels);
        let grad = ChannelAffine {
            scale: (0..channels).map(|c| column(c).map(|(dy, x)| dy * x).sum()).collect(),
            shift: (0..channels).map(|c| column(c).map(|(dy, _)| dy).sum()).collect(),
        };
        layer.backward_affine(&statistics, &grad);
        assert_close("gamma", &layer.gamma.grad, &expected[0], 1e-6);
        assert_close("beta", &layer.beta.grad, &expected[1], 1e-6);
    }

    #[test]
    fn many_chunks_give_the_moments_of_the_whole_even_far_from_zero() {
        let (rows, channels) = (3 * row_chunk(2) + 17, 2);
        let x: Vec<f32> = pseudo_random(5, rows * channels).iter().map(|x| x + 1000.0).collect();
        let moments = Moments::of(&x, channels);
        for c in 0..channels {
            let column = || x.iter().skip(c).step_by(channels).map(|&x| f64::from(x));
            let mean = column().sum::<f64>() / rows as f64;
            let squares = column().map(|x| (x - mean) * (x - mean)).sum::<f64>();
            assert!((moments.mean[c] - mean).abs() < 1e-2, "{} {mean}", moments.mean[c]);
            assert!((moments.squares[c] / squares - 1.0).abs() < 1e-3, "{} {squares}", moments.squares[c]);
        }
    }

    #[test]
    fn running_statistics_follow_the_batches_and_serve_in_use() {
        let mut layer = BatchNorm::new("norm", 1);
        let mut y = [0.0; 2];
        for _ in 0..3000 {
            layer.forward_train(&[3.0, 7.0], &mut y);
        }
        assert!((layer.running_mean[0] - 5.0).abs() < 1e-3);
        assert!((layer.running_variance[0] - 8.0).abs() < 1e-3);
        layer.forward(&[5.0, 5.0 + 8.001f32.sqrt()], &mut y);
        assert!(y[0].abs() < 1e-3 && (y[1] - 1.0).abs() < 1e-3, "{y:?}");
    }

    #[test]
    fn a_batch_of_one_row_gives_beta() {
        let mut layer = BatchNorm::new("norm", 2);
        layer.beta.value = vec![0.25, -1.0];
        let mut y = [0.0; 2];
        layer.forward_train(&[3.0, 7.0], &mut y);
        assert_eq!(y, [0.25, -1.0]);
        assert!(layer.running_variance.iter().all(|v| v.is_finite()));
    }
}
