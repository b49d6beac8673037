use crate::{AnnotatedHand, FilmPart};
use boneage_core::Plane;
use serde::Serialize;

/// How far up from the wrist towards a knuckle the carpal bones reach. Not in the paper; chosen on annotated
/// films, where the third metacarpal begins at about 0.35 of the way.
const CARPAL_SHARE: f64 = 0.35;
/// Joints of the five fingers among the 21 keypoints, base to tip. The thumb's base is the joint between
/// carpus and its metacarpal, the others' is the knuckle.
const FINGERS: [[usize; 4]; 5] =
    [[1, 2, 3, 4], [5, 6, 7, 8], [9, 10, 11, 12], [13, 14, 15, 16], [17, 18, 19, 20]];
/// The annotated keypoints of a hand.
const KEYPOINTS: usize = 21;

/// A region of a hand radiograph that one may attend to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Region {
    /// Phalanges of all five fingers.
    Fingers,
    /// The five metacarpal bones, the thumb's among them.
    Metacarpals,
    /// The carpal bones.
    Carpals,
    /// The forearm: distal radius and ulna.
    RadiusUlna,
    /// Everything outside the hand.
    Background,
}

impl Region {
    /// All of them, from the tips down.
    pub const ALL: [Region; 5] =
        [Region::Fingers, Region::Metacarpals, Region::Carpals, Region::RadiusUlna, Region::Background];

    /// As the reports call it.
    pub fn as_str(self) -> &'static str {
        match self {
            Region::Fingers => "fingers",
            Region::Metacarpals => "metacarpals",
            Region::Carpals => "carpals",
            Region::RadiusUlna => "radius and ulna",
            Region::Background => "background",
        }
    }
}

/// The region of every pixel of one annotated radiograph.
#[derive(Clone, Debug)]
pub struct RegionMap {
    width: usize,
    regions: Vec<Region>,
}

impl RegionMap {
    /// Divides the radiograph of `mask` (1 inside the hand) by `hand`: a pixel of the hand belongs to the
    /// region of the bone axis that is nearest to it, axes being drawn between keypoints. `None` where not
    /// all keypoints are known.
    pub fn new(mask: &Plane, hand: &AnnotatedHand) -> Option<RegionMap> {
        let (width, height) = (mask.width() as f64, mask.height() as f64);
        if hand.keypoints.len() != KEYPOINTS {
            return None;
        }
        let points: Vec<(f64, f64)> = hand.keypoints.iter().map(|&(x, y)| (x * width, y * height)).collect();
        let axes = axes(&points);
        let region = |x: usize, y: usize| {
            if mask.at(x, y) <= 0.5 {
                return Region::Background;
            }
            let pixel = (x as f64 + 0.5, y as f64 + 0.5);
            let near = axes.iter().map(|axis| (axis.distance_to(pixel), axis.region));
            near.min_by(|a, b| a.0.total_cmp(&b.0)).map_or(Region::Background, |(_, region)| region)
        };
        let regions = (0..mask.height()).flat_map(|y| (0..mask.width()).map(move |x| (x, y)));
        Some(RegionMap { width: mask.width(), regions: regions.map(|(x, y)| region(x, y)).collect() })
    }

    /// The region of a pixel.
    pub fn at(&self, x: usize, y: usize) -> Region {
        self.regions[y * self.width + x]
    }

    /// The pixels of a region, in one piece.
    pub fn part(&self, region: Region) -> FilmPart {
        let height = self.regions.len() / self.width;
        FilmPart::new(self.width, height, 1, |x, y| (self.at(x, y) == region).then_some(0))
    }
}

/// The axes of the bones of fingers and palm, which run from joint to joint, for a film of so many pixels; `None`
/// where not all keypoints are known.
pub(crate) fn bone_axes(hand: &AnnotatedHand, width: f64, height: f64) -> Option<Vec<Axis>> {
    if hand.keypoints.len() != KEYPOINTS {
        return None;
    }
    let points: Vec<(f64, f64)> = hand.keypoints.iter().map(|&(x, y)| (x * width, y * height)).collect();
    let bones = [Region::Fingers, Region::Metacarpals];
    Some(axes(&points).into_iter().filter(|axis| bones.contains(&axis.region)).collect())
}

/// A piece of a bone's axis.
pub(crate) struct Axis {
    from: (f64, f64),
    to: (f64, f64),
    region: Region,
}

