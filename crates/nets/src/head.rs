use std::fmt;

use boneage_core::{Stream, stream};
use boneage_nn::{AveragePool, BatchNorm, ChannelAffine, Dense, Dropout, LocallyConnected, Loss, Param};

use crate::attention::{Attention, AttentionTrace, Pooled};
use crate::fully_connected::FullyConnected;
use crate::layer::{Branch, Layer, LayerKind};
use crate::named_tensor::{NamedTensor, matched, shape_of};
use crate::sex_branch::SexBranch;
use crate::{HeadConfig, HeadKind, NetsError};

/// Samples that [`Head::predict`] takes at a time: bounds its memory.
const PREDICT_BATCH: usize = 32;

/// The trained part of the paper's networks: from the features of a frozen backbone to one number.
///
/// ```text
/// features [n, h, w, c] -> batch normalisation -> attention (or plain average) -> pooled [n, c]
///   -> dropout -> joined with the sex branch, where there is one -> dense layers -> value [n]
/// ```
///
/// The value is the standardised age, (months - mean) / sd of the training set. Dropout falls on the
/// pooled features and not on the sex, which would else be forgotten for half of the samples.
#[derive(Clone)]
pub struct Head {
    config: HeadConfig,
    batch_norm: BatchNorm,
    attention: Option<Attention>,
    sex: Option<SexBranch>,
    dense: FullyConnected,
    /// Room for a training step, claimed once.
    trace: AttentionTrace,
}

/// What a head says about a batch.
#[derive(Clone, Debug, PartialEq)]
pub struct HeadOutput {
    /// Standardised age, `[n]`.
    pub value: Vec<f32>,
    /// Attention maps, `[n, h, w]`, 0..1; none for the fully connected head.
    pub attention: Option<Vec<f32>>,
}

impl Head {
    /// A head with the initial values of Keras (Glorot uniform weights, zero biases), each layer's
    /// drawn from its own stream of `seed`.
    ///
    /// # Panics
    /// When the configuration fails [`HeadConfig::check`], which one that was read has passed.
    pub fn new(config: HeadConfig, seed: u64) -> Self {
        Head::with_initial(config, &|name| {
            let mut random = stream(seed, &["initialise", name]);
            Box::new(move || random.unit())
        })
    }

    /// A head that is to be given a state: no time is spent on initial values.
    ///
    /// # Panics
    /// As [`new`](Self::new).
    pub fn unloaded(config: HeadConfig) -> Self {
        Head::with_initial(config, &|_| Box::new(|| 0.5))
    }

    /// `unit_of` gives what a layer's weights are drawn from, in `[0, 1)`, by its name.
    fn with_initial(config: HeadConfig, unit_of: &dyn Fn(&str) -> Box<dyn FnMut() -> f64>) -> Self {
        if let Err(error) = config.check() {
            panic!("a head must be possible: {error}");
        }
        let dense = |name: &str, inputs, outputs| Dense::new(name, inputs, outputs, &mut unit_of(name));
        let locally_connected = |name: &str, positions, channels| {
            LocallyConnected::new(name, positions, channels, &mut unit_of(name))
        };
        let sex = config.sex_units.map(|units| SexBranch { dense: dense("head.sex", 1, units) });
        let attention = (config.kind != HeadKind::FullyConnected)
            .then(|| Attention::new(&config, &dense, &locally_connected));
        Self {
            batch_norm: BatchNorm::new("head.batch_norm", config.channels),
            attention,
            sex,
            dense: FullyConnected::new(&config, &dense),
            trace: AttentionTrace::default(),
            config,
        }
    }

    /// What this head was made from.
    pub fn config(&self) -> &HeadConfig {
        &self.config
    }

    /// The standardised age of each sample, and where the head looked.
    ///
    /// `features` `[n, h, w, c]`; `sex` `[n]`, 1 male, 0 female, between them unknown, not looked at
    /// by a head without a sex branch.
    ///
    /// # Panics
    /// When `features` are not whole samples, or a head with a sex branch lacks a sex.
    pub fn predict(&self, features: &[f32], sex: &[f32]) -> HeadOutput {
        let samples = self.samples(features, sex);
        let sample = self.config.positions() * self.config.channels;
        let mut output = HeadOutput {
            value: Vec::with_capacity(samples),
            attention: self.attention.is_some().then(Vec::new),
        };
        let affine = self.batch_norm.affine(&self.batch_norm.running_statistics());
        let mut trace = AttentionTrace::default();
        for (i, features) in features.chunks(PREDICT_BATCH * sample).enumerate() {
            let batch = features.len() / sample;
            let pooled = self.pool(features, &affine, &mut trace);
            let pooled = affine.of_averages(&pooled.averages, &pooled.coverage);
            let sex = sex.get(i * PREDICT_BATCH..i * PREDICT_BATCH + batch).unwrap_or_default();
            let joined = match &self.sex {
                Some(branch) => join(&pooled, &branch.forward(sex).output, batch),
                None => pooled,
            };
            output.value.extend(self.dense.forward(&joined, None).value);
            if let Some(maps) = &mut output.attention {
                maps.extend_from_slice(&trace.map);
            }
        }
        output
    }

