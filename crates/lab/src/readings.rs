use crate::{Dataset, LabError, Scored};
use boneage_core::{Months, Sex};
use std::collections::HashMap;
use std::path::Path;

/// What a table's columns are usually called, in lower case and the most telling first: our own tables, those of
/// the challenge, and what others write.
const IDS: [&str; 9] =
    ["id", "image id", "case id", "image_id", "case_id", "file", "filename", "image", "name"];
const PREDICTIONS: [&str; 12] = [
    "predicted",
    "prediction",
    "predictions",
    "pred",
    "predicted_age",
    "predicted_months",
    "boneage_pred",
    "pred_boneage",
    "months",
    "bone_age_months",
    "bone_age",
    "age",
];
const TRUTHS: [&str; 7] = [
    "truth",
    "boneage",
    "bone age (months)",
    "ground truth bone age (months)",
    "label",
    "true",
    "ground_truth",
];
const SEXES: [&str; 3] = ["sex", "male", "gender"];

/// A table of predicted ages, of this program or of another.
#[derive(Clone, Debug, PartialEq)]
pub struct Readings {
    /// The column that was taken for the prediction.
    pub column: String,
    /// Its rows, each id once, in the order of the file.
    pub rows: Vec<ReadingRow>,
    /// Rows without an age, refused films among them.
    pub without_age: usize,
    /// Whether the table has a column `part`.
    pub has_parts: bool,
}

/// One radiograph of [`Readings`].
#[derive(Clone, Debug, PartialEq)]
pub struct ReadingRow {
    /// Its id: of a file its name without folder and ending.
    pub id: String,
    /// The predicted age.
    pub predicted: Months,
    /// The label, where the table has one.
    pub truth: Option<Months>,
    /// The sex, where the table has it.
    pub sex: Option<Sex>,
}

impl Readings {
    /// Reads a table with the columns id and predicted age, `column` or one that is usually called so, and with
    /// label and sex where it has them. `part` keeps only its rows where the table has a column `part`.
    ///
    /// # Errors
    /// When the table cannot be read, lacks a column, holds an id twice or an age that is none; the message names it.
    pub fn read(path: &Path, column: Option<&str>, part: Option<&str>) -> Result<Self, LabError> {
        let named = |reason: String| LabError::Data(format!("table {}: {reason}", path.display()));
        let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_path(path);
        let reader = reader.as_mut().map_err(|e| named(e.to_string()))?;
        let header = reader.headers().map_err(|e| named(e.to_string()))?;
        let header: Vec<String> =
            header.iter().map(|name| name.trim_start_matches('\u{feff}').to_lowercase()).collect();
        let first =
            |names: &[&str]| names.iter().find_map(|name| header.iter().position(|found| found == name));
        let lacks = |what: &str, hint: &str| {
            named(format!("no column for the {what} among {}; hint: {hint}", header.join(", ")))
        };
        let id = first(&IDS).ok_or_else(|| lacks("id", "call one id"))?;
        let predicted = match column {
            Some(column) => first(&[&column.to_lowercase()]),
            None => first(&PREDICTIONS),
        };
        let wanted = column.map_or_else(|| "predicted age".to_owned(), |column| format!("name {column:?}"));
        let predicted = predicted.ok_or_else(|| lacks(&wanted, "name the one of the predicted age"))?;
        // A table whose one age is called like a label holds a prediction there, when it is said so.
        let truth = first(&TRUTHS).filter(|&truth| truth != predicted);
        let (sex, of_part) = (first(&SEXES), first(&["part"]));

        let mut readings = Readings {
            column: header[predicted].clone(),
            rows: Vec::new(),
            without_age: 0,
            has_parts: of_part.is_some(),
        };
        let mut lines: HashMap<String, u64> = HashMap::new();
        for record in reader.records() {
            let record = record.map_err(|e| named(e.to_string()))?;
            let line = record.position().map_or(0, csv::Position::line);
            let field = |column: usize| record.get(column).unwrap_or_default();
            if part.is_some_and(|part| of_part.is_some_and(|column| field(column) != part)) {
                continue;
            }
            let id = id_of(field(id));
            let age = |column: usize| match field(column) {
                "" => Ok(None),
                text => match text.parse::<f32>() {
                    Ok(months) if months.is_finite() => Ok(Some(Months(months))),
                    _ => Err(named(format!("line {line}: age {text:?} of id {id} is no number"))),
                },
            };
            let truth = truth.map_or(Ok(None), age)?;
            let sex = match sex.map(field).filter(|word| !word.is_empty()) {
                Some(word) => Some(word.parse().map_err(|e| named(format!("line {line}: {e}")))?),
                None => None,
            };
            let Some(predicted) = age(predicted)? else {
                readings.without_age += 1;
                continue;
            };
            if let Some(before) = lines.insert(id.clone(), line) {
                return Err(named(format!("id {id} stands on line {before} and again on line {line}")));
            }
            readings.rows.push(ReadingRow { id, predicted, truth, sex });
        }
        Ok(readings)
    }

