use super::axes::{ABOVE, Axis, BELOW, LEFT, Plot};
use super::predictions::{Series, limits, mean_absolute_error, sexes};
use super::theme::{LEGEND, MARGIN, PAPER, WIDTH, legend, of_sex, refuse_empty, sheet, thousands};
use crate::{LabError, Scored};
use boneage_core::Sex;
use boneage_draw::{Anchor, Colour, Drawing, Frame, Point, Style};

const GAP: f64 = 32.0;
/// Side of a plot that stands alone.
const ALONE: f64 = 540.0;
const DOT: f64 = 2.0;
/// Predictions of one label within so many months count as neighbours: so far dots overlap.
const CELL: f64 = 3.0;
/// Opacity of a dot among up to 1, 2, 4, 8 and more neighbours, itself included.
const OPACITIES: [f32; 5] = [0.7, 0.52, 0.38, 0.28, 0.2];

/// Predicted against true bone age, one plot a series, two in a row: the paper's figure 9 for the networks and
/// its figure 4 for the regressions. Dots are the fainter the more of them lie around, so that a crowd and a
/// few strays are seen alike.
///
/// # Errors
/// When there is no series, or one without predictions.
pub fn agreement(title: &str, series: &[Series]) -> Result<Drawing, LabError> {
    refuse_empty(
        series.is_empty() || series.iter().any(|s| s.scored.is_empty()),
        "agreement",
        "predictions",
    )?;
    let columns = series.len().min(2);
    let side = if columns == 1 { ALONE } else { (WIDTH - 2.0 * MARGIN - GAP) / 2.0 - LEFT };
    let row = ABOVE + side + BELOW;
    let rows = series.len().div_ceil(2);
    let width = 2.0 * MARGIN + columns as f64 * (LEFT + side) + (columns - 1) as f64 * GAP;
    let body = LEGEND + row * rows as f64 + GAP * (rows - 1) as f64;
    let subtitle = "each dot a radiograph; grey line: predicted as true";
    let (mut drawing, top) = sheet(PAPER, width, body, title, subtitle);
    let sexes: Vec<(&str, Colour)> = sexes(series).iter().map(|sex| (sex.as_str(), of_sex(*sex))).collect();
    legend(&mut drawing, top, &sexes);
    // One scale for all, so that plots compare.
    let [low, high] = limits(series);
    for (index, one) in series.iter().enumerate() {
        let (column, line) = ((index % columns) as f64, (index / columns) as f64);
        let x = MARGIN + LEFT + column * (LEFT + side + GAP);
        let frame = Frame::new(x, top + LEGEND + ABOVE + line * (row + GAP), side, side);
        let axis = Axis::stepped(low, high, 48.0);
        let plot = Plot { frame, x: axis.clone(), y: axis };
        let name = format!("{}   MAE {:.1} months", one.name, mean_absolute_error(&one.scored));
        plot.axes(&mut drawing, &name, "true bone age, months", "predicted, months");
        let ends = [plot.at(low, low), plot.at(high, high)];
        drawing.path(&ends, Style::line(PAPER.soft, 1.2));
        dots(&mut drawing, &plot, &one.scored);
        let count = format!("n = {}", thousands(one.scored.len()));
        let place = (frame.right() - 4.0, frame.bottom() - 10.0);
        drawing.words(place, PAPER.label().anchored(Anchor::End), &count);
    }
    Ok(drawing)
}

fn dots(drawing: &mut Drawing, plot: &Plot, scored: &[Scored]) {
    let cell =
        |s: &Scored| [s.truth.0, s.predicted.0].map(|months| (f64::from(months) / CELL).floor() as i64);
    let mut crowd = std::collections::HashMap::new();
    for one in scored {
        *crowd.entry(cell(one)).or_insert(0usize) += 1;
    }
    let mut steps: Vec<[Vec<Point>; 2]> = vec![[Vec::new(), Vec::new()]; OPACITIES.len()];
    for one in scored {
        let neighbours = crowd[&cell(one)] as f64;
        let step = (neighbours.log2().ceil() as usize).min(OPACITIES.len() - 1);
        let place = plot.at(f64::from(one.truth.0), f64::from(one.predicted.0));
        steps[step][usize::from(one.sex == Sex::Female)].push(place);
    }
    for (step, of_step) in steps.iter().enumerate().rev() {
        let opacity = OPACITIES[step];
        for (centres, sex) in of_step.iter().zip([Sex::Male, Sex::Female]) {
            if !centres.is_empty() {
                drawing.dots(centres, DOT, Style::fill(of_sex(sex)).opacity(opacity));
            }
        }
    }
}
