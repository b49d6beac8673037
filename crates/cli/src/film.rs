//! From a file to a film, whatever it is stored as.

use anyhow::bail;
use boneage_core::{Digest, Flag, Plane};
use boneage_dicom::Header;
use boneage_vision::DecodeLimits;
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
    /// SHA-256 of the file.
    pub(crate) digest: Digest,
}

impl Film {
    /// Reads a file once: DICOM or an image, told by its content.
    ///
    /// # Errors
    /// If the file cannot be read, is neither, is damaged, or has more pixels than `max_pixels`.
    pub(crate) fn load(file: &Path, max_pixels: u64) -> anyhow::Result<Film> {
        let length = file.metadata()?.len();
        if length > MOST_BYTES {
            bail!(
                "the file has {length} bytes, at most {MOST_BYTES} are read; hint: this is hardly a radiograph"
            );
        }
        let bytes = fs::read(file)?;
        let (film, digest) = rayon::join(|| decode(&bytes, max_pixels), || Digest::of(&bytes));
        let (plane, flags, header) = film?;
        Ok(Film { plane, flags, header, digest })
    }
}

fn decode(bytes: &[u8], max_pixels: u64) -> anyhow::Result<(Plane, Vec<Flag>, Option<Header>)> {
    if boneage_dicom::is_dicom(bytes) {
        let film = boneage_dicom::read(bytes, &boneage_dicom::Limits::pixels(max_pixels))?;
        return Ok((film.plane, film.flags, Some(film.header)));
    }
    let image = boneage_vision::decode(bytes, &DecodeLimits::pixels(max_pixels))?;
    Ok((image.plane, image.flags, None))
}