impl Axis {
    /// Distance in pixels, edges of pixels being at whole numbers.
    pub(crate) fn distance_to(&self, (x, y): (f64, f64)) -> f64 {
        let (dx, dy) = (self.to.0 - self.from.0, self.to.1 - self.from.1);
        let length = (dx * dx + dy * dy).max(f64::MIN_POSITIVE);
        let along = (((x - self.from.0) * dx + (y - self.from.1) * dy) / length).clamp(0.0, 1.0);
        (x - self.from.0 - along * dx).hypot(y - self.from.1 - along * dy)
    }
}

/// The axes of all bones, from the 21 keypoints in pixels.
fn axes(points: &[(f64, f64)]) -> Vec<Axis> {
    let wrist = points[0];
    let between = |a: (f64, f64), b: (f64, f64), t: f64| (a.0 + t * (b.0 - a.0), a.1 + t * (b.1 - a.1));
    let mut axes = Vec::new();
    let mut add = |from, to, region| axes.push(Axis { from, to, region });
    let [thumb, fingers @ ..] = FINGERS;
    add(wrist, points[thumb[0]], Region::Carpals);
    add(points[thumb[0]], points[thumb[1]], Region::Metacarpals);
    thumb[1..].windows(2).for_each(|j| add(points[j[0]], points[j[1]], Region::Fingers));
    let mut knuckles = (0.0, 0.0);
    for joints in fingers {
        let knuckle = points[joints[0]];
        let base = between(wrist, knuckle, CARPAL_SHARE);
        add(wrist, base, Region::Carpals);
        add(base, knuckle, Region::Metacarpals);
        joints.windows(2).for_each(|j| add(points[j[0]], points[j[1]], Region::Fingers));
        knuckles = (knuckles.0 + knuckle.0 / 4.0, knuckles.1 + knuckle.1 / 4.0);
    }
    // The forearm goes on straight from the hand, farther than any film shows. Its axis begins a little below
    // the wrist, so that the carpal bones, which lie above, keep the pixels on their side.
    let forearm = |share: f64| between(wrist, knuckles, -share);
    add(forearm(CARPAL_SHARE / 2.0), forearm(3.0), Region::RadiusUlna);
    axes
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A hand that points upwards on a square of 100: the wrist at (50, 70), four fingers, a thumb.
    fn hand() -> AnnotatedHand {
        let mut keypoints = vec![(0.5, 0.7), (0.62, 0.62), (0.72, 0.54), (0.76, 0.48), (0.8, 0.42)];
        for x in [0.6, 0.53, 0.46, 0.39] {
            keypoints.extend([(x, 0.4), (x, 0.25), (x, 0.17), (x, 0.1)]);
        }
        AnnotatedHand { edges: [0.3, 0.1, 0.85, 0.8], keypoints }
    }

    fn map() -> RegionMap {
        let mask = Plane::from_fn(100, 100, |x, _| f32::from(u8::from(x > 20)));
        RegionMap::new(&mask, &hand()).unwrap()
    }

    #[test]
    fn every_bone_has_its_region() {
        let map = map();
        for (place, region) in [
            ((10, 50), Region::Background),
            ((53, 15), Region::Fingers),
            ((77, 46), Region::Fingers),
            ((53, 48), Region::Metacarpals),
            ((67, 58), Region::Metacarpals),
            ((50, 66), Region::Carpals),
            ((50, 90), Region::RadiusUlna),
        ] {
            assert_eq!(map.at(place.0, place.1), region, "{place:?}");
        }
        let few = AnnotatedHand { keypoints: vec![(0.5, 0.5); 3], ..hand() };
        assert!(RegionMap::new(&Plane::new(2, 2, vec![1.0; 4]), &few).is_none());
    }

    #[test]
    fn the_parts_share_out_the_film() {
        let map = map();
        let even = Plane::from_fn(100, 100, |_, _| 0.25);
        let shares = Region::ALL.map(|region| map.part(region).share(&even));
        assert!((shares.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        assert!((shares[Region::Background as usize] - 0.21).abs() < 1e-12);
    }

    #[test]
    fn bones_have_axes_and_the_carpus_has_none() {
        let axes = bone_axes(&hand(), 100.0, 100.0).unwrap();
        // Three phalanges and a metacarpal of each finger; the thumb has two.
        assert_eq!(axes.len(), 19);
        let near =
            |place: (f64, f64)| axes.iter().map(|axis| axis.distance_to(place)).fold(f64::MAX, f64::min);
        assert!(near((60.0, 20.0)) < 1e-9 && near((50.0, 66.0)) > 3.0);
        assert!(bone_axes(&AnnotatedHand { keypoints: vec![(0.5, 0.5); 3], ..hand() }, 1.0, 1.0).is_none());
    }
}
