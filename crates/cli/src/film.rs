//! From a file to a film, whatever it is stored as.

use anyhow::bail;
use boneage_core::{DecodeLimits, Digest, Flag, Plane};
use boneage_dicom::{Header, Source};
use std::fs;
use std::path::Path;

/// Larger files are not read: no radiograph of 100 megapixels needs as much.
const MOST_BYTES: u64 = 1 << 30;

/// A radiograph from a file, with what is known about it.
pub(crate) struct Film {
    pub(crate) plane: Plane,
    /// What was noticed while reading.
    pub(crate) flags: Vec<Flag>,
    /// What a DICOM file says of the child.
    pub(crate) header: Option<Header>,
    /// What results that go back to an archive refer to.
    pub(crate) source: Option<Source>,
    /// SHA-256 of the file.
    pub(crate) digest: Digest,
}

impl Film {
    /// Reads a file once: DICOM or an image, told by its content.
    ///
    /// # Errors
    /// If the file cannot be read, is neither, is damaged, or is of a size beyond `limits`.
    pub(crate) fn load(file: &Path, limits: &DecodeLimits) -> anyhow::Result<Film> {
        let length = file.metadata()?.len();
        if length > MOST_BYTES {
            bail!(
                "the file has {length} bytes, at most {MOST_BYTES} are read; hint: this is hardly a radiograph"
            );
        }
        let bytes = fs::read(file)?;
        let (film, digest) = rayon::join(|| decode(&bytes, limits), || Digest::of(&bytes));
        Ok(Film { digest, ..film? })
    }
}

/// The film without its digest.
fn decode(bytes: &[u8], limits: &DecodeLimits) -> anyhow::Result<Film> {
    let digest = Digest(String::new());
    if boneage_dicom::is_dicom(bytes) {
        let film = boneage_dicom::read(bytes, limits)?;
        let (header, source) = (Some(film.header), Some(film.source));
        return Ok(Film { plane: film.plane, flags: film.flags, header, source, digest });
    }
    let image = boneage_vision::decode(bytes, limits)?;
    Ok(Film { plane: image.plane, flags: image.flags, header: None, source: None, digest })
}
