use crate::between::between;
use boneage_core::{Months, Sex};

/// An adult height, predicted from a child's height and bone age (N. Bayley and S. R. Pinneau, Tables for predicting
/// adult height from skeletal age, Journal of Pediatrics 40, 1952, for use with the standards of Greulich and Pyle):
/// the height divided by the share of it that children of that bone age have reached.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AdultHeight {
    /// Centimetres.
    pub height: f32,
    /// Percent of it that is reached.
    pub reached: f32,
    /// Whose table it is.
    pub tempo: Tempo,
}

/// How the bone age stands to the age, which decides on the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tempo {
    /// Less than a year apart.
    Average,
    /// The bone age is a year or more ahead.
    Accelerated,
    /// It is a year or more behind.
    Retarded,
}

/// Why there is no prediction.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum NoAdultHeight {
    /// The tables are of boys and of girls.
    SexUnknown,
    /// The child's age decides on the table.
    AgeUnknown,
    /// The table goes from and to these bone ages: nothing is extrapolated.
    OutsideTable {
        /// The table.
        tempo: Tempo,
        /// Its least bone age.
        from: Months,
        /// Its greatest.
        to: Months,
    },
}

/// From which difference on a bone age is ahead or behind, in months.
const A_YEAR: f32 = 12.0;

/// Bone age in months and the percent of the adult height that is reached.
type Reached = (u16, f32);

// Each half year, as transcribed by the Royal College of Paediatrics and Child Health (growth-references, MIT licence)
// and checked against the heights that the same tables print: they are the height over the percentage.

const BOYS: [Reached; 24] = [
    (84, 69.5),
    (90, 70.9),
    (96, 72.3),
    (102, 73.9),
    (108, 75.2),
    (114, 76.9),
    (120, 78.4),
    (126, 79.5),
    (132, 80.4),
    (138, 81.8),
    (144, 83.4),
    (150, 85.3),
    (156, 87.6),
    (162, 90.2),
    (168, 92.7),
    (174, 94.8),
    (180, 96.8),
    (186, 97.6),
    (192, 98.2),
    (198, 98.7),
    (204, 99.1),
    (210, 99.4),
    (216, 99.6),
    (222, 100.0),
];

const BOYS_ACCELERATED: [Reached; 20] = [
    (84, 67.0),
    (90, 68.3),
    (96, 69.6),
    (102, 70.9),
    (108, 72.0),
    (114, 73.4),
    (120, 74.7),
    (126, 75.8),
    (132, 76.7),
    (138, 78.6),
    (144, 80.9),
    (150, 82.8),
    (156, 85.0),
    (162, 87.5),
    (168, 90.5),
    (174, 93.0),
    (180, 95.8),
    (186, 97.1),
    (192, 98.0),
    (198, 98.5),
];

const BOYS_RETARDED: [Reached; 15] = [
    (72, 68.0),
    (78, 70.0),
    (84, 71.8),
    (90, 73.8),
    (96, 75.6),
    (102, 77.3),
    (108, 78.6),
    (114, 80.0),
    (120, 81.2),
    (126, 81.9),
    (132, 82.3),
    (138, 83.2),
    (144, 84.5),
    (150, 86.0),
    (156, 88.0),
];

const GIRLS: [Reached; 25] = [
    (72, 72.0),
    (78, 73.8),
    (84, 75.7),
    (90, 77.2),
    (96, 79.0),
    (102, 81.0),
    (108, 82.7),
    (114, 84.4),
    (120, 86.2),
    (126, 88.4),
    (132, 90.6),
    (138, 91.4),
    (144, 92.2),
    (150, 94.1),
    (156, 95.8),
    (162, 97.4),
    (168, 98.0),
    (174, 98.6),
    (180, 99.0),
    (186, 99.3),
    (192, 99.6),
    (198, 99.7),
    (204, 99.9),
    (210, 99.9),
    (216, 100.0),
];

const GIRLS_ACCELERATED: [Reached; 21] = [
    (84, 71.2),
    (90, 73.2),
    (96, 75.0),
    (102, 77.1),
    (108, 79.0),
    (114, 80.9),
    (120, 82.8),
    (126, 85.6),
    (132, 88.3),
    (138, 89.1),
    (144, 90.1),
    (150, 92.4),
    (156, 94.5),
    (162, 96.3),
    (168, 97.2),
    (174, 98.0),
    (180, 98.6),
    (186, 99.0),
    (192, 99.3),
    (198, 99.5),
    (204, 99.8),
];

const GIRLS_RETARDED: [Reached; 23] = [
    (72, 73.3),
    (78, 75.1),
    (84, 77.0),
    (90, 78.8),
    (96, 80.4),
    (102, 82.3),
    (108, 84.1),
    (114, 85.8),
    (120, 87.4),
    (126, 89.6),
    (132, 91.8),
    (138, 92.6),
    (144, 93.2),
    (150, 94.9),
    (156, 96.4),
    (162, 97.7),
    (168, 98.3),
    (174, 98.9),
    (180, 99.4),
    (186, 99.6),
    (192, 99.8),
    (198, 99.9),
    (204, 100.0),
];

