use crate::product::{Centred, rows_times, square};
use crate::{ClassicalError, Samples};
use boneage_core::stream;
use faer::{Mat, MatRef, Side};
use rayon::prelude::*;

/// How principal components are searched for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PcaOptions {
    /// How many.
    pub components: usize,
    /// Directions that are carried along beside them and dropped in the end: the more, the truer the last
    /// components.
    pub oversampling: usize,
    /// How often the directions are sent through the data and back.
    pub power_iterations: usize,
    /// Seed of the first directions.
    pub seed: u64,
}

impl PcaOptions {
    /// As many directions beside the components as a quarter of them, at least 16, up to a multiple of 16 in all,
    /// as products go by vectors of so many numbers; and five iterations. Not in the paper; chosen because the first 20 components of radiographs are then those of the whole
    /// decomposition to within 1e-3.
    pub fn new(components: usize) -> Self {
        let directions = (components + (components / 4).max(16)).next_multiple_of(16);
        PcaOptions { components, oversampling: directions - components, power_iterations: 5, seed: 1 }
    }
}

/// The directions along which samples differ most, from the most on.
#[derive(Clone, Debug, PartialEq)]
pub struct Pca {
    mean: Vec<f32>,
    components: Samples,
    variances: Vec<f64>,
}

impl Pca {
    /// Finds components by a randomised range finder with power iterations (Halko, Martinsson and Tropp 2011,
    /// algorithms 4.4 and 5.1): `Q` spans `(A A^T)^q omega` with `A` the samples less their mean, and the
    /// components are the right singular vectors of `Q^T A`. `omega` is drawn on the samples' side, where there
    /// are fewer numbers.
    ///
    /// Each component has length 1; the sign of its largest number is positive.
    ///
    /// # Errors
    /// When there are fewer than two samples, or more components than samples less one or numbers in a row.
    pub fn fit(samples: &Samples, options: PcaOptions) -> Result<Self, ClassicalError> {
        let (n, width) = (samples.len(), samples.width());
        samples.check("samples", n, 2)?;
        let most = width.min(n - 1);
        let k = options.components;
        if k == 0 || k > most {
            let allowed = format!("1 to {most} for {n} samples of {width} numbers");
            return Err(ClassicalError::Setting { name: "components", value: k.to_string(), allowed });
        }
        let l = (k + options.oversampling).min(most);
        let mean = samples.mean();
        let centred = Centred { samples, mean: &mean };

        let mut random = stream(options.seed, &["pca"]);
        let mut basis = Mat::from_fn(n, l, |_, _| random.normal() as f32);
        for _ in 0..options.power_iterations.max(1) {
            let along = centred.transposed_times(basis.as_ref());
            let along = MatRef::from_row_major_slice(&along, width, l);
            basis = orthonormal(&centred.times(along), l);
        }
        // The rows of `B = Q^T A` seen from its other side: `B B^T = U S^2 U^T`, components `B^T U S^-1`.
        let b: Vec<f64> = centred.transposed_times(basis.as_ref()).into_iter().map(f64::from).collect();
        let eigen = square(&b, l).self_adjoint_eigen(Side::Lower);
        let eigen = eigen.map_err(|_| ClassicalError::Numerics("the principal components"))?;
        // Eigenvalues come from the smallest on.
        let largest: Vec<usize> = (0..l).rev().take(k).collect();
        let squares: Vec<f64> = largest.iter().map(|&i| eigen.S()[i].max(0.0)).collect();
        let directions = Mat::from_fn(l, k, |i, j| eigen.U()[(i, largest[j])]);
        let components = components(&rows_times(&b, directions.as_ref()), k);
        let variances = squares.iter().map(|square| square / (n - 1) as f64).collect();
        Ok(Pca { mean, components: Samples::new(components, width)?, variances })
    }

    /// Components that were found before: `[components, width]` and the mean that is taken off first.
    ///
    /// # Errors
    /// When mean and components have other lengths.
    pub fn from_parts(mean: Vec<f32>, components: Samples) -> Result<Self, ClassicalError> {
        if mean.len() != components.width() {
            let (found, expected) = (mean.len(), components.width());
            return Err(ClassicalError::Shape { what: "the mean", found, expected });
        }
        let variances = vec![f64::NAN; components.len()];
        Ok(Pca { mean, components, variances })
    }

    /// The mean sample.
    pub fn mean(&self) -> &[f32] {
        &self.mean
    }

    /// `[components, width]`, each of length 1 and at right angles to the others.
    pub fn components(&self) -> &Samples {
        &self.components
    }

    /// Variance of the samples along each component; not a number where the components were read from a file.
    pub fn variances(&self) -> &[f64] {
        &self.variances
    }

    /// The same with the first `count` components alone.
    pub fn truncated(&self, count: usize) -> Pca {
        let count = count.clamp(1, self.components.len());
        let kept: Vec<usize> = (0..count).collect();
        let variances = self.variances[..count].to_vec();
        Pca { mean: self.mean.clone(), components: self.components.select(&kept), variances }
    }

