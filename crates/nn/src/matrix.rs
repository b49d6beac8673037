//! Matrix products whose result does not depend on the number of threads.
//!
//! The `gemm` crate multiplies one tile on one thread; rayon spreads the tiles. How a product is cut
//! into tiles follows from its shape alone, and partial sums are added in one fixed order.

use gemm::Parallelism;
use rayon::prelude::*;

/// Extents of one tile of the product.
const TILE: [usize; 2] = [256, 256];
/// Rows of the inner dimension summed by one task, when that dimension is long.
const INNER_CHUNK: usize = 900;

/// A matrix that lies in a row-major slice, seen as it is or transposed.
#[derive(Clone, Copy)]
pub(crate) struct Matrix<'a> {
    values: &'a [f32],
    rows: usize,
    columns: usize,
    row_stride: usize,
    column_stride: usize,
}

impl<'a> Matrix<'a> {
    /// `values` as `[rows, columns]`, row-major.
    pub(crate) fn new(values: &'a [f32], rows: usize, columns: usize) -> Self {
        assert_eq!(values.len(), rows * columns, "a matrix of {rows} x {columns}");
        Self { values, rows, columns, row_stride: columns, column_stride: 1 }
    }

    /// The same numbers as `[columns, rows]`.
    pub(crate) fn transposed(self) -> Self {
        Self {
            rows: self.columns,
            columns: self.rows,
            row_stride: self.column_stride,
            column_stride: self.row_stride,
            ..self
        }
    }

    fn offset(&self, row: usize, column: usize) -> usize {
        row * self.row_stride + column * self.column_stride
    }
}

/// `out = left right`, with `out` row-major `[left.rows, right.columns]`.
pub(crate) fn multiply(left: Matrix, right: Matrix, out: &mut [f32]) {
    assert_eq!(left.columns, right.rows, "inner dimensions of a product");
    assert_eq!(out.len(), left.rows * right.columns, "room for a product");
    if out.is_empty() {
        return;
    }
    if left.columns == 0 {
        out.fill(0.0);
        return;
    }
    if left.columns >= 4 * INNER_CHUNK {
        return multiply_in_parts(left, right, out);
    }
    let [tile_rows, tile_columns] = TILE;
    let (across, columns) = (right.columns.div_ceil(tile_columns), right.columns);
    let tiles = left.rows.div_ceil(tile_rows) * across;
    let room = Room(out.as_mut_ptr());
    (0..tiles).into_par_iter().for_each(|tile| {
        let (row, column) = (tile / across * tile_rows, tile % across * tile_columns);
        let extent = [tile_rows.min(left.rows - row), tile_columns.min(columns - column)];
        // SAFETY: the tile lies within `out` and the tiles are disjoint; `out` is borrowed mutably
        // until every task has ended.
        unsafe {
            let corner = room.at(row * columns + column);
            product_tile(left, right, [row, column], extent, [0, left.columns], corner, columns);
        }
    });
}

/// A product with a long inner dimension: one partial product a chunk of it, added in order.
fn multiply_in_parts(left: Matrix, right: Matrix, out: &mut [f32]) {
    let size = out.len();
    let parts = left.columns.div_ceil(INNER_CHUNK);
    let mut partial = vec![0.0f32; parts * size];
    partial.par_chunks_mut(size).enumerate().for_each(|(part, partial)| {
        let from = part * INNER_CHUNK;
        let to = (from + INNER_CHUNK).min(left.columns);
        // SAFETY: `partial` holds one whole product and belongs to this task.
        unsafe {
            let extent = [left.rows, right.columns];
            product_tile(left, right, [0, 0], extent, [from, to], partial.as_mut_ptr(), right.columns);
        }
    });
    let (first, others) = partial.split_at(size);
    out.copy_from_slice(first);
    for part in others.chunks_exact(size) {
        for (sum, value) in out.iter_mut().zip(part) {
            *sum += value;
        }
    }
}

