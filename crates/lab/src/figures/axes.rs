//! A plot: two axes with round ticks, and where a value lies between them.

use super::theme::{GRID, PAPER};
use boneage_draw::{Anchor, Drawing, Frame, Point, Style};

/// One axis.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Axis {
    low: f64,
    high: f64,
    ticks: Vec<f64>,
    logarithmic: bool,
}

impl Axis {
    /// From `low` to `high` with ticks at the multiples of `step`.
    pub(super) fn stepped(low: f64, high: f64, step: f64) -> Axis {
        let first = (low / step - 1e-9).ceil() as i64;
        let last = (high / step + 1e-9).floor() as i64;
        Axis { low, high, ticks: (first..=last).map(|i| i as f64 * step).collect(), logarithmic: false }
    }

    /// An axis that holds `values` between round ends, with about five ticks; from 0 where `from_zero`.
    pub(super) fn holding(values: impl Iterator<Item = f64>, from_zero: bool) -> Axis {
        let (low, high) = values
            .filter(|value| value.is_finite())
            .fold((f64::MAX, f64::MIN), |(low, high), value| (low.min(value), high.max(value)));
        let (low, high) = if low > high { (0.0, 1.0) } else { (low, high) };
        let low = if from_zero { low.min(0.0) } else { low };
        let raw = ((high - low) / 5.0).max(1e-9);
        let decade = 10f64.powf(raw.log10().floor());
        let step = [1.0, 2.0, 2.5, 5.0, 10.0].iter().map(|m| m * decade).find(|&step| step >= raw * 0.999);
        let step = step.unwrap_or(decade);
        Axis::stepped((low / step).floor() * step, (high / step).ceil() * step, step)
    }

    /// Bone ages from 0 to the two years that hold `most` months; a tick every two years, or four where
    /// `coarse`.
    pub(super) fn ages(most: f64, coarse: bool) -> Axis {
        Axis::stepped(0.0, (most / 24.0).ceil().max(1.0) * 24.0, if coarse { 48.0 } else { 24.0 })
    }

    /// A logarithmic axis over positive numbers, with those of `ticks` that lie on it.
    pub(super) fn logarithmic(low: f64, high: f64, ticks: &[f64]) -> Axis {
        let ticks = ticks.iter().copied().filter(|tick| (low..=high).contains(tick)).collect();
        Axis { low, high: high.max(low * 1.01), ticks, logarithmic: true }
    }

    pub(super) fn high(&self) -> f64 {
        self.high
    }

    /// Ticks and what stands at them.
    pub(super) fn marks(&self) -> impl Iterator<Item = (f64, String)> {
        self.ticks.iter().copied().zip(self.labels())
    }

    /// 0 at the lower end, 1 at the upper.
    pub(super) fn share(&self, value: f64) -> f64 {
        match self.logarithmic {
            true => (value / self.low).ln() / (self.high / self.low).ln(),
            false => (value - self.low) / (self.high - self.low),
        }
    }

    fn labels(&self) -> Vec<String> {
        let whole = self.ticks.iter().all(|tick| (tick - tick.round()).abs() < 1e-9);
        let tenths = self.ticks.iter().all(|tick| (tick * 10.0 - (tick * 10.0).round()).abs() < 1e-6);
        let digits = if whole { 0 } else { 2 - usize::from(tenths) };
        self.ticks.iter().map(|tick| format!("{:.digits$}", tick + 0.0).replace('-', "\u{2212}")).collect()
    }
}

/// Room that a plot needs outside its frame: above for its name and the vertical axis's, left, below.
pub(super) const ABOVE: f64 = 50.0;
/// Above a plot without a name of its own.
pub(super) const ABOVE_UNNAMED: f64 = 28.0;
pub(super) const LEFT: f64 = 44.0;
pub(super) const BELOW: f64 = 46.0;

/// Two axes over a frame.
pub(super) struct Plot {
    pub(super) frame: Frame,
    pub(super) x: Axis,
    pub(super) y: Axis,
}

impl Plot {
    /// Where a pair of values lies; beyond the frame where the axes do not hold it.
    pub(super) fn at(&self, x: f64, y: f64) -> Point {
        (
            self.frame.x + self.x.share(x) * self.frame.width,
            self.frame.bottom() - self.y.share(y) * self.frame.height,
        )
    }

    /// Grid, ticks and names: `name` of the plot and `down` of its vertical axis above it, `across` below.
    pub(super) fn axes(&self, drawing: &mut Drawing, name: &str, across: &str, down: &str) {
        let Frame { x, y, width, .. } = self.frame;
        drawing.words((x - LEFT + 8.0, y - 34.0), PAPER.name(), name);
        drawing.words((x - LEFT + 8.0, y - 13.0), PAPER.label(), down);
        for (tick, label) in self.y.marks() {
            let (_, level) = self.at(self.x.low, tick);
            drawing.path(&[(x, level), (x + width, level)], Style::line(GRID, 1.0));
            drawing.words((x - 8.0, level + 5.0), PAPER.label().anchored(Anchor::End), &label);
        }
        let bottom = self.frame.bottom();
        for (tick, label) in self.x.marks() {
            let (place, _) = self.at(tick, self.y.low);
            drawing.path(&[(place, bottom), (place, bottom + 5.0)], Style::line(PAPER.soft, 1.0));
            drawing.words((place, bottom + 20.0), PAPER.label().anchored(Anchor::Middle), &label);
        }
        drawing.path(&[(x, bottom), (x + width, bottom)], Style::line(PAPER.soft, 1.0));
        drawing.words((x + width / 2.0, bottom + 41.0), PAPER.label().anchored(Anchor::Middle), across);
    }

    /// A level through the whole width.
    pub(super) fn level(&self, drawing: &mut Drawing, value: f64, style: Style) {
        let (_, y) = self.at(self.x.low, value);
        drawing.path(&[(self.frame.x, y), (self.frame.right(), y)], style);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_hold_the_values() {
        let axis = Axis::holding([3.2, 41.0].into_iter(), true);
        assert_eq!(
            (axis.low, axis.high, axis.labels()),
            (0.0, 50.0, ["0", "10", "20", "30", "40", "50"].map(String::from).into())
        );
        let small = Axis::holding([0.196, 0.4544].into_iter(), false);
        assert!(
            small.low <= 0.196 && small.high >= 0.4544 && (3..9).contains(&small.ticks.len()),
            "{small:?}"
        );
        assert_eq!(Axis::holding(std::iter::empty(), true).high, 1.0);
        assert_eq!(Axis::stepped(-48.0, 48.0, 24.0).labels()[0], "\u{2212}48");
        assert_eq!(Axis::ages(228.0, false).ticks.len(), 11);
    }

    #[test]
    fn values_lie_where_the_axes_say() {
        let frame = Frame::new(100.0, 50.0, 200.0, 100.0);
        let x = Axis::logarithmic(1.0, 100.0, &[1.0, 10.0, 100.0, 1000.0]);
        let plot = Plot { frame, x, y: Axis::stepped(0.0, 10.0, 5.0) };
        assert_eq!(plot.at(10.0, 10.0), (200.0, 50.0));
        assert_eq!(plot.at(100.0, 0.0), (300.0, 150.0));
        assert_eq!(plot.x.ticks.len(), 3);
    }
}
