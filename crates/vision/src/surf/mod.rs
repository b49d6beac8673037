//! SURF (Bay, Ess, Tuytelaars and Van Gool, Speeded-Up Robust Features, 2008), upright: places where the determinant
//! of the Hessian, from boxes on an integral image, is largest among neighbours in place and scale, described by sums
//! of Haar wavelets. The crates that have it let the boxes overlap unevenly, so that a flat image is not flat to
//! them; here every filter's boxes cancel to the bit.

mod descriptor;
mod hessian;
mod integral;

pub use hessian::hessian_determinant;

use crate::{Keypoint, Keypoints};
use boneage_core::Plane;
use descriptor::{WIDTH, describe};
use hessian::{Layer, PER_OCTAVE, side};
use integral::Integral;

/// The brightest grey.
const WHITE: f64 = 255.0;

/// What counts as a keypoint.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Surf {
    /// Octaves that are searched: each has four filters and pixels twice as far apart as the one before. The
    /// third ends with filters of 99 pixels.
    pub octaves: u32,
    /// The least determinant of a keypoint, for greys 0..1. 0.0004 is what the open implementations take.
    pub threshold: f64,
}

impl Default for Surf {
    fn default() -> Self {
        Surf { octaves: 3, threshold: 4e-4 }
    }
}

impl Surf {
    /// Keypoints of an image with greys 0..255, each with 64 numbers.
    pub fn keypoints(&self, image: &Plane) -> Keypoints {
        let integral = Integral::of(image);
        let mut places = Vec::new();
        for octave in 0..self.octaves {
            let layers: Vec<Layer> =
                (0..PER_OCTAVE).map(|index| Layer::of(&integral, octave, index)).collect();
            for (index, around) in layers.windows(3).enumerate() {
                self.peaks(around, octave, index + 1, &mut places);
            }
        }
        let descriptors = places.iter().flat_map(|place| describe(&integral, place)).collect();
        Keypoints { places, descriptors, width: WIDTH }
    }

    /// Places in the middle one of three layers that stand above all 26 neighbours, between the grid's points by
    /// the parabola through them.
    fn peaks(&self, around: &[Layer], octave: u32, index: usize, places: &mut Vec<Keypoint>) {
        let middle = &around[1];
        let step = f64::from(1u32 << octave);
        for y in 1..middle.height().saturating_sub(1) {
            for x in 1..middle.width().saturating_sub(1) {
                let value = middle.at(x, y);
                let response = value / (WHITE * WHITE);
                if response <= self.threshold || !stands_out(around, x, y, value) {
                    continue;
                }
                let Some([dx, dy, ds]) = summit(around, x, y) else { continue };
                let side = side(octave, index) as f64 + ds * 6.0 * step;
                places.push(Keypoint {
                    x: ((x as f64 + dx) * step) as f32,
                    y: ((y as f64 + dy) * step) as f32,
                    sigma: hessian::sigma(side) as f32,
                    response: response as f32,
                });
            }
        }
    }
}

fn stands_out(around: &[Layer], x: usize, y: usize, value: f64) -> bool {
    let offsets = (0..27).filter(|&i| i != 13).map(|i| (i / 9, i / 3 % 3, i % 3));
    offsets.into_iter().all(|(layer, dy, dx)| around[layer].at(x + dx - 1, y + dy - 1) < value)
}

/// Where the parabola through the 27 values has its summit, in steps from the middle (Brown and Lowe 2002); `None`
/// where it lies beyond the neighbours.
fn summit(around: &[Layer], x: usize, y: usize) -> Option<[f64; 3]> {
    let at = |dx: i32, dy: i32, ds: i32| {
        let go = |from: usize, by: i32| from.wrapping_add_signed(by as isize);
        around[go(1, ds)].at(go(x, dx), go(y, dy))
    };
    let along = |axis: usize, by: i32| {
        let mut offset = [0; 3];
        offset[axis] = by;
        offset
    };
    let value = |[dx, dy, ds]: [i32; 3]| at(dx, dy, ds);
    let slope: [f64; 3] = std::array::from_fn(|a| (value(along(a, 1)) - value(along(a, -1))) / 2.0);
    let curve = |a: usize, b: usize| {
        if a == b {
            return value(along(a, 1)) - 2.0 * at(0, 0, 0) + value(along(a, -1));
        }
        let corner = |i: i32, j: i32| {
            let mut offset = along(a, i);
            offset[b] = j;
            value(offset)
        };
        (corner(1, 1) - corner(1, -1) - corner(-1, 1) + corner(-1, -1)) / 4.0
    };
    let matrix: [[f64; 3]; 3] = std::array::from_fn(|a| std::array::from_fn(|b| curve(a, b)));
    let offset = solve(matrix, slope.map(|s| -s))?;
    offset.iter().all(|o| o.abs() <= 1.0).then_some(offset)
}

