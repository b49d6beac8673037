//! DICOM in and out: a radiograph from an archive's file, with what its header says of the child, and the reading
//! as objects that go back to the archive.
//!
//! [`read`] takes the bytes of a file, with or without preamble and meta group, of the transfer syntaxes that
//! radiographs come in: uncompressed in every encoding, deflated, RLE, JPEG (baseline, extended, lossless), JPEG 2000,
//! and JPEG-LS with the feature `jpeg-ls`. Greys go through the standard's steps in its order, in double
//! precision. Whatever is odd is flagged, whatever cannot be read is refused with its reason.
//!
//! The elements are read by our own small reader: values are borrowed from the file, so that a length that is
//! claimed and not there takes no memory, and a header that is written otherwise than it says is read as it is.
//! Each compressed picture's own size is compared with the header's before it is decoded.
//!
//! [`secondary_capture`], [`encapsulated_pdf`] and [`structured_report`] write results: patient and study are copied
//! from the film and nothing else, UIDs are new. The writer is as small as the reader. For the network a file becomes a
//! [`Parcel`], and what comes from there becomes a file with [`file_head`].
//!
//! ```
//! use boneage_dicom::{DecodeLimits, is_dicom, read};
//! assert!(!is_dicom(b"\x89PNG\r\n\x1a\n"));
//! let refused = read(b"hello", &DecodeLimits::default()).unwrap_err();
//! assert!(refused.to_string().contains("not a DICOM file"));
//! ```

mod codec;
mod dataset;
mod directory;
mod element;
mod error;
mod file;
mod greys;
mod header;
mod layout;
mod out;
mod picture;
mod pixels;
mod radiograph;
mod source;
mod tag;
mod transfer_syntax;

pub use boneage_core::DecodeLimits;
pub use directory::directory;
pub use error::DicomError;
pub use file::is_dicom;
pub use header::{Header, Laterality, PixelSpacing};
pub use out::{
    Measurement, Occasion, Parcel, ParseRootError, UidRoot, encapsulated_pdf, file_head, secondary_capture,
    structured_report,
};
pub use radiograph::{Radiograph, header, read};
pub use source::Source;
pub use transfer_syntax::{EXPLICIT_LITTLE_ENDIAN, IMPLICIT_LITTLE_ENDIAN, TRANSFER_SYNTAXES};
