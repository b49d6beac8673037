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
