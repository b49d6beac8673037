//! Against scikit-image and SciPy, on phantoms with the structure of hand radiographs; the oracle files
//! and their script are in `fixtures/segmentation`.

#![allow(clippy::unwrap_used)] // Tests, helpers included, may unwrap.

use boneage_core::Plane;
use boneage_vision::{Labels, components, fill_holes, sobel, watershed};
use std::path::PathBuf;

const CASES: [&str; 8] =
    ["plain", "white_border", "dark", "turned_plate", "coarse", "ties", "small", "one_row"];

fn fixture(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/segmentation").join(name)
}

/// The file's whole numbers, 0..255.
fn grey(name: &str) -> Plane {
    let image = image::open(fixture(name)).unwrap().to_luma8();
    let pixels = image.pixels().map(|pixel| f32::from(pixel.0[0])).collect();
    Plane::new(image.width() as usize, image.height() as usize, pixels)
}

fn labels(name: &str) -> Labels {
    let plane = grey(name);
    let values = plane.pixels().iter().map(|&value| value as u32).collect();
    Labels::new(plane.width(), plane.height(), values)
}

fn json(name: &str) -> serde_json::Value {
    serde_json::from_slice(&std::fs::read(fixture(name)).unwrap()).unwrap()
}

#[test]
fn the_gradient_is_scikit_images() {
    let oracle = json("sobel.json");
    for case in CASES {
        for scale in [1, 255] {
            let gradient = sobel(&grey(&format!("{case}.png")).map(|value| value / scale as f32));
            let expected = &oracle[format!("{case}/{scale}")];
            let sampled = expected["every_97th"].as_array().unwrap();
            for (i, value) in sampled.iter().enumerate() {
                let (got, want) = (gradient.pixels()[97 * i], value.as_f64().unwrap());
                assert!((f64::from(got) - want).abs() <= 1e-6 * want.max(1.0), "{case} {i}: {got} {want}");
            }
            let (got, want) =
                (gradient.pixels().iter().map(|&g| f64::from(g)).sum::<f64>(), &expected["sum"]);
            let want = want.as_f64().unwrap();
            assert!((got - want).abs() <= 1e-6 * want.max(1.0), "{case} sum: {got} {want}");
        }
    }
}

#[test]
fn every_label_of_the_watershed_is_scikit_images() {
    for case in CASES {
        let gradient = sobel(&grey(&format!("{case}.png")));
        let flooded = watershed(&gradient, &labels(&format!("{case}.markers.png")));
        let expected = labels(&format!("{case}.labels.png"));
        let differ = flooded.values().iter().zip(expected.values()).filter(|(a, b)| a != b).count();
        assert_eq!(differ, 0, "labels of {case}");
    }
}

#[test]
fn filled_holes_and_numbered_objects_are_scipys() {
    let objects = json("objects.json");
    for case in CASES {
        let basins = labels(&format!("{case}.labels.png"));
        let (width, height) = (basins.width(), basins.height());
        let mut mask = basins.is(2);
        fill_holes(&mut mask, width, height);
        assert_eq!(mask, labels(&format!("{case}.filled.png")).is(1), "holes of {case}");
        let (_, found) = components(&mask, width, height);
        let expected = objects[case].as_array().unwrap();
        assert_eq!(found.len(), expected.len(), "objects of {case}");
        for (object, expected) in found.iter().zip(expected) {
            let b = object.bounds;
            assert_eq!(serde_json::json!(object.area), expected["area"], "{case} {}", object.label);
            let bounds = serde_json::json!([b.left, b.top, b.right, b.bottom]);
            assert_eq!(bounds, expected["box"], "{case} {}", object.label);
        }
    }
}
