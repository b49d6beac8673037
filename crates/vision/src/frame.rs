use crate::edges::soft_edges;
use crate::polarity::{is_inverted, polarity_score};
use crate::preprocess::{Crop, Fit, Preprocess};
use crate::squash::squash;
use crate::{HandExtraction, HandRecipe, Levels, extract_hand, warp};
use boneage_core::{Affine, Flag, FlagCode, Plane};
use std::sync::OnceLock;

/// Width over height of the radiographs of which only the squashed version exists: the median of the 568
/// images whose true size is known.
const USUAL_ASPECT: f64 = 0.74;

/// An image whose levels hold fewer greys than this has next to no contrast. The faintest of the 12,611
/// training images hold 14.
const LEAST_GREYS: usize = 10;

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
    /// Width and height of the source.
    source: (usize, usize),
    /// Found when first asked for, as it takes as long as all the rest.
    hand: OnceLock<Hand>,
    /// The canonical square before its window, and how to find the hand in it.
    search: (Plane, HandRecipe),
    flags: Vec<Flag>,
}

/// What the extraction found.
struct Hand {
    /// 0 or 1, in source pixels.
    mask: Option<Plane>,
    failure: Option<Flag>,
    /// Area of the second largest object over that of the largest.
    rival: f32,
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
        let mut squashed = squash(source, &recipe.canonical);
        let mut levels = recipe.window.levels(&squashed);
        if too_few_greys(source, &levels) {
            let message = format!(
                "the image has next to no contrast: fewer than {LEAST_GREYS} greys where the hand should be"
            );
            flags.push(Flag::new(FlagCode::LowContrast, message));
        }
        if recipe.settle_polarity && is_inverted(&squashed) {
            // About 0.5 rather than within the image's own greys: what black and white are is settled next.
            squashed = squashed.map(|grey| 1.0 - grey);
            levels = recipe.window.levels(&squashed);
            let message = "the bones were dark on a bright ground; the image was inverted";
            flags.push(Flag::new(FlagCode::PolarityInverted, message));
        }
        let mut canonical = levels.apply(&squashed);

        let mut seen = [0.0, 0.0, side as f64, side as f64];
        let size_of_source = (source.width(), source.height());
        let hand = OnceLock::new();
        if recipe.mask || recipe.crop != Crop::None {
            let extraction = extract_hand(&squashed, &recipe.hand);
            if let Some(flag) = &extraction.failure {
                flags.push(flag.clone());
            } else {
                if let Crop::Hand { margin } = recipe.crop {
                    seen = soft_edges(&extraction.mask).map_or(seen, |edges| widened(edges, margin, side));
                }
                if recipe.mask {
                    let inside = extraction.mask.pixels();
                    canonical.pixels_mut().iter_mut().zip(inside).for_each(|(grey, inside)| *grey *= inside);
                }
            }
            let _ = hand.set(Hand::of(extraction, size_of_source));
        }
        Frame {
            canonical,
            to_canonical: network_to_canonical(seen, recipe.fit, true_aspect(source, side), recipe.size),
            canonical_to_source: Affine::grid((side, side), size_of_source),
            size: recipe.size,
            source: size_of_source,
            hand,
            search: (squashed, recipe.hand.clone()),
            flags,
        }
    }

    /// Which way the greys lie, by [`polarity_score`] of the canonical square as the model saw it: positive where bones
    /// are bright.
    pub fn polarity(&self) -> f32 {
        polarity_score(&self.search.0)
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

    /// The hand, 1 inside and 0 outside, in source pixels; `None` where none was found. The first call may
    /// search for it.
    pub fn hand(&self) -> Option<&Plane> {
        self.found().mask.as_ref()
    }

    /// Why no hand was found, where none was. It is among [`flags`](Frame::flags) only where the recipe
    /// masks or crops; elsewhere the image is read the same with and without a hand.
    pub fn hand_failure(&self) -> Option<&Flag> {
        self.found().failure.as_ref()
    }

    /// How large the second largest object is, as a share of the largest: near 1 for two hands side by side. The
    /// first call may search for them.
    pub fn rival(&self) -> f32 {
        self.found().rival
    }

    fn found(&self) -> &Hand {
        self.hand.get_or_init(|| {
            let (squashed, recipe) = &self.search;
            Hand::of(extract_hand(squashed, recipe), self.source)
        })
    }

    /// What was noticed on the way.
    pub fn flags(&self) -> &[Flag] {
        &self.flags
    }
}