/// One tile of a product on one thread: rows and columns from `corner` on, over the inner range.
///
/// # Safety
/// `out` must be valid for writing `extent` numbers in rows that lie `out_stride` apart.
unsafe fn product_tile(
    left: Matrix,
    right: Matrix,
    corner: [usize; 2],
    extent: [usize; 2],
    [from, to]: [usize; 2],
    out: *mut f32,
    out_stride: usize,
) {
    assert!(corner[0] + extent[0] <= left.rows && corner[1] + extent[1] <= right.columns && from < to);
    let stride = |stride: usize| stride as isize;
    // SAFETY: corner and inner range lie within both matrices (asserted above and by their
    // construction), and the caller vouches for `out`.
    unsafe {
        gemm::gemm(
            extent[0],
            extent[1],
            to - from,
            out,
            1,
            stride(out_stride),
            false,
            left.values.as_ptr().add(left.offset(corner[0], from)),
            stride(left.column_stride),
            stride(left.row_stride),
            right.values.as_ptr().add(right.offset(from, corner[1])),
            stride(right.column_stride),
            stride(right.row_stride),
            0.0,
            1.0,
            false,
            false,
            false,
            Parallelism::None,
        );
    }
}

/// Where a product is written, shared by the tasks that write its disjoint tiles.
struct Room(*mut f32);

// SAFETY: only `multiply` makes one, and its tasks write disjoint tiles.
unsafe impl Sync for Room {}

impl Room {
    /// # Safety
    /// `offset` must lie within the array.
    unsafe fn at(&self, offset: usize) -> *mut f32 {
        // SAFETY: vouched for by the caller.
        unsafe { self.0.add(offset) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{pseudo_random, with_threads};

    fn reference(left: Matrix, right: Matrix) -> Vec<f64> {
        let mut out = Vec::new();
        for row in 0..left.rows {
            for column in 0..right.columns {
                let at = |k| {
                    f64::from(left.values[left.offset(row, k)])
                        * f64::from(right.values[right.offset(k, column)])
                };
                out.push((0..left.columns).map(at).sum());
            }
        }
        out
    }

    #[test]
    fn products_agree_with_the_definition_for_every_cut() {
        for [m, n, k] in [[1, 1, 1], [3, 5, 7], [300, 2, 9], [2, 600, 31], [257, 257, 3], [6, 5, 3601]] {
            let a = pseudo_random(1, m * k);
            let b = pseudo_random(2, k * n);
            for (left, right) in [
                (Matrix::new(&a, m, k), Matrix::new(&b, k, n)),
                (Matrix::new(&a, k, m).transposed(), Matrix::new(&b, n, k).transposed()),
            ] {
                let mut out = vec![f32::NAN; m * n];
                multiply(left, right, &mut out);
                for (got, want) in out.iter().zip(reference(left, right)) {
                    let close = 1e-6 * (k as f64).sqrt().max(1.0) * 4.0;
                    assert!((f64::from(*got) - want).abs() < close, "{m} {n} {k}: {got} {want}");
                }
            }
        }
    }

    #[test]
    fn an_empty_inner_dimension_gives_zeros() {
        let mut out = [f32::NAN; 4];
        multiply(Matrix::new(&[], 2, 0), Matrix::new(&[], 0, 2), &mut out);
        assert_eq!(out, [0.0; 4]);
    }

    #[test]
    fn products_are_the_same_bits_for_every_thread_count() {
        let a = pseudo_random(3, 64 * 4000);
        let b = pseudo_random(4, 4000 * 48);
        let product = |threads| {
            with_threads(threads, || {
                let mut long = vec![0.0; 64 * 48];
                multiply(Matrix::new(&a, 64, 4000), Matrix::new(&b, 4000, 48), &mut long);
                let mut wide = vec![0.0; 4000 * 400];
                let left = Matrix::new(&a[..4000 * 10], 4000, 10);
                multiply(left, Matrix::new(&b[..4000], 10, 400), &mut wide);
                (long, wide)
            })
        };
        let one = product(1);
        assert!(one == product(2) && one == product(3));
    }
}
