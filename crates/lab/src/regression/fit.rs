use super::{Regression, RegressionKind};
use boneage_classical::{ClassicalError, LinearRegression, LogisticOptions, LogisticRegression, Samples};
use rayon::prelude::*;

/// A fitted regression that answers in months.
pub(super) enum Fitted {
    Linear(LinearRegression),
    /// With the month of every class.
    Logistic(LogisticRegression, Vec<f32>),
}

impl Fitted {
    /// Fits to all numbers of `samples`; `ages` in months, one a sample.
    pub(super) fn of(
        regression: &Regression,
        samples: &Samples,
        ages: &[f32],
    ) -> Result<Fitted, ClassicalError> {
        match regression.kind {
            RegressionKind::Linear => Ok(Fitted::Linear(LinearRegression::fit(samples, ages)?)),
            RegressionKind::Logistic => {
                let (labels, months) = classes(ages);
                let options = LogisticOptions { link: regression.link.into(), ..LogisticOptions::default() };
                let fit = LogisticRegression::fit(samples, &labels, months.len(), options)?;
                Ok(Fitted::Logistic(fit, months))
            }
        }
    }

    /// One fit for each of `counts`, to the first so many numbers of every row.
    pub(super) fn leading(
        regression: &Regression,
        samples: &Samples,
        ages: &[f32],
        counts: &[usize],
    ) -> Result<Vec<Fitted>, ClassicalError> {
        match regression.kind {
            RegressionKind::Linear => {
                let fits = LinearRegression::fit_leading(samples, ages, counts)?;
                Ok(fits.into_iter().map(Fitted::Linear).collect())
            }
            RegressionKind::Logistic => {
                counts.iter().map(|&n| Fitted::of(regression, &samples.first_columns(n), ages)).collect()
            }
        }
    }

    /// Months for every row; numbers beyond those that were fitted to do not count.
    pub(super) fn predict(&self, samples: &Samples) -> Vec<f32> {
        let answer = |index: usize| match self {
            Fitted::Linear(fit) => fit.predict(samples.row(index)) as f32,
            Fitted::Logistic(fit, months) => months[fit.most_likely(samples.row(index))],
        };
        (0..samples.len()).into_par_iter().map(answer).collect()
    }
}

/// The class of every age, and the month of every class: those that occur, in order.
fn classes(ages: &[f32]) -> (Vec<usize>, Vec<f32>) {
    let mut months: Vec<f32> = ages.iter().map(|age| age.round()).collect();
    months.sort_by(f32::total_cmp);
    months.dedup();
    let class = |age: &f32| months.partition_point(|&month| month < age.round());
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
        let (labels, months) = classes(&[30.0, 12.4, 200.0, 12.0]);
        assert_eq!((labels, months), (vec![1, 0, 2, 0], vec![12.0, 30.0, 200.0]));
        assert_eq!(mean_absolute_error(&[1.0, 5.0], &[2.0, 2.0]), 2.0);
    }
}
