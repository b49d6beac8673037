use half::f16;
use half::slice::HalfFloatSliceExt;
use rayon::prelude::*;

/// Numbers of one parallel task.
const CHUNK: usize = 65_536;

/// Widens cached features, which are kept as f16, to the f32 that a [`Head`](crate::Head) takes.
/// `values` is given the length of `halves`; keep it from batch to batch and its room is claimed
/// once.
pub fn widen_features(halves: &[f16], values: &mut Vec<f32>) {
    values.resize(halves.len(), 0.0);
    values
        .par_chunks_mut(CHUNK)
        .zip(halves.par_chunks(CHUNK))
        .for_each(|(values, halves)| halves.convert_to_f32_slice(values));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_half_is_widened_exactly() {
        let halves: Vec<f16> = (0..3 * CHUNK + 5).map(|i| f16::from_bits((i % 0x7c00) as u16)).collect();
        let mut values = vec![1.0; 7];
        widen_features(&halves, &mut values);
        assert!(values.iter().zip(&halves).all(|(v, h)| *v == h.to_f32()));
        assert_eq!(values.len(), halves.len());
    }
}
