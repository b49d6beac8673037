use crate::preprocess::{Crop, Fit, Preprocess};
use crate::{resize, warp};
use boneage_core::{Affine, Flag, FlagCode, Plane};

/// Width over height of the radiographs of which only the squashed version exists: the median of the 568
/// images whose true size is known.
const USUAL_ASPECT: f64 = 0.74;

/// One image under one recipe: its window, its hand, its crop, and the map between the network's pixels
/// and those of the file. Views are drawn from it, clean or augmented.
pub struct Frame {
    /// The canonical square, windowed to 0..255 and masked where the recipe says so.
    canonical: Plane,
    /// Network pixel -> canonical pixel.
    to_canonical: Affine,
    /// Canonical pixel -> source pixel.
    canonical_to_source: Affine,
    /// Side of the network's square.
    size: usize,
    /// 0 or 1, in source pixels.
    hand: Option<Plane>,
    flags: Vec<Flag>,
}

impl Frame {
    pub(crate) fn new(recipe: &Preprocess, source: &Plane) -> Frame {
        let side = recipe.canonical.size;
        let mut flags = Vec::new();
        if source.width().min(source.height()) < side {
            let (width, height) = (source.width(), source.height());
            flags.push(Flag::new(
                FlagCode::LowResolution,
                format!("the image is {width} x {height} pixels; the model learned from {side} x {side}"),
            ));
        }
        let squashed = resize(source, side, side, recipe.canonical.filter);
        let canonical = recipe.window.levels(&squashed).apply(&squashed);
        let hand: Option<Plane> = None;
        if recipe.mask || recipe.crop != Crop::None {
            flags.push(Flag::new(FlagCode::HandNotFound, "no hand was found; the whole frame was used"));
        }
        let seen = [0.0, 0.0, side as f64, side as f64];
        let aspect = true_aspect(source, side);
        Frame {
            canonical,
            to_canonical: network_to_canonical(seen, recipe.fit, aspect, recipe.size),
            canonical_to_source: Affine::grid((side, side), (source.width(), source.height())),
            size: recipe.size,
            hand,
            flags,
        }
    }

    /// The clean view: `size` x `size`, 0..255.
    pub fn image(&self) -> Plane {
        self.augmented(&Affine::IDENTITY)
    }

    /// An augmented view: pixel `p` shows what the clean view has at `augment(p)`, composed with the crop
    /// into one bilinear resampling. Beyond the frame its edge pixels are repeated.
    pub fn augmented(&self, augment: &Affine) -> Plane {
        warp(&self.canonical, &augment.then(self.to_canonical), self.size, self.size)
    }

    /// From a pixel of the clean view to the pixel of the source that it shows.
    pub fn to_source(&self) -> Affine {
        self.to_canonical.then(self.canonical_to_source)
    }

    /// The hand, 1 inside and 0 outside, in source pixels; `None` where none was found.
    pub fn hand(&self) -> Option<&Plane> {
        self.hand.as_ref()
    }

    /// What was noticed on the way.
    pub fn flags(&self) -> &[Flag] {
        &self.flags
    }
}

/// Width over height as the film was taken. A file that is the canonical square already was squashed
/// by somebody before, so the usual aspect is assumed.
fn true_aspect(source: &Plane, side: usize) -> f64 {
    if (source.width(), source.height()) == (side, side) {
        USUAL_ASPECT
    } else {
        source.width() as f64 / source.height() as f64
    }
}

/// Maps the network's square onto the box `[left, top, right, bottom]` (edges, pixel 0 begins at 0) of
/// the canonical square; to pad, the box is widened until it is square in true pixels.
fn network_to_canonical(seen: [f64; 4], fit: Fit, aspect: f64, size: usize) -> Affine {
    let [left, top, right, bottom] = seen;
    let (mut width, mut height) = (right - left, bottom - top);
    if fit == Fit::Pad {
        // One canonical column is `aspect` true rows wide.
        let true_side = (width * aspect).max(height);
        (width, height) = (true_side / aspect, true_side);
    }
    let (x, y) = ((left + right - width) / 2.0, (top + bottom - height) / 2.0);
    let (sx, sy) = (width / size as f64, height / size as f64);
    Affine { rows: [sx, 0.0, x + 0.5 * sx - 0.5, 0.0, sy, y + 0.5 * sy - 0.5] }
}
