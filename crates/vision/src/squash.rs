use crate::resize::resize_pixels;
use crate::{Canonical, resize};
use boneage_core::Plane;
use fast_image_resize::pixels::F32;
use image::codecs::jpeg::JpegEncoder;
use image::{ExtendedColorType, ImageFormat, ImageReader};
use rayon::prelude::*;
use std::io::Cursor;

/// `source` as it would stand in the training set: squashed to the canonical square and, where the recipe
/// says so, through the JPEG that the training images went through. An image of that size already is
/// left as it is.
///
/// Black and white of the file are stretched to 0..1 before the rounding to 8 bit and taken back after
/// it, so that a dark film, or a 16 bit file that uses its lower bits, keeps its depth.
pub(crate) fn squash(source: &Plane, canonical: &Canonical) -> Plane {
    let (side, filter) = (canonical.size, canonical.filter);
    if (source.width(), source.height()) == (side, side) {
        return source.clone();
    }
    let Some(quality) = canonical.jpeg_quality else {
        return resize(source, side, side, filter);
    };
    let (black, span) = scale_of(source);
    // Pillow squashes the width first and rounds to 8 bit after each direction.
    let squash_width = |rows: &[f32]| {
        let scaled = rows.iter().map(|grey| F32::new(rounded((grey - black) / span))).collect();
        let height = rows.len() / source.width();
        let narrow = resize_pixels(scaled, (source.width(), height), (side, height), filter);
        narrow.pixels().iter().map(|grey| F32::new(rounded(grey.0))).collect()
    };
    // Bands of rows: between the steps each stays in the cache of whoever squashes it.
    let bands: Vec<Vec<F32>> = source.pixels().par_chunks(BAND * source.width()).map(squash_width).collect();
    let squashed = resize_pixels(bands.concat(), (side, source.height()), (side, side), filter);
    let squashed = squashed.pixels().iter().map(|grey| rounded(grey.0)).collect();
    through_jpeg(&Plane::new(side, side, squashed), quality).map(|grey| black + grey * span)
}

/// Rows of a band. The filter takes rows in fours; as a multiple of them a band changes no sum.
const BAND: usize = 64;

/// A grey 0..1 at the nearest of 256 levels.
fn rounded(grey: f32) -> f32 {
    let level = (grey * 255.0).clamp(0.0, 255.0);
    // As `f32::round`, which is a call for each pixel on a processor that is not asked for more than SSE2.
    let whole = f32::from(level as u8);
    (if level - whole >= 0.5 { whole + 1.0 } else { whole }) / 255.0
}

/// What becomes 0, and how much above it becomes 255.
fn scale_of(plane: &Plane) -> (f32, f32) {
    const LANES: usize = 16;
    let extremes = |pixels: &[f32]| {
        // Sixteen searches side by side: one alone waits for each comparison.
        let (mut low, mut high) = ([f32::INFINITY; LANES], [f32::NEG_INFINITY; LANES]);
        let (chunks, rest) = pixels.as_chunks::<LANES>();
        for chunk in chunks.iter().map(|chunk| &chunk[..]).chain([rest]) {
            for ((&grey, low), high) in chunk.iter().zip(&mut low).zip(&mut high) {
                *low = low.min(grey);
                *high = high.max(grey);
            }
        }
        (low.into_iter().fold(f32::INFINITY, f32::min), high.into_iter().fold(f32::NEG_INFINITY, f32::max))
    };
    let nothing = || (f32::INFINITY, f32::NEG_INFINITY);
    let bands = plane.pixels().par_chunks((BAND * plane.width()).max(1)).map(extremes);
    let (low, high) = bands.reduce(nothing, |a, b| (a.0.min(b.0), a.1.max(b.1)));
    if high > low { (low, high - low) } else { (0.0, 1.0) }
}

/// What a plane of greys 0..1 looks like after JPEG at `quality` (1..100).
fn through_jpeg(plane: &Plane, quality: u8) -> Plane {
    let greys: Vec<u8> = plane.pixels().iter().map(|grey| (grey * 255.0).round() as u8).collect();
    let (width, height) = (plane.width() as u32, plane.height() as u32);
    let mut bytes = Vec::new();
    let mut encoder = JpegEncoder::new_with_quality(&mut bytes, quality.clamp(1, 100));
    let decoded = encoder
        .encode(&greys, width, height, ExtendedColorType::L8)
        .and_then(|()| ImageReader::with_format(Cursor::new(bytes), ImageFormat::Jpeg).decode());
    match decoded {
        Ok(image) => {
            let pixels = image.to_luma8().into_raw().into_iter().map(|grey| f32::from(grey) / 255.0);
            Plane::new(plane.width(), plane.height(), pixels.collect())
        }
        // A side beyond what JPEG can hold: no recipe has one.
        Err(_) => plane.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn film(depth: f32) -> Plane {
        Plane::from_fn(64, 80, |x, y| {
            0.1 + depth * ((x as f32 / 9.0).sin() * (y as f32 / 7.0).cos() + 1.0) / 2.0
        })
    }

    fn difference(a: &Plane, b: &Plane) -> f32 {
        let sum: f32 = a.pixels().iter().zip(b.pixels()).map(|(a, b)| (a - b).abs()).sum();
        sum / a.pixels().len() as f32
    }

    #[test]
    fn rounding_is_that_of_the_language() {
        let edges = (0..256).flat_map(|level| {
            let middle = (level as f32 + 0.5) / 255.0;
            [middle.next_down(), middle, middle.next_up()]
        });
        for grey in edges.chain((0..100_000).map(|i| i as f32 / 99_999.0)).chain([-0.1, 1.1]) {
            assert_eq!(rounded(grey), (grey * 255.0).round().clamp(0.0, 255.0) / 255.0, "{grey}");
        }
    }

    /// As it was before bands.
    #[test]
    fn bands_are_squashed_as_the_whole() {
        let source = Plane::from_fn(211, 301, |x, y| ((x * 7919 + y * 104_729) % 251) as f32 / 250.0);
        let canonical = Canonical { size: 48, ..Canonical::default() };
        let narrow = resize(&source.map(rounded), 48, 301, canonical.filter).map(rounded);
        let whole = resize(&narrow, 48, 48, canonical.filter).map(rounded);
        assert_eq!(squash(&source, &canonical), through_jpeg(&whole, 85));
    }

    #[test]
    fn jpeg_changes_a_film_a_little_and_the_same_each_time() {
        let canonical = Canonical { size: 48, ..Canonical::default() };
        let plain = Canonical { jpeg_quality: None, ..canonical };
        let (with, without) = (squash(&film(0.8), &canonical), squash(&film(0.8), &plain));
        assert!(difference(&with, &without) < 0.01);
        assert_ne!(with, without);
        assert_eq!(with, squash(&film(0.8), &canonical));
    }

    #[test]
    fn an_image_of_the_canonical_size_is_left_as_it_is() {
        let canonical = Canonical { size: 64, ..Canonical::default() };
        let square = Plane::from_fn(64, 64, |x, y| ((x * 7919 + y * 104_729) % 256) as f32 / 255.0);
        assert_eq!(squash(&square, &canonical), square);
    }

    #[test]
    fn a_narrow_range_keeps_its_depth() {
        // Ten bits of sixteen: 8 bit of full scale would leave four greys.
        let canonical = Canonical { size: 48, ..Canonical::default() };
        let plain = Canonical { jpeg_quality: None, ..canonical };
        let (with, without) = (squash(&film(0.016), &canonical), squash(&film(0.016), &plain));
        assert!(difference(&with, &without) < 0.01 * 0.016);
    }
}
