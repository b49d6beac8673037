use super::axes::{ABOVE, Axis, BELOW, LEFT, Plot};
use super::predictions::Series;
use super::theme::{MARGIN, OTHERS, PAPER, SERIES, WIDTH, refuse_empty, sheet, thousands};
use crate::metrics::{BAND, percentile};
use crate::{LabError, Scored};
use boneage_draw::{Anchor, Colour, Drawing, Frame, Point, Style};

const HEIGHT: f64 = 230.0;
const GAP: f64 = 34.0;
/// Share of the errors that the axis holds; a single stray would press all others flat.
const HELD: f64 = 0.995;
/// A band with fewer radiographs has no quartiles worth the name.
const LEAST: usize = 5;

/// Predicted minus true against the true age, one plot a series: dots, and for each band of two years the
/// median and the quartiles. Beside [`agreement`](super::agreement) in the paper's figure 9.
///
/// # Errors
/// When there is no series, or one without predictions.
pub fn residuals(title: &str, series: &[Series]) -> Result<Drawing, LabError> {
    refuse_empty(
        series.is_empty() || series.iter().any(|s| s.scored.is_empty()),
        "residuals",
        "predictions",
    )?;
    let row = ABOVE + HEIGHT + BELOW;
    let body = row * series.len() as f64 + GAP * (series.len() - 1) as f64;
    let subtitle = "box: the middle half of each band of two years, line: its median; above zero the age is told too high";
    let (mut drawing, top) = sheet(PAPER, WIDTH, body, title, subtitle);
    let all: Vec<Scored> = series.iter().flat_map(|one| one.scored.clone()).collect();
    let reach = reach(&all);
    let oldest = all.iter().map(|s| f64::from(s.truth.0)).fold(0.0, f64::max);
    for (index, one) in series.iter().enumerate() {
        let frame = Frame::new(
            MARGIN + LEFT,
            top + ABOVE + index as f64 * (row + GAP),
            WIDTH - 2.0 * MARGIN - LEFT,
            HEIGHT,
        );
        let step = if reach > 60.0 { 24.0 } else { 12.0 };
        let plot = Plot { frame, x: Axis::ages(oldest, false), y: Axis::stepped(-reach, reach, step) };
        plot.axes(&mut drawing, &one.name, "true bone age, months", "predicted \u{2212} true, months");
        let colour = SERIES[index % SERIES.len()];
        draw(&mut drawing, &plot, one, colour, reach);
    }
    Ok(drawing)
}

/// The multiple of 12 months that holds nearly all errors.
fn reach(scored: &[Scored]) -> f64 {
    let mut sizes: Vec<f64> = scored.iter().map(|s| s.error().abs()).collect();
    sizes.sort_by(f64::total_cmp);
    ((percentile(&sizes, HELD) / 12.0).ceil() * 12.0).max(24.0)
}

fn draw(drawing: &mut Drawing, plot: &Plot, one: &Series, colour: Colour, reach: f64) {
    let held = |s: &&Scored| s.error().abs() <= reach;
    let place = |s: &Scored| plot.at(f64::from(s.truth.0), s.error());
    let centres: Vec<Point> = one.scored.iter().filter(held).map(place).collect();
    drawing.dots(&centres, 1.8, Style::fill(colour).opacity(0.22));
    plot.level(drawing, 0.0, Style::line(OTHERS, 1.2));
    let bands = (plot.x.high() / f64::from(BAND)) as usize;
    for band in 0..bands {
        let from = band as f64 * f64::from(BAND);
        let within = |s: &&Scored| (from..from + f64::from(BAND)).contains(&f64::from(s.truth.0));
        let mut errors: Vec<f64> = one.scored.iter().filter(within).map(Scored::error).collect();
        if errors.len() < LEAST {
            continue;
        }
        errors.sort_by(f64::total_cmp);
        let [low, median, high] = [0.25, 0.5, 0.75].map(|share| percentile(&errors, share));
        let (left, top) = plot.at(from + 5.0, high);
        let (right, bottom) = plot.at(from + f64::from(BAND) - 5.0, low);
        let quartiles = Frame::new(left, top, right - left, bottom - top);
        drawing.rectangle(quartiles, 3.0, Style::fill([255; 3]).opacity(0.5));
        drawing.rectangle(quartiles, 3.0, Style::line(colour, 1.6));
        let ends = [from + 5.0, from + f64::from(BAND) - 5.0].map(|age| plot.at(age, median));
        drawing.path(&ends, Style::line(PAPER.ink, 2.4));
    }
    let beyond = one.scored.len() - centres.len();
    let note = match beyond {
        0 => format!("n = {}", thousands(one.scored.len())),
        _ => format!("n = {}, {beyond} of them beyond \u{b1}{reach:.0}", thousands(one.scored.len())),
    };
    let corner = (plot.frame.right(), plot.frame.y - 13.0);
    drawing.words(corner, PAPER.label().anchored(Anchor::End), &note);
}
