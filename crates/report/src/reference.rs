use crate::ReportError;
use crate::between::between;
use boneage_core::{Assessment, ChronologicalAge, Months, Sex};
use std::fs;
use std::path::Path;

/// What bone age is usual at which age: means and standard deviations by sex.
#[derive(Clone, Debug, PartialEq)]
pub struct Reference {
    /// For people: `Brush Foundation`.
    pub name: String,
    /// Where the numbers stand.
    pub source: String,
    female: Vec<ReferenceRow>,
    male: Vec<ReferenceRow>,
}

/// What is usual at one age, in months.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ReferenceRow {
    /// Chronological age.
    pub age: f32,
    /// Mean of the bone ages.
    pub mean: f32,
    /// Their standard deviation.
    pub sd: f32,
}

/// How a bone age stands to the age of its child.
#[derive(Clone, Debug, PartialEq)]
pub struct Standing {
    /// Bone age minus chronological age, in months.
    pub difference: f32,
    /// The same beside the spread of healthy children.
    pub score: Score,
    /// Mean and standard deviation of bone age at the child's age, in months, where the reference has them.
    pub usual: Option<(f32, f32)>,
    /// The name of the reference.
    pub reference: String,
}

/// A standard deviation score, or why there is none.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Score {
    /// Standard deviations above (below: negative) the mean of the reference.
    Sds(f32),
    /// The age lies outside the reference's table, from and to these ages: nothing is extrapolated.
    OutsideTable {
        /// The least age of the table.
        from: Months,
        /// The greatest age of the table.
        to: Months,
    },
    /// The reference needs a sex, and none is known.
    SexUnknown,
}

/// Age in months and the standard deviation of bone age, in months.
type Spread = (u16, f32);

/// Brush Foundation Study, boys. As printed in W. W. Greulich and S. I. Pyle, Radiographic Atlas of Skeletal
/// Development of the Hand and Wrist, 2nd edition, Stanford 1959.
const BRUSH_BOYS: [Spread; 24] = [
    (3, 0.69),
    (6, 1.13),
    (9, 1.43),
    (12, 1.97),
    (18, 3.52),
    (24, 3.92),
    (30, 4.52),
    (36, 5.08),
    (42, 5.40),
    (48, 6.66),
    (54, 8.36),
    (60, 8.79),
    (72, 9.17),
    (84, 8.91),
    (96, 9.10),
    (108, 9.00),
    (120, 9.79),
    (132, 10.09),
    (144, 10.38),
    (156, 10.44),
    (168, 10.72),
    (180, 11.32),
    (192, 12.86),
    (204, 13.05),
];

/// The same of girls.
const BRUSH_GIRLS: [Spread; 23] = [
    (3, 0.72),
    (6, 1.16),
    (9, 1.36),
    (12, 1.77),
    (18, 3.49),
    (24, 4.64),
    (30, 5.37),
    (36, 5.97),
    (42, 7.48),
    (48, 8.98),
    (54, 10.73),
    (60, 11.65),
    (72, 10.23),
    (84, 9.64),
    (96, 10.23),
    (108, 10.74),
    (120, 11.73),
    (132, 11.94),
    (144, 10.24),
    (156, 10.67),
    (168, 11.30),
    (180, 9.23),
    (192, 7.31),
];

impl Reference {
    /// The standard deviations of the Brush Foundation Study about the chronological age, which radiologists use
    /// beside the Greulich and Pyle atlas. From 3 months to 17 years of boys, 16 of girls.
    ///
    /// The study's means differ from the chronological age by up to a few months and are not part of it: a
    /// reference with means can be given as a table.
    pub fn brush_foundation() -> Reference {
        let rows = |spreads: &[Spread]| {
            let row = |&(age, sd): &Spread| ReferenceRow { age: f32::from(age), mean: f32::from(age), sd };
            spreads.iter().map(row).collect()
        };
        Reference {
            name: "Brush Foundation".to_owned(),
            source:
                "Brush Foundation Study, standard deviations about the chronological age, in Greulich and \
                     Pyle, 2nd edition, 1959"
                    .to_owned(),
            female: rows(&BRUSH_GIRLS),
            male: rows(&BRUSH_BOYS),
        }
    }

