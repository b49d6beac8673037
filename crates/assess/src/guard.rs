use crate::{AssessError, Traits};
use boneage_core::{Flag, FlagCode};
use boneage_nets::NamedTensor;
use serde::{Deserialize, Serialize};

/// Tells hands from everything else, upright ones from turned ones, and what is unlike the hands that the model
/// knows, by the [`Traits`] that a reading leaves behind.
///
/// Two judges look at each image. One knows hands and other images and tells them apart by a straight cut
/// (ridge regression onto 1 and -1). The other knows hands alone: how far an image lies from them, in units of
/// how far they lie from each other (squared distance along principal components and beside them). What either
/// of them rejects is no hand; so something of a kind that the first has never seen has the second against it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Guard {
    /// Upright hands that it was fitted on.
    pub hands: usize,
    /// Images of other things.
    pub others: usize,
    /// Likeness below which an image is refused; hands lie about 1.
    pub least_likeness: f32,
    /// Strangeness above which an image is refused; hands lie about 1.
    pub most_strangeness: f32,
    /// Strangeness above which an accepted image is flagged.
    pub doubtful_strangeness: f32,
    /// A hand that is turned further than this is set upright, in degrees.
    pub least_degrees: f32,
    /// And beyond this it is told.
    pub most_degrees: f32,
    /// Above this a hand is taken for a right or mirrored one and read in a mirror; left hands lie about -1.
    pub least_mirrored: f32,
    /// Principal components of the second judge.
    pub components: usize,
    /// Its numbers; tensors in the model's file.
    #[serde(skip)]
    pub weights: GuardWeights,
}

/// The numbers of a [`Guard`], with `n` channels and `k` components.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct GuardWeights {
    /// Mean of each look and place over hands, `[n, 3]`: all looks, then all places.
    pub mean: Vec<f32>,
    /// What they are divided by, likewise.
    pub scale: Vec<f32>,
    /// From looks to likeness, `[n + 1]`, the constant last.
    pub likeness: Vec<f32>,
    /// The hands' principal directions, `[k, n]`.
    pub axes: Vec<f32>,
    /// Variance along each of them, and at last that of all that lies beside them, `[k + 1]`.
    pub variances: Vec<f32>,
    /// From places to cosine and sine of the turn, `[2, 2 n + 1]`.
    pub turn: Vec<f32>,
    /// From places to the turn of a hand that is turned by less than [`Guard::SLIGHT`], as a share of it,
    /// `[2 n + 1]`.
    pub tilt: Vec<f32>,
    /// From places to 1 for a right hand and -1 for a left one, `[2 n + 1]`.
    pub mirrored: Vec<f32>,
}

impl Guard {
    /// A turn below this, in degrees, is slight: it is measured by a judge of its own, which is finer.
    pub const SLIGHT: f32 = 45.0;

    /// How much an image looks like a hand: about 1 for a hand, about -1 for another image.
    pub fn likeness(&self, traits: &Traits) -> f32 {
        linear(&self.weights.likeness, &self.looks(traits))
    }

    /// How unlike the known hands an image is: about 1 for a hand, without an upper end.
    pub fn strangeness(&self, traits: &Traits) -> f32 {
        let looks = self.looks(traits);
        let n = looks.len().max(1);
        let (mut beside, mut along) = (looks.iter().map(|v| v * v).sum::<f32>(), 0.0);
        for (axis, variance) in self.weights.axes.chunks_exact(n).zip(&self.weights.variances) {
            let score = dot(axis, &looks);
            beside -= score * score;
            along += score * score / variance;
        }
        let last = self.weights.variances.last().copied().unwrap_or(1.0);
        0.5 * (along / self.components.max(1) as f32 + beside.max(0.0) / last)
    }

    /// By how many degrees a hand is turned clockwise, -180 to 180.
    pub fn turn(&self, traits: &Traits) -> f32 {
        let places = self.places(traits);
        let (cosine, sine) = self.weights.turn.split_at(self.weights.turn.len() / 2);
        let degrees = linear(sine, &places).atan2(linear(cosine, &places)).to_degrees();
        if degrees.abs() >= Guard::SLIGHT {
            return degrees;
        }
        Guard::SLIGHT * linear(&self.weights.tilt, &places).clamp(-1.0, 1.0)
    }

    /// About 1 for an upright right hand, or a mirrored film, and -1 for a left one.
    pub fn mirrored(&self, traits: &Traits) -> f32 {
        linear(&self.weights.mirrored, &self.places(traits))
    }

    /// Whether an image is taken for no hand.
    pub fn refuses(&self, traits: &Traits) -> bool {
        self.refusal(traits).is_some()
    }

