use super::zones::{CONTOUR, MARKED, ON_CONTOUR, ZONES, Zones};
use crate::anatomy::bone_axes;
use crate::fill::read_frame;
use crate::{AnnotatedHand, Dataset, Detector, Estimate, LabError, OssificationBoxes, Progress, Radiograph};
use boneage_core::Plane;
use boneage_vision::Preprocess;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use std::path::Path;
use std::sync::Mutex;

/// Side of the films that the detectors see: that of the data set's images.
const SIDE: usize = 299;
/// Pixels of 299 this near a bone's axis count as the bone. Not in the paper; chosen as about half the width of a
/// phalanx there.
const BONE: f64 = 5.0;

/// What a person marked in the films.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Marked {
    /// The axes of phalanges and metacarpals, from 21 keypoints.
    Bones,
    /// Boxes round the places of ossification.
    Ossification,
}

impl Marked {
    /// Both.
    pub const ALL: [Marked; 2] = [Marked::Bones, Marked::Ossification];

    /// What the zones are called, in their order.
    fn zones(self) -> [String; ZONES] {
        let (what, whole) = match self {
            Marked::Bones => {
                (format!("within {BONE} px of a bone's axis"), "the same with the contour's part")
            }
            Marked::Ossification => ("in an ossification box".to_owned(), "the same with the contour's part"),
        };
        let contour = format!("within {CONTOUR} px of the hand's contour");
        [contour, what, "elsewhere in the hand".to_owned(), "outside the hand".to_owned(), whole.to_owned()]
    }
}

/// Where the keypoints of one detector lie.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct KeypointFinding {
    /// Which detector.
    pub detector: Detector,
    /// Whether the film was black outside the hand.
    pub masked: bool,
    /// What the zones inside the hand are.
    pub marked: Marked,
    /// Films with at least one keypoint.
    pub films: usize,
    /// Keypoints on a film.
    pub keypoints: Estimate,
    /// The contour, what is marked away from it, the rest of the hand, all else; then what is marked, whole.
    pub zones: Vec<ZoneFinding>,
    /// How many times as many keypoints a pixel of the contour has as one that is marked, away from it.
    pub contour_over_marked: Estimate,
}

/// The keypoints of one zone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ZoneFinding {
    /// In words.
    pub zone: String,
    /// Share of the film's area, mean over films.
    pub area: Estimate,
    /// Share of the film's keypoints, mean over films.
    pub share: Estimate,
    /// The latter over the former: 1 where keypoints are as dense as on the whole film.
    pub density: Estimate,
}

/// All that was found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct KeypointFindings {
    /// Annotated films.
    pub annotated: usize,
    /// Of these, without a found hand: they do not count.
    pub without_hand: usize,
    /// One for each mark, detector, and film masked or whole.
    pub findings: Vec<KeypointFinding>,
}

/// One film with one mark.
struct Seen {
    marked: Marked,
    areas: [f64; ZONES],
    /// Of each detector on the masked and on the whole film, in the order of [`WAYS`]: how many, and their shares.
    keypoints: Vec<(usize, Option<[f64; ZONES]>)>,
}

/// Every detector on masked and whole films.
const WAYS: [(Detector, bool); 4] =
    [(Detector::Sift, true), (Detector::Surf, true), (Detector::Sift, false), (Detector::Surf, false)];

impl KeypointFindings {
    /// Whether a data folder holds annotations to compare with.
    pub fn can_be_measured(data: &Path) -> bool {
        AnnotatedHand::are_in(data) || OssificationBoxes::are_in(data)
    }

    /// Looks at every radiograph of `dataset`, which lies in the folder `data`, that a person annotated there.
    ///
    /// # Errors
    /// When annotations or an image cannot be read.
    pub fn measure(data: &Path, dataset: &Dataset) -> Result<Self, LabError> {
        let hands = match AnnotatedHand::are_in(data) {
            true => AnnotatedHand::read_all(data)?,
            false => Default::default(),
        };
        let boxes = OssificationBoxes::read_all(data)?;
        let annotated: Vec<&Radiograph> = dataset
            .radiographs
            .iter()
            .filter(|r| hands.contains_key(&r.id) || boxes.contains_key(&r.id))
            .collect();
        let progress = Mutex::new(Progress::new("keypoints of annotated films", annotated.len()));
        let seen: Vec<Result<Option<Vec<Seen>>, String>> = annotated
            .par_iter()
            .map(|radiograph| {
                let seen = look(radiograph, hands.get(&radiograph.id), boxes.get(&radiograph.id));
                if let Ok(mut progress) = progress.lock() {
                    progress.advance(1);
                }
                seen
            })
            .collect();
        let (mut films, mut without_hand) = (Vec::new(), 0);
        for seen in seen {
            match seen.map_err(LabError::Data)? {
                Some(seen) => films.extend(seen),
                None => without_hand += 1,
            }
        }
        let each = |marked: Marked| (0..WAYS.len()).map(move |way| (marked, way));
        let findings = Marked::ALL.into_iter().flat_map(each);
        let findings = findings.filter_map(|(marked, way)| summary(&films, marked, way)).collect();
        Ok(KeypointFindings { annotated: annotated.len(), without_hand, findings })
    }
}

