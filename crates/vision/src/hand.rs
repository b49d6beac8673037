use crate::ground::{Ground, otsu};
use crate::morphology::{dilate, erode};
use crate::{Bounds, Component, Labels, components, fill_holes, sobel, watershed};
use boneage_core::{Flag, FlagCode, Plane};
use serde::{Deserialize, Serialize};

/// How the hand is extracted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct HandRecipe {
    /// Longest side of the grid that the extraction works on, in cells; larger images are averaged
    /// over square blocks of pixels until they fit.
    pub longest_side: usize,
    /// Marker of the ground: grey above the smooth ground below this share of Otsu's threshold.
    pub ground_marker: f32,
    /// Marker of the hand: grey above the smooth ground beyond this share of Otsu's threshold.
    pub hand_marker: f32,
    /// Smallest share of the frame that may be a hand.
    pub smallest_area: f32,
    /// Largest share of the frame that may be a hand.
    pub largest_area: f32,
}

impl Default for HandRecipe {
    fn default() -> Self {
        HandRecipe {
            longest_side: 400,
            ground_marker: 0.35,
            hand_marker: 0.9,
            smallest_area: 0.02,
            largest_area: 0.8,
        }
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
    /// The hand: 1 inside, 0 outside, in source pixels; 1 everywhere when `failure` is set.
    pub mask: Plane,
    /// The source where the mask is 1, else 0.
    pub extracted: Plane,
    /// The smallest box around the mask, in source pixels.
    pub bounds: Bounds,
    /// Why no hand was found, when none was.
    pub failure: Option<Flag>,
}

/// Finds the hand in a radiograph with bright bones: Sobel gradient, markers from two thresholds,
/// watershed, hole filling, connected components; the largest plausible object is the hand.
///
/// `plane` may have any size and aspect. Where no plausible object is found, the mask is the whole
/// frame and `failure` says why.
pub fn extract_hand(plane: &Plane, recipe: &HandRecipe) -> HandExtraction {
    let (grey, cell) = shrink(plane, recipe.longest_side);
    let (width, height) = (grey.width(), grey.height());
    let gradient = sobel(&grey);
    let mut field = trim_borders(&grey);
    let mut attempt = Attempt::new(&grey, &gradient, &field, recipe);
    for _ in 0..2 {
        let Some(object) = attempt.object.as_ref() else { break };
        let share = object.iter().filter(|&&o| o).count() as f32 / (width * height) as f32;
        if share < 0.1 || rectangularity(object, width) < 0.86 {
            break;
        }
        field = erode(object, width, height, (width.max(height) / 60).max(2));
        attempt = Attempt::new(&grey, &gradient, &field, recipe);
    }

    let mut failure = None;
    let mask = match &attempt.object {
        Some(object) => {
            let share = object.iter().filter(|&&o| o).count() as f32 / (width * height) as f32;
            if !(recipe.smallest_area..=recipe.largest_area).contains(&share) {
                failure = Some(Flag::new(
                    FlagCode::HandNotFound,
                    format!(
                        "the largest object covers {:.0} % of the frame, too {} for a hand; the whole frame was used",
                        share * 100.0,
                        if share < 0.5 { "little" } else { "much" }
                    ),
                ));
            }
            enlarge(object, width, height, cell, plane)
        }
        None => {
            failure = Some(Flag::new(
                FlagCode::HandNotFound,
                "no object stands out from the ground; the whole frame was used",
            ));
            Plane::filled(plane.width(), plane.height(), 1.0)
        }
    };
    let mask = if failure.is_some() { Plane::filled(plane.width(), plane.height(), 1.0) } else { mask };
    let inside: Vec<bool> = mask.pixels().iter().map(|&m| m > 0.5).collect();
    let bounds = Bounds::of(&inside, plane.width()).unwrap_or(Bounds {
        left: 0,
        top: 0,
        right: plane.width(),
        bottom: plane.height(),
    });
    let extracted = plane.pixels().iter().zip(mask.pixels()).map(|(&p, &m)| p * m).collect();
    HandExtraction {
        cell,
        grey,
        gradient,
        markers: attempt.markers,
        watershed: attempt.watershed,
        objects: attempt.objects,
        components: attempt.components,
        extracted: Plane::new(plane.width(), plane.height(), extracted),
        mask,
        bounds,
        failure,
    }
}

/// One pass of the paper's steps inside a field.
struct Attempt {
    markers: Labels,
    watershed: Labels,
    objects: Labels,
    components: Vec<Component>,
    /// The largest object, cleaned of what hangs on by a thread.
    object: Option<Vec<bool>>,
}

impl Attempt {
    fn new(grey: &Plane, gradient: &Plane, field: &[bool], recipe: &HandRecipe) -> Attempt {
        let (width, height) = (grey.width(), grey.height());
        let ground = Ground::fit(grey.pixels(), field, width, height);
        let mut above = vec![0.0f32; width * height];
        for (y, above) in above.chunks_exact_mut(width.max(1)).enumerate() {
            for ((above, &grey), ground) in above.iter_mut().zip(grey.row(y)).zip(ground.row(y, width)) {
                *above = grey - ground;
            }
        }
        let mut inside: Vec<f32> = above.iter().zip(field).filter(|&(_, &f)| f).map(|(&a, _)| a).collect();
        inside.sort_unstable_by(f32::total_cmp);
        let top = inside.get(inside.len() * 98 / 100).copied().unwrap_or(0.0);
        for value in &mut inside {
            *value = value.min(top);
        }
        let threshold = otsu(&inside).unwrap_or(f32::MAX);
        let (low, high) = (threshold * recipe.ground_marker, threshold * recipe.hand_marker);
        let markers = above
            .iter()
            .zip(field)
            .map(|(&above, &field)| {
                if !field || above < low {
                    1
                } else if above > high {
                    2
                } else {
                    0
                }
            })
            .collect();
        let markers = Labels::new(width, height, markers);
        let watershed = watershed(gradient, &markers);
        let mut filled = watershed.is(2);
        fill_holes(&mut filled, width, height);
        let radius = (width.max(height) / 100).max(1);
        let opened = {
            let core = erode(&filled, width, height, radius);
            let (labels, found) = components(&core, width, height);
            match found.iter().max_by_key(|c| (c.area, std::cmp::Reverse(c.label))) {
                Some(largest) => {
                    let grown = dilate(&labels.is(largest.label), width, height, radius + 2);
                    Some(grown.iter().zip(&filled).map(|(&g, &f)| g && f).collect::<Vec<bool>>())
                }
                None => None,
            }
        };
        let (objects, found) = components(&filled, width, height);
        let object = opened.and_then(|opened| {
            let (labels, found) = components(&opened, width, height);
            found
                .iter()
                .max_by_key(|c| (c.area, std::cmp::Reverse(c.label)))
                .map(|largest| labels.is(largest.label))
        });
        Attempt { markers, watershed, objects, components: found, object }
    }
}

/// Averages square blocks of pixels until the longest side fits.
fn shrink(plane: &Plane, longest_side: usize) -> (Plane, usize) {
    let (width, height) = (plane.width(), plane.height());
    let cell = width.max(height).div_ceil(longest_side.max(1)).max(1);
    if cell == 1 {
        return (plane.clone(), 1);
    }
    let (columns, rows) = (width.div_ceil(cell), height.div_ceil(cell));
    let grid = Plane::from_fn(columns, rows, |cx, cy| {
        let xs = cx * cell..((cx + 1) * cell).min(width);
        let ys = cy * cell..((cy + 1) * cell).min(height);
        let count = (xs.len() * ys.len()) as f32;
        ys.map(|y| plane.row(y)[xs.clone()].iter().sum::<f32>()).sum::<f32>() / count
    });
    (grid, cell)
}

/// The mask of the grid in source pixels, its outline smoothed by interpolating between cells.
fn enlarge(object: &[bool], width: usize, height: usize, cell: usize, plane: &Plane) -> Plane {
    if cell == 1 {
        return Plane::new(width, height, object.iter().map(|&o| f32::from(u8::from(o))).collect());
    }
    let value = |x: usize, y: usize| f32::from(u8::from(object[y * width + x]));
    let split = |at: usize, cells: usize| {
        let position = ((at as f32 + 0.5) / cell as f32 - 0.5).clamp(0.0, (cells - 1) as f32);
        let low = position as usize;
        (low, (low + 1).min(cells - 1), position - low as f32)
    };
    Plane::from_fn(plane.width(), plane.height(), |x, y| {
        let ((x0, x1, fx), (y0, y1, fy)) = (split(x, width), split(y, height));
        let top = value(x0, y0) * (1.0 - fx) + value(x1, y0) * fx;
        let bottom = value(x0, y1) * (1.0 - fx) + value(x1, y1) * fx;
        if top * (1.0 - fy) + bottom * fy >= 0.5 { 1.0 } else { 0.0 }
    })
}

/// The frame without bright strips along its edges.
fn trim_borders(grey: &Plane) -> Vec<bool> {
    let (width, height) = (grey.width(), grey.height());
    let mut field = vec![true; width * height];
    let Some(threshold) = otsu(grey.pixels()) else { return field };
    let bright_row = |y: usize| quantile(grey.row(y).to_vec(), 0.25) > threshold;
    let bright_column = |x: usize| quantile((0..height).map(|y| grey.at(x, y)).collect(), 0.25) > threshold;
    let reach = |bright: &dyn Fn(usize) -> bool, lines: usize, far: bool| {
        let last = (0..lines / 8).rev().find(|&i| bright(if far { lines - 1 - i } else { i }));
        last.map_or(0, |last| last + 1 + (lines / 100).max(1))
    };
    let (top, bottom) = (reach(&bright_row, height, false), reach(&bright_row, height, true));
    let (left, right) = (reach(&bright_column, width, false), reach(&bright_column, width, true));
    for y in 0..height {
        for x in 0..width {
            field[y * width + x] = y >= top && y + bottom < height && x >= left && x + right < width;
        }
    }
    field
}

fn quantile(mut values: Vec<f32>, share: f64) -> f32 {
    if values.is_empty() {
        return 0.0;
    }
    let at = ((values.len() - 1) as f64 * share) as usize;
    *values.select_nth_unstable_by(at, f32::total_cmp).1
}

/// Share of its smallest turned box that an object fills: about 1 for a plate, 0.4 to 0.7 for a hand.
fn rectangularity(object: &[bool], width: usize) -> f32 {
    let mut rims: Vec<(f32, f32)> = Vec::new();
    for (y, row) in object.chunks_exact(width.max(1)).enumerate() {
        if let (Some(left), Some(right)) = (row.iter().position(|&o| o), row.iter().rposition(|&o| o)) {
            rims.extend([(left as f32, y as f32), (right as f32, y as f32)]);
        }
    }
    let area = object.iter().filter(|&&o| o).count() as f32;
    let smallest = (0..45)
        .map(|step| {
            let (sin, cos) = (step as f32 * 2.0).to_radians().sin_cos();
            let span = |along: (f32, f32)| {
                let (low, high) = rims.iter().fold((f32::INFINITY, f32::NEG_INFINITY), |(low, high), p| {
                    let at = p.0 * along.0 + p.1 * along.1;
                    (low.min(at), high.max(at))
                });
                high - low + 1.0
            };
            span((cos, sin)) * span((-sin, cos))
        })
        .fold(f32::INFINITY, f32::min);
    area / smallest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_the_frame_is_said_so() {
        for plane in [Plane::filled(0, 0, 0.0), Plane::filled(1, 1, 0.5), Plane::filled(64, 48, 0.2)] {
            let found = extract_hand(&plane, &HandRecipe::default());
            assert_eq!(found.failure.as_ref().map(|f| f.code), Some(FlagCode::HandNotFound));
            assert!(found.mask.pixels().iter().all(|&m| m == 1.0));
        }
    }

    #[test]
    fn an_object_is_found_at_every_size() {
        for scale in [1usize, 4, 9] {
            let plane = Plane::from_fn(120 * scale, 150 * scale, |x, y| {
                let (x, y) = (x / scale, y / scale);
                let finger = y > 20 && y < 80 && (x % 20) < 10 && (30..90).contains(&x);
                let palm = (80..150).contains(&y) && (35..85).contains(&x);
                if finger || palm { 0.7 } else { 0.1 }
            });
            let found = extract_hand(&plane, &HandRecipe::default());
            assert_eq!(found.failure, None);
            assert_eq!(found.mask.at(60 * scale, 120 * scale), 1.0);
            assert_eq!(found.mask.at(5 * scale, 5 * scale), 0.0);
        }
    }
}
