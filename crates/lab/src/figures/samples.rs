use super::film::{Film, caption, draw, height_of};
use super::theme::{MARGIN, NIGHT, refuse_empty, sheet, thousands};
use crate::LabError;
use boneage_core::{Months, Sex};
use boneage_draw::Drawing;

const MOST_COLUMNS: usize = 7;
const GAP: f64 = 14.0;
const CAPTION: f64 = 52.0;
/// Width of the sheet, and of a film at most.
const SHEET: f64 = 1160.0;
const FILM: f64 = 260.0;

/// The paper's figure 1: radiographs in rows, each with its label. A row of girls above one of boys, where the
/// films come as [`Film::spread`] gives them.
///
/// # Errors
/// When there is no film.
pub fn samples(films: &[Film]) -> Result<Drawing, LabError> {
    refuse_empty(films.is_empty(), "samples", "radiographs")?;
    let rows = rows_of(films);
    let columns = rows.iter().map(Vec::len).max().unwrap_or(1);
    let width = ((SHEET - 2.0 * MARGIN - GAP * (columns - 1) as f64) / columns as f64).min(FILM);
    let whole = 2.0 * MARGIN + width * columns as f64 + GAP * (columns - 1) as f64;
    let heights: Vec<f64> = rows
        .iter()
        .map(|row| row.iter().map(|film| height_of(&film.plane, width)).fold(0.0, f64::max))
        .collect();
    let labelled = films.iter().any(|film| film.months.is_some() || film.sex.is_some());
    let (under, labels) = if labelled { (CAPTION, " with labels") } else { (GAP, "") };
    let body = heights.iter().map(|height| height + under).sum::<f64>() - 8.0;
    let plural = if films.len() == 1 { "" } else { "s" };
    let n = thousands(films.len());
    let subtitle = format!("{n} radiograph{plural}{labels}; greys stretched, shape as in the file");
    let (mut drawing, mut y) = sheet(NIGHT, whole.max(520.0), body, "Sample radiographs", &subtitle);
    for (row, height) in rows.iter().zip(heights) {
        for (column, film) in row.iter().enumerate() {
            let x = MARGIN + column as f64 * (width + GAP);
            let frame = draw(&mut drawing, &film.plane, (x, y), width);
            let [age, facts] = lines(film.months, film.sex);
            caption(&mut drawing, frame, y + height, [&age, &facts]);
        }
        y += height + under;
    }
    Ok(drawing)
}

/// A sex a row where both fill rows of their own, else row after row.
fn rows_of(films: &[Film]) -> Vec<Vec<&Film>> {
    let change = films.iter().position(|film| film.sex != films[0].sex);
    let parts = match change {
        Some(at) if at > 1 && films[at..].iter().all(|film| film.sex == films[at].sex) => {
            vec![&films[..at], &films[at..]]
        }
        _ => vec![films],
    };
    parts.into_iter().flat_map(|part| part.chunks(MOST_COLUMNS)).map(|row| row.iter().collect()).collect()
}

fn lines(months: Option<Months>, sex: Option<Sex>) -> [String; 2] {
    let age = months.map(|months| match months.years_and_months() {
        (years, 0) => format!("{years} years"),
        _ => months.to_string(),
    });
    let facts = [months.map(|months| format!("{:.0} months", months.0)), sex.map(|sex| sex.to_string())];
    [age.unwrap_or_default(), facts.into_iter().flatten().collect::<Vec<_>>().join(" \u{b7} ")]
}