    /// One step of training, forward and backward: leaves the gradients in the parameters, lets the
    /// running statistics follow the batch, and returns the mean loss. The optimiser's step is the
    /// caller's.
    ///
    /// `features` `[n, h, w, c]`, `sex` as in [`predict`](Self::predict), `target` `[n]`, the
    /// standardised age. `random` draws the dropout. An empty batch changes nothing and costs 0.
    ///
    /// # Panics
    /// As [`predict`](Self::predict), or unless there is one target a sample.
    pub fn forward_backward(
        &mut self,
        features: &[f32],
        sex: &[f32],
        target: &[f32],
        loss: Loss,
        random: &mut Stream,
    ) -> f32 {
        self.forward_backward_through(features, sex, target, loss, random, None)
    }

    /// As [`forward_backward`](Self::forward_backward); sets `grad_features` too, the gradient in the
    /// features, `[n, h, w, c]`, for the layers below that are trained as well.
    ///
    /// # Panics
    /// As [`forward_backward`](Self::forward_backward), or unless the gradient is as long as the features.
    pub fn forward_backward_through(
        &mut self,
        features: &[f32],
        sex: &[f32],
        target: &[f32],
        loss: Loss,
        random: &mut Stream,
        mut grad_features: Option<&mut [f32]>,
    ) -> f32 {
        let samples = self.samples(features, sex);
        assert_eq!(samples, target.len(), "one target a sample");
        if samples == 0 {
            return 0.0;
        }
        let statistics = self.batch_norm.observe(features);
        let affine = self.batch_norm.affine(&statistics);
        let mut trace = std::mem::take(&mut self.trace);
        let averages = self.pool(features, &affine, &mut trace);
        let mut pooled = affine.of_averages(&averages.averages, &averages.coverage);
        let mut mask = vec![0.0; pooled.len()];
        Dropout::new(self.config.dropout[0]).draw(&mut mask, &mut || random.unit());
        Dropout::apply(&mask, &mut pooled);
        let sex_trace = self.sex.as_ref().map(|branch| branch.forward(&sex[..samples]));
        let joined = match &sex_trace {
            Some(trace) => join(&pooled, &trace.output, samples),
            None => pooled,
        };
        let dense_trace = self.dense.forward(&joined, Some(random));

        let mut grad = vec![0.0; samples];
        let mean_loss = loss.evaluate(&dense_trace.value, target, &mut grad);

        let grad_joined = self.dense.backward(&joined, &dense_trace, &grad);
        let (mut grad_pooled, grad_sex) = part(grad_joined, self.config.channels, samples);
        if let (Some(branch), Some(trace)) = (&mut self.sex, &sex_trace) {
            branch.backward(trace, grad_sex);
        }
        Dropout::apply(&mask, &mut grad_pooled);
        let (mut grad_affine, grad_averages, grad_coverage) =
            affine.backward_of_averages(&averages.averages, &averages.coverage, &grad_pooled);
        if let Some(attention) = &mut self.attention {
            let grad = Pooled { averages: grad_averages, coverage: grad_coverage };
            let down = grad_features.as_deref_mut();
            attention.backward(features, &affine, &mut trace, &averages, &grad, &mut grad_affine, down);
        } else if let Some(grad_features) = grad_features.as_deref_mut() {
            self.average_pool().backward(&grad_averages, grad_features);
        }
        self.batch_norm.backward_affine(&statistics, &grad_affine);
        if let Some(grad_features) = grad_features {
            let rows = features.len() / self.config.channels;
            self.batch_norm.backward_statistics(&statistics, rows).add_to(features, grad_features);
        }
        self.trace = trace;
        mean_loss
    }

    /// The layers from the features on, in the order in which they are computed, for one sample.
    pub fn layers(&self) -> Vec<Layer> {
        let HeadConfig { height, width, channels, activation, dropout, .. } = self.config;
        let norm = self.batch_norm.params();
        let mut layers =
            vec![Layer::trained(&norm, LayerKind::BatchNorm, Branch::Trunk, vec![height, width, channels])];
        match &self.attention {
            Some(attention) => layers.extend(attention.layers([height, width])),
            None => layers.push(Layer::fixed("pooled", LayerKind::Average, Branch::Trunk, vec![channels])),
        }
        let [first, second] = dropout;
        layers.push(Layer::fixed("dropout_1", LayerKind::Dropout(first), Branch::Trunk, vec![channels]));
        layers.extend(self.sex.iter().flat_map(SexBranch::layers));
        layers.extend(self.dense.layers(activation.as_str(), second));
        layers
    }

