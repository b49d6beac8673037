//! The paper's finding about SIFT and SURF (its discussion) as a number: on radiographs they "focus on the edge of the
//! hand's contour", which says little about age.

mod findings;
mod tables;
mod zones;

pub use findings::{KeypointFinding, KeypointFindings, Marked, ZoneFinding};
