use super::axes::{ABOVE_UNNAMED, Axis, BELOW, LEFT, Plot};
use super::theme::{
    LABEL, LEGEND, MARGIN, OTHERS, PAPER, WIDTH, legend, of_sex, refuse_empty, sheet, thousands,
};
use crate::metrics::percentile;
use crate::{Differences, LabError};
use boneage_core::Sex;
use boneage_draw::{Anchor, Colour, Drawing, Frame, Point, Style, Words};

const HEIGHT: f64 = 380.0;
/// Right of the plot, for the names of the lines.
const LINES: f64 = 120.0;
const DOT: f64 = 2.4;
/// Share of the differences that the axis holds; a single stray would press all others flat.
const HELD: f64 = 0.998;

/// Two ages of one radiograph.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AgePair {
    /// The first, months: a label, or one reader's.
    pub first: f64,
    /// The second, months.
    pub second: f64,
    /// The sex, where it is known.
    pub sex: Option<Sex>,
}

/// The second age minus the first against the mean of both, with the bias and the limits of agreement, after
/// Bland and Altman, Lancet 1986. `names` are those of the first and the second.
///
/// # Errors
/// When there is no pair.
pub fn bland_altman(title: &str, names: [&str; 2], pairs: &[AgePair]) -> Result<Drawing, LabError> {
    refuse_empty(pairs.is_empty(), "bland-altman", "pairs of ages")?;
    let differences: Vec<f64> = pairs.iter().map(|pair| pair.second - pair.first).collect();
    let Some(of_all) = Differences::of("bland-altman", &differences) else {
        return Err(LabError::Data("the figure bland-altman has nothing to show".to_owned()));
    };
    let subtitle = "each dot a radiograph; lines: the mean difference, and 1.96 standard deviations from it on either side, between which 95 % lie if they are normal";
    let body = LEGEND + ABOVE_UNNAMED + HEIGHT + BELOW;
    let (mut drawing, top) = sheet(PAPER, WIDTH, body, title, subtitle);
    let present: Vec<Sex> = [Sex::Male, Sex::Female]
        .into_iter()
        .filter(|sex| pairs.iter().any(|pair| pair.sex == Some(*sex)))
        .collect();
    let named: Vec<(&str, Colour)> = present.iter().map(|sex| (sex.as_str(), of_sex(*sex))).collect();
    legend(&mut drawing, top, &named);

    let reach = reach(&differences, of_all.limits);
    let oldest = pairs.iter().map(|pair| (pair.first + pair.second) / 2.0).fold(0.0, f64::max);
    let frame =
        Frame::new(MARGIN + LEFT, top + LEGEND + ABOVE_UNNAMED, WIDTH - 2.0 * MARGIN - LEFT - LINES, HEIGHT);
    let step = if reach > 60.0 { 24.0 } else { 12.0 };
    let plot = Plot { frame, x: Axis::ages(oldest, false), y: Axis::stepped(-reach, reach, step) };
    let down = format!("{} \u{2212} {}, months", names[1], names[0]);
    plot.axes(&mut drawing, "", &format!("mean of {} and {}, months", names[0], names[1]), &down);
    for sex in [None, Some(Sex::Male), Some(Sex::Female)] {
        let of = pairs.iter().filter(|pair| pair.sex == sex && (pair.second - pair.first).abs() <= reach);
        let centres: Vec<Point> =
            of.map(|pair| plot.at((pair.first + pair.second) / 2.0, pair.second - pair.first)).collect();
        drawing.dots(&centres, DOT, Style::fill(sex.map_or(OTHERS, of_sex)).opacity(opacity(pairs.len())));
    }
    let [low, high] = of_all.limits;
    for (value, name) in [(high, "+1.96 SD"), (of_all.mean.value, "mean"), (low, "\u{2212}1.96 SD")] {
        let style = Style::line(PAPER.ink, if name == "mean" { 2.0 } else { 1.4 });
        plot.level(&mut drawing, value, if name == "mean" { style } else { style.dashed(6.0, 4.0) });
        let (_, y) = plot.at(0.0, value);
        let number = format!("{value:+.1}").replace('-', "\u{2212}");
        drawing.words((frame.right() + 10.0, y - 2.0), Words::bold(LABEL, PAPER.ink), &number);
        drawing.words((frame.right() + 10.0, y + 14.0), PAPER.label(), name);
    }
    let beyond = differences.iter().filter(|d| d.abs() > reach).count();
    let note = match beyond {
        0 => format!("n = {}", thousands(pairs.len())),
        _ => format!("n = {}, {beyond} of them beyond \u{b1}{reach:.0}", thousands(pairs.len())),
    };
    drawing.words((frame.right(), frame.y - 13.0), PAPER.label().anchored(Anchor::End), &note);
    Ok(drawing)
}

/// The multiple of 12 months that holds nearly all differences and both limits.
fn reach(differences: &[f64], limits: [f64; 2]) -> f64 {
    let mut sizes: Vec<f64> = differences.iter().map(|d| d.abs()).collect();
    sizes.sort_by(f64::total_cmp);
    let furthest = limits.iter().map(|limit| limit.abs()).fold(percentile(&sizes, HELD), f64::max);
    ((furthest / 12.0).ceil() * 12.0).max(24.0)
}

/// Few dots are solid, a crowd is faint.
fn opacity(count: usize) -> f32 {
    match count {
        0..200 => 0.75,
        200..1000 => 0.5,
        _ => 0.32,
    }
}
