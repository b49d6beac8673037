//! Sums whose order is fixed, so that they come out the same on every run.

/// Lanes that are summed side by side; the compiler keeps them in vector registers.
const LANES: usize = 16;

/// Sum of products, in an order that depends on the length alone.
pub(crate) fn dot(a: &[f32], b: &[f32]) -> f32 {
    let (a_body, b_body) = (a.chunks_exact(LANES), b.chunks_exact(LANES));
    let tail = a_body.remainder().iter().zip(b_body.remainder());
    let tail: f32 = tail.map(|(a, b)| a * b).sum();
    let mut lanes = [0.0f32; LANES];
    for (a, b) in a_body.zip(b_body) {
        for lane in 0..LANES {
            lanes[lane] += a[lane] * b[lane];
        }
    }
    lanes.iter().sum::<f32>() + tail
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dot_sums_every_product_of_every_length() {
        for length in 0..70usize {
            let a: Vec<f32> = (0..length).map(|i| i as f32).collect();
            let ones = vec![1.0; length];
            assert_eq!(dot(&a, &ones), (length * length.saturating_sub(1) / 2) as f32);
        }
    }
}