    /// Coordinates along the components: `[rows, components]`.
    ///
    /// # Errors
    /// When the samples have another width.
    pub fn transform(&self, samples: &Samples) -> Result<Samples, ClassicalError> {
        let (found, expected) = (samples.width(), self.mean.len());
        if found != expected {
            return Err(ClassicalError::Shape { what: "a sample", found, expected });
        }
        let right = MatRef::from_row_major_slice(self.components.values(), self.components.len(), expected);
        let centred = Centred { samples, mean: &self.mean };
        Samples::new(centred.times(right.transpose()), self.components.len())
    }

    /// Coordinates of one row along every component.
    pub fn coordinates(&self, row: &[f32]) -> Vec<f32> {
        let along = |component: &[f32]| {
            let parts = component.iter().zip(row.iter().zip(&self.mean));
            parts.map(|(&c, (x, mean))| f64::from(c) * f64::from(x - mean)).sum::<f64>() as f32
        };
        self.components.rows().map(along).collect()
    }

    /// The samples that coordinates stand for, as far as the components can tell.
    ///
    /// # Errors
    /// When there is not one coordinate a component.
    pub fn inverse(&self, scores: &Samples) -> Result<Samples, ClassicalError> {
        let (found, expected) = (scores.width(), self.components.len());
        if found != expected {
            return Err(ClassicalError::Shape { what: "a row of coordinates", found, expected });
        }
        let width = self.mean.len();
        let mut values = Vec::with_capacity(scores.len() * width);
        for row in scores.rows() {
            let mut sample = self.mean.clone();
            for (score, component) in row.iter().zip(self.components.rows()) {
                sample.iter_mut().zip(component).for_each(|(value, c)| *value += score * c);
            }
            values.append(&mut sample);
        }
        Samples::new(values, width)
    }
}

/// An orthonormal basis of the columns of `values`, `[rows, m]` row by row.
fn orthonormal(values: &[f32], m: usize) -> Mat<f32> {
    let rows = values.len() / m;
    let wide = Mat::from_fn(rows, m, |i, j| f64::from(values[i * m + j]));
    let q = wide.qr().compute_thin_Q();
    Mat::from_fn(rows, m, |i, j| q[(i, j)] as f32)
}

/// The columns of `raw`, `[width, k]` row by row, as rows of length 1 with the sign that makes the largest number
/// positive; zeros where a column vanishes.
fn components(raw: &[f64], k: usize) -> Vec<f32> {
    let one = |column: usize| {
        let numbers = || raw[column..].iter().step_by(k);
        let largest = numbers().fold(0.0, |held: f64, &v| if v.abs() > held.abs() { v } else { held });
        let length = numbers().map(|v| v * v).sum::<f64>().sqrt();
        let scale = if length > 0.0 { largest.signum() / length } else { 0.0 };
        numbers().map(move |v| (v * scale) as f32).collect::<Vec<_>>()
    };
    (0..k).into_par_iter().flat_map_iter(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Samples of `rank` directions with falling weight and a mean far from 0.
    fn drawn(rows: usize, width: usize, rank: usize) -> Samples {
        let mut random = stream(5, &["test"]);
        let directions: Vec<f32> = (0..rank * width).map(|_| random.normal() as f32).collect();
        let mut values = Vec::new();
        for _ in 0..rows {
            let mut row = vec![100.0f32; width];
            for (i, direction) in directions.chunks_exact(width).enumerate() {
                let weight = (10.0 * random.normal() / (i + 1) as f64) as f32;
                row.iter_mut().zip(direction).for_each(|(value, d)| *value += weight * d);
            }
            values.append(&mut row);
        }
        Samples::new(values, width).unwrap()
    }

    #[test]
    fn components_are_orthonormal_and_ordered_and_give_the_samples_back() {
        let samples = drawn(90, 40, 8);
        let pca = Pca::fit(&samples, PcaOptions::new(8)).unwrap();
        for i in 0..8 {
            for j in 0..=i {
                let (a, b) = (pca.components().row(i), pca.components().row(j));
                let dot: f32 = a.iter().zip(b).map(|(a, b)| a * b).sum();
                assert!((dot - if i == j { 1.0 } else { 0.0 }).abs() < 1e-4, "{i} {j}: {dot}");
            }
        }
        assert!(pca.variances().is_sorted_by(|a, b| a >= b));
        let scores = pca.transform(&samples).unwrap();
        let variance = scores.rows().map(|row| f64::from(row[2]).powi(2)).sum::<f64>() / 89.0;
        assert!((variance / pca.variances()[2] - 1.0).abs() < 1e-4);
        let back = pca.inverse(&scores).unwrap();
        let worst =
            back.values().iter().zip(samples.values()).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(worst < 1e-2, "all 8 directions were found: {worst}");
        assert_eq!(pca.truncated(3).transform(&samples).unwrap(), scores.first_columns(3));
    }

    #[test]
    fn the_number_of_threads_does_not_matter() {
        let samples = drawn(600, 700, 20);
        let fit = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| Pca::fit(&samples, PcaOptions::new(10)).unwrap())
        };
        assert_eq!(fit(1), fit(3));
    }

    #[test]
    fn impossible_numbers_of_components_are_refused() {
        let samples = drawn(5, 40, 3);
        for components in [0, 5] {
            let message = Pca::fit(&samples, PcaOptions::new(components)).unwrap_err().to_string();
            assert!(message.contains("1 to 4"), "{message}");
        }
        assert!(Pca::fit(&drawn(1, 4, 1), PcaOptions::new(1)).is_err());
    }
}
