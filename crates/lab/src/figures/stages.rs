use super::theme::NIGHT;
use boneage_core::{Flag, Plane};
use boneage_draw::colours::{BRIGHT, GROUND, QUIET, WARNING, grey, heat, mix};
use boneage_draw::{
    Colour, Drawing, Frame, RgbImage, Style, Words, grey_picture, painted, scaled, stretched,
};
use boneage_vision::{HandExtraction, Labels};

/// Ground of the radiograph among markers and basins.
const PLATE: Colour = [38, 84, 124];
/// The hand among markers and basins.
const HAND: Colour = [255, 190, 92];
/// Neither, among markers.
const UNDECIDED: Colour = [24, 26, 31];
/// Objects that are not the hand, in turn.
const OTHERS: [Colour; 6] =
    [[108, 180, 238], [186, 134, 220], [112, 196, 148], [230, 120, 130], [150, 158, 172], [200, 190, 110]];

/// Longest side of a panel.
const PANEL: f64 = 360.0;
const GAP: f64 = 22.0;
const MARGIN: f64 = 30.0;
/// Height of the two lines under a panel.
const CAPTION: f64 = 56.0;
/// Height of a line of the facts.
const LINE: f64 = 24.0;
/// So narrow a column still holds its captions.
const LEAST_COLUMN: f64 = 250.0;
/// So low a second row still holds the facts and the legend.
const LEAST_ROW: f64 = 340.0;
const COLUMNS: usize = 4;

/// The paper's figure 3 for one radiograph: every step of the extraction on one sheet, each with its name
/// and one line on what it shows, and in the eighth place what was found, with `flags` noticed on the way.
/// The file's name is not drawn: it may hold a patient's.
pub fn stages(film: &Plane, found: &HandExtraction, flags: &[Flag]) -> Drawing {
    let zoom = PANEL / film.width().max(film.height()) as f64;
    let side = |pixels: usize| (pixels as f64 * zoom).max(1.0);
    let size = (side(film.width()), side(film.height()));
    let column = size.0.max(LEAST_COLUMN);
    let row = size.1 + CAPTION;
    let last_row = row.max(LEAST_ROW);
    let width = 2.0 * MARGIN + COLUMNS as f64 * column + (COLUMNS - 1) as f64 * GAP;
    let height = 2.0 * MARGIN + row + GAP + last_row;
    let drawing = Drawing::new(width, height, GROUND, "How the hand was found, step by step");
    let mut sheet = Sheet { drawing, size, column, row, last_row };

    let resampled = |plane: &Plane| {
        let (width, height) = sheet.pixels();
        scaled(plane, width, height)
    };
    let mask = resampled(&found.mask);
    let shown = stretched(&resampled(film), Some(&mask), [0.0, 0.998]);
    let gradient = stretched(&resampled(&found.gradient), None, [0.0, 0.99]);
    let greys = if found.failure.is_none() { "greys stretched to the hand's" } else { "greys stretched" };
    sheet.panel(0, grey_picture(&shown), "1  radiograph", greys);
    let edges = painted(&gradient, |value| heat(value.sqrt()));
    sheet.panel(1, edges, "2  gradient", "Sobel: where brightness changes");
    let marker = |label: u32| [UNDECIDED, PLATE, HAND][label.min(2) as usize];
    let markers = sheet.labels(&found.markers, None, marker);
    sheet.panel(2, markers, "3  markers", "below and above two thresholds");
    let basins = sheet.labels(&found.watershed, Some(&shown), marker);
    sheet.panel(3, basins, "4  watershed", "the markers, flooded");
    let largest = found.components.iter().max_by_key(|object| object.area).map(|object| object.label);
    let object = |label: u32| match label {
        0 => UNDECIDED,
        label if Some(label) == largest => HAND,
        label => OTHERS[label as usize % OTHERS.len()],
    };
    let counted = match found.components.len() {
        0 => "none".to_owned(),
        1 => "one object, its holes filled".to_owned(),
        n => format!("{n} objects, their holes filled"),
    };
    let objects = sheet.labels(&found.objects, None, object);
    sheet.panel(4, objects, "5  objects", &counted);
    let (of_mask, of_extracted) = match found.failure {
        None => ("the largest object, cleaned", "the radiograph inside the mask"),
        Some(_) => ("the whole frame", "the whole radiograph"),
    };
    sheet.panel(5, painted(&mask, |value| mix(UNDECIDED, BRIGHT, value)), "6  mask", of_mask);
    let extracted = shown.pixels().iter().zip(mask.pixels()).map(|(film, mask)| film * mask).collect();
    let extracted = Plane::new(shown.width(), shown.height(), extracted);
    sheet.panel(6, grey_picture(&extracted), "7  extracted", of_extracted);
    sheet.facts(film, found, flags);
    sheet.drawing
}

/// The sheet in the making: panels in rows of four.
struct Sheet {
    drawing: Drawing,
    /// Width and height of a panel's picture.
    size: (f64, f64),
    column: f64,
    row: f64,
    /// The second row, which the facts may make higher.
    last_row: f64,
}

impl Sheet {
    /// Two pixels to a unit.
    fn pixels(&self) -> (usize, usize) {
        let side = |units: f64| ((units * 2.0).round() as usize).max(1);
        (side(self.size.0), side(self.size.1))
    }

    fn corner(&self, panel: usize) -> (f64, f64) {
        let (column, row) = ((panel % COLUMNS) as f64, (panel / COLUMNS) as f64);
        (MARGIN + column * (self.column + GAP), MARGIN + row * (self.row + GAP))
    }

