use super::features::Reader;
use super::fit::{fit, fit_leading, mean_absolute_error, predict};
use super::images::Images;
use super::model::bundle;
use super::validation::{cross_validate, find_components, possible};
use super::{Components, CrossValidated, Regression, RegressionRecipe};
use crate::checkpoint::write_atomically;
use crate::experiment::split_dataset;
use crate::predictions::predictions_csv;
use crate::run::claim_folder;
use crate::{Dataset, Evaluation, LabError, Part, Scored, median};
use boneage_classical::{AgeRegression, Samples};
use boneage_core::{Digest, Months};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::path::Path;

/// What a trained regression says, as `evaluation.json` of its folder holds it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FinishedRegression {
    /// Principal components it reads; `None` where it reads the greys.
    pub components: Option<usize>,
    /// On the images it was fitted to: beside the holdout, how much of it is overfitting.
    pub training: Evaluation,
    /// On the images held out.
    pub holdout: Evaluation,
    /// The same regression on the greys themselves, where the recipe asks for it.
    pub without_components: Option<WithoutComponents>,
    /// What the number of components was chosen by.
    pub cross_validation: Vec<CrossValidated>,
    /// Errors with every number of components that was tried, after the choice: for the figure alone.
    pub by_components: Vec<CountErrors>,
}

/// Mean absolute errors in months of the regression on greys.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct WithoutComponents {
    /// On the training images.
    pub training: f64,
    /// On the holdout.
    pub holdout: f64,
}

/// Mean absolute errors in months with one number of components.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct CountErrors {
    /// Principal components kept.
    pub components: usize,
    /// On the training images.
    pub training: f64,
    /// On the holdout.
    pub holdout: f64,
}

/// The images of one part of the split.
struct Set<'a> {
    ids: Vec<&'a str>,
    /// Where they stand in the data set.
    indices: Vec<usize>,
    /// In months.
    ages: Vec<f32>,
    samples: Samples,
}

/// Everything that the numbers of components say.
struct Reading {
    components: Option<usize>,
    /// On the greys.
    regression: AgeRegression,
    /// Of the training images, then of the holdout.
    predicted: [Vec<f32>; 2],
    cross_validation: Vec<CrossValidated>,
    by_components: Vec<CountErrors>,
}

/// Fits a regression to the training part of the recipe's split and leaves `recipe.toml`, `predictions.csv`,
/// `evaluation.json`, `report.md` and, of a regression on greys, `model.safetensors` in `folder`.
///
/// The number of components is chosen on the training part; the holdout is read to report. Near-duplicates are
/// found once and kept under `cache_root`, as are the greys of the images.
///
/// # Errors
/// When an image cannot be read, there are too few for what the recipe asks, the folder holds another recipe
/// or the disk fails.
pub fn train_regression(
    recipe: &RegressionRecipe,
    dataset: &Dataset,
    cache_root: &Path,
    folder: &Path,
) -> Result<FinishedRegression, LabError> {
    train_regression_on(recipe, dataset, &dataset.file_digests()?, cache_root, folder)
}

/// [`train_regression`] on a data set whose `files` have these digests.
///
/// # Errors
/// As there.
pub(crate) fn train_regression_on(
    recipe: &RegressionRecipe,
    dataset: &Dataset,
    files: &[Digest],
    cache_root: &Path,
    folder: &Path,
) -> Result<FinishedRegression, LabError> {
    claim_folder(folder, &recipe.to_toml())?;
    let mut split = split_dataset(dataset, files, cache_root, recipe.cohort, recipe.split)?;
    if let Some(count) = recipe.subset {
        split.limit_training(count);
    }
    if let Some(part) = [Part::Training, Part::Holdout].into_iter().find(|&part| split.list(part).len() < 2) {
        let (name, part) = (&recipe.name, part.as_str());
        return Err(LabError::Recipe(format!(
            "{name} has fewer than 2 images for {part}; hint: is --data the whole data set?"
        )));
    }
    let images = Images { dataset, files, cache_root };
    let place: HashMap<&str, usize> =
        dataset.radiographs.iter().enumerate().map(|(index, r)| (r.id.as_str(), index)).collect();
    let indices = |part: Part| split.list(part).iter().map(|id| place[id.as_str()]).collect::<Vec<usize>>();
    let reader = Reader::learn(&images, recipe, &indices(Part::Training))?;
    let set = |part: Part| -> Result<Set<'_>, LabError> {
        let ids = split.list(part).iter().map(String::as_str).collect();
        let indices = indices(part);
        let ages = indices.iter().map(|&index| dataset.radiographs[index].months.0).collect();
        let samples = reader.read(&images, recipe, &indices)?;
        Ok(Set { ids, indices, ages, samples })
    };
    let (training, holdout) = (set(Part::Training)?, set(Part::Holdout)?);
    let regression = &recipe.regression;
    let on_greys = || fit_greys(regression, &training, &holdout);
    let reading = match regression.components {
        Components::None => {
            let (regression, predicted) = on_greys()?;
            let (cross_validation, by_components) = (Vec::new(), Vec::new());
            Reading { components: None, regression, predicted, cross_validation, by_components }
        }
        _ => fit_components(regression, &training, &holdout)?,
    };
    let without_components = match regression.compare_without {
        true => {
            let (_, [of_training, of_holdout]) = on_greys()?;
            Some(WithoutComponents {
                training: mean_absolute_error(&of_training, &training.ages),
                holdout: mean_absolute_error(&of_holdout, &holdout.ages),
            })
        }
        false => None,
    };

    let constant = median(training.ages.iter().copied().map(Months)).expect("there are training images");
    let scored = |set: &Set<'_>, predicted: &[f32]| -> Vec<Scored> {
        let of = |(&index, &months): (&usize, &f32)| {
            let r = &dataset.radiographs[index];
            let (id, sex, truth, predicted) = (r.id.clone(), r.sex, r.months, Months(months));
            Scored { id, sex, truth, predicted, accepted: None, interval: None }
        };
        set.indices.iter().zip(predicted).map(of).collect()
    };
    let parts = [
        (Part::Training, scored(&training, &reading.predicted[0])),
        (Part::Holdout, scored(&holdout, &reading.predicted[1])),
    ];
    let [on_training, on_holdout] = parts.each_ref().map(|(_, scored)| {
        Evaluation::new(scored, constant, "the median of the training labels").expect("a part has images")
    });
    let finished = FinishedRegression {
        components: reading.components,
        training: on_training,
        holdout: on_holdout,
        without_components,
        cross_validation: reading.cross_validation,
        by_components: reading.by_components,
    };
    write_atomically(&folder.join("predictions.csv"), predictions_csv(&parts).as_bytes())?;
    let json = serde_json::to_vec_pretty(&finished).expect("words and numbers");
    write_atomically(&folder.join("evaluation.json"), &json)?;
    let data = dataset.digest(files);
    let report = report(recipe, &data, &finished);
    write_atomically(&folder.join("report.md"), report.as_bytes())?;
    // A model reads greys: words are the paper's discussion alone.
    if recipe.regression.features.are_pixels() {
        let bundle = bundle(recipe, reading.regression, &training.ages, data, &finished);
        write_atomically(&folder.join("model.safetensors"), &bundle.to_bytes()?)?;
    }
    Ok(finished)
}

