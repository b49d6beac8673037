//! Palette TIFFs, which the decoder does not know: the file is handed to it as a grey one, and what it
//! returns are the indices.

use std::ops::Range;

const PHOTOMETRIC: u16 = 262;
const COLOUR_MAP: u16 = 320;
const PHOTOMETRIC_GREY: u16 = 1;
const PHOTOMETRIC_PALETTE: u16 = 3;

/// Colours of an 8 bit palette: 256 each of red, green and blue, 0..255.
pub(crate) struct Palette(Vec<u8>);

impl Palette {
    /// Red, green and blue, 0..1.
    pub(crate) fn colour(&self, index: u8) -> [f32; 3] {
        [0, 256, 512].map(|channel| f32::from(self.0[channel + usize::from(index)]) / 255.0)
    }
}

/// The palette of a TIFF's first page, and the file with that page declared grey. `None` where it is
/// no palette of 256 colours, or no sound TIFF.
///
/// TIFF 6.0, section 2 (directory: a count, then 12 bytes an entry: tag, type, count, value or offset)
/// and section 5 (`ColorMap`: all reds, then all greens, then all blues, 16 bit each).
pub(crate) fn as_grey(bytes: &[u8]) -> Option<(Palette, Vec<u8>)> {
    let big = bytes.starts_with(b"MM");
    let short = |at: usize| -> Option<u16> {
        let pair = *bytes.get(at..)?.first_chunk::<2>()?;
        Some(if big { u16::from_be_bytes(pair) } else { u16::from_le_bytes(pair) })
    };
    let long = |at: usize| -> Option<usize> {
        let quad = *bytes.get(at..)?.first_chunk::<4>()?;
        Some(if big { u32::from_be_bytes(quad) } else { u32::from_le_bytes(quad) } as usize)
    };
    let directory = long(4)?;
    let entries = usize::from(short(directory)?);
    let entry = |tag: u16| (0..entries).map(|k| directory + 2 + 12 * k).find(|&at| short(at) == Some(tag));
    let photometric: Range<usize> = entry(PHOTOMETRIC)? + 8..entry(PHOTOMETRIC)? + 10;
    if short(photometric.start)? != PHOTOMETRIC_PALETTE {
        return None;
    }
    let map = entry(COLOUR_MAP)?;
    if long(map + 4)? != 768 {
        return None;
    }
    let first = long(map + 8)?;
    let colours = (0..768).map(|k| short(first + 2 * k)).collect::<Option<Vec<u16>>>()?;
    // Writers disagree whether a full channel is 65535, 65280 (255 shifted) or 255; the high byte is right
    // for the first two, and what has no high byte at all is the third.
    let shift = if colours.iter().any(|&colour| colour > 255) { 8 } else { 0 };
    let colours = colours.iter().map(|&colour| (colour >> shift) as u8).collect();
    let mut grey = bytes.to_vec();
    let word = if big { PHOTOMETRIC_GREY.to_be_bytes() } else { PHOTOMETRIC_GREY.to_le_bytes() };
    grey.get_mut(photometric)?.copy_from_slice(&word);
    Some((Palette(colours), grey))
}