    /// Why an image is not taken for a hand, if it is not.
    pub(crate) fn refusal(&self, traits: &Traits) -> Option<Flag> {
        let (likeness, strangeness) = (self.likeness(traits), self.strangeness(traits));
        let reason = if likeness < self.least_likeness {
            format!("likeness {likeness:.2}, hands have {:.2} and more", self.least_likeness)
        } else if strangeness > self.most_strangeness {
            format!("strangeness {strangeness:.1}, hands have up to {:.1}", self.most_strangeness)
        } else {
            return None;
        };
        Some(Flag::new(
            FlagCode::NotAHand,
            format!("the image does not look like a radiograph of a hand ({reason})"),
        ))
    }

    /// A reason to doubt an image that is not refused.
    pub(crate) fn doubt(&self, traits: &Traits) -> Option<Flag> {
        let strangeness = self.strangeness(traits);
        (strangeness > self.doubtful_strangeness).then(|| {
            let message = format!(
                "the image is unlike the children's hands that the model knows (strangeness {strangeness:.1}, most have less than {:.1}): an adult, two hands, metal, a plaster or an odd position?",
                self.doubtful_strangeness
            );
            Flag::new(FlagCode::UnusualImage, message)
        })
    }

    /// Looks in the hands' units.
    pub fn looks(&self, traits: &Traits) -> Vec<f32> {
        self.standardised(&traits.looks, 0)
    }

    /// Places in the hands' units.
    pub fn places(&self, traits: &Traits) -> Vec<f32> {
        self.standardised(&traits.places, traits.looks.len())
    }

    fn standardised(&self, values: &[f32], from: usize) -> Vec<f32> {
        let units = self.weights.mean.iter().zip(&self.weights.scale).skip(from);
        values.iter().zip(units).map(|(value, (mean, scale))| (value - mean) / scale).collect()
    }

    /// Names and shapes of the tensors of a guard with so many components.
    pub(crate) fn shapes(components: usize) -> [(String, Vec<usize>); 8] {
        let n = Traits::CHANNELS;
        let all = [
            ("mean", vec![3 * n]),
            ("scale", vec![3 * n]),
            ("likeness", vec![n + 1]),
            ("axes", vec![components, n]),
            ("variances", vec![components + 1]),
            ("turn", vec![2, 2 * n + 1]),
            ("tilt", vec![2 * n + 1]),
            ("mirrored", vec![2 * n + 1]),
        ];
        all.map(|(name, shape)| (format!("guard.{name}"), shape))
    }

    /// The weights as tensors, in the order of [`shapes`](Self::shapes).
    pub(crate) fn state(&self) -> Vec<NamedTensor> {
        let w = &self.weights;
        let all = [&w.mean, &w.scale, &w.likeness, &w.axes, &w.variances, &w.turn, &w.tilt, &w.mirrored];
        let shapes = Guard::shapes(self.components).into_iter();
        let tensors = shapes.zip(all);
        tensors.map(|((name, shape), v)| NamedTensor { name, shape, values: v.clone() }).collect()
    }

    /// Takes the weights from tensors in the order of [`shapes`](Self::shapes).
    pub(crate) fn load(&mut self, state: Vec<NamedTensor>) {
        let w = &mut self.weights;
        let all = [
            &mut w.mean,
            &mut w.scale,
            &mut w.likeness,
            &mut w.axes,
            &mut w.variances,
            &mut w.turn,
            &mut w.tilt,
            &mut w.mirrored,
        ];
        all.into_iter().zip(state).for_each(|(field, tensor)| *field = tensor.values);
    }

    /// Refuses limits that cannot be compared with.
    pub(crate) fn check(&self) -> Result<(), AssessError> {
        let limits = [
            ("guard.least_likeness", self.least_likeness),
            ("guard.most_strangeness", self.most_strangeness),
            ("guard.doubtful_strangeness", self.doubtful_strangeness),
            ("guard.least_degrees", self.least_degrees),
            ("guard.most_degrees", self.most_degrees),
            ("guard.least_mirrored", self.least_mirrored),
        ];
        match limits.into_iter().find(|(_, value)| !value.is_finite()) {
            Some((field, value)) => {
                Err(AssessError::Value { field, value: value.to_string(), allowed: "a number" })
            }
            None => Ok(()),
        }
    }
}

fn dot(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// `weights` times `values`, and the constant that comes last.
fn linear(weights: &[f32], values: &[f32]) -> f32 {
    dot(weights, values) + weights.last().copied().unwrap_or(0.0)
}
