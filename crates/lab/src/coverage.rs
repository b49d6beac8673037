use crate::metrics::{band_name, band_of};
use crate::split::bucket;
use crate::{LabError, Scored, calibrate_intervals};
use boneage_core::{Months, Sex};
use serde::Serialize;

/// How far the share over all images may lie from the promise.
const TOLERANCE: f64 = 0.02;
/// What chance does in all but 1 of 100 cells is no failure.
const CHANCE: f64 = 0.99;
/// Cells of fewer images are shown and not judged: their exact range goes up to all of them, and down so far
/// that only nonsense would fail.
const JUDGED: usize = 30;

/// How often intervals held the label, by sex and band of 24 months.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Coverage {
    /// The promise, 0.9 for 90 %.
    pub level: f32,
    /// All images, each sex, then each sex by age.
    pub cells: Vec<CoveredCell>,
}

/// One group of images with intervals.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CoveredCell {
    /// `all`, `male`, `male, 24 to 48 months`.
    pub group: String,
    /// Images counted.
    pub images: usize,
    /// Those whose label lay in the interval.
    pub covered: usize,
    /// From how many to how many would be chance, were the promise exact: all but 1 of 100 draws of a binomial
    /// distribution, half of the rest on either side.
    pub expected: [usize; 2],
    /// Mean width of the intervals in months.
    pub mean_width: f64,
}

impl CoveredCell {
    fn of(group: String, scored: &[&Scored], level: f64) -> Option<Self> {
        let images = scored.len();
        let intervals = || scored.iter().filter_map(|s| Some((s.interval?, s.truth)));
        let covered = intervals().filter(|(interval, truth)| interval.holds(*truth)).count();
        let width: f64 = intervals().map(|(interval, _)| f64::from(interval.width())).sum();
        let expected = binomial_range(images, level, CHANCE);
        (images > 0).then(|| CoveredCell {
            group,
            images,
            covered,
            expected,
            mean_width: width / images as f64,
        })
    }

    /// Share of the images whose label lay in the interval.
    pub fn share(&self) -> f64 {
        self.covered as f64 / self.images as f64
    }

    /// Whether the cell is large enough to be judged and covered too seldom or too often for chance.
    pub fn fails(&self) -> bool {
        self.images >= JUDGED && !(self.expected[0]..=self.expected[1]).contains(&self.covered)
    }
}

impl Coverage {
    /// Of those with an interval; `None` where nobody has one.
    pub fn of(scored: &[Scored]) -> Option<Self> {
        let with: Vec<&Scored> = scored.iter().filter(|s| s.interval.is_some()).collect();
        let level = with.first()?.interval?.level;
        let bands = with.iter().map(|s| band_of(s)).max().map_or(0, |last| last + 1);
        let sexes = [Sex::Male, Sex::Female];
        let cell = |group: String, keep: &dyn Fn(&Scored) -> bool| {
            let kept: Vec<&Scored> = with.iter().copied().filter(|s| keep(s)).collect();
            CoveredCell::of(group, &kept, f64::from(level))
        };
        let mut cells = vec![cell("all".to_owned(), &|_| true)];
        cells.extend(sexes.map(|sex| cell(sex.to_string(), &|s| s.sex == sex)));
        for sex in sexes {
            let of_band =
                |band| cell(format!("{sex}, {}", band_name(band)), &|s| s.sex == sex && band_of(s) == band);
            cells.extend((0..bands).map(of_band));
        }
        Some(Coverage { level, cells: cells.into_iter().flatten().collect() })
    }

    /// What breaks the promise, in words: the share over all images, or a sex and age.
    pub fn failures(&self) -> Vec<String> {
        let level = f64::from(self.level);
        let percent = |share: f64| share * 100.0;
        let overall = self.cells.first().filter(|all| (all.share() - level).abs() > TOLERANCE);
        let overall = overall.map(|all| {
            let (low, high) = (percent(level - TOLERANCE), percent(level + TOLERANCE));
            format!(
                "intervals hold {:.1} % of all labels, allowed {low:.0} to {high:.0} %",
                percent(all.share())
            )
        });
        let of_cell = |cell: &CoveredCell| {
            let CoveredCell { group, images, covered, expected: [low, high], .. } = cell;
            format!("intervals hold {covered} of {images} labels ({group}), chance explains {low} to {high}")
        };
        let cells = self.cells.iter().skip(1).filter(|cell| cell.fails()).map(of_cell);
        overall.into_iter().chain(cells).collect()
    }

    /// The cells as a table for people.
    pub fn to_text(&self) -> String {
        let title = format!("intervals ({:.0} %)", self.level * 100.0);
        let mut text = format!(
            "{title:<26} {:>6}  {:>8}  {:>15}  {:>10}\n",
            "images", "covered", "99 % by chance", "mean width"
        );
        for cell in &self.cells {
            let percent = |count: usize| 100.0 * count as f64 / cell.images as f64;
            let [low, high] = cell.expected.map(percent);
            let (range, share) = (format!("{low:.1}-{high:.1} %"), 100.0 * cell.share());
            let mark = if cell.fails() { "  beyond chance" } else { "" };
            text.push_str(&format!(
                "{:<26} {:>6}  {share:>6.1} %  {range:>15}  {:>10.1}{mark}\n",
                cell.group, cell.images, cell.mean_width
            ));
        }
        text
    }
}

