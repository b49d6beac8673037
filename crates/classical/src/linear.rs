use crate::product::{Centred, square};
use crate::{ClassicalError, Samples};
use faer::linalg::solvers::Llt;
use faer::prelude::Solve;
use faer::{Mat, Side};

/// Added to the diagonal of a Gram matrix, as a share of its mean, where equal samples or columns make it singular.
const SHARE_OF_DIAGONAL: f64 = 1e-10;

/// Least squares with an intercept (the paper's section IV.A.1): `y = w x + b` with the smallest
/// `sum (y - w x - b)^2`.
#[derive(Clone, Debug, PartialEq)]
pub struct LinearRegression {
    weights: Vec<f64>,
    intercept: f64,
}

impl LinearRegression {
    /// Fits to one target a sample. With more numbers in a row than samples, of the many solutions the one with
    /// the smallest weights, found by way of the samples' Gram matrix.
    ///
    /// # Errors
    /// When there is not one target a sample, fewer than two samples, or the equations cannot be solved.
    pub fn fit(samples: &Samples, targets: &[f32]) -> Result<Self, ClassicalError> {
        samples.check("a list of targets", targets.len(), 2)?;
        if samples.width() >= samples.len() {
            return fit_smallest(samples, targets);
        }
        let width = samples.width();
        let mut fits = LinearRegression::fit_leading(samples, targets, &[width])?;
        Ok(fits.remove(0))
    }

    /// One fit for each of `counts`, to the first so many numbers of every row: all counts share one
    /// factorisation, as the factor of a leading block of a matrix is the leading block of its factor.
    ///
    /// # Errors
    /// As for [`fit`](Self::fit), and when a count is 0, more than the width or as many as the samples.
    pub fn fit_leading(
        samples: &Samples,
        targets: &[f32],
        counts: &[usize],
    ) -> Result<Vec<Self>, ClassicalError> {
        samples.check("a list of targets", targets.len(), 2)?;
        let (n, width) = (samples.len(), samples.width());
        let most = width.min(n - 1);
        if let Some(count) = counts.iter().find(|&&count| count == 0 || count > most) {
            let allowed = format!("1 to {most}");
            return Err(ClassicalError::Setting { name: "count", value: count.to_string(), allowed });
        }
        // Columns of mean 0 and length 1: coordinates along components differ a thousandfold in size.
        let columns = Standardised::of(samples);
        let (target, shift) = centred(targets);
        let moments: Vec<f64> =
            (0..width).map(|j| (0..n).map(|i| columns.values[i * width + j] * target[i]).sum()).collect();
        let factor = factor(square(&columns.values, width), "least squares of dependent columns")?;
        let factor = factor.L();
        // Forward once, back for every count.
        let mut forward = vec![0.0; width];
        for i in 0..width {
            let known: f64 = (0..i).map(|j| factor[(i, j)] * forward[j]).sum();
            forward[i] = (moments[i] - known) / factor[(i, i)];
        }
        let fit = |&count: &usize| {
            let mut scaled = forward[..count].to_vec();
            for i in (0..count).rev() {
                let known: f64 = (i + 1..count).map(|j| factor[(j, i)] * scaled[j]).sum();
                scaled[i] = (scaled[i] - known) / factor[(i, i)];
            }
            let weights: Vec<f64> =
                scaled.iter().zip(&columns.lengths).map(|(w, length)| w / length).collect();
            LinearRegression::through(weights, &columns.means, shift)
        };
        Ok(counts.iter().map(fit).collect())
    }

    /// Weights and intercept that were found before.
    pub fn from_parts(weights: Vec<f64>, intercept: f64) -> Self {
        LinearRegression { weights, intercept }
    }

    /// The fit that answers `value` at `point`.
    fn through(weights: Vec<f64>, point: &[f64], value: f64) -> Self {
        let intercept = value - weights.iter().zip(point).map(|(w, x)| w * x).sum::<f64>();
        LinearRegression { weights, intercept }
    }

    /// One weight a number of the row.
    pub fn weights(&self) -> &[f64] {
        &self.weights
    }

    /// What is added in the end.
    pub fn intercept(&self) -> f64 {
        self.intercept
    }

    /// The answer for a row; numbers beyond the weights do not count.
    pub fn predict(&self, row: &[f32]) -> f64 {
        self.intercept + self.weights.iter().zip(row).map(|(w, &x)| w * f64::from(x)).sum::<f64>()
    }
}

/// Columns of mean 0 and length 1, row by row in f64, with what was taken off and divided by. A column that is
/// constant becomes 0 and its length infinity, so that it gets no weight.
struct Standardised {
    values: Vec<f64>,
    means: Vec<f64>,
    lengths: Vec<f64>,
}

impl Standardised {
    fn of(samples: &Samples) -> Self {
        let (n, width) = (samples.len(), samples.width());
        let column = |j: usize| samples.rows().map(move |row| f64::from(row[j]));
        let means: Vec<f64> = (0..width).map(|j| column(j).sum::<f64>() / n as f64).collect();
        let length = |j: usize| {
            let length = column(j).map(|x| (x - means[j]).powi(2)).sum::<f64>().sqrt();
            if length > 0.0 { length } else { f64::INFINITY }
        };
        let lengths: Vec<f64> = (0..width).map(length).collect();
        let rows = samples.rows().flat_map(|row| row.iter().zip(means.iter().zip(&lengths)));
        let values = rows.map(|(&x, (mean, length))| (f64::from(x) - mean) / length).collect();
        Standardised { values, means, lengths }
    }
}

/// Targets less their mean, and the mean.
fn centred(targets: &[f32]) -> (Vec<f64>, f64) {
    let mean = targets.iter().map(|&y| f64::from(y)).sum::<f64>() / targets.len() as f64;
    (targets.iter().map(|&y| f64::from(y) - mean).collect(), mean)
}

