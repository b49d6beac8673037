use boneage_core::Plane;

/// Sums of all pixels above and to the left, so that the sum of any box takes four of them (Viola and Jones 2001).
///
/// In f64, where the sums of a flat image of f32 greys are exact up to half a billion pixels.
pub(super) struct Integral {
    width: usize,
    height: usize,
    /// `[height + 1, width + 1]`
    sums: Vec<f64>,
}

impl Integral {
    pub(super) fn of(image: &Plane) -> Self {
        let (width, height) = (image.width(), image.height());
        let mut sums = vec![0.0; (width + 1) * (height + 1)];
        for y in 0..height {
            let mut row = 0.0;
            for (x, &grey) in image.row(y).iter().enumerate() {
                row += f64::from(grey);
                sums[(y + 1) * (width + 1) + x + 1] = sums[y * (width + 1) + x + 1] + row;
            }
        }
        Integral { width, height, sums }
    }

    pub(super) fn width(&self) -> usize {
        self.width
    }

    pub(super) fn height(&self) -> usize {
        self.height
    }

    /// Sum of the pixels with `left <= x < right` and `top <= y < bottom`; those beyond the image count as 0.
    pub(super) fn sum(&self, left: i64, top: i64, right: i64, bottom: i64) -> f64 {
        let at = |x: i64, y: i64| {
            let (x, y) = (x.clamp(0, self.width as i64) as usize, y.clamp(0, self.height as i64) as usize);
            self.sums[y * (self.width + 1) + x]
        };
        at(left, top) + at(right, bottom) - at(right, top) - at(left, bottom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boxes_are_summed_and_cut_at_the_edge() {
        let image = Plane::from_fn(4, 3, |x, y| (10 * y + x) as f32);
        let integral = Integral::of(&image);
        assert_eq!(integral.sum(1, 1, 3, 3), 11.0 + 12.0 + 21.0 + 22.0);
        assert_eq!(integral.sum(-5, -5, 9, 9), image.pixels().iter().map(|&p| f64::from(p)).sum::<f64>());
        assert_eq!(integral.sum(2, 2, 9, 9), 22.0 + 23.0);
        assert_eq!((integral.sum(2, 1, 2, 3), integral.width(), integral.height()), (0.0, 4, 3));
    }
}
