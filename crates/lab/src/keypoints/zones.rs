use boneage_core::Plane;
use boneage_vision::Keypoint;

/// Pixels of 299 that count as the contour, on either side of it.
pub(super) const CONTOUR: usize = 3;
/// Zones that share out a film, and one across them.
pub(super) const ZONES: usize = 5;

/// A film shared out: the hand's contour, what is marked in the hand away from the contour, the rest of the hand, all
/// else; and beside these what is marked in the hand, contour or not.
pub(super) struct Zones {
    width: usize,
    /// Which of the first four, and whether the fifth, of every pixel.
    of: Vec<(usize, bool)>,
}

/// The places of the zones in lists of [`ZONES`].
pub(super) const ON_CONTOUR: usize = 0;
pub(super) const MARKED: usize = 1;
const REST: usize = 2;
const OUTSIDE: usize = 3;
const MARKED_WHOLE: usize = 4;

impl Zones {
    /// `mask` is 1 inside the hand; `marked` says which pixels are, and counts inside the hand alone.
    pub(super) fn new(mask: &Plane, marked: impl Fn(usize, usize) -> bool) -> Zones {
        let (width, height) = (mask.width(), mask.height());
        let hand = |x: usize, y: usize| mask.at(x, y) > 0.5;
        let places = || (0..height).flat_map(|y| (0..width).map(move |x| (x, y)));
        let mut near = vec![false; width * height];
        for (x, y) in places().filter(|&(x, y)| hand(x, y)) {
            // Where the film ends the hand goes on: that is no contour.
            let beside = [(x.wrapping_sub(1), y), (x + 1, y), (x, y.wrapping_sub(1)), (x, y + 1)];
            if beside.iter().any(|&(u, v)| u < width && v < height && !hand(u, v)) {
                for v in y.saturating_sub(CONTOUR)..(y + CONTOUR + 1).min(height) {
                    for u in x.saturating_sub(CONTOUR)..(x + CONTOUR + 1).min(width) {
                        let away = u.abs_diff(x).pow(2) + v.abs_diff(y).pow(2);
                        near[v * width + u] |= away <= CONTOUR * CONTOUR;
                    }
                }
            }
        }
        let zone = |(x, y): (usize, usize)| {
            let marked = hand(x, y) && marked(x, y);
            let zone = match (near[y * width + x], marked, hand(x, y)) {
                (true, ..) => ON_CONTOUR,
                (_, true, _) => MARKED,
                (.., true) => REST,
                _ => OUTSIDE,
            };
            (zone, marked)
        };
        Zones { width, of: places().map(zone).collect() }
    }

    /// The share of the film's area that each zone has.
    pub(super) fn areas(&self) -> [f64; ZONES] {
        shares(self.of.iter().copied())
    }

    /// The share of keypoints that each zone has; `None` of none.
    pub(super) fn shares(&self, keypoints: &[Keypoint]) -> Option<[f64; ZONES]> {
        let height = self.of.len() / self.width;
        let zone = |place: &Keypoint| {
            let pixel = |at: f32, count: usize| (at.round().max(0.0) as usize).min(count - 1);
            self.of[pixel(place.y, height) * self.width + pixel(place.x, self.width)]
        };
        (!keypoints.is_empty()).then(|| shares(keypoints.iter().map(zone)))
    }
}

fn shares(zones: impl ExactSizeIterator<Item = (usize, bool)>) -> [f64; ZONES] {
    let one = 1.0 / zones.len() as f64;
    let mut shares = [0.0; ZONES];
    for (zone, marked) in zones {
        shares[zone] += one;
        shares[MARKED_WHOLE] += if marked { one } else { 0.0 };
    }
    shares
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_film_is_shared_out() {
        // A hand that fills the right half of 40 x 20 and reaches three edges of the film.
        let mask = Plane::from_fn(40, 20, |x, _| f32::from(u8::from(x >= 20)));
        let zones = Zones::new(&mask, |x, _| (10..30).contains(&x));
        let areas = zones.areas();
        // Columns 17 to 23, 24 to 29, 30 to 39, 0 to 16; marked in the hand 20 to 29.
        for (area, columns) in areas.iter().zip([7.0, 6.0, 10.0, 17.0, 10.0]) {
            assert!((area - columns / 40.0).abs() < 1e-9, "{areas:?}");
        }
        let at = |x: f32| Keypoint { x, y: 19.4, sigma: 2.0, response: 1.0 };
        let found = zones.shares(&[at(16.4), at(16.6), at(23.0), at(26.0)]).unwrap();
        assert_eq!(found, [0.5, 0.25, 0.0, 0.25, 0.5]);
        assert_eq!(zones.shares(&[]), None);
    }
}
