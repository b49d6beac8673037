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

/// `G g` of one column or row of weights.
///
/// # Safety
/// The instruction set of `S` is present.
#[inline(always)]
pub(crate) unsafe fn weights<S: Simd>(g: [S::V; 3]) -> [S::V; 6] {
    // SAFETY: the caller vouches for the instruction set.
    unsafe {
        let sixth = S::splat(1.0 / 6.0);
        let outer = S::mul(S::splat(-1.0 / 6.0), S::add(g[0], g[2]));
        let middle = S::mul(sixth, g[1]);
        let far_outer = S::mul_add(S::splat(1.0 / 24.0), g[0], S::mul(sixth, g[2]));
        let far_middle = S::mul(S::splat(1.0 / 12.0), g[1]);
        [
            S::mul(S::splat(0.25), g[0]),
            S::sub(outer, middle),
            S::add(outer, middle),
            S::add(far_outer, far_middle),
            S::sub(far_outer, far_middle),
            g[2],
        ]
    }
}

/// `A d`, the transpose of [`output`]: of one column or row of an output gradient.
///
/// # Safety
/// The instruction set of `S` is present.
#[inline(always)]
pub(crate) unsafe fn output_gradient<S: Simd>(d: [S::V; 4]) -> [S::V; 6] {
    // SAFETY: the caller vouches for the instruction set.
    unsafe {
        let (even, odd) = (S::add(d[0], d[2]), S::add(d[1], d[3]));
        let far_even = S::mul_add(S::splat(4.0), d[2], d[0]);
        let far_odd = S::mul_add(S::splat(8.0), d[3], S::mul(S::splat(2.0), d[1]));
        [
            d[0],
            S::add(even, odd),
            S::sub(even, odd),
            S::add(far_even, far_odd),
            S::sub(far_even, far_odd),
            d[3],
        ]
    }
}

/// `G^T u`, the transpose of [`weights`]: of one column or row of a gradient in transformed weights.
///
/// # Safety
/// The instruction set of `S` is present.
#[inline(always)]
pub(crate) unsafe fn weights_gradient<S: Simd>(u: [S::V; 6]) -> [S::V; 3] {
    // SAFETY: the caller vouches for the instruction set.
    unsafe {
        let (sum, difference) = (S::add(u[1], u[2]), S::sub(u[2], u[1]));
        let (far_sum, far_difference) = (S::add(u[3], u[4]), S::sub(u[3], u[4]));
        let (sixth, minus_sixth) = (S::splat(1.0 / 6.0), S::splat(-1.0 / 6.0));
        let outer = S::mul(minus_sixth, sum);
        [
            S::mul_add(S::splat(0.25), u[0], S::mul_add(S::splat(1.0 / 24.0), far_sum, outer)),
            S::mul_add(S::splat(1.0 / 12.0), far_difference, S::mul(sixth, difference)),
            S::add(S::mul_add(sixth, far_sum, outer), u[5]),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simd::Portable;

    const B_T: [[f32; 6]; 6] = [
        [4.0, 0.0, -5.0, 0.0, 1.0, 0.0],
        [0.0, -4.0, -4.0, 1.0, 1.0, 0.0],
        [0.0, 4.0, -4.0, -1.0, 1.0, 0.0],
        [0.0, -2.0, -1.0, 2.0, 1.0, 0.0],
        [0.0, 2.0, -1.0, -2.0, 1.0, 0.0],
        [0.0, 4.0, 0.0, -5.0, 0.0, 1.0],
    ];
    const G: [[f32; 3]; 6] = [
        [0.25, 0.0, 0.0],
        [-1.0 / 6.0, -1.0 / 6.0, -1.0 / 6.0],
        [-1.0 / 6.0, 1.0 / 6.0, -1.0 / 6.0],
        [1.0 / 24.0, 1.0 / 12.0, 1.0 / 6.0],
        [1.0 / 24.0, -1.0 / 12.0, 1.0 / 6.0],
        [0.0, 0.0, 1.0],
    ];
    const A_T: [[f32; 6]; 4] = [
        [1.0, 1.0, 1.0, 1.0, 1.0, 0.0],
        [0.0, 1.0, -1.0, 2.0, -2.0, 0.0],
        [0.0, 1.0, 1.0, 4.0, 4.0, 0.0],
        [0.0, 1.0, -1.0, 8.0, -8.0, 1.0],
    ];

    fn unit<const N: usize>(at: usize) -> [[f32; 8]; N] {
        std::array::from_fn(|i| [if i == at { 1.0 } else { 0.0 }; 8])
    }

    fn assert_column<const N: usize>(got: [[f32; 8]; N], want: [f32; N], what: &str) {
        for (got, want) in got.iter().zip(want) {
            assert!((got[0] - want).abs() < 1e-7, "{what}: {} is not {want}", got[0]);
        }
    }

    /// Each transform applied to the unit vectors gives the columns of its matrix.
    #[test]
    fn transforms_are_the_matrices_of_the_module() {
        // SAFETY: every processor runs the portable set.
        unsafe {
            for j in 0..6 {
                assert_column(input::<Portable>(unit(j)), B_T.map(|row| row[j]), "B^T");
                assert_column(output::<Portable>(unit(j)), A_T.map(|row| row[j]), "A^T");
                assert_column(weights_gradient::<Portable>(unit(j)), G[j], "G^T");
            }
            for (j, &row) in A_T.iter().enumerate() {
                assert_column(output_gradient::<Portable>(unit(j)), row, "A");
            }
            for j in 0..3 {
                assert_column(weights::<Portable>(unit(j)), G.map(|row| row[j]), "G");
            }
        }
    }

    /// The defining identity in one dimension: the transforms give a convolution.
    #[test]
    fn six_inputs_and_three_weights_give_four_outputs() {
        let (signal, kernel) = ([3.0f32, -1.0, 4.0, 1.0, -5.0, 9.0], [2.0f32, 6.0, -5.0]);
        // SAFETY: every processor runs the portable set.
        let outputs = unsafe {
            let (d, g) =
                (input::<Portable>(signal.map(|s| [s; 8])), weights::<Portable>(kernel.map(|g| [g; 8])));
            output::<Portable>(std::array::from_fn(|i| Portable::mul(d[i], g[i])))
        };
        for (x, y) in outputs.iter().enumerate() {
            let want: f32 = (0..3).map(|k| kernel[k] * signal[x + k]).sum();
            assert!((y[0] - want).abs() < 1e-4, "{} is not {want}", y[0]);
        }
    }
}
