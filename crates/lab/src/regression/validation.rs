use super::Regression;
use super::fit::{fit_leading, mean_absolute_error, predict};
use crate::{LabError, Progress};
use boneage_classical::{Pca, PcaOptions, Samples};
use boneage_core::stream;
use serde::Serialize;

/// What cross-validation says about one number of components.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct CrossValidated {
    /// Principal components kept.
    pub components: usize,
    /// MAE in months, each training image predicted by a fit that did not see it.
    pub mae: f64,
}

/// Tries every candidate: components are found once a fold, from its training images alone, and serve all counts.
///
/// An image's fold follows from the seed and its id.
pub(super) fn cross_validate(
    regression: &Regression,
    samples: &Samples,
    ages: &[f32],
    ids: &[&str],
) -> Result<Vec<CrossValidated>, LabError> {
    let folds = regression.folds;
    let fold_of: Vec<usize> =
        ids.iter().map(|id| stream(regression.seed, &["fold", id]).below(folds)).collect();
    let largest = (0..folds).map(|fold| fold_of.iter().filter(|&&f| f == fold).count()).max();
    let counts = possible(regression, samples.len() - largest.unwrap_or(0), samples.width())?;
    let mut predicted = vec![vec![0.0; samples.len()]; counts.len()];
    let mut progress = Progress::new("cross-validating", folds);
    for fold in 0..folds {
        let part = |held: bool| -> Vec<usize> {
            (0..samples.len()).filter(|&index| (fold_of[index] == fold) == held).collect()
        };
        let (seen, held) = (part(false), part(true));
        let pca = find_components(regression, &samples.select(&seen), counts[counts.len() - 1])?;
        let scores = pca.transform(samples)?;
        let seen_ages: Vec<f32> = seen.iter().map(|&index| ages[index]).collect();
        let fits = fit_leading(regression, &scores.select(&seen), &seen_ages, &counts)?;
        for (fit, predicted) in fits.iter().zip(&mut predicted) {
            let answers = predict(fit, &scores.select(&held));
            held.iter().zip(answers).for_each(|(&index, answer)| predicted[index] = answer);
        }
        progress.advance(1);
    }
    let error = |(&components, predicted): (&usize, &Vec<f32>)| CrossValidated {
        components,
        mae: mean_absolute_error(predicted, ages),
    };
    Ok(counts.iter().zip(&predicted).map(error).collect())
}

/// The candidates that `images` of `width` numbers suffice for.
pub(super) fn possible(regression: &Regression, images: usize, width: usize) -> Result<Vec<usize>, LabError> {
    let most = width.min(images.saturating_sub(1));
    let counts: Vec<usize> = regression.candidates.iter().copied().filter(|&count| count <= most).collect();
    if counts.is_empty() {
        let candidates = &regression.candidates;
        return Err(LabError::Recipe(format!(
            "has candidates = {candidates:?}, and {images} images of {width} greys allow at most {most}"
        )));
    }
    Ok(counts)
}

/// The first `count` components of `samples`.
pub(super) fn find_components(
    regression: &Regression,
    samples: &Samples,
    count: usize,
) -> Result<Pca, LabError> {
    let options = PcaOptions { seed: regression.seed, ..PcaOptions::new(count) };
    Ok(Pca::fit(samples, options)?)
}