    /// Those with label and sex.
    ///
    /// # Errors
    /// When a row has none.
    pub fn scored(&self) -> Result<Vec<Scored>, LabError> {
        let of = |row: &ReadingRow| {
            let (Some(truth), Some(sex)) = (row.truth, row.sex) else {
                let what = if row.truth.is_none() { "label" } else { "sex" };
                return Err(LabError::Data(format!(
                    "id {} has no {what}; hint: columns truth and sex are needed here",
                    row.id
                )));
            };
            let (id, predicted) = (row.id.clone(), row.predicted);
            Ok(Scored { id, sex, truth, predicted, accepted: None, interval: None })
        };
        self.rows.iter().map(of).collect()
    }

    /// Takes label and sex of each id from a table of labels, in place of its own.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub fn label(&mut self, labels: &Path) -> Result<(), LabError> {
        let labels = Dataset::labels(labels)?;
        let by_id: HashMap<&str, (Months, Sex)> =
            labels.iter().map(|(id, months, sex)| (id.as_str(), (*months, *sex))).collect();
        for row in &mut self.rows {
            let label = by_id.get(row.id.as_str());
            (row.truth, row.sex) = (label.map(|label| label.0), label.map(|label| label.1).or(row.sex));
        }
        Ok(())
    }
}

/// `films/17.png` is of the id 17; an id without an ending of an image is itself.
fn id_of(cell: &str) -> String {
    let name = cell.rsplit(['/', '\\']).next().unwrap_or(cell);
    match name.rsplit_once('.') {
        Some((stem, ending)) if !stem.is_empty() && ending.chars().all(char::is_alphabetic) => {
            stem.to_owned()
        }
        _ => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, column: Option<&str>, part: Option<&str>) -> Result<Readings, LabError> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("table.csv");
        std::fs::write(&path, text).unwrap();
        Readings::read(&path, column, part)
    }

    #[test]
    fn our_own_tables_and_those_of_others_are_understood() {
        let ours = read("file,sex,months,lower\nfilms/7.png,female,90.5,80\nfilms/8.png,,,\n", None, None);
        let ours = ours.unwrap();
        assert_eq!((ours.column.as_str(), ours.rows.len(), ours.without_age), ("months", 1, 1));
        let row = &ours.rows[0];
        assert_eq!((row.id.as_str(), row.sex, row.truth), ("7", Some(Sex::Female), None));
        assert!(ours.scored().unwrap_err().to_string().contains("id 7 has no label"));

        let run = "id,part,sex,truth,predicted\n7,inner,male,100,90.5\n9,holdout,female,24,30\n";
        let run = read(run, None, Some("holdout")).unwrap().scored().unwrap();
        assert_eq!((run.len(), run[0].error()), (1, 6.0));

        let others = read("\u{feff}Image ID,Male,BoneAge\n12.5,True,90\n", Some("BoneAge"), None).unwrap();
        assert_eq!((others.rows[0].id.as_str(), others.rows[0].truth), ("12.5", None));
    }

    #[test]
    fn what_is_wrong_with_a_table_is_named() {
        let message = |text: &str, column| read(text, column, None).unwrap_err().to_string();
        let no_prediction = message("id,boneage,model\n1,2,x\n", None);
        assert!(no_prediction.contains("id, boneage, model") && no_prediction.contains("predicted age"));
        assert!(message("id,months\n1,2\n", Some("ours")).contains("\"ours\""));
        assert!(message("months\n2\n", None).contains("call one id"));
        assert!(message("id,months\n1,2\n1,3\n", None).contains("line 2 and again on line 3"));
        assert!(message("id,months\n1,two\n", None).contains("\"two\" of id 1"));
    }
}