impl AdultHeight {
    /// From the height in centimetres, the bone age and the age; between two bone ages of a table on the line
    /// between them.
    ///
    /// # Errors
    /// Sex or age are unknown, or the bone age lies outside the table.
    pub fn predict(
        height: f32,
        bone_age: Months,
        sex: Option<Sex>,
        age: Option<Months>,
    ) -> Result<AdultHeight, NoAdultHeight> {
        let sex = sex.ok_or(NoAdultHeight::SexUnknown)?;
        let ahead = bone_age.0 - age.ok_or(NoAdultHeight::AgeUnknown)?.0;
        let tempo = if ahead >= A_YEAR {
            Tempo::Accelerated
        } else if ahead <= -A_YEAR {
            Tempo::Retarded
        } else {
            Tempo::Average
        };
        let table = table(sex, tempo);
        let reached = reached_at(table, bone_age.0).ok_or_else(|| {
            let [from, to] = [table.first(), table.last()].map(|row| Months(row.map_or(0.0, |r| r.0.into())));
            NoAdultHeight::OutsideTable { tempo, from, to }
        })?;
        Ok(AdultHeight { height: 100.0 * height / reached, reached, tempo })
    }
}

impl Tempo {
    /// As the tables call it.
    pub fn as_str(self) -> &'static str {
        match self {
            Tempo::Average => "average",
            Tempo::Accelerated => "accelerated",
            Tempo::Retarded => "retarded",
        }
    }
}

impl NoAdultHeight {
    /// In words.
    pub fn words(&self) -> String {
        match self {
            NoAdultHeight::SexUnknown => "the sex is unknown".to_owned(),
            NoAdultHeight::AgeUnknown => "the child's age is unknown".to_owned(),
            NoAdultHeight::OutsideTable { tempo, from, to } => format!(
                "outside the table of {} growth, which goes from {:.0} to {:.0} months of bone age",
                tempo.as_str(),
                from.0,
                to.0
            ),
        }
    }
}

fn table(sex: Sex, tempo: Tempo) -> &'static [Reached] {
    match (sex, tempo) {
        (Sex::Male, Tempo::Average) => &BOYS,
        (Sex::Male, Tempo::Accelerated) => &BOYS_ACCELERATED,
        (Sex::Male, Tempo::Retarded) => &BOYS_RETARDED,
        (Sex::Female, Tempo::Average) => &GIRLS,
        (Sex::Female, Tempo::Accelerated) => &GIRLS_ACCELERATED,
        (Sex::Female, Tempo::Retarded) => &GIRLS_RETARDED,
    }
}

/// The percentage at a bone age in months; `None` outside the table.
fn reached_at(table: &[Reached], months: f32) -> Option<f32> {
    let ((_, left), (_, right), share) = between(table, |(age, _)| f32::from(age), months)?;
    Some(left + share * (right - left))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentages_rise_with_the_bone_age_to_at_most_the_whole() {
        for sex in [Sex::Female, Sex::Male] {
            for tempo in [Tempo::Average, Tempo::Accelerated, Tempo::Retarded] {
                let table = table(sex, tempo);
                assert!(table.windows(2).all(|two| two[0].0 + 6 == two[1].0 && two[0].1 <= two[1].1));
                assert!(table.iter().all(|row| (65.0..=100.0).contains(&row.1)));
            }
        }
    }

    #[test]
    fn heights_are_those_that_the_tables_print() {
        // 60 inches at a bone age of 13 years and 0 months; 48 inches at 9 years and 0 months.
        let inches = |height: f32, bone_age: f32, sex, age: f32| {
            let predicted =
                AdultHeight::predict(2.54 * height, Months(bone_age), Some(sex), Some(Months(age)));
            (predicted.unwrap().height / 2.54 * 10.0).round() / 10.0
        };
        assert_eq!(inches(60.0, 156.0, Sex::Male, 150.0), 68.5);
        assert_eq!(inches(60.0, 156.0, Sex::Male, 144.0), 70.6);
        assert_eq!(inches(48.0, 108.0, Sex::Female, 108.0), 58.0);
        assert_eq!(inches(48.0, 108.0, Sex::Female, 120.0), 57.1);
    }

    #[test]
    fn what_is_missing_or_outside_is_told() {
        let predict =
            |bone_age, sex, age| AdultHeight::predict(120.0, Months(bone_age), sex, age).unwrap_err();
        assert_eq!(predict(100.0, None, Some(Months(100.0))), NoAdultHeight::SexUnknown);
        assert_eq!(predict(100.0, Some(Sex::Male), None), NoAdultHeight::AgeUnknown);
        let outside = predict(83.9, Some(Sex::Male), Some(Months(80.0)));
        assert!(outside.words().contains("average growth, which goes from 84 to 222"), "{}", outside.words());
        assert!(predict(157.0, Some(Sex::Male), Some(Months(170.0))).words().contains("72 to 156"));
    }

    #[test]
    fn a_year_decides_on_the_table() {
        let tempo = |age: f32| {
            AdultHeight::predict(140.0, Months(120.0), Some(Sex::Female), Some(Months(age))).unwrap().tempo
        };
        assert_eq!(
            [108.0, 108.1, 131.9, 132.0].map(tempo),
            [Tempo::Accelerated, Tempo::Average, Tempo::Average, Tempo::Retarded]
        );
    }
}
