//! The film exposed and developed otherwise: other greys for the same hand.

use super::{Change, ChangeKind, quantile};
use boneage_core::Plane;

const KIND: ChangeKind = ChangeKind::Exposure;
/// What brightness the films of the challenge's official test have beside those of the training: medians over films
/// of the 99th percentile of grey, of 255.
const DARKER: f32 = 74.0 / 192.0;

pub(super) const CHANGES: &[Change] = &[
    // Exact, and so under the stricter bar of what only lies otherwise.
    Change { name: "inverted", kind: ChangeKind::Geometry, apply: |film, _| film.map(|grey| 1.0 - grey) },
    Change { name: "gamma 0.6", kind: KIND, apply: |film, _| film.map(|grey| grey.powf(0.6)) },
    Change { name: "gamma 0.8", kind: KIND, apply: |film, _| film.map(|grey| grey.powf(0.8)) },
    Change { name: "gamma 1.25", kind: KIND, apply: |film, _| film.map(|grey| grey.powf(1.25)) },
    Change { name: "gamma 1.6", kind: KIND, apply: |film, _| film.map(|grey| grey.powf(1.6)) },
    Change { name: "window 1 % cut", kind: KIND, apply: |film, _| windowed(film, 0.01) },
    Change { name: "window 5 % cut", kind: KIND, apply: |film, _| windowed(film, 0.05) },
    Change { name: "half the contrast", kind: KIND, apply: |film, _| film.map(|grey| 0.25 + 0.5 * grey) },
    Change { name: "dark as the test", kind: KIND, apply: |film, _| darkened(film) },
];

/// The greys between two quantiles stretched over the whole range, the rest cut.
fn windowed(film: &Plane, cut: f64) -> Plane {
    let (low, high) = (quantile(film, cut), quantile(film, 1.0 - cut));
    let range = (high - low).max(1.0 / 255.0);
    film.map(|grey| ((grey - low) / range).clamp(0.0, 1.0))
}

/// Darker by the same factor everywhere, in the 256 greys of a file: fewer of them are left.
fn darkened(film: &Plane) -> Plane {
    film.map(|grey| (grey * DARKER * 255.0).round() / 255.0)
}

#[cfg(test)]
mod tests {
    use super::super::tests::film;
    use super::*;

    #[test]
    fn a_window_spans_all_greys_and_darkness_scales_them() {
        let film = film(60, 60);
        let seen = windowed(&film, 0.05);
        assert_eq!((quantile(&seen, 0.01), quantile(&seen, 0.99)), (0.0, 1.0));
        let dark = darkened(&film);
        let expected = quantile(&film, 0.99) * 74.0 / 192.0;
        assert!((quantile(&dark, 0.99) - expected).abs() < 1.0 / 255.0);
    }
}
