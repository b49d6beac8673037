use super::Reproduction;
use super::networks::folder_of;
use crate::{LabError, Part, Scored};
use boneage_core::Months;
use std::path::Path;

/// Predictions of one part of a run of this reproduction.
pub(super) fn of_run(reproduction: &Reproduction, name: &str, part: Part) -> Result<Vec<Scored>, LabError> {
    read(&reproduction.out.join(folder_of(name)).join("predictions.csv"), part)
}

/// Predictions of one part from a run's `predictions.csv`.
fn read(path: &Path, part: Part) -> Result<Vec<Scored>, LabError> {
    let named = |reason: String| LabError::Data(format!("predictions {}: {reason}", path.display()));
    let mut reader = csv::Reader::from_path(path).map_err(|error| named(error.to_string()))?;
    let mut scored = Vec::new();
    for record in reader.deserialize() {
        let (id, of, sex, truth, predicted): (String, String, String, f32, f32) =
            record.map_err(|error| named(error.to_string()))?;
        if of != part.as_str() {
            continue;
        }
        let sex = sex.parse().map_err(|error| named(format!("id {id}: {error}")))?;
        scored.push(Scored { id, sex, truth: Months(truth), predicted: Months(predicted), accepted: None });
    }
    Ok(scored)
}

/// Predicted minus true, in months.
pub(super) fn error_of(scored: &Scored) -> f64 {
    f64::from(scored.predicted.0) - f64::from(scored.truth.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use boneage_core::Sex;

    #[test]
    fn a_part_is_read_and_a_bad_line_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("predictions.csv");
        let text = "id,part,sex,truth,predicted\n7,inner,male,100,90.5\n9,holdout,female,24,30\n";
        std::fs::write(&path, text).unwrap();
        let read_holdout = read(&path, Part::Holdout).unwrap();
        assert_eq!((read_holdout.len(), read_holdout[0].sex), (1, Sex::Female));
        assert_eq!(error_of(&read_holdout[0]), 6.0);
        std::fs::write(&path, text.replace("24", "x")).unwrap();
        assert!(read(&path, Part::Holdout).unwrap_err().to_string().contains("predictions.csv"));
    }
}
