use super::{Regression, RegressionKind};
use boneage_classical::{
    AgeClasses, AgeRegression, ClassicalError, LinearRegression, LogisticOptions, LogisticRegression, Samples,
};
use rayon::prelude::*;

/// Fits to all numbers of `samples`; `ages` in months, one a sample.
pub(super) fn fit(
    regression: &Regression,
    samples: &Samples,
    ages: &[f32],
) -> Result<AgeRegression, ClassicalError> {
    match regression.kind {
        RegressionKind::Linear => AgeRegression::linear(samples, ages),
        RegressionKind::Logistic => {
            let (labels, ages) = classes(ages, regression.clip);
            let options = LogisticOptions { link: regression.link, ..LogisticOptions::default() };
            let classifier = LogisticRegression::fit(samples, &labels, ages.len(), options)?;
            Ok(AgeRegression::Logistic(AgeClasses { pca: None, classifier, ages }))
        }
    }
}

/// One fit for each of `counts`, to the first so many numbers of every row.
pub(super) fn fit_leading(
    regression: &Regression,
    samples: &Samples,
    ages: &[f32],
    counts: &[usize],
) -> Result<Vec<AgeRegression>, ClassicalError> {
    match regression.kind {
        RegressionKind::Linear => {
            let fits = LinearRegression::fit_leading(samples, ages, counts)?;
            Ok(fits.into_iter().map(AgeRegression::Linear).collect())
        }
        RegressionKind::Logistic => {
            counts.iter().map(|&n| fit(regression, &samples.first_columns(n), ages)).collect()
        }
    }
}

/// Months for every row; numbers beyond those that were fitted to do not count.
pub(super) fn predict(fit: &AgeRegression, samples: &Samples) -> Vec<f32> {
    (0..samples.len()).into_par_iter().map(|index| fit.predict(samples.row(index)).0).collect()
}

/// The class of every age, and the month of every class: those that occur, in order. Ages outside `clip` count
/// as its nearer end.
fn classes(ages: &[f32], clip: Option<[f32; 2]>) -> (Vec<usize>, Vec<f32>) {
    let month = |age: &f32| clip.map_or(*age, |[low, high]| age.clamp(low, high)).round();
    let mut months: Vec<f32> = ages.iter().map(month).collect();
    months.sort_by(f32::total_cmp);
    months.dedup();
    let class = |age: &f32| months.partition_point(|&known| known < month(age));
    (ages.iter().map(class).collect(), months)
}

/// Mean of `|predicted - truth|`.
pub(super) fn mean_absolute_error(predicted: &[f32], truth: &[f32]) -> f64 {
    let sum: f64 = predicted.iter().zip(truth).map(|(p, t)| f64::from((p - t).abs())).sum();
    sum / truth.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_are_the_months_that_occur() {
        let ages = [30.0, 12.4, 228.0, 12.0, 216.0];
        assert_eq!(classes(&ages, None), (vec![1, 0, 3, 0, 2], vec![12.0, 30.0, 216.0, 228.0]));
        assert_eq!(classes(&ages, Some([1.0, 200.0])), (vec![1, 0, 2, 0, 2], vec![12.0, 30.0, 200.0]));
        assert_eq!(mean_absolute_error(&[1.0, 5.0], &[2.0, 2.0]), 2.0);
    }
}
