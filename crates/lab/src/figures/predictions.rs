//! Predictions as the figures take them.

use crate::Scored;
use boneage_core::Sex;

/// Predictions of one model on one set of radiographs.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// What it is called in the figure: `Model 2, both`.
    pub name: String,
    /// The predictions.
    pub scored: Vec<Scored>,
}

/// Mean of |predicted - true|, in months; of none, 0.
pub(super) fn mean_absolute_error(scored: &[Scored]) -> f64 {
    scored.iter().map(|s| s.error().abs()).sum::<f64>() / scored.len().max(1) as f64
}

/// Multiples of 24 months around all true and predicted ages; at least 0 to 240.
pub(super) fn limits(series: &[Series]) -> [f64; 2] {
    let ages = series.iter().flat_map(|one| &one.scored).flat_map(|s| [s.truth.0, s.predicted.0]);
    let (low, high) = ages.fold((0.0f32, 240.0f32), |(low, high), age| (low.min(age), high.max(age)));
    [(f64::from(low) / 24.0).floor() * 24.0, (f64::from(high) / 24.0).ceil() * 24.0]
}

/// The sexes that occur.
pub(super) fn sexes(series: &[Series]) -> Vec<Sex> {
    let occurs = |sex: &Sex| series.iter().flat_map(|one| &one.scored).any(|s| s.sex == *sex);
    [Sex::Male, Sex::Female].into_iter().filter(occurs).collect()
}
