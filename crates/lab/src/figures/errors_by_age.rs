use super::axes::{ABOVE_UNNAMED, Axis, BELOW, LEFT, Plot};
use super::predictions::Series;
use super::theme::{
    LABEL, LEGEND, MARGIN, PAPER, SERIES, WIDTH, legend, of_sex, refuse_empty, sheet, thousands,
};
use crate::metrics::BAND;
use crate::{Estimate, LabError};
use boneage_draw::{Anchor, Colour, Drawing, Frame, Style, Words};

const HEIGHT: f64 = 340.0;
/// Room for the counts under the axis.
const COUNTS: f64 = 26.0;

/// Mean absolute error by age, in bands of two years, with 95 % bootstrap intervals; one mark a series.
///
/// # Errors
/// When there is no series, or one without predictions.
pub fn errors_by_age(title: &str, series: &[Series]) -> Result<Drawing, LabError> {
    draw(title, series, &SERIES)
}

/// The same for one model's readings of boys and of girls, a series each in that order, in the colours of the
/// sexes.
///
/// # Errors
/// As [`errors_by_age`].
pub fn errors_by_sex(title: &str, series: &[Series]) -> Result<Drawing, LabError> {
    let sex = |one: &Series| one.scored.first().map_or(SERIES[0], |s| of_sex(s.sex));
    draw(title, series, &series.iter().map(sex).collect::<Vec<Colour>>())
}

/// A colour a series, again from the first where there are fewer.
fn draw(title: &str, series: &[Series], colours: &[Colour]) -> Result<Drawing, LabError> {
    refuse_empty(
        series.is_empty() || series.iter().any(|s| s.scored.is_empty()),
        "errors-by-age",
        "predictions",
    )?;
    let ages = series.iter().flat_map(|one| &one.scored).map(|s| f64::from(s.truth.0));
    // The oldest band is closed on the right by the next tick.
    let x = Axis::ages(ages.fold(0.0, f64::max) + 0.5, false);
    let bands: Vec<Vec<Band>> = series.iter().map(|one| bands_of(one, x.high())).collect();
    // Models that read the same films have one row of counts.
    let films = |bands: &[Band]| -> Vec<(f64, usize)> { bands.iter().map(|b| (b.from, b.images)).collect() };
    let same = bands.len() > 1 && bands.iter().all(|one| films(one) == films(&bands[0]));
    let rows = if same { 1 } else { series.len() };
    let body = LEGEND + ABOVE_UNNAMED + HEIGHT + BELOW + COUNTS * rows as f64;
    let subtitle = "in bands of two years; whiskers: 95 % bootstrap interval";
    let (mut drawing, top) = sheet(PAPER, WIDTH, body, title, subtitle);
    let names: Vec<(&str, Colour)> =
        series.iter().zip(colours.iter().cycle()).map(|(one, colour)| (one.name.as_str(), *colour)).collect();
    legend(&mut drawing, top, &names);
    let frame = Frame::new(MARGIN + LEFT, top + LEGEND + ABOVE_UNNAMED, WIDTH - 2.0 * MARGIN - LEFT, HEIGHT);
    let highest = bands.iter().flatten().map(|band| band.mae.interval_95[1]);
    let plot = Plot { frame, x, y: Axis::holding(highest, true) };
    plot.axes(&mut drawing, "", "true bone age, months", "mean absolute error, months");
    for (index, bands) in bands.iter().enumerate() {
        let colour = colours[index % colours.len()];
        let place = (index + 1) as f64 / (series.len() + 1) as f64;
        for band in bands {
            let age = band.from + f64::from(BAND) * place;
            let [low, high] = band.mae.interval_95.map(|end| plot.at(age, end));
            drawing.path(&[low, high], Style::line(colour, 2.0));
            drawing.dots(&[plot.at(age, band.mae.value)], 5.0, Style::fill(colour));
        }
        if index >= rows {
            continue;
        }
        let row = frame.bottom() + BELOW + COUNTS * (index as f64 + 0.7);
        let small =
            Words::regular(LABEL - 2.0, if same { PAPER.soft } else { colour }).anchored(Anchor::Middle);
        for band in bands {
            let (x, _) = plot.at(band.from + f64::from(BAND) / 2.0, 0.0);
            drawing.words((x, row), small, &thousands(band.images));
        }
        drawing.words((frame.x - 8.0, row), small.anchored(Anchor::End), "n");
    }
    Ok(drawing)
}

/// One band of one series.
struct Band {
    from: f64,
    images: usize,
    mae: Estimate,
}

fn bands_of(one: &Series, high: f64) -> Vec<Band> {
    let count = (high / f64::from(BAND)).round() as usize;
    let band = |index: usize| {
        let from = index as f64 * f64::from(BAND);
        let within =
            one.scored.iter().filter(|s| (from..from + f64::from(BAND)).contains(&f64::from(s.truth.0)));
        let errors: Vec<f64> = within.map(|s| s.error().abs()).collect();
        let mae = Estimate::of_mean(&format!("{} {from}", one.name), &errors)?;
        Some(Band { from, images: errors.len(), mae })
    };
    (0..count).filter_map(band).collect()
}
