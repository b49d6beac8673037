use crate::VisionError;
use crate::format::{Format, jpeg_ends, png_size};
use crate::tiff_palette;
use boneage_core::{DecodeLimits, Flag, FlagCode, Luminance, Plane};
use image::codecs::{bmp::BmpDecoder, jpeg::JpegDecoder, png::PngDecoder, tiff::TiffDecoder};
use image::metadata::Orientation;
use image::{ColorType, ImageDecoder, ImageError, Limits};
use rayon::prelude::*;
use std::io::{Cursor, ErrorKind};

/// Pixels of one parallel task.
const CHUNK: usize = 1 << 16;

/// An image file's content.
#[derive(Clone, Debug)]
pub struct Decoded {
    /// Grey 0..1, 1 being full scale of the file's depth; upright by the file's EXIF orientation.
    pub plane: Plane,
    /// Bits a sample as stored: 8, 16 or 32 (smaller depths and palettes count as the 8 they expand to).
    pub bits: u8,
    /// [`FlagCode::ExifTurned`], and [`FlagCode::Colour`] or [`FlagCode::ColourPicture`], where they hold.
    pub flags: Vec<Flag>,
}

/// Reads a PNG, JPEG, TIFF (its first page) or BMP. The format is told by the first bytes, never by a name.
///
/// Colour becomes luminance (ITU-R BT.601: 0.299 R + 0.587 G + 0.114 B), transparent pixels are laid on
/// black, as a film's ground is.
///
/// # Errors
/// Any [`VisionError`]. The size is checked against `limits` before pixels are decoded.
pub fn decode(bytes: &[u8], limits: &DecodeLimits) -> Result<Decoded, VisionError> {
    let format = Format::of(bytes)?;
    if format == Format::Png
        && let Some((width, height)) = png_size(bytes)
    {
        limits.check(width, height)?;
    }
    if format == Format::Jpeg && !jpeg_ends(bytes) {
        return Err(VisionError::Truncated { format: format.name(), bytes: bytes.len() });
    }
    let fault = |error: ImageError| fault(format, bytes.len(), error);
    let palette = if format == Format::Tiff { tiff_palette::as_grey(bytes) } else { None };
    let bytes = palette.as_ref().map_or(bytes, |(_, as_grey)| as_grey.as_slice());
    let mut decoder = open(format, bytes, limits).map_err(fault)?;
    let (width, height) = decoder.dimensions();
    limits.check(u64::from(width), u64::from(height))?;
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let colour = decoder.color_type();
    // `check` bounds width * height, so at 16 bytes a pixel this fits 64 bits.
    let mut samples = vec![0; decoder.total_bytes() as usize];
    let room = if colour == ColorType::L8 { samples.len() } else { 0 };
    // The pages of the greys are claimed meanwhile, which takes as long as filling them. Not with zeros: those
    // the system gives on credit.
    let (read, room) = rayon::join(|| decoder.read_image_boxed(&mut samples), || vec![1.0; room]);
    read.map_err(fault)?;

    let (pixels, seen) = match (&palette, colour) {
        (Some((palette, _)), ColorType::L8) => {
            grey_of(samples.iter().flat_map(|&index| palette.colour(index)), 3, 3 * samples.len())
        }
        _ => luminance(&samples, colour, room),
    };
    drop(samples);
    let plane = Plane::new(width as usize, height as usize, pixels);
    let mut flags: Vec<Flag> = seen.flag().into_iter().collect();
    if orientation != Orientation::NoTransforms {
        let message = format!(
            "the file's EXIF orientation is {}; the image was set upright by it",
            orientation.to_exif()
        );
        flags.push(Flag::new(FlagCode::ExifTurned, message));
    }
    let bits = 8 * colour.bytes_per_pixel() / colour.channel_count();
    Ok(Decoded { plane: upright(plane, orientation), bits, flags })
}

fn open<'a>(
    format: Format,
    bytes: &'a [u8],
    limits: &DecodeLimits,
) -> Result<Box<dyn ImageDecoder + Send + 'a>, ImageError> {
    // Room for the largest image allowed (four 32 bit samples) and for its metadata: a compressed text
    // chunk is a bomb as well.
    let mut room = Limits::no_limits();
    room.max_alloc = Some(limits.max_pixels.saturating_mul(16).saturating_add(64 << 20));
    let cursor = Cursor::new(bytes);
    let mut decoder: Box<dyn ImageDecoder + Send + 'a> = match format {
        Format::Png => return Ok(Box::new(PngDecoder::with_limits(cursor, room)?)),
        Format::Jpeg => Box::new(JpegDecoder::new(cursor)?),
        Format::Tiff => Box::new(TiffDecoder::new(cursor)?),
        Format::Bmp => Box::new(BmpDecoder::new(cursor)?),
    };
    decoder.set_limits(room)?;
    Ok(decoder)
}

