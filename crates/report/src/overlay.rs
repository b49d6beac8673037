use boneage_core::{Assessment, Plane};
use boneage_draw::colours::{BRIGHT, GROUND, QUIET, WARNING, heat, mix};
use boneage_draw::{Canvas, Colour, RgbImage, Weight, scaled, stretched};

/// The hand's contour; a blue that is far from every heat colour.
const CONTOUR: Colour = [108, 214, 255];

/// Longest sides of the drawn film in pixels.
const FILM_HEIGHT: f32 = 1000.0;
const FILM_WIDTH: f32 = 1400.0;
/// The text needs this much, however narrow the film is.
const LEAST_WIDTH: i32 = 640;
const MARGIN: i32 = 36;
const BAR_WIDTH: i32 = 22;
const BAR_COLUMN: i32 = 124;

/// How much of the film the strongest attention covers.
const STRONGEST_COVER: f32 = 0.6;

/// The picture of one assessment: the whole film in grey, the attention map as colour over it, the hand's
/// contour, the age, a colour bar, and the reasons to look twice.
///
/// The film keeps its aspect and is never cropped. The file's name is not drawn: it may hold a patient's.
pub(crate) fn overlay(film: &Plane, assessment: &Assessment) -> RgbImage {
    let (film_width, film_height) = drawn_size(film);
    let bar_column = if assessment.attention.is_some() { BAR_COLUMN } else { 0 };
    let content = (film_width as i32 + bar_column).max(LEAST_WIDTH);
    let width = content + 2 * MARGIN;

    let notes = notes(&Canvas::new(1, 1, GROUND), assessment, content as f32);
    let film_top = MARGIN + 116;
    let notes_top = film_top + film_height as i32 + 24;
    let height = notes_top + notes.len() as i32 * NOTE_LINE + MARGIN - 6;

    let mut canvas = Canvas::new(width as usize, height as usize, GROUND);
    headline(&mut canvas, assessment, width);
    let film_left = MARGIN + (content - bar_column - film_width as i32) / 2;
    let corner = (film_left, film_top);
    paint_film(&mut canvas, corner, film, assessment);
    if assessment.attention.is_some() {
        colour_bar(&mut canvas, (film_left + film_width as i32 + 36, film_top), film_height as i32);
    }
    for (i, note) in notes.iter().enumerate() {
        let top = notes_top + i as i32 * NOTE_LINE;
        match note {
            Note::Warning(line) => canvas.text((MARGIN, top), NOTE_SIZE, Weight::Regular, WARNING, line),
            Note::Contour(line) => {
                canvas.rectangle((MARGIN, top + NOTE_SIZE as i32 / 2 + 1), (KEY_WIDTH, 2), CONTOUR);
                canvas.text((MARGIN + KEY_WIDTH + 12, top), NOTE_SIZE, Weight::Regular, QUIET, line);
            }
            Note::Plain(line) => canvas.text((MARGIN, top), NOTE_SIZE, Weight::Regular, QUIET, line),
        }
    }
    canvas.into_image()
}

/// The film with its map and contour alone, as on an overlay: for pages that have words of their own.
pub(crate) fn film_with_map(film: &Plane, assessment: &Assessment) -> RgbImage {
    let (width, height) = drawn_size(film);
    let mut canvas = Canvas::new(width, height, GROUND);
    paint_film(&mut canvas, (0, 0), film, assessment);
    canvas.into_image()
}

/// Width and height of the drawn film in pixels.
fn drawn_size(film: &Plane) -> (usize, usize) {
    let zoom = (FILM_HEIGHT / film.height() as f32).min(FILM_WIDTH / film.width() as f32);
    let side = |pixels: usize| ((pixels as f32 * zoom).round() as usize).max(1);
    (side(film.width()), side(film.height()))
}

fn paint_film(canvas: &mut Canvas, corner: (i32, i32), film: &Plane, assessment: &Assessment) {
    let (width, height) = drawn_size(film);
    canvas.plane(corner, &stretched(&scaled(film, width, height), None, [0.01, 0.995]), |grey| {
        ([(grey * 255.0).round() as u8; 3], 1.0)
    });
    if let Some(attention) = &assessment.attention {
        canvas.plane(corner, &scaled(attention, width, height), |value| (heat(value), cover(value)));
    }
    if let Some(hand) = &assessment.hand {
        canvas.isoline(corner, &smoothed(&scaled(hand, width, height)), 0.5, 2.0, CONTOUR);
    }
}

const NOTE_SIZE: f32 = 19.0;
const NOTE_LINE: i32 = 27;
const KEY_WIDTH: i32 = 30;

/// The age large, what it is for small beneath it.
fn headline(canvas: &mut Canvas, assessment: &Assessment, width: i32) {
    let (title, colour) = match assessment.months {
        Some(months) => (months.to_string(), BRIGHT),
        None => ("no age given".to_owned(), WARNING),
    };
    canvas.text((MARGIN, MARGIN - 8), 54.0, Weight::Bold, colour, &title);
    let mut facts = Vec::new();
    if let Some(months) = assessment.months {
        facts.push(format!("{:.1} months", months.0));
    }
    if let Some(interval) = assessment.interval {
        let (lower, upper) = (interval.lower.0, interval.upper.0);
        facts.push(format!("{:.0} % between {lower:.0} and {upper:.0}", interval.level * 100.0));
    }
    facts.push(match assessment.sex.value {
        Some(sex) => format!("read as {sex}"),
        None => "sex unknown".to_owned(),
    });
    facts.push(assessment.model.name.clone());
    let line = facts.join("   \u{b7}   ");
    let room = (width - 2 * MARGIN) as f32;
    let natural = canvas.text_width(24.0, Weight::Regular, &line);
    let size = 24.0 * (room / natural).min(1.0);
    canvas.text((MARGIN, MARGIN + 60), size, Weight::Regular, QUIET, &line);
}

