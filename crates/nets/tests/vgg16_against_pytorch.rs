//! Each block of VGG16 with the shipped weights against PyTorch in f64; see `fixtures/nets/make_vgg16.py`.

use boneage_core::Plane;
use boneage_nets::{NetsError, Vgg16};
use safetensors::SafeTensors;

fn workspace_file(path: &str) -> Vec<u8> {
    let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path);
    std::fs::read(file).expect("a file of the workspace")
}

/// The same drawing as in the script.
fn drawing() -> Plane {
    Plane::from_fn(64, 64, |x, y| {
        let bar = if x.abs_diff(30) < 6 { 127.0 } else { 0.0 };
        ((x * 7 + y * 13 + x * y) % 256) as f32 * 0.5 + bar
    })
}

#[test]
fn every_block_equals_pytorch() {
    let network = Vgg16::from_safetensors(&workspace_file("models/vgg16-imagenet.safetensors")).unwrap();
    let fixture = workspace_file("fixtures/nets/vgg16_blocks.safetensors");
    let fixture = SafeTensors::deserialize(&fixture).unwrap();
    let mut blocks = 0;
    let check = |block: usize, maps: &boneage_nn::Blocked| {
        let want = fixture.tensor(&format!("block{block}")).unwrap();
        let want = want.data().chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]));
        let (mut error, mut norm, mut count) = (0.0, 0.0, 0);
        for (got, want) in maps.to_nchw().iter().step_by(5).zip(want) {
            error += f64::from(got - want).powi(2);
            norm += f64::from(want).powi(2);
            count += 1;
        }
        assert_eq!(count, maps.to_nchw().len().div_ceil(5));
        let relative = (error / norm).sqrt();
        assert!(norm > 0.0 && relative < 5e-6, "block {block}: relative error {relative:.1e}");
        blocks += 1;
    };
    let features = network.features_by_block(&[&drawing()], check).unwrap();
    assert_eq!(blocks, 5);
    assert_eq!((features.height, features.width, features.channels), (2, 2, 512));
}

#[test]
fn images_that_the_network_cannot_take_are_named() {
    let network = Vgg16::from_safetensors(&workspace_file("models/vgg16-imagenet.safetensors")).unwrap();
    for (width, height) in [(16, 16), (64, 48)] {
        match network.features(&[&Plane::filled(width, height, 0.0)]) {
            Err(NetsError::ImageSize { .. }) => (),
            other => panic!("{width} x {height} gave {other:?}"),
        }
    }
}