    /// The trainable parameters, always in the same order.
    pub fn params_mut(&mut self) -> Vec<&mut Param> {
        let attention = self.attention.iter_mut().flat_map(Attention::params_mut);
        let sex = self.sex.iter_mut().flat_map(|branch| branch.dense.params_mut());
        let norm = self.batch_norm.params_mut().into_iter();
        norm.chain(attention).chain(sex).chain(self.dense.params_mut()).collect()
    }

    /// The trainable parameters, in the order of [`params_mut`](Self::params_mut).
    pub fn params(&self) -> Vec<&Param> {
        let attention = self.attention.iter().flat_map(Attention::params);
        let sex = self.sex.iter().flat_map(|branch| branch.dense.params());
        let norm = self.batch_norm.params().into_iter();
        norm.chain(attention).chain(sex).chain(self.dense.params()).collect()
    }

    /// Numbers that training changes; 565,058 for the paper's attention network at 500 pixels.
    pub fn parameter_count(&self) -> usize {
        self.params().iter().map(|param| param.value.len()).sum()
    }

    /// All that makes this head what it is: the parameters and the running statistics.
    pub fn state(&self) -> Vec<NamedTensor> {
        let mut state: Vec<NamedTensor> = self.params().into_iter().map(NamedTensor::of).collect();
        state.push(NamedTensor::vector(RUNNING[0], &self.batch_norm.running_mean));
        state.push(NamedTensor::vector(RUNNING[1], &self.batch_norm.running_variance));
        state
    }

    /// Names and shapes of the tensors of [`state`](Self::state).
    pub fn shapes(&self) -> Vec<(String, Vec<usize>)> {
        let params = self.params().into_iter().map(shape_of);
        params.chain(RUNNING.map(|name| (name.to_owned(), vec![self.config.channels]))).collect()
    }

    /// Takes over a state, whose tensors may come in any order.
    ///
    /// # Errors
    /// When a tensor is missing, unknown or of another shape; the head is then as it was.
    pub fn load_state(&mut self, state: &[NamedTensor]) -> Result<(), NetsError> {
        let tensors = matched(&self.shapes(), state, self.describe())?;
        let mut tensors = tensors.into_iter();
        for (param, tensor) in self.params_mut().into_iter().zip(&mut tensors) {
            param.value.copy_from_slice(&tensor.values);
        }
        let BatchNorm { running_mean, running_variance, .. } = &mut self.batch_norm;
        for (running, tensor) in [running_mean, running_variance].into_iter().zip(tensors) {
            running.copy_from_slice(&tensor.values);
        }
        Ok(())
    }

    fn describe(&self) -> &'static str {
        match self.config.kind {
            HeadKind::Attention => "an attention head",
            HeadKind::Attention1x1 => "a 1x1 attention head",
            HeadKind::FullyConnected => "a fully connected head",
        }
    }

    fn samples(&self, features: &[f32], sex: &[f32]) -> usize {
        let HeadConfig { height, width, channels, .. } = self.config;
        let sample = height * width * channels;
        assert_eq!(features.len() % sample, 0, "whole samples of {height} x {width} x {channels} features");
        let samples = features.len() / sample;
        assert!(self.sex.is_none() || sex.len() == samples, "{} sexes of {samples} samples", sex.len());
        samples
    }

    fn average_pool(&self) -> AveragePool {
        AveragePool { channels: self.config.channels, positions: self.config.positions() }
    }

    /// Averages each sample's features `[n, h, w, c]`, under the attention where there is one.
    fn pool(&self, features: &[f32], affine: &ChannelAffine, trace: &mut AttentionTrace) -> Pooled {
        if let Some(attention) = &self.attention {
            return attention.forward(features, affine, trace);
        }
        let (pool, channels) = (self.average_pool(), self.config.channels);
        let mut averages = vec![0.0; features.len() / pool.positions];
        pool.forward(features, &mut averages);
        Pooled { coverage: vec![1.0; averages.len() / channels], averages }
    }
}

/// Names of the running statistics.
const RUNNING: [&str; 2] = ["head.batch_norm.running_mean", "head.batch_norm.running_variance"];

/// `[rows, a]` and `[rows, b]` side by side, `[rows, a + b]`.
fn join(left: &[f32], right: &[f32], rows: usize) -> Vec<f32> {
    let (a, b) = (left.len() / rows, right.len() / rows);
    left.chunks_exact(a).zip(right.chunks_exact(b)).flat_map(|(l, r)| l.iter().chain(r).copied()).collect()
}

/// Undoes [`join`]: the first `a` columns and the others.
fn part(joined: Vec<f32>, a: usize, rows: usize) -> (Vec<f32>, Vec<f32>) {
    let width = joined.len() / rows;
    if width == a {
        return (joined, Vec::new());
    }
    let side = |range: std::ops::Range<usize>| {
        joined.chunks_exact(width).flat_map(|row| row[range.clone()].iter().copied()).collect()
    };
    (side(0..a), side(a..width))
}

impl fmt::Debug for Head {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Head").field("config", &self.config).finish_non_exhaustive()
    }
}