/// A line under the film.
enum Note {
    /// A reason to look twice.
    Warning(String),
    /// What the contour means, beside a piece of it.
    Contour(&'static str),
    /// What the picture is and is not.
    Plain(String),
}

/// Flags first, as sentences: their codes are for programs.
fn notes(ruler: &Canvas, assessment: &Assessment, width: f32) -> Vec<Note> {
    let lines = |text: &str| ruler.wrapped(NOTE_SIZE, Weight::Regular, text, width);
    let flags = assessment.flags.iter().flat_map(|flag| lines(&flag.message));
    let mut notes: Vec<Note> = flags.map(Note::Warning).collect();
    if assessment.hand.is_some() {
        notes.push(Note::Contour("the hand as it was found"));
    }
    let plain = match assessment.attention {
        Some(_) => {
            "Attention is where the network looked, not a finding. For research use, not a medical device."
        }
        None => "For research use, not a medical device.",
    };
    notes.extend(lines(plain).into_iter().map(Note::Plain));
    notes
}

/// Opacity of the heat colour: nothing where the network did not look, so that the film stays readable.
fn cover(attention: f32) -> f32 {
    STRONGEST_COVER * attention.clamp(0.0, 1.0)
}

/// The scale of the attention map, in the colours as they look over a middle grey.
fn colour_bar(canvas: &mut Canvas, (x, y): (i32, i32), height: i32) {
    let length = height.clamp(160, 420);
    let top = y + (height - length).max(0) / 2;
    for row in 0..length {
        let value = 1.0 - (row as f32 + 0.5) / length as f32;
        let colour = mix([120; 3], heat(value), cover(value));
        canvas.rectangle((x, top + row), (BAR_WIDTH, 1), colour);
    }
    for (value, label) in [(1.0, "1"), (0.5, "0.5"), (0.0, "0")] {
        let tick = top + ((1.0 - value) * (length - 1) as f32) as i32;
        canvas.rectangle((x + BAR_WIDTH, tick), (6, 1), QUIET);
        canvas.text((x + BAR_WIDTH + 12, tick - 11), 20.0, Weight::Regular, QUIET, label);
    }
    canvas.text((x - 8, top - 40), 20.0, Weight::Regular, QUIET, "attention");
}

/// A mask with its edge softened over a few pixels, so that its iso-line is smooth: three box means in each
/// direction are near a Gaussian.
fn smoothed(mask: &Plane) -> Plane {
    let mut plane = mask.clone();
    for _ in 0..3 {
        plane = transposed(&box_mean_of_rows(&plane, 3));
        plane = transposed(&box_mean_of_rows(&plane, 3));
    }
    plane
}

fn box_mean_of_rows(plane: &Plane, radius: usize) -> Plane {
    let last = plane.width() - 1;
    Plane::from_fn(plane.width(), plane.height(), |x, y| {
        let row = plane.row(y);
        let sum: f32 = (0..=2 * radius).map(|i| row[(x + i).saturating_sub(radius).min(last)]).sum();
        sum / (2 * radius + 1) as f32
    })
}

fn transposed(plane: &Plane) -> Plane {
    Plane::from_fn(plane.height(), plane.width(), |x, y| plane.at(y, x))
}

#[cfg(test)]
mod tests {
    use super::*;
    use boneage_core::{Decision, Digest, Flag, FlagCode, ModelName, Months, SexGiven, SexSource};

    fn assessment(width: usize, height: usize) -> Assessment {
        Assessment {
            months: Some(Months(122.4)),
            interval: None,
            decision: Decision::Flagged,
            flags: vec![Flag::new(FlagCode::SexUnknown, "no sex was given")],
            sex: SexGiven { value: None, source: SexSource::Unknown },
            chronological: None,
            model: ModelName { name: "test".into(), digest: Digest::of(b"") },
            attention: Some(Plane::from_fn(width, height, |x, _| x as f32 / width as f32)),
            hand: Some(Plane::from_fn(width, height, |x, y| {
                f32::from(u8::from(x > width / 4 && y > height / 4))
            })),
            input: None,
        }
    }

    #[test]
    fn every_shape_of_film_gives_a_picture_of_a_legible_size() {
        for (width, height) in [(1, 1), (64, 64), (1500, 2000), (3000, 12), (12, 3000), (299, 299)] {
            let film = Plane::from_fn(width, height, |x, y| (x + y) as f32 / (width + height) as f32);
            let picture = overlay(&film, &assessment(width, height));
            assert!(
                picture.width() >= 640 && picture.width() <= 1700,
                "{width} x {height}: {:?}",
                picture.dimensions()
            );
            assert!(
                picture.height() >= 200 && picture.height() <= 1500,
                "{width} x {height}: {:?}",
                picture.dimensions()
            );
        }
    }

    #[test]
    fn a_refused_image_has_no_age_on_it() {
        let film = Plane::from_fn(64, 64, |x, _| x as f32 / 64.0);
        let mut refused = assessment(64, 64);
        let with_age = overlay(&film, &refused);
        refused.months = None;
        assert_ne!(overlay(&film, &refused), with_age);
    }
}
