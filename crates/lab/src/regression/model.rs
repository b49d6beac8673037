use super::{FinishedRegression, RegressionRecipe};
use crate::model_facts::{ATTRIBUTION, LICENCE, metrics, trained_ages};
use boneage_assess::{Bundle, Manifest, ModelShape, ModelWeights, RegressionShape, Training};
use boneage_classical::AgeRegression;
use boneage_core::{Digest, Months};

/// The model of a regression that was trained on images of `ages` in months, with what it was measured to do.
pub(super) fn bundle(
    recipe: &RegressionRecipe,
    regression: AgeRegression,
    ages: &[f32],
    data_digest: Digest,
    finished: &FinishedRegression,
) -> Bundle {
    let manifest = Manifest {
        format: Manifest::FORMAT,
        name: recipe.name.clone(),
        version: "1".to_owned(),
        model: ModelShape::Regression(RegressionShape::of(&regression)),
        preprocess: recipe.preprocess.clone(),
        trained_ages: trained_ages(ages.iter().copied().map(Months)),
        training: Training {
            recipe: recipe.to_json(),
            recipe_digest: recipe.digest(),
            data_digest,
            split: recipe.split.describe().to_owned(),
        },
        metrics: metrics("holdout", &finished.holdout),
        licence: LICENCE.to_owned(),
        attribution: ATTRIBUTION.to_owned(),
        interval: None,
        recalibration: None,
        guard: None,
        weights: None,
    };
    Bundle { manifest, weights: ModelWeights::Regression(regression) }
}
