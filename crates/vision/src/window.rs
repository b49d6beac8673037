use boneage_core::Plane;
use serde::{Deserialize, Serialize};

/// Which greys become black and white: percentiles of the image itself, so that a dark film looks like
/// a normal one (the official test radiographs have a 99th percentile of 74 of 255, the training ones 192).
///
/// Not in the paper. Chosen on the 539 training images with annotated joints, where the grey of the
/// joints varied from image to image by 34 % of its mean as released and by 13 % windowed so, the contrast
/// within 7 pixels about them by 41 % and 19 %; 1.4 % of the wrist is cut off at white. The usual 1st and
/// 99th percentile of the whole frame gives 21 %, 28 % and 9.6 %.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Window {
    /// Percentile of the greys that becomes 0.
    pub low: f32,
    /// Percentile of the greys that, with `headroom`, sets white.
    pub high: f32,
    /// White lies at `low + headroom * (high - low)`. A lower percentile with headroom minds lead letters
    /// less than a higher one without, and leaves the bones of the wrist below white.
    pub headroom: f32,
    /// Share of width and of height left out along each edge when the percentiles are taken: white
    /// borders and the black of the collimation lie there, the hand does not.
    pub margin: f32,
}

impl Default for Window {
    fn default() -> Self {
        Window { low: 5.0, high: 97.0, headroom: 1.25, margin: 0.2 }
    }
}

/// The greys that become 0 and 255, in units of the plane.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Levels {
    /// Becomes 0.
    pub low: f32,
    /// Becomes 255.
    pub high: f32,
}

impl Window {
    /// The levels of this image. Of an even image both are the same.
    pub fn levels(&self, plane: &Plane) -> Levels {
        let inner = |side: usize| {
            let cut = (side as f32 * self.margin.clamp(0.0, 0.45)) as usize;
            cut..side - cut
        };
        let (columns, rows) = (inner(plane.width()), inner(plane.height()));
        let mut greys: Vec<f32> = rows.flat_map(|y| plane.row(y)[columns.clone()].iter().copied()).collect();
        let (low, high) = (percentile(&mut greys, self.low), percentile(&mut greys, self.high));
        Levels { low, high: low + self.headroom * (high - low) }
    }
}

impl Levels {
    /// `plane` with `low` at 0 and `high` at 255, what lies beyond cut off. An even image becomes 0.
    pub fn apply(&self, plane: &Plane) -> Plane {
        let span = self.high - self.low;
        let scale = if span > 0.0 { 255.0 / span } else { 0.0 };
        plane.map(|grey| ((grey - self.low) * scale).clamp(0.0, 255.0))
    }
}

/// The value below which `percent` of `values` lie (nearest rank); reorders them. 0 of no values.
fn percentile(values: &mut [f32], percent: f32) -> f32 {
    if values.is_empty() {
        return 0.0;
    }
    let rank = (f64::from(percent.clamp(0.0, 100.0)) / 100.0 * (values.len() - 1) as f64).round() as usize;
    *values.select_nth_unstable_by(rank, f32::total_cmp).1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_those_of_the_sorted_greys() {
        let mut greys: Vec<f32> = (0..101).rev().map(|g| g as f32).collect();
        assert_eq!(percentile(&mut greys, 0.0), 0.0);
        assert_eq!(percentile(&mut greys, 1.0), 1.0);
        assert_eq!(percentile(&mut greys, 99.0), 99.0);
        assert_eq!(percentile(&mut [], 50.0), 0.0);
    }

    #[test]
    fn a_dark_film_looks_like_a_bright_one_and_a_white_border_changes_nothing() {
        let film = Plane::from_fn(100, 100, |x, y| ((x * 7 + y * 13) % 97) as f32 / 97.0);
        let dark = film.map(|grey| 0.1 + 0.25 * grey);
        let framed =
            Plane::from_fn(
                100,
                100,
                |x, y| {
                    if x.min(y).min(99 - x).min(99 - y) < 15 { 1.0 } else { dark.at(x, y) }
                },
            );
        let window = Window::default();
        let normal = window.levels(&film).apply(&film);
        for other in [dark, framed] {
            let seen = window.levels(&other).apply(&other);
            for (a, b) in (20..80).flat_map(|y| seen.row(y)[20..80].iter().zip(&normal.row(y)[20..80])) {
                assert!((a - b).abs() < 1e-2, "{a} {b}");
            }
        }
    }

    #[test]
    fn an_even_image_is_black_and_not_a_number_never() {
        let even = Plane::filled(5, 5, 0.5);
        assert_eq!(Window::default().levels(&even).apply(&even), Plane::filled(5, 5, 0.0));
    }
}
