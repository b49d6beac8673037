//! The film worse than it was: noise, blur, losses, fewer or more pixels.

use super::{Change, ChangeKind};
use boneage_core::{Plane, stream};
use boneage_vision::{DecodeLimits, Filter, decode, resize};
use image::codecs::jpeg::JpegEncoder;
use image::{ExtendedColorType, ImageEncoder};

const KIND: ChangeKind = ChangeKind::Wear;

pub(super) const CHANGES: &[Change] = &[
    Change { name: "noise 4", kind: KIND, apply: |film, id| noisy(film, id, 4.0) },
    Change { name: "noise 10", kind: KIND, apply: |film, id| noisy(film, id, 10.0) },
    Change { name: "blurred", kind: KIND, apply: |film, _| blurred(film) },
    Change { name: "JPEG 50", kind: KIND, apply: |film, _| through_jpeg(film, 50) },
    Change { name: "half the size", kind: KIND, apply: |film, _| sized(film, 0.5) },
    Change { name: "twice the size", kind: KIND, apply: |film, _| sized(film, 2.0) },
];

/// Normal noise of `sd` greys of 255 in every pixel of the file.
fn noisy(film: &Plane, id: &str, sd: f64) -> Plane {
    let mut random = stream(1, &["stress", "noise", id]);
    let mut noisy = film.clone();
    for grey in noisy.pixels_mut() {
        *grey = (*grey + (sd / 255.0 * random.normal()) as f32).clamp(0.0, 1.0);
    }
    noisy
}

/// Down to 150 pixels across and up again: half of what the smallest films have.
fn blurred(film: &Plane) -> Plane {
    let (width, height) = (film.width(), film.height());
    let share = 150.0 / width.min(height) as f64;
    let side = |pixels: usize| ((pixels as f64 * share).round() as usize).max(1);
    let small = resize(film, side(width), side(height), Filter::Triangle);
    resize(&small, width, height, Filter::Triangle).map(|grey| grey.clamp(0.0, 1.0))
}

fn through_jpeg(film: &Plane, quality: u8) -> Plane {
    let greys: Vec<u8> = film.pixels().iter().map(|grey| (grey * 255.0).round() as u8).collect();
    let mut file = Vec::new();
    JpegEncoder::new_with_quality(&mut file, quality)
        .write_image(&greys, film.width() as u32, film.height() as u32, ExtendedColorType::L8)
        .expect("memory takes any file, and a film is no wider than a JPEG may be");
    decode(&file, &DecodeLimits::default()).expect("a file that was written here").plane
}

fn sized(film: &Plane, factor: f64) -> Plane {
    let side = |pixels: usize| ((pixels as f64 * factor).round() as usize).max(1);
    resize(film, side(film.width()), side(film.height()), Filter::Cubic).map(|grey| grey.clamp(0.0, 1.0))
}

#[cfg(test)]
mod tests {
    use super::super::tests::film;
    use super::*;

    fn mean_difference(a: &Plane, b: &Plane) -> f32 {
        let sum: f32 = a.pixels().iter().zip(b.pixels()).map(|(a, b)| (a - b).abs()).sum();
        sum / a.pixels().len() as f32
    }

    #[test]
    fn wear_is_slight_and_sizes_are_as_said() {
        let film = film(300, 400);
        assert!((mean_difference(&noisy(&film, "1", 10.0), &film) * 255.0 - 7.98).abs() < 0.3);
        assert!(mean_difference(&through_jpeg(&film, 50), &film) < 0.02);
        assert!(mean_difference(&blurred(&film), &film) < 0.01);
        let sizes =
            [0.5, 2.0].map(|factor| sized(&film, factor)).map(|plane| (plane.width(), plane.height()));
        assert_eq!(sizes, [(150, 200), (600, 800)]);
    }
}
