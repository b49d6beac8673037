//! Every layer against PyTorch: `fixtures/nn/layers.safetensors`, made by `make.py` beside it.

#![allow(clippy::unwrap_used)] // Tests, helpers included, may unwrap.

use boneage_nn::{
    Activation, Adam, AdamConfig, AveragePool, BatchNorm, Blocked, Conv1x1, Dense, Finish, Isa,
    LocallyConnected, Loss, MaskedAverage, Param, Weights3x3,
};
use safetensors::SafeTensors;

static FIXTURE: &[u8] = include_bytes!("../../../fixtures/nn/layers.safetensors");

/// One case of the fixture.
struct Case {
    name: &'static str,
    tensors: SafeTensors<'static>,
}

impl Case {
    fn new(name: &'static str) -> Self {
        Self { name, tensors: SafeTensors::deserialize(FIXTURE).unwrap() }
    }

    fn get(&self, what: &str) -> Vec<f32> {
        let tensor = self.tensors.tensor(&format!("{}.{what}", self.name)).unwrap();
        tensor.data().as_chunks().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect()
    }

    fn param(&self, what: &str) -> Param {
        let shape = self.tensors.tensor(&format!("{}.{what}", self.name)).unwrap().shape().to_vec();
        Param::new(what, &shape, self.get(what))
    }

    /// Room for an output, poisoned so that a number left unwritten shows.
    fn room(&self, what: &str) -> Vec<f32> {
        vec![f32::NAN; self.get(what).len()]
    }

    #[track_caller]
    fn assert(&self, what: &str, found: &[f32]) {
        self.assert_within(2e-6, what, found);
    }

    /// Holds `found` against the fixture, relative to its largest number.
    #[track_caller]
    fn assert_within(&self, tolerance: f32, what: &str, found: &[f32]) {
        let expected = self.get(what);
        assert_eq!(found.len(), expected.len(), "{}.{what}", self.name);
        let scale = expected.iter().fold(0.0f32, |largest, v| largest.max(v.abs()));
        for (i, (found, expected)) in found.iter().zip(&expected).enumerate() {
            let off = (found - expected).abs();
            assert!(off <= tolerance * scale, "{}.{what}[{i}] is {found}, in PyTorch {expected}", self.name);
        }
    }
}

fn check_dense(case: &Case, mut layer: Dense) {
    let (x, dy) = (case.get("input"), case.get("grad_output"));
    let (mut y, mut dx) = (case.room("output"), case.room("input"));
    layer.forward(&x, &mut y);
    case.assert("output", &y);
    layer.backward_parameters(&x, &dy);
    layer.backward_input(&dy, &mut dx);
    case.assert("grad_input", &dx);
    case.assert("grad_weights", &layer.weights.grad);
    case.assert("grad_bias", &layer.bias.grad);
}

#[test]
fn dense_layer() {
    let case = Case::new("dense");
    check_dense(&case, Dense { weights: case.param("weights"), bias: case.param("bias") });
}

#[test]
fn convolution_1x1() {
    let case = Case::new("conv1x1");
    check_dense(&case, Conv1x1 { weights: case.param("weights"), bias: case.param("bias") });
}

/// Winograd's transforms cost about a digit.
const WINOGRAD: f32 = 1e-5;

/// The shape of the fixture's images: batch, height, width and channels.
const IMAGES: [usize; 4] = [2, 7, 9, 5];

#[test]
fn convolution_3x3_with_relu_and_pool() {
    for (name, relu, pool) in
        [("conv3x3", false, false), ("conv3x3_relu", true, false), ("conv3x3_pool", true, true)]
    {
        let case = Case::new(name);
        let ([batch, height, width, channels], finish) = (IMAGES, Finish { relu, pool });
        let x = Blocked::from_nhwc(&case.get("input"), batch, channels, height, width);
        let (weight, bias) = (case.get("weight"), case.get("bias"));
        let outputs = bias.len();
        let layer = Weights3x3::new(weight, bias, [channels, outputs]).unwrap();
        for isa in Isa::available() {
            let mut layer = layer.clone().on(isa).trainable("conv");
            let (y, passed) = layer.forward_train(&x, finish).unwrap();
            case.assert_within(WINOGRAD, "output", &y.to_nhwc());
            let dy = Blocked::from_nhwc(&case.get("grad_output"), batch, outputs, y.height(), y.width());
            let dx = layer.backward(&x, &passed, &dy, true).unwrap().unwrap();
            case.assert_within(WINOGRAD, "grad_input", &dx.to_nhwc());
            let [weight, bias] = layer.params();
            case.assert_within(WINOGRAD, "grad_weight", &weight.grad);
            case.assert_within(WINOGRAD, "grad_bias", &bias.grad);
        }
        case.assert_within(WINOGRAD, "output", &layer.exact().forward(&x, finish).unwrap().to_nhwc());
    }
}