    /// A reference of one's own from a table with a header and the columns `sex`, `age`, `mean`, `sd`; the last
    /// three in months. Empty lines and lines that begin with `#` are passed over.
    ///
    /// # Errors
    /// Names the line that cannot be used: a word that is no sex, a number that is none, an age out of order, a
    /// spread that is not above 0.
    pub fn from_csv(name: &str, text: &str) -> Result<Reference, ReportError> {
        let mut reference = Reference {
            name: name.to_owned(),
            source: name.to_owned(),
            female: Vec::new(),
            male: Vec::new(),
        };
        let lines = text.trim_start_matches('\u{feff}').lines().enumerate();
        let mut lines = lines.filter(|(_, line)| !line.trim().is_empty() && !line.starts_with('#'));
        let fault = |line: usize, reason: String| ReportError::Reference { line: line + 1, reason };
        let cells = |line: &str| line.split(',').map(|cell| cell.trim().to_owned()).collect::<Vec<_>>();
        match lines.next() {
            Some((_, header)) if cells(&header.to_ascii_lowercase()) == ["sex", "age", "mean", "sd"] => {}
            Some((line, header)) => return Err(fault(line, format!("the header is {header:?}"))),
            None => return Err(fault(0, "the table is empty".to_owned())),
        }
        for (line, text) in lines {
            let cells = cells(text);
            let [sex, age, mean, sd] = cells.as_slice() else {
                return Err(fault(line, format!("{} cells", cells.len())));
            };
            let sex: Sex = sex.parse().map_err(|_| fault(line, format!("{sex:?} is no sex")))?;
            let number = |cell: &String| {
                let number = cell.parse::<f32>().ok().filter(|number| number.is_finite());
                number.ok_or_else(|| fault(line, format!("{cell:?} is no number")))
            };
            let row = ReferenceRow { age: number(age)?, mean: number(mean)?, sd: number(sd)? };
            let rows = reference.rows_mut(sex);
            if row.sd <= 0.0 {
                return Err(fault(line, format!("a standard deviation of {}", row.sd)));
            }
            if let Some(before) = rows.last().filter(|before| before.age >= row.age) {
                return Err(fault(line, format!("age {} stands behind {}", row.age, before.age)));
            }
            rows.push(row);
        }
        Ok(reference)
    }

    /// The same from a file, whose name without its ending is the reference's.
    ///
    /// # Errors
    /// If the file cannot be read, or as [`from_csv`](Self::from_csv).
    pub fn read(path: &Path) -> Result<Reference, ReportError> {
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        Reference::from_csv(&name, &fs::read_to_string(path)?)
    }

    /// The table of a sex, ages ascending; empty where the reference has none.
    pub fn rows(&self, sex: Sex) -> &[ReferenceRow] {
        match sex {
            Sex::Female => &self.female,
            Sex::Male => &self.male,
        }
    }

    fn rows_mut(&mut self, sex: Sex) -> &mut Vec<ReferenceRow> {
        match sex {
            Sex::Female => &mut self.female,
            Sex::Male => &mut self.male,
        }
    }

    /// Mean and standard deviation at an age, in months; between two ages of the table on the line between them.
    /// `None` outside the table.
    pub fn at(&self, sex: Sex, age: Months) -> Option<(f32, f32)> {
        let (left, right, share) = between(self.rows(sex), |row| row.age, age.0)?;
        let mixed = |left: f32, right: f32| left + share * (right - left);
        Some((mixed(left.mean, right.mean), mixed(left.sd, right.sd)))
    }

    /// How the bone age of an assessment stands to its child's age, where both are known.
    pub fn standing_of(&self, assessment: &Assessment) -> Option<Standing> {
        let (age, months) = (assessment.chronological?, assessment.months?);
        Some(self.standing(assessment.sex.value, age, months))
    }

