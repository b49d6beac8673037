use crate::sobel;
use boneage_core::Plane;
use std::cmp::Ordering;

/// Share of width and height left out along each edge: collimation and white borders lie there.
const MARGIN: f32 = 0.15;

/// Greys of the inner part beyond these percentiles are cut off, so that lead letters do not weigh.
const CUT: [f32; 2] = [2.0, 98.0];

/// Below this an image counts as inverted. Not 0, as a frame with a small plate on a brighter ground
/// comes near it; an inverted radiograph has the score of the upright one with its sign turned, about -1.
const INVERTED: f32 = -0.15;

/// True where the bones are dark on a bright ground, as on a photographic print.
///
/// Two signs, each a correlation with grey over the inner part of the image, so that turning black into
/// white turns their sum's sign and nothing else: a hand is brighter towards the middle, and it is
/// brighter where there is much to see (edges of bones), as the ground is smooth. Neither minds how the
/// hand is turned. `tests/data.rs` measures the rule on the 12,611 training images.
pub fn is_inverted(canonical: &Plane) -> bool {
    polarity_score(canonical) < INVERTED
}

/// The sum of both correlations, -2..2; positive where bones are bright, 0 for an even image.
pub fn polarity_score(canonical: &Plane) -> f32 {
    let inner = inner(canonical);
    let mut greys = inner.pixels().to_vec();
    let [low, high] = CUT.map(|percent| {
        let rank = (percent / 100.0 * greys.len() as f32) as usize;
        let found = (rank < greys.len()).then(|| *greys.select_nth_unstable_by(rank, f32::total_cmp).1);
        found.unwrap_or(0.0)
    });
    // An even image, or one of no numbers, has no polarity.
    if low.partial_cmp(&high) != Some(Ordering::Less) {
        return 0.0;
    }
    let grey = inner.map(|g| ((g - low) / (high - low)).clamp(0.0, 1.0));

    let (width, height) = (grey.width(), grey.height());
    let off_centre = |i: usize, n: usize| 2.0 * i as f32 / (n - 1).max(1) as f32 - 1.0;
    let middle = Plane::from_fn(width, height, |x, y| {
        (-off_centre(x, width).powi(2) - off_centre(y, height).powi(2)).exp()
    });
    // Blurred over 2 % of the side against JPEG blocks and grain, then over 7 % to fill the hand; the
    // constant keeps the logarithm from telling smooth from smoother.
    let edges = sobel(&mean_around(&grey, width / 100));
    let busy = mean_around(&edges, width / 28).map(|g| (g + 0.0035).ln());
    correlation(&grey, &middle) + correlation(&grey, &busy)
}

fn inner(plane: &Plane) -> Plane {
    let cut = |side: usize| (side as f32 * MARGIN) as usize;
    let (left, top) = (cut(plane.width()), cut(plane.height()));
    Plane::from_fn(plane.width() - 2 * left, plane.height() - 2 * top, |x, y| plane.at(left + x, top + y))
}

/// Each pixel becomes the mean of the square of side `2 radius + 1` about it, cut at the frame.
fn mean_around(plane: &Plane, radius: usize) -> Plane {
    turned_row_means(&turned_row_means(plane, radius), radius)
}

/// The running mean along each row, with rows and columns exchanged.
fn turned_row_means(plane: &Plane, radius: usize) -> Plane {
    let (width, height) = (plane.width(), plane.height());
    let sums: Vec<Vec<f64>> = (0..height)
        .map(|y| {
            let running = plane.row(y).iter().scan(0.0, |sum, &p| {
                *sum += f64::from(p);
                Some(*sum)
            });
            std::iter::once(0.0).chain(running).collect()
        })
        .collect();
    Plane::from_fn(height, width, |y, x| {
        let (from, to) = (x.saturating_sub(radius), (x + radius + 1).min(width));
        ((sums[y][to] - sums[y][from]) / (to - from) as f64) as f32
    })
}

/// Pearson's correlation of two planes of one size; 0 where one of them is even.
fn correlation(a: &Plane, b: &Plane) -> f32 {
    let mean =
        |p: &Plane| p.pixels().iter().map(|&v| f64::from(v)).sum::<f64>() / p.pixels().len().max(1) as f64;
    let (mean_a, mean_b) = (mean(a), mean(b));
    let (mut ab, mut aa, mut bb) = (0.0, 0.0, 0.0);
    for (&a, &b) in a.pixels().iter().zip(b.pixels()) {
        let (a, b) = (f64::from(a) - mean_a, f64::from(b) - mean_b);
        ab += a * b;
        aa += a * a;
        bb += b * b;
    }
    if aa * bb > 0.0 { (ab / (aa * bb).sqrt()) as f32 } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A bright palm with striped fingers on a smooth ground, somewhere in the frame.
    fn film(cx: f32, cy: f32) -> Plane {
        Plane::from_fn(299, 299, |x, y| {
            let (dx, dy) = ((x as f32 - cx) / 90.0, (y as f32 - cy) / 110.0);
            let stripes = if x / 6 % 2 == 0 { 0.15 } else { 0.0 };
            if dx * dx + dy * dy < 1.0 { 0.5 + stripes } else { 0.1 + 0.0002 * y as f32 }
        })
    }

    #[test]
    fn a_print_is_inverted_and_a_film_is_not_wherever_the_hand_lies() {
        for (cx, cy) in [(150.0, 150.0), (120.0, 180.0), (180.0, 130.0)] {
            let film = film(cx, cy);
            assert!(!is_inverted(&film));
            let print = film.map(|g| 1.0 - g);
            assert!(is_inverted(&print));
            assert!((polarity_score(&film) + polarity_score(&print)).abs() < 1e-3);
        }
    }

    #[test]
    fn nothing_to_see_is_left_as_it_is() {
        assert_eq!(polarity_score(&Plane::filled(299, 299, 0.7)), 0.0);
        assert_eq!(polarity_score(&Plane::filled(1, 1, 0.7)), 0.0);
        assert!(!is_inverted(&Plane::filled(40, 40, f32::NAN)));
    }

    #[test]
    fn the_mean_around_a_point_is_spread_evenly() {
        let point = Plane::from_fn(7, 5, |x, y| if (x, y) == (3, 2) { 9.0 } else { 0.0 });
        let spread = mean_around(&point, 1);
        assert_eq!((spread.width(), spread.height()), (7, 5));
        assert_eq!((spread.at(2, 1), spread.at(4, 3), spread.at(1, 2)), (1.0, 1.0, 0.0));
    }
}
