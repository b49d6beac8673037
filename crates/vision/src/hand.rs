use crate::search::{search, shrink};
use crate::steps::Steps;
use crate::{Bounds, Component, Labels, Plausibility, sobel};
use boneage_core::{Flag, FlagCode, Plane};
use serde::{Deserialize, Serialize};

/// How the hand is extracted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct HandRecipe {
    /// Longest side of the grid that the extraction works on, in cells; larger images are averaged
    /// over square blocks of pixels until they fit.
    pub longest_side: usize,
    /// Longest side of the coarser grid on which fields and thresholds are compared.
    pub search_side: usize,
    /// Least score of [`Plausibility`] that is taken for a hand.
    pub least_plausible: f32,
}

impl Default for HandRecipe {
    fn default() -> Self {
        HandRecipe { longest_side: 400, search_side: 200, least_plausible: 0.3 }
    }
}

/// The extraction with every step on the way (the paper's figure 3).
///
/// Steps are on the working grid, whose cells are `cell` x `cell` source pixels; `mask`, `extracted`
/// and `bounds` are in source pixels.
#[derive(Clone, Debug)]
pub struct HandExtraction {
    /// Source pixels along a side of a grid cell.
    pub cell: usize,
    /// Grey on the grid, 0..1.
    pub grey: Plane,
    /// Sobel gradient of `grey`.
    pub gradient: Plane,
    /// 0 undecided, 1 ground, 2 hand.
    pub markers: Labels,
    /// The flooded gradient: 1 ground, 2 hand.
    pub watershed: Labels,
    /// The objects of basin 2 after their holes were filled, numbered by a row scan.
    pub objects: Labels,
    /// Their sizes and boxes.
    pub components: Vec<Component>,
    /// How the object that was taken for the hand looks.
    pub plausibility: Plausibility,
    /// The hand: 1 inside, 0 outside, in source pixels; 1 everywhere when `failure` is set.
    pub mask: Plane,
    /// The source where the mask is 1, else 0.
    pub extracted: Plane,
    /// The smallest box around the mask, in source pixels.
    pub bounds: Bounds,
    /// Why no hand was found, when none was.
    pub failure: Option<Flag>,
}

/// Finds the hand in a radiograph with bright bones (the paper's section III.B): Sobel gradient,
/// markers from two thresholds, watershed, hole filling, connected components, the largest plausible
/// object.
///
/// The paper's thresholds are fixed. Here several pairs are tried in every field that the frame shows,
/// on a coarse grid, and the pair whose object looks most like a hand is used on the fine one; see
/// [`Plausibility`]. `plane` may have any size and aspect. Where no object is plausible, the mask is
/// the whole frame and `failure` says why.
pub fn extract_hand(plane: &Plane, recipe: &HandRecipe) -> HandExtraction {
    let (grey, cell) = shrink(plane, recipe.longest_side);
    let gradient = sobel(&grey);
    let (flat, rung) = search(&grey, recipe.search_side);
    let Steps { markers, watershed, objects, components, object } = Steps::new(&flat, &gradient, rung);
    let plausibility = Plausibility::of(&object, &flat, &gradient);
    let failure = refusal(&plausibility, recipe);
    let mask = match failure {
        None => enlarge(&object, &grey, cell, plane),
        Some(_) => Plane::filled(plane.width(), plane.height(), 1.0),
    };
    let inside: Vec<bool> = mask.pixels().iter().map(|&m| m > 0.5).collect();
    let frame = Bounds { left: 0, top: 0, right: plane.width(), bottom: plane.height() };
    let bounds = Bounds::of(&inside, plane.width()).unwrap_or(frame);
    let extracted = plane.pixels().iter().zip(mask.pixels()).map(|(&p, &m)| p * m).collect();
    HandExtraction {
        cell,
        grey,
        gradient,
        markers,
        watershed,
        objects,
        components,
        plausibility,
        extracted: Plane::new(plane.width(), plane.height(), extracted),
        mask,
        bounds,
        failure,
    }
}

