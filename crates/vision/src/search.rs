use crate::Plausibility;
use crate::field::fields;
use crate::ground::Flattened;
use crate::sobel;
use crate::steps::{Rung, quick_object};
use boneage_core::Plane;

/// Pairs of thresholds to try, from faint soft tissue to bone alone. Not in the paper, which names one
/// fixed pair; no single pair serves a dark film and a grey plate alike.
pub(crate) const LADDER: [Rung; 7] = [
    Rung { ground: 0.06, hand: 0.12 },
    Rung { ground: 0.12, hand: 0.25 },
    Rung { ground: 0.2, hand: 0.4 },
    Rung { ground: 0.27, hand: 0.55 },
    Rung { ground: 0.35, hand: 0.7 },
    Rung { ground: 0.42, hand: 0.85 },
    Rung { ground: 0.5, hand: 1.0 },
];

/// How much a pair loses for each unit of its lower threshold: of two outlines that look alike, the one
/// through the fainter grey holds more of the fingertips.
const FAINT: f32 = 0.15;

/// The field and the pair of thresholds whose object looks most like a hand, tried on a coarse grid of
/// at most `side` cells; returns the field of `grey` with its ground taken off.
pub(crate) fn search(grey: &Plane, side: usize) -> (Flattened, Rung) {
    let (coarse, factor) = shrink(grey, side);
    let gradient = sobel(&coarse);
    let (mut best, mut chosen, mut rung) = (f32::NEG_INFINITY, Vec::new(), LADDER[0]);
    for field in fields(&coarse) {
        let flat = Flattened::new(&coarse, field);
        for candidate in LADDER {
            let object = quick_object(&flat, candidate);
            let looks = Plausibility::of(&object, &flat, &gradient);
            let score = looks.score() * (1.0 - FAINT * candidate.ground);
            if score > best {
                (best, rung) = (score, candidate);
                chosen = flat.field().to_vec();
            }
        }
    }
    let columns = coarse.width();
    let field = (0..grey.height())
        .flat_map(|y| (0..grey.width()).map(move |x| (x, y)))
        .map(|(x, y)| chosen[y / factor * columns + x / factor])
        .collect();
    (Flattened::new(grey, field), rung)
}

/// Averages square blocks of pixels until the longest side fits; returns the blocks' side too.
pub(crate) fn shrink(plane: &Plane, longest_side: usize) -> (Plane, usize) {
    let (width, height) = (plane.width(), plane.height());
    let cell = width.max(height).div_ceil(longest_side.max(1)).max(1);
    if cell == 1 {
        return (plane.clone(), 1);
    }
    let grid = Plane::from_fn(width.div_ceil(cell), height.div_ceil(cell), |column, row| {
        let xs = column * cell..((column + 1) * cell).min(width);
        let ys = row * cell..((row + 1) * cell).min(height);
        let count = (xs.len() * ys.len()) as f32;
        ys.map(|y| plane.row(y)[xs.clone()].iter().sum::<f32>()).sum::<f32>() / count
    });
    (grid, cell)
}
