use boneage_core::{Affine, Plane};
use rayon::prelude::*;

/// `source` seen through an affine map, in one bilinear resampling: pixel `p` of the `width` x `height`
/// result is the grey of `source` at `map(p)`. Outside the source its nearest edge pixel is repeated
/// (Keras's `fill_mode="nearest"`, the paper's).
///
/// Each pixel is computed by itself, so the result does not depend on the thread count. The map should
/// not shrink much: beyond a factor of about 1.5 bilinear sampling skips pixels; [`resize`](crate::resize)
/// first.
pub fn warp(source: &Plane, map: &Affine, width: usize, height: usize) -> Plane {
    let mut target = Plane::filled(width, height, 0.0);
    if source.pixels().is_empty() || width == 0 {
        return target;
    }
    target.pixels_mut().par_chunks_mut(width).enumerate().for_each(|(y, row)| {
        for (x, pixel) in row.iter_mut().enumerate() {
            let (sx, sy) = map.apply(x as f64, y as f64);
            *pixel = bilinear(source, sx, sy);
        }
    });
    target
}

/// The grey at `(x, y)`, between pixel centres by two linear interpolations.
fn bilinear(source: &Plane, x: f64, y: f64) -> f32 {
    // `max` and `min` rather than `clamp`, so that a NaN of a senseless map lands on a pixel too.
    let x = x.max(0.0).min((source.width() - 1) as f64);
    let y = y.max(0.0).min((source.height() - 1) as f64);
    let (left, top) = (x as usize, y as usize);
    let (right, bottom) = ((left + 1).min(source.width() - 1), (top + 1).min(source.height() - 1));
    let (fx, fy) = ((x - left as f64) as f32, (y - top as f64) as f32);
    // This form returns the pixel itself, to the bit, where the fraction is 0.
    let between = |a: f32, b: f32, f: f32| a + (b - a) * f;
    let upper = between(source.at(left, top), source.at(right, top), fx);
    let lower = between(source.at(left, bottom), source.at(right, bottom), fx);
    between(upper, lower, fy)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_quarter_turn_moves_pixels_and_the_edge_is_repeated() {
        let source = Plane::new(2, 2, vec![1.0, 2.0, 3.0, 4.0]);
        let turn = Affine { rows: [0.0, 1.0, 0.0, -1.0, 0.0, 1.0] };
        assert_eq!(warp(&source, &turn, 2, 2).pixels(), [3.0, 1.0, 4.0, 2.0]);
        let far = warp(&source, &Affine::translation(-9.0, 9.0), 2, 2);
        assert_eq!(far.pixels(), [3.0, 3.0, 3.0, 3.0]);
        let between = warp(&source, &Affine::translation(0.5, 0.5), 1, 1);
        assert_eq!(between.pixels(), [2.5]);
    }

    #[test]
    fn a_senseless_map_is_no_panic() {
        let nan = Affine { rows: [f64::NAN; 6] };
        assert_eq!(warp(&Plane::filled(3, 3, 2.0), &nan, 2, 2), Plane::filled(2, 2, 2.0));
    }

    proptest! {
        #[test]
        fn identity_returns_the_image(
            (width, height, pixels) in (1usize..20, 1usize..20).prop_flat_map(|(w, h)| {
                (Just(w), Just(h), proptest::collection::vec(-1e3f32..1e3, w * h))
            })
        ) {
            let plane = Plane::new(width, height, pixels);
            prop_assert_eq!(warp(&plane, &Affine::IDENTITY, width, height), plane);
        }

        /// A ramp is reproduced by bilinear sampling, so there and back again is the ramp, away from the edge.
        #[test]
        fn a_map_and_its_inverse_cancel(angle in -0.3f64..0.3, zoom in 0.8f64..1.25, dx in -3.0f64..3.0) {
            let ramp = Plane::from_fn(64, 64, |x, y| 0.5 * x as f32 - 0.25 * y as f32);
            let map = Affine::translation(-32.0, -32.0)
                .then(Affine::rotation(angle)).then(Affine::scale(zoom, zoom))
                .then(Affine::translation(32.0 + dx, 32.0));
            let there = warp(&ramp, &map, 64, 64);
            let back = warp(&there, &map.inverse().unwrap(), 64, 64);
            for y in 26..38 {
                for x in 26..38 {
                    prop_assert!((back.at(x, y) - ramp.at(x, y)).abs() < 1e-3);
                }
            }
        }
    }
}