#[test]
fn first_convolution_3x3() {
    let case = Case::new("conv3x3_relu");
    let [batch, height, width, channels] = IMAGES;
    let x = Blocked::from_nhwc(&case.get("input"), batch, channels, height, width).to_nchw();
    let (weight, bias) = (case.get("weight"), case.get("bias"));
    let outputs = bias.len();
    let mut layer = Weights3x3::new(weight, bias, [channels, outputs]).unwrap().trainable_direct("conv");
    let (y, passed) = layer.forward_train(&x, [batch, height, width], true).unwrap();
    case.assert("output", &y.to_nhwc());
    let dy = Blocked::from_nhwc(&case.get("grad_output"), batch, outputs, height, width);
    layer.backward(&x, &passed, &dy).unwrap();
    let [weight, bias] = layer.params();
    case.assert("grad_weight", &weight.grad);
    case.assert("grad_bias", &bias.grad);
}

#[test]
fn locally_connected_layer() {
    let case = Case::new("locally_connected");
    let mut layer = LocallyConnected { weights: case.param("weights"), bias: case.param("bias") };
    let (x, dy) = (case.get("input"), case.get("grad_output"));
    let (mut y, mut dx) = (case.room("output"), case.room("input"));
    layer.forward(&x, &mut y);
    case.assert("output", &y);
    layer.backward_parameters(&x, &dy);
    layer.backward_input(&dy, &mut dx);
    case.assert("grad_input", &dx);
    case.assert("grad_weights", &layer.weights.grad);
    case.assert("grad_bias", &layer.bias.grad);
}

#[test]
fn batch_normalisation() {
    let case = Case::new("batch_norm");
    let mut layer = BatchNorm::new("norm", 7);
    layer.gamma.value = case.get("gamma");
    layer.beta.value = case.get("beta");
    let (x, dy) = (case.get("input"), case.get("grad_output"));
    let (mut y, mut dx) = (case.room("output"), case.room("input"));
    let statistics = layer.forward_train(&x, &mut y);
    case.assert("output", &y);
    case.assert("running_mean", &layer.running_mean);
    case.assert("running_variance", &layer.running_variance);
    layer.backward_parameters(&x, &statistics, &dy);
    layer.backward_input(&x, &statistics, &dy, &mut dx);
    case.assert("grad_gamma", &layer.gamma.grad);
    case.assert("grad_beta", &layer.beta.grad);
    case.assert("grad_input", &dx);
    layer.forward(&x, &mut y);
    case.assert("output_in_use", &y);
}

#[test]
fn activations() {
    for (name, activation) in
        [("relu", Activation::Relu), ("elu", Activation::Elu), ("sigmoid", Activation::Sigmoid)]
    {
        let case = Case::new(name);
        let (mut y, mut dx) = (case.get("input"), case.get("grad_output"));
        activation.forward(&mut y);
        case.assert("output", &y);
        activation.backward(&y, &mut dx);
        case.assert("grad_input", &dx);
    }
}

#[test]
fn masked_average() {
    for (name, rescale) in [("masked_average", true), ("masked_average_plain", false)] {
        let case = Case::new(name);
        let layer = MaskedAverage { channels: 7, positions: 20, rescale };
        let (x, map, grad) = (case.get("input"), case.get("map"), case.get("grad_output"));
        let (mut pooled, mut grad_map) = (case.room("output"), case.room("map"));
        layer.forward(&x, &map, &mut pooled);
        case.assert("output", &pooled);
        layer.backward_map(&x, &map, &pooled, &grad, &mut grad_map);
        case.assert("grad_map", &grad_map);
        let mut dx = vec![0.0; x.len()];
        layer.add_backward_features(&map, &grad, &mut dx);
        case.assert("grad_input", &dx);
    }
}

#[test]
fn average_pooling() {
    let case = Case::new("average_pool");
    let layer = AveragePool { channels: 7, positions: 20 };
    let (mut pooled, mut dx) = (case.room("output"), case.room("input"));
    layer.forward(&case.get("input"), &mut pooled);
    case.assert("output", &pooled);
    layer.backward(&case.get("grad_output"), &mut dx);
    case.assert("grad_input", &dx);
}

#[test]
fn losses() {
    for (name, loss) in [("mse", Loss::Mse), ("mae", Loss::Mae), ("huber", Loss::Huber { delta: 0.75 })] {
        let case = Case::new(name);
        let mut grad = case.room("input");
        let value = loss.evaluate(&case.get("input"), &case.get("target"), &mut grad);
        case.assert("output", &[value]);
        case.assert("grad_input", &grad);
    }
}

#[test]
fn eight_steps_of_adam() {
    let case = Case::new("adam");
    let mut param = Param::new("w", &[10], case.get("input"));
    let mut adam = Adam::new(AdamConfig { learning_rate: 1e-2, ..AdamConfig::default() });
    for gradient in case.get("gradients").chunks_exact(10) {
        param.grad.copy_from_slice(gradient);
        adam.step(&mut [&mut param]);
    }
    case.assert("output", &param.value);
}
