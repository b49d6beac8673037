use boneage_core::Plane;
use fast_image_resize::images::TypedImage;
use fast_image_resize::pixels::F32;
use fast_image_resize::{FilterType, ResizeAlg, ResizeOptions, Resizer};
use serde::{Deserialize, Serialize};

/// How pixels are weighed when an image is scaled. The kernel widens with the reduction, so that no
/// source pixel is skipped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Filter {
    /// The mean of the covered pixels.
    Box,
    /// A triangle: what Pillow calls `BILINEAR`. It made the 299 px training images; see
    /// [`Canonical`](crate::Canonical).
    Triangle,
    /// A cubic (Catmull-Rom), sharper; Pillow's `BICUBIC` but for its constant.
    Cubic,
    /// A windowed sinc of three lobes, Pillow's `LANCZOS`.
    Lanczos,
}

/// `source` scaled to `width` x `height`. The same size comes back as it is, bit for bit.
///
/// # Panics
/// If a side of either image is zero; decoding lets no such image through.
pub fn resize(source: &Plane, width: usize, height: usize, filter: Filter) -> Plane {
    if (source.width(), source.height()) == (width, height) {
        return source.clone();
    }
    let pixels = source.pixels().iter().map(|&p| F32::new(p)).collect();
    let to = resize_pixels(pixels, (source.width(), source.height()), (width, height), filter);
    Plane::new(width, height, to.pixels().iter().map(|p| p.0).collect())
}

/// The same for pixels that need not be copied; `from` and `to` are width and height.
pub(crate) fn resize_pixels(
    pixels: Vec<F32>,
    from: (usize, usize),
    to: (usize, usize),
    filter: Filter,
) -> TypedImage<'static, F32> {
    let filter = match filter {
        Filter::Box => FilterType::Box,
        Filter::Triangle => FilterType::Bilinear,
        Filter::Cubic => FilterType::CatmullRom,
        Filter::Lanczos => FilterType::Lanczos3,
    };
    let from = TypedImage::from_pixels(from.0 as u32, from.1 as u32, pixels)
        .expect("a plane holds width x height pixels");
    let mut to = TypedImage::<F32>::new(to.0 as u32, to.1 as u32);
    let options = ResizeOptions::new().resize_alg(ResizeAlg::Convolution(filter));
    Resizer::new().resize_typed(&from, &mut to, &options).expect("no crop box, so none out of bounds");
    to
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_size_is_the_same_image_and_flat_stays_flat() {
        let ramp = Plane::from_fn(9, 7, |x, y| (x * y) as f32 / 48.0);
        assert_eq!(resize(&ramp, 9, 7, Filter::Triangle), ramp);
        for filter in [Filter::Box, Filter::Triangle, Filter::Cubic, Filter::Lanczos] {
            let flat = resize(&Plane::filled(50, 31, 0.25), 13, 17, filter);
            assert!(flat.pixels().iter().all(|p| (p - 0.25).abs() < 1e-6), "{filter:?}");
        }
    }

    /// Pillow: `Image.fromarray(a).resize((3, 1), Image.BILINEAR)` on f32 `[0, 0, 0, 6, 0, 0, 0]`:
    /// a triangle of half-width 7/3 about 3.5, cut at the pixel grid.
    #[test]
    fn the_triangle_is_that_of_pillow() {
        let spike = Plane::new(7, 1, vec![0.0, 0.0, 0.0, 6.0, 0.0, 0.0, 0.0]);
        let got = resize(&spike, 3, 1, Filter::Triangle);
        for (got, want) in got.pixels().iter().zip(PILLOW) {
            assert!((got - want).abs() < 1e-5, "{got} {want}");
        }
    }
    const PILLOW: [f32; 3] = [0.0, 2.470_588_2, 0.0];
}
