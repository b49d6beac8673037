use boneage_core::Plane;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

/// Side of the grid of the difference hash: 16 x 16 = 256 bits.
const GRID: usize = 16;
/// At most this many of the 256 bits may differ before two images are compared further.
const MOST_BITS: u32 = 40;
/// Side of the small picture whose gradients confirm a suspicion.
const SIDE: usize = 48;
/// Least correlation of the gradients of two near-duplicates.
const LEAST_CORRELATION: f32 = 0.9;

/// What near-duplicates are found by: a difference hash and the gradients of a small picture.
///
/// The grey itself will not do: two films on the same bright plate correlate by 0.98 whatever hand
/// lies on it. Gradients see outlines and letters, and their signed root keeps the plate's edge from
/// outweighing them.
#[derive(Clone, Debug)]
pub struct Fingerprint {
    /// Bit `y * 16 + x` says whether grey rises from cell `x` to cell `x + 1` of row `y`.
    bits: [u64; 4],
    /// Signed roots of the differences to the right and below, `[2, 48, 48]`, mean 0, Euclidean
    /// length 1 (all 0 for a flat image).
    gradients: Vec<f32>,
}

impl Fingerprint {
    /// Raised whenever other pairs would be found.
    pub(crate) const VERSION: u32 = 1;

    /// Fingerprint of an image of any size of at least one pixel.
    pub fn new(image: &Plane) -> Self {
        let grid = shrink(image, GRID + 1, GRID);
        let mut bits = [0u64; 4];
        for y in 0..GRID {
            for x in 0..GRID {
                let bit = y * GRID + x;
                bits[bit / 64] |= u64::from(grid.at(x + 1, y) > grid.at(x, y)) << (bit % 64);
            }
        }
        let small = shrink(image, SIDE + 1, SIDE + 1);
        let to_the_right = Plane::from_fn(SIDE, SIDE, |x, y| small.at(x + 1, y) - small.at(x, y));
        let below = Plane::from_fn(SIDE, SIDE, |x, y| small.at(x, y + 1) - small.at(x, y));
        let differences = to_the_right.pixels().iter().chain(below.pixels());
        let mut gradients: Vec<f32> = differences.map(|d| d.signum() * d.abs().sqrt()).collect();
        let mean = gradients.iter().sum::<f32>() / gradients.len() as f32;
        gradients.iter_mut().for_each(|g| *g -= mean);
        let length = gradients.iter().map(|g| g * g).sum::<f32>().sqrt();
        gradients.iter_mut().for_each(|g| *g = if length > 1e-6 { *g / length } else { 0.0 });
        Fingerprint { bits, gradients }
    }

    fn differing_bits(&self, other: &Fingerprint) -> u32 {
        self.bits.iter().zip(other.bits).map(|(a, b)| (a ^ b).count_ones()).sum()
    }

    /// Pearson's correlation of the gradients.
    pub fn correlation(&self, other: &Fingerprint) -> f32 {
        self.gradients.iter().zip(&other.gradients).map(|(a, b)| a * b).sum()
    }
}

/// Two images that show the same film.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NearDuplicate {
    /// One id.
    pub a: String,
    /// The other id, later in the list.
    pub b: String,
    /// Correlation of their fingerprints.
    pub correlation: f32,
}

/// All pairs of near-duplicates among images with their ids, in the order of the list.
pub fn near_duplicates(images: &[(&str, Fingerprint)]) -> Vec<NearDuplicate> {
    let pairs_of = |i: usize| {
        let (a, first) = &images[i];
        let later = images[i + 1..].iter();
        let near = later.filter(|(_, second)| first.differing_bits(second) <= MOST_BITS);
        let measured = near.map(|(b, second)| (b, first.correlation(second)));
        let pair = |(b, correlation): (&&str, f32)| NearDuplicate {
            a: a.to_string(),
            b: b.to_string(),
            correlation,
        };
        measured.filter(|pair| pair.1 >= LEAST_CORRELATION).map(pair).collect::<Vec<_>>()
    };
    (0..images.len()).into_par_iter().flat_map_iter(pairs_of).collect()
}

/// `width` x `height` cells, each the mean of the pixels that it covers (at least one).
fn shrink(image: &Plane, width: usize, height: usize) -> Plane {
    let span = |i: usize, cells: usize, pixels: usize| {
        let start = (i * pixels / cells).min(pixels - 1);
        start..((i + 1) * pixels / cells).max(start + 1)
    };
    Plane::from_fn(width, height, |x, y| {
        let (columns, rows) = (span(x, width, image.width()), span(y, height, image.height()));
        let count = (columns.len() * rows.len()) as f32;
        rows.map(|row| image.row(row)[columns.clone()].iter().sum::<f32>()).sum::<f32>() / count
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use boneage_core::stream;

    fn film(seed: u64) -> Plane {
        let mut random = stream(seed, &["film"]);
        let waves: Vec<[f64; 3]> = (0..6).map(|_| [random.unit(), random.unit(), random.unit()]).collect();
        Plane::from_fn(90, 120, |x, y| {
            let wave = |w: &[f64; 3]| (w[0] * 0.2 * x as f64 + w[1] * 0.2 * y as f64 + 6.0 * w[2]).sin();
            waves.iter().map(wave).sum::<f64>() as f32
        })
    }

    #[test]
    fn a_brighter_noisy_copy_is_found_and_other_films_are_not() {
        let mut random = stream(0, &["noise"]);
        let films: Vec<Plane> = (0..20).map(film).collect();
        let noise: Vec<f32> = (0..90 * 120).map(|_| random.normal() as f32 * 0.1).collect();
        let copy = Plane::from_fn(90, 120, |x, y| films[4].at(x, y) * 1.4 + 0.3 + 0.2 * noise[y * 90 + x]);
        let names: Vec<String> = (0..21).map(|i| i.to_string()).collect();
        let images: Vec<(&str, Fingerprint)> =
            names.iter().map(String::as_str).zip(films.iter().chain([&copy]).map(Fingerprint::new)).collect();
        let found = near_duplicates(&images);
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].a.as_str(), found[0].b.as_str()), ("4", "20"));
    }

    #[test]
    fn flat_and_tiny_images_have_a_fingerprint() {
        let (flat, dot) =
            (Fingerprint::new(&Plane::filled(40, 40, 0.5)), Fingerprint::new(&Plane::filled(1, 1, 1.0)));
        assert_eq!(flat.correlation(&dot), 0.0);
    }
}
