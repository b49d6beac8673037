//! Which format some bytes are, by their first bytes alone: names of files lie.

use crate::VisionError;

/// The formats that are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    Png,
    Jpeg,
    Tiff,
    Bmp,
}

impl Format {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Format::Png => "PNG",
            Format::Jpeg => "JPEG",
            Format::Tiff => "TIFF",
            Format::Bmp => "BMP",
        }
    }

    /// The format of `bytes`, or an error that says what they are instead.
    pub(crate) fn of(bytes: &[u8]) -> Result<Format, VisionError> {
        const READ: [(&[u8], Format); 5] = [
            (b"\x89PNG\r\n\x1a\n", Format::Png),
            (b"\xff\xd8\xff", Format::Jpeg),
            (b"II*\0", Format::Tiff),
            (b"MM\0*", Format::Tiff),
            (b"BM", Format::Bmp),
        ];
        if bytes.is_empty() {
            return Err(VisionError::Empty);
        }
        // First of all: what stands in the 128 bytes before it is free, and is a TIFF's head in some files.
        if is_dicom(bytes) {
            let (format, hint) = DICOM;
            return Err(VisionError::OtherFormat { format, hint });
        }
        if let Some((_, format)) = READ.iter().find(|(magic, _)| bytes.starts_with(magic)) {
            return Ok(*format);
        }
        if let Some((_, format)) = READ.iter().take(4).find(|(magic, _)| magic.starts_with(bytes)) {
            return Err(VisionError::Truncated { format: format.name(), bytes: bytes.len() });
        }
        Err(match other_format(bytes) {
            Some((format, hint)) => VisionError::OtherFormat { format, hint },
            None => VisionError::NotAnImage { starts_with: first_bytes(bytes) },
        })
    }
}

/// What a DICOM file is called, and what to do about it.
const DICOM: (&str, &str) = ("DICOM", "export the radiograph as PNG, 16 bit if possible");

/// PS3.10, 7.1: a preamble of 128 bytes, then `DICM`.
fn is_dicom(bytes: &[u8]) -> bool {
    bytes.get(128..).is_some_and(|rest| rest.starts_with(b"DICM"))
}

/// Formats that people do hand in, with what to do about it.
fn other_format(bytes: &[u8]) -> Option<(&'static str, &'static str)> {
    const CONVERT: &str = "save it as PNG";
    const OTHERS: [(usize, &[u8], &str, &str); 12] = [
        (0, b"%PDF", "PDF", "export the radiograph itself, not the page"),
        (0, b"GIF8", "GIF", CONVERT),
        (8, b"WEBP", "WebP", CONVERT),
        (4, b"ftyp", "HEIC, AVIF or video", CONVERT),
        (0, b"\0\0\0\x0cjP  ", "JPEG 2000", CONVERT),
        (0, b"\xff\x4f\xff\x51", "JPEG 2000", CONVERT),
        (0, b"II+\0", "BigTIFF", CONVERT),
        (0, b"MM\0+", "BigTIFF", CONVERT),
        (0, b"PK\x03\x04", "ZIP", "unpack it first"),
        (0, b"\x1f\x8b", "gzip", "unpack it first"),
        (0, b"\x93NUMPY", "NumPy", CONVERT),
        (0, b"\x89HDF", "HDF5", CONVERT),
    ];
    OTHERS
        .iter()
        .find(|(at, magic, _, _)| bytes.get(*at..).is_some_and(|rest| rest.starts_with(magic)))
        .map(|(_, _, format, hint)| (*format, *hint))
}

/// `48 65 6c 6c "Hell"`: hexadecimal for those who know magic numbers, text for everybody else.
fn first_bytes(bytes: &[u8]) -> String {
    let first = &bytes[..bytes.len().min(12)];
    let hex: Vec<String> = first.iter().map(|byte| format!("{byte:02x}")).collect();
    let text: String =
        first.iter().map(|&byte| if matches!(byte, 0x20..0x7f) { char::from(byte) } else { '.' }).collect();
    format!("{} \"{text}\"", hex.join(" "))
}

/// Width and height as a PNG's first chunk states them, so that a bomb is refused before any decoder
/// sets its buffers up; `None` where the file ends earlier.
pub(crate) fn png_size(bytes: &[u8]) -> Option<(u64, u64)> {
    let word = |at: usize| -> Option<u64> {
        let word: [u8; 4] = bytes.get(at..at + 4)?.try_into().ok()?;
        Some(u64::from(u32::from_be_bytes(word)))
    };
    (bytes.get(12..16)? == b"IHDR").then_some(())?;
    Some((word(16)?, word(20)?))
}

/// True where a JPEG holds its end marker behind its last scan. The decoder fills what is missing with
/// grey, and half a hand would pass for a whole one.
///
/// Segments are walked by their lengths, as a thumbnail in a header has an end marker of its own.
pub(crate) fn jpeg_ends(bytes: &[u8]) -> bool {
    let mut at = 2;
    while let Some(&[marker, code]) = bytes.get(at..at + 2).and_then(|pair| pair.first_chunk::<2>()) {
        match (marker, code) {
            (0xff, 0xd9) => return true,
            // Fill bytes, entropy-coded data, stuffed zeros, restart markers and TEM have no length.
            (0xff, 0xff) => at += 1,
            (0xff, 0x00 | 0x01 | 0xd0..=0xd8) => at += 2,
            (0xff, _) => {
                let Some(length) = bytes.get(at + 2..at + 4) else { return false };
                at += 2 + usize::from(u16::from_be_bytes([length[0], length[1]])).max(2);
            }
            _ => at += 1,
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn foreign_files_are_called_by_their_name() {
        let mut dicom = vec![0; 128];
        dicom.extend(b"DICM");
        let mut both = dicom.clone();
        both[..4].copy_from_slice(b"II*\0");
        for (bytes, word) in [
            (&b""[..], "0 bytes"),
            (b"Hello, world", "\"Hello, world\""),
            (b"%PDF-1.4", "PDF"),
            (b"GIF89a", "GIF"),
            (&dicom, "DICOM"),
            (&both, "DICOM"),
            (b"\x89PN", "truncated"),
        ] {
            let message = Format::of(bytes).unwrap_err().to_string();
            assert!(message.contains(word), "{message}");
        }
    }

    #[test]
    fn a_thumbnail_does_not_end_a_jpeg() {
        let head = b"\xff\xd8\xff\xe1\x00\x06\xff\xd8\xff\xd9\xff\xda\x00\x02\x12\xff\x00\xff\xd0";
        assert!(!jpeg_ends(head));
        assert!(jpeg_ends(&[&head[..], b"\x34\xff\xd9"].concat()));
    }
}
