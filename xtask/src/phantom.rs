use anyhow::{Context, Result};
use image::imageops::FilterType;
use image::{GrayImage, ImageFormat, Luma};
use std::io::Cursor;
use std::path::Path;

/// A drawn film of `examples/` at the size that is asked for, as PNG. Its grain makes it as hard to compress as a
/// radiograph, and differs from number to number: no two are the same file.
pub(crate) fn film(width: u32, height: u32, number: u32) -> Result<Vec<u8>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/girl-10-years.png");
    let drawn = image::open(&path).with_context(|| path.display().to_string())?.into_luma8();
    let large = image::imageops::resize(&drawn, width, height, FilterType::Triangle);
    let grain = |x: u32, y: u32| {
        // A hash of place and number; its low bits are as good as noise.
        let mut hash =
            x.wrapping_mul(0x9e37_79b1) ^ y.wrapping_mul(0x85eb_ca77) ^ number.wrapping_mul(0xc2b2_ae3d);
        hash = (hash ^ (hash >> 15)).wrapping_mul(0x2c1b_3c6d);
        ((hash >> 13) % 7) as u8
    };
    let film = GrayImage::from_fn(width, height, |x, y| {
        Luma([large.get_pixel(x, y).0[0].saturating_add(grain(x, y))])
    });
    let mut png = Cursor::new(Vec::new());
    film.write_to(&mut png, ImageFormat::Png)?;
    Ok(png.into_inner())
}
