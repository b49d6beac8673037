/// A grey image, row-major, one f32 a pixel; the origin is the upper left corner.
///
/// Pixel centres lie at whole coordinates: pixel `(x, y)` covers `x-0.5..x+0.5`.
#[derive(Clone, Debug, PartialEq)]
pub struct Plane {
    width: usize,
    height: usize,
    pixels: Vec<f32>,
}

impl Plane {
    /// A plane over `pixels`, `[height, width]` row-major.
    ///
    /// # Panics
    /// If the number of pixels is not `width * height`: a fault of the caller, never of input.
    pub fn new(width: usize, height: usize, pixels: Vec<f32>) -> Self {
        assert_eq!(pixels.len(), width * height, "pixels of a {width} x {height} plane");
        Plane { width, height, pixels }
    }

    /// A plane of one grey.
    pub fn filled(width: usize, height: usize, grey: f32) -> Self {
        Plane::new(width, height, vec![grey; width * height])
    }

    /// A plane whose pixel `(x, y)` is `f(x, y)`.
    pub fn from_fn(width: usize, height: usize, mut f: impl FnMut(usize, usize) -> f32) -> Self {
        let mut pixels = Vec::with_capacity(width * height);
        for y in 0..height {
            for x in 0..width {
                pixels.push(f(x, y));
            }
        }
        Plane::new(width, height, pixels)
    }

    /// Pixels in a row.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Number of rows.
    pub fn height(&self) -> usize {
        self.height
    }

    /// All pixels, `[height, width]` row-major.
    pub fn pixels(&self) -> &[f32] {
        &self.pixels
    }

    /// All pixels, to be written.
    pub fn pixels_mut(&mut self) -> &mut [f32] {
        &mut self.pixels
    }

    /// Row `y`, `width` pixels.
    pub fn row(&self, y: usize) -> &[f32] {
        &self.pixels[y * self.width..][..self.width]
    }

    /// Pixel at column `x` of row `y`.
    pub fn at(&self, x: usize, y: usize) -> f32 {
        self.pixels[y * self.width + x]
    }

    /// Each pixel through `f`.
    pub fn map(&self, f: impl Fn(f32) -> f32) -> Plane {
        let pixels = self.pixels.iter().map(|&p| f(p)).collect();
        Plane::new(self.width, self.height, pixels)
    }

    /// The same with left and right exchanged.
    pub fn mirrored(&self) -> Plane {
        let pixels = (0..self.height).flat_map(|y| self.row(y).iter().rev().copied()).collect();
        Plane::new(self.width, self.height, pixels)
    }
}

/// An affine map of points, `x' = a x + b y + c`, `y' = d x + e y + f`, in pixel-centre coordinates.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Affine {
    /// `[a, b, c, d, e, f]`.
    pub rows: [f64; 6],
}

impl Affine {
    /// Every point onto itself.
    pub const IDENTITY: Affine = Affine { rows: [1.0, 0.0, 0.0, 0.0, 1.0, 0.0] };

    /// Moves by `(dx, dy)` pixels.
    pub fn translation(dx: f64, dy: f64) -> Self {
        Affine { rows: [1.0, 0.0, dx, 0.0, 1.0, dy] }
    }

    /// Multiplies coordinates by `sx` and `sy`.
    pub fn scale(sx: f64, sy: f64) -> Self {
        Affine { rows: [sx, 0.0, 0.0, 0.0, sy, 0.0] }
    }

    /// Turns by `radians` about the origin; positive turns x towards y (clockwise on a screen).
    pub fn rotation(radians: f64) -> Self {
        let (sin, cos) = radians.sin_cos();
        Affine { rows: [cos, -sin, 0.0, sin, cos, 0.0] }
    }

    /// Maps the pixel grid of a `from` image (width, height) onto that of a `to` image, edges onto edges:
    /// `x' = (x + 0.5) * to / from - 0.5`.
    pub fn grid(from: (usize, usize), to: (usize, usize)) -> Self {
        let (sx, sy) = (to.0 as f64 / from.0 as f64, to.1 as f64 / from.1 as f64);
        Affine { rows: [sx, 0.0, 0.5 * sx - 0.5, 0.0, sy, 0.5 * sy - 0.5] }
    }

    /// First `self`, then `next`.
    pub fn then(self, next: Affine) -> Affine {
        let [a, b, c, d, e, f] = self.rows;
        let [na, nb, nc, nd, ne, nf] = next.rows;
        Affine {
            rows: [
                na * a + nb * d,
                na * b + nb * e,
                na * c + nb * f + nc,
                nd * a + ne * d,
                nd * b + ne * e,
                nd * c + ne * f + nf,
            ],
        }
    }

    /// The point `(x, y)` through the map.
    pub fn apply(&self, x: f64, y: f64) -> (f64, f64) {
        let [a, b, c, d, e, f] = self.rows;
        (a * x + b * y + c, d * x + e * y + f)
    }

    /// The map back, or `None` where the map flattens the plane.
    pub fn inverse(&self) -> Option<Affine> {
        let [a, b, c, d, e, f] = self.rows;
        let det = a * e - b * d;
        if det.abs() < 1e-12 {
            return None;
        }
        let (ia, ib, id, ie) = (e / det, -b / det, -d / det, a / det);
        Some(Affine { rows: [ia, ib, -(ia * c + ib * f), id, ie, -(id * c + ie * f)] })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mirror_exchanges_left_and_right() {
        let plane = Plane::from_fn(3, 2, |x, y| (10 * y + x) as f32);
        assert_eq!(plane.mirrored().pixels(), [2.0, 1.0, 0.0, 12.0, 11.0, 10.0]);
    }

    #[test]
    fn an_affine_map_and_its_inverse_cancel() {
        let map = Affine::rotation(0.3).then(Affine::scale(2.0, 0.5)).then(Affine::translation(7.0, -3.0));
        let back = map.then(map.inverse().expect("not flat"));
        for (got, want) in back.rows.iter().zip(Affine::IDENTITY.rows) {
            assert!((got - want).abs() < 1e-12);
        }
        assert_eq!(Affine::scale(0.0, 1.0).inverse(), None);
    }

    #[test]
    fn grid_maps_edges_onto_edges() {
        let map = Affine::grid((10, 4), (5, 8));
        assert_eq!(map.apply(-0.5, -0.5), (-0.5, -0.5));
        assert_eq!(map.apply(9.5, 3.5), (4.5, 7.5));
    }
}
