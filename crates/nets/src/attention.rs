use boneage_nn::{Activation, ChannelAffine, Conv1x1, LocallyConnected, MaskedAverage, Param};

use crate::head_config::{ATTENTION_CHANNELS, HeadConfig, HeadKind};
use crate::layer::{Branch, Layer, LayerKind};

/// The part of the attention head that looks: which positions of the feature map count.
///
/// ```text
/// features [n, h, w, 512]
///   -> 1x1 convolution, 64, ReLU -> 1x1 convolution, 16, ReLU
///   -> locally connected 1x1 -> 1, sigmoid = map [n, h, w]
/// pooled [n, 512] = sum of map x features / sum of map
/// ```
///
/// The features are the batch-normalised ones throughout. They are never computed: they enter linear
/// layers only, so normalisation, a scale and a shift a channel, is folded into those.
#[derive(Clone)]
pub(crate) struct Attention {
    first: Conv1x1,
    second: Conv1x1,
    draw: Draw,
    average: MaskedAverage,
}

/// The last step to the map.
#[derive(Clone)]
enum Draw {
    LocallyConnected(LocallyConnected),
    Conv1x1(Conv1x1),
}

/// What the backward pass needs from the forward pass, and its room; kept between steps so that it
/// is claimed once.
#[derive(Clone, Default)]
pub(crate) struct AttentionTrace {
    /// The first layer with the batch normalisation folded into it.
    folded: Option<Conv1x1>,
    /// `[n, h, w, 64]` and `[n, h, w, 16]`.
    hidden: [Vec<f32>; 2],
    /// `[n, h, w]`.
    pub(crate) map: Vec<f32>,
    grad_hidden: [Vec<f32>; 2],
    grad_map: Vec<f32>,
}

/// Features averaged as they come, before the batch normalisation.
#[derive(Clone, Default)]
pub(crate) struct Pooled {
    /// `[n, channels]`.
    pub(crate) averages: Vec<f32>,
    /// Sum of the weights of each average, `[n]`.
    pub(crate) coverage: Vec<f32>,
}

impl Attention {
    /// `dense` and `locally` make a layer with its initial values from name and extents.
    pub(crate) fn new(
        config: &HeadConfig,
        dense: &dyn Fn(&str, usize, usize) -> Conv1x1,
        locally: &dyn Fn(&str, usize, usize) -> LocallyConnected,
    ) -> Self {
        let [first, second] = ATTENTION_CHANNELS;
        Self {
            first: dense("head.attention_1", config.channels, first),
            second: dense("head.attention_2", first, second),
            draw: match config.kind {
                HeadKind::Attention => {
                    Draw::LocallyConnected(locally("head.attention_map", config.positions(), second))
                }
                _ => Draw::Conv1x1(dense("head.attention_map", second, 1)),
            },
            average: MaskedAverage {
                channels: config.channels,
                positions: config.positions(),
                rescale: config.rescale,
            },
        }
    }

    /// The chain to the map of `height` x `width`, and what is done with it.
    pub(crate) fn layers(&self, [height, width]: [usize; 2]) -> Vec<Layer> {
        let (draw, kind) = match &self.draw {
            Draw::LocallyConnected(layer) => (layer.params(), LayerKind::LocallyConnectedMap),
            Draw::Conv1x1(layer) => (layer.params(), LayerKind::ConvolutionMap),
        };
        let chained = |params: &[&Param], kind, channels: Option<usize>| {
            let shape = [height, width].into_iter().chain(channels).collect();
            Layer::trained(params, kind, Branch::Attention, shape)
        };
        let MaskedAverage { channels, rescale, .. } = self.average;
        let average = if rescale { LayerKind::RescaledAverage } else { LayerKind::Average };
        vec![
            chained(&self.first.params(), LayerKind::Convolution1x1, Some(self.first.outputs())),
            chained(&self.second.params(), LayerKind::Convolution1x1, Some(self.second.outputs())),
            chained(&draw, kind, None),
            Layer::fixed("multiply", LayerKind::Multiply, Branch::Trunk, vec![height, width, channels]),
            Layer::fixed("pooled", average, Branch::Trunk, vec![channels]),
        ]
    }

