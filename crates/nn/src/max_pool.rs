use crate::blocked::Blocked;
use crate::buffer::LINE;
use rayon::prelude::*;

/// The 2x2 maximum with stride 2, an odd last row or column dropped: `[batch, c, h, w]` to
/// `[batch, c, h / 2, w / 2]`.
///
/// The convolutions pool while a tile is in registers; this is for the one that is computed as it is
/// defined.
pub(crate) fn max_pool(x: &Blocked) -> Blocked {
    let (height, width) = (x.height() / 2, x.width() / 2);
    let mut y = Blocked::stale(x.batch(), x.channels(), height, width);
    if height * width == 0 {
        return y;
    }
    let planes = x.as_slice().par_chunks_exact(x.height() * x.width() * LINE);
    y.as_mut_slice().par_chunks_exact_mut(height * width * LINE).zip(planes).for_each(|(y, x_plane)| {
        for (pixel, y) in y.chunks_exact_mut(LINE).enumerate() {
            let corner = (pixel / width * 2 * x.width() + pixel % width * 2) * LINE;
            let (above, below) = (&x_plane[corner..], &x_plane[corner + x.width() * LINE..]);
            for (lane, y) in y.iter_mut().enumerate() {
                *y = above[lane].max(above[LINE + lane]).max(below[lane]).max(below[LINE + lane]);
            }
        }
    });
    y
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_of_four_and_no_odd_rest() {
        let x: Vec<f32> = (0..15).map(|i| if i == 5 { 20.0 } else { i as f32 }).collect();
        let y = max_pool(&Blocked::from_nchw(&x, 1, 1, 3, 5));
        assert_eq!(y.to_nchw(), [20.0, 8.0]);
        assert_eq!(max_pool(&Blocked::from_nchw(&x, 1, 1, 15, 1)).to_nchw(), []);
    }
}
