use crate::DicomError;
use crate::layout::Layout;

/// A header of sixteen numbers: how many segments, and where each begins (PS3.5, G.5).
const HEADER: usize = 64;

fn number(frame: &[u8], at: usize) -> Option<usize> {
    Some(u32::from_le_bytes(frame.get(4 * at..4 * at + 4)?.try_into().ok()?) as usize)
}

/// True where the header can be one of RLE.
pub(crate) fn is_rle(frame: &[u8]) -> bool {
    frame.len() > HEADER
        && number(frame, 0).is_some_and(|segments| (1..=15).contains(&segments))
        && number(frame, 1) == Some(HEADER)
}

/// RLE Lossless (PS3.5, annex G): a segment for every byte of a sample, the highest first; the samples' bytes
/// `[height, width, channels]`, little endian.
pub(crate) fn rle(frame: &[u8], layout: &Layout) -> Result<Vec<u8>, DicomError> {
    let fault = |reason: String| DicomError::Codec { codec: "RLE", reason };
    let width = layout.allocated as usize / 8;
    let (segments, pixels) = (number(frame, 0).unwrap_or(0), layout.pixels());
    if segments != width * layout.channels || width == 0 {
        let (channels, bits) = (layout.channels, layout.allocated);
        return Err(fault(format!("it has {segments} segments for {channels} channels of {bits} bits")));
    }
    let mut bytes = vec![0; pixels * segments];
    for segment in 0..segments {
        let start = number(frame, segment + 1).unwrap_or(usize::MAX);
        let end = if segment + 1 < segments { number(frame, segment + 2) } else { Some(frame.len()) };
        let packed = end.and_then(|end| frame.get(start..end));
        let packed = packed.ok_or_else(|| fault(format!("segment {segment} lies outside of it")))?;
        let (channel, byte) = (segment / width, width - 1 - segment % width);
        let places = bytes.iter_mut().skip(channel * width + byte).step_by(segments);
        let written = unpack(packed, places);
        if written < pixels {
            return Err(fault(format!("segment {segment} ends after {written} of {pixels} pixels")));
        }
    }
    Ok(bytes)
}

/// Packed bits (PS3.5, G.3.2) into places; how many were filled.
fn unpack<'a>(packed: &[u8], mut places: impl Iterator<Item = &'a mut u8>) -> usize {
    let (mut at, mut written) = (0, 0);
    while let Some(&code) = packed.get(at) {
        at += 1;
        let length = match code {
            0..=127 => usize::from(code) + 1,
            128 => continue,
            129.. => 257 - usize::from(code),
        };
        for i in 0..length {
            let source = if code < 128 { at + i } else { at };
            let (Some(&value), Some(place)) = (packed.get(source), places.next()) else { return written };
            *place = value;
            written += 1;
        }
        at += if code < 128 { length } else { 1 };
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_repeats_and_nothing() {
        let mut places = [0; 6];
        assert_eq!(unpack(&[1, 7, 8, 128, 254, 9, 0, 5], places.iter_mut()), 6);
        assert_eq!(places, [7, 8, 9, 9, 9, 5]);
        assert_eq!(unpack(&[5, 1], places.iter_mut()), 1, "it ends within a literal");
    }
}
