use super::Reproduction;
use super::networks::folder_of;
use crate::{LabError, Part, Scored, read_predictions};

/// Predictions of one part of a run of this reproduction.
pub(super) fn of_run(reproduction: &Reproduction, name: &str, part: Part) -> Result<Vec<Scored>, LabError> {
    read_predictions(&reproduction.out.join(folder_of(name)).join("predictions.csv"), part)
}

/// Predicted minus true, in months.
pub(super) fn error_of(scored: &Scored) -> f64 {
    scored.error()
}