    /// How a bone age stands to the age of a child.
    pub fn standing(&self, sex: Option<Sex>, age: ChronologicalAge, bone_age: Months) -> Standing {
        let usual = sex.and_then(|sex| self.at(sex, age.months));
        let score = match sex {
            None => Score::SexUnknown,
            Some(sex) => match (usual, self.rows(sex)) {
                (Some((mean, sd)), _) => Score::Sds((bone_age.0 - mean) / sd),
                (None, [first, .., last]) => {
                    Score::OutsideTable { from: Months(first.age), to: Months(last.age) }
                }
                (None, rows) => {
                    let only = Months(rows.first().map_or(0.0, |row| row.age));
                    Score::OutsideTable { from: only, to: only }
                }
            },
        };
        Standing { difference: bone_age.0 - age.months.0, score, usual, reference: self.name.clone() }
    }
}

impl Score {
    /// `+1.2 SD`, or the reason in words.
    pub fn words(&self) -> String {
        match self {
            Score::Sds(sds) => format!("{sds:+.1} SD"),
            Score::OutsideTable { from, to } => {
                format!("outside the table of {:.0} to {:.0} months", from.0, to.0)
            }
            Score::SexUnknown => "none without a sex".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use boneage_core::AgeSource;

    fn age(months: f32) -> ChronologicalAge {
        ChronologicalAge { months: Months(months), source: AgeSource::Dates }
    }

    #[test]
    fn a_boy_of_ten_who_is_a_spread_ahead() {
        let brush = Reference::brush_foundation();
        let standing = brush.standing(Some(Sex::Male), age(120.0), Months(129.79));
        assert!((standing.difference - 9.79).abs() < 1e-4);
        assert_eq!(standing.score.words(), "+1.0 SD");
        assert_eq!(brush.at(Sex::Female, Months(126.0)), Some((126.0, (11.73 + 11.94) / 2.0)));
    }

    #[test]
    fn nothing_is_extrapolated() {
        let brush = Reference::brush_foundation();
        assert!(brush.at(Sex::Male, Months(3.0)).is_some() && brush.at(Sex::Male, Months(204.0)).is_some());
        for (sex, months) in [(Sex::Male, 204.1), (Sex::Male, 2.9), (Sex::Female, 192.1)] {
            let standing = brush.standing(Some(sex), age(months), Months(200.0));
            assert!(standing.score.words().starts_with("outside the table of 3 to"), "{standing:?}");
        }
        assert_eq!(brush.standing(None, age(100.0), Months(100.0)).score, Score::SexUnknown);
    }

    #[test]
    fn a_table_of_ones_own() {
        let text = "sex,age,mean,sd\n# ours\nfemale,120,118,10\nfemale,132,131,12\n\nm,120,122,11\n";
        let own = Reference::from_csv("own.csv", text).unwrap();
        assert_eq!(own.at(Sex::Female, Months(126.0)), Some((124.5, 11.0)));
        assert_eq!(own.at(Sex::Male, Months(120.0)), Some((122.0, 11.0)));
        assert_eq!(own.at(Sex::Male, Months(121.0)), None);
    }

    #[test]
    fn the_line_that_is_wrong_is_named() {
        let message = |text: &str| Reference::from_csv("t", text).unwrap_err().to_string();
        assert!(message("").contains("empty"));
        assert!(message("age,sd\n").contains("line 1: the header"));
        assert!(message("sex,age,mean,sd\nboy,1,1,1\n").contains("line 2: \"boy\" is no sex"));
        assert!(message("sex,age,mean,sd\nm,1,1,0\n").contains("standard deviation of 0"));
        assert!(message("sex,age,mean,sd\nm,2,1,1\nm,1,1,1\n").contains("line 3: age 1 stands behind 2"));
        assert!(message("sex,age,mean,sd\nm,1,nan,1\n").contains("no number"));
    }
}
