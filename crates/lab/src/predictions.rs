use crate::{LabError, Part, Scored};
use boneage_core::{Interval, Months};
use serde::Deserialize;
use std::path::Path;

/// Predictions of one part from a run's `predictions.csv`, with the columns `id,part,sex,truth,predicted`; the
/// ends of the intervals, in the columns `lower` and `upper` where there are any, are not read.
///
/// # Errors
/// When the file cannot be read, or a line of it; the message names it.
pub fn read_predictions(path: &Path, part: Part) -> Result<Vec<Scored>, LabError> {
    let named = |reason: String| LabError::Data(format!("predictions {}: {reason}", path.display()));
    let mut reader = csv::Reader::from_path(path).map_err(|error| named(error.to_string()))?;
    let mut scored = Vec::new();
    for record in reader.deserialize() {
        let Row { id, part: of, sex, truth, predicted } = record.map_err(|error| named(error.to_string()))?;
        if of != part.as_str() {
            continue;
        }
        let sex = sex.parse().map_err(|error| named(format!("id {id}: {error}")))?;
        let (truth, predicted) = (Months(truth), Months(predicted));
        scored.push(Scored { id, sex, truth, predicted, accepted: None, interval: None });
    }
    Ok(scored)
}

/// What is read of a line.
#[derive(Deserialize)]
struct Row {
    id: String,
    part: String,
    sex: String,
    truth: f32,
    predicted: f32,
}

/// The table that [`read_predictions`] reads.
pub(crate) fn predictions_csv(parts: &[(Part, Vec<Scored>)]) -> String {
    let mut csv = String::from("id,part,sex,truth,predicted,lower,upper\n");
    for (part, s) in parts.iter().flat_map(|(part, scored)| scored.iter().map(move |s| (part, s))) {
        let (truth, predicted) = (s.truth.0, s.predicted.0);
        let ends = ends(s);
        csv.push_str(&format!("{},{},{},{truth},{predicted:.3},{ends}\n", s.id, part.as_str(), s.sex));
    }
    csv
}

/// The cells `lower,upper`, empty without an interval.
fn ends(scored: &Scored) -> String {
    let ends = |interval: Interval| format!("{:.1},{:.1}", interval.lower.0, interval.upper.0);
    scored.interval.map_or_else(|| ",".to_owned(), ends)
}

/// The table of an evaluation: `id,sex,truth,predicted,accepted,lower,upper`, a line a radiograph.
pub fn readings_csv(scored: &[Scored]) -> String {
    let mut csv = String::from("id,sex,truth,predicted,accepted,lower,upper\n");
    for s in scored {
        let (accepted, ends) = (s.accepted.unwrap_or(true), ends(s));
        csv.push_str(&format!("{},{},{},{:.3},{accepted},{ends}\n", s.id, s.sex, s.truth.0, s.predicted.0));
    }
    csv
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
        let read_holdout = read_predictions(&path, Part::Holdout).unwrap();
        assert_eq!((read_holdout.len(), read_holdout[0].sex), (1, Sex::Female));
        assert_eq!(read_holdout[0].error(), 6.0);
        std::fs::write(&path, text.replace("24", "x")).unwrap();
        assert!(read_predictions(&path, Part::Holdout).unwrap_err().to_string().contains("predictions.csv"));
    }
}
