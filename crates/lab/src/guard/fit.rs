use super::ridge::ridge;
use crate::LabError;
use boneage_assess::{Guard, GuardWeights, Traits};
use boneage_classical::{Pca, PcaOptions, Samples};

/// Principal components of the hands. Not in the paper, as all here; chosen because 16 to 32 tell other images
/// from hands equally well, and fewer learn less of the single hands.
const COMPONENTS: usize = 24;
/// Of the two regressions; a tenth and ten times as much do as well.
const STRENGTH: f64 = 1.0;
/// Of that of slight turns, which has more films to learn from and is to hit them exactly.
const TILT_STRENGTH: f64 = 0.1;
/// How many standard deviations from the hands' mean an image is refused; a likeness is nearly normal among hands,
/// a strangeness is in its logarithm.
const REFUSED: f64 = 5.0;
/// And flagged.
const DOUBTED: f64 = 2.5;
/// How many above the left hands' mean a hand is a right one.
const MIRRORED: f64 = 3.0;
/// Hands turned by less are read as they lie, as those of the training were; beyond, they are set upright.
const LEAST_DEGREES: f32 = 8.0;
/// Beyond, it is told: by as much films lie askew as people lay them.
const MOST_DEGREES: f32 = 20.0;
/// Parts that the hands are cut into, so that limits come from hands that fitted nothing.
const FOLDS: usize = 5;

/// A hand as the network saw it.
#[derive(Clone, Debug)]
pub(super) struct SeenHand {
    /// Upright, as the file has it.
    pub(super) upright: Traits,
    /// Upright and mirrored; not of every hand.
    pub(super) mirrored: Option<Traits>,
    /// Turned clockwise by so many degrees.
    pub(super) turned: (f32, Traits),
    /// And by few.
    pub(super) tilted: (f32, Traits),
}

/// All of a guard that hands alone tell: units, strangeness, turn and side. Its likeness refuses nothing yet.
pub(super) fn of_hands(hands: &[SeenHand]) -> Result<Guard, LabError> {
    let mut guard = unlimited(hands)?;
    let (mut strangeness, mut mirrored) = (Vec::new(), Vec::new());
    for (known, strange) in folds(hands) {
        let judge = unlimited(&known)?;
        strangeness.extend(strange.iter().map(|hand| f64::from(judge.strangeness(&hand.upright)).ln()));
        mirrored.extend(strange.iter().map(|hand| f64::from(judge.mirrored(&hand.upright))));
    }
    let ([middle, wide], [left, apart]) = (moments(&strangeness), moments(&mirrored));
    guard.most_strangeness = (middle + REFUSED * wide).exp() as f32;
    guard.doubtful_strangeness = (middle + DOUBTED * wide).exp() as f32;
    guard.least_mirrored = (left + MIRRORED * apart) as f32;
    Ok(guard)
}

/// `guard`, which is [`of_hands`], with a likeness that tells them from `others`.
pub(super) fn against(guard: &Guard, hands: &[SeenHand], others: &[&Traits]) -> Guard {
    let likeness = |hands: &[SeenHand]| {
        let upright = hands.iter().map(|hand| &hand.upright);
        let looks: Vec<Vec<f32>> = upright.chain(others.iter().copied()).map(|t| guard.looks(t)).collect();
        let sides: Vec<f64> = (0..looks.len()).map(|i| if i < hands.len() { 1.0 } else { -1.0 }).collect();
        let mut judge = guard.clone();
        judge.weights.likeness = ridge(&looks, &sides, STRENGTH);
        judge
    };
    let mut values = Vec::with_capacity(hands.len());
    for (known, strange) in folds(hands) {
        let judge = likeness(&known);
        values.extend(strange.iter().map(|hand| f64::from(judge.likeness(&hand.upright))));
    }
    let [mean, spread] = moments(&values);
    let least_likeness = (mean - REFUSED * spread) as f32;
    Guard { others: others.len(), least_likeness, ..likeness(hands) }
}

