//! What an upload turns out to be: the one place that knows file formats.

use boneage_core::{Flag, Months, Plane, Sex};
use boneage_dicom::DicomError;
use boneage_vision::{DecodeLimits, VisionError, decode};

/// A file's film and what the file says of the child.
pub(crate) struct Film {
    /// Upright, any size.
    pub(crate) plane: Plane,
    /// What was noticed while decoding it.
    pub(crate) flags: Vec<Flag>,
    /// The sex by the file's own header, where it has one.
    pub(crate) sex: Option<Sex>,
    /// The child's age on the day of the study, by the header.
    pub(crate) chronological: Option<Months>,
}

/// Why an upload is no film. The message has a hint and names neither file nor patient.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FilmError {
    #[error(transparent)]
    Dicom(#[from] DicomError),
    #[error(transparent)]
    Image(#[from] VisionError),
}

/// Reads an uploaded file: DICOM or an image, told by its content.
///
/// # Errors
/// If it is neither, is damaged, or has more pixels than `max_pixels`.
pub(crate) fn film(bytes: &[u8], max_pixels: u64) -> Result<Film, FilmError> {
    if boneage_dicom::is_dicom(bytes) {
        let film = boneage_dicom::read(bytes, &boneage_dicom::Limits::pixels(max_pixels))?;
        let chronological = film.header.age.map(|age| age.months);
        return Ok(Film { plane: film.plane, flags: film.flags, sex: film.header.sex, chronological });
    }
    let image = decode(bytes, &DecodeLimits::pixels(max_pixels))?;
    Ok(Film { plane: image.plane, flags: image.flags, sex: None, chronological: None })
}
