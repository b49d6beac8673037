//! The DICOM node: films come by C-STORE, results go by C-STORE.
//!
//! PDUs are read and written by dicom-ul; the states of an association are ours, so that each limit is in one place:
//! how long anybody may be silent, how many wait, how many are associated, how large an object is. An object is
//! stored as an upload is, on the disk before its success is told.

mod association;
mod deliver;
mod dimse;
mod listen;
mod receive;
#[cfg(test)]
mod tests;

pub(crate) use deliver::deliver;
pub(crate) use listen::listen;

use boneage_dicom::{EXPLICIT_LITTLE_ENDIAN, IMPLICIT_LITTLE_ENDIAN, TRANSFER_SYNTAXES};
use std::time::Duration;

/// Longest time until an association is asked for, and between two PDUs of one that stands.
const SILENCE: Duration = Duration::from_secs(30);

/// Longest PDU that is taken, in bytes.
const LONGEST_PDU: u32 = 128 << 10;

/// The application context (PS3.7, A.2.1).
const APPLICATION_CONTEXT: &str = "1.2.840.10008.3.1.1.1";

/// C-ECHO (PS3.4, A.4).
const VERIFICATION: &str = "1.2.840.10008.1.1";

/// What is taken by C-STORE (PS3.4, B.5): radiographs, and what they become when they are converted.
const FILMS: [&str; 8] = [
    "1.2.840.10008.5.1.4.1.1.1",     // Computed Radiography
    "1.2.840.10008.5.1.4.1.1.1.1",   // Digital X-Ray, for presentation
    "1.2.840.10008.5.1.4.1.1.1.1.1", // Digital X-Ray, for processing
    "1.2.840.10008.5.1.4.1.1.7",     // Secondary Capture
    "1.2.840.10008.5.1.4.1.1.7.1",   // the same of several frames: 1 bit, 8 bit, 16 bit, colour
    "1.2.840.10008.5.1.4.1.1.7.2",
    "1.2.840.10008.5.1.4.1.1.7.3",
    "1.2.840.10008.5.1.4.1.1.7.4",
];

/// The transfer syntaxes in which an object of a class is taken.
fn syntaxes(class: &str) -> &'static [&'static str] {
    match class {
        VERIFICATION => &[EXPLICIT_LITTLE_ENDIAN, IMPLICIT_LITTLE_ENDIAN],
        class if FILMS.contains(&class) => TRANSFER_SYNTAXES,
        _ => &[],
    }
}
