use crate::{Guard, Predictor, Reading, Upright};
use boneage_core::{Plane, Sex};

/// How often a hand is turned at most; each time after the first goes by what is left over.
const TURNS: usize = 3;

/// What may be left over of a turn, in degrees.
const ENOUGH: f32 = 3.0;

impl Predictor {
    /// The reading of the hand as those of the training lay, upright and a left one: `first`, that of the image as
    /// it is given, where it lies so already.
    ///
    /// A turn counts where it leaves less of one than there was, and makes no other image of a hand.
    pub(crate) fn straightened(
        &self,
        plane: &Plane,
        sex: Option<Sex>,
        guard: &Guard,
        first: Reading,
    ) -> Reading {
        let recipe = &self.manifest().preprocess;
        let mut best_left = guard.turn(&first.traits);
        let (mut best, mut degrees) = (first, best_left);
        if degrees.abs() > guard.least_degrees {
            let mut tried = 0.0;
            for _ in 0..TURNS {
                let upright = Upright::new(plane, degrees, guard.least_degrees, recipe);
                // The same quarter turn again, or none at all.
                if upright.degrees() == tried {
                    break;
                }
                tried = upright.degrees();
                let mut reading = self.read_as_it_lies(upright.plane(), sex);
                let left = guard.turn(&reading.traits);
                degrees = upright.degrees() + left;
                reading.upright = Some(upright);
                let a_hand = !guard.refuses(&reading.traits) || guard.refuses(&best.traits);
                if left.abs() < best_left.abs() && a_hand {
                    (best, best_left) = (reading, left);
                }
                if left.abs() <= ENOUGH {
                    break;
                }
            }
        }
        if guard.mirrored(&best.traits) <= guard.least_mirrored || guard.refuses(&best.traits) {
            return best;
        }
        let as_it_lies = || Upright::new(plane, 0.0, guard.least_degrees, recipe).mirrored();
        let upright = best.upright.as_ref().map_or_else(as_it_lies, Upright::mirrored);
        let reading = self.read_as_it_lies(upright.plane(), sex);
        if guard.refuses(&reading.traits) { best } else { Reading { upright: Some(upright), ..reading } }
    }
}