/// `None` where no hand was found.
fn look(
    radiograph: &Radiograph,
    hand: Option<&AnnotatedHand>,
    boxes: Option<&OssificationBoxes>,
) -> Result<Option<Vec<Seen>>, String> {
    let films = [true, false].map(|mask| Preprocess { mask, size: SIDE, ..Preprocess::default() });
    let [masked, whole] = films.map(|preprocess| read_frame(radiograph, &preprocess));
    let (masked, whole) = (masked?, whole?);
    let Some(found) = masked.hand() else { return Ok(None) };
    let to_source = masked.to_source();
    let mask = Plane::from_fn(SIDE, SIDE, |x, y| {
        let (u, v) = to_source.apply(x as f64, y as f64);
        let pixel = |at: f64, count: usize| (at.round().max(0.0) as usize).min(count - 1);
        found.at(pixel(u, found.width()), pixel(v, found.height()))
    });
    let images = [masked.image(), whole.image()];
    let places = WAYS.map(|(detector, mask)| detector.keypoints(&images[usize::from(!mask)]).distinct());
    let seen = |marked: Marked, zones: &Zones| Seen {
        marked,
        areas: zones.areas(),
        keypoints: places.iter().map(|places| (places.len(), zones.shares(places))).collect(),
    };
    let side = SIDE as f64;
    let axes = hand.and_then(|hand| bone_axes(hand, side, side)).map(|axes| {
        let near = |x: usize, y: usize| {
            let pixel = (x as f64 + 0.5, y as f64 + 0.5);
            axes.iter().any(|axis| axis.distance_to(pixel) <= BONE)
        };
        seen(Marked::Bones, &Zones::new(&mask, near))
    });
    let boxes = boxes
        .map(|boxes| seen(Marked::Ossification, &Zones::new(&mask, |x, y| boxes.hold((x, y), (SIDE, SIDE)))));
    Ok(Some(axes.into_iter().chain(boxes).collect()))
}

/// `None` where no film is marked so and shows a keypoint.
fn summary(films: &[Seen], marked: Marked, way: usize) -> Option<KeypointFinding> {
    let (detector, masked) = WAYS[way];
    let films: Vec<(f64, [f64; ZONES], [f64; ZONES])> = films
        .iter()
        .filter(|seen| seen.marked == marked)
        .filter_map(|seen| Some((seen.keypoints[way].0 as f64, seen.areas, seen.keypoints[way].1?)))
        .collect();
    let name = format!("{marked:?} {detector:?} {masked}");
    let of = |value: &dyn Fn(&[f64; ZONES], &[f64; ZONES]) -> f64| {
        let values: Vec<f64> = films.iter().map(|(_, areas, shares)| value(areas, shares)).collect();
        Estimate::of_mean(&name, &values)
    };
    let zones = marked.zones().into_iter().enumerate().map(|(zone, words)| {
        let pairs: Vec<[f64; 2]> =
            films.iter().map(|(_, areas, shares)| [shares[zone], areas[zone]]).collect();
        Some(ZoneFinding {
            zone: words,
            area: of(&|areas, _| areas[zone])?,
            share: of(&|_, shares| shares[zone])?,
            density: Estimate::of_joint(&name, &pairs, |[share, area]| share / area)?,
        })
    });
    let zones = zones.collect::<Option<Vec<_>>>()?;
    let both: Vec<[f64; 4]> = films
        .iter()
        .map(|(_, area, share)| [share[ON_CONTOUR], area[ON_CONTOUR], share[MARKED], area[MARKED]])
        .collect();
    let counts: Vec<f64> = films.iter().map(|(count, ..)| *count).collect();
    Some(KeypointFinding {
        detector,
        masked,
        marked,
        films: films.len(),
        keypoints: Estimate::of_mean(&name, &counts)?,
        zones,
        contour_over_marked: Estimate::of_joint(&name, &both, |[share, area, other, its]| {
            (share / area) / (other / its)
        })?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn densities_are_shares_over_areas_and_films_without_keypoints_do_not_count() {
        let film = |shares: Option<[f64; ZONES]>, count: usize| Seen {
            marked: Marked::Bones,
            areas: [0.1, 0.2, 0.3, 0.4, 0.25],
            keypoints: vec![(count, shares); WAYS.len()],
        };
        let films = [
            film(Some([0.6, 0.2, 0.2, 0.0, 0.3]), 10),
            film(Some([0.4, 0.2, 0.2, 0.2, 0.3]), 30),
            film(None, 0),
        ];
        let found = summary(&films, Marked::Bones, 2).unwrap();
        assert_eq!((found.detector, found.masked, found.films), (Detector::Sift, false, 2));
        assert_eq!((found.keypoints.value, found.zones[0].share.value), (20.0, 0.5));
        assert!((found.zones[0].density.value - 5.0).abs() < 1e-9);
        assert!((found.contour_over_marked.value - 5.0).abs() < 1e-9);
        let [low, high] = found.contour_over_marked.interval_95;
        assert!((low - 4.0).abs() < 1e-9 && (high - 6.0).abs() < 1e-9);
        assert!(summary(&films, Marked::Ossification, 2).is_none());
    }
}
