use super::integral::Integral;
use boneage_core::Plane;

/// Filters in an octave.
pub(super) const PER_OCTAVE: usize = 4;
/// The smallest filter, and the Gaussian that it stands for.
const SMALLEST: f64 = 9.0;
const SMALLEST_SIGMA: f64 = 1.2;
/// Weight of the mixed derivative: what the boxes give it too much beside the Gaussian's.
const MIXED: f64 = 0.9;

/// Side in pixels of a filter: 9, 15, 21, 27, then 15, 27, 39, 51, then 27, 51, 75, 99.
pub(super) fn side(octave: u32, index: usize) -> usize {
    3 * ((2 << octave) * (index + 1) + 1)
}

/// Standard deviation of the Gaussian that a filter of `side` pixels stands for.
pub(super) fn sigma(side: f64) -> f64 {
    SMALLEST_SIGMA / SMALLEST * side
}

/// Determinants of one filter at every `2^octave`-th pixel.
pub(super) struct Layer {
    width: usize,
    height: usize,
    values: Vec<f64>,
}

impl Layer {
    pub(super) fn of(integral: &Integral, octave: u32, index: usize) -> Self {
        let (step, side) = (1usize << octave, side(octave, index));
        let (width, height) = (integral.width().div_ceil(step), integral.height().div_ceil(step));
        let places = (0..height).flat_map(|y| (0..width).map(move |x| (x * step, y * step)));
        Layer { width, height, values: places.map(|(x, y)| determinant(integral, x, y, side)).collect() }
    }

    pub(super) fn width(&self) -> usize {
        self.width
    }

    pub(super) fn height(&self) -> usize {
        self.height
    }

    pub(super) fn at(&self, x: usize, y: usize) -> f64 {
        self.values[y * self.width + x]
    }
}

/// Determinant of the Hessian of every pixel by box filters of `side` pixels, an odd multiple of 3: 9 stands for a
/// Gaussian of 1.2 pixels. 0 where the filter does not fit into the image.
///
/// `Dxx Dyy - (0.9 Dxy)^2`, each divided by the filter's area: Dxx weighs three boxes side by side with 1, -2 and 1,
/// Dyy the same upright, Dxy four boxes round the pixel with 1, -1, -1 and 1.
///
/// # Panics
/// If `side` is not an odd multiple of 3.
pub fn hessian_determinant(image: &Plane, side: usize) -> Plane {
    assert!(side % 6 == 3, "a filter of {side} pixels");
    let integral = Integral::of(image);
    Plane::from_fn(image.width(), image.height(), |x, y| determinant(&integral, x, y, side) as f32)
}

fn determinant(integral: &Integral, x: usize, y: usize, side: usize) -> f64 {
    let half = side / 2;
    if x < half || y < half || x + half >= integral.width() || y + half >= integral.height() {
        return 0.0;
    }
    let (x, y, half, lobe) = (x as i64, y as i64, half as i64, (side / 3) as i64);
    let (long, across, inner) = (half, lobe - 1, lobe / 2);
    // A box from the pixel by so much to either side.
    let about = |dx: i64, dy: i64| integral.sum(x - dx, y - dy, x + dx + 1, y + dy + 1);
    // The whole less three times its middle third: 1, -2, 1.
    let xx = about(long, across) - 3.0 * about(inner, across);
    let yy = about(across, long) - 3.0 * about(across, inner);
    let corner = |right: bool, below: bool| {
        let left = if right { x + 1 } else { x - lobe };
        let top = if below { y + 1 } else { y - lobe };
        integral.sum(left, top, left + lobe, top + lobe)
    };
    let xy = corner(false, false) + corner(true, true) - corner(true, false) - corner(false, true);
    let area = (side * side) as f64;
    let [xx, yy, xy] = [xx, yy, xy].map(|sum| sum / area);
    xx * yy - (MIXED * xy).powi(2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_have_the_publications_sizes() {
        let octave = |octave| (0..PER_OCTAVE).map(|index| side(octave, index)).collect::<Vec<_>>();
        assert_eq!(octave(0), [9, 15, 21, 27]);
        assert_eq!(octave(1), [15, 27, 39, 51]);
        assert_eq!(octave(2), [27, 51, 75, 99]);
        assert!((sigma(27.0) - 3.6).abs() < 1e-12);
    }

    #[test]
    fn a_flat_image_gives_exactly_zero_everywhere() {
        // Greys that binary fractions do not hold, and sizes beside a filter's.
        for (width, height, grey) in [(99, 101, 0.1), (40, 60, 1.0 / 3.0), (30, 20, 200.7), (9, 9, 1e-7)] {
            for side in [9, 15, 27, 51, 99] {
                let response = hessian_determinant(&Plane::filled(width, height, grey), side);
                assert!(response.pixels().iter().all(|&value| value == 0.0), "{grey} {side}");
            }
        }
    }

    #[test]
    fn an_edge_has_no_determinant_and_a_corner_does() {
        let edge = Plane::from_fn(40, 40, |x, _| f32::from(u8::from(x > 20)));
        assert!(hessian_determinant(&edge, 9).pixels().iter().all(|&value| value == 0.0));
        let corner = Plane::from_fn(40, 40, |x, y| f32::from(u8::from(x > 20 && y > 20)));
        assert!(hessian_determinant(&corner, 9).pixels().iter().any(|&value| value > 0.0));
    }
}
