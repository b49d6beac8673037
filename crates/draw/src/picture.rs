use crate::Colour;
use crate::colours::grey;
use boneage_core::Plane;
use image::{ImageBuffer, Luma, Rgb, RgbImage, imageops};

/// A plane resampled to `width` x `height`; smooth, without ringing.
pub fn scaled(plane: &Plane, width: usize, height: usize) -> Plane {
    let (from_width, from_height) = (plane.width() as u32, plane.height() as u32);
    let grey = ImageBuffer::<Luma<f32>, _>::from_raw(from_width, from_height, plane.pixels().to_vec())
        .expect("a plane has width times height pixels");
    let out = imageops::resize(&grey, width as u32, height as u32, imageops::FilterType::Triangle);
    Plane::new(width, height, out.into_raw())
}

/// A plane of 0..1 as greys.
pub fn grey_picture(plane: &Plane) -> RgbImage {
    painted(plane, grey)
}

/// A plane in the colours that `paint` gives its values.
pub fn painted(plane: &Plane, paint: impl Fn(f32) -> Colour) -> RgbImage {
    RgbImage::from_fn(plane.width() as u32, plane.height() as u32, |x, y| {
        Rgb(paint(plane.at(x as usize, y as usize)))
    })
}

/// Greys between two quantiles as 0..1, beyond them cut: a dim film is seen too. The upper quantile is that of
/// the pixels that `within` covers, where it is given, so that letters of lead and a plate's white border do not
/// leave the rest black.
pub fn stretched(plane: &Plane, within: Option<&Plane>, [low, high]: [f32; 2]) -> Plane {
    let quantile = |mut greys: Vec<f32>, share: f32| {
        greys.sort_unstable_by(f32::total_cmp);
        greys.get((greys.len().saturating_sub(1) as f32 * share) as usize).copied()
    };
    let covered = |i: usize| within.is_none_or(|mask| mask.pixels()[i] > 0.5);
    let all = plane.pixels().iter().enumerate();
    let inside = all.filter(|&(i, _)| covered(i)).map(|(_, &grey)| grey).collect();
    let low = quantile(plane.pixels().to_vec(), low).unwrap_or(0.0);
    let high = quantile(inside, high).unwrap_or(1.0);
    plane.map(|grey| ((grey - low) / (high - low).max(1e-6)).clamp(0.0, 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn greys_are_stretched_to_what_the_mask_covers() {
        let plane = Plane::new(4, 1, vec![0.2, 0.3, 0.4, 0.9]);
        let all = stretched(&plane, None, [0.0, 1.0]);
        assert_eq!((all.at(0, 0), all.at(3, 0)), (0.0, 1.0));
        let mask = Plane::new(4, 1, vec![1.0, 1.0, 1.0, 0.0]);
        let hand = stretched(&plane, Some(&mask), [0.0, 1.0]);
        assert!((hand.at(1, 0) - 0.5).abs() < 1e-6 && hand.at(2, 0) == 1.0 && hand.at(3, 0) == 1.0);
        assert_eq!(stretched(&Plane::filled(2, 2, 0.4), None, [0.01, 0.99]).at(0, 0), 0.0);
    }
}
