use crate::metrics::Scores;
use crate::{Estimate, LabError, ReadingRow, Readings};
use boneage_core::{Months, Sex};
use serde::Serialize;
use std::collections::HashMap;

/// What two readings of one radiograph, or a reading and its label, may differ by, in months.
const WITHIN: [f64; 3] = [6.0, 12.0, 24.0];
/// Half of a normal distribution's middle 95 %, in standard deviations.
const LIMITS: f64 = 1.96;

/// One radiograph that both tables read.
#[derive(Clone, Debug, PartialEq)]
pub struct PairedReading {
    /// Its id.
    pub id: String,
    /// The sex, where a table has it.
    pub sex: Option<Sex>,
    /// The label, where a table has it.
    pub truth: Option<Months>,
    /// What the first table says.
    pub a: Months,
    /// What the second one says.
    pub b: Months,
}

/// Two tables of readings side by side, on the radiographs that both read.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Comparison {
    /// Radiographs that both read.
    pub images: usize,
    /// Those that only the first read, and only the second.
    pub unpaired: [usize; 2],
    /// How far each is from the label; `None` where no radiograph has one.
    pub against_labels: Option<AgainstLabels>,
    /// How far they are from each other.
    pub between: Differences,
    /// Share of the radiographs whose readings differ by at most 6, 12 and 24 months.
    pub within: [f64; 3],
}

/// Both tables against the labels, on the same radiographs.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AgainstLabels {
    /// Radiographs with a label.
    pub images: usize,
    /// The first table.
    pub a: Scores,
    /// The second table.
    pub b: Scores,
    /// Errors of the first, and of the second: reading minus label.
    pub errors: [Differences; 2],
    /// MAE of the first minus that of the second, radiograph by radiograph: below 0 the first is better.
    pub mae_difference: Estimate,
    /// Radiographs that both read within 12 months of the label, the first alone, the second alone, and neither.
    pub within_12: [usize; 4],
}

/// Differences after Bland and Altman, in months.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Differences {
    /// Their mean, the bias.
    pub mean: Estimate,
    /// Their standard deviation.
    pub sd: f64,
    /// Mean minus and plus 1.96 standard deviations: the limits of agreement.
    pub limits: [f64; 2],
}

impl Differences {
    /// Of `differences` in months; `None` of none. `name` names the random stream of the bootstrap.
    pub fn of(name: &str, differences: &[f64]) -> Option<Self> {
        let mean = Estimate::of_mean(name, differences)?;
        let squares: f64 = differences.iter().map(|d| (d - mean.value).powi(2)).sum();
        let sd = (squares / (differences.len() - 1).max(1) as f64).sqrt();
        let limits = [mean.value - LIMITS * sd, mean.value + LIMITS * sd];
        Some(Differences { mean, sd, limits })
    }
}

/// The radiographs of both tables, in the order of the first.
///
/// # Errors
/// When there is none, or the tables have different labels for one.
pub fn pair_readings(a: &Readings, b: &Readings) -> Result<Vec<PairedReading>, LabError> {
    let of_b: HashMap<&str, &ReadingRow> = b.rows.iter().map(|row| (row.id.as_str(), row)).collect();
    let mut pairs = Vec::new();
    for one in &a.rows {
        let Some(other) = of_b.get(one.id.as_str()) else { continue };
        if let (Some(first), Some(second)) = (one.truth, other.truth)
            && first != second
        {
            return Err(LabError::Data(format!(
                "id {} has the label {} in the first table and {} in the second; hint: --labels says which counts",
                one.id, first.0, second.0
            )));
        }
        pairs.push(PairedReading {
            id: one.id.clone(),
            sex: one.sex.or(other.sex),
            truth: one.truth.or(other.truth),
            a: one.predicted,
            b: other.predicted,
        });
    }
    if pairs.is_empty() {
        let example = |readings: &Readings| {
            readings.rows.first().map_or_else(|| "no id".to_owned(), |row| format!("{:?}", row.id))
        };
        return Err(LabError::Data(format!(
            "the tables have no id in common: the first begins with {}, the second with {}",
            example(a),
            example(b)
        )));
    }
    Ok(pairs)
}

impl Comparison {
    /// Compares `pairs`; `unpaired` radiographs stand in one table alone. `None` for no pair.
    pub fn of(pairs: &[PairedReading], unpaired: [usize; 2]) -> Option<Self> {
        let months = |months: Months| f64::from(months.0);
        let differences: Vec<f64> = pairs.iter().map(|pair| months(pair.b) - months(pair.a)).collect();
        let share = |limit: f64| {
            differences.iter().filter(|d| d.abs() <= limit).count() as f64 / differences.len() as f64
        };
        let labelled: Vec<[f64; 2]> = pairs
            .iter()
            .filter_map(|pair| {
                pair.truth.map(|truth| [pair.a, pair.b].map(|read| months(read) - months(truth)))
            })
            .collect();
        Some(Comparison {
            images: pairs.len(),
            unpaired,
            against_labels: AgainstLabels::of(&labelled),
            between: Differences::of("between", &differences)?,
            within: WITHIN.map(share),
        })
    }

