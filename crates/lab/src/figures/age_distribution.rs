use super::axes::{ABOVE_UNNAMED, Axis, BELOW, LEFT, Plot};
use super::theme::{LABEL, MARGIN, PAPER, WIDTH, of_sex, refuse_empty, sheet, thousands};
use crate::{DatasetAnalysis, LabError};
use boneage_core::Sex;
use boneage_draw::{Drawing, Frame, Point, Style, Words};

/// The paper's figure 2: how many radiographs there are of each age, by sex. Bars of a year.
///
/// # Errors
/// When the analysis counts no radiograph.
pub fn age_distribution(analysis: &DatasetAnalysis) -> Result<Drawing, LabError> {
    refuse_empty(analysis.radiographs == 0, "age-distribution", "labelled radiographs")?;
    let subtitle = format!(
        "{} radiographs; bars of one year, centred on whole years, as {:.0} % of the labels are whole years",
        thousands(analysis.radiographs),
        analysis.whole_years * 100.0
    );
    let height = 380.0;
    let body = ABOVE_UNNAMED + height + BELOW;
    let (mut drawing, top) = sheet(PAPER, WIDTH, body, "Bone ages of the data set", &subtitle);
    let frame = Frame::new(MARGIN + LEFT, top + ABOVE_UNNAMED, WIDTH - 2.0 * MARGIN - LEFT, height);
    let most = analysis.years.iter().map(|year| year.male.max(year.female)).max().unwrap_or(0) as f64;
    let last = analysis.years.last().map_or(0.0, |year| f64::from(year.years) * 12.0 + 6.0);
    let plot =
        Plot { frame, x: Axis::stepped(-6.0, last, 24.0), y: Axis::holding([0.0, most].into_iter(), true) };
    plot.axes(&mut drawing, "", "bone age, months", "radiographs");
    for sex in [Sex::Male, Sex::Female] {
        let outline = outline(&plot, analysis, sex);
        drawing.path(&outline, Style::fill(of_sex(sex)).opacity(0.22));
    }
    for sex in [Sex::Male, Sex::Female] {
        let outline = outline(&plot, analysis, sex);
        drawing.path(&outline, Style::line(of_sex(sex), 2.0));
    }
    legend(&mut drawing, analysis, frame);
    Ok(drawing)
}

/// Steps over the years, closed along the axis.
fn outline(plot: &Plot, analysis: &DatasetAnalysis, sex: Sex) -> Vec<Point> {
    let mut points = vec![plot.at(-6.0, 0.0)];
    for year in &analysis.years {
        let centre = f64::from(year.years) * 12.0;
        let count = match sex {
            Sex::Male => year.male,
            Sex::Female => year.female,
        };
        points.extend([centre - 6.0, centre + 6.0].map(|edge| plot.at(edge, count as f64)));
    }
    points.push((points.last().map_or(plot.frame.right(), |last| last.0), plot.frame.bottom()));
    points
}

/// In the upper left, where there are few children.
fn legend(drawing: &mut Drawing, analysis: &DatasetAnalysis, frame: Frame) {
    let mut y = frame.y + 16.0;
    for group in analysis.groups.iter().filter(|group| group.radiographs > 0) {
        let Some(sex) = group.sex else { continue };
        let x = frame.x + 16.0;
        let swatch = Frame::new(x, y - 12.0, 18.0, 14.0);
        drawing.rectangle(swatch, 2.0, Style::fill(of_sex(sex)).opacity(0.22));
        drawing.rectangle(swatch, 2.0, Style::line(of_sex(sex), 2.0));
        drawing.words(
            (x + 28.0, y),
            Words::bold(LABEL + 1.0, PAPER.ink),
            &format!("{sex}, n = {}", thousands(group.radiographs)),
        );
        let facts = format!("mean {:.1}, SD {:.1}, median {:.0} months", group.mean, group.sd, group.median);
        drawing.words((x + 28.0, y + 19.0), PAPER.label(), &facts);
        y += 50.0;
    }
}
