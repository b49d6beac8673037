//! Fits the guard of a model, and measures it on kinds of images that it was not fitted on.

mod fit;
mod ridge;

use crate::dataset::decoded;
use crate::{LabError, Progress, Radiograph};
use boneage_assess::{Guard, Predictor, Traits};
use boneage_core::{Plane, stream};
use boneage_vision::{Filter, resize, turned};
use fit::{SeenHand, against, of_hands};
use serde::Serialize;
use std::path::{Path, PathBuf};

/// How a guard came out.
#[derive(Clone, Debug, Serialize)]
pub struct GuardReport {
    /// Share of hands that are refused by a judge who does not know them; the refusal's limits were chosen on them.
    pub hands_refused: f64,
    /// The kinds of other images by name; each was judged by a guard that was fitted without it.
    pub kinds: Vec<KindReport>,
    /// Median and 95th percentile of the error of the turn, in degrees, over hands that were turned at random
    /// and took no part in the fit.
    pub turn_error: [f32; 2],
    /// The same over hands that were turned by 45 degrees at most.
    pub tilt_error: [f32; 2],
    /// Shares of left and of right hands, which took no part in the fit either, that are taken for what they are.
    pub sides_told: [f64; 2],
}

/// How the images of one kind fared.
#[derive(Clone, Debug, Serialize)]
pub struct KindReport {
    /// The folder's name.
    pub name: String,
    /// Whether the guard in the model was fitted on it.
    pub fitted: bool,
    /// Images that could be read.
    pub images: usize,
    /// How many of them were refused.
    pub refused: usize,
    /// How many were not and got the flag of an unusual image.
    pub unusual: usize,
    /// Names of those that got neither.
    pub passed: Vec<String>,
}

/// An image that is no hand.
struct Other {
    kind: usize,
    name: String,
    /// As it lies, and turned as a guard would turn it.
    views: Vec<Traits>,
}

/// Width over height of a film whose squashed version alone exists: the median of those whose size is known.
const USUAL_ASPECT: f64 = 0.74;

/// Every how many-th hand is also seen mirrored.
const MIRRORED_EVERY: usize = 2;

/// Fits a guard for `predictor`'s model on `hands`, left ones and upright, and on the images of `others`, whose
/// folders each hold one kind. Kinds of `not_fitted` are judged only. Deterministic.
///
/// # Errors
/// When `others` cannot be read or holds no folder of images, there are fewer than 50 hands, or the model is a
/// regression.
pub fn fit_guard(
    predictor: &Predictor,
    hands: &[&Radiograph],
    others: &Path,
    not_fitted: &[String],
) -> Result<(Guard, GuardReport), LabError> {
    if predictor.manifest().backbone().is_none() {
        let name = &predictor.name().name;
        return Err(LabError::Data(format!(
            "{name} is a regression, which leaves a guard no maps to look at"
        )));
    }
    let kinds = kinds(others)?;
    if let Some(unknown) = not_fitted.iter().find(|name| kinds.iter().all(|(kind, _)| kind != *name)) {
        return Err(LabError::Data(format!("{} holds no folder {unknown}", others.display())));
    }
    let seen = see_hands(predictor, hands)?;
    if seen.len() < 50 {
        return Err(LabError::Data(format!("a guard needs at least 50 hands, here are {}", seen.len())));
    }
    // The turn is learned from hands alone: the others are turned by what it will say of them.
    let turning = of_hands(&seen)?;
    let others = see_others(predictor, &turning, &kinds);
    let fitted = |kind: usize| !not_fitted.contains(&kinds[kind].0);
    let views = |without: Option<usize>| -> Vec<&Traits> {
        let fits = |other: &&Other| fitted(other.kind) && Some(other.kind) != without;
        others.iter().filter(fits).flat_map(|other| &other.views).collect()
    };
    let mut reports = Vec::with_capacity(kinds.len());
    for (kind, (name, _)) in kinds.iter().enumerate() {
        let judge = against(&turning, &seen, &views(Some(kind)));
        let of_kind = others.iter().filter(|other| other.kind == kind);
        let mut report = KindReport {
            name: name.clone(),
            fitted: fitted(kind),
            images: 0,
            refused: 0,
            unusual: 0,
            passed: Vec::new(),
        };
        for other in of_kind {
            report.images += 1;
            let likest = other.views.iter().max_by(|a, b| judge.likeness(a).total_cmp(&judge.likeness(b)));
            let Some(view) = likest else { continue };
            if judge.refuses(view) {
                report.refused += 1;
            } else if judge.strangeness(view) > judge.doubtful_strangeness {
                report.unusual += 1;
            } else {
                report.passed.push(other.name.clone());
            }
        }
        reports.push(report);
    }
    let guard = against(&turning, &seen, &views(None));
    Ok((guard, on_strange_hands(&seen, &views(None), reports)?))
}

/// How the second half of the hands fares by a guard of the first, beside how the kinds fared.
fn on_strange_hands(
    seen: &[SeenHand],
    others: &[&Traits],
    kinds: Vec<KindReport>,
) -> Result<GuardReport, LabError> {
    let (known, strange) = seen.split_at(seen.len() / 2);
    let guard = against(&of_hands(known)?, known, others);
    let errors = |of: fn(&SeenHand) -> &(f32, Traits)| {
        let errors = strange.iter().map(of).map(|(degrees, traits)| {
            let off = guard.turn(traits) - degrees;
            ((off + 180.0).rem_euclid(360.0) - 180.0).abs()
        });
        let mut errors: Vec<f32> = errors.collect();
        errors.sort_by(f32::total_cmp);
        [0.5, 0.95].map(|share| errors[((errors.len() - 1) as f64 * share) as usize])
    };
    let share = |told: Vec<bool>| told.iter().filter(|&&told| told).count() as f64 / told.len() as f64;
    let is_right = |traits: &Traits| guard.mirrored(traits) > guard.least_mirrored;
    let mirrored = strange.iter().filter_map(|hand| hand.mirrored.as_ref());
    Ok(GuardReport {
        hands_refused: share(strange.iter().map(|hand| guard.refuses(&hand.upright)).collect()),
        kinds,
        turn_error: errors(|hand| &hand.turned),
        tilt_error: errors(|hand| &hand.tilted),
        sides_told: [
            share(strange.iter().map(|hand| !is_right(&hand.upright)).collect()),
            share(mirrored.map(is_right).collect()),
        ],
    })
}

