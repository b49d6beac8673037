use crate::Coverage;
use boneage_core::{Interval, Months, Sex, stream};
use serde::{Deserialize, Serialize};

/// Resampled sets of a bootstrap interval.
const DRAWS: usize = 2000;
/// Width of the age bands in months.
pub(crate) const BAND: f32 = 24.0;
/// Errors that a reader calls small, acceptable and large, in months.
const WITHIN: [f32; 3] = [6.0, 12.0, 24.0];

/// One image with its label and what was predicted.
#[derive(Clone, Debug, PartialEq)]
pub struct Scored {
    /// The id.
    pub id: String,
    /// The sex it was read for by the labelling reader.
    pub sex: Sex,
    /// The label.
    pub truth: Months,
    /// The prediction, whether or not it would be refused.
    pub predicted: Months,
    /// Whether it would be accepted; `None` where nobody asked.
    pub accepted: Option<bool>,
    /// Where the truth was said to lie; `None` for a model without intervals.
    pub interval: Option<Interval>,
}

impl Scored {
    /// Predicted minus true, in months.
    pub fn error(&self) -> f64 {
        f64::from(self.predicted.0) - f64::from(self.truth.0)
    }
}

/// A number with its 95 % bootstrap interval (percentile, 2,000 draws).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    /// The number on the images themselves.
    pub value: f64,
    /// Lower and upper end.
    pub interval_95: [f64; 2],
}

impl Estimate {
    /// The mean of `values`; `None` for none. `name` names the random stream of the bootstrap.
    pub fn of_mean(name: &str, values: &[f64]) -> Option<Estimate> {
        Estimate::bootstrapped(name, &[values], |[mean]| mean)
    }

    /// The mean of `a` minus the mean of `b`, which were not measured on the same images; `None` where one is
    /// empty.
    pub fn of_difference(name: &str, a: &[f64], b: &[f64]) -> Option<Estimate> {
        Estimate::bootstrapped(name, &[a, b], |[a, b]| a - b)
    }

    /// `figure` of the means of several samples, each resampled on its own.
    fn bootstrapped<const N: usize>(
        name: &str,
        samples: &[&[f64]; N],
        figure: impl Fn([f64; N]) -> f64,
    ) -> Option<Estimate> {
        if samples.iter().any(|sample| sample.is_empty()) {
            return None;
        }
        let mean = |sample: &[f64]| sample.iter().sum::<f64>() / sample.len() as f64;
        let mut random = stream(1, &["bootstrap", name]);
        let mut resampled = |sample: &[f64]| {
            let sum: f64 = (0..sample.len()).map(|_| sample[random.below(sample.len())]).sum();
            sum / sample.len() as f64
        };
        let draws = (0..DRAWS).map(|_| figure(samples.map(&mut resampled))).collect();
        Some(Estimate::within(figure(samples.map(mean)), draws))
    }

    /// `figure` of the means of several numbers that were measured together on every image, and are resampled
    /// together; `None` for no image.
    pub(crate) fn of_joint<const N: usize>(
        name: &str,
        images: &[[f64; N]],
        figure: impl Fn([f64; N]) -> f64,
    ) -> Option<Estimate> {
        if images.is_empty() {
            return None;
        }
        let mean = |chosen: &mut dyn Iterator<Item = &[f64; N]>| {
            let mut sums = [0.0; N];
            chosen.for_each(|image| sums.iter_mut().zip(image).for_each(|(sum, value)| *sum += value));
            sums.map(|sum| sum / images.len() as f64)
        };
        let mut random = stream(1, &["bootstrap", name]);
        let mut resampled = || mean(&mut (0..images.len()).map(|_| &images[random.below(images.len())]));
        let draws = (0..DRAWS).map(|_| figure(resampled())).collect();
        Some(Estimate::within(figure(mean(&mut images.iter())), draws))
    }

    /// A share with its interval, `12.3 % (11.0 to 13.5)`.
    pub(crate) fn percent(&self) -> String {
        let [value, low, high] = [self.value, self.interval_95[0], self.interval_95[1]].map(|v| v * 100.0);
        format!("{value:.1} % ({low:.1} to {high:.1})")
    }

