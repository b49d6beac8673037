use crate::Dataset;
use crate::metrics::percentile;
use boneage_core::Sex;
use serde::Serialize;

/// What a data set holds: the paper's section III.A in numbers.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DatasetAnalysis {
    /// Radiographs with a label.
    pub radiographs: usize,
    /// Male, female and both, in this order.
    pub groups: Vec<AgeGroup>,
    /// Share of the labels that are whole years, 0..1.
    pub whole_years: f64,
    /// Radiographs by age, from year 0 to the oldest.
    pub years: Vec<YearCount>,
}

/// Ages of one sex, or of both.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AgeGroup {
    /// The sex; `None` for both.
    pub sex: Option<Sex>,
    /// Radiographs counted.
    pub radiographs: usize,
    /// Mean label in months; 0 where there is none, as the figures below.
    pub mean: f64,
    /// Standard deviation of the labels in months.
    pub sd: f64,
    /// Median label in months.
    pub median: f64,
    /// Lowest and highest label in months.
    pub range: [f64; 2],
    /// How many labels differ.
    pub distinct: usize,
}

/// Radiographs whose label rounds to one year.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct YearCount {
    /// The year: labels from six months below to, not including, six months above.
    pub years: u32,
    /// Of boys.
    pub male: usize,
    /// Of girls.
    pub female: usize,
}

impl DatasetAnalysis {
    /// Counts the labelled radiographs of a data set; their images are not read.
    pub fn of(dataset: &Dataset) -> Self {
        let labels = labels(dataset);
        let groups = AgeGroup::all(&labels);
        let year = |months: f64| ((months + 6.0) / 12.0) as u32;
        let last = labels.iter().map(|&(_, months)| year(months)).max();
        let of_year = |years: u32| {
            let count = |sex| labels.iter().filter(|label| label.0 == sex && year(label.1) == years).count();
            YearCount { years, male: count(Sex::Male), female: count(Sex::Female) }
        };
        let whole = labels.iter().filter(|(_, months)| months % 12.0 == 0.0).count();
        DatasetAnalysis {
            radiographs: labels.len(),
            groups: groups.into(),
            whole_years: whole as f64 / labels.len().max(1) as f64,
            years: last.map_or(Vec::new(), |last| (0..=last).map(of_year).collect()),
        }
    }

    /// The groups as a table for people.
    pub fn to_text(&self) -> String {
        let mut text = format!(
            "{:<8} {:>11} {:>7} {:>6} {:>7} {:>11} {:>9}\n",
            "months", "radiographs", "mean", "SD", "median", "range", "distinct"
        );
        for group in &self.groups {
            let name = group.sex.map_or("both", Sex::as_str);
            let [low, high] = group.range;
            text.push_str(&format!(
                "{name:<8} {:>11} {:>7.1} {:>6.1} {:>7.1} {:>11} {:>9}\n",
                group.radiographs,
                group.mean,
                group.sd,
                group.median,
                format!("{low:.0} to {high:.0}"),
                group.distinct
            ));
        }
        text.push_str(&format!("{:.1} % of the labels are whole years\n", self.whole_years * 100.0));
        text
    }
}

/// Sex and age of every radiograph, in order.
fn labels(dataset: &Dataset) -> Vec<(Sex, f64)> {
    dataset.radiographs.iter().map(|r| (r.sex, f64::from(r.months.0))).collect()
}

impl AgeGroup {
    /// Male, female and both.
    pub(crate) fn of_dataset(dataset: &Dataset) -> [AgeGroup; 3] {
        AgeGroup::all(&labels(dataset))
    }

    fn all(labels: &[(Sex, f64)]) -> [AgeGroup; 3] {
        [Some(Sex::Male), Some(Sex::Female), None].map(|sex| AgeGroup::of(sex, labels))
    }

    fn of(sex: Option<Sex>, labels: &[(Sex, f64)]) -> AgeGroup {
        let kept = labels.iter().filter(|label| sex.is_none_or(|sex| label.0 == sex));
        let mut ages: Vec<f64> = kept.map(|label| label.1).collect();
        let n = ages.len().max(1) as f64;
        let mean = ages.iter().sum::<f64>() / n;
        let variance = ages.iter().map(|age| (age - mean).powi(2)).sum::<f64>() / n;
        ages.sort_by(f64::total_cmp);
        let mut distinct = ages.clone();
        distinct.dedup();
        AgeGroup {
            sex,
            radiographs: ages.len(),
            mean,
            sd: variance.sqrt(),
            median: if ages.is_empty() { 0.0 } else { percentile(&ages, 0.5) },
            range: [ages.first(), ages.last()].map(|age| age.copied().unwrap_or(0.0)),
            distinct: distinct.len(),
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::Radiograph;
    use boneage_core::Months;

    /// A data set of labels without images.
    pub(crate) fn labelled(labels: &[(Sex, f32)]) -> Dataset {
        let radiograph = |(i, &(sex, months)): (usize, &(Sex, f32))| Radiograph {
            id: i.to_string(),
            path: format!("{i}.png").into(),
            months: Months(months),
            sex,
        };
        Dataset {
            radiographs: labels.iter().enumerate().map(radiograph).collect(),
            missing: Vec::new(),
            unlabelled: Vec::new(),
            rejected: Vec::new(),
        }
    }

    #[test]
    fn figures_agree_with_a_hand_computation() {
        let set = labelled(&[(Sex::Male, 24.0), (Sex::Male, 36.0), (Sex::Female, 29.0), (Sex::Male, 36.0)]);
        let found = DatasetAnalysis::of(&set);
        let [male, female, both] = &found.groups[..] else { panic!("{found:?}") };
        assert_eq!((male.radiographs, male.mean, male.median, male.distinct), (3, 32.0, 36.0, 2));
        assert!((male.sd - 32f64.sqrt()).abs() < 1e-12);
        assert_eq!((female.range, both.radiographs, found.whole_years), ([29.0, 29.0], 4, 0.75));
        let years: Vec<[usize; 3]> =
            found.years.iter().map(|year| [year.years as usize, year.male, year.female]).collect();
        assert_eq!(years, [[0, 0, 0], [1, 0, 0], [2, 1, 1], [3, 2, 0]]);
        assert!(found.to_text().contains("female             1    29.0"), "{}", found.to_text());
    }

    #[test]
    fn an_empty_set_has_no_numbers_and_no_years() {
        let found = DatasetAnalysis::of(&labelled(&[]));
        assert!(found.years.is_empty() && found.groups.iter().all(|group| group.mean == 0.0));
    }
}
