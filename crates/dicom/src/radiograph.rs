use crate::DicomError;
use crate::dataset::DataSet;
use crate::file::{beginning, parts, told};
use crate::header::{Header, not_a_hand};
use crate::layout::Layout;
use crate::picture::plane;
use crate::pixels::first_frame;
use crate::source::Source;
use crate::tag::Tag;
use boneage_core::{DecodeLimits, Flag, FlagCode, Plane};

/// A radiograph as a DICOM file holds it.
#[derive(Clone, Debug)]
pub struct Radiograph {
    /// Greys 0..1 as they are meant to be seen: behind modality and VOI transformation, the least black. Square
    /// pixels. Overlays are left out.
    pub plane: Plane,
    /// Who and what, by the header.
    pub header: Header,
    /// Whose it is and where it belongs, for results that go back to the archive.
    pub source: Source,
    /// What was noticed while reading.
    pub flags: Vec<Flag>,
}

/// Bytes of a deflated data set in which a header is looked for.
const MOST_OF_HEADER: u64 = 16 << 20;

/// Reads a DICOM file: with or without preamble and meta group, of any transfer syntax that is known here.
///
/// Greys go through the modality table or rescaling, then through the VOI table or the first window, both in
/// double precision, then through the direction of the scale (MONOCHROME1, presentation LUT shape). Nothing is
/// cut to 8 bits. Without window and table, black is the least value that the stored bits allow and white the
/// greatest. Colours become luminance. Of several frames the first is read and flagged.
///
/// # Errors
/// Any [`DicomError`]; the size is checked against `limits` before memory is taken for it.
pub fn read(bytes: &[u8], limits: &DecodeLimits) -> Result<Radiograph, DicomError> {
    // Twice 16 bits a pixel, and a header.
    let most_bytes = limits.max_pixels.saturating_mul(4).saturating_add(64 << 20);
    let parts = parts(bytes, most_bytes)?;
    let set = DataSet::read(&parts.elements, parts.encoding);
    check_kind(&set, bytes.len())?;
    let layout = Layout::read(&set, limits)?;
    let samples = first_frame(&set, &layout, parts.syntax.as_ref(), bytes.len())?;
    let mut flags = Vec::new();
    let contradictions = [&parts.contradiction, &samples.contradiction].into_iter().flatten();
    flags.extend(contradictions.map(|told| Flag::new(FlagCode::StorageContradiction, told.as_str())));
    if layout.frames > 1 {
        let told = format!("the file holds {} frames; the first was read", layout.frames);
        flags.push(Flag::new(FlagCode::FirstFrame, told));
    }
    let header = Header::read(&set);
    flags.extend(not_a_hand(&header));
    let plane = plane(&set, &layout, &samples, limits, &mut flags)?;
    Ok(Radiograph { plane, header, source: Source::read(&set), flags })
}

/// What a file's header says, without its pixels: who and what, and what results refer to. The beginning of a file is
/// enough, as long as the header is in it.
///
/// # Errors
/// If the bytes are no DICOM, or end within their header.
pub fn header(bytes: &[u8]) -> Result<(Header, Source), DicomError> {
    let parts = beginning(bytes, MOST_OF_HEADER)?;
    let set = DataSet::read(&parts.elements, parts.encoding);
    match &set.fault {
        Some(fault) if set.elements.is_empty() => Err(told(fault, bytes.len())),
        _ => Ok((Header::read(&set), Source::read(&set))),
    }
}

/// Refuses what has no pixels by its kind, in words that say what it is.
fn check_kind(set: &DataSet<'_>, bytes: usize) -> Result<(), DicomError> {
    if set.find(Tag::PIXEL_DATA).is_some() {
        return Ok(());
    }
    if [Tag::FLOAT_PIXEL_DATA, Tag::DOUBLE_FLOAT_PIXEL_DATA].iter().any(|&tag| set.find(tag).is_some()) {
        return Err(DicomError::Unsupported { what: "floating-point pixels".to_owned() });
    }
    if let Some(fault) = &set.fault {
        return Err(told(fault, bytes));
    }
    if set.find(Tag::DIRECTORY_RECORD_SEQUENCE).is_some() {
        return Err(DicomError::NoImage("a directory of other files (DICOMDIR)".to_owned()));
    }
    let class = set.word(Tag::SOP_CLASS_UID).unwrap_or_default();
    let kind = match class.strip_prefix("1.2.840.10008.5.1.4.1.1.").unwrap_or(&class) {
        "" => "of no stated kind, without pixel data".to_owned(),
        kind if kind.starts_with("88.") => "a structured report".to_owned(),
        kind if kind.starts_with("104.") => "an encapsulated document".to_owned(),
        kind if kind.starts_with("11.") => "a presentation state".to_owned(),
        kind if kind.starts_with("481.") => "a radiotherapy object".to_owned(),
        _ => format!("SOP class {class} without pixel data"),
    };
    Err(DicomError::NoImage(kind))
}