    /// A value and the middle of what resampling made of it.
    fn within(value: f64, mut draws: Vec<f64>) -> Estimate {
        draws.sort_by(f64::total_cmp);
        Estimate { value, interval_95: [percentile(&draws, 0.025), percentile(&draws, 0.975)] }
    }
}

/// How good predictions are on one set of images.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Scores {
    /// Images counted.
    pub images: usize,
    /// Mean absolute error in months.
    pub mae: Estimate,
    /// Root of the mean squared error in months.
    pub rmse: Estimate,
    /// Mean of predicted minus label, in months.
    pub bias: Estimate,
    /// Share of images within 6 months of the label.
    pub within_6: Estimate,
    /// Within 12 months.
    pub within_12: Estimate,
    /// Within 24 months.
    pub within_24: Estimate,
}

/// Scores of a named group.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct GroupScores {
    /// `male`, `24 to 48 months`.
    pub group: String,
    /// Its scores.
    #[serde(flatten)]
    pub scores: Scores,
}

/// What predicting one age for everybody would reach.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Baseline {
    /// The age: a median, which no other constant beats in MAE on its own labels.
    pub months: Months,
    /// Whose median it is, in words.
    pub source: String,
    /// Its scores.
    #[serde(flatten)]
    pub scores: Scores,
}

/// Everything that is said about a set of predictions.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Evaluation {
    /// Every image, whether or not it would be refused.
    pub all: Scores,
    /// Those that would be accepted; `None` when there are none or nobody asked.
    pub accepted: Option<Scores>,
    /// Predicting one age for everybody.
    pub baseline: Baseline,
    /// By sex.
    pub by_sex: Vec<GroupScores>,
    /// By label, in bands of 24 months.
    pub by_age: Vec<GroupScores>,
    /// How often the intervals held the label; `None` for a model without intervals.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub coverage: Option<Coverage>,
}

impl Evaluation {
    /// Evaluates predictions beside the constant `baseline` months that stem from `source`.
    ///
    /// `None` for no predictions at all.
    pub fn new(scored: &[Scored], baseline: Months, source: &str) -> Option<Self> {
        let of = |name: &str, keep: &dyn Fn(&Scored) -> bool| {
            let errors: Vec<f64> = scored.iter().filter(|s| keep(s)).map(Scored::error).collect();
            Scores::new(name, &errors)
        };
        let group = |name: String, keep: &dyn Fn(&Scored) -> bool| {
            of(&name, keep).map(|scores| GroupScores { group: name, scores })
        };
        let constant: Vec<f64> =
            scored.iter().map(|s| f64::from(baseline.0) - f64::from(s.truth.0)).collect();
        let sexes = [Sex::Male, Sex::Female];
        let bands = scored.iter().map(band_of).max().map_or(0, |last| last + 1);
        Some(Evaluation {
            all: of("all", &|_| true)?,
            accepted: of("accepted", &|s| s.accepted == Some(true)),
            baseline: Baseline {
                months: baseline,
                source: source.to_owned(),
                scores: Scores::new("baseline", &constant)?,
            },
            by_sex: sexes.iter().filter_map(|sex| group(sex.to_string(), &|s| s.sex == *sex)).collect(),
            by_age: (0..bands).filter_map(|b| group(band_name(b), &|s| band_of(s) == b)).collect(),
            coverage: Coverage::of(scored),
        })
    }

    /// The evaluation as a table for people.
    pub fn to_text(&self) -> String {
        let mut text = format!(
            "{:<18} {:>6}  {:>20}  {:>20}  {:>6}  {:>6} {:>6} {:>6}\n",
            "months", "images", "MAE (95 %)", "RMSE (95 %)", "bias", "<= 6", "<= 12", "<= 24"
        );
        let mut row = |name: &str, s: &Scores| {
            let with_interval =
                |e: &Estimate| format!("{:.2} ({:.2}-{:.2})", e.value, e.interval_95[0], e.interval_95[1]);
            let percent = |e: &Estimate| format!("{:.1} %", e.value * 100.0);
            text.push_str(&format!(
                "{name:<18} {:>6}  {:>20}  {:>20}  {:>6.2}  {:>6} {:>6} {:>6}\n",
                s.images,
                with_interval(&s.mae),
                with_interval(&s.rmse),
                s.bias.value,
                percent(&s.within_6),
                percent(&s.within_12),
                percent(&s.within_24),
            ));
        };
        row("all", &self.all);
        if let Some(accepted) = &self.accepted {
            row("accepted only", accepted);
        }
        self.by_sex.iter().chain(&self.by_age).for_each(|g| row(&g.group, &g.scores));
        row("constant", &self.baseline.scores);
        let Baseline { months, source, .. } = &self.baseline;
        text.push_str(&format!("constant: always {:.0} months, {source}\n", months.0));
        if let Some(coverage) = &self.coverage {
            text.push_str(&format!("\n{}", coverage.to_text()));
        }
        text
    }
}

