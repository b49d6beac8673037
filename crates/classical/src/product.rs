//! Matrix products whose result does not depend on the number of threads: how the work is cut follows from
//! the shapes, every task multiplies on its own thread, and partial sums are added in one order.

use crate::Samples;
use faer::linalg::matmul::matmul;
use faer::reborrow::ReborrowMut;
use faer::{Accum, Mat, MatMut, MatRef, Par};
use rayon::prelude::*;
use std::ops::Range;

/// Rows of one task, and columns of the tasks that go along columns.
const ROWS: usize = 256;
const COLUMNS: usize = 512;

/// Samples less their mean, `X`.
///
/// Products go by blocks of rows and columns that are copied together first: rows of a power of two of numbers all
/// fall on the same lines of the cache, and nothing as large as the samples is held twice.
#[derive(Clone, Copy)]
pub(crate) struct Centred<'a> {
    pub(crate) samples: &'a Samples,
    pub(crate) mean: &'a [f32],
}

impl Centred<'_> {
    /// Rows `rows`, columns `columns`, row by row.
    fn block<T: From<f32>>(&self, rows: Range<usize>, columns: Range<usize>) -> Vec<T> {
        let mean = &self.mean[columns.clone()];
        let mut block = Vec::with_capacity(rows.len() * columns.len());
        for row in rows {
            let row = self.samples.row(row)[columns.clone()].iter().zip(mean);
            block.extend(row.map(|(value, mean)| T::from(value - mean)));
        }
        block
    }

    /// `X right`: `[rows, m]` row by row, of `right` `[width, m]`.
    pub(crate) fn times(&self, right: MatRef<'_, f32>) -> Vec<f32> {
        let (n, width, m) = (self.samples.len(), self.samples.width(), right.ncols());
        let mut out = vec![0.0; n * m];
        out.par_chunks_mut((ROWS * m).max(1)).enumerate().for_each(|(block, out)| {
            let rows = block * ROWS..(block * ROWS + ROWS).min(n);
            let mut out = MatMut::from_row_major_slice_mut(out, rows.len(), m);
            for columns in blocks(width, COLUMNS) {
                let left: Vec<f32> = self.block(rows.clone(), columns.clone());
                let left = MatRef::from_row_major_slice(&left, rows.len(), columns.len());
                let right = right.subrows(columns.start, columns.len());
                matmul(out.rb_mut(), Accum::Add, left, right, 1.0, Par::Seq);
            }
        });
        out
    }

    /// `X^T right`: `[width, m]` row by row, of `right` `[rows, m]`.
    pub(crate) fn transposed_times(&self, right: MatRef<'_, f32>) -> Vec<f32> {
        let (n, width, m) = (self.samples.len(), self.samples.width(), right.ncols());
        let mut out = vec![0.0; width * m];
        out.par_chunks_mut((COLUMNS * m).max(1)).enumerate().for_each(|(block, out)| {
            let columns = block * COLUMNS..(block * COLUMNS + COLUMNS).min(width);
            let mut out = MatMut::from_row_major_slice_mut(out, columns.len(), m);
            for rows in blocks(n, ROWS) {
                let left: Vec<f32> = self.block(rows.clone(), columns.clone());
                let left = MatRef::from_row_major_slice(&left, rows.len(), columns.len());
                let right = right.subrows(rows.start, rows.len());
                matmul(out.rb_mut(), Accum::Add, left.transpose(), right, 1.0, Par::Seq);
            }
        });
        out
    }

    /// `X^T right`, `[width]`, in f64.
    pub(crate) fn along(&self, right: &[f64]) -> Vec<f64> {
        let mut out = vec![0.0; self.samples.width()];
        out.par_chunks_mut(COLUMNS).enumerate().for_each(|(block, out)| {
            let columns = block * COLUMNS..block * COLUMNS + out.len();
            let mean = &self.mean[columns.clone()];
            for (row, &factor) in self.samples.rows().zip(right) {
                let row = row[columns.clone()].iter().zip(mean);
                out.iter_mut().zip(row).for_each(|(sum, (x, mean))| *sum += factor * f64::from(x - mean));
            }
        });
        out
    }

    /// `X X^T`, `[rows, rows]`, in f64: least squares without PCA lives on its
    /// smallest eigenvalues.
    pub(crate) fn gram(&self) -> Mat<f64> {
        let (n, width) = (self.samples.len(), self.samples.width());
        let bands: Vec<Range<usize>> = blocks(n, ROWS).collect();
        let pairs: Vec<(usize, usize)> =
            (0..bands.len()).flat_map(|i| (0..=i).map(move |j| (i, j))).collect();
        let rows = |band: usize| bands[band].clone();
        let tiles: Vec<Mat<f64>> = pairs
            .par_iter()
            .map(|&(i, j)| {
                let mut tile = Mat::zeros(rows(i).len(), rows(j).len());
                for columns in blocks(width, COLUMNS) {
                    let left: Vec<f64> = self.block(rows(i), columns.clone());
                    let right: Vec<f64> = self.block(rows(j), columns.clone());
                    let left = MatRef::from_row_major_slice(&left, rows(i).len(), columns.len());
                    let right = MatRef::from_row_major_slice(&right, rows(j).len(), columns.len());
                    matmul(&mut tile, Accum::Add, left, right.transpose(), 1.0, Par::Seq);
                }
                tile
            })
            .collect();
        let mut gram = Mat::zeros(n, n);
        for (&(i, j), tile) in pairs.iter().zip(&tiles) {
            let (top, left) = (i * ROWS, j * ROWS);
            for column in 0..tile.ncols() {
                for row in 0..tile.nrows() {
                    gram[(top + row, left + column)] = tile[(row, column)];
                    gram[(left + column, top + row)] = tile[(row, column)];
                }
            }
        }
        gram
    }
}

