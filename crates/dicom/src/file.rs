//! From a file's bytes to its data set: preamble and meta group where there are any, the way it is written
//! by what stands there rather than by what is claimed.

use crate::DicomError;
use crate::dataset::DataSet;
use crate::element::{Encoding, Fault, Reader, is_vr};
use crate::tag::Tag;
use crate::transfer_syntax::{Storage, TransferSyntax};
use flate2::read::DeflateDecoder;
use std::borrow::Cow;
use std::io::Read;

/// A preamble of 128 bytes, then these four (PS3.10, 7.1).
const MAGIC: &[u8] = b"DICM";
const PREAMBLE: usize = 128;

/// True where the bytes are DICOM: by the mark behind the preamble, by a meta group without one, or, in a
/// bare data set, by its first elements.
pub fn is_dicom(bytes: &[u8]) -> bool {
    start(bytes).is_some()
}

/// Where the first element stands.
fn start(bytes: &[u8]) -> Option<usize> {
    let marked = bytes.get(PREAMBLE..).is_some_and(|rest| rest.starts_with(MAGIC));
    if marked && (encoding_of(&bytes[PREAMBLE + 4..]).is_some() || !begins_a_set(bytes)) {
        return Some(PREAMBLE + 4);
    }
    if let Some(rest) = bytes.strip_prefix(MAGIC)
        && begins_a_set(rest)
    {
        return Some(MAGIC.len());
    }
    begins_a_set(bytes).then_some(0)
}

/// True where two elements follow each other that can begin a file: its meta group, or an image's group 8.
fn begins_a_set(bytes: &[u8]) -> bool {
    let Some(encoding) = encoding_of(bytes) else { return false };
    let mut reader = Reader::new(bytes, encoding);
    let Ok(first) = reader.element() else { return false };
    let Some(second) = reader.peek() else { return false };
    let follows = second > first.tag && second.0 >> 16 <= 0x0010;
    matches!(first.tag.group(), 0x0002 | 0x0008) && first.tag.0 & 0xFFFF < 0x0100 && follows
}

/// How the elements from here on are written, by the first of them; `None` where none can begin here.
fn encoding_of(bytes: &[u8]) -> Option<Encoding> {
    let tag: [u8; 2] = bytes.get(..2)?.try_into().ok()?;
    let letters: [u8; 2] = bytes.get(4..6)?.try_into().ok()?;
    // A data set begins in one of the lowest groups: the larger of its two readings is the wrong one.
    let (little, big) = (u16::from_le_bytes(tag), u16::from_be_bytes(tag));
    if little.min(big) > 0x00FF || little == 0 {
        return None;
    }
    Some(match (is_vr(letters), big < little) {
        (true, false) => Encoding::EXPLICIT,
        (true, true) => Encoding::BIG_ENDIAN,
        (false, false) => Encoding::IMPLICIT,
        (false, true) => return None,
    })
}

/// What a file is made of, before anything is read of it.
pub(crate) struct Parts<'a> {
    /// The elements after the meta group; inflated where they were deflated.
    pub(crate) elements: Cow<'a, [u8]>,
    pub(crate) encoding: Encoding,
    /// As the meta group names it.
    pub(crate) syntax: Option<TransferSyntax>,
    /// A sentence where the data set is not written as its transfer syntax says.
    pub(crate) contradiction: Option<String>,
}

/// Finds the parts of a file. A deflated set may grow to `most_bytes`.
pub(crate) fn parts(bytes: &[u8], most_bytes: u64) -> Result<Parts<'_>, DicomError> {
    parts_with(bytes, |deflated| inflate(deflated, most_bytes))
}

/// The same of a file, or of its beginning, of which only the header is wanted: a deflated set is inflated as far as it
/// goes, to `most_bytes` at most.
pub(crate) fn beginning(bytes: &[u8], most_bytes: u64) -> Result<Parts<'_>, DicomError> {
    parts_with(bytes, |deflated| {
        let mut inflated = Vec::new();
        match DeflateDecoder::new(deflated).take(most_bytes).read_to_end(&mut inflated) {
            Err(error) if inflated.is_empty() => {
                Err(DicomError::Codec { codec: "deflated", reason: error.to_string() })
            }
            _ => Ok(inflated),
        }
    })
}

fn parts_with(
    bytes: &[u8],
    inflate: impl FnOnce(&[u8]) -> Result<Vec<u8>, DicomError>,
) -> Result<Parts<'_>, DicomError> {
    let start = start(bytes).ok_or(DicomError::NotDicom)?;
    let rest = &bytes[start..];
    let mut reader = Reader::new(rest, Encoding::EXPLICIT);
    let mut uid = None;
    while reader.peek().is_some_and(|tag| tag.group() == 0x0002) {
        let from = reader.at();
        let element = reader.element().map_err(|fault| told(&fault, bytes.len()))?;
        if element.tag == Tag::TRANSFER_SYNTAX_UID {
            uid = DataSet::read(&rest[from..reader.at()], Encoding::EXPLICIT).word(Tag::TRANSFER_SYNTAX_UID);
        }
    }
    let syntax = uid.map(|uid| TransferSyntax::of(&uid));
    let rest = &rest[reader.at()..];
    let elements = match &syntax {
        Some(syntax) if syntax.storage == Storage::Deflated => Cow::Owned(inflate(rest)?),
        _ => Cow::Borrowed(rest),
    };
    let stated = syntax.as_ref().map(|syntax| syntax.encoding);
    let found = encoding_of(&elements);
    let encoding = found.or(stated).unwrap_or(Encoding::EXPLICIT);
    let contradiction = syntax.as_ref().filter(|syntax| syntax.encoding != encoding).map(|syntax| {
        let what = match (encoding.explicit, encoding.big_endian) {
            (false, _) => "implicitly",
            (true, false) => "explicitly, little endian",
            (true, true) => "explicitly, big endian",
        };
        format!(
            "the header is written {what}, against its transfer syntax {}; it was read as it is",
            syntax.name
        )
    });
    Ok(Parts { elements, encoding, syntax, contradiction })
}

fn inflate(bytes: &[u8], most_bytes: u64) -> Result<Vec<u8>, DicomError> {
    let mut inflated = Vec::new();
    let read = DeflateDecoder::new(bytes).take(most_bytes.saturating_add(1)).read_to_end(&mut inflated);
    read.map_err(|error| DicomError::Codec { codec: "deflated", reason: error.to_string() })?;
    if inflated.len() as u64 > most_bytes {
        return Err(DicomError::Damaged(format!("it inflates to more than {most_bytes} bytes")));
    }
    Ok(inflated)
}

/// A fault in the words of the edge.
pub(crate) fn told(fault: &Fault, bytes: usize) -> DicomError {
    match fault {
        Fault::Ends(Some(Tag::PIXEL_DATA)) => DicomError::Truncated { bytes, what: "its pixels".to_owned() },
        Fault::Ends(Some(tag)) => DicomError::Truncated { bytes, what: format!("element {tag}") },
        Fault::Ends(None) => DicomError::Truncated { bytes, what: "its header".to_owned() },
        Fault::Wrong(words) => DicomError::Damaged(words.clone()),
    }
}
