use boneage_core::{Flag, Plane};
use boneage_draw::colours::{BRIGHT, GROUND, QUIET, WARNING, heat, mix};
use boneage_draw::{Canvas, Colour, Weight, scaled};
use boneage_vision::{HandExtraction, Labels};
use image::RgbImage;

/// Ground of the radiograph among markers and basins.
const PLATE: Colour = [38, 84, 124];
/// The hand among markers and basins.
const HAND: Colour = [255, 190, 92];
/// Neither, among markers.
const UNDECIDED: Colour = [24, 26, 31];
/// Objects that are not the hand, in turn.
const OTHERS: [Colour; 6] =
    [[108, 180, 238], [186, 134, 220], [112, 196, 148], [230, 120, 130], [150, 158, 172], [200, 190, 110]];

/// Longest side of a panel in pixels.
const PANEL: f32 = 360.0;
const GAP: i32 = 22;
const MARGIN: i32 = 30;
/// Height of the two lines under a panel.
const CAPTION: i32 = 56;
/// Height of a line of the facts.
const LINE: i32 = 24;
/// So narrow a column still holds its captions.
const LEAST_COLUMN: i32 = 250;
/// So low a second row still holds the facts and the legend.
const LEAST_ROW: i32 = 340;
const COLUMNS: usize = 4;

/// The paper's figure 3 for one radiograph: every step of the extraction on one sheet, each with its name
/// and one line on what it shows, and in the eighth place what was found, with `flags` noticed on the way.
/// The file's name is not drawn: it may hold a patient's.
pub(crate) fn stages(film: &Plane, found: &HandExtraction, flags: &[Flag]) -> RgbImage {
    let zoom = PANEL / film.width().max(film.height()) as f32;
    let side = |pixels: usize| ((pixels as f32 * zoom).round() as usize).max(1);
    let size = (side(film.width()), side(film.height()));
    let column = (size.0 as i32).max(LEAST_COLUMN);
    let row = size.1 as i32 + CAPTION;
    let last_row = row.max(LEAST_ROW);
    let width = 2 * MARGIN + COLUMNS as i32 * column + (COLUMNS as i32 - 1) * GAP;
    let height = 2 * MARGIN + row + GAP + last_row;
    let mut sheet =
        Sheet { canvas: Canvas::new(width as usize, height as usize, GROUND), size, column, row, last_row };

    let mask = scaled(&found.mask, size.0, size.1);
    let shown = windowed(&scaled(film, size.0, size.1), Some(&mask), 0.998);
    let stretched = if found.failure.is_none() { "greys stretched to the hand's" } else { "greys stretched" };
    sheet.film(0, &shown, "1  radiograph", stretched);
    let gradient = windowed(&scaled(&found.gradient, size.0, size.1), None, 0.99);
    sheet.plane(1, &gradient, |value| heat(value.sqrt()), "2  gradient", "Sobel: where brightness changes");
    let marker = |label: u32| [UNDECIDED, PLATE, HAND][label.min(2) as usize];
    sheet.labels(2, &found.markers, None, marker, "3  markers", "below and above two thresholds");
    sheet.labels(3, &found.watershed, Some(&shown), marker, "4  watershed", "the markers, flooded");
    let largest = found.components.iter().max_by_key(|object| object.area).map(|object| object.label);
    let object = |label: u32| match label {
        0 => UNDECIDED,
        label if Some(label) == largest => HAND,
        label => OTHERS[label as usize % OTHERS.len()],
    };
    let objects = match found.components.len() {
        0 => "none".to_owned(),
        1 => "one object, its holes filled".to_owned(),
        n => format!("{n} objects, their holes filled"),
    };
    sheet.labels(4, &found.objects, None, object, "5  objects", &objects);
    let (of_mask, of_extracted) = match found.failure {
        None => ("the largest object, cleaned", "the radiograph inside the mask"),
        Some(_) => ("the whole frame", "the whole radiograph"),
    };
    sheet.plane(5, &mask, |value| mix(UNDECIDED, BRIGHT, value), "6  mask", of_mask);
    let extracted: Vec<f32> =
        shown.pixels().iter().zip(mask.pixels()).map(|(film, mask)| film * mask).collect();
    let extracted = Plane::new(size.0, size.1, extracted);
    sheet.film(6, &extracted, "7  extracted", of_extracted);
    sheet.facts(film, found, flags);
    sheet.canvas.into_image()
}

/// The sheet in the making: panels in rows of four.
struct Sheet {
    canvas: Canvas,
    /// Width and height of a panel's picture.
    size: (usize, usize),
    column: i32,
    row: i32,
    /// The second row, which the facts may make higher.
    last_row: i32,
}

impl Sheet {
    fn corner(&self, panel: usize) -> (i32, i32) {
        let (column, row) = ((panel % COLUMNS) as i32, (panel / COLUMNS) as i32);
        (MARGIN + column * (self.column + GAP), MARGIN + row * (self.row + GAP))
    }

