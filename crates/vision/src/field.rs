use crate::ground::{otsu, quantile};
use crate::hull::Hull;
use crate::morphology::erode;
use crate::{components, fill_holes};
use boneage_core::Plane;

/// Where in the frame a hand may lie, as row-major masks: the whole frame first, then every plate
/// that can be seen in it.
///
/// Collimation leaves a plate in a dark or a bright surround, upright or turned, with or without a
/// bright rim. A plate is a large object of either polarity whose outline runs along its own convex
/// hull; that of a hand does not, as its fingers leave gaps. Not in the paper, whose one pair of
/// thresholds takes the whole plate for the hand.
pub(crate) fn fields(grey: &Plane) -> Vec<Vec<bool>> {
    let (width, height) = (grey.width(), grey.height());
    let mut fields = vec![without_borders(grey)];
    let margin = field_margin(width, height);
    for threshold in thresholds(grey) {
        for bright in [true, false] {
            let mut side: Vec<bool> = grey.pixels().iter().map(|&g| (g > threshold) == bright).collect();
            if !bright {
                // Noise in a dark plate must not bridge to the dark beyond its rim.
                side = erode(&side, width, height, 1);
            }
            let (labels, mut found) = components(&side, width, height);
            found.retain(|object| object.area as f32 > SMALLEST * side.len() as f32);
            found.sort_by_key(|object| (std::cmp::Reverse(object.area), object.label));
            for object in found.iter().take(2) {
                let mut object = labels.is(object.label);
                fill_holes(&mut object, width, height);
                let hull = Hull::around(&object, width);
                let share = hull.area(height) as f32 / side.len() as f32;
                let followed = hull.followed_by(&object, width, height, margin);
                if share > LARGEST || followed.share < FOLLOWED || followed.widest_gap > WIDEST_GAP {
                    continue;
                }
                // The margin takes the plate's rim off; where the plate ends at the frame there is none.
                let field = erode(&hull.fill(width, height), width, height, margin);
                let apart = |other: &Vec<bool>| other.iter().zip(&field).filter(|(a, b)| a != b).count();
                let new = fields.iter().all(|other| apart(other) > field.len() / 33);
                if new && field.contains(&true) {
                    fields.push(field);
                }
            }
        }
    }
    fields
}

/// How far a field keeps from the edge of its plate, in cells.
pub(crate) fn field_margin(width: usize, height: usize) -> usize {
    (width.max(height) / 50).max(2)
}

/// Smallest share of the frame that may be a plate.
const SMALLEST: f32 = 0.08;

/// Largest share of the frame that counts as a plate within it.
const LARGEST: f32 = 0.96;

/// Share of its hull that a plate's outline follows at least.
const FOLLOWED: f32 = 0.7;

/// Widest gap in it, as a share of the hull's length: a wrist that leaves the plate, but not a hand that
/// the hull of a piece of the ground cuts in two.
const WIDEST_GAP: f32 = 0.17;

/// Grey levels that may part plate and surround: Otsu's, and Otsu's again on either side of it.
fn thresholds(grey: &Plane) -> Vec<f32> {
    let Some(middle) = otsu(grey.pixels()) else { return Vec::new() };
    let (below, above): (Vec<f32>, Vec<f32>) = grey.pixels().iter().partition(|&&g| g <= middle);
    [Some(middle), otsu(&below), otsu(&above)].into_iter().flatten().collect()
}

/// The frame without bright strips along its edges.
fn without_borders(grey: &Plane) -> Vec<bool> {
    let (width, height) = (grey.width(), grey.height());
    let Some(threshold) = otsu(grey.pixels()) else { return vec![true; width * height] };
    // A wrist that fills the lower edge leaves more than a quarter of it dark; a border does not.
    let bright = |line: Vec<f32>| quantile(line, 0.25) > threshold;
    let bright_row = |y: usize| bright(grey.row(y).to_vec());
    let bright_column = |x: usize| bright((0..height).map(|y| grey.at(x, y)).collect());
    let reach = |bright: &dyn Fn(usize) -> bool, lines: usize, far: bool| {
        let last = (0..lines / 8).rev().find(|&i| bright(if far { lines - 1 - i } else { i }));
        last.map_or(0, |last| last + 1 + (lines / 100).max(1))
    };
    let (top, bottom) = (reach(&bright_row, height, false), reach(&bright_row, height, true));
    let (left, right) = (reach(&bright_column, width, false), reach(&bright_column, width, true));
    let mut field = vec![false; width * height];
    for row in field.chunks_exact_mut(width.max(1)).take(height - bottom).skip(top) {
        row[left..width - right].fill(true);
    }
    field
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_turned_plate_is_a_field_and_a_plain_frame_has_one() {
        let plate = |x: usize, y: usize| {
            let (u, v) = (x as f32 - 60.0, y as f32 - 60.0);
            (0.9 * u + 0.3 * v).abs() < 40.0 && (0.9 * v - 0.3 * u).abs() < 40.0
        };
        for (inside, outside) in [(0.5, 0.05), (0.1, 0.9)] {
            let grey = Plane::from_fn(120, 120, |x, y| if plate(x, y) { inside } else { outside });
            let fields = fields(&grey);
            assert_eq!(fields.len(), 2);
            assert!(fields[1][60 * 120 + 60] && !fields[1][5 * 120 + 5]);
        }
        assert_eq!(fields(&Plane::filled(50, 40, 0.3)), [vec![true; 50 * 40]]);
        assert_eq!(fields(&Plane::filled(0, 0, 0.3)).len(), 1);
    }

    #[test]
    fn a_white_border_is_left_out() {
        let border = |x: usize, y: usize| x < 6 || y >= 95;
        let grey = Plane::from_fn(100, 100, |x, y| if border(x, y) { 1.0 } else { 0.1 + 0.001 * x as f32 });
        let frame = without_borders(&grey);
        assert!(!frame[50 * 100 + 5] && !frame[96 * 100 + 50] && frame[50 * 100 + 50] && frame[99]);
    }
}
