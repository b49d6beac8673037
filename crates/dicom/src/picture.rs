//! From samples to a plane: greys, colours as luminance, square pixels.

use crate::DicomError;
use crate::dataset::DataSet;
use crate::greys::Greys;
use crate::layout::{Layout, Photometric};
use crate::pixels::Samples;
use crate::tag::Tag;
use boneage_core::{DecodeLimits, Flag, FlagCode, Luminance, Plane};

/// Pixels that differ from squares by less are taken for squares: spacings are written with few digits.
const SQUARE: f64 = 0.005;

/// The plane of a frame, with what was noticed.
pub(crate) fn plane(
    set: &DataSet<'_>,
    layout: &Layout,
    samples: &Samples,
    limits: &DecodeLimits,
    flags: &mut Vec<Flag>,
) -> Result<Plane, DicomError> {
    let pixels = match layout.photometric {
        Photometric::Monochrome1 | Photometric::Monochrome2 => {
            let (greys, told) = Greys::read(set, layout);
            flags.extend(told.map(|told| Flag::new(FlagCode::WindowIgnored, told)));
            greys.of_all(&samples.values)
        }
        Photometric::Palette => {
            let colours = palette(set, layout.signed)?;
            let colour = |&value: &i32| colours.colour(value);
            luminance(samples.values.iter().map(colour), flags)
        }
        Photometric::Rgb | Photometric::Ybr | Photometric::Ybr422 => {
            let (_, full) = layout.range();
            let (threes, _) = samples.values.as_chunks::<3>();
            let colour = |three: &[i32; 3]| three.map(|value| (f64::from(value) / full) as f32);
            luminance(threes.iter().map(colour), flags)
        }
    };
    let plane = Plane::new(layout.width, layout.height, pixels);
    Ok(match aspect(set) {
        Some(aspect) => {
            let (width, height) = squared_size(&plane, aspect);
            limits.check(width as u64, height as u64)?;
            let told = format!(
                "its pixels are {aspect:.3} times as high as wide; the film was stretched to squares"
            );
            flags.push(Flag::new(FlagCode::PixelsNotSquare, told));
            squared(&plane, aspect)
        }
        None => plane,
    })
}

fn luminance(colours: impl Iterator<Item = [f32; 3]>, flags: &mut Vec<Flag>) -> Vec<f32> {
    let mut seen = Luminance::default();
    let greys = colours.map(|colour| seen.of(colour)).collect();
    flags.extend(seen.flag());
    greys
}

/// Tables of red, green and blue (PS3.3, C.7.6.3.1.5 and C.7.6.3.1.6).
struct Palette {
    first: i32,
    channels: [Vec<u16>; 3],
    full: f32,
}

impl Palette {
    fn colour(&self, value: i32) -> [f32; 3] {
        let place = (i64::from(value) - i64::from(self.first)).max(0) as usize;
        self.channels.each_ref().map(|channel| {
            let last = channel.len() - 1;
            f32::from(channel[place.min(last)]) / self.full
        })
    }
}

fn palette(set: &DataSet<'_>, signed: bool) -> Result<Palette, DicomError> {
    let tag = Tag::RED_PALETTE_DESCRIPTOR;
    let missing =
        || DicomError::Missing { name: "RedPaletteColorLookupTableDescriptor", tag: tag.to_string() };
    let &[entries, first, bits] = set.words(tag).first_chunk::<3>().ok_or_else(missing)?;
    let entries = if entries == 0 { 1 << 16 } else { usize::from(entries) };
    let channel = |i: u32| {
        let tag = Tag(Tag::RED_PALETTE_DATA.0 + i);
        let mut values = set.words(tag);
        if values.len() < entries {
            values = set.bytes(tag).unwrap_or_default().iter().map(|&byte| u16::from(byte)).collect();
        }
        values.truncate(entries);
        if values.is_empty() {
            return Err(DicomError::Missing { name: "a table of its palette", tag: tag.to_string() });
        }
        Ok(values)
    };
    let channels = [channel(0)?, channel(1)?, channel(2)?];
    let most = channels.iter().flatten().copied().max().unwrap_or(1);
    // Tables of 8 bits may be written with 16.
    let full = if bits == 8 && most <= 255 { 255.0 } else { 65535.0 };
    let first = if signed { i32::from(first as i16) } else { i32::from(first) };
    Ok(Palette { first, channels, full })
}

/// Height over width of a pixel, where it is no square: the stated ratio (PS3.3, C.7.6.3.1.7), else that of the
/// spacings.
fn aspect(set: &DataSet<'_>) -> Option<f64> {
    let pairs = [Tag::PIXEL_ASPECT_RATIO, Tag::PIXEL_SPACING, Tag::IMAGER_PIXEL_SPACING];
    let pair = pairs.into_iter().find_map(|tag| set.decimals(tag).first_chunk::<2>().copied())?;
    let [row, column] = pair;
    let aspect = row / column;
    // Beyond these no detector is: a slip of the writer's.
    ((0.5..2.0).contains(&aspect) && (aspect - 1.0).abs() > SQUARE).then_some(aspect)
}

/// Width and height of the plane with square pixels.
fn squared_size(plane: &Plane, aspect: f64) -> (usize, usize) {
    let (width, height) = (plane.width(), plane.height());
    if aspect > 1.0 {
        (width, (height as f64 * aspect).round() as usize)
    } else {
        ((width as f64 / aspect).round() as usize, height)
    }
}

/// The plane with square pixels, its coarser side drawn out: linear between the centres of pixels.
fn squared(plane: &Plane, aspect: f64) -> Plane {
    let (width, height) = (plane.width(), plane.height());
    let (new_width, new_height) = squared_size(plane, aspect);
    let place = |i: usize, new: usize, old: usize| {
        let at = ((i as f64 + 0.5) * old as f64 / new as f64 - 0.5).clamp(0.0, (old - 1) as f64);
        (at as usize, (at as usize + 1).min(old - 1), at.fract() as f32)
    };
    let columns: Vec<_> = (0..new_width).map(|x| place(x, new_width, width)).collect();
    let mut pixels = Vec::with_capacity(new_width * new_height);
    for y in 0..new_height {
        let (above, below, down) = place(y, new_height, height);
        let (above, below) = (plane.row(above), plane.row(below));
        pixels.extend(columns.iter().map(|&(left, right, across)| {
            let along = |row: &[f32]| row[left] + across * (row[right] - row[left]);
            along(above) + down * (along(below) - along(above))
        }));
    }
    Plane::new(new_width, new_height, pixels)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn oblong_pixels_become_square_and_keep_what_they_show() {
        let ramp = Plane::from_fn(64, 40, |x, y| x as f32 + 2.0 * y as f32);
        let high = squared(&ramp, 1.5);
        assert_eq!((high.width(), high.height()), (64, 60));
        assert!((high.at(10, 29) - (10.0 + 2.0 * (29.5 / 1.5 - 0.5))).abs() < 1e-4);
        let wide = squared(&ramp, 0.5);
        assert_eq!((wide.width(), wide.height()), (128, 40));
        assert_eq!((wide.at(0, 0), wide.at(127, 39)), (0.0, 63.0 + 78.0));
    }
}