/// The hands in parts, each part against all others: those that a judge knows, and those that it does not.
fn folds(hands: &[SeenHand]) -> impl Iterator<Item = (Vec<SeenHand>, Vec<SeenHand>)> {
    (0..FOLDS).map(|fold| {
        let (strange, known): (Vec<usize>, Vec<usize>) = (0..hands.len()).partition(|i| i % FOLDS == fold);
        let of = |indices: Vec<usize>| indices.into_iter().map(|index| hands[index].clone()).collect();
        (of(known), of(strange))
    })
}

/// Mean and standard deviation.
fn moments(values: &[f64]) -> [f64; 2] {
    let n = values.len().max(1) as f64;
    let mean = values.iter().sum::<f64>() / n;
    [mean, (values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n).sqrt()]
}

fn unlimited(hands: &[SeenHand]) -> Result<Guard, LabError> {
    let upright: Vec<&Traits> = hands.iter().map(|hand| &hand.upright).collect();
    // Places are those of hands however they lie: else a turned one would be far from everything.
    let lying: Vec<&Traits> =
        hands.iter().flat_map(|hand| [&hand.upright, &hand.turned.1, &hand.tilted.1]).collect();
    let mut guard = Guard {
        hands: hands.len(),
        others: 0,
        least_likeness: f32::MIN,
        most_strangeness: f32::MAX,
        doubtful_strangeness: f32::MAX,
        least_degrees: LEAST_DEGREES,
        most_degrees: MOST_DEGREES,
        least_mirrored: f32::MAX,
        components: COMPONENTS,
        weights: GuardWeights { likeness: vec![0.0; Traits::CHANNELS + 1], ..GuardWeights::default() },
    };
    for [mean, scale] in units(&upright, |t| &t.looks).into_iter().chain(units(&lying, |t| &t.places)) {
        guard.weights.mean.push(mean);
        guard.weights.scale.push(scale);
    }

    let looks: Vec<f32> = upright.iter().flat_map(|traits| guard.looks(traits)).collect();
    let samples = Samples::new(looks, Traits::CHANNELS)?;
    let pca = Pca::fit(&samples, PcaOptions::new(COMPONENTS))?;
    let whole: f64 = samples.values().iter().map(|&v| f64::from(v).powi(2)).sum::<f64>() / hands.len() as f64;
    let along = pca.variances();
    let beside = whole - along.iter().sum::<f64>();
    guard.weights.axes = pca.components().values().to_vec();
    guard.weights.variances = along.iter().chain([&beside]).map(|&v| v as f32).collect();

    let places: Vec<Vec<f32>> = lying.iter().map(|traits| guard.places(traits)).collect();
    let degrees = hands.iter().flat_map(|hand| [0.0, f64::from(hand.turned.0), f64::from(hand.tilted.0)]);
    let degrees: Vec<f64> = degrees.collect();
    let (cosines, sines): (Vec<f64>, Vec<f64>) =
        degrees.iter().map(|d| (d.to_radians().cos(), d.to_radians().sin())).unzip();
    guard.weights.turn = [cosines, sines].iter().flat_map(|y| ridge(&places, y, STRENGTH)).collect();
    let slight = f64::from(Guard::SLIGHT);
    let (slightly, shares): (Vec<Vec<f32>>, Vec<f64>) = places
        .into_iter()
        .zip(degrees.iter().map(|d| d / slight))
        .filter(|(_, share)| share.abs() <= 1.0)
        .unzip();
    guard.weights.tilt = ridge(&slightly, &shares, TILT_STRENGTH);

    let left = upright.into_iter().map(|traits| (traits, -1.0));
    let right = hands.iter().filter_map(|hand| hand.mirrored.as_ref()).map(|traits| (traits, 1.0));
    let (places, sides): (Vec<Vec<f32>>, Vec<f64>) =
        left.chain(right).map(|(traits, side)| (guard.places(traits), side)).unzip();
    guard.weights.mirrored = ridge(&places, &sides, STRENGTH);
    Ok(guard)
}

