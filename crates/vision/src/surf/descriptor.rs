use super::integral::Integral;
use crate::Keypoint;

/// Numbers in a descriptor: four of each of 4 x 4 fields.
pub(super) const WIDTH: usize = 64;
/// Fields along a side, and samples along a field.
const FIELDS: i32 = 4;
const SAMPLES: i32 = 5;
/// Samples count by a Gaussian about the keypoint, of so many scales.
const SPREAD: f64 = 3.3;

/// What lies around a keypoint: Haar wavelets, two scales long, at 20 x 20 places one scale apart; of each field the
/// sums of the horizontal and vertical ones and of their absolute values; all together of length 1. Upright, as
/// hands are: the surroundings are not turned to their strongest gradient.
pub(super) fn describe(integral: &Integral, place: &Keypoint) -> [f32; WIDTH] {
    let scale = f64::from(place.sigma);
    let half = (scale.round() as i64).max(1);
    let mut sums = [0.0f64; WIDTH];
    let reach = FIELDS * SAMPLES / 2;
    for (row, column) in (-reach..reach).flat_map(|row| (-reach..reach).map(move |column| (row, column))) {
        let (dx, dy) = (f64::from(column) + 0.5, f64::from(row) + 0.5);
        // Between pixels: the wavelet has as many on either side.
        let edge = |at: f32, by: f64| (f64::from(at) + by * scale + 0.5).round() as i64;
        let (x, y) = (edge(place.x, dx), edge(place.y, dy));
        let sum = |left, top, right, bottom| integral.sum(x + left, y + top, x + right, y + bottom);
        let weight = (-(dx * dx + dy * dy) / (2.0 * SPREAD * SPREAD)).exp();
        let across = weight * (sum(0, -half, half, half) - sum(-half, -half, 0, half));
        let down = weight * (sum(-half, 0, half, half) - sum(-half, -half, half, 0));
        let field = |at: i32| (at + reach) / SAMPLES;
        let first = 4 * (field(row) * FIELDS + field(column)) as usize;
        for (total, value) in sums[first..first + 4].iter_mut().zip([across, down, across.abs(), down.abs()])
        {
            *total += value;
        }
    }
    let length = sums.iter().map(|sum| sum * sum).sum::<f64>().sqrt();
    sums.map(|sum| if length > 0.0 { (sum / length) as f32 } else { 0.0 })
}

#[cfg(test)]
mod tests {
    use super::*;
    use boneage_core::Plane;

    #[test]
    fn a_ramp_goes_one_way_and_has_length_one() {
        let place = Keypoint { x: 50.0, y: 50.0, sigma: 2.0, response: 1.0 };
        let ramp = Integral::of(&Plane::from_fn(100, 100, |x, _| x as f32));
        let found = describe(&ramp, &place);
        assert!((found.iter().map(|v| v * v).sum::<f32>() - 1.0).abs() < 1e-5);
        for field in found.chunks(4) {
            assert!(field[0] > 0.0 && field[0] == field[2] && field[1].abs() < 1e-6 && field[3].abs() < 1e-6);
        }
        // Brighter and of more contrast, it stays the same.
        let bright = Integral::of(&Plane::from_fn(100, 100, |x, _| 3.0 * x as f32 + 100.0));
        let same = describe(&bright, &place);
        assert!(found.iter().zip(same).all(|(a, b)| (a - b).abs() < 1e-6));
        assert_eq!(describe(&Integral::of(&Plane::filled(100, 100, 0.3)), &place), [0.0; WIDTH]);
    }
}
