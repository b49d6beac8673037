use crate::{ClassicalError, LinearRegression, LogisticRegression, Pca, Samples};
use boneage_core::Months;

/// A trained regression of the paper: from one row, the greys of an image or its coordinates along principal
/// components, to an age.
#[derive(Clone, Debug, PartialEq)]
pub enum AgeRegression {
    /// Least squares: the age itself.
    Linear(LinearRegression),
    /// Ages as classes.
    Logistic(AgeClasses),
}

/// A logistic regression whose classes are ages; the likeliest is the answer.
#[derive(Clone, Debug, PartialEq)]
pub struct AgeClasses {
    /// What turns a row of greys into the coordinates that the classifier reads; without it the row is read.
    pub pca: Option<Pca>,
    /// Scores of the ages.
    pub classifier: LogisticRegression,
    /// The age of every class, in months.
    pub ages: Vec<f32>,
}

impl AgeRegression {
    /// Least squares on ages in months, one a sample.
    ///
    /// # Errors
    /// As [`LinearRegression::fit`].
    pub fn linear(samples: &Samples, ages: &[f32]) -> Result<Self, ClassicalError> {
        Ok(AgeRegression::Linear(LinearRegression::fit(samples, ages)?))
    }

    /// The age of a row; numbers beyond those that it was fitted to do not count.
    pub fn predict(&self, row: &[f32]) -> Months {
        match self {
            AgeRegression::Linear(fit) => Months(fit.predict(row) as f32),
            AgeRegression::Logistic(AgeClasses { pca, classifier, ages }) => {
                let class = match pca {
                    Some(pca) => classifier.most_likely(&pca.coordinates(row)),
                    None => classifier.most_likely(row),
                };
                Months(ages[class])
            }
        }
    }

    /// The same regression on the greys, of one that was fitted to the first coordinates along `pca`.
    ///
    /// A line on components is a line on greys: `w_greys = sum_k w_k component_k`, `b_greys = b - w_greys mean`.
    /// A logistic regression keeps the components that it reads.
    ///
    /// # Errors
    /// When it was fitted to more coordinates than there are components.
    pub fn on_greys(self, pca: &Pca) -> Result<Self, ClassicalError> {
        let found = match &self {
            AgeRegression::Linear(fit) => fit.weights().len(),
            AgeRegression::Logistic(classes) => classes.classifier.weights().width(),
        };
        let expected = pca.components().len();
        if found > expected {
            let what = "a regression on principal components";
            return Err(ClassicalError::Shape { what, found, expected });
        }
        Ok(match self {
            AgeRegression::Linear(fit) => {
                let mut weights = vec![0.0; pca.mean().len()];
                for (w, component) in fit.weights().iter().zip(pca.components().rows()) {
                    weights.iter_mut().zip(component).for_each(|(sum, &c)| *sum += w * f64::from(c));
                }
                let at_mean: f64 = weights.iter().zip(pca.mean()).map(|(w, &x)| w * f64::from(x)).sum();
                AgeRegression::Linear(LinearRegression::from_parts(weights, fit.intercept() - at_mean))
            }
            AgeRegression::Logistic(classes) => {
                AgeRegression::Logistic(AgeClasses { pca: Some(pca.truncated(found)), ..classes })
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{LogisticOptions, PcaOptions};
    use boneage_core::stream;

    /// Images of nine greys, and ages that follow from two of them.
    fn images() -> (Samples, Vec<f32>) {
        let mut random = stream(2, &["test"]);
        let values = (0..80 * 9).map(|i| (i % 9) as f32 + random.normal() as f32).collect();
        let images = Samples::new(values, 9).unwrap();
        let ages = images.rows().map(|row| 60.0 + 10.0 * row[0] + row[3]).collect();
        (images, ages)
    }

    #[test]
    fn a_line_on_components_is_a_line_on_greys() {
        let (images, ages) = images();
        let pca = Pca::fit(&images, PcaOptions::new(6)).unwrap();
        let scores = pca.transform(&images).unwrap();
        let on_scores = AgeRegression::linear(&scores.first_columns(4), &ages).unwrap();
        let on_greys = on_scores.clone().on_greys(&pca).unwrap();
        for (image, scores) in images.rows().zip(scores.rows()) {
            assert!((on_greys.predict(image).0 - on_scores.predict(scores).0).abs() < 1e-3);
        }
        assert!(on_scores.on_greys(&pca.truncated(3)).is_err());
    }

    #[test]
    fn a_class_is_told_by_its_age_on_coordinates_and_on_greys() {
        let (images, ages) = images();
        let labels: Vec<usize> = ages.iter().map(|&age| usize::from(age > 60.0)).collect();
        let pca = Pca::fit(&images, PcaOptions::new(5)).unwrap();
        let scores = pca.transform(&images).unwrap();
        let fit = LogisticRegression::fit(&scores, &labels, 2, LogisticOptions::default()).unwrap();
        let classes = AgeClasses { pca: None, classifier: fit, ages: vec![24.0, 120.0] };
        let on_scores = AgeRegression::Logistic(classes);
        let on_greys = on_scores.clone().on_greys(&pca).unwrap();
        let mut right = 0;
        for ((image, scores), &label) in images.rows().zip(scores.rows()).zip(&labels) {
            let months = on_scores.predict(scores);
            assert_eq!(on_greys.predict(image), months);
            right += usize::from(months == Months([24.0, 120.0][label]));
        }
        assert!(right > 70, "{right} of 80");
    }
}
