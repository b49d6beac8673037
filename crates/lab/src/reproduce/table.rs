use super::Reproduction;
use super::networks::folder_of;
use crate::LabError;
use crate::checkpoint::write_atomically;
use serde::Deserialize;
use std::path::Path;

/// The paper's table I: model and what it reports in months for male, female and both; it leaves the
/// regressions on both blank.
const PAPER: [(&str, [Option<f64>; 3]); 4] = [
    ("linear regression", [Some(30.0), Some(29.0), None]),
    ("logistic regression", [Some(36.0), Some(33.0), None]),
    ("VGG16 and fully connected", [Some(15.21), Some(16.15), Some(16.88)]),
    // The abstract says 10.75 for female.
    ("VGG16 and attention", [Some(9.82), Some(10.78), Some(11.45)]),
];
/// Cohorts, in the order of the paper's columns.
const COHORTS: [&str; 3] = ["male", "female", "both"];
/// Run names of table I: row of the paper, beginning of the name, its end, and what the row is called.
const ROWS: [(usize, &str, &str, &str); 10] = [
    (0, "paper-linear", "", "linear regression"),
    (1, "paper-logistic", "", "logistic regression"),
    (0, "paper-linear", "-holdout", "linear regression, on the networks' holdout"),
    (1, "paper-logistic", "-holdout", "logistic regression, on the networks' holdout"),
    (2, "paper-fc", "", "VGG16 and fully connected"),
    (3, "paper-attention", "", "VGG16 and attention"),
    (3, "paper-attention-sex", "", "VGG16 and attention, sex as input"),
    (2, "paper-fc", "-unmasked", "VGG16 and fully connected, not masked"),
    (3, "paper-attention", "-unmasked", "VGG16 and attention, not masked"),
    (3, "paper-attention-sex", "-unmasked", "VGG16 and attention, sex as input, not masked"),
];

/// One cell of table I.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Cell {
    pub(super) model: String,
    pub(super) cohort: &'static str,
    /// MAE in months, with the ends of its 95 % interval.
    pub(super) mae: [f64; 3],
    pub(super) rmse: f64,
    pub(super) images: usize,
    /// What the paper reports, where it reports the same.
    pub(super) paper: Option<f64>,
    /// MAE of predicting the median of the training labels for everybody.
    pub(super) constant: f64,
    /// The run, which is named as its recipe.
    pub(super) recipe: String,
}

/// What the table reads of a run's `evaluation.json`.
#[derive(Deserialize)]
struct Evaluated {
    holdout: PartScores,
}

/// What is read of the evaluation of one part of the split.
#[derive(Deserialize)]
pub(super) struct PartScores {
    pub(super) all: Scores,
    pub(super) baseline: Scores,
}

#[derive(Deserialize)]
pub(super) struct Scores {
    images: usize,
    pub(super) mae: crate::Estimate,
    rmse: crate::Estimate,
}

/// Writes `table1.csv`.
pub(super) fn write(reproduction: &Reproduction) -> Result<Vec<String>, LabError> {
    let mut csv = String::from("model,cohort,mae,lo,hi,rmse,n,paper,constant,recipe\n");
    for cell in cells(reproduction)? {
        let Cell { model, cohort, mae: [mae, low, high], rmse, images, paper, constant, recipe } = cell;
        let paper = paper.map_or_else(String::new, |months| format!("{months}"));
        csv.push_str(&format!(
            "\"{model}\",{cohort},{mae:.3},{low:.3},{high:.3},{rmse:.3},{images},{paper},{constant:.3},{recipe}\n"
        ));
    }
    write_atomically(&reproduction.out.join("table1.csv"), csv.as_bytes())?;
    Ok(vec!["table1.csv".to_owned()])
}

/// Every cell that a run of this reproduction fills.
pub(super) fn cells(reproduction: &Reproduction) -> Result<Vec<Cell>, LabError> {
    let mut cells = Vec::new();
    for (row, begin, end, model) in ROWS {
        for (column, cohort) in COHORTS.into_iter().enumerate() {
            let recipe = format!("{begin}-{cohort}{end}");
            let path = reproduction.out.join(folder_of(&recipe)).join("evaluation.json");
            // With the sex as input, and whatever else has no model for one sex, both is all there is.
            if path.exists() {
                let paper = PAPER[row].1[column].filter(|_| PAPER[row].0 == model);
                cells.push(cell(&path, model, cohort, paper, recipe)?);
            }
        }
    }
    Ok(cells)
}

fn cell(
    path: &Path,
    model: &str,
    cohort: &'static str,
    paper: Option<f64>,
    recipe: String,
) -> Result<Cell, LabError> {
    let bytes = std::fs::read(path).map_err(LabError::io(path))?;
    let Evaluated { holdout } = serde_json::from_slice(&bytes)
        .map_err(|error| LabError::Data(format!("{}: {error}", path.display())))?;
    let Scores { images, mae, rmse } = holdout.all;
    let [low, high] = mae.interval_95;
    Ok(Cell {
        model: model.to_owned(),
        cohort,
        mae: [mae.value, low, high],
        rmse: rmse.value,
        images,
        paper,
        constant: holdout.baseline.mae.value,
        recipe,
    })
}
