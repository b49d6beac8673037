//! What a file turns out to be: the one place that knows file formats.

use crate::{Predictor, Radiograph};
use boneage_core::{Assessment, DecodeLimits, Digest, Flag, Plane, SexGiven};
use boneage_dicom::{DicomError, Header, Source};
use boneage_vision::{Placing, VisionError};

/// A radiograph from a file, with what the file says about it.
#[derive(Clone, Debug)]
pub struct Film {
    /// Upright, any size.
    pub plane: Plane,
    /// What was noticed while reading the file.
    pub flags: Vec<Flag>,
    /// What a DICOM file says of the child.
    pub header: Option<Header>,
    /// What results that go back to an archive refer to.
    pub source: Option<Source>,
    /// SHA-256 of the file.
    pub digest: Digest,
}

/// Why a file is no film. The message has a hint and names neither file nor patient.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FilmError {
    /// It is DICOM, and not to be read.
    #[error(transparent)]
    Dicom(#[from] DicomError),
    /// It is no image, or one that is not to be read.
    #[error(transparent)]
    Image(#[from] VisionError),
}

impl Film {
    /// Reads a file's bytes: DICOM or an image, told by their content.
    ///
    /// # Errors
    /// If they are neither, are damaged, or make an image of a size beyond `limits`.
    pub fn decode(bytes: &[u8], limits: &DecodeLimits) -> Result<Film, FilmError> {
        let (film, digest) = rayon::join(|| undigested(bytes, limits), || Digest::of(bytes));
        Ok(Film { digest, ..film? })
    }

    /// Reads the film with a model. The sex is `given`, else the header's; the age of the child is the header's. The film
    /// is laid down by hand where a `placing` says how.
    pub fn assess(
        &self,
        predictor: &Predictor,
        given: SexGiven,
        placing: Option<&Placing>,
        pictures: Pictures,
    ) -> Assessment {
        let (sex, contradiction) = given.beside_header(self.header.as_ref().and_then(|header| header.sex));
        let trusting;
        let predictor = match self.header {
            // A header says which values are bright (PS3.3, C.7.6.3.1.2): no guess turns them once more.
            Some(_) => {
                trusting = predictor.trusting_polarity();
                &trusting
            }
            None => predictor,
        };
        let flags: Vec<Flag> = self.flags.iter().cloned().chain(contradiction).collect();
        let radiograph =
            Radiograph { plane: &self.plane, flags: &flags, sex, input: Some(&self.digest), placing };
        let read = match pictures {
            Pictures::Wanted => predictor.assess(&radiograph),
            Pictures::Unwanted => predictor.assess_in_words(&radiograph),
        };
        Assessment { chronological: self.header.as_ref().and_then(|header| header.age), ..read }
    }
}

/// Whether an assessment has its attention map and its hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pictures {
    /// It has them.
    Wanted,
    /// It has words alone, and is sooner there.
    Unwanted,
}

fn undigested(bytes: &[u8], limits: &DecodeLimits) -> Result<Film, FilmError> {
    let digest = Digest(String::new());
    if boneage_dicom::is_dicom(bytes) {
        let film = boneage_dicom::read(bytes, limits)?;
        let (header, source) = (Some(film.header), Some(film.source));
        return Ok(Film { plane: film.plane, flags: film.flags, header, source, digest });
    }
    let image = boneage_vision::decode(bytes, limits)?;
    Ok(Film { plane: image.plane, flags: image.flags, header: None, source: None, digest })
}
