//! The paper's regressions (its section IV.A), from a recipe to what they say about the held-out films.

mod features;
mod fit;
mod images;
mod model;
mod recipe;
mod training;
mod validation;
mod words;

pub use features::Features;
pub use recipe::{AnyRecipe, Components, Regression, RegressionKind, RegressionRecipe};
pub(crate) use training::train_regression_on;
pub use training::{CountErrors, FinishedRegression, WithoutComponents, train_regression};
pub use validation::CrossValidated;
