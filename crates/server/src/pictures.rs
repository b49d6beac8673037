//! What the page shows of a film, as PNG.

use boneage_core::Plane;
use boneage_vision::{Filter, resize};
use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{ExtendedColorType, ImageEncoder, ImageResult};

/// Longest side of a map in pixels. The attention map has some twenty cells a side and the hand's edge is drawn
/// as a line: more would only be more bytes.
const MAP_SIDE: usize = 768;

/// Shares of the pixels that may be darker than black and brighter than white.
const CUT: [f64; 2] = [0.0005, 0.0005];

/// Bins of the histogram that finds black and white.
const BINS: usize = 4096;

/// The film at full size, 8 bit grey, its darkest pixel black and its brightest white but for a few outliers.
pub(crate) fn image(film: &Plane) -> ImageResult<Vec<u8>> {
    let [black, white] = levels(film.pixels());
    let scale = 255.0 / (white - black);
    grey(film, |value| ((value - black) * scale).round().clamp(0.0, 255.0) as u8)
}

/// A map of 0..1 in the film's pixels, scaled down.
pub(crate) fn map(map: &Plane) -> ImageResult<Vec<u8>> {
    let longest = map.width().max(map.height());
    let byte = |value: f32| (value * 255.0).round().clamp(0.0, 255.0) as u8;
    if longest <= MAP_SIDE {
        return grey(map, byte);
    }
    let side = |pixels: usize| (pixels * MAP_SIDE / longest).max(1);
    grey(&resize(map, side(map.width()), side(map.height()), Filter::Box), byte)
}

fn grey(plane: &Plane, byte: impl Fn(f32) -> u8) -> ImageResult<Vec<u8>> {
    let bytes: Vec<u8> = plane.pixels().iter().map(|&value| byte(value)).collect();
    let mut png = Vec::with_capacity(bytes.len() / 2);
    // Somebody waits: a third more bytes cost less than the time to save them.
    PngEncoder::new_with_quality(&mut png, CompressionType::Fast, FilterType::Up).write_image(
        &bytes,
        plane.width() as u32,
        plane.height() as u32,
        ExtendedColorType::L8,
    )?;
    Ok(png)
}

/// The greys that become black and white.
fn levels(pixels: &[f32]) -> [f32; 2] {
    let mut counts = [0usize; BINS];
    for &pixel in pixels {
        counts[((pixel * (BINS - 1) as f32) as usize).min(BINS - 1)] += 1;
    }
    let black = first_beyond(CUT[0] * pixels.len() as f64, counts.iter().copied());
    let white = BINS - 1 - first_beyond(CUT[1] * pixels.len() as f64, counts.iter().rev().copied());
    let level = |bin: usize| bin as f32 / (BINS - 1) as f32;
    if white > black { [level(black), level(white)] } else { [0.0, 1.0] }
}

/// The first bin that reaches beyond `share` pixels.
fn first_beyond(share: f64, counts: impl Iterator<Item = usize>) -> usize {
    let mut passed = 0;
    let beyond = |count| {
        passed += count;
        passed as f64 > share
    };
    counts.map(beyond).position(|found| found).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(png: &[u8]) -> image::GrayImage {
        image::load_from_memory(png).unwrap().into_luma8()
    }

    #[test]
    fn a_faint_film_fills_the_greys_and_a_flat_one_stays_as_it_is() {
        let faint = Plane::from_fn(100, 50, |x, _| 0.4 + 0.1 * x as f32 / 99.0);
        let picture = read(&image(&faint).unwrap());
        assert_eq!(picture.dimensions(), (100, 50));
        assert!(picture.get_pixel(0, 0).0[0] < 3 && picture.get_pixel(99, 49).0[0] > 252);
        let flat = read(&image(&Plane::filled(40, 40, 0.5)).unwrap());
        assert_eq!(flat.get_pixel(3, 3).0[0], 128);
    }

    #[test]
    fn a_map_is_scaled_down_and_keeps_its_shape() {
        let large = Plane::from_fn(1600, 2000, |x, _| if x < 800 { 0.0 } else { 1.0 });
        let picture = read(&map(&large).unwrap());
        assert_eq!(picture.dimensions(), (614, 768));
        assert_eq!([picture.get_pixel(10, 5).0[0], picture.get_pixel(600, 5).0[0]], [0, 255]);
        assert_eq!(read(&map(&Plane::filled(30, 20, 1.0)).unwrap()).dimensions(), (30, 20));
    }
}
