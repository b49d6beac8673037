use crate::newton::{self, Problem};
use crate::{ClassicalError, Samples};
use serde::{Deserialize, Serialize};

/// How the classes' scores become probabilities.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Link {
    /// A sigmoid a class, each class against all others: the paper's, as scikit-learn's default of 2018.
    #[default]
    OneVsRest,
    /// All classes together.
    Softmax,
}

/// How a logistic regression is fitted.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LogisticOptions {
    /// From scores to probabilities.
    pub link: Link,
    /// Weight of the errors against the size of the weights; 1 is scikit-learn's default.
    pub cost: f64,
    /// A class is done when its gradient has fallen to this share of the first.
    pub tolerance: f64,
}

impl Default for LogisticOptions {
    fn default() -> Self {
        LogisticOptions { link: Link::OneVsRest, cost: 1.0, tolerance: 1e-4 }
    }
}

/// Logistic regression into classes (the paper's section IV.A.2), with weights and intercept kept small
/// together, as in liblinear with an intercept scaling of 1:
/// least `(|w|^2 + b^2) / 2 + cost sum log(1 + exp(-y (w x + b)))` for each class, `y` 1 for its samples and -1
/// for all others; or the same with the cross entropy of the softmax over all classes.
#[derive(Clone, Debug, PartialEq)]
pub struct LogisticRegression {
    link: Link,
    weights: Samples,
    intercepts: Vec<f32>,
}

impl LogisticRegression {
    /// Fits to samples with labels `0..classes`. A class without samples gets scores that never win.
    ///
    /// # Errors
    /// When there is not one label a sample, a label is no class, or there are fewer than two classes.
    pub fn fit(
        samples: &Samples,
        labels: &[usize],
        classes: usize,
        options: LogisticOptions,
    ) -> Result<Self, ClassicalError> {
        samples.check("a list of labels", labels.len(), 2)?;
        if classes < 2 {
            let (value, allowed) = (classes.to_string(), "at least 2".to_owned());
            return Err(ClassicalError::Setting { name: "classes", value, allowed });
        }
        if let Some(label) = labels.iter().find(|&&label| label >= classes) {
            let (value, allowed) = (label.to_string(), format!("0 to {}", classes - 1));
            return Err(ClassicalError::Setting { name: "label", value, allowed });
        }
        let problem = Problem::new(samples, labels, classes, options);
        let solution = newton::minimise(&problem, options.tolerance);
        let width = samples.width();
        let (mut weights, mut intercepts) =
            (Vec::with_capacity(classes * width), Vec::with_capacity(classes));
        for row in solution.chunks_exact(width + 1) {
            weights.extend(row[..width].iter().map(|&w| w as f32));
            intercepts.push(row[width] as f32);
        }
        Ok(LogisticRegression { link: options.link, weights: Samples::new(weights, width)?, intercepts })
    }

    /// Weights `[classes, width]` and one intercept a class that were found before.
    ///
    /// # Errors
    /// When there are not as many intercepts as classes.
    pub fn from_parts(link: Link, weights: Samples, intercepts: Vec<f32>) -> Result<Self, ClassicalError> {
        weights.check("a list of intercepts", intercepts.len(), 1)?;
        Ok(LogisticRegression { link, weights, intercepts })
    }

    /// From scores to probabilities.
    pub fn link(&self) -> Link {
        self.link
    }

    /// `[classes, width]`.
    pub fn weights(&self) -> &Samples {
        &self.weights
    }

    /// One a class.
    pub fn intercepts(&self) -> &[f32] {
        &self.intercepts
    }

    /// `w x + b` of every class.
    pub fn scores(&self, row: &[f32]) -> Vec<f64> {
        let dot = |w: &[f32]| w.iter().zip(row).map(|(&w, &x)| f64::from(w) * f64::from(x)).sum::<f64>();
        self.weights.rows().zip(&self.intercepts).map(|(w, &b)| dot(w) + f64::from(b)).collect()
    }

    /// The class with the highest score; the first of equals.
    pub fn most_likely(&self, row: &[f32]) -> usize {
        let scores = self.scores(row);
        (1..scores.len()).fold(0, |best, class| if scores[class] > scores[best] { class } else { best })
    }

