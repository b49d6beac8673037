use super::axes::{ABOVE_UNNAMED, Axis, BELOW, LEFT, Plot};
use super::theme::{LEGEND, MARGIN, OTHERS, PAPER, legend, of_sex, refuse_empty, sheet, thousands};
use crate::LabError;
use boneage_core::Sex;
use boneage_draw::{Anchor, Colour, Drawing, Frame, Point, Style};

const SIDE: f64 = 460.0;
/// Half of a binomial share's middle 95 %, in standard deviations.
const HALF: f64 = 1.96;
/// The axes begin here: half of the labels are held by any interval worth the name.
const LOWEST: f64 = 40.0;

/// How many labels intervals of one promise held.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HeldShare {
    /// Whose.
    pub sex: Sex,
    /// What was promised, 0..1.
    pub promised: f64,
    /// Radiographs.
    pub images: usize,
    /// Those whose label lay in the interval.
    pub held: usize,
}

/// The share of labels that intervals held against the share that they promised, by sex.
///
/// # Errors
/// When there is no share.
pub fn reliability(title: &str, shares: &[HeldShare]) -> Result<Drawing, LabError> {
    refuse_empty(shares.is_empty(), "reliability", "intervals")?;
    let body = LEGEND + ABOVE_UNNAMED + SIDE + BELOW;
    let subtitle =
        "on the grey line intervals hold as many labels as they promise, above it more; whiskers: 95 %";
    let width = 2.0 * MARGIN + LEFT + SIDE;
    let (mut drawing, top) = sheet(PAPER, width, body, title, subtitle);
    let sexes = [Sex::Male, Sex::Female];
    let present: Vec<(&str, Colour)> = sexes
        .iter()
        .filter(|sex| shares.iter().any(|share| share.sex == **sex))
        .map(|sex| (sex.as_str(), of_sex(*sex)))
        .collect();
    legend(&mut drawing, top, &present);
    let frame = Frame::new(MARGIN + LEFT, top + LEGEND + ABOVE_UNNAMED, SIDE, SIDE);
    let axis = Axis::stepped(LOWEST, 100.0, 10.0);
    let plot = Plot { frame, x: axis.clone(), y: axis };
    plot.axes(&mut drawing, "", "promised, %", "labels held, %");
    drawing.path(&[plot.at(LOWEST, LOWEST), plot.at(100.0, 100.0)], Style::line(OTHERS, 1.4));
    for (sex, aside) in sexes.into_iter().zip([-3.0, 3.0]) {
        let colour = of_sex(sex);
        let mut line: Vec<Point> = Vec::new();
        for share in shares.iter().filter(|share| share.sex == sex && share.images > 0) {
            let held = share.held as f64 / share.images as f64;
            let half = HALF * (held * (1.0 - held) / share.images as f64).sqrt();
            let at = |held: f64| {
                let (x, y) = plot.at(100.0 * share.promised, 100.0 * held.clamp(LOWEST / 100.0, 1.0));
                (x + aside, y)
            };
            drawing.path(&[at(held - half), at(held + half)], Style::line(colour, 2.0));
            line.push(at(held));
        }
        drawing.dots(&line, 4.5, Style::fill(colour));
    }
    let count = |sex: Sex| shares.iter().find(|share| share.sex == sex).map_or(0, |share| share.images);
    let note = format!("n = {} male, {} female", thousands(count(Sex::Male)), thousands(count(Sex::Female)));
    let corner = (frame.right() - 4.0, frame.bottom() - 10.0);
    drawing.words(corner, PAPER.label().anchored(Anchor::End), &note);
    Ok(drawing)
}
