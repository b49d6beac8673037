use crate::ClassicalError;
use rayon::prelude::*;

/// Columns of one task.
const COLUMNS: usize = 1024;

/// Rows of equal length: one image, or its coordinates, a row.
#[derive(Clone, Debug, PartialEq)]
pub struct Samples {
    /// `[rows, width]`, row by row.
    values: Vec<f32>,
    width: usize,
}

impl Samples {
    /// `values` as `[rows, width]`.
    ///
    /// # Errors
    /// When they do not fill whole rows, or the width is 0.
    pub fn new(values: Vec<f32>, width: usize) -> Result<Self, ClassicalError> {
        if width == 0 || !values.len().is_multiple_of(width) {
            let expected = values.len().next_multiple_of(width.max(1)).max(1);
            return Err(ClassicalError::Shape { what: "a set of samples", found: values.len(), expected });
        }
        Ok(Samples { values, width })
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.values.len() / self.width
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// Numbers in a row.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Row `index`.
    pub fn row(&self, index: usize) -> &[f32] {
        &self.values[index * self.width..][..self.width]
    }

    /// All rows, in order.
    pub fn rows(&self) -> impl ExactSizeIterator<Item = &[f32]> {
        self.values.chunks_exact(self.width)
    }

    /// All numbers, `[rows, width]`.
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// The rows `indices`, in that order.
    pub fn select(&self, indices: &[usize]) -> Samples {
        let values = indices.iter().flat_map(|&index| self.row(index)).copied().collect();
        Samples { values, width: self.width }
    }

    /// The first `width` numbers of every row.
    pub fn first_columns(&self, width: usize) -> Samples {
        let width = width.clamp(1, self.width);
        let values = self.rows().flat_map(|row| &row[..width]).copied().collect();
        Samples { values, width }
    }

    /// The mean row.
    pub(crate) fn mean(&self) -> Vec<f32> {
        let mut means = vec![0.0f32; self.width];
        means.par_chunks_mut(COLUMNS).enumerate().for_each(|(block, means)| {
            let mut sums = vec![0.0f64; means.len()];
            for row in self.rows() {
                let row = &row[block * COLUMNS..][..sums.len()];
                sums.iter_mut().zip(row).for_each(|(sum, &value)| *sum += f64::from(value));
            }
            let count = self.len().max(1) as f64;
            means.iter_mut().zip(sums).for_each(|(mean, sum)| *mean = (sum / count) as f32);
        });
        means
    }

    /// Checks that there is one of `count` things a row, and that there are `least` rows.
    pub(crate) fn check(&self, what: &'static str, count: usize, least: usize) -> Result<(), ClassicalError> {
        let found = self.len();
        if count != found {
            return Err(ClassicalError::Shape { what, found: count, expected: found });
        }
        if found < least { Err(ClassicalError::TooFew { found, least }) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_chosen_cut_and_averaged() {
        let samples = Samples::new(vec![1.0, 2.0, 3.0, 4.0, 5.0, 9.0], 3).unwrap();
        assert_eq!((samples.len(), samples.width()), (2, 3));
        assert_eq!(samples.select(&[1, 0, 1]).values(), [4.0, 5.0, 9.0, 1.0, 2.0, 3.0, 4.0, 5.0, 9.0]);
        assert_eq!(samples.first_columns(1).values(), [1.0, 4.0]);
        assert_eq!(samples.mean(), [2.5, 3.5, 6.0]);
        assert!(Samples::new(vec![1.0; 5], 3).is_err() && Samples::new(Vec::new(), 0).is_err());
        assert!(samples.check("labels", 3, 1).is_err() && samples.check("labels", 2, 3).is_err());
    }
}