impl Hand {
    /// The extraction's mask in source pixels, each taking the canonical pixel it lies in.
    fn of(extraction: HandExtraction, (width, height): (usize, usize)) -> Hand {
        let HandExtraction { mask, failure, components, .. } = extraction;
        let mut areas: Vec<usize> = components.iter().map(|component| component.area).collect();
        areas.sort_unstable_by(|a, b| b.cmp(a));
        let rival = if let [largest, second, ..] = areas[..] { second as f32 / largest as f32 } else { 0.0 };
        let mask = match &failure {
            Some(_) => None,
            None if (mask.width(), mask.height()) == (width, height) => Some(mask),
            None => Some(Plane::from_fn(width, height, |x, y| {
                mask.at(x * mask.width() / width, y * mask.height() / height)
            })),
        };
        Hand { mask, failure, rival }
    }
}

/// True where the levels span a handful of greys at most. A wide span is never that; a narrow one may
/// still be rich in a 16 bit file that uses the lower bits, so its greys are counted.
fn too_few_greys(source: &Plane, levels: &Levels) -> bool {
    if levels.high - levels.low >= LEAST_GREYS as f32 / 255.0 {
        return false;
    }
    let mut seen = Vec::with_capacity(LEAST_GREYS);
    for &grey in source.pixels() {
        if (levels.low..=levels.high).contains(&grey) && !seen.contains(&grey) {
            seen.push(grey);
            if seen.len() >= LEAST_GREYS {
                return false;
            }
        }
    }
    true
}