/// Each radiograph with the interval that those of the other folds give: what calibrating on `folds - 1` parts of
/// these predictions and using it on the rest would reach. Folds are by hash of the id.
///
/// # Errors
/// When a sex has too few radiographs for [`calibrate_intervals`].
pub fn cross_conformal(scored: &[Scored], level: f32, folds: u32) -> Result<Vec<Scored>, LabError> {
    let fold = |s: &Scored| bucket("boneage-fold-1", &s.id, folds.into());
    let mut tables = Vec::new();
    for left_out in 0..u64::from(folds) {
        let others: Vec<Scored> = scored.iter().filter(|s| fold(s) != left_out).cloned().collect();
        tables.push(calibrate_intervals(&others, level)?);
    }
    let with = |s: &Scored| {
        let read = Months(s.predicted.0.max(0.0));
        let interval = tables[fold(s) as usize].interval(read, Some(s.sex));
        Scored { interval: Some(interval), ..s.clone() }
    };
    Ok(scored.iter().map(with).collect())
}

/// The least and the largest number of successes among `n` tries of probability `p` that are not among the
/// `1 - inside` rarest, half of them on either side.
fn binomial_range(n: usize, p: f64, inside: f64) -> [usize; 2] {
    let tail = (1.0 - inside) / 2.0;
    // Logarithms: 0.1 to the power of thousands is no f64.
    let mut log_density = n as f64 * (1.0 - p).ln();
    let mut density = vec![log_density.exp()];
    for k in 1..=n {
        log_density += ((n - k + 1) as f64 / k as f64 * p / (1.0 - p)).ln();
        density.push(log_density.exp());
    }
    // One end of the range: steps inwards for as long as what has been left behind is rare enough.
    let steps = |from_end: &mut dyn Iterator<Item = &f64>| {
        let mut behind = 0.0;
        from_end
            .take_while(|density| {
                behind += **density;
                behind <= tail
            })
            .count()
    };
    [steps(&mut density.iter()), n - steps(&mut density.iter().rev())]
}

#[cfg(test)]
mod tests {
    use super::*;
    use boneage_core::{Interval, stream};

    #[test]
    fn the_range_of_chance_is_that_of_the_binomial_distribution() {
        // scipy.stats.binom(100, 0.9): cdf(81) = 0.0046, cdf(82) = 0.0100; sf(97) = 0.0019, sf(96) = 0.0078.
        assert_eq!(binomial_range(100, 0.9, 0.99), [82, 97]);
        assert_eq!(binomial_range(5, 0.9, 0.99), [2, 5]);
        let [low, high] = binomial_range(12_611, 0.9, 0.99);
        // 2.576 standard deviations of 33.69 around 11,349.9
        assert!(low.abs_diff(11_263) <= 2 && high.abs_diff(11_437) <= 2, "{low} {high}");
    }

    /// `count` girls of 100 to 106 months whose intervals hold the label in `held` cases.
    fn girls(count: usize, held: usize) -> Vec<Scored> {
        let girl = |i: usize| {
            let truth = Months(100.0 + (i % 7) as f32);
            let lower = Months(if i < held { truth.0 } else { truth.0 + 1.0 });
            let interval = Interval { lower, upper: Months(truth.0 + 20.0), level: 0.9 };
            let (id, sex) = (i.to_string(), Sex::Female);
            Scored { id, sex, truth, predicted: truth, accepted: None, interval: Some(interval) }
        };
        (0..count).map(girl).collect()
    }

    #[test]
    fn cells_are_counted_and_those_beyond_chance_fail() {
        let good = Coverage::of(&girls(200, 181)).unwrap();
        let groups: Vec<(&str, usize, usize)> =
            good.cells.iter().map(|cell| (cell.group.as_str(), cell.images, cell.covered)).collect();
        let expected = [("all", 200, 181), ("female", 200, 181), ("female, 96 to 120 months", 200, 181)];
        assert_eq!(groups, expected);
        assert!(good.failures().is_empty(), "{:?}", good.failures());
        assert_eq!(good.to_text().lines().count(), 4);
        let held: f64 = (181.0 * 20.0 + 19.0 * 19.0) / 200.0;
        assert!((good.cells[0].mean_width - held).abs() < 1e-6);

        let bad = Coverage::of(&girls(200, 160)).unwrap().failures();
        assert_eq!(bad.len(), 3, "{bad:?}");
        assert!(bad[0].contains("80.0 %") && bad[0].contains("88 to 92"), "{bad:?}");
        assert!(bad[2].contains("160 of 200") && bad[2].contains("96 to 120"), "{bad:?}");
        // Twenty are shown and not judged, but all images always are.
        assert_eq!(Coverage::of(&girls(20, 10)).unwrap().failures().len(), 1);
        assert!(Coverage::of(&[]).is_none());
    }

    #[test]
    fn intervals_of_the_other_folds_keep_the_promise() {
        let mut random = stream(8, &["folds"]);
        let mut one = |i: usize| {
            let truth = Months(random.uniform(20.0, 210.0) as f32);
            let predicted = Months(truth.0 + 9.0 * random.normal() as f32);
            let sex = if i.is_multiple_of(2) { Sex::Male } else { Sex::Female };
            Scored { id: i.to_string(), sex, truth, predicted, accepted: None, interval: None }
        };
        let scored: Vec<Scored> = (0..1500).map(&mut one).collect();
        let with = cross_conformal(&scored, 0.9, 5).unwrap();
        let coverage = Coverage::of(&with).unwrap();
        assert_eq!(coverage.cells[0].images, 1500);
        assert!((coverage.cells[0].share() - 0.9).abs() < 0.025, "{}", coverage.to_text());
        assert!(cross_conformal(&scored[..150], 0.9, 5).is_err());
    }
}