impl Scores {
    /// Scores of `errors`, predicted minus label in months; `None` for none. `group` names the random
    /// stream of the bootstrap, so that a group's interval does not depend on the other groups.
    pub fn new(group: &str, errors: &[f64]) -> Option<Self> {
        if errors.is_empty() {
            return None;
        }
        let values = figures(errors.iter().copied(), errors.len());
        let mut random = stream(1, &["bootstrap", group]);
        let mut draws: Vec<[f64; 6]> = Vec::with_capacity(DRAWS);
        for _ in 0..DRAWS {
            let resampled = (0..errors.len()).map(|_| errors[random.below(errors.len())]);
            draws.push(figures(resampled, errors.len()));
        }
        let estimate = |i: usize| {
            let mut of_draws: Vec<f64> = draws.iter().map(|draw| draw[i]).collect();
            of_draws.sort_by(f64::total_cmp);
            Estimate {
                value: values[i],
                interval_95: [percentile(&of_draws, 0.025), percentile(&of_draws, 0.975)],
            }
        };
        let [mae, rmse, bias, within_6, within_12, within_24] = std::array::from_fn(estimate);
        Some(Scores { images: errors.len(), mae, rmse, bias, within_6, within_12, within_24 })
    }
}

/// Which band of [`BAND`] months the label lies in.
pub(crate) fn band_of(scored: &Scored) -> usize {
    (scored.truth.0 / BAND) as usize
}

/// `24 to 48 months`.
pub(crate) fn band_name(band: usize) -> String {
    let step = BAND as usize;
    format!("{} to {} months", band * step, (band + 1) * step)
}

/// MAE, RMSE, bias and the three shares within, of `n` errors.
fn figures(errors: impl Iterator<Item = f64>, n: usize) -> [f64; 6] {
    let mut sums = [0.0; 6];
    for e in errors {
        sums[0] += e.abs();
        sums[1] += e * e;
        sums[2] += e;
        for (sum, limit) in sums[3..].iter_mut().zip(WITHIN) {
            *sum += f64::from(u8::from(e.abs() <= f64::from(limit)));
        }
    }
    let mut means = sums.map(|sum| sum / n as f64);
    means[1] = means[1].sqrt();
    means
}

/// The value that `share` of the sorted values lie below, linear between neighbours.
pub(crate) fn percentile(sorted: &[f64], share: f64) -> f64 {
    let place = share * (sorted.len() - 1) as f64;
    let (below, above) = (place.floor() as usize, place.ceil() as usize);
    sorted[below] + (sorted[above] - sorted[below]) * place.fract()
}

