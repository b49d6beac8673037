use super::Facts;
use crate::DicomError;
use crate::layout::{Layout, Photometric};
use jpeg_decoder::{ColorTransform, Decoder, PixelFormat};

/// Baseline, extended and progressive of 8 bits, lossless of 2 to 16 (ISO 10918-1).
pub(super) fn decode(frame: &[u8], facts: &Facts, layout: &Layout) -> Result<Vec<u32>, DicomError> {
    let fault = |reason: String| DicomError::Codec { codec: "JPEG", reason };
    // The decoder fills what is missing with grey, and half a hand would pass for a whole one.
    if !ends(frame) {
        return Err(fault("it has no end".to_owned()));
    }
    let mut decoder = Decoder::new(frame);
    decoder.set_max_decoding_buffer_size(layout.samples() * 2);
    if facts.channels == 3 {
        let stored_as_colours = layout.photometric == Photometric::Rgb;
        decoder.set_color_transform(if stored_as_colours {
            ColorTransform::RGB
        } else {
            ColorTransform::YCbCr
        });
    }
    let bytes = decoder.decode().map_err(|error| match error {
        jpeg_decoder::Error::Unsupported(what) => {
            DicomError::Unsupported { what: format!("JPEG with {what:?}") }
        }
        other => fault(other.to_string()),
    })?;
    Ok(match decoder.info().map(|info| info.pixel_format) {
        Some(PixelFormat::L16) => {
            let (twos, _) = bytes.as_chunks::<2>();
            twos.iter().map(|&two| u32::from(u16::from_ne_bytes(two))).collect()
        }
        _ => bytes.into_iter().map(u32::from).collect(),
    })
}

/// True where the end marker stands near the end: some writers pad. Within coded data it cannot stand.
fn ends(frame: &[u8]) -> bool {
    const MOST_PADDING: usize = 64;
    frame[frame.len().saturating_sub(MOST_PADDING)..].windows(2).any(|two| two == [0xFF, 0xD9])
}
