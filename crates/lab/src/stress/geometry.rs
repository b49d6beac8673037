//! The film laid down otherwise.

use super::{Change, ChangeKind, quantile};
use boneage_core::{Affine, Plane};
use boneage_vision::warp;

const KIND: ChangeKind = ChangeKind::Geometry;
/// Side of a film that was squashed to a square, and the usual ratio of width to height before that: the median of
/// the training images whose ratio is known.
const SQUASHED: (usize, usize) = (299, 299);
const USUAL_RATIO: f64 = 0.74;

pub(super) const CHANGES: &[Change] = &[
    Change { name: "mirrored", kind: KIND, apply: |film, _| film.mirrored() },
    Change { name: "turned -30", kind: KIND, apply: |film, _| turned(film, -30.0) },
    Change { name: "turned -10", kind: KIND, apply: |film, _| turned(film, -10.0) },
    Change { name: "turned +10", kind: KIND, apply: |film, _| turned(film, 10.0) },
    Change { name: "turned +30", kind: KIND, apply: |film, _| turned(film, 30.0) },
    Change { name: "turned 90", kind: KIND, apply: |film, _| quarter(film) },
    Change { name: "turned 180", kind: KIND, apply: |film, _| quarter(&quarter(film)) },
    Change { name: "turned 270", kind: KIND, apply: |film, _| quarter(&quarter(&quarter(film))) },
];

/// Clockwise by a quarter, to the pixel.
fn quarter(film: &Plane) -> Plane {
    let last = film.height() - 1;
    Plane::from_fn(film.height(), film.width(), |x, y| film.at(y, last - x))
}

/// Clockwise on a ground that holds all of it, whose new corners are as dark as the film's darkest hundredth. A film
/// that was squashed to a square is turned as if it still had the usual ratio: else the hand would be sheared.
fn turned(film: &Plane, degrees: f64) -> Plane {
    let stretch = if (film.width(), film.height()) == SQUASHED { 1.0 / USUAL_RATIO } else { 1.0 };
    let (width, height) = (film.width() as f64, film.height() as f64 * stretch);
    let (sin, cos) = degrees.to_radians().sin_cos();
    let (wide, high) = (width * cos.abs() + height * sin.abs(), width * sin.abs() + height * cos.abs());
    // Back in the proportions that the film came in.
    let (columns, rows) = (wide.round() as usize, (high / stretch).round() as usize);
    let to_source = Affine::translation(-0.5 * (columns as f64 - 1.0), -0.5 * (rows as f64 - 1.0))
        .then(Affine::scale(1.0, stretch))
        .then(Affine::rotation(-degrees.to_radians()))
        .then(Affine::scale(1.0, 1.0 / stretch))
        .then(Affine::translation(0.5 * (film.width() as f64 - 1.0), 0.5 * (film.height() as f64 - 1.0)));
    let mut turned = warp(film, &to_source, columns, rows);
    let ground = quantile(film, 0.01);
    let inside = |at: f64, side: usize| (-0.5..=side as f64 - 0.5).contains(&at);
    for (i, grey) in turned.pixels_mut().iter_mut().enumerate() {
        let (x, y) = to_source.apply((i % columns) as f64, (i / columns) as f64);
        if !inside(x, film.width()) || !inside(y, film.height()) {
            *grey = ground;
        }
    }
    turned
}

#[cfg(test)]
mod tests {
    use super::super::tests::film;
    use super::*;

    #[test]
    fn four_quarters_and_two_mirrors_are_nothing() {
        let film = film(12, 7);
        assert_eq!(quarter(&quarter(&quarter(&quarter(&film)))), film);
        assert_eq!(film.mirrored().mirrored(), film);
        // The upper left corner goes to the upper right.
        assert_eq!(quarter(&film).at(6, 0), film.at(0, 0));
    }

    #[test]
    fn a_turn_keeps_the_middle_and_a_turn_back_the_film() {
        let film = film(101, 141);
        let turned_film = turned(&film, 30.0);
        let middle = |plane: &Plane| plane.at(plane.width() / 2, plane.height() / 2);
        assert!((middle(&turned_film) - middle(&film)).abs() < 0.01);
        assert_eq!(turned_film.at(0, 0), quantile(&film, 0.01));
        let back = turned(&turned_film, -30.0);
        let (dx, dy) = ((back.width() - 101) / 2, (back.height() - 141) / 2);
        for (x, y) in [(20, 20), (80, 30), (50, 120)] {
            assert!((back.at(x + dx, y + dy) - film.at(x, y)).abs() < 0.02, "{x} {y}");
        }
        // A quarter turn by degrees is that by pixels.
        let quarters = turned(&film, 90.0);
        assert!((quarters.at(100, 50) - quarter(&film).at(100, 50)).abs() < 1e-4);
    }
}
