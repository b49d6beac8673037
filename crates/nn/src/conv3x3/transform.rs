//! The three transforms of Winograd's F(4x4, 3x3), each a small matrix on both sides of a tile.
//!
//! With interpolation points 0, 1, -1, 2, -2 and infinity (Lavin and Gray, "Fast Algorithms for
//! Convolutional Neural Networks", 2016) a 1-d tile of six inputs `d` and three weights `g` gives four
//! outputs `y = A^T ((G g) * (B^T d))`, with `*` element by element:
//!
//! ```text
//!        4  0 -5  0  1  0           1/4    0    0
//!        0 -4 -4  1  1  0          -1/6 -1/6 -1/6          1 1  1 1  1 0
//! B^T =  0  4 -4 -1  1  0     G  = -1/6  1/6 -1/6   A^T =  0 1 -1 2 -2 0
//!        0 -2 -1  2  1  0          1/24 1/12  1/6          0 1  1 4  4 0
//!        0  2 -1 -2  1  0          1/24 -1/12 1/6          0 1 -1 8 -8 1
//!        0  4  0 -5  0  1             0    0    1
//! ```

use crate::simd::Simd;

/// Side of an input tile.
pub(crate) const TILE: usize = 6;
/// Side of an output tile.
pub(crate) const STEP: usize = 4;
/// Elements of a transformed tile, and so the number of matrix products.
pub(crate) const POINTS: usize = TILE * TILE;

/// `B^T d` of one column or row.
///
/// # Safety
/// The instruction set of `S` is present.
#[inline(always)]
pub(crate) unsafe fn input<S: Simd>(d: [S::V; 6]) -> [S::V; 6] {
    // SAFETY: the caller vouches for the instruction set.
    unsafe {
        let (four, minus_five, two) = (S::splat(4.0), S::splat(-5.0), S::splat(2.0));
        let even = S::neg_mul_add(four, d[2], d[4]);
        let odd = S::neg_mul_add(four, d[1], d[3]);
        let outer_even = S::sub(d[4], d[2]);
        let outer_odd = S::mul(two, S::sub(d[3], d[1]));
        [
            S::mul_add(minus_five, d[2], S::mul_add(four, d[0], d[4])),
            S::add(even, odd),
            S::sub(even, odd),
            S::add(outer_even, outer_odd),
            S::sub(outer_even, outer_odd),
            S::mul_add(minus_five, d[3], S::mul_add(four, d[1], d[5])),
        ]
    }
}

/// `A^T m` of one column or row.
///
/// # Safety
/// The instruction set of `S` is present.
#[inline(always)]
pub(crate) unsafe fn output<S: Simd>(m: [S::V; 6]) -> [S::V; 4] {
    // SAFETY: the caller vouches for the instruction set.
    unsafe {
        let (sum_1, difference_1) = (S::add(m[1], m[2]), S::sub(m[1], m[2]));
        let (sum_2, difference_2) = (S::add(m[3], m[4]), S::sub(m[3], m[4]));
        [
            S::add(S::add(m[0], sum_1), sum_2),
            S::mul_add(S::splat(2.0), difference_2, difference_1),
            S::mul_add(S::splat(4.0), sum_2, sum_1),
            S::add(S::mul_add(S::splat(8.0), difference_2, difference_1), m[5]),
        ]
    }
}

/// `G g G^T` of one 3x3 kernel, in f64, as it is done once for a layer's life.
pub(crate) fn weights(kernel: [f64; 9]) -> [f64; POINTS] {
    const G: [[f64; 3]; 6] = [
        [0.25, 0.0, 0.0],
        [-1.0 / 6.0, -1.0 / 6.0, -1.0 / 6.0],
        [-1.0 / 6.0, 1.0 / 6.0, -1.0 / 6.0],
        [1.0 / 24.0, 1.0 / 12.0, 1.0 / 6.0],
        [1.0 / 24.0, -1.0 / 12.0, 1.0 / 6.0],
        [0.0, 0.0, 1.0],
    ];
    let mut columns = [[0.0; 3]; TILE];
    for (row, g) in columns.iter_mut().zip(G) {
        for (x, value) in row.iter_mut().enumerate() {
            *value = (0..3).map(|y| g[y] * kernel[y * 3 + x]).sum();
        }
    }
    std::array::from_fn(|point| {
        let (row, g) = (columns[point / TILE], G[point % TILE]);
        row[0] * g[0] + row[1] * g[1] + row[2] * g[2]
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simd::Portable;

    /// The defining identity in one dimension: the transforms give a convolution.
    #[test]
    fn six_inputs_and_three_weights_give_four_outputs() {
        let (signal, kernel) = ([3.0f32, -1.0, 4.0, 1.0, -5.0, 9.0], [2.0f64, 6.0, -5.0]);
        // A 2-d kernel that is `kernel` along x and picks the middle row: its row of `G g G^T` for the
        // point 0 along y vanishes, so the 1-d transform is read from the impulse at the top row.
        let two_d = weights([kernel[0], kernel[1], kernel[2], 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]);
        // SAFETY: every processor runs the portable set.
        let outputs = unsafe {
            let d = input::<Portable>(signal.map(|s| [s; 8]));
            let m = std::array::from_fn(|i| d[i].map(|v| v * (two_d[i] / 0.25) as f32));
            output::<Portable>(m)
        };
        for (x, y) in outputs.iter().enumerate() {
            let want: f64 = (0..3).map(|k| kernel[k] * f64::from(signal[x + k])).sum();
            assert!((f64::from(y[0]) - want).abs() < 1e-4, "{} is not {want}", y[0]);
        }
    }
}
