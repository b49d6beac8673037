//! Trained convolutions below a head: the same features as the frozen network, and gradients that tell how the
//! loss changes.

#![allow(clippy::unwrap_used)] // Tests, helpers included, may unwrap.

use boneage_core::{Plane, stream};
use boneage_nets::{
    Arithmetic, HeadConfig, HeadKind, NamedTensor, Network, VGG16_CONVOLUTIONS, Vgg16, VggTail, WeightsFile,
};
use boneage_nn::Loss;
use safetensors::{Dtype, tensor::TensorView};

fn weights() -> Vec<u8> {
    std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/../../models/vgg16-imagenet.safetensors")).unwrap()
}

fn drawing(shift: usize) -> Plane {
    Plane::from_fn(64, 64, |x, y| ((x * 7 + (y + shift) * 13 + x * y) % 256) as f32)
}

#[test]
fn frozen_and_trained_convolutions_give_the_features_of_the_whole_at_any_cut() {
    let bytes = weights();
    let whole = Vgg16::from_safetensors(&bytes).unwrap();
    let images = [&drawing(0), &drawing(5)];
    let expected = whole.features(&images).unwrap();
    for frozen in [0, 1, 4, 10, 12, VGG16_CONVOLUTIONS] {
        let below = whole.features_after(&images, frozen).unwrap();
        let map = Vgg16::map_after(frozen, 64);
        assert_eq!([below.height, below.width, below.channels], map);
        let tail = VggTail::from_safetensors(&bytes, frozen).unwrap();
        assert_eq!(tail.features_map(map), [2, 2, 512]);
        let found = tail.features(&below.values, map).unwrap();
        let largest = expected.values.iter().fold(0.0f32, |largest, v| largest.max(v.abs()));
        for (found, expected) in found.values.iter().zip(&expected.values) {
            assert!((found - expected).abs() < 1e-5 * largest, "after {frozen}: {found}, not {expected}");
        }
        assert_eq!(VggTail::shapes(frozen).len(), tail.state().len());
    }
}

/// A file of these tensors.
fn saved(state: &[NamedTensor]) -> WeightsFile {
    let bytes = |t: &NamedTensor| t.values.iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<u8>>();
    let named: Vec<_> = state.iter().map(|t| (&t.name, t.shape.clone(), bytes(t))).collect();
    let view = |shape: &[usize], bytes| TensorView::new(Dtype::F32, shape.to_vec(), bytes).unwrap();
    let views = named.iter().map(|(name, shape, bytes)| (name, view(shape, bytes)));
    WeightsFile::new(safetensors::serialize(views, None).unwrap())
}

#[test]
fn trained_weights_take_the_place_of_the_pretrained_ones() {
    let bytes = weights();
    let mut tail = VggTail::from_safetensors(&bytes, 11).unwrap();
    let mut state = tail.state();
    state.iter_mut().for_each(|tensor| tensor.values.iter_mut().for_each(|value| *value *= 1.1));
    tail.load_state(&state).unwrap();
    let whole = Vgg16::from_safetensors(&bytes).unwrap();
    let below = whole.features_after(&[&drawing(0)], 11).unwrap();
    let expected = tail.features(&below.values, Vgg16::map_after(11, 64)).unwrap();
    let file = WeightsFile::new(bytes);
    for arithmetic in [Arithmetic::Winograd, Arithmetic::Streamed] {
        let tuned = Vgg16::open(&file, Some(&saved(&state)), arithmetic).unwrap();
        assert_eq!(tuned.features(&[&drawing(0)]).unwrap(), expected);
        assert_eq!(tuned.digest(), whole.digest());
    }
    let lonely = Vgg16::open(&file, Some(&saved(&state[..1])), Arithmetic::Winograd);
    assert!(lonely.is_err_and(|error| error.to_string().contains("block5_conv2.bias is missing")));
}

/// Along the gradient `g` the loss rises by `|g|` for each unit of length: checked for the head, for each
/// convolution and for all together, as single weights would drown in rounding.
#[test]
fn gradients_of_the_whole_network_tell_how_the_loss_changes() {
    for frozen in [0, 9, 12] {
        let bytes = weights();
        let images: Vec<Plane> = (0..3).map(drawing).collect();
        let images: Vec<&Plane> = images.iter().collect();
        let inputs = Vgg16::from_safetensors(&bytes).unwrap().features_after(&images, frozen).unwrap().values;
        let map = Vgg16::map_after(frozen, 64);
        let config = HeadConfig {
            dropout: [0.0; 2],
            sex_units: Some(4),
            ..HeadConfig::new(HeadKind::Attention, 2, 2)
        };
        let mut network =
            Network::initial(Some(VggTail::from_safetensors(&bytes, frozen).unwrap()), config, 3);
        let (sex, target) = ([0.0, 1.0, 1.0], [0.4, -0.7, 1.2]);
        let step = |network: &mut Network| {
            let mut random = stream(1, &["unused"]);
            f64::from(network.forward_backward(&inputs, map, &sex, &target, Loss::Mse, &mut random).unwrap())
        };
        step(&mut network);
        let gradients: Vec<Vec<f32>> = network.tail_params_mut().iter().map(|p| p.grad.clone()).collect();
        for (index, gradient) in gradients.iter().enumerate() {
            let norm = gradient.iter().map(|g| f64::from(*g).powi(2)).sum::<f64>().sqrt();
            let name = network.tail_params_mut()[index].name.clone();
            assert!(norm > 0.0, "{name} has no gradient");
            // Long enough to rise above rounding, short enough to stay straight.
            let length = (3e-4 / norm).min(0.3);
            let at = |sign: f64| {
                let mut moved = network.clone();
                let values = &mut moved.tail_params_mut().swap_remove(index).value;
                for (value, g) in values.iter_mut().zip(gradient) {
                    *value += (sign * length * f64::from(*g) / norm) as f32;
                }
                step(&mut moved)
            };
            let slope = (at(1.0) - at(-1.0)) / (2.0 * length);
            assert!(
                (slope / norm - 1.0).abs() < 0.1,
                "{name} after {frozen}: slope {slope}, gradient {norm}"
            );
        }
    }
}