fn see_hands(predictor: &Predictor, hands: &[&Radiograph]) -> Result<Vec<SeenHand>, LabError> {
    let mut progress = Progress::new("seeing hands", hands.len());
    let mut seen = Vec::with_capacity(hands.len());
    for (index, hand) in hands.iter().enumerate() {
        let say = |reason| LabError::Data(format!("{}: {reason}", hand.path.display()));
        let plane = hand.decoded().map_err(say)?.plane;
        let see = |plane: &Plane| predictor.read_as_it_lies(plane, None).traits;
        let mirror = plane.mirrored();
        let mut random = stream(1, &["guard", &hand.id]);
        let degrees = random.uniform(-180.0, 180.0);
        let few = random.uniform(-1.0, 1.0) * f64::from(Guard::SLIGHT);
        // A right hand must be set upright as well.
        let lying = as_taken(if index % 4 == 0 { &mirror } else { &plane });
        seen.push(SeenHand {
            upright: see(&plane),
            mirrored: (index % MIRRORED_EVERY == 0).then(|| see(&mirror)),
            turned: (degrees as f32, see(&turned(&lying, degrees).plane)),
            tilted: (few as f32, see(&turned(&lying, few).plane)),
        });
        progress.advance(1);
    }
    Ok(seen)
}

/// The film in about the proportions that it was taken in, where it comes as the data set's square: a turn of a
/// squashed hand is another one.
fn as_taken(plane: &Plane) -> Plane {
    let (width, height) = (plane.width(), plane.height());
    if width != height {
        return plane.clone();
    }
    let taller = (height as f64 / USUAL_ASPECT).round() as usize;
    resize(plane, width, taller, Filter::Triangle)
}

fn see_others(predictor: &Predictor, turning: &Guard, kinds: &[(String, Vec<PathBuf>)]) -> Vec<Other> {
    let mut progress = Progress::new("seeing other images", kinds.iter().map(|(_, files)| files.len()).sum());
    let mut others = Vec::new();
    for (kind, (_, files)) in kinds.iter().enumerate() {
        for path in files {
            progress.advance(1);
            // What is no image is refused before any guard sees it.
            let Ok(plane) = decoded(path).map(|decoded| decoded.plane) else { continue };
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let first = predictor.read_as_it_lies(&plane, None).traits;
            let degrees = turning.turn(&first);
            let mut views = vec![first];
            if degrees.abs() > turning.least_degrees {
                let upright = turned(&plane, f64::from(-degrees)).plane;
                views.push(predictor.read_as_it_lies(&upright, None).traits);
            }
            others.push(Other { kind, name, views });
        }
    }
    others
}

/// The folders of `root` by name, each with its files by name.
fn kinds(root: &Path) -> Result<Vec<(String, Vec<PathBuf>)>, LabError> {
    let listed = |folder: &Path| -> Result<Vec<PathBuf>, LabError> {
        let entries = std::fs::read_dir(folder).map_err(LabError::io(folder))?;
        let paths: Result<Vec<PathBuf>, _> = entries.map(|entry| Ok(entry?.path())).collect();
        let mut paths = paths.map_err(LabError::io(folder))?;
        paths.sort();
        Ok(paths)
    };
    let mut kinds = Vec::new();
    for folder in listed(root)?.into_iter().filter(|path| path.is_dir()) {
        let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let files: Vec<PathBuf> = listed(&folder)?.into_iter().filter(|path| path.is_file()).collect();
        kinds.push((name, files));
    }
    if kinds.is_empty() {
        let root = root.display();
        return Err(LabError::Data(format!("{root} holds no folder; hint: one folder a kind of image")));
    }
    Ok(kinds)
}

impl GuardReport {
    /// A Markdown table of the kinds and a line about hands.
    pub fn to_text(&self) -> String {
        let mut text =
            String::from("| kind | fitted on | images | refused | flagged as unusual | neither |\n");
        text.push_str("|---|---|---|---|---|---|\n");
        for kind in &self.kinds {
            let fitted = if kind.fitted { "all but it" } else { "no such" };
            let (images, refused, unusual) = (kind.images, kind.refused, kind.unusual);
            let passed = kind.passed.len();
            text.push_str(&format!(
                "| {} | {fitted} | {images} | {refused} | {unusual} | {passed} |\n",
                kind.name
            ));
        }
        let ([turn, turn_high], [tilt, tilt_high]) = (self.turn_error, self.tilt_error);
        let [left, right] = self.sides_told.map(|share| share * 100.0);
        text.push_str(&format!(
            "\nHands that took no part in the fit: {:.1} % refused; turned at random, their turn is known to {turn:.0} degrees in the median and {turn_high:.0} in 95 %, turned by 45 at most to {tilt:.1} and {tilt_high:.1}; {left:.1} % of the left ones and {right:.1} % of mirrored ones are told as such.\n",
            self.hands_refused * 100.0
        ));
        text
    }
}
