use super::axes::{ABOVE, Axis, BELOW, LEFT, Plot};
use super::theme::{LABEL, MARGIN, OTHERS, PAPER, SERIES, WIDTH, refuse_empty, sheet};
use crate::{EpochRecord, LabError};
use boneage_draw::{Anchor, Colour, Drawing, Frame, Point, Style, Words};

const HEIGHT: f64 = 300.0;
const GAP: f64 = 32.0;

/// The epochs of one training.
#[derive(Clone, Debug)]
pub struct LearningCurve {
    /// What it is called in the figure.
    pub name: String,
    /// Every finished epoch, in order.
    pub epochs: Vec<EpochRecord>,
}

/// Learning curves: loss on the training images and on the inner validation on the left, error on the inner
/// validation on the right, the epoch that was kept marked.
///
/// # Errors
/// When there is no curve, or one without epochs.
pub fn learning_curves(title: &str, curves: &[LearningCurve]) -> Result<Drawing, LabError> {
    let empty = curves.is_empty() || curves.iter().any(|curve| curve.epochs.is_empty());
    refuse_empty(empty, "learning-curves", "finished epochs")?;
    let body = ABOVE + HEIGHT + BELOW + legend_height(curves);
    let subtitle = "training images are augmented and their loss is taken with dropout, so that it may lie above that of the \
                    inner validation; the epoch that was kept is ringed";
    let (mut drawing, top) = sheet(PAPER, WIDTH, body, title, subtitle);
    let width = (WIDTH - 2.0 * MARGIN - GAP) / 2.0 - LEFT;
    let last = curves.iter().flat_map(|curve| &curve.epochs).map(|e| e.epoch).max().unwrap_or(1);
    let epochs = || Axis::stepped(1.0, f64::from(last.max(2)), tick_of(last));
    let frame = |column: f64| {
        Frame::new(
            MARGIN + LEFT + column * (width + LEFT + GAP),
            top + ABOVE + legend_height(curves),
            width,
            HEIGHT,
        )
    };
    let all = || curves.iter().flat_map(|curve| &curve.epochs);
    let losses = all().flat_map(|e| [e.loss, e.inner_loss]);
    let loss = Plot { frame: frame(0.0), x: epochs(), y: Axis::holding(losses, true) };
    loss.axes(&mut drawing, "Loss", "epoch", "of standardised ages");
    let error = Plot { frame: frame(1.0), x: epochs(), y: Axis::holding(all().map(|e| e.inner_mae), true) };
    error.axes(&mut drawing, "Error on the inner validation", "epoch", "mean absolute error, months");
    for (index, curve) in curves.iter().enumerate() {
        let colour = SERIES[index % SERIES.len()];
        line(&mut drawing, &loss, curve, colour, |e| e.loss, true);
        line(&mut drawing, &loss, curve, colour, |e| e.inner_loss, false);
        line(&mut drawing, &error, curve, colour, |e| e.inner_mae, false);
    }
    legend(&mut drawing, top, curves);
    Ok(drawing)
}

fn tick_of(last: u32) -> f64 {
    match last {
        0..=12 => 1.0,
        13..=24 => 2.0,
        25..=60 => 5.0,
        _ => 10.0,
    }
}

fn line(
    drawing: &mut Drawing,
    plot: &Plot,
    curve: &LearningCurve,
    colour: Colour,
    value: impl Fn(&EpochRecord) -> f64,
    training: bool,
) {
    let place = |e: &EpochRecord| plot.at(f64::from(e.epoch), value(e));
    let points: Vec<Point> = curve.epochs.iter().map(place).collect();
    let style = Style::line(colour, 2.2);
    if training {
        drawing.path(&points, style.dashed(5.0, 4.0));
        return;
    }
    drawing.path(&points, style);
    if curve.epochs.len() <= 15 {
        drawing.dots(&points, 3.0, Style::fill(colour));
    }
    if let Some(best) = curve.epochs.iter().rfind(|e| e.best) {
        drawing.dots(&[place(best)], 7.0, Style::line(PAPER.ink, 1.6));
    }
}

fn legend_height(curves: &[LearningCurve]) -> f64 {
    24.0 * (curves.len() + 1) as f64 + 14.0
}

/// What the lines mean, then the curves.
fn legend(drawing: &mut Drawing, top: f64, curves: &[LearningCurve]) {
    let mut x = MARGIN;
    for (name, dashed) in [("inner validation", false), ("training", true)] {
        let style = Style::line(OTHERS, 2.2);
        let ends = [(x, top + 9.0), (x + 32.0, top + 9.0)];
        drawing.path(&ends, if dashed { style.dashed(5.0, 4.0) } else { style });
        drawing.words((x + 42.0, top + 14.0), PAPER.label(), name);
        x += 42.0 + PAPER.label().width(name) + 30.0;
    }
    for (index, curve) in curves.iter().enumerate() {
        let y = top + 24.0 * (index + 1) as f64;
        let kept = curve.epochs.iter().rfind(|e| e.best).or(curve.epochs.last());
        let style = Style::line(SERIES[index % SERIES.len()], 3.0);
        drawing.path(&[(MARGIN, y + 9.0), (MARGIN + 32.0, y + 9.0)], style);
        let words = Words::bold(LABEL, PAPER.ink);
        drawing.words((MARGIN + 42.0, y + 14.0), words, &curve.name);
        if let Some(kept) = kept {
            let fact =
                format!("epoch {} of {}: {:.2} months", kept.epoch, curve.epochs.len(), kept.inner_mae);
            let x = MARGIN + 42.0 + words.width(&curve.name) + 16.0;
            drawing.words((x, y + 14.0), PAPER.label().anchored(Anchor::Start), &fact);
        }
    }
}
