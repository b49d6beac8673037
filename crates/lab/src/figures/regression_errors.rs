use super::axes::{ABOVE, Axis, BELOW, LEFT, Plot};
use super::theme::{MARGIN, OTHERS, PAPER, SERIES, WIDTH, refuse_empty, sheet};
use crate::LabError;
use boneage_draw::{Anchor, Colour, Drawing, Frame, Point, Style, Words};

const HEIGHT: f64 = 240.0;
const GAP: f64 = 32.0;
const TRAINING: Colour = SERIES[0];
const TEST: Colour = SERIES[1];

/// Errors of one regression with more and more components.
#[derive(Clone, Debug, PartialEq)]
pub struct ComponentCurve {
    /// What it is called in the figure: `linear, male`.
    pub name: String,
    /// In order of the number of components.
    pub points: Vec<ComponentError>,
    /// The number that cross-validation chose.
    pub chosen: Option<usize>,
    /// MAE of one constant age on the test images, in months.
    pub constant: Option<f64>,
}

/// Errors with one number of components.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ComponentError {
    /// Principal components kept.
    pub components: usize,
    /// MAE on the training images, in months.
    pub training: f64,
    /// MAE on the test images, in months.
    pub test: f64,
}

/// Error on training and on test images against the number of principal components, one plot a regression, two
/// in a row: the overfitting that the paper's section IV.A speaks of, beside its figure 4.
///
/// # Errors
/// When there is no curve, or one without points.
pub fn regression_errors(title: &str, curves: &[ComponentCurve]) -> Result<Drawing, LabError> {
    let empty = curves.is_empty() || curves.iter().any(|curve| curve.points.is_empty());
    refuse_empty(empty, "regression-errors", "numbers of components")?;
    let columns = curves.len().min(2);
    let width = (WIDTH - 2.0 * MARGIN - GAP) / 2.0 - LEFT;
    let row = ABOVE + HEIGHT + BELOW;
    let rows = curves.len().div_ceil(2);
    let whole = 2.0 * MARGIN + columns as f64 * (LEFT + width) + (columns - 1) as f64 * GAP;
    let body = 40.0 + row * rows as f64 + GAP * (rows - 1) as f64;
    let subtitle = "mean absolute error; dashed line: one constant age for everybody";
    let (mut drawing, top) = sheet(PAPER, whole, body, title, subtitle);
    let mut x = MARGIN;
    for (name, colour) in [("test images", TEST), ("training images", TRAINING)] {
        drawing.path(&[(x, top + 9.0), (x + 30.0, top + 9.0)], Style::line(colour, 2.6));
        drawing.words((x + 38.0, top + 14.0), Words::bold(PAPER.label().size, PAPER.ink), name);
        x += 38.0 + Words::bold(PAPER.label().size, PAPER.ink).width(name) + 28.0;
    }
    let errors = curves.iter().flat_map(|curve| {
        let points = curve.points.iter().flat_map(|point| [point.training, point.test]);
        points.chain(curve.constant)
    });
    let y = Axis::holding(errors, true);
    for (index, curve) in curves.iter().enumerate() {
        let (column, line) = ((index % columns) as f64, (index / columns) as f64);
        let left = MARGIN + LEFT + column * (LEFT + width + GAP);
        let frame = Frame::new(left, top + 40.0 + ABOVE + line * (row + GAP), width, HEIGHT);
        let components = || curve.points.iter().map(|point| point.components as f64);
        let (least, most) = components().fold((f64::MAX, 1.0f64), |(a, b), n| (a.min(n), b.max(n)));
        let ticks = [1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1000.0, 2000.0, 5000.0];
        let plot = Plot { frame, x: Axis::logarithmic(least.max(1.0), most, &ticks), y: y.clone() };
        plot.axes(&mut drawing, &curve.name, "principal components", "mean absolute error, months");
        draw(&mut drawing, &plot, curve);
    }
    Ok(drawing)
}

fn draw(drawing: &mut Drawing, plot: &Plot, curve: &ComponentCurve) {
    if let Some(constant) = curve.constant {
        plot.level(drawing, constant, Style::line(OTHERS, 1.6).dashed(6.0, 4.0));
    }
    if let Some(chosen) = curve.chosen {
        let (x, _) = plot.at(chosen as f64, 0.0);
        drawing
            .path(&[(x, plot.frame.y), (x, plot.frame.bottom())], Style::line(OTHERS, 1.0).dashed(2.0, 3.0));
        let note = format!("chosen: {chosen}");
        let fits = x + 6.0 + PAPER.label().width(&note) < plot.frame.right();
        let (x, anchor) = if fits { (x + 6.0, Anchor::Start) } else { (x - 6.0, Anchor::End) };
        drawing.words((x, plot.frame.bottom() - 8.0), PAPER.label().anchored(anchor), &note);
    }
    for (value, colour) in
        [((|point| point.training) as fn(&ComponentError) -> f64, TRAINING), (|point| point.test, TEST)]
    {
        let place = |point: &ComponentError| plot.at(point.components.max(1) as f64, value(point));
        let points: Vec<Point> = curve.points.iter().map(place).collect();
        drawing.path(&points, Style::line(colour, 2.4));
        drawing.dots(&points, 3.2, Style::fill(colour));
    }
}
