//! What a compressed frame is, by its own header.

/// What a codestream says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Facts {
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) channels: usize,
    pub(crate) bits: u32,
    /// Two's complement; JPEG 2000 alone can say so.
    pub(crate) signed: bool,
    /// JPEG: the frame marker's low byte. JPEG 2000: true (1) where it is of high throughput.
    pub(crate) process: u8,
    /// Where the codestream begins in the frame.
    pub(crate) start: usize,
}

impl Facts {
    /// Sequential DCT of 12 bits, which the decoder of the other JPEGs does not know.
    pub(crate) fn needs_extended(&self) -> bool {
        self.process == 0xC1 && self.bits == 12
    }
}

/// A compressed frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Codestream {
    Jpeg(Facts),
    JpegLs(Facts),
    Jpeg2000(Facts),
}

impl Codestream {
    /// Told by its first markers; `None` for everything else.
    pub(crate) fn of(bytes: &[u8]) -> Option<Codestream> {
        if bytes.starts_with(&[0xFF, 0xD8]) {
            return jpeg(bytes);
        }
        // A whole JP2 file has no place in a fragment (PS3.5, A.4.4), and is found there all the same.
        let wrapped = bytes.starts_with(b"\0\0\0\x0cjP  ");
        let start = if wrapped { find(bytes.get(..4096).unwrap_or(bytes), JPEG2000)? } else { 0 };
        let rest = bytes.get(start..)?;
        rest.starts_with(JPEG2000).then(|| jpeg2000(rest, start)).flatten()
    }

    pub(crate) fn facts(&self) -> &Facts {
        match self {
            Codestream::Jpeg(facts) | Codestream::JpegLs(facts) | Codestream::Jpeg2000(facts) => facts,
        }
    }

    pub(crate) fn name(&self) -> &'static str {
        match self {
            Codestream::Jpeg(_) => "JPEG",
            Codestream::JpegLs(_) => "JPEG-LS",
            Codestream::Jpeg2000(_) => "JPEG 2000",
        }
    }
}

/// Start of codestream, then its size.
const JPEG2000: &[u8] = &[0xFF, 0x4F, 0xFF, 0x51];

fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|window| window == what)
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from(u16::from_be_bytes(bytes.get(at..at + 2)?.try_into().ok()?)))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

/// Walks a JPEG's segments to its frame header (ISO 10918-1, B.2.2; JPEG-LS: ISO 14495-1, C.2.2).
fn jpeg(bytes: &[u8]) -> Option<Codestream> {
    let mut at = 2;
    loop {
        let [marker, code] = *bytes.get(at..at + 2)?.first_chunk::<2>()?;
        if marker != 0xFF {
            return None;
        }
        match code {
            // Fill bytes.
            0xFF => at += 1,
            0x01 | 0xD0..=0xD8 => at += 2,
            0xC0..=0xC3 | 0xC5..=0xC7 | 0xC9..=0xCB | 0xCD..=0xCF | 0xF7 => {
                let facts = Facts {
                    bits: u32::from(*bytes.get(at + 4)?),
                    height: u16_at(bytes, at + 5)?,
                    width: u16_at(bytes, at + 7)?,
                    channels: usize::from(*bytes.get(at + 9)?),
                    signed: false,
                    process: code,
                    start: 0,
                };
                return Some(if code == 0xF7 { Codestream::JpegLs(facts) } else { Codestream::Jpeg(facts) });
            }
            0xD9 | 0xDA => return None,
            _ => at += 2 + u16_at(bytes, at + 2)?.max(2) as usize,
        }
    }
}

/// The size segment (ISO 15444-1, A.5.1).
fn jpeg2000(bytes: &[u8], start: usize) -> Option<Codestream> {
    let capabilities = u16_at(bytes, 6)?;
    let component = *bytes.get(42)?;
    let facts = Facts {
        width: u32_at(bytes, 8)?.checked_sub(u32_at(bytes, 16)?)?,
        height: u32_at(bytes, 12)?.checked_sub(u32_at(bytes, 20)?)?,
        channels: u16_at(bytes, 40)? as usize,
        bits: u32::from(component & 0x7F) + 1,
        signed: component & 0x80 != 0,
        process: u8::from(capabilities & 0x4000 != 0),
        start,
    };
    Some(Codestream::Jpeg2000(facts))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_codestream_is_known_by_its_own_header() {
        let head = [0xFF, 0xD8, 0xFF, 0xE0, 0, 4, 1, 2, 0xFF, 0xC3, 0, 11, 16, 0, 8, 0, 9, 1, 1, 0x11, 0];
        let Some(Codestream::Jpeg(facts)) = Codestream::of(&head) else { panic!("a JPEG") };
        assert_eq!((facts.width, facts.height, facts.bits, facts.channels), (9, 8, 16, 1));
        assert_eq!(Codestream::of(&head[..12]), None);
        assert_eq!(Codestream::of(b"\x02\0\0\0 RLE or nothing"), None);
    }
}
