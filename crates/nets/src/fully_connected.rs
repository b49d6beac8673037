use boneage_core::Stream;
use boneage_nn::{Activation, Dense, Dropout, Param};

use crate::head_config::{HeadConfig, HeadKind};
use crate::layer::{Branch, Layer, LayerKind};

/// The part of every head that decides: dense layers from the pooled features to one number.
///
/// `[n, inputs] -> dense with activation (twice in the fully connected head) -> dropout -> dense, 1`
#[derive(Clone)]
pub(crate) struct FullyConnected {
    hidden: Vec<Dense>,
    output: Dense,
    activation: Activation,
    dropout: Dropout,
}

/// What the backward pass needs from the forward pass.
pub(crate) struct FullyConnectedTrace {
    /// Output of each hidden layer, `[n, hidden]`, before dropout.
    hidden: Vec<Vec<f32>>,
    /// The last of them after dropout.
    dropped: Vec<f32>,
    mask: Vec<f32>,
    /// `[n]`.
    pub(crate) value: Vec<f32>,
}

impl FullyConnected {
    pub(crate) fn new(config: &HeadConfig, dense: &dyn Fn(&str, usize, usize) -> Dense) -> Self {
        let joined = config.channels + config.sex_units.unwrap_or(0);
        let mut hidden = vec![dense("head.dense_1", joined, config.hidden)];
        if config.kind == HeadKind::FullyConnected {
            hidden.push(dense("head.dense_2", config.hidden, config.hidden));
        }
        Self {
            hidden,
            output: dense("head.output", config.hidden, 1),
            activation: config.activation.layer(),
            dropout: Dropout::new(config.dropout[1]),
        }
    }

    /// The dense layers in turn, with the dropout before the last; `dropout` is its rate.
    pub(crate) fn layers(&self, activation: &'static str, dropout: f32) -> Vec<Layer> {
        let dense = |layer: &Dense, then| {
            Layer::trained(&layer.params(), LayerKind::Dense(then), Branch::Trunk, vec![layer.outputs()])
        };
        let mut layers: Vec<Layer> = self.hidden.iter().map(|layer| dense(layer, activation)).collect();
        let kind = LayerKind::Dropout(dropout);
        layers.push(Layer::fixed("dropout_2", kind, Branch::Trunk, vec![self.output.inputs()]));
        layers.push(dense(&self.output, "linear"));
        layers
    }

    fn dense_layers(&self) -> impl Iterator<Item = &Dense> {
        self.hidden.iter().chain([&self.output])
    }

    pub(crate) fn params(&self) -> impl Iterator<Item = &Param> {
        self.dense_layers().flat_map(Dense::params)
    }

    pub(crate) fn params_mut(&mut self) -> impl Iterator<Item = &mut Param> {
        self.hidden.iter_mut().chain([&mut self.output]).flat_map(Dense::params_mut)
    }

    /// Input `[n, inputs]`; drops out when there is a `random` to draw from.
    pub(crate) fn forward(&self, input: &[f32], random: Option<&mut Stream>) -> FullyConnectedTrace {
        let rows = input.len() / self.hidden[0].inputs();
        let mut hidden: Vec<Vec<f32>> = Vec::new();
        for layer in &self.hidden {
            let mut output = vec![0.0; rows * layer.outputs()];
            layer.forward(hidden.last().map_or(input, Vec::as_slice), &mut output);
            self.activation.forward(&mut output);
            hidden.push(output);
        }
        let mut dropped = hidden.last().cloned().unwrap_or_default();
        let mut mask = Vec::new();
        if let Some(random) = random {
            mask.resize(dropped.len(), 0.0);
            self.dropout.draw(&mut mask, &mut || random.unit());
            Dropout::apply(&mask, &mut dropped);
        }
        let mut value = vec![0.0; rows];
        self.output.forward(&dropped, &mut value);
        FullyConnectedTrace { hidden, dropped, mask, value }
    }

    /// Sets the gradients of all layers for `grad` `[n]`, the gradient in the value of a forward pass
    /// with dropout; returns the gradient in the input, `[n, inputs]`.
    pub(crate) fn backward(&mut self, input: &[f32], trace: &FullyConnectedTrace, grad: &[f32]) -> Vec<f32> {
        self.output.backward_parameters(&trace.dropped, grad);
        let mut grad_hidden = vec![0.0; trace.dropped.len()];
        self.output.backward_input(grad, &mut grad_hidden);
        Dropout::apply(&trace.mask, &mut grad_hidden);
        for (i, layer) in self.hidden.iter_mut().enumerate().rev() {
            self.activation.backward(&trace.hidden[i], &mut grad_hidden);
            let input = if i == 0 { input } else { &trace.hidden[i - 1] };
            layer.backward_parameters(input, &grad_hidden);
            let mut grad_input = vec![0.0; input.len()];
            layer.backward_input(&grad_hidden, &mut grad_input);
            grad_hidden = grad_input;
        }
        grad_hidden
    }
}