/// `0..length` in pieces of `size`, the last one shorter.
fn blocks(length: usize, size: usize) -> impl Iterator<Item = Range<usize>> {
    (0..length).step_by(size).map(move |from| from..(from + size).min(length))
}

/// `left right`, `[rows, k]` row by row, of `left` `[rows, m]` row by row and `right` `[m, k]`.
pub(crate) fn rows_times(left: &[f64], right: MatRef<'_, f64>) -> Vec<f64> {
    let (m, k) = (right.nrows(), right.ncols());
    let mut out = vec![0.0; left.len() / m * k];
    let parts = out.par_chunks_mut(ROWS * k).zip(left.par_chunks(ROWS * m));
    parts.for_each(|(out, left)| {
        let count = left.len() / m;
        let out = MatMut::from_row_major_slice_mut(out, count, k);
        let left = MatRef::from_row_major_slice(left, count, m);
        matmul(out, Accum::Replace, left, right, 1.0, Par::Seq);
    });
    out
}

/// `left^T left`, `[m, m]`, of `left` `[rows, m]` row by row.
pub(crate) fn square(left: &[f64], m: usize) -> Mat<f64> {
    let parts: Vec<Mat<f64>> = left
        .par_chunks((COLUMNS * m).max(1))
        .map(|part| {
            let part = MatRef::from_row_major_slice(part, part.len() / m, m);
            let mut product = Mat::zeros(m, m);
            matmul(&mut product, Accum::Replace, part.transpose(), part, 1.0, Par::Seq);
            product
        })
        .collect();
    let mut sum = Mat::zeros(m, m);
    parts.iter().for_each(|part| sum += part);
    sum
}

#[cfg(test)]
mod tests {
    use super::*;
    use boneage_core::stream;

    fn drawn(rows: usize, width: usize, seed: u64) -> Samples {
        let mut random = stream(seed, &["test"]);
        let values = (0..rows * width).map(|_| 3.0 + random.normal() as f32).collect();
        Samples::new(values, width).unwrap()
    }

    #[test]
    fn products_are_those_of_the_definition() {
        // Neither a multiple of the blocks.
        let (samples, right) = (drawn(300, 530, 1), drawn(530, 3, 2));
        let mean = samples.mean();
        let centred = Centred { samples: &samples, mean: &mean };
        let at = |i: usize, j: usize| f64::from(samples.row(i)[j] - mean[j]);
        let right_of = MatRef::from_row_major_slice(right.values(), 530, 3);
        let product = centred.times(right_of);
        let direct: f64 = (0..530).map(|j| at(299, j) * f64::from(right.row(j)[2])).sum();
        assert!((f64::from(product[299 * 3 + 2]) - direct).abs() < 1e-2);
        let left = MatRef::from_row_major_slice(&product, 300, 3);
        let back = centred.transposed_times(left);
        let direct: f64 = (0..300).map(|i| at(i, 529) * f64::from(product[i * 3 + 1])).sum();
        assert!((f64::from(back[529 * 3 + 1]) - direct).abs() < 1e-2 * direct.abs().max(1.0));
        let column: Vec<f64> = (0..300).map(|i| f64::from(product[i * 3 + 1])).collect();
        assert!((centred.along(&column)[529] - direct).abs() < 1e-6 * direct.abs().max(1.0));
        let gram = centred.gram();
        let direct: f64 = (0..530).map(|j| at(299, j) * at(7, j)).sum();
        assert!((gram[(299, 7)] - direct).abs() < 1e-9 && gram[(7, 299)] == gram[(299, 7)]);
        let back: Vec<f64> = back.into_iter().map(f64::from).collect();
        let squared = square(&back, 3);
        let direct: f64 = (0..530).map(|j| back[j * 3] * back[j * 3 + 2]).sum();
        assert!((squared[(0, 2)] - direct).abs() < 1e-9 * direct.abs().max(1.0));
    }
}
