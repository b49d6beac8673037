use crate::{AssessError, Metric};
use boneage_core::{Months, Sex};
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

#[cfg(test)]
mod tests {
    use super::*;

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
}
