//! One reading, told: as a page ([`pdf`]), as JSON ([`JsonReading`]) and FHIR R4 ([`fhir`]), as pictures and DICOM objects ([`Rendering`]), and
//! beside what is usual at the child's age ([`Reference`]), with the adult height that follows ([`AdultHeight`]). Knows nothing of networks and nothing of patients' names.
//!
//! ```
//! use boneage_core::{AgeSource, ChronologicalAge, Months, Sex};
//! use boneage_report::Reference;
//! let age = ChronologicalAge { months: Months(120.0), source: AgeSource::Dates };
//! let standing = Reference::brush_foundation().standing(Some(Sex::Male), age, Months(139.58));
//! assert_eq!(standing.score.words(), "+2.0 SD");
//! ```

mod adult_height;
mod between;
mod case;
mod error;
mod fhir;
mod json;
mod overlay;
mod page;
mod pdf;
mod reference;
mod rendering;

pub use adult_height::{AdultHeight, NoAdultHeight, Tempo};
pub use case::Case;
pub use error::ReportError;
pub use fhir::{fhir, fhir_bundle};
pub use json::JsonReading;
pub use pdf::{Picture, pdf};
pub use reference::{Reference, ReferenceRow, Score, Standing};
pub use rendering::{DicomKind, Rendering};
