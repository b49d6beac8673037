use crate::{AssessError, Manifest, Metric};
use boneage_core::{Interval, Months, Sex};
use serde::{Deserialize, Serialize};

/// Ages are counted from here in a line, in months: about the mean of the training images, so that offset and
/// slope are told apart by the cases of a site.
const CENTRE: f32 = 120.0;
/// A line steeper or flatter than this is no correction of a reader's habit; it would also turn ages round.
const STEEPEST: f32 = 0.5;

/// What brings a model's readings to those of one site's readers: a line for each sex, fitted to cases of the site.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recalibration {
    /// For boys.
    pub male: AgeLine,
    /// For girls.
    pub female: AgeLine,
    /// What was measured on the site's cases: bias and mean absolute error before and after, by sex.
    pub metrics: Vec<Metric>,
}

/// `months + offset + slope (months - 120)`: rises for every slope above -1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AgeLine {
    /// Added at 120 months, in months.
    pub offset: f32,
    /// Added for each month above 120.
    pub slope: f32,
}

impl AgeLine {
    /// An age as the site's readers would tell it.
    pub fn apply(&self, months: Months) -> Months {
        Months(months.0 + self.offset + self.slope * (months.0 - CENTRE))
    }

    /// The reading that [`apply`](Self::apply) makes `months` of.
    pub fn undo(&self, months: Months) -> Months {
        Months((months.0 - self.offset + self.slope * CENTRE) / (1.0 + self.slope))
    }
}

impl Recalibration {
    /// The line of a sex; for an unknown one the mean of both.
    pub fn line(&self, sex: Option<Sex>) -> AgeLine {
        let mean = |of: fn(&AgeLine) -> f32| (of(&self.male) + of(&self.female)) / 2.0;
        match sex {
            Some(Sex::Male) => self.male,
            Some(Sex::Female) => self.female,
            None => AgeLine { offset: mean(|line| line.offset), slope: mean(|line| line.slope) },
        }
    }

    /// Refuses lines that are none.
    pub(crate) fn check(&self) -> Result<(), AssessError> {
        for (field, line) in [("recalibration.male", self.male), ("recalibration.female", self.female)] {
            if !line.offset.is_finite() || line.slope.is_nan() || line.slope.abs() > STEEPEST {
                let value = format!("offset {} and slope {}", line.offset, line.slope);
                return Err(AssessError::Value {
                    field,
                    value,
                    allowed: "an offset, a slope from -0.5 to 0.5",
                });
            }
        }
        Ok(())
    }
}

impl Manifest {
    /// Where the true age of a child that the model read as `months` lies; for an unknown sex, whatever it is.
    /// `None` for a model without intervals.
    pub fn interval_of(&self, months: Months, sex: Option<Sex>) -> Option<Interval> {
        let table = self.interval.as_ref()?;
        let Some(lines) = &self.recalibration else {
            return Some(table.interval(months, sex));
        };
        // The table knows the model's own readings: there by each sex's line, and back with both ends.
        let sexes = sex.map_or_else(|| vec![Sex::Male, Sex::Female], |sex| vec![sex]);
        let intervals = sexes.into_iter().map(|sex| {
            let line = lines.line(Some(sex));
            let Interval { lower, upper, level } = table.interval(line.undo(months), Some(sex));
            let [lower, upper] = [lower, upper].map(|end| Months(line.apply(end).0.max(0.0)));
            Interval { lower, upper, level }
        });
        intervals.reduce(|a, b| Interval {
            lower: Months(a.lower.0.min(b.lower.0)),
            upper: Months(a.upper.0.max(b.upper.0)),
            level: a.level,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::IntervalTable;
    use crate::manifest::tests::manifest;

    fn lines() -> Recalibration {
        let (male, female) = (AgeLine { offset: 6.0, slope: 0.1 }, AgeLine { offset: -2.0, slope: -0.3 });
        Recalibration { male, female, metrics: Vec::new() }
    }

    #[test]
    fn a_line_is_undone_and_an_unknown_sex_lies_between() {
        let lines = lines();
        assert_eq!(lines.male.apply(Months(120.0)), Months(126.0));
        assert_eq!(lines.line(Some(Sex::Female)).apply(Months(220.0)), Months(188.0));
        for sex in [None, Some(Sex::Male), Some(Sex::Female)] {
            let line = lines.line(sex);
            assert!((line.undo(line.apply(Months(77.0))).0 - 77.0).abs() < 1e-4);
        }
        assert_eq!(lines.line(None).apply(Months(120.0)), Months(122.0));
    }

    #[test]
    fn a_line_that_turns_ages_round_is_refused() {
        assert!(lines().check().is_ok());
        for line in [AgeLine { offset: 0.0, slope: -1.0 }, AgeLine { offset: f32::NAN, slope: 0.0 }] {
            assert!(Recalibration { female: line, ..lines() }.check().is_err(), "{line:?}");
        }
    }

    #[test]
    fn intervals_follow_the_line() {
        let ages: Vec<f32> = (0..=40).map(|i| i as f32 * 6.0).collect();
        let around: Vec<[f32; 2]> = ages.iter().map(|age| [age - 10.0, age + 10.0]).collect();
        let table = IntervalTable { level: 0.9, images: 200, male: around.clone(), female: around, ages };
        let mut manifest = manifest();
        assert_eq!(manifest.interval_of(Months(100.0), None), None);
        manifest.interval = Some(table);
        let ends = |manifest: &Manifest, months: f32, sex| {
            let Interval { lower, upper, .. } = manifest.interval_of(Months(months), sex).unwrap();
            [lower.0, upper.0].map(f32::round)
        };
        assert_eq!(ends(&manifest, 100.0, Some(Sex::Male)), [90.0, 110.0]);
        manifest.recalibration = Some(lines());
        // A boy whom the model reads as 120 is told as 126; 110 to 130 become 115 to 137.
        assert_eq!(ends(&manifest, 126.0, Some(Sex::Male)), [115.0, 137.0]);
        // A girl who is told as 126 was read as 131.4; 121.4 to 141.4 become 119 to 133.
        assert_eq!(ends(&manifest, 126.0, Some(Sex::Female)), [119.0, 133.0]);
        assert_eq!(ends(&manifest, 126.0, None), [115.0, 137.0]);
    }
}