/// The median of ages; `None` of none.
pub fn median(ages: impl IntoIterator<Item = Months>) -> Option<Months> {
    let mut ages: Vec<f64> = ages.into_iter().map(|months| f64::from(months.0)).collect();
    ages.sort_by(f64::total_cmp);
    (!ages.is_empty()).then(|| Months(percentile(&ages, 0.5) as f32))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scored(sex: Sex, truth: f32, predicted: f32, accepted: bool) -> Scored {
        Scored {
            id: String::new(),
            sex,
            truth: Months(truth),
            predicted: Months(predicted),
            accepted: Some(accepted),
            interval: None,
        }
    }

    #[test]
    fn figures_agree_with_a_hand_computation() {
        // Errors +6, -12, +24, -2.
        let set = [
            scored(Sex::Male, 100.0, 106.0, true),
            scored(Sex::Male, 50.0, 38.0, true),
            scored(Sex::Female, 10.0, 34.0, false),
            scored(Sex::Female, 120.0, 118.0, true),
        ];
        let evaluation = Evaluation::new(&set, Months(75.0), "of the test").unwrap();
        let all = &evaluation.all;
        assert_eq!(all.images, 4);
        assert_eq!(all.mae.value, 11.0);
        assert!((all.rmse.value - 190f64.sqrt()).abs() < 1e-12);
        assert_eq!(all.bias.value, 4.0);
        assert_eq!([all.within_6.value, all.within_12.value, all.within_24.value], [0.5, 0.75, 1.0]);
        let accepted = evaluation.accepted.as_ref().unwrap();
        assert_eq!((accepted.images, accepted.mae.value), (3, 20.0 / 3.0));
        assert_eq!(evaluation.baseline.scores.mae.value, (25.0 + 25.0 + 65.0 + 45.0) / 4.0);
        let groups: Vec<(&str, usize, f64)> = evaluation
            .by_sex
            .iter()
            .chain(&evaluation.by_age)
            .map(|g| (g.group.as_str(), g.scores.images, g.scores.mae.value))
            .collect();
        let expected = [
            ("male", 2, 9.0),
            ("female", 2, 13.0),
            ("0 to 24 months", 1, 24.0),
            ("48 to 72 months", 1, 12.0),
            ("96 to 120 months", 1, 6.0),
            ("120 to 144 months", 1, 2.0),
        ];
        assert_eq!(groups, expected);
        assert_eq!(evaluation.to_text().lines().count(), 11);
        assert!(Evaluation::new(&[], Months(1.0), "").is_none());
    }

    #[test]
    fn the_interval_of_a_mean_is_as_wide_as_theory_says() {
        let mut random = stream(3, &["test"]);
        let errors: Vec<f64> = (0..400).map(|_| 5.0 + 8.0 * random.normal()).collect();
        let scores = Scores::new("x", &errors).unwrap();
        assert_eq!(scores, Scores::new("x", &errors).unwrap());
        let [low, high] = scores.bias.interval_95;
        assert!(low < scores.bias.value && scores.bias.value < high);
        // 2 x 1.96 x 8 / sqrt(400)
        assert!((high - low - 1.568).abs() < 0.2, "{}", high - low);
    }

    #[test]
    fn a_difference_of_means_is_as_wide_as_both_together() {
        let mut random = stream(4, &["test"]);
        let mut draw = |mean: f64| -> Vec<f64> { (0..400).map(|_| mean + 8.0 * random.normal()).collect() };
        let (a, b) = (draw(9.0), draw(5.0));
        let difference = Estimate::of_difference("x", &a, &b).unwrap();
        let [low, high] = difference.interval_95;
        assert!((difference.value - 4.0).abs() < 1.5 && low < difference.value && difference.value < high);
        // 2 x 1.96 x 8 x sqrt(2 / 400)
        assert!((high - low - 2.217).abs() < 0.3, "{}", high - low);
        assert_eq!(Estimate::of_mean("x", &[3.0, 3.0]).unwrap().interval_95, [3.0, 3.0]);
        assert!(Estimate::of_difference("x", &a, &[]).is_none());
    }

    #[test]
    fn numbers_of_one_image_are_resampled_together() {
        // Their ratio is the same on every image, whatever their size.
        let images: Vec<[f64; 2]> = (1..40).map(|i| [2.0 * f64::from(i), f64::from(i)]).collect();
        let ratio = Estimate::of_joint("ratio", &images, |[a, b]| a / b).unwrap();
        assert!(
            (ratio.value - 2.0).abs() < 1e-12
                && ratio.interval_95.iter().all(|end| (end - 2.0).abs() < 1e-12)
        );
        let first = Estimate::of_joint("first", &images, |[a, _]| a).unwrap();
        assert!(first.value == 40.0 && first.interval_95[0] < 38.0 && first.interval_95[1] > 42.0);
        assert!(Estimate::of_joint("none", &images[..0], |[a, _]| a).is_none());
        let share = Estimate { value: 0.1234, interval_95: [0.11, 0.135] };
        assert_eq!(share.percent(), "12.3 % (11.0 to 13.5)");
    }

    #[test]
    fn percentiles_and_medians_lie_between_neighbours() {
        assert_eq!(percentile(&[1.0, 2.0, 4.0], 0.75), 3.0);
        assert_eq!(median([Months(9.0), Months(1.0), Months(2.0), Months(3.0)]), Some(Months(2.5)));
        assert_eq!(median([]), None);
    }
}
