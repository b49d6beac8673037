use crate::AssessError;
use boneage_core::{Interval, Months, Sex};
use serde::{Deserialize, Serialize};

/// How a model makes intervals: which predictions are usual for a child of each true age and sex.
///
/// An interval holds the true ages at which the prediction would be usual. So each age and sex keeps the promise
/// by itself: label-conditional split-conformal prediction (Vovk, Gammerman and Shafer, Algorithmic Learning in
/// a Random World, 2005, section 4.5), smoothed over ages.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IntervalTable {
    /// Promised coverage, 0.9 for 90 %.
    pub level: f32,
    /// Radiographs that it was calibrated on; none of them trained the model.
    pub images: usize,
    /// True ages in months, rising.
    pub ages: Vec<f32>,
    /// For each of `ages` the lowest and the highest prediction that is usual for a boy, in months; both rise.
    pub male: Vec<[f32; 2]>,
    /// The same for a girl.
    pub female: Vec<[f32; 2]>,
}

impl IntervalTable {
    /// Where the true age of a child read as `months` lies; for an unknown sex, whatever it is.
    pub fn interval(&self, months: Months, sex: Option<Sex>) -> Interval {
        let sexes = sex.map_or_else(|| vec![Sex::Male, Sex::Female], |sex| vec![sex]);
        let ends = sexes.into_iter().map(|sex| {
            let usual = match sex {
                Sex::Male => &self.male,
                Sex::Female => &self.female,
            };
            // The oldest child whose lowest usual prediction this is, and the youngest whose highest.
            let at = |end: usize| self.age_where(usual, end, months.0);
            [at(1), at(0)]
        });
        let [lower, upper] = ends.reduce(|a, b| [a[0].min(b[0]), a[1].max(b[1])]).unwrap_or([months.0; 2]);
        // Where a reading lies beyond every usual one, both ends come from the same side of the table.
        let [lower, upper] = [lower.min(months.0), upper.max(months.0)];
        Interval { lower: Months(lower.max(0.0)), upper: Months(upper.max(0.0)), level: self.level }
    }

    /// The age at which end `end` of the usual predictions is `prediction`; the first or last one where that is
    /// beyond the table.
    fn age_where(&self, usual: &[[f32; 2]], end: usize, prediction: f32) -> f32 {
        let above = usual.iter().position(|range| range[end] >= prediction);
        match above {
            None => self.ages.last().copied().unwrap_or(prediction),
            Some(0) => self.ages[0],
            Some(i) => {
                let (low, high) = (usual[i - 1][end], usual[i][end]);
                let share = (prediction - low) / (high - low).max(f32::EPSILON);
                self.ages[i - 1] + share * (self.ages[i] - self.ages[i - 1])
            }
        }
    }

    /// Refuses what cannot be looked up.
    pub(crate) fn check(&self) -> Result<(), AssessError> {
        let refuse = |field, value: String, allowed| Err(AssessError::Value { field, value, allowed });
        if !(self.level > 0.0 && self.level < 1.0) {
            return refuse("interval.level", self.level.to_string(), "between 0 and 1");
        }
        let rising = |values: &[f32]| values.iter().all(|v| v.is_finite()) && values.is_sorted();
        if self.ages.is_empty() || !rising(&self.ages) {
            return refuse("interval.ages", format!("{:?}", self.ages), "rising numbers of months");
        }
        for usual in [&self.male, &self.female] {
            let ends = [0, 1].map(|end| usual.iter().map(|range| range[end]).collect::<Vec<f32>>());
            let ordered = usual.iter().all(|[low, high]| low <= high);
            if usual.len() != self.ages.len() || !ordered || !ends.iter().all(|end| rising(end)) {
                let value = format!("{} pairs", usual.len());
                return refuse("interval", value, "a rising pair of months for each age");
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Boys are read up to 10 months too young and 20 too old, girls within 5.
    fn table() -> IntervalTable {
        let ages: Vec<f32> = (0..=20).map(|i| i as f32 * 12.0).collect();
        let around = |below: f32, above: f32| ages.iter().map(|age| [age - below, age + above]).collect();
        IntervalTable { level: 0.9, images: 100, male: around(10.0, 20.0), female: around(5.0, 5.0), ages }
    }

    fn ends(months: f32, sex: Option<Sex>) -> (f32, f32) {
        let Interval { lower, upper, .. } = table().interval(Months(months), sex);
        (lower.0, upper.0)
    }

    #[test]
    fn an_interval_holds_the_ages_for_which_the_reading_is_usual() {
        assert_eq!(ends(100.0, Some(Sex::Male)), (80.0, 110.0));
        assert_eq!(ends(100.0, Some(Sex::Female)), (95.0, 105.0));
        assert_eq!(ends(100.0, None), (80.0, 110.0));
        // Beyond the table its ends count, and the reading itself is always inside.
        assert_eq!(ends(3.0, Some(Sex::Male)), (0.0, 13.0));
        assert_eq!(ends(300.0, Some(Sex::Female)), (240.0, 300.0));
    }

    #[test]
    fn a_table_that_cannot_be_looked_up_is_refused() {
        assert!(table().check().is_ok());
        let broken: [fn(&mut IntervalTable); 4] = [
            |t| t.level = 1.0,
            |t| t.ages.swap(3, 4),
            |t| t.male[5] = [70.0, 60.0],
            |t| t.female.truncate(3),
        ];
        for change in broken {
            let mut table = table();
            change(&mut table);
            assert!(table.check().is_err(), "{table:?}");
        }
    }
}
