use crate::ground::Flattened;
use crate::morphology::{dilate, erode};
use crate::{Component, Labels, components, fill_holes, watershed};
use boneage_core::Plane;

/// Two grey levels above the ground, as shares of Otsu's threshold: below the first is ground, above
/// the second is hand, and between them the watershed decides.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Rung {
    pub(crate) ground: f32,
    pub(crate) hand: f32,
}

/// The paper's steps, once through: markers, watershed, filled holes, objects, the largest of them.
pub(crate) struct Steps {
    /// 0 undecided, 1 ground, 2 hand.
    pub(crate) markers: Labels,
    /// 1 ground, 2 hand.
    pub(crate) watershed: Labels,
    /// Objects of basin 2, holes filled but for those too large to be a hand's.
    pub(crate) objects: Labels,
    /// Their sizes and boxes.
    pub(crate) components: Vec<Component>,
    /// The largest object, a row-major mask; without a pixel where there is none.
    pub(crate) object: Vec<bool>,
}

impl Steps {
    /// Over `gradient`, with the markers that `flat` and `rung` give.
    pub(crate) fn new(flat: &Flattened, gradient: &Plane, rung: Rung) -> Steps {
        let (width, height) = (flat.width(), flat.height());
        let (low, high) = (flat.threshold() * rung.ground, flat.threshold() * rung.hand);
        let marker = |(&above, &field): (&f32, &bool)| match above {
            _ if !field => 1,
            above if above < low => 1,
            above if above > high => 2,
            _ => 0,
        };
        let markers = flat.above().iter().zip(flat.field()).map(marker).collect();
        let markers = Labels::new(width, height, markers);
        let watershed = watershed(gradient, &markers);
        let filled = with_holes_filled(&watershed.is(2), width, height);
        let (objects, components) = components(&filled, width, height);
        let object = largest(&filled, width, height);
        Steps { markers, watershed, objects, components, object }
    }
}

/// The object that one threshold, half way between a rung's two, would give without the watershed:
/// what the search compares rungs by, at a tenth of the cost.
pub(crate) fn quick_object(flat: &Flattened, rung: Rung) -> Vec<bool> {
    let (width, height) = (flat.width(), flat.height());
    let threshold = flat.threshold() * 0.5 * (rung.ground + rung.hand);
    let bright = |(&above, &field): (&f32, &bool)| field && above > threshold;
    let mask: Vec<bool> = flat.above().iter().zip(flat.field()).map(bright).collect();
    largest(&with_holes_filled(&mask, width, height), width, height)
}

/// Largest share of the frame that is filled as a hole. A bright line along the frame closes into a ring
/// with the wrist, and all that lies within it is no hole of a hand.
const LARGEST_HOLE: f32 = 0.03;

/// The mask with its holes filled, but for those that are too large to be a hand's.
fn with_holes_filled(mask: &[bool], width: usize, height: usize) -> Vec<bool> {
    let mut filled = mask.to_vec();
    fill_holes(&mut filled, width, height);
    let holes: Vec<bool> = filled.iter().zip(mask).map(|(&filled, &mask)| filled && !mask).collect();
    let (labels, found) = components(&holes, width, height);
    let most = LARGEST_HOLE * mask.len() as f32;
    if found.iter().any(|hole| hole.area as f32 > most) {
        for (filled, &label) in filled.iter_mut().zip(labels.values()) {
            *filled &= label == 0 || found[label as usize - 1].area as f32 <= most;
        }
    }
    filled
}

/// The largest object, without what hangs on it by a thread: a plate's rim, a letter of lead.
///
/// The mask is opened (eroded, the largest core kept, grown back within the mask) rather than taken
/// as it is; the core grows back a little further than it shrank, so that fingertips stay whole.
fn largest(mask: &[bool], width: usize, height: usize) -> Vec<bool> {
    let radius = (width.max(height) / 100).max(1);
    let core = keep_largest(&erode(mask, width, height, radius), width, height);
    let grown = dilate(&core, width, height, radius + 2);
    let within: Vec<bool> = grown.iter().zip(mask).map(|(&grown, &mask)| grown && mask).collect();
    keep_largest(&within, width, height)
}

fn keep_largest(mask: &[bool], width: usize, height: usize) -> Vec<bool> {
    let (labels, found) = components(mask, width, height);
    match found.iter().max_by_key(|object| (object.area, std::cmp::Reverse(object.label))) {
        Some(object) => labels.is(object.label),
        None => vec![false; mask.len()],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_along_the_frame_does_not_make_the_frame_a_hole() {
        let (width, height) = (100, 100);
        let ring = |x: usize, y: usize| x == 0 || y == 0 || x == 99 || y == 99;
        let hand =
            |x: usize, y: usize| (30..70).contains(&x) && y > 30 && !((45..50).contains(&x) && y == 60);
        let mask: Vec<bool> =
            (0..width * height).map(|i| ring(i % 100, i / 100) || hand(i % 100, i / 100)).collect();
        let filled = with_holes_filled(&mask, width, height);
        assert!(filled[60 * width + 47], "a hole of the hand is filled");
        assert!(!filled[50 * width + 10], "the ground is not");
    }

    #[test]
    fn a_letter_on_a_thread_is_let_go_and_a_finger_stays() {
        let (width, height) = (100, 100);
        let hand = |x: usize, y: usize| (20..60).contains(&x) && y >= 50;
        let finger = |x: usize, y: usize| (30..37).contains(&x) && (10..50).contains(&y);
        let thread = |x: usize, y: usize| y == 80 && (60..75).contains(&x);
        let letter = |x: usize, y: usize| (75..90).contains(&x) && (70..90).contains(&y);
        let mask: Vec<bool> = (0..width * height)
            .map(|i| (i % width, i / width))
            .map(|(x, y)| hand(x, y) || finger(x, y) || thread(x, y) || letter(x, y))
            .collect();
        let object = largest(&mask, width, height);
        assert!(object[99 * width + 40] && object[11 * width + 33] && !object[80 * width + 80]);
    }
}
