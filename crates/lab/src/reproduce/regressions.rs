use super::networks::{clear_unless, folder_of};
use super::table::PartScores;
use super::{Data, Reproduction};
use crate::figures::{ComponentCurve, ComponentError};
use crate::regression::train_regression_on;
use crate::{CountErrors, Detector, Estimate, LabError, RegressionRecipe, WithoutComponents};
use boneage_core::Digest;
use serde::Deserialize;

/// What is kept of a run; the model of one on greys alone.
const OUTPUTS: [&str; 4] = ["recipe.toml", "predictions.csv", "evaluation.json", "report.md"];
const MODEL: &str = "model.safetensors";
/// Run names of the regressions of table I without their cohort, and what they are called.
pub(super) const REGRESSIONS: [(&str, &str); 2] =
    [("paper-linear", "linear"), ("paper-logistic", "logistic")];
/// Whose films.
const COHORTS: [&str; 3] = ["male", "female", "both"];
/// Splits: the end of the run name, and what the table says.
const SPLITS: [(&str, &str); 2] = [("", "thirds"), ("-holdout", "the networks' holdout")];

/// Fits one regression in its run folder.
pub(super) fn train(
    reproduction: &Reproduction,
    recipe: &RegressionRecipe,
    key: &Digest,
    data: &Data,
) -> Result<Vec<String>, LabError> {
    let folder = folder_of(&recipe.name);
    let path = reproduction.out.join(&folder);
    clear_unless(&path, key)?;
    train_regression_on(recipe, &data.dataset, &data.files, &reproduction.cache, &path)?;
    let model = recipe.regression.features.are_pixels().then_some(MODEL);
    Ok(OUTPUTS.into_iter().chain(model).map(|file| format!("{folder}/{file}")).collect())
}

/// What is read of a run's `evaluation.json`.
#[derive(Deserialize)]
struct Told {
    components: Option<usize>,
    training: PartScores,
    holdout: PartScores,
    without_components: Option<WithoutComponents>,
    by_components: Vec<CountErrors>,
}

/// `None` where the run is not there.
fn told(reproduction: &Reproduction, name: &str) -> Result<Option<Told>, LabError> {
    let path = reproduction.out.join(folder_of(name)).join("evaluation.json");
    if !path.exists() {
        return Ok(None);
    }
    let bytes = std::fs::read(&path).map_err(LabError::io(&path))?;
    let read = serde_json::from_slice(&bytes);
    read.map(Some).map_err(|error| LabError::Data(format!("{}: {error}", path.display())))
}

/// Errors of every regression by the number of its components, on the paper's split.
pub(super) fn curves(reproduction: &Reproduction) -> Result<Vec<ComponentCurve>, LabError> {
    let mut curves = Vec::new();
    for (begin, kind) in REGRESSIONS {
        for cohort in COHORTS {
            let Some(told) = told(reproduction, &format!("{begin}-{cohort}"))? else { continue };
            let point = |row: &CountErrors| {
                let CountErrors { components, training, holdout } = *row;
                ComponentError { components, training, test: holdout }
            };
            curves.push(ComponentCurve {
                name: format!("{kind}, {cohort}"),
                points: told.by_components.iter().map(point).collect(),
                chosen: told.components,
                constant: Some(told.holdout.baseline.mae.value),
            });
        }
    }
    Ok(curves)
}

/// Training against test error, with principal components and without, as a table; `None` where nothing was
/// fitted.
pub(super) fn table(reproduction: &Reproduction) -> Result<Option<String>, LabError> {
    let mut text = String::from(
        "| regression | films of | split | components | MAE on training films | MAE on test films (95 %) | \
         the same on greys: training | test | a constant |\n|---|---|---|---:|---:|---:|---:|---:|---:|\n",
    );
    let mut any = false;
    for (begin, kind) in REGRESSIONS {
        for (end, split) in SPLITS {
            for cohort in COHORTS {
                let Some(told) = told(reproduction, &format!("{begin}-{cohort}{end}"))? else { continue };
                any = true;
                let count = told.components.map_or_else(String::new, |count| count.to_string());
                let without = told.without_components.map_or_else(
                    || " | ".to_owned(),
                    |errors| format!("{:.2} | {:.2}", errors.training, errors.holdout),
                );
                let Estimate { value, interval_95: [low, high] } = told.holdout.all.mae;
                text.push_str(&format!(
                    "| {kind} | {cohort} | {split} | {count} | {:.2} | {value:.2} ({low:.2} to {high:.2}) | {without} | {:.2} |\n",
                    told.training.all.mae.value, told.holdout.baseline.mae.value
                ));
            }
        }
    }
    Ok(any.then_some(text))
}

/// The errors of the regressions on visual words, as a table; `None` where nothing was fitted.
pub(super) fn words(reproduction: &Reproduction) -> Result<Option<String>, LabError> {
    let mut text = String::from(
        "| words of | MAE on training films | MAE on test films (95 %) | a constant |\n|---|---:|---:|---:|\n",
    );
    let mut any = false;
    for detector in Detector::ALL {
        let name = format!("paper-{}-both", detector.as_str().to_lowercase());
        let Some(told) = told(reproduction, &name)? else { continue };
        any = true;
        let Estimate { value, interval_95: [low, high] } = told.holdout.all.mae;
        text.push_str(&format!(
            "| {} | {:.2} | {value:.2} ({low:.2} to {high:.2}) | {:.2} |\n",
            detector.as_str(),
            told.training.all.mae.value,
            told.holdout.baseline.mae.value
        ));
    }
    Ok(any.then_some(text))
}
