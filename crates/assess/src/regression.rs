use crate::AssessError;
use boneage_classical::{
    AgeClasses, AgeRegression, LinearRegression, Link, LogisticRegression, Pca, Samples,
};
use boneage_core::Plane;
use boneage_nets::NamedTensor;
use serde::{Deserialize, Serialize};

/// Greys of an image of a regression, row by row, 0..1: with a logistic regression's weights kept small, their
/// unit matters. Training and use read the same.
pub fn greys(image: &Plane) -> Vec<f32> {
    image.pixels().iter().map(|grey| grey / 255.0).collect()
}

/// Architecture of a regression on the greys of the model's square.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum RegressionShape {
    /// One weight a grey, whatever principal components it was fitted on: a line on them is a line on the greys.
    Linear {},
    /// Ages as classes, the likeliest the answer.
    Logistic {
        /// Principal components that the classes are told by; the greys themselves where there are none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        components: Option<usize>,
        /// From scores to probabilities.
        link: Link,
        /// The age of every class, in months.
        ages: Vec<f32>,
    },
}

impl RegressionShape {
    /// The shape of a trained regression.
    pub fn of(regression: &AgeRegression) -> Self {
        match regression {
            AgeRegression::Linear(_) => RegressionShape::Linear {},
            AgeRegression::Logistic(AgeClasses { pca, classifier, ages }) => RegressionShape::Logistic {
                components: pca.as_ref().map(|pca| pca.components().len()),
                link: classifier.link(),
                ages: ages.clone(),
            },
        }
    }

    /// Names and shapes of the tensors, for images of `size` x `size` pixels.
    pub(crate) fn tensors(&self, size: usize) -> Vec<(String, Vec<usize>)> {
        let named = |name: &str, shape: &[usize]| (name.to_owned(), shape.to_vec());
        match self {
            RegressionShape::Linear {} => vec![named("weights", &[size, size]), named("intercept", &[1])],
            RegressionShape::Logistic { components: Some(count), ages, .. } => vec![
                named("mean", &[size, size]),
                named("components", &[*count, size, size]),
                named("weights", &[ages.len(), *count]),
                named("intercepts", &[ages.len()]),
            ],
            RegressionShape::Logistic { components: None, ages, .. } => {
                vec![named("weights", &[ages.len(), size, size]), named("intercepts", &[ages.len()])]
            }
        }
    }

    /// The tensors of `regression` on images of `size` x `size` pixels.
    ///
    /// # Errors
    /// When it is a regression of another shape.
    pub(crate) fn state(
        &self,
        regression: &AgeRegression,
        size: usize,
    ) -> Result<Vec<NamedTensor>, AssessError> {
        let values: Vec<Vec<f32>> = match regression {
            AgeRegression::Linear(fit) => {
                vec![fit.weights().iter().map(|&w| w as f32).collect(), vec![fit.intercept() as f32]]
            }
            AgeRegression::Logistic(AgeClasses { pca, classifier, .. }) => {
                let pca = pca.iter().flat_map(|pca| [pca.mean(), pca.components().values()]);
                let parts = pca.chain([classifier.weights().values(), classifier.intercepts()]);
                parts.map(<[f32]>::to_vec).collect()
            }
        };
        let tensors = self.tensors(size);
        let fits = |((_, shape), values): (&(String, Vec<usize>), &Vec<f32>)| {
            shape.iter().product::<usize>() == values.len()
        };
        if RegressionShape::of(regression) != *self || !tensors.iter().zip(&values).all(fits) {
            return Err(AssessError::Architecture { size });
        }
        let tensors = tensors.into_iter().zip(values);
        Ok(tensors.map(|((name, shape), values)| NamedTensor { name, shape, values }).collect())
    }

    /// The regression of these tensors, which have the names, shapes and order of [`tensors`](Self::tensors).
    ///
    /// # Errors
    /// When there is no class, or no component.
    pub(crate) fn load(&self, tensors: Vec<NamedTensor>) -> Result<AgeRegression, AssessError> {
        let mut values = tensors.into_iter().map(|tensor| tensor.values);
        let mut next = || values.next().unwrap_or_default();
        match self {
            RegressionShape::Linear {} => {
                let weights = next().into_iter().map(f64::from).collect();
                let intercept = next().into_iter().map(f64::from).sum();
                Ok(AgeRegression::Linear(LinearRegression::from_parts(weights, intercept)))
            }
            RegressionShape::Logistic { components, link, ages } => {
                let pca = match components {
                    Some(_) => {
                        let mean = next();
                        let components = Samples::new(next(), mean.len())?;
                        Some(Pca::from_parts(mean, components)?)
                    }
                    None => None,
                };
                let weights = next();
                let width = weights.len() / ages.len().max(1);
                let classifier =
                    LogisticRegression::from_parts(*link, Samples::new(weights, width)?, next())?;
                Ok(AgeRegression::Logistic(AgeClasses { pca, classifier, ages: ages.clone() }))
            }
        }
    }

    /// Refuses ages that are no numbers, and none at all.
    pub(crate) fn check(&self) -> Result<(), AssessError> {
        match self {
            RegressionShape::Logistic { ages, .. }
                if ages.is_empty() || ages.iter().any(|age| !age.is_finite()) =>
            {
                let value = format!("{} ages", ages.len());
                Err(AssessError::Value {
                    field: "ages",
                    value,
                    allowed: "a number of months for every class",
                })
            }
            _ => Ok(()),
        }
    }
}