    fn plane(&mut self, panel: usize, plane: &Plane, paint: impl Fn(f32) -> Colour, name: &str, line: &str) {
        self.canvas.plane(self.corner(panel), plane, |value| (paint(value), 1.0));
        self.caption(panel, name, line);
    }

    fn film(&mut self, panel: usize, film: &Plane, name: &str, line: &str) {
        self.plane(panel, film, |grey| [(grey.clamp(0.0, 1.0) * 255.0).round() as u8; 3], name, line);
    }

    /// Labels in their colours; over the film, where one is given, as a tint.
    fn labels(
        &mut self,
        panel: usize,
        labels: &Labels,
        film: Option<&Plane>,
        paint: impl Fn(u32) -> Colour,
        name: &str,
        line: &str,
    ) {
        let (left, top) = self.corner(panel);
        let (width, height) = self.size;
        for y in 0..height {
            for x in 0..width {
                let label = labels.at(x * labels.width() / width, y * labels.height() / height);
                let (column, row) = (left + x as i32, top + y as i32);
                if let Some(film) = film {
                    let grey = (film.at(x, y).clamp(0.0, 1.0) * 255.0).round() as u8;
                    self.canvas.blend(column, row, [grey; 3], 1.0);
                }
                self.canvas.blend(column, row, paint(label), if film.is_some() { 0.45 } else { 1.0 });
            }
        }
        self.caption(panel, name, line);
    }

    fn caption(&mut self, panel: usize, name: &str, line: &str) {
        let (left, top) = self.corner(panel);
        let top = top + self.size.1 as i32;
        self.canvas.text((left, top + 8), 20.0, Weight::Bold, BRIGHT, name);
        let room = self.column as f32;
        let natural = self.canvas.text_width(16.0, Weight::Regular, line);
        self.canvas.text((left, top + 34), 16.0 * (room / natural).min(1.0), Weight::Regular, QUIET, line);
    }

    /// In the eighth place: what was found, in words, and what the colours mean.
    fn facts(&mut self, film: &Plane, found: &HandExtraction, flags: &[Flag]) {
        let (left, top) = self.corner(7);
        let (title, colour) = match found.failure {
            None => ("hand found", BRIGHT),
            Some(_) => ("no hand found", WARNING),
        };
        self.canvas.text((left, top), 26.0, Weight::Bold, colour, title);
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
        let room = self.column as f32 - 8.0;
        let mut y = top + 42;
        for line in lines {
            for line in self.canvas.wrapped(16.0, Weight::Regular, &line, room) {
                self.canvas.text((left, y), 16.0, Weight::Regular, QUIET, &line);
                y += LINE;
            }
        }
        // At the foot of the pictures beside it, unless the words above need the room; without any it is left out.
        let legend: [(&[Colour], &str); 4] = [
            (&[HAND], "hand"),
            (&[PLATE], "ground"),
            (&[UNDECIDED], "undecided, or no object"),
            (&OTHERS, "other objects"),
        ];
        let foot = top + self.last_row - CAPTION - LINE * legend.len() as i32;
        y = (y + 12).max(foot);
        if y + LINE * legend.len() as i32 > top + self.last_row + MARGIN {
            return;
        }
        for (colours, meaning) in legend {
            // A rim, as one of the colours is nearly that of the sheet.
            self.canvas.rectangle((left, y + 1), (20, 16), QUIET);
            let stripe = 18 / colours.len() as i32;
            for (i, &colour) in (0..).zip(colours) {
                self.canvas.rectangle((left + 1 + i * stripe, y + 2), (stripe, 14), colour);
            }
            self.canvas.text((left + 30, y), 16.0, Weight::Regular, QUIET, meaning);
            y += LINE;
        }
    }
}

/// Greys from the least to a quantile as 0..1: the quantile of those that `within` covers, where it is given,
/// so that letters of lead and a plate's white border do not leave a dim film black.
fn windowed(plane: &Plane, within: Option<&Plane>, high: f32) -> Plane {
    let covered = |i: usize| within.is_none_or(|mask| mask.pixels()[i] > 0.5);
    let mut sorted: Vec<f32> =
        plane.pixels().iter().enumerate().filter(|&(i, _)| covered(i)).map(|(_, &value)| value).collect();
    sorted.sort_unstable_by(f32::total_cmp);
    let low = plane.pixels().iter().copied().fold(f32::MAX, f32::min);
    let high = sorted.get((high * sorted.len().saturating_sub(1) as f32) as usize).copied().unwrap_or(1.0);
    plane.map(|value| ((value - low) / (high - low).max(1e-6)).clamp(0.0, 1.0))
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
            let sheet = stages(&film, &extract_hand(&film, &HandRecipe::default()), &[]);
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
            let sheet = stages(film, &extract_hand(film, &HandRecipe::default()), &[]);
            let facts = sheet.width() * 3 / 4;
            sheet.enumerate_pixels().any(|(x, y, p)| x > facts && y > sheet.height() / 2 && p.0 == colour)
        };
        assert!(has(&even, WARNING) && !has(&hand, WARNING));
    }
}
