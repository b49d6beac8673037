//! What all figures share: colours, sizes, the heading, the guard against empty data.

use crate::LabError;
use boneage_core::Sex;
use boneage_draw::{Colour, Drawing, Style, Words, colours};

/// Width of a chart in its units; two pixels each in the PNG.
pub(super) const WIDTH: f64 = 960.0;
/// Free ground around everything.
pub(super) const MARGIN: f64 = 36.0;

/// Boys: the blue of the plates in the sheets of steps, brighter. With [`FEMALE`] it is told apart by the
/// colour-blind and in grey.
pub(super) const MALE: Colour = [38, 103, 166];
/// Girls: the orange of the hand in the sheets of steps, darker.
pub(super) const FEMALE: Colour = [222, 124, 26];
/// Models or curves, in turn, none of them a sex's; after M. Okabe and K. Ito, "Color Universal Design", 2008,
/// darkened for white.
pub(super) const SERIES: [Colour; 5] =
    [[0, 132, 98], [190, 88, 150], [86, 156, 214], [120, 94, 40], [70, 76, 88]];
/// Lines that only guide the eye.
pub(super) const GRID: Colour = [229, 231, 235];
/// What was measured before us: the paper, a constant.
pub(super) const OTHERS: Colour = [128, 134, 144];

/// Sizes of letters, in units an em.
pub(super) const TITLE: f64 = 24.0;
pub(super) const NAME: f64 = 16.0;
pub(super) const LABEL: f64 = 14.0;
const LINE: f64 = 20.0;

/// Ground and letters.
#[derive(Clone, Copy)]
pub(super) struct Look {
    pub(super) ground: Colour,
    pub(super) ink: Colour,
    pub(super) soft: Colour,
}

/// Charts and diagrams: for paper.
pub(super) const PAPER: Look = Look { ground: [255; 3], ink: [28, 32, 39], soft: [92, 99, 110] };
/// Sheets of radiographs: the film is the brightest thing.
pub(super) const NIGHT: Look = Look { ground: colours::GROUND, ink: colours::BRIGHT, soft: colours::QUIET };

impl Look {
    pub(super) fn label(self) -> Words {
        Words::regular(LABEL, self.soft)
    }

    pub(super) fn name(self) -> Words {
        Words::bold(NAME, self.ink)
    }
}

/// The colour of a sex.
pub(super) fn of_sex(sex: Sex) -> Colour {
    match sex {
        Sex::Male => MALE,
        Sex::Female => FEMALE,
    }
}

/// A drawing with its heading, and where the space of height `body` below it begins.
pub(super) fn sheet(look: Look, width: f64, body: f64, title: &str, subtitle: &str) -> (Drawing, f64) {
    let lines = look.label().wrapped(subtitle, width - 2.0 * MARGIN);
    let top = MARGIN + TITLE + 8.0 + LINE * lines.len() as f64 + 16.0;
    let mut drawing = Drawing::new(width, top + body + MARGIN, look.ground, title);
    let natural = Words::bold(TITLE, look.ink).width(title);
    let size = TITLE * ((width - 2.0 * MARGIN) / natural).min(1.0);
    drawing.words((MARGIN, MARGIN + TITLE * 0.8), Words::bold(size, look.ink), title);
    for (line, i) in lines.iter().zip(1..) {
        let baseline = MARGIN + TITLE + 4.0 + LINE * f64::from(i) - 5.0;
        drawing.words((MARGIN, baseline), look.label(), line);
    }
    (drawing, top)
}

/// Height of a row of [`legend`].
pub(super) const LEGEND: f64 = 36.0;

/// Names with a disc of their colour, in a row that begins at `top`.
pub(super) fn legend(drawing: &mut Drawing, top: f64, names: &[(&str, Colour)]) {
    let (words, mut x) = (Words::bold(LABEL, PAPER.ink), MARGIN);
    for &(name, colour) in names {
        drawing.dots(&[(x + 6.0, top + 9.0)], 5.5, Style::fill(colour));
        drawing.words((x + 19.0, top + 14.0), words, name);
        x += 19.0 + words.width(name) + 26.0;
    }
}

/// An error that names the figure, where there is nothing to draw.
pub(super) fn refuse_empty(is_empty: bool, figure: &str, what: &str) -> Result<(), LabError> {
    match is_empty {
        true => Err(LabError::Data(format!("the figure {figure} has nothing to show: no {what}"))),
        false => Ok(()),
    }
}

/// 12611 as `12,611`.
pub(super) fn thousands(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_set_apart() {
        let texts: Vec<String> = [0, 999, 1000, 12_611, 1_576_961].map(thousands).into();
        assert_eq!(texts, ["0", "999", "1,000", "12,611", "1,576,961"]);
    }

    #[test]
    fn a_long_subtitle_makes_room_for_itself() {
        let (_, short) = sheet(PAPER, WIDTH, 100.0, "title", "one line");
        let (drawing, long) = sheet(PAPER, WIDTH, 100.0, "title", &"many words ".repeat(30));
        assert!(long > short + 30.0);
        assert_eq!(drawing.size(), (WIDTH, long + 100.0 + MARGIN));
    }
}