/// A fit to the greys, and its predictions for training and holdout.
fn fit_greys(
    regression: &Regression,
    training: &Set<'_>,
    holdout: &Set<'_>,
) -> Result<(AgeRegression, [Vec<f32>; 2]), LabError> {
    let fit = fit(regression, &training.samples, &training.ages)?;
    let predicted = [training, holdout].map(|set| predict(&fit, &set.samples));
    Ok((fit, predicted))
}

/// Chooses the number of components where it is not given, and fits with it.
fn fit_components(
    regression: &Regression,
    training: &Set<'_>,
    holdout: &Set<'_>,
) -> Result<Reading, LabError> {
    let (samples, ages) = (&training.samples, &training.ages);
    let (chosen, counts, cross_validation) = match regression.components {
        Components::Count(count) => (count, vec![count], Vec::new()),
        _ => {
            let tried = cross_validate(regression, samples, ages, &training.ids)?;
            let best = tried.iter().min_by(|a, b| a.mae.total_cmp(&b.mae)).expect("a candidate was tried");
            (best.components, possible(regression, samples.len(), samples.width())?, tried)
        }
    };
    let pca = find_components(regression, samples, counts[counts.len() - 1])?;
    let scores = [pca.transform(samples)?, pca.transform(&holdout.samples)?];
    let mut taken = None;
    let mut by_components = Vec::new();
    for (fit, &components) in fit_leading(regression, &scores[0], ages, &counts)?.into_iter().zip(&counts) {
        let answers = scores.each_ref().map(|scores| predict(&fit, scores));
        by_components.push(CountErrors {
            components,
            training: mean_absolute_error(&answers[0], ages),
            holdout: mean_absolute_error(&answers[1], &holdout.ages),
        });
        if components == chosen {
            taken = Some((fit.on_greys(&pca)?, answers));
        }
    }
    let (regression, predicted) = taken.expect("the chosen count is one of those fitted");
    Ok(Reading { components: Some(chosen), regression, predicted, cross_validation, by_components })
}

fn report(recipe: &RegressionRecipe, data: &Digest, finished: &FinishedRegression) -> String {
    let FinishedRegression { training, holdout, .. } = finished;
    let mut text = format!("# {}\n\n{}\n\n", recipe.name, recipe.description);
    let reads = match finished.components {
        Some(count) => format!("{count} principal components"),
        None => recipe.regression.numbers(),
    };
    text.push_str(&format!(
        "Recipe {}, data {}. It reads {reads}; {} images for training, {} held out.\n",
        recipe.digest().short(),
        data.short(),
        training.all.images,
        holdout.all.images
    ));
    if let Some(without) = finished.without_components {
        text.push_str(&format!(
            "On the greys themselves, without principal components, its MAE is {:.2} months on the training \
             images and {:.2} on the holdout.\n",
            without.training, without.holdout
        ));
    }
    if !finished.by_components.is_empty() {
        text.push_str("\n## MAE in months by the number of components\n\n");
        text.push_str("| components | training | cross-validation | holdout |\n|---:|---:|---:|---:|\n");
        for row in &finished.by_components {
            let tried = finished.cross_validation.iter().find(|tried| tried.components == row.components);
            let tried = tried.map_or_else(String::new, |tried| format!("{:.2}", tried.mae));
            text.push_str(&format!(
                "| {} | {:.2} | {tried} | {:.2} |\n",
                row.components, row.training, row.holdout
            ));
        }
    }
    for (name, evaluation) in [("Training images", training), ("Holdout", holdout)] {
        text.push_str(&format!("\n## {name}\n\n```text\n{}```\n", evaluation.to_text()));
    }
    text
}