    pub(crate) fn params(&self) -> Vec<&Param> {
        let draw = match &self.draw {
            Draw::LocallyConnected(layer) => layer.params(),
            Draw::Conv1x1(layer) => layer.params(),
        };
        [self.first.params(), self.second.params(), draw].concat()
    }

    pub(crate) fn params_mut(&mut self) -> impl Iterator<Item = &mut Param> {
        let draw = match &mut self.draw {
            Draw::LocallyConnected(layer) => layer.params_mut(),
            Draw::Conv1x1(layer) => layer.params_mut(),
        };
        self.first.params_mut().into_iter().chain(self.second.params_mut()).chain(draw)
    }

    /// The average of `features` `[n, h, w, channels]` under the map that is drawn for their
    /// normalisation by `affine`; fills `trace`, map included.
    pub(crate) fn forward(
        &self,
        features: &[f32],
        affine: &ChannelAffine,
        trace: &mut AttentionTrace,
    ) -> Pooled {
        let positions = features.len() / self.average.channels;
        let [hidden_1, hidden_2] = &mut trace.hidden;
        hidden_1.resize(positions * self.first.outputs(), 0.0);
        let folded = trace.folded.insert(affine.folded_into(&self.first));
        folded.forward(features, hidden_1);
        Activation::Relu.forward(hidden_1);
        hidden_2.resize(positions * self.second.outputs(), 0.0);
        self.second.forward(hidden_1, hidden_2);
        Activation::Relu.forward(hidden_2);
        trace.map.resize(positions, 0.0);
        match &self.draw {
            Draw::LocallyConnected(layer) => layer.forward(hidden_2, &mut trace.map),
            Draw::Conv1x1(layer) => layer.forward(hidden_2, &mut trace.map),
        }
        Activation::Sigmoid.forward(&mut trace.map);
        let mut averages = vec![0.0; features.len() / self.average.positions];
        self.average.forward(features, &trace.map, &mut averages);
        Pooled { averages, coverage: self.average.coverage(&trace.map) }
    }

    /// Sets the gradients of all layers and adds to `grad_affine` what comes through the map, for
    /// `grad_pooled`, the gradient in `pooled`, and the arguments and trace of the forward pass. Sets
    /// `grad_features` too, where it is asked for, with `affine` taken as fixed.
    #[expect(
        clippy::too_many_arguments,
        reason = "the forward pass's arguments, results and their gradients"
    )]
    pub(crate) fn backward(
        &mut self,
        features: &[f32],
        affine: &ChannelAffine,
        trace: &mut AttentionTrace,
        pooled: &Pooled,
        grad_pooled: &Pooled,
        grad_affine: &mut ChannelAffine,
        grad_features: Option<&mut [f32]>,
    ) {
        let AttentionTrace { folded, hidden: [hidden_1, hidden_2], map, grad_hidden, grad_map } = trace;
        let [grad_1, grad_2] = grad_hidden;
        grad_map.resize(map.len(), 0.0);
        grad_1.resize(hidden_1.len(), 0.0);
        grad_2.resize(hidden_2.len(), 0.0);

        self.average.backward_map(features, map, &pooled.averages, &grad_pooled.averages, grad_map);
        self.average.add_backward_coverage(&grad_pooled.coverage, grad_map);
        Activation::Sigmoid.backward(map, grad_map);
        match &mut self.draw {
            Draw::LocallyConnected(layer) => {
                layer.backward_parameters(hidden_2, grad_map);
                layer.backward_input(grad_map, grad_2);
            }
            Draw::Conv1x1(layer) => {
                layer.backward_parameters(hidden_2, grad_map);
                layer.backward_input(grad_map, grad_2);
            }
        }
        Activation::Relu.backward(hidden_2, grad_2);
        self.second.backward_parameters(hidden_1, grad_2);
        self.second.backward_input(grad_2, grad_1);
        Activation::Relu.backward(hidden_1, grad_1);
        let folded = folded.as_mut().expect("a forward pass came before");
        folded.backward_parameters(features, grad_1);
        affine.backward_folded(folded, &mut self.first, grad_affine);
        if let Some(grad_features) = grad_features {
            folded.backward_input(grad_1, grad_features);
            self.average.add_backward_features(map, &grad_pooled.averages, grad_features);
        }
    }
}
