use super::film::{Film, at_size, caption, draw, height_of, windowed};
use super::theme::{MARGIN, NIGHT, refuse_empty, sheet};
use crate::LabError;
use boneage_assess::{Predictor, Radiograph};
use boneage_core::{Assessment, Plane, SexGiven, SexSource};
use boneage_draw::colours::heat;
use boneage_draw::{Anchor, Drawing, Frame, Style, Words, grey_picture, painted};

const SHEET: f64 = 1160.0;
const FILM: f64 = 220.0;
const GAP: f64 = 14.0;
const ROW_GAP: f64 = 14.0;
/// Left of the films, for the names of the rows.
const NAMES: f64 = 128.0;
/// Right of the films, for the scale.
const BAR: f64 = 70.0;
const CAPTION: f64 = 50.0;

/// The paper's figure 10: each radiograph, the attention map that the model drew for it, and the radiograph
/// times the map, which is what the multiply layer lets through, its brightest place white.
///
/// # Errors
/// When there is no film, or the model draws no map.
pub fn attention_maps(predictor: &Predictor, films: &[Film]) -> Result<Drawing, LabError> {
    refuse_empty(films.is_empty(), "attention-maps", "radiographs")?;
    let read: Vec<Assessment> = films.iter().map(|film| read(predictor, film)).collect();
    let maps: Option<Vec<&Plane>> = read.iter().map(|assessment| assessment.attention.as_ref()).collect();
    let name = &predictor.name().name;
    let maps = maps.ok_or_else(|| {
        LabError::Data(format!("model {name} draws no attention map; hint: take one with an attention head"))
    })?;

    let n = films.len() as f64;
    let width = ((SHEET - 2.0 * MARGIN - NAMES - BAR - GAP * (n - 1.0)) / n).min(FILM);
    let height = films.iter().map(|film| height_of(&film.plane, width)).fold(0.0, f64::max);
    let whole = 2.0 * MARGIN + NAMES + BAR + width * n + GAP * (n - 1.0);
    let body = 3.0 * height + 2.0 * ROW_GAP + CAPTION;
    let subtitle = format!("model {name}; attention is where the network looked, not a finding");
    let (mut drawing, top) = sheet(NIGHT, whole.max(560.0), body, "Attention maps", &subtitle);
    let level = |row: f64| top + row * (height + ROW_GAP);
    for (row, name) in ["radiograph", "attention map", "multiplied"].into_iter().enumerate() {
        drawing.words((MARGIN, level(row as f64) + 16.0), Words::bold(14.0, NIGHT.ink), name);
    }
    for (column, ((film, assessment), map)) in films.iter().zip(&read).zip(maps).enumerate() {
        let x = MARGIN + NAMES + column as f64 * (width + GAP);
        let frame = draw(&mut drawing, &film.plane, (x, level(0.0)), width);
        let map = at_size(map, frame);
        drawing.picture(Frame { y: level(1.0), ..frame }, painted(&map, heat));
        let shown = windowed(&film.plane, frame);
        let product: Vec<f32> =
            shown.pixels().iter().zip(map.pixels()).map(|(grey, seen)| grey * seen).collect();
        // What the network weighs highest may lie where the film is black: without this the row would be dark.
        let brightest = product.iter().copied().fold(f32::MIN_POSITIVE, f32::max);
        let product = product.iter().map(|product| product / brightest).collect();
        let product = Plane::new(shown.width(), shown.height(), product);
        drawing.picture(Frame { y: level(2.0), ..frame }, grey_picture(&product));
        let age = assessment.months.map_or("no age given".to_owned(), |m| format!("read {:.0} months", m.0));
        let label = film.months.map_or_else(
            || film.caption(),
            |m| {
                let sex = film.sex.map_or_else(String::new, |sex| format!(", {sex}"));
                format!("label {:.0} months{sex}", m.0)
            },
        );
        caption(&mut drawing, frame, level(2.0) + height, [&age, &label]);
    }
    scale(&mut drawing, Frame::new(whole - MARGIN - BAR + 22.0, level(1.0), 16.0, height.min(260.0)));
    Ok(drawing)
}

fn read(predictor: &Predictor, film: &Film) -> Assessment {
    let source = if film.sex.is_some() { SexSource::Table } else { SexSource::Unknown };
    let sex = SexGiven { value: film.sex, source };
    predictor.assess(&Radiograph { plane: &film.plane, flags: &[], sex, input: None, placing: None })
}

/// The heat colours with their values.
fn scale(drawing: &mut Drawing, bar: Frame) {
    let ramp = Plane::from_fn(1, 128, |_, y| 1.0 - y as f32 / 127.0);
    drawing.picture(bar, painted(&ramp, heat));
    drawing.rectangle(bar, 0.0, Style::line(NIGHT.soft, 0.6));
    for (value, label) in [(0.0, "0"), (0.5, "0.5"), (1.0, "1")] {
        let y = bar.bottom() - value * bar.height;
        let y = y.clamp(bar.y + 9.0, bar.bottom() - 1.0);
        drawing.words((bar.right() + 6.0, y + 2.0), NIGHT.label().anchored(Anchor::Start), label);
    }
}