/// Why the object is not taken for a hand.
fn refusal(looks: &Plausibility, recipe: &HandRecipe) -> Option<Flag> {
    let score = looks.score();
    if score >= recipe.least_plausible {
        return None;
    }
    let percent = looks.frame_share * 100.0;
    let reason = if looks.frame_share == 0.0 {
        "nothing stands out from the ground".to_owned()
    } else if looks.frame_share < 0.02 {
        format!("the largest object covers only {percent:.1} % of the frame")
    } else if looks.field_share > 0.6 {
        format!("the largest object covers {percent:.0} % of the frame")
    } else {
        format!("the largest object does not look like a hand (score {score:.2} of 1)")
    };
    Some(Flag::new(FlagCode::HandNotFound, format!("{reason}; the whole frame was used")))
}

/// The mask of the grid in the pixels of `plane`, its outline smoothed by interpolating between cells.
fn enlarge(object: &[bool], grid: &Plane, cell: usize, plane: &Plane) -> Plane {
    let (columns, rows) = (grid.width(), grid.height());
    let value = |x: usize, y: usize| f32::from(u8::from(object[y * columns + x]));
    let split = |at: usize, cells: usize| {
        let position = ((at as f32 + 0.5) / cell as f32 - 0.5).clamp(0.0, (cells - 1) as f32);
        let low = position as usize;
        (low, (low + 1).min(cells - 1), position - low as f32)
    };
    Plane::from_fn(plane.width(), plane.height(), |x, y| {
        let ((x0, x1, fx), (y0, y1, fy)) = (split(x, columns), split(y, rows));
        let top = value(x0, y0) * (1.0 - fx) + value(x1, y0) * fx;
        let bottom = value(x0, y1) * (1.0 - fx) + value(x1, y1) * fx;
        if top * (1.0 - fy) + bottom * fy >= 0.5 { 1.0 } else { 0.0 }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hand(x: usize, y: usize) -> bool {
        let finger = (20..80).contains(&y) && (35..85).contains(&x) && x % 14 < 9;
        finger || ((80..150).contains(&y) && (35..85).contains(&x))
    }

    #[test]
    fn nothing_in_the_frame_is_said_so() {
        for plane in [Plane::filled(0, 0, 0.0), Plane::filled(1, 1, 0.5), Plane::filled(64, 48, 0.2)] {
            let found = extract_hand(&plane, &HandRecipe::default());
            assert_eq!(found.failure.as_ref().map(|flag| flag.code), Some(FlagCode::HandNotFound));
            assert!(found.mask.pixels().iter().all(|&m| m == 1.0));
            assert_eq!(found.extracted, plane);
        }
    }

    #[test]
    fn a_hand_is_found_at_every_size() {
        for scale in [1usize, 4, 9] {
            let plane =
                Plane::from_fn(
                    120 * scale,
                    150 * scale,
                    |x, y| {
                        if hand(x / scale, y / scale) { 0.7 } else { 0.1 }
                    },
                );
            let found = extract_hand(&plane, &HandRecipe::default());
            assert_eq!(found.failure, None);
            let wrong = (0..150 * scale).flat_map(|y| (0..120 * scale).map(move |x| (x, y)));
            let wrong =
                wrong.filter(|&(x, y)| (found.mask.at(x, y) == 1.0) != hand(x / scale, y / scale)).count();
            assert!(wrong * 100 < 4 * plane.pixels().len(), "{wrong} of {}", plane.pixels().len());
            assert_eq!(found.bounds.bottom, 150 * scale);
        }
    }

    #[test]
    fn strange_greys_do_no_harm() {
        for odd in [f32::NAN, f32::INFINITY, -1e30] {
            let plane = Plane::from_fn(80, 90, |x, y| if (x + y) % 7 == 0 { odd } else { x as f32 / 80.0 });
            let found = extract_hand(&plane, &HandRecipe::default());
            assert_eq!(found.mask.pixels().len(), 80 * 90);
        }
    }
}