/// For each number of the traits its mean over the hands and what it is divided by: its standard deviation and a
/// tenth of the mean one, so that a channel that hands never rouse does not shout when something else does.
fn units(hands: &[&Traits], of: impl Fn(&Traits) -> &Vec<f32>) -> Vec<[f32; 2]> {
    let width = hands.first().map_or(0, |traits| of(traits).len());
    let column = |i: usize| moments(&hands.iter().map(|t| f64::from(of(t)[i])).collect::<Vec<_>>());
    let columns: Vec<[f64; 2]> = (0..width).map(column).collect();
    let floor = 0.1 * columns.iter().map(|[_, sd]| sd).sum::<f64>() / width.max(1) as f64;
    columns.into_iter().map(|[mean, sd]| [mean as f32, (sd + floor).max(1e-6) as f32]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use boneage_core::{Stream, stream};

    /// Looks about a level that hands share, places that follow turn and side.
    fn traits(random: &mut Stream, level: f64, degrees: f64, side: f64) -> Traits {
        let (sine, cosine) = degrees.to_radians().sin_cos();
        let n = Traits::CHANNELS;
        let looks = (0..n).map(|i| {
            let hands = 2.0 + (i % 7) as f64;
            (hands + level * (1.0 + (i % 3) as f64) + 0.2 * random.normal()) as f32
        });
        let looks: Vec<f32> = looks.collect();
        let places = (0..2 * n).map(|i| {
            let signal = match i % 4 {
                0 => cosine,
                1 => sine,
                2 => side,
                _ => 0.0,
            };
            (0.2 * signal + 0.1 * random.normal()) as f32
        });
        Traits { looks, places: places.collect() }
    }

    #[test]
    fn hands_others_turns_and_sides_are_told_apart() {
        let mut random = stream(7, &["guard"]);
        let hands: Vec<SeenHand> = (0..80)
            .map(|i| {
                let degrees = random.uniform(-180.0, 180.0);
                SeenHand {
                    upright: traits(&mut random, 0.0, 0.0, -1.0),
                    mirrored: (i % 2 == 0).then(|| traits(&mut random, 0.0, 0.0, 1.0)),
                    turned: (degrees as f32, traits(&mut random, 0.0, degrees, -1.0)),
                    tilted: (degrees as f32 / 4.0, traits(&mut random, 0.0, degrees / 4.0, -1.0)),
                }
            })
            .collect();
        let others: Vec<Traits> = (0..40).map(|_| traits(&mut random, 0.5, 0.0, 0.0)).collect();
        let known = of_hands(&hands).unwrap();
        let guard = against(&known, &hands, &others.iter().collect::<Vec<_>>());
        assert_eq!((guard.hands, guard.others), (80, 40));
        let mut refused =
            |level: f64| (0..50).filter(|_| guard.refuses(&traits(&mut random, level, 0.0, -1.0))).count();
        assert!(refused(0.0) <= 1 && refused(0.5) == 50);
        // A kind that lies on the hands' far side of the others is strange even so.
        assert_eq!(refused(-1.0), 50);
        for degrees in [-170.0, -90.0, -20.0, 0.0, 30.0, 135.0] {
            let found = guard.turn(&traits(&mut random, 0.0, degrees, -1.0));
            let off = (f64::from(found) - degrees + 180.0).rem_euclid(360.0) - 180.0;
            assert!(off.abs() < 12.0, "{found}, not {degrees}");
        }
        assert!(guard.mirrored(&traits(&mut random, 0.0, 0.0, 1.0)) > guard.least_mirrored);
        assert!(guard.mirrored(&traits(&mut random, 0.0, 0.0, -1.0)) < guard.least_mirrored);
    }
}