    /// The comparison as tables for people, the two called by `names`.
    pub fn to_text(&self, names: [&str; 2]) -> String {
        let estimate =
            |e: &Estimate| format!("{:.2} ({:.2} to {:.2})", e.value, e.interval_95[0], e.interval_95[1]);
        let limits = |d: &Differences| format!("{:.1} to {:.1}", d.limits[0], d.limits[1]);
        let [a, b] = names;
        let mut text = format!(
            "a: {a}\nb: {b}\n{} radiographs in both, {} in a alone, {} in b alone\n",
            self.images, self.unpaired[0], self.unpaired[1]
        );
        if let Some(labels) = &self.against_labels {
            text.push_str(&format!(
                "\nagainst the label of {} radiographs, months\n{:<6} {:>22}  {:>24}  {:>20}  {:>13}\n",
                labels.images, "", "MAE (95 %)", "bias (95 %)", "limits of agreement", "within 12"
            ));
            for (name, scores, errors) in
                [("a", &labels.a, &labels.errors[0]), ("b", &labels.b, &labels.errors[1])]
            {
                text.push_str(&format!(
                    "{name:<6} {:>22}  {:>24}  {:>20}  {:>11.1} %\n",
                    estimate(&scores.mae),
                    estimate(&scores.bias),
                    limits(errors),
                    100.0 * scores.within_12.value
                ));
            }
            let [both, first, second, neither] = labels.within_12;
            text.push_str(&format!(
                "a - b  {:>22}  of MAE, radiograph by radiograph\n\n\
                 within 12 months of the label\n\
                 {:<16}{:>10}{:>10}\n{:<16}{both:>10}{first:>10}\n{:<16}{second:>10}{neither:>10}\n",
                estimate(&labels.mae_difference),
                "",
                "b within",
                "b beyond",
                "a within",
                "a beyond"
            ));
        }
        let [six, twelve, two_years] = self.within.map(|share| 100.0 * share);
        text.push_str(&format!(
            "\nb - a, months\nmean {}, standard deviation {:.2}, limits of agreement {}\n\
             within 6 months of each other {six:.1} %, within 12 {twelve:.1} %, within 24 {two_years:.1} %\n",
            estimate(&self.between.mean),
            self.between.sd,
            limits(&self.between)
        ));
        text
    }
}

impl AgainstLabels {
    /// From the two errors of each radiograph.
    fn of(errors: &[[f64; 2]]) -> Option<Self> {
        let [a, b] = [0, 1].map(|table| errors.iter().map(|both| both[table]).collect::<Vec<f64>>());
        let gains: Vec<f64> = errors.iter().map(|[a, b]| a.abs() - b.abs()).collect();
        let mut within_12 = [0; 4];
        for [a, b] in errors.iter().map(|both| both.map(|error| error.abs() <= WITHIN[1])) {
            within_12[2 * usize::from(!a) + usize::from(!b)] += 1;
        }
        // One stream for both, so that equal tables have equal intervals.
        Some(AgainstLabels {
            images: errors.len(),
            errors: [Differences::of("errors", &a)?, Differences::of("errors", &b)?],
            a: Scores::new("errors", &a)?,
            b: Scores::new("errors", &b)?,
            mae_difference: Estimate::of_mean("paired", &gains)?,
            within_12,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn readings(rows: &[(&str, f32, Option<f32>)]) -> Readings {
        let row = |&(id, predicted, truth): &(&str, f32, Option<f32>)| ReadingRow {
            id: id.to_owned(),
            predicted: Months(predicted),
            truth: truth.map(Months),
            sex: None,
        };
        Readings {
            column: "predicted".into(),
            rows: rows.iter().map(row).collect(),
            without_age: 0,
            has_parts: false,
        }
    }

    #[test]
    fn figures_agree_with_a_hand_computation() {
        let a = readings(&[
            ("1", 100.0, Some(110.0)),
            ("2", 60.0, Some(60.0)),
            ("3", 90.0, None),
            ("4", 1.0, None),
        ]);
        let b = readings(&[("3", 96.0, None), ("2", 80.0, Some(60.0)), ("1", 108.0, None), ("9", 1.0, None)]);
        let pairs = pair_readings(&a, &b).unwrap();
        let compared = Comparison::of(&pairs, [1, 1]).unwrap();
        assert_eq!((compared.images, compared.unpaired), (3, [1, 1]));
        // b - a: 8, 20, 6.
        assert!((compared.between.mean.value - 34.0 / 3.0).abs() < 1e-9);
        assert_eq!(compared.within, [1.0 / 3.0, 2.0 / 3.0, 1.0]);
        // Errors of a: -10, 0; of b: -2, 20.
        let labels = compared.against_labels.as_ref().unwrap();
        assert_eq!((labels.images, labels.a.mae.value, labels.b.mae.value), (2, 5.0, 11.0));
        assert_eq!((labels.mae_difference.value, labels.within_12), (-6.0, [1, 1, 0, 0]));
        assert!((labels.errors[0].limits[0] - (-5.0 - 1.96 * 50f64.sqrt())).abs() < 1e-9);
        let text = compared.to_text(["x", "y"]);
        assert!(text.contains("a - b") && text.contains("a within                 1         1"), "{text}");
    }

    #[test]
    fn tables_that_do_not_fit_are_named() {
        let a = readings(&[("1", 100.0, Some(110.0))]);
        let message = |b: &Readings| pair_readings(&a, b).unwrap_err().to_string();
        assert!(message(&readings(&[("2", 1.0, None)])).contains("begins with \"1\", the second with \"2\""));
        assert!(message(&readings(&[("1", 1.0, Some(111.0))])).contains("110 in the first table and 111"));
    }
}