/// A box `[left, top, right, bottom]` with `margin` of its width and height added on each side, cut at
/// the canonical square.
fn widened([left, top, right, bottom]: [f64; 4], margin: f32, side: usize) -> [f64; 4] {
    let (x, y) = (f64::from(margin) * (right - left), f64::from(margin) * (bottom - top));
    let end = side as f64;
    [(left - x).max(0.0), (top - y).max(0.0), (right + x).min(end), (bottom + y).min(end)]
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Canonical;
    use crate::{Preprocess, Window};

    /// A bright disc with two gaps like those between fingers, and texture, on a dark ground.
    fn film(width: usize, height: usize) -> Plane {
        Plane::from_fn(width, height, |x, y| {
            let (u, v) = (x as f32 / width as f32 - 0.5, y as f32 / height as f32 - 0.5);
            let texture = 0.1 * ((u * 60.0).sin() * (v * 50.0).cos());
            let gap = v < 0.0 && (u.abs() - 0.1).abs() < 0.03;
            if u * u + v * v < 0.09 && !gap { 0.6 + texture } else { 0.1 + 0.02 * v }
        })
    }

    fn code(frame: &Frame) -> Vec<FlagCode> {
        frame.flags().iter().map(|flag| flag.code).collect()
    }

    fn largest_difference(a: &Plane, b: &Plane) -> f32 {
        a.pixels().iter().zip(b.pixels()).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
    }

    #[test]
    fn a_canonical_image_is_only_windowed() {
        let image = film(299, 299);
        let recipe = Preprocess { size: 299, ..Preprocess::default() };
        let frame = recipe.frame(&image);
        assert_eq!(frame.image(), recipe.window.levels(&image).apply(&image));
        assert_eq!(frame.to_source(), Affine::IDENTITY);
        assert!(frame.flags().is_empty(), "{:?}", frame.flags());
    }

    #[test]
    fn a_dark_film_a_print_and_a_large_file_look_alike() {
        // Without JPEG, whose losses differ between a film and its negative.
        let canonical = Canonical { jpeg_quality: None, ..Canonical::default() };
        let recipe = Preprocess { canonical, ..Preprocess::default() };
        let normal = recipe.frame(&film(600, 800)).image();
        let dark = recipe.frame(&film(600, 800).map(|g| 0.3 * g));
        assert!(largest_difference(&dark.image(), &normal) < 0.1);
        let print = recipe.frame(&film(600, 800).map(|g| 1.0 - g));
        assert!(largest_difference(&print.image(), &normal) < 0.1);
        assert_eq!(code(&print), [FlagCode::PolarityInverted]);
        let large = recipe.frame(&film(1200, 1600)).image();
        let mean = |p: &Plane| p.pixels().iter().sum::<f32>() / p.pixels().len() as f32;
        assert!((mean(&large) - mean(&normal)).abs() < 1.0);
    }

    #[test]
    fn a_dark_film_goes_through_the_same_jpeg_as_a_bright_one() {
        let recipe = Preprocess::default();
        let (normal, dark) = (recipe.frame(&film(600, 800)), recipe.frame(&film(600, 800).map(|g| 0.3 * g)));
        assert!(largest_difference(&dark.image(), &normal.image()) < 0.1);
    }

    #[test]
    fn an_augmented_view_is_the_clean_one_moved() {
        let frame = Preprocess { size: 299, ..Preprocess::default() }.frame(&film(299, 299));
        let (clean, moved) = (frame.image(), frame.augmented(&Affine::translation(5.0, -3.0)));
        assert_eq!(moved.at(100, 100), clean.at(105, 97));
        assert_eq!(frame.augmented(&Affine::IDENTITY), clean);
    }

    #[test]
    fn the_crop_shows_the_hand_and_leads_back_to_the_file() {
        let recipe = Preprocess { crop: Crop::Hand { margin: 0.0 }, mask: true, ..Preprocess::default() };
        let source = film(600, 800);
        let frame = recipe.frame(&source);
        let hand = frame.hand().expect("a disc is found");
        assert_eq!((hand.width(), hand.height()), (600, 800));
        assert!(hand.at(300, 400) == 1.0 && hand.at(5, 5) == 0.0);
        // The disc has a radius of 0.3 of the frame: its left edge lies at 0.2 of 600.
        let (left, _) = frame.to_source().apply(-0.5, 128.0);
        assert!((left - 120.0).abs() < 12.0, "{left}");
        let corner = frame.image().at(2, 2);
        assert_eq!(corner, 0.0, "outside the mask is black");
    }

    #[test]
    fn a_second_hand_is_a_rival_and_a_letter_is_none() {
        let recipe = Preprocess { crop: Crop::Hand { margin: 0.0 }, ..Preprocess::default() };
        let one = film(400, 500);
        assert!(recipe.frame(&one).rival() < 0.1);
        let two = Plane::from_fn(800, 500, |x, y| one.at(x % 400, y));
        assert!(recipe.frame(&two).rival() > 0.8, "{}", recipe.frame(&two).rival());
    }

    #[test]
    fn padding_keeps_the_true_aspect() {
        let recipe = Preprocess { fit: Fit::Pad, ..Preprocess::default() };
        let [a, _, _, _, e, _] = recipe.frame(&film(600, 800)).to_source().rows;
        assert!((a - e).abs() < 1e-9 && (e - 800.0 / 256.0).abs() < 1e-9, "square pixels: {a} {e}");
        let [a, _, _, _, e, _] = recipe.frame(&film(299, 299)).to_source().rows;
        assert!((a * USUAL_ASPECT - e).abs() < 1e-9, "the usual aspect is assumed of a squashed image");
    }

    #[test]
    fn what_cannot_be_seen_is_said() {
        let even = Preprocess::default().frame(&Plane::filled(64, 64, 0.5));
        let codes = code(&even);
        assert!(codes.contains(&FlagCode::LowContrast) && codes.contains(&FlagCode::LowResolution));
        assert!(even.hand().is_none() && even.hand_failure().is_some());
        assert!(!codes.contains(&FlagCode::HandNotFound), "nothing depends on it");
        let cropped = Preprocess { crop: Crop::Hand { margin: 0.1 }, ..Preprocess::default() };
        assert!(code(&cropped.frame(&Plane::filled(64, 64, 0.5))).contains(&FlagCode::HandNotFound));
        let faint = |bits: f32| film(400, 400).map(|g| (g * bits).round() / bits * 0.02);
        assert!(code(&Preprocess::default().frame(&faint(255.0))).is_empty(), "16 bit, few of them used");
        assert_eq!(code(&Preprocess::default().frame(&faint(8.0)))[0], FlagCode::LowContrast);
    }

    #[test]
    fn the_thread_count_changes_nothing() {
        let recipe = Preprocess { mask: true, window: Window::default(), ..Preprocess::default() };
        let view = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| recipe.frame(&film(700, 900)).augmented(&Affine::rotation(0.05)))
        };
        assert_eq!(view(1), view(3));
    }
}