/// The Cholesky factor of a Gram matrix; with a little on its diagonal where it is singular.
fn factor(mut gram: Mat<f64>, what: &'static str) -> Result<Llt<f64>, ClassicalError> {
    gram.llt(Side::Lower)
        .or_else(|_| {
            let n = gram.nrows();
            let diagonal = (0..n).map(|i| gram[(i, i)]).sum::<f64>() / n as f64;
            (0..n).for_each(|i| gram[(i, i)] += diagonal * SHARE_OF_DIAGONAL);
            gram.llt(Side::Lower)
        })
        .map_err(|_| ClassicalError::Numerics(what))
}

/// The solution with the smallest weights: `w = X^T a` with `X X^T a = y`, all less their means.
///
/// `X X^T` takes the vector of ones to 0; with a multiple of `1 1^T` added it can be factored, and as the targets
/// have mean 0 the solution stays the same.
fn fit_smallest(samples: &Samples, targets: &[f32]) -> Result<LinearRegression, ClassicalError> {
    let n = samples.len();
    let mean = samples.mean();
    let samples = Centred { samples, mean: &mean };
    let mut gram = samples.gram();
    let diagonal = (0..n).map(|i| gram[(i, i)]).sum::<f64>() / n as f64;
    gram.col_iter_mut().for_each(|column| column.iter_mut().for_each(|value| *value += diagonal / n as f64));
    let (target, shift) = centred(targets);
    let right = Mat::from_fn(n, 1, |i, _| target[i]);
    let factor = factor(gram, "least squares of equal samples")?;
    let solved: Vec<f64> = factor.solve(&right).col(0).iter().copied().collect();
    // In f64: the solution's numbers are large and cancel each other.
    let weights = samples.along(&solved);
    let mean: Vec<f64> = mean.iter().map(|&value| f64::from(value)).collect();
    Ok(LinearRegression::through(weights, &mean, shift))
}

#[cfg(test)]
mod tests {
    use super::*;
    use boneage_core::stream;

    /// Samples, and targets that follow from the first three numbers of a row and a little noise.
    fn drawn(rows: usize, width: usize) -> (Samples, Vec<f32>) {
        let mut random = stream(9, &["test"]);
        let values: Vec<f32> =
            (0..rows * width).map(|i| (random.normal() + (i % width) as f64) as f32).collect();
        let samples = Samples::new(values, width).unwrap();
        let target = |row: &[f32]| 5.0 + row[0] - 2.0 * row[1] + 0.5 * row[2] + 0.01 * random.normal() as f32;
        let targets = samples.rows().map(target).collect();
        (samples, targets)
    }

    #[test]
    fn residuals_are_at_right_angles_to_the_samples_for_every_count() {
        let (samples, targets) = drawn(200, 6);
        for fit in LinearRegression::fit_leading(&samples, &targets, &[1, 3, 6]).unwrap() {
            let residual: Vec<f64> =
                samples.rows().zip(&targets).map(|(row, &y)| f64::from(y) - fit.predict(row)).collect();
            assert!(residual.iter().sum::<f64>().abs() < 1e-6);
            for j in 0..fit.weights().len() {
                let dot: f64 = samples.rows().zip(&residual).map(|(row, r)| f64::from(row[j]) * r).sum();
                assert!(dot.abs() < 1e-3, "{j}: {dot}");
            }
        }
        let fit = LinearRegression::fit(&samples, &targets).unwrap();
        assert!((fit.weights()[1] + 2.0).abs() < 0.01 && (fit.intercept() - 5.0).abs() < 0.05);
    }

    #[test]
    fn with_few_samples_the_fit_is_exact_and_its_weights_lie_among_the_samples() {
        let (samples, targets) = drawn(12, 40);
        let fit = LinearRegression::fit(&samples, &targets).unwrap();
        for (row, &y) in samples.rows().zip(&targets) {
            assert!((fit.predict(row) - f64::from(y)).abs() < 1e-4);
        }
        // The smallest solution has no part at right angles to the samples: the least squares of the weights
        // from the centred samples leave nothing.
        let mean = samples.mean();
        let centred: Vec<f32> = (0..40)
            .flat_map(|j| (0..11).map(move |i| (i, j)))
            .map(|(i, j)| samples.row(i)[j] - mean[j])
            .collect();
        let weights: Vec<f32> = fit.weights().iter().map(|&w| w as f32).collect();
        let across = Samples::new(centred, 11).unwrap();
        let again = LinearRegression::fit(&across, &weights).unwrap();
        let worst = across.rows().zip(&weights).map(|(row, &w)| (again.predict(row) - f64::from(w)).abs());
        assert!(worst.fold(0.0, f64::max) < 1e-5);
    }

    #[test]
    fn equal_samples_and_constant_columns_do_no_harm() {
        let (samples, targets) = drawn(6, 20);
        let twice = samples.select(&[0, 1, 2, 3, 4, 5, 0]);
        let fit = LinearRegression::fit(&twice, &[&targets[..], &targets[..1]].concat()).unwrap();
        assert!((fit.predict(samples.row(3)) - f64::from(targets[3])).abs() < 1e-2);
        let constant = Samples::new(vec![1.0, 7.0, 2.0, 7.0, 4.0, 7.0], 2).unwrap();
        let fit = LinearRegression::fit(&constant, &[2.0, 4.0, 8.0]).unwrap();
        assert!((fit.predict(&[3.0, 7.0]) - 6.0).abs() < 1e-4 && fit.weights()[1] == 0.0);
        assert!(LinearRegression::fit(&constant, &[1.0]).is_err());
    }
}
