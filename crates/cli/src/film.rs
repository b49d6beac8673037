//! From a file to a film, whatever it is stored as.

use anyhow::bail;
use boneage_assess::Film;
use boneage_core::DecodeLimits;
use std::fs;
use std::path::Path;

/// Larger files are not read: no radiograph of 100 megapixels needs as much.
const MOST_BYTES: u64 = 1 << 30;

/// Reads a file once.
///
/// # Errors
/// If the file cannot be read, is neither DICOM nor an image, is damaged, or is of a size beyond `limits`.
pub(crate) fn load(file: &Path, limits: &DecodeLimits) -> anyhow::Result<Film> {
    let length = file.metadata()?.len();
    if length > MOST_BYTES {
        bail!(
            "the file has {length} bytes, at most {MOST_BYTES} are read; hint: this is hardly a radiograph"
        );
    }
    Ok(Film::decode(&fs::read(file)?, limits)?)
}