/// `m x = b` by Cramer's rule; `None` where `m` flattens space.
fn solve(m: [[f64; 3]; 3], b: [f64; 3]) -> Option<[f64; 3]> {
    let determinant = |m: &[[f64; 3]; 3]| {
        let minor = |i: usize, j: usize| m[1][i] * m[2][j] - m[1][j] * m[2][i];
        m[0][0] * minor(1, 2) - m[0][1] * minor(0, 2) + m[0][2] * minor(0, 1)
    };
    let whole = determinant(&m);
    if whole == 0.0 {
        return None;
    }
    Some(std::array::from_fn(|column| {
        let mut replaced = m;
        (0..3).for_each(|row| replaced[row][column] = b[row]);
        determinant(&replaced) / whole
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_equations_are_solved_and_flat_ones_refused() {
        let m = [[2.0, 1.0, 0.0], [1.0, 3.0, 1.0], [0.0, 1.0, 4.0]];
        let x = solve(m, [4.0, 10.0, 14.0]).unwrap();
        for (row, b) in m.iter().zip([4.0, 10.0, 14.0]) {
            let got: f64 = row.iter().zip(x).map(|(m, x)| m * x).sum();
            assert!((got - b).abs() < 1e-12);
        }
        assert_eq!(solve([[1.0, 2.0, 3.0]; 3], [1.0; 3]), None);
    }

    #[test]
    fn a_blob_is_found_at_its_place_and_scale() {
        for sigma in [3.0f64, 6.0, 10.0] {
            let (x0, y0) = (60.3, 71.6);
            let image = Plane::from_fn(128, 140, |x, y| {
                let square = (x as f64 - x0).powi(2) + (y as f64 - y0).powi(2);
                (40.0 + 180.0 * (-square / (2.0 * sigma * sigma)).exp()) as f32
            });
            let found = Surf::default().keypoints(&image);
            let best = found.places.iter().max_by(|a, b| a.response.total_cmp(&b.response)).unwrap();
            let off = (f64::from(best.x) - x0).hypot(f64::from(best.y) - y0);
            assert!(off < 0.15 * sigma, "{best:?} for {sigma}");
            // The boxes are broader than the Gaussian's derivatives that the publication names for them: of
            // scikit-image's determinants too, the largest is the one named 0.67 to 0.74 of the blob.
            assert!((0.6..0.8).contains(&(f64::from(best.sigma) / sigma)), "{best:?} for {sigma}");
        }
    }

    #[test]
    fn a_flat_image_has_no_keypoint() {
        for grey in [0.0, 0.1, 77.7, 255.0] {
            let image = Plane::filled(150, 130, grey);
            let found = Surf { octaves: 4, threshold: 0.0 }.keypoints(&image);
            assert!(found.is_empty() && found.descriptors.is_empty());
        }
    }

    #[test]
    fn keypoints_move_with_the_image_and_descriptors_stay() {
        let film = |shift: usize| {
            Plane::from_fn(160, 160, |x, y| {
                let (u, v) = ((x as f64 - shift as f64) / 9.0, (y as f64 - shift as f64) / 13.0);
                let inside = (30 + shift..110 + shift).contains(&x) && (30 + shift..110 + shift).contains(&y);
                if inside { (120.0 + 60.0 * (u.sin() * v.cos() + (0.31 * u * v).sin())) as f32 } else { 0.0 }
            })
        };
        let surf = Surf { octaves: 2, threshold: 1e-3 };
        // By whole steps of the coarser octave, so that the grids coincide.
        let (here, there) = (surf.keypoints(&film(0)), surf.keypoints(&film(8)));
        assert!(here.len() > 10 && here.len() == there.len(), "{} {}", here.len(), there.len());
        for (a, b) in here.places.iter().zip(&there.places) {
            assert!((b.x - a.x - 8.0).abs() < 1e-3 && (b.y - a.y - 8.0).abs() < 1e-3, "{a:?} {b:?}");
        }
        for (a, b) in here.descriptors.iter().zip(&there.descriptors) {
            assert!((a - b).abs() < 1e-3);
        }
    }
}
