//! Something else on the film, or less of it.

use super::{Change, ChangeKind, quantile};
use boneage_core::Plane;

const KIND: ChangeKind = ChangeKind::Wear;

pub(super) const CHANGES: &[Change] = &[
    Change { name: "black border 10 %", kind: KIND, apply: |film, _| padded(film, 0.0) },
    Change { name: "white border 10 %", kind: KIND, apply: |film, _| padded(film, 1.0) },
    Change { name: "letter of lead", kind: KIND, apply: |film, _| marked(film) },
    Change { name: "cropped by 3 %", kind: KIND, apply: |film, _| cropped(film, 0.03) },
    Change { name: "cropped by 8 %", kind: KIND, apply: |film, _| cropped(film, 0.08) },
];

/// A border of a tenth of each side all around.
fn padded(film: &Plane, grey: f32) -> Plane {
    let (dx, dy) = (film.width().div_ceil(10), film.height().div_ceil(10));
    Plane::from_fn(film.width() + 2 * dx, film.height() + 2 * dy, |x, y| {
        match (x.checked_sub(dx), y.checked_sub(dy)) {
            (Some(x), Some(y)) if x < film.width() && y < film.height() => film.at(x, y),
            _ => grey,
        }
    })
}

/// A bright L near the upper left corner, a twelfth of the film high.
fn marked(film: &Plane) -> Plane {
    let (width, height) = (film.width(), film.height());
    let unit = (width.max(height) / 60).max(1);
    let (left, top) = (width / 20, height / 20);
    let bright = quantile(film, 0.999).max(0.9);
    Plane::from_fn(width, height, |x, y| {
        let (u, v) = (x.wrapping_sub(left) / unit, y.wrapping_sub(top) / unit);
        let letter = (u == 0 && v < 5) || (u < 3 && v == 4);
        if letter { bright } else { film.at(x, y) }
    })
}

/// Without `share` of each side, on each side.
fn cropped(film: &Plane, share: f64) -> Plane {
    let cut = |side: usize| ((side as f64 * share).round() as usize).min((side - 1) / 2);
    let (dx, dy) = (cut(film.width()), cut(film.height()));
    Plane::from_fn(film.width() - 2 * dx, film.height() - 2 * dy, |x, y| film.at(x + dx, y + dy))
}

#[cfg(test)]
mod tests {
    use super::super::tests::film;
    use super::*;

    #[test]
    fn a_border_is_cropped_away_again_and_a_letter_is_small() {
        let film = film(100, 140);
        let bordered = padded(&film, 1.0);
        assert_eq!((bordered.width(), bordered.at(0, 0), bordered.at(10, 14)), (120, 1.0, film.at(0, 0)));
        assert_eq!(cropped(&bordered, 1.0 / 12.0), film);
        let letter = marked(&film);
        let other = letter.pixels().iter().zip(film.pixels()).filter(|(a, b)| a != b).count();
        assert!((20..80).contains(&other), "{other}");
    }
}
