use super::film::Film;
use super::theme::{MARGIN, NIGHT, WIDTH, sheet};
use crate::{AugmentRanges, Movement};
use boneage_core::{Affine, Plane};
use boneage_draw::{Drawing, Frame, grey_picture};
use boneage_vision::{Frame as Seen, Preprocess};

const COLUMNS: usize = 6;
const GAP: f64 = 12.0;
const CAPTION: f64 = 28.0;
const HEADING: f64 = 40.0;
/// Composed views that are shown.
const VIEWS: u32 = 6;

/// The paper's augmentation on one radiograph, as the network sees it under `preprocess`: each transform alone
/// at both ends of its range, then views in which all are composed, as training draws them from `seed`.
///
/// Transforms whose range is empty are left out.
pub fn augmentation(film: &Film, preprocess: &Preprocess, ranges: &AugmentRanges, seed: u64) -> Drawing {
    let seen = preprocess.frame(&film.plane);
    let alone = alone(&seen, ranges, preprocess.size, seed);
    let composed: Vec<Panel> = (1..=VIEWS)
        .map(|view| {
            let mut image = seen.augmented(&ranges.draw(seed, "sheet", view, preprocess.size));
            ranges.expose(seed, "sheet", view, &mut image);
            Panel { name: format!("view {view}"), image }
        })
        .collect();
    let side = (WIDTH - 2.0 * MARGIN - GAP * (COLUMNS - 1) as f64) / COLUMNS as f64;
    let height = |panels: &[Panel]| panels.len().div_ceil(COLUMNS) as f64 * (side + CAPTION);
    let body = 2.0 * HEADING + height(&alone) + height(&composed) - 16.0;
    let subtitle = format!(
        "as the network sees it, {0} \u{d7} {0} pixels; every view is one resampling, and beyond the frame its edge is repeated",
        preprocess.size
    );
    let (mut drawing, top) = sheet(NIGHT, WIDTH, body, "Augmentation", &subtitle);
    let next = grid(&mut drawing, top, side, "Each alone, at the ends of its range", &alone);
    grid(&mut drawing, next, side, "Composed, as training draws them", &composed);
    drawing
}

struct Panel {
    name: String,
    /// 0..255.
    image: Plane,
}

fn alone(seen: &Seen, ranges: &AugmentRanges, size: usize, seed: u64) -> Vec<Panel> {
    let still = Movement::default();
    let moved = |name: String, movement: Movement| Panel { name, image: seen.augmented(&movement.map(size)) };
    let mut panels = vec![Panel { name: "as it is".into(), image: seen.augmented(&Affine::IDENTITY) }];
    if ranges.flip {
        panels.push(moved("flipped".into(), Movement { flipped: true, ..still }));
    }
    for sign in [-1.0, 1.0] {
        let degrees = sign * ranges.rotation_degrees;
        if degrees != 0.0 {
            let name = format!("rotation {}\u{b0}", signed(degrees, 0));
            panels.push(moved(name, Movement { rotation_degrees: degrees, ..still }));
        }
    }
    for (axis, name) in ["width", "height"].into_iter().enumerate() {
        for sign in [-1.0, 1.0] {
            let mut shift = [0.0; 2];
            shift[axis] = sign * ranges.shift;
            if ranges.shift != 0.0 {
                panels.push(moved(
                    format!("{name} shift {}", signed(shift[axis], 2)),
                    Movement { shift, ..still },
                ));
            }
        }
    }
    for sign in [-1.0, 1.0] {
        let zoom = 1.0 + sign * ranges.zoom;
        if ranges.zoom != 0.0 {
            panels.push(moved(format!("zoom {zoom:.2}"), Movement { zoom: [zoom, zoom], ..still }));
        }
    }
    if ranges.zoom != 0.0 {
        let zoom = [1.0 - ranges.zoom, 1.0 + ranges.zoom];
        panels.push(moved(format!("zoom {:.2} by {:.2}", zoom[0], zoom[1]), Movement { zoom, ..still }));
    }
    if ranges.shear_degrees != 0.0 {
        let name = format!("shear {}\u{b0}", signed(ranges.shear_degrees, 2));
        panels.push(moved(name, Movement { shear_degrees: ranges.shear_degrees, ..still }));
    }
    for sign in [-1.0, 1.0] {
        if ranges.gamma != 0.0 {
            let exponent = (sign * ranges.gamma).exp();
            let image = seen.image().map(|grey| AugmentRanges::exposed(grey, exponent as f32));
            panels.push(Panel { name: format!("exposure {exponent:.2}"), image });
        }
    }
    if ranges.window != 0.0 {
        let image = AugmentRanges::windowed(&seen.image(), ranges.window, 1.0 - ranges.window);
        panels.push(Panel { name: format!("window, {:.0} % cut", 100.0 * ranges.window), image });
    }
    if ranges.blur != 0.0 {
        let image = AugmentRanges::blurred(&seen.image(), ranges.blur);
        panels.push(Panel { name: format!("blur of {} px", ranges.blur), image });
    }
    if ranges.noise != 0.0 {
        let only = AugmentRanges { noise: ranges.noise, ..AugmentRanges::NONE };
        let mut image = seen.image();
        only.expose(seed, "sheet", 0, &mut image);
        panels.push(Panel { name: format!("noise up to {:.0} greys", ranges.noise), image });
    }
    panels
}

/// `+0.15`, with a true minus.
fn signed(value: f64, digits: usize) -> String {
    format!("{value:+.digits$}").replace('-', "\u{2212}")
}

/// Draws the panels from `top` on and says where they end.
fn grid(drawing: &mut Drawing, top: f64, side: f64, heading: &str, panels: &[Panel]) -> f64 {
    drawing.words((MARGIN, top + 18.0), NIGHT.name(), heading);
    let first = top + HEADING - 8.0;
    for (i, panel) in panels.iter().enumerate() {
        let (column, row) = ((i % COLUMNS) as f64, (i / COLUMNS) as f64);
        let frame = Frame::new(MARGIN + column * (side + GAP), first + row * (side + CAPTION), side, side);
        drawing.picture(frame, grey_picture(&panel.image.map(|grey| grey / 255.0)));
        drawing.words((frame.x, frame.bottom() + 18.0), NIGHT.label(), &panel.name);
    }
    top + HEADING + panels.len().div_ceil(COLUMNS) as f64 * (side + CAPTION)
}
