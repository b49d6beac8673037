use boneage_core::SizeError;

/// Why bytes could not become a radiograph, or a directory of radiographs.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DicomError {
    /// Nothing in the bytes looks like DICOM.
    #[error("not a DICOM file; hint: give the file as the archive exports it")]
    NotDicom,
    /// The file ends before what it announces.
    #[error(
        "the DICOM file is truncated: it ends after {bytes} bytes, within {what}; hint: copy or export it again"
    )]
    Truncated {
        /// Length of the file in bytes.
        bytes: usize,
        /// What was cut.
        what: String,
    },
    /// The file contradicts itself.
    #[error("the DICOM file is damaged: {0}; hint: export it again")]
    Damaged(String),
    /// A sound object that is no picture.
    #[error("the DICOM object holds no image: it is {0}; hint: give the radiograph itself")]
    NoImage(String),
    /// An attribute that an image cannot be without.
    #[error("the DICOM header lacks {name} {tag}; hint: export the radiograph again")]
    Missing {
        /// The attribute's name in PS3.6.
        name: &'static str,
        /// `(gggg,eeee)`.
        tag: String,
    },
    /// A way of storing pixels that is not read.
    #[error(
        "the pixels are stored as {what}, which is not read; hint: export as Explicit VR Little Endian, or as PNG of 16 bit"
    )]
    Unsupported {
        /// Transfer syntax or pixel format, in words.
        what: String,
    },
    /// The compressed picture could not be decoded.
    #[error("the {codec} picture is damaged: {reason}; hint: export it again, uncompressed if possible")]
    Codec {
        /// Name of the compression.
        codec: &'static str,
        /// What the decoder said.
        reason: String,
    },
    /// A size that is not decoded.
    #[error(transparent)]
    Size(#[from] SizeError),
}
