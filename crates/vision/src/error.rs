use boneage_core::SizeError;

/// Why bytes could not become an image.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VisionError {
    /// There are no bytes at all.
    #[error("the file is empty (0 bytes); hint: copy or export it again")]
    Empty,
    /// The first bytes belong to no image format that is known here.
    #[error("not an image: the file starts with {starts_with}; hint: give a PNG, JPEG, TIFF or BMP file")]
    NotAnImage {
        /// The first bytes, as hexadecimal and as text.
        starts_with: String,
    },
    /// A known file format that is not read.
    #[error("this is a {format} file, which is not read; hint: {hint}")]
    OtherFormat {
        /// Its name.
        format: &'static str,
        /// What to do instead.
        hint: &'static str,
    },
    /// The file ends before its image does.
    #[error(
        "the {format} file is truncated: it ends after {bytes} bytes, before its image does; hint: copy or export it again"
    )]
    Truncated {
        /// The name of the format.
        format: &'static str,
        /// Length of the file in bytes.
        bytes: usize,
    },
    /// The file contradicts its own format.
    #[error("the {format} file is damaged: {reason}; hint: export it again")]
    Damaged {
        /// The name of the format.
        format: &'static str,
        /// The decoder's words.
        reason: String,
    },
    /// A rare variant of a format that is read otherwise.
    #[error(
        "the {format} file is of a kind that is not read: {reason}; hint: save it as an 8 or 16 bit grey PNG"
    )]
    Unsupported {
        /// The name of the format.
        format: &'static str,
        /// The decoder's words.
        reason: String,
    },
    /// A size that is not decoded.
    #[error(transparent)]
    Size(#[from] SizeError),
}
