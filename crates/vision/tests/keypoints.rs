//! Keypoints against OpenCV's SIFT and scikit-image's box-filter determinant; the oracle files and their script are in
//! `fixtures/keypoints`.

#![allow(clippy::unwrap_used)] // Tests and what they share may unwrap.

use boneage_core::Plane;
use boneage_vision::{hessian_determinant, sift};
use std::path::PathBuf;

/// The script keeps the response at every so many of the pixels where the filter fits with one to spare.
const EVERY: usize = 37;

fn fixture(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/keypoints").join(name)
}

fn json(name: &str) -> serde_json::Value {
    serde_json::from_slice(&std::fs::read(fixture(name)).unwrap()).unwrap()
}

/// Greys 0..255.
fn film() -> Plane {
    let image = image::open(fixture("film.png")).unwrap().to_luma8();
    let pixels = image.pixels().map(|pixel| f32::from(pixel.0[0])).collect();
    Plane::new(image.width() as usize, image.height() as usize, pixels)
}

#[test]
fn the_determinant_is_scikit_images() {
    // In whole greys, whose sums are exact; scikit-image divides them by 255 first.
    let film = film();
    for (side, values) in json("hessian.json").as_object().unwrap() {
        let side: usize = side.parse().unwrap();
        let half = side / 2;
        let response = hessian_determinant(&film, side);
        let rows = half + 1..film.height() - half;
        let inside = rows.flat_map(|y| response.row(y)[half + 1..film.width() - half].iter().copied());
        let mut compared = 0;
        for (got, want) in inside.step_by(EVERY).zip(values.as_array().unwrap()) {
            let (got, want) = (f64::from(got) / (255.0 * 255.0), want.as_f64().unwrap());
            // It rounds each derivative's sum to f32 before it divides by the area; responses reach 0.02.
            assert!((got - want).abs() < 1e-5 * want.abs() + 3e-8, "{side}: {got} {want}");
            compared += 1;
        }
        assert_eq!(compared, values.as_array().unwrap().len());
    }
}

#[test]
fn keypoints_and_descriptors_are_opencvs() {
    let found = sift(&film());
    let oracle = json("sift.json");
    let oracle = oracle.as_array().unwrap();
    assert_eq!((found.len(), found.width), (oracle.len(), 128));
    // In any order: each of OpenCV's is met by one of ours, descriptor and all.
    let number = |value: &serde_json::Value| value.as_f64().unwrap() as f32;
    let mut worst = 0.0f32;
    for expected in oracle {
        let [x, y, size, response] = ["x", "y", "size", "response"].map(|key| number(&expected[key]));
        let row: Vec<f32> = expected["descriptor"].as_array().unwrap().iter().map(number).collect();
        let distance = |index: usize| {
            let place = found.places[index];
            let near = (place.x - x).abs() < 0.01
                && (place.y - y).abs() < 0.01
                && (2.0 * place.sigma - size).abs() < 0.01
                && (place.response - response).abs() < 1e-4;
            let own = &found.descriptors[index * 128..][..128];
            near.then(|| own.iter().zip(&row).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max))
        };
        let best = (0..found.len()).filter_map(distance).min_by(f32::total_cmp);
        worst = worst.max(best.unwrap_or_else(|| panic!("no keypoint at {x} {y} of {size}")));
    }
    // Descriptors are whole numbers up to 255.
    assert!(worst <= 2.0, "descriptors differ by {worst}");
}