    /// Probabilities of the classes, which add up to 1: sigmoids divided by their sum, or the softmax.
    pub fn probabilities(&self, row: &[f32]) -> Vec<f64> {
        let scores = self.scores(row);
        let highest = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let raw: Vec<f64> = match self.link {
            Link::OneVsRest => scores.iter().map(|&score| newton::sigmoid(score)).collect(),
            Link::Softmax => scores.iter().map(|&score| (score - highest).exp()).collect(),
        };
        let sum: f64 = raw.iter().sum();
        if sum > 0.0 {
            return raw.iter().map(|p| p / sum).collect();
        }
        // Every sigmoid is 0 to the last digit: their ratios are those of the exponentials.
        let raw: Vec<f64> = scores.iter().map(|&score| (score - highest).exp()).collect();
        let sum: f64 = raw.iter().sum();
        raw.iter().map(|p| p / sum).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use boneage_core::stream;

    /// Three clouds on a line, the middle one wider.
    fn clouds() -> (Samples, Vec<usize>) {
        let mut random = stream(4, &["test"]);
        let labels: Vec<usize> = (0..300).map(|i| i % 3).collect();
        let values = labels.iter().flat_map(|&label| {
            let width = if label == 1 { 2.0 } else { 1.0 };
            [(3.0 * label as f64 + width * random.normal()) as f32, random.normal() as f32]
        });
        (Samples::new(values.collect(), 2).unwrap(), labels)
    }

    /// What is to be least, for the classes of a softmax, as it is defined.
    fn loss_of_softmax(fit: &LogisticRegression, samples: &Samples, labels: &[usize]) -> f64 {
        let square = |values: &[f32]| values.iter().map(|&v| f64::from(v).powi(2)).sum::<f64>();
        let size = square(fit.weights().values()) + square(fit.intercepts());
        let errors = samples.rows().zip(labels).map(|(row, &label)| -fit.probabilities(row)[label].ln());
        0.5 * size + errors.sum::<f64>()
    }

    #[test]
    fn the_softmax_has_the_least_loss() {
        let (samples, labels) = clouds();
        let options = LogisticOptions { link: Link::Softmax, tolerance: 1e-7, ..LogisticOptions::default() };
        let fit = LogisticRegression::fit(&samples, &labels, 3, options).unwrap();
        let least = loss_of_softmax(&fit, &samples, &labels);
        for index in 0..6 {
            for change in [-0.05, 0.05] {
                let mut values = fit.weights().values().to_vec();
                values[index] += change;
                let weights = Samples::new(values, 2).unwrap();
                let other = LogisticRegression::from_parts(Link::Softmax, weights, fit.intercepts().to_vec());
                assert!(loss_of_softmax(&other.unwrap(), &samples, &labels) > least);
            }
        }
        let right =
            samples.rows().zip(&labels).filter(|(row, label)| fit.most_likely(row) == **label).count();
        assert!(right > 200, "{right} of 300");
        let sum: f64 = fit.probabilities(samples.row(5)).iter().sum();
        assert!((sum - 1.0).abs() < 1e-12);
    }

    #[test]
    fn a_class_without_samples_never_wins_and_far_scores_stay_probabilities() {
        let (samples, labels) = clouds();
        for link in [Link::OneVsRest, Link::Softmax] {
            let options = LogisticOptions { link, ..LogisticOptions::default() };
            let fit = LogisticRegression::fit(&samples, &labels, 4, options).unwrap();
            assert!(samples.rows().all(|row| fit.most_likely(row) != 3));
            let far = fit.probabilities(&[-1e6, 1e6]);
            assert!(far.iter().all(|p| p.is_finite()) && (far.iter().sum::<f64>() - 1.0).abs() < 1e-9);
        }
    }

    #[test]
    fn labels_and_classes_must_fit() {
        let (samples, labels) = clouds();
        let fit = |labels: &[usize], classes| {
            LogisticRegression::fit(&samples, labels, classes, LogisticOptions::default())
                .unwrap_err()
                .to_string()
        };
        assert!(fit(&labels[1..], 3).contains("299"));
        assert!(fit(&labels, 2).contains("label = 2"));
        assert!(fit(&labels, 1).contains("classes = 1"));
    }
}
