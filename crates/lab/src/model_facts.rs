//! What the manifest of every model says about its training and its terms.

use crate::metrics::percentile;
use crate::{Estimate, Evaluation};
use boneage_assess::Metric;
use boneage_core::Months;

/// Terms of every model that is trained on RSNA's data.
pub(crate) const LICENCE: &str = "Trained on the RSNA 2017 Pediatric Bone Age Challenge data: non-commercial \
                                  research and education by RSNA's terms.";
/// Whom to name.
pub(crate) const ATTRIBUTION: &str = "RSNA Pediatric Bone Age Challenge 2017";

/// Lowest and highest age that training images of `ages` cover well. Our choice: beyond the outermost half per
/// cent on either side a reading is a guess.
pub(crate) fn trained_ages(ages: impl Iterator<Item = Months>) -> [Months; 2] {
    let mut sorted: Vec<f64> = ages.map(|age| f64::from(age.0)).collect();
    sorted.sort_by(f64::total_cmp);
    [0.005, 0.995].map(|share| Months(percentile(&sorted, share) as f32))
}

/// The figures of an evaluation on the images called `set`.
pub(crate) fn metrics(set: &str, evaluation: &Evaluation) -> Vec<Metric> {
    let metric = |name: &str, set: &str, images, unit: &str, estimate: &Estimate| Metric {
        name: name.to_owned(),
        set: set.to_owned(),
        images,
        value: estimate.value,
        interval_95: Some(estimate.interval_95),
        unit: unit.to_owned(),
    };
    let all = &evaluation.all;
    let mut metrics = vec![
        metric("MAE", set, all.images, "months", &all.mae),
        metric("RMSE", set, all.images, "months", &all.rmse),
        metric("within 12 months", set, all.images, "share", &all.within_12),
    ];
    for g in &evaluation.by_sex {
        let set = format!("{set} {}", g.group);
        metrics.push(metric("MAE", &set, g.scores.images, "months", &g.scores.mae));
    }
    let baseline = &evaluation.baseline.scores;
    metrics.push(metric("MAE of a constant", set, baseline.images, "months", &baseline.mae));
    metrics
}
