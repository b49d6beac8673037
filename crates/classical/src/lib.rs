//! The paper's regressions (its section IV.A): principal components, least squares, logistic regression.
//!
//! [`Samples`] hold one image a row. A [`Pca`] finds the directions along which they differ most,
//! [`LinearRegression`] and [`LogisticRegression`] learn an age from the coordinates along them, or from the
//! pixels themselves, and an [`AgeRegression`] is what comes out.
//!
//! Results do not depend on the number of threads: work is cut by shape alone, every partial sum is added in
//! one order, and what is drawn at random is drawn from a named stream.
//!
//! ```
//! use boneage_classical::{LinearRegression, Samples};
//! // y = 1 + 2 a - b
//! let samples = Samples::new(vec![0.0, 0.0, 1.0, 0.0, 0.0, 1.0, 2.0, 1.0], 2)?;
//! let line = LinearRegression::fit(&samples, &[1.0, 3.0, 0.0, 4.0])?;
//! assert!((line.predict(&[3.0, 3.0]) - 4.0).abs() < 1e-9);
//! # Ok::<(), boneage_classical::ClassicalError>(())
//! ```

mod age_regression;
mod error;
mod linear;
mod logistic;
mod newton;
mod pca;
mod product;
mod samples;

pub use age_regression::{AgeClasses, AgeRegression};
pub use error::ClassicalError;
pub use linear::LinearRegression;
pub use logistic::{Link, LogisticOptions, LogisticRegression};
pub use pca::{Pca, PcaOptions};
pub use samples::Samples;