    /// A picture with two lines under it, the second made narrower where it is too long.
    fn panel(&mut self, panel: usize, picture: RgbImage, name: &str, line: &str) {
        let (left, top) = self.corner(panel);
        self.drawing.picture(Frame::new(left, top, self.size.0, self.size.1), picture);
        let top = top + self.size.1;
        self.drawing.words((left, top + 24.0), Words::bold(17.0, BRIGHT), name);
        let words = NIGHT.label();
        let size = words.size * (self.column / words.width(line)).min(1.0);
        self.drawing.words((left, top + 47.0), Words { size, ..words }, line);
    }

    /// Labels in their colours; over the film, where one is given, as a tint.
    fn labels(&self, labels: &Labels, film: Option<&Plane>, paint: impl Fn(u32) -> Colour) -> RgbImage {
        let (width, height) = self.pixels();
        RgbImage::from_fn(width as u32, height as u32, |x, y| {
            let (x, y) = (x as usize, y as usize);
            let colour = paint(labels.at(x * labels.width() / width, y * labels.height() / height));
            boneage_draw::Rgb(film.map_or(colour, |film| mix(grey(film.at(x, y)), colour, 0.45)))
        })
    }

    /// In the eighth place: what was found, in words, and what the colours mean.
    fn facts(&mut self, film: &Plane, found: &HandExtraction, flags: &[Flag]) {
        let (left, top) = self.corner(7);
        let (title, colour) = match found.failure {
            None => ("hand found", BRIGHT),
            Some(_) => ("no hand found", WARNING),
        };
        self.drawing.words((left, top + 22.0), Words::bold(22.0, colour), title);
        let mut lines = vec![format!("{} x {} pixels", film.width(), film.height())];
        if found.cell > 1 {
            lines.push(format!("worked on in blocks of {0} x {0} pixels", found.cell));
        }
        match &found.failure {
            Some(flag) => lines.push(flag.message.clone()),
            None => {
                let looks = found.plausibility;
                lines.push(format!("covers {:.0} % of the frame", looks.frame_share * 100.0));
                lines.push(format!("fills {:.0} % of its convex hull", looks.solidity * 100.0));
                lines.push(format!("{:.0} % of its outline is an edge", looks.edge_support * 100.0));
                lines.push(format!("plausibility {:.2} of 1", looks.score()));
            }
        }
        lines.extend(flags.iter().map(|flag| flag.message.clone()));
        let room = self.column - 8.0;
        let mut y = top + 42.0;
        for line in lines.iter().flat_map(|line| NIGHT.label().wrapped(line, room)) {
            self.drawing.words((left, y + 13.0), NIGHT.label(), &line);
            y += LINE;
        }
        self.legend(left, top, y + 12.0);
    }

    /// At the foot of the pictures beside it, unless the words above, which end at `from`, need the room;
    /// without any it is left out.
    fn legend(&mut self, left: f64, top: f64, from: f64) {
        let legend: [(&[Colour], &str); 4] = [
            (&[HAND], "hand"),
            (&[PLATE], "ground"),
            (&[UNDECIDED], "undecided, or no object"),
            (&OTHERS, "other objects"),
        ];
        let height = LINE * legend.len() as f64;
        let mut y = from.max(top + self.last_row - CAPTION - height);
        if y + height > top + self.last_row + MARGIN {
            return;
        }
        for (colours, meaning) in legend {
            let stripe = 18.0 / colours.len() as f64;
            for (i, &colour) in colours.iter().enumerate() {
                let place = Frame::new(left + 1.0 + i as f64 * stripe, y + 2.0, stripe, 14.0);
                self.drawing.rectangle(place, 0.0, Style::fill(colour));
            }
            // A rim, as one of the colours is nearly that of the sheet.
            self.drawing.rectangle(Frame::new(left + 0.5, y + 1.5, 19.0, 15.0), 0.0, Style::line(QUIET, 1.0));
            self.drawing.words((left + 30.0, y + 14.0), NIGHT.label(), meaning);
            y += LINE;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use boneage_vision::{HandRecipe, extract_hand};

    #[test]
    fn every_shape_of_film_gives_a_legible_sheet() {
        for (width, height) in [(1, 1), (120, 150), (1500, 900), (2000, 40), (30, 1600)] {
            let film = Plane::from_fn(width, height, |x, y| {
                let inside = x * 3 > width && x * 3 < 2 * width && y * 3 > height;
                if inside { 0.8 } else { 0.1 }
            });
            let sheet = stages(&film, &extract_hand(&film, &HandRecipe::default()), &[]).to_picture(1.0);
            assert!((1000..1700).contains(&sheet.width()), "{width} x {height}: {}", sheet.width());
            assert!((450..1000).contains(&sheet.height()), "{width} x {height}: {}", sheet.height());
        }
    }

    #[test]
    fn a_film_without_a_hand_says_so() {
        let even = Plane::filled(100, 120, 0.4);
        let hand = Plane::from_fn(100, 120, |x, y| {
            let finger = (20..60).contains(&y) && (30..75).contains(&x) && x % 15 < 9;
            if finger || (y >= 60 && (30..75).contains(&x)) { 0.8 } else { 0.1 }
        });
        let has = |film: &Plane, colour: Colour| {
            let sheet = stages(film, &extract_hand(film, &HandRecipe::default()), &[]).to_picture(1.0);
            let facts = sheet.width() * 3 / 4;
            sheet.enumerate_pixels().any(|(x, y, p)| x > facts && y > sheet.height() / 2 && p.0 == colour)
        };
        assert!(has(&even, WARNING) && !has(&hand, WARNING));
    }
}
