//! Each block of VGG16 with the shipped weights against PyTorch in f64; see `fixtures/nets/make_vgg16.py`.

#![allow(clippy::unwrap_used)] // Tests, helpers included, may unwrap.

use boneage_core::Plane;
use boneage_nets::{NetsError, Vgg16};
use boneage_nn::Isa;
use safetensors::SafeTensors;

fn workspace_file(path: &str) -> Vec<u8> {
    let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path);
    std::fs::read(file).expect("a file of the workspace")
}

fn network() -> Vgg16 {
    Vgg16::from_safetensors(&workspace_file("models/vgg16-imagenet.safetensors")).unwrap()
}

/// The same drawing as in the script.
fn drawing() -> Plane {
    Plane::from_fn(64, 64, |x, y| {
        let bar = if x.abs_diff(30) < 6 { 127.0 } else { 0.0 };
        ((x * 7 + y * 13 + x * y) % 256) as f32 * 0.5 + bar
    })
}

/// The middle of a picture whose 2 x 2 pixels became one, as in the script.
fn hand(name: &str) -> Plane {
    const SIDE: usize = 256;
    let picture = workspace_file(&format!("examples/{name}.png"));
    let plane = boneage_vision::decode(&picture, &Default::default()).unwrap().plane;
    let [left, top] = [plane.width(), plane.height()].map(|side| (side / 2 - SIDE) / 2);
    Plane::from_fn(SIDE, SIDE, |x, y| {
        let at = |i, j| (plane.at(2 * (left + x) + i, 2 * (top + y) + j) * 255.0).round();
        (at(0, 0) + at(1, 0) + at(0, 1) + at(1, 1)) / 4.0
    })
}

/// Relative L2 error of each block against the values at equal distances that the fixture keeps as
/// `prefix.blockN`.
fn errors(network: &Vgg16, image: &Plane, fixture: &[u8], prefix: &str) -> Vec<f64> {
    let fixture = SafeTensors::deserialize(fixture).unwrap();
    let mut errors = Vec::new();
    let check = |block: usize, maps: &boneage_nn::Blocked| {
        let want = fixture.tensor(&format!("{prefix}block{block}")).unwrap();
        let want: Vec<f32> = want.data().as_chunks().0.iter().map(|&quad| f32::from_le_bytes(quad)).collect();
        let got = maps.to_nchw();
        let step = if prefix.is_empty() { 5 } else { got.len() / 1000 };
        assert_eq!(want.len(), got.len().div_ceil(step));
        let (mut error, mut norm) = (0.0, 0.0);
        for (got, want) in got.iter().step_by(step).zip(want) {
            error += f64::from(got - want).powi(2);
            norm += f64::from(want).powi(2);
        }
        assert!(norm > 0.0, "block {block}");
        errors.push((error / norm).sqrt());
    };
    network.features_by_block(&[image], check).unwrap();
    assert_eq!(errors.len(), 5);
    errors
}

/// What `docs/explanation/engine.md` promises of each block and so of the whole.
const TOLERANCE: f64 = 5e-6;

#[track_caller]
fn assert_small(errors: &[f64], what: &str) {
    let told: Vec<String> = errors.iter().map(|error| format!("{error:.1e}")).collect();
    println!("{what}: {}", told.join(" "));
    assert!(errors.iter().all(|&error| error < TOLERANCE), "{what}: {told:?}");
}

#[test]
fn every_block_equals_pytorch() {
    let fixture = workspace_file("fixtures/nets/vgg16_blocks.safetensors");
    let errors = errors(&network(), &drawing(), &fixture, "");
    assert_small(&errors, "the drawing");
}

/// Hands at the paper's 256 pixels, on every instruction set of this machine: each in a process of its own, as
/// a process settles on one.
#[test]
fn every_block_of_a_hand_equals_pytorch_on_every_instruction_set() {
    const NAME: &str = "every_block_of_a_hand_equals_pytorch_on_every_instruction_set";
    if std::env::var_os("NN_HANDS").is_none() {
        for isa in Isa::available() {
            let child = std::process::Command::new(std::env::current_exe().unwrap())
                .args([NAME, "--exact", "--nocapture"])
                .env("NN_HANDS", "1")
                .env("NN_ISA", isa.as_str())
                .output()
                .unwrap();
            let said = String::from_utf8_lossy(&child.stdout);
            print!("{said}");
            assert!(child.status.success(), "{}: {said}", isa.as_str());
        }
        return;
    }
    let (network, fixture) = (network(), workspace_file("fixtures/nets/vgg16_hands.safetensors"));
    for name in ["girl-10-years", "boy-13-years"] {
        let errors = errors(&network, &hand(name), &fixture, &format!("{name}."));
        assert_small(&errors, &format!("{} {name}", Isa::detect().as_str()));
    }
}

#[test]
fn images_that_the_network_cannot_take_are_named() {
    let network = network();
    for (width, height) in [(16, 16), (64, 48)] {
        match network.features(&[&Plane::filled(width, height, 0.0)]) {
            Err(NetsError::ImageSize { .. }) => (),
            other => panic!("{width} x {height} gave {other:?}"),
        }
    }
}
