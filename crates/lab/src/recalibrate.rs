use crate::metrics::Estimate;
use crate::{LabError, Scored};
use boneage_assess::{AgeLine, Metric, Recalibration};
use boneage_core::{Months, Sex};

/// What is believed of a site before its cases are seen: most readers differ from those of the training data by no
/// more than this at 120 months, and in slope. Not in the paper; chosen with `results/recalibration/simulate.py`,
/// where a line shrunk so is as good as any other map for 50 cases and for 200.
const OFFSET_SD: f64 = 8.0;
const SLOPE_SD: f64 = 0.1;
/// Spread of a good model's errors about any line, in months.
const ERROR_SD: f64 = 11.0;
/// Where ages are counted from, as in [`AgeLine`].
const CENTRE: f64 = 120.0;
/// Fewer cases of a sex say nothing of it.
const LEAST: usize = 10;
/// Parts of the cross-validation.
const FOLDS: usize = 10;

/// Fits a line for each sex to a site's cases, which the model read without a recalibration, and measures bias and
/// mean absolute error before, and after by ten-fold cross-validation: each case is corrected by the lines of cases
/// that it is not among.
///
/// Offset and slope are the most likely ones where both are normal about zero (ridge regression), so that few cases
/// change little.
///
/// # Errors
/// When a sex has fewer than 10 cases.
pub fn recalibrate(scored: &[Scored]) -> Result<Recalibration, LabError> {
    let of_sex = |sex: Sex| -> Result<Vec<&Scored>, LabError> {
        let cases: Vec<&Scored> = scored.iter().filter(|s| s.sex == sex).collect();
        if cases.len() < LEAST {
            return Err(LabError::Data(format!(
                "a recalibration needs at least {LEAST} {sex} cases, here are {}; hint: 25 or more of each sex",
                cases.len()
            )));
        }
        Ok(cases)
    };
    let sexes = [(Sex::Male, of_sex(Sex::Male)?), (Sex::Female, of_sex(Sex::Female)?)];
    let [male, female] = sexes.each_ref().map(|(_, cases)| fit(cases));
    let (mut metrics, mut all) = (Vec::new(), [Vec::new(), Vec::new()]);
    for (sex, cases) in &sexes {
        let before = cases.iter().map(|s| s.error()).collect();
        let both = [before, cross_validated(cases)];
        metrics.extend(measured(sex.as_str(), &both));
        all.iter_mut().zip(both).for_each(|(all, errors)| all.extend(errors));
    }
    metrics.extend(measured("both", &all));
    Ok(Recalibration { male, female, metrics })
}

/// The most likely line through `(reading, label)`.
fn fit(cases: &[&Scored]) -> AgeLine {
    let (mut n, mut x, mut xx, mut y, mut xy) = (0.0, 0.0, 0.0, 0.0, 0.0);
    for s in cases {
        let (at, missing) = (f64::from(s.predicted.0) - CENTRE, -s.error());
        (n, x, xx, y, xy) = (n + 1.0, x + at, xx + at * at, y + missing, xy + at * missing);
    }
    let (a, b) = (n + (ERROR_SD / OFFSET_SD).powi(2), xx + (ERROR_SD / SLOPE_SD).powi(2));
    let determinant = a * b - x * x;
    let (offset, slope) = ((b * y - x * xy) / determinant, (a * xy - x * y) / determinant);
    // A wilder one is no habit of readers; the manifest refuses it.
    AgeLine { offset: offset as f32, slope: slope.clamp(-0.4, 0.4) as f32 }
}

/// Errors of the cases, each corrected by the line of the other folds.
fn cross_validated(cases: &[&Scored]) -> Vec<f64> {
    let mut errors = vec![0.0; cases.len()];
    for fold in 0..FOLDS {
        let others: Vec<&Scored> =
            cases.iter().enumerate().filter(|(i, _)| i % FOLDS != fold).map(|(_, s)| *s).collect();
        let line = fit(&others);
        for (i, s) in cases.iter().enumerate().filter(|(i, _)| i % FOLDS == fold) {
            errors[i] = f64::from(line.apply(Months(s.predicted.0)).0) - f64::from(s.truth.0);
        }
    }
    errors
}

/// Bias and mean absolute error of the errors before and after.
fn measured(set: &str, [before, after]: &[Vec<f64>; 2]) -> Vec<Metric> {
    let absolute = |errors: &[f64]| errors.iter().map(|error| error.abs()).collect::<Vec<f64>>();
    let rows = [
        ("bias before", before.clone()),
        ("bias after", after.clone()),
        ("MAE before", absolute(before)),
        ("MAE after", absolute(after)),
    ];
    let metric = |(name, values): (&str, Vec<f64>)| {
        let Estimate { value, interval_95 } = Estimate::of_mean(name, &values)?;
        Some(Metric {
            name: name.to_owned(),
            set: set.to_owned(),
            images: values.len(),
            value,
            interval_95: Some(interval_95),
            unit: "months".to_owned(),
        })
    };
    rows.into_iter().filter_map(metric).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use boneage_core::stream;

    /// A site whose readers tell boys `offset` months older than the model, and girls as it does.
    fn site(count: usize, offset: f64) -> Vec<Scored> {
        let mut random = stream(2, &["site"]);
        let mut case = |i: usize| {
            let sex = if i.is_multiple_of(2) { Sex::Male } else { Sex::Female };
            let read = random.uniform(30.0, 200.0);
            let own = if sex == Sex::Male { offset } else { 0.0 };
            let truth = read + own + 9.0 * random.normal();
            let (truth, predicted) = (Months(truth as f32), Months(read as f32));
            Scored { id: i.to_string(), sex, truth, predicted, accepted: None, interval: None }
        };
        (0..count).map(&mut case).collect()
    }

    fn metric<'a>(fitted: &'a Recalibration, name: &str, set: &str) -> &'a Metric {
        fitted.metrics.iter().find(|m| m.name == name && m.set == set).unwrap()
    }

    #[test]
    fn the_habit_of_a_sites_readers_is_found_and_the_bias_goes() {
        let fitted = recalibrate(&site(160, 12.0)).unwrap();
        assert!((fitted.male.offset - 12.0).abs() < 2.5 && fitted.male.slope.abs() < 0.06, "{fitted:?}");
        assert!(fitted.female.offset.abs() < 2.5, "{fitted:?}");
        let (before, after) = (metric(&fitted, "bias before", "male"), metric(&fitted, "bias after", "male"));
        assert!(before.value < -10.0 && after.value.abs() < 1.0, "{before:?} {after:?}");
        assert!(metric(&fitted, "MAE after", "both").value < metric(&fitted, "MAE before", "both").value);
    }

    #[test]
    fn few_cases_change_little_and_too_few_are_named() {
        let offset = |count: usize| recalibrate(&site(count, 12.0)).unwrap().male.offset;
        assert!(offset(20) > 0.0 && offset(20) < 12.5);
        let message = recalibrate(&site(16, 0.0)).unwrap_err().to_string();
        assert!(message.contains("10 male cases, here are 8"), "{message}");
    }
}
