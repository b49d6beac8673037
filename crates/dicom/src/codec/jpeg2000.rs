use super::Facts;
use crate::DicomError;
use hayro_jpeg2000::{DecodeSettings, DecoderContext, Image};

/// More tiles than the standard can number.
const MOST_TILES: u64 = 65_535;

/// JPEG 2000, lossless and not (ISO 15444-1).
pub(super) fn decode(frame: &[u8], facts: &Facts) -> Result<Vec<u32>, DicomError> {
    let fault = |reason: String| DicomError::Codec { codec: "JPEG 2000", reason };
    if facts.process == 1 {
        return Err(DicomError::Unsupported { what: "High-Throughput JPEG 2000".to_owned() });
    }
    let frame = &frame[facts.start..];
    check_tiles(frame, facts).map_err(fault)?;
    // Encoders of old slipped in what the strict reading does not forgive; where nothing is missing, the lenient
    // one has all that it needs.
    match samples(frame, facts, true) {
        Err(_) if is_whole(frame) => samples(frame, facts, false),
        strict => strict,
    }
    .map_err(fault)
}

fn samples(frame: &[u8], facts: &Facts, strict: bool) -> Result<Vec<u32>, String> {
    let settings = DecodeSettings { resolve_palette_indices: false, strict, target_resolution: None };
    let image = Image::new(frame, &settings).map_err(|error| error.to_string())?;
    let mut context = DecoderContext::default();
    let decoded = image.decode(&mut context).map_err(|error| error.to_string())?;
    let components = decoded.components();
    let samples = components.first().map_or(0, |component| component.samples().len());
    if components.len() != facts.channels || components.iter().any(|c| c.samples().len() != samples) {
        return Err("its components differ in size".to_owned());
    }
    // The decoder lifts signed samples as it does unsigned ones.
    let lift = if facts.signed { f64::from(facts.bits - 1).exp2() as i32 } else { 0 };
    let least = -lift;
    let most = (f64::from(facts.bits).exp2() as i32) - 1 - lift;
    let sample = |value: f32| ((value.round() as i32 - lift).clamp(least, most)) as u32;
    let mut pixels = Vec::with_capacity(samples * components.len());
    match components {
        [grey] => pixels.extend(grey.samples().iter().map(|&value| sample(value))),
        _ => {
            for i in 0..samples {
                pixels.extend(components.iter().map(|component| sample(component.samples()[i])));
            }
        }
    }
    Ok(pixels)
}

/// Refuses a size segment that asks for a million tiles or for components of other sizes (ISO 15444-1, A.5.1).
fn check_tiles(frame: &[u8], facts: &Facts) -> Result<(), String> {
    let word = |at: usize| -> u64 {
        frame
            .get(at..at + 4)
            .map_or(0, |four| u64::from(u32::from_be_bytes(four.try_into().expect("four bytes"))))
    };
    let (width, height) = (word(24), word(28));
    if width == 0 || height == 0 {
        return Err("its tiles have no size".to_owned());
    }
    let tiles = (word(8).div_ceil(width)) * (word(12).div_ceil(height));
    if tiles > MOST_TILES {
        return Err(format!("it has {tiles} tiles, at most {MOST_TILES} can be"));
    }
    for component in 0..facts.channels {
        let at = 42 + 3 * component;
        if frame.get(at + 1..at + 3) != Some(&[1, 1]) {
            return Err("its components are not of full size".to_owned());
        }
        if frame[at] != frame[42] {
            return Err("its components differ in depth".to_owned());
        }
    }
    Ok(())
}

/// True where every tile-part is there to its stated length (ISO 15444-1, A.4.2) and the end marker behind the last.
fn is_whole(frame: &[u8]) -> bool {
    let word = |at: usize| -> Option<u32> { Some(u32::from_be_bytes(*frame.get(at..)?.first_chunk()?)) };
    let mut at = 2;
    loop {
        let Some(head) = word(at) else { return false };
        match head >> 16 {
            0xFFD9 => return true,
            0xFF90 => match word(at.saturating_add(6)) {
                // The last one may leave its length to the end of the codestream.
                Some(0) => return frame.windows(2).rev().take(16).any(|two| two == [0xFF, 0xD9]),
                Some(length) => at = at.saturating_add((length as usize).max(12)),
                None => return false,
            },
            _ => at = at.saturating_add(2 + (head & 0xFFFF) as usize),
        }
        // The end marker may be the last two bytes, too few for a word.
        if frame.get(at..) == Some(&[0xFF, 0xD9]) {
            return true;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tile_part_that_is_not_all_there_is_missed() {
        let mut frame = vec![0xFF, 0x4F, 0xFF, 0x64, 0, 4, 0, 1];
        frame.extend([0xFF, 0x90, 0, 10, 0, 0, 0, 0, 0, 20, 0, 1, 0xFF, 0x93, 1, 2, 3, 4, 5, 6, 0xFF, 0xD9]);
        assert!(is_whole(&frame));
        assert!(is_whole(&[&frame[..], &[0, 0]].concat()), "padding");
        assert!(!is_whole(&frame[..frame.len() - 4]));
        assert!(!is_whole(&frame[..10]));
    }
}
