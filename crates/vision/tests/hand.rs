//! The hand in phantoms of what goes wrong with real films; see `fixtures/segmentation/make.py`.

#![allow(clippy::unwrap_used)] // Tests, helpers included, may unwrap.

use boneage_core::{Affine, FlagCode, Plane};
use boneage_vision::{DecodeLimits, HandExtraction, HandRecipe, decode, extract_hand, warp};
use std::path::PathBuf;

fn phantom(name: &str) -> Plane {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/segmentation").join(name);
    decode(&std::fs::read(file).unwrap(), &DecodeLimits::default()).unwrap().plane
}

fn extract(plane: &Plane) -> HandExtraction {
    let found = extract_hand(plane, &HandRecipe::default());
    assert_eq!(found.failure, None);
    found
}

/// Tips of fingers and a point of the palm are in, a letter of lead and the corners are out.
fn assert_hand(name: &str, found: &HandExtraction, inside: &[(usize, usize)], outside: &[(usize, usize)]) {
    for &(x, y) in inside {
        assert_eq!(found.mask.at(x, y), 1.0, "{name}: ({x}, {y}) is the hand");
    }
    for &(x, y) in outside {
        assert_eq!(found.mask.at(x, y), 0.0, "{name}: ({x}, {y}) is not the hand");
    }
}

#[test]
fn letters_stay_outside() {
    assert_hand(
        "plain",
        &extract(&phantom("plain.png")),
        &[(60, 110), (70, 20), (28, 45)],
        &[(10, 30), (110, 10)],
    );
}

#[test]
fn a_white_border_is_not_the_hand() {
    let found = extract(&phantom("white_border.png"));
    assert_hand("white border", &found, &[(65, 100), (60, 25)], &[(137, 60), (70, 1), (102, 100), (5, 130)]);
}

#[test]
fn a_dark_film_has_a_hand_too() {
    assert_hand("dark", &extract(&phantom("dark.png")), &[(55, 100), (64, 20)], &[(5, 5), (100, 120)]);
}

#[test]
fn a_turned_plate_is_looked_into() {
    let found = extract(&phantom("turned_plate.png"));
    assert_hand("plate", &found, &[(75, 100), (80, 45)], &[(40, 30), (110, 110), (2, 2), (140, 60)]);
}

#[test]
fn brightness_and_contrast_change_nothing_that_matters() {
    let film = phantom("plain.png");
    let (base, dim) = (extract(&film).mask, extract(&film.map(|grey| 0.1 * grey + 0.3)).mask);
    let differ = base.pixels().iter().zip(dim.pixels()).filter(|(a, b)| a != b).count();
    assert!(differ * 200 < base.pixels().len(), "{differ}");
}

#[test]
fn a_large_film_is_worked_on_in_blocks() {
    let large = warp(&phantom("plain.png"), &Affine::grid((1080, 1350), (120, 150)), 1080, 1350);
    let found = extract(&large);
    assert_eq!((found.cell, found.grey.width(), found.grey.height()), (4, 270, 338));
    let tips = [(540, 1000), (638, 150), (256, 320)];
    assert_hand("large", &found, &tips, &[(90, 270), (1000, 90)]);
}

#[test]
fn noise_and_stripes_are_no_hand() {
    let noise = |x: usize, y: usize| ((x * 7919 + y * 104_729) % 1009) as f32 / 1009.0;
    let stripes = |x: usize, _: usize| if x % 20 < 10 { 0.8 } else { 0.2 };
    for plane in [Plane::from_fn(200, 200, noise), Plane::from_fn(200, 200, stripes)] {
        let found = extract_hand(&plane, &HandRecipe::default());
        assert_eq!(found.failure.map(|flag| flag.code), Some(FlagCode::HandNotFound));
        assert!(found.mask.pixels().iter().all(|&m| m == 1.0));
    }
}

#[test]
fn any_shape_of_frame_is_survived() {
    for (width, height) in [(1, 500), (500, 1), (2, 2), (3, 900), (17, 5), (401, 399)] {
        let plane = Plane::from_fn(width, height, |x, y| ((x * 31 + y * 17) % 97) as f32 / 97.0);
        let found = extract_hand(&plane, &HandRecipe::default());
        assert_eq!((found.mask.width(), found.mask.height()), (width, height));
    }
}