/// The decoder's error in our words.
fn fault(format: Format, length: usize, error: ImageError) -> VisionError {
    let format = format.name();
    match error {
        ImageError::IoError(io) if io.kind() == ErrorKind::UnexpectedEof => {
            VisionError::Truncated { format, bytes: length }
        }
        ImageError::Unsupported(unsupported) => {
            VisionError::Unsupported { format, reason: unsupported.to_string() }
        }
        other => VisionError::Damaged { format, reason: other.to_string() },
    }
}

/// Grey 0..1 of interleaved samples, and what was seen of colours.
///
/// `room` is as long as the samples where they are one grey byte each.
fn luminance(samples: &[u8], colour: ColorType, mut room: Vec<f32>) -> (Vec<f32>, Luminance) {
    let channels = usize::from(colour.channel_count());
    match usize::from(colour.bytes_per_pixel()) / channels {
        // What nearly all films are.
        1 if colour == ColorType::L8 => {
            let chunks = room.par_chunks_mut(CHUNK).zip(samples.par_chunks(CHUNK));
            chunks.for_each(|(pixels, samples)| {
                pixels.iter_mut().zip(samples).for_each(|(pixel, &s)| *pixel = f32::from(s) / 255.0);
            });
            (room, Luminance::default())
        }
        1 => grey_of(samples.iter().map(|&s| f32::from(s) / 255.0), channels, samples.len()),
        2 => {
            let (pairs, _) = samples.as_chunks::<2>();
            grey_of(pairs.iter().map(|&s| f32::from(u16::from_ne_bytes(s)) / 65535.0), channels, pairs.len())
        }
        _ => {
            let (quads, _) = samples.as_chunks::<4>();
            let values: Vec<f32> = quads.iter().map(|&s| f32::from_ne_bytes(s)).collect();
            let full = full_scale(&values);
            grey_of(values.iter().map(|s| if s.is_finite() { s / full } else { 0.0 }), channels, quads.len())
        }
    }
}

/// Full scale of floating-point samples: 1, or the greatest where they go beyond it.
fn full_scale(values: &[f32]) -> f32 {
    values.iter().copied().filter(|v| v.is_finite()).fold(1.0, f32::max)
}

fn grey_of(mut samples: impl Iterator<Item = f32>, channels: usize, length: usize) -> (Vec<f32>, Luminance) {
    let mut pixels = Vec::with_capacity(length / channels);
    let mut seen = Luminance::default();
    let mut next = || samples.next().unwrap_or(0.0);
    for _ in 0..length / channels {
        let red = next();
        let grey = if channels >= 3 { seen.of([red, next(), next()]) } else { red };
        pixels.push(if channels.is_multiple_of(2) { grey * next() } else { grey });
    }
    (pixels, seen)
}

/// `stored` turned and mirrored as its EXIF orientation asks.
fn upright(stored: Plane, orientation: Orientation) -> Plane {
    let (w, h) = (stored.width(), stored.height());
    match orientation {
        Orientation::NoTransforms => stored,
        Orientation::FlipHorizontal => Plane::from_fn(w, h, |x, y| stored.at(w - 1 - x, y)),
        Orientation::Rotate180 => Plane::from_fn(w, h, |x, y| stored.at(w - 1 - x, h - 1 - y)),
        Orientation::FlipVertical => Plane::from_fn(w, h, |x, y| stored.at(x, h - 1 - y)),
        Orientation::Rotate90FlipH => Plane::from_fn(h, w, |x, y| stored.at(y, x)),
        Orientation::Rotate90 => Plane::from_fn(h, w, |x, y| stored.at(y, h - 1 - x)),
        Orientation::Rotate270FlipH => Plane::from_fn(h, w, |x, y| stored.at(w - 1 - y, h - 1 - x)),
        Orientation::Rotate270 => Plane::from_fn(h, w, |x, y| stored.at(w - 1 - y, x)),
    }
}
