use crate::{Dataset, LabError, Part, Radiograph, part_of};
use boneage_core::{Digest, Months, Plane, Sex};
use boneage_draw::{Drawing, Frame, Words, grey_picture, scaled};
use boneage_vision::{DecodeLimits, Window, decode, is_inverted};
use std::path::Path;

use super::theme::NIGHT;

/// The table of labels that a folder of films to be shown may hold.
const LABELS: &str = "labels.csv";
/// Ages that a spread of films aims at: first and last, in months.
const AGES: [f64; 2] = [24.0, 216.0];

/// A radiograph to be shown. Its file's name is not kept: it may hold a patient's.
#[derive(Clone, Debug, PartialEq)]
pub struct Film {
    /// The image, 0..1, bones bright.
    pub plane: Plane,
    /// Its label.
    pub months: Option<Months>,
    /// The sex that it was read for.
    pub sex: Option<Sex>,
}

impl Film {
    /// Reads an image file; one with dark bones is inverted.
    ///
    /// # Errors
    /// When the file cannot be read as an image; the message names it.
    pub fn read(path: &Path, months: Option<Months>, sex: Option<Sex>) -> Result<Film, LabError> {
        let bytes = std::fs::read(path).map_err(LabError::io(path))?;
        let decoded = decode(&bytes, &DecodeLimits::default())
            .map_err(|error| LabError::Data(format!("{}: {error}", path.display())))?;
        let plane = decoded.plane;
        let plane = if is_inverted(&plane) { plane.map(|grey| 1.0 - grey) } else { plane };
        Ok(Film { plane, months, sex })
    }

    /// Radiographs of a data set, girls and then boys, `columns` of each where there are as many: their ages
    /// spread evenly from 2 to 18 years, none of them held out from training.
    ///
    /// # Errors
    /// When an image cannot be read.
    pub fn spread(dataset: &Dataset, columns: usize) -> Result<Vec<Film>, LabError> {
        let chosen = spread_of_ages(dataset, columns);
        chosen.into_iter().map(|r| Film::read(&r.path, Some(r.months), Some(r.sex))).collect()
    }

    /// All images of a folder, by name; with their labels where the folder holds a table `labels.csv`.
    ///
    /// # Errors
    /// When the folder, its table or an image cannot be read.
    pub fn folder(folder: &Path) -> Result<Vec<Film>, LabError> {
        let table = folder.join(LABELS);
        if table.exists() {
            let dataset = Dataset::read_parts(folder, &table)?;
            let films = dataset.radiographs.iter();
            return films.map(|r| Film::read(&r.path, Some(r.months), Some(r.sex))).collect();
        }
        let dataset = Dataset::without_labels(folder)?;
        dataset.iter().map(|path| Film::read(path, None, None)).collect()
    }

    /// The one that stands for `films` in order of age, where one is enough; `None` of none.
    pub fn typical(films: &[Film]) -> Option<&Film> {
        // In the middle of a row of ages the hand looks as most do.
        films.get(films.len() / 3)
    }

    /// At most `count` of them, evenly.
    pub fn few(films: &[Film], count: usize) -> Vec<Film> {
        films.iter().step_by(films.len().div_ceil(count).max(1)).cloned().collect()
    }

    /// `10 years 6 months, female`; what is known of it.
    pub(super) fn caption(&self) -> String {
        let months = self.months.map(|months| months.to_string());
        let sex = self.sex.map(|sex| sex.to_string());
        months.into_iter().chain(sex).collect::<Vec<_>>().join(", ")
    }
}

/// The radiograph nearest to each of so many ages, for girls and then for boys.
fn spread_of_ages(dataset: &Dataset, columns: usize) -> Vec<&Radiograph> {
    let mut chosen: Vec<&Radiograph> = Vec::new();
    for sex in [Sex::Female, Sex::Male] {
        for column in 0..columns {
            let share = column as f64 / (columns.max(2) - 1) as f64;
            let age = AGES[0] + (AGES[1] - AGES[0]) * share;
            let free = dataset.radiographs.iter().filter(|r| {
                r.sex == sex && part_of(&r.id) == Part::Training && chosen.iter().all(|c| c.id != r.id)
            });
            let distance = |r: &Radiograph| (f64::from(r.months.0) - age).abs();
            // Of those of one age the first by digest: a choice that nobody made.
            let nearest = free.min_by(|a, b| {
                let key = |r: &Radiograph| Digest::of(r.id.as_bytes());
                distance(a).total_cmp(&distance(b)).then_with(|| key(a).cmp(&key(b)))
            });
            chosen.extend(nearest);
        }
    }
    chosen
}

/// Height of a plane that is drawn `width` units wide.
pub(super) fn height_of(plane: &Plane, width: f64) -> f64 {
    (width * plane.height() as f64 / plane.width() as f64).max(1.0)
}

/// Draws a film, its upper left corner at `(x, y)`, its greys stretched; gives back the frame it takes.
pub(super) fn draw(drawing: &mut Drawing, film: &Plane, (x, y): (f64, f64), width: f64) -> Frame {
    let frame = Frame::new(x, y, width, height_of(film, width));
    drawing.picture(frame, grey_picture(&windowed(film, frame)));
    frame
}

/// A film for a frame, its greys in the window that the networks see, 0..1: letters of lead leave the hand bright.
pub(super) fn windowed(film: &Plane, frame: Frame) -> Plane {
    at_size(&Window::default().levels(film).apply(film).map(|grey| grey / 255.0), frame)
}

/// A plane resampled to two pixels a unit of the frame.
pub(super) fn at_size(plane: &Plane, frame: Frame) -> Plane {
    let side = |units: f64| ((units * 2.0).round() as usize).max(1);
    scaled(plane, side(frame.width), side(frame.height))
}

/// Two lines under a frame, the first bold, each made narrower where it is too long; drawn from `top` on.
pub(super) fn caption(drawing: &mut Drawing, frame: Frame, top: f64, lines: [&str; 2]) {
    let looks = [Words::bold(14.0, NIGHT.ink), Words::regular(13.0, NIGHT.soft)];
    for (i, (line, words)) in lines.into_iter().zip(looks).enumerate() {
        let size = words.size * (frame.width / words.width(line).max(1.0)).min(1.0);
        drawing.words((frame.x, top + 19.0 * (i as f64 + 1.0)), Words { size, ..words }, line);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::tests::labelled;

    #[test]
    fn a_spread_takes_girls_before_boys_and_each_radiograph_once() {
        let labels: Vec<(Sex, f32)> = (0..400)
            .map(|i| (if i % 2 == 0 { Sex::Male } else { Sex::Female }, (i / 2) as f32 + 12.0))
            .collect();
        let set = labelled(&labels);
        let chosen = spread_of_ages(&set, 5);
        assert_eq!(chosen.len(), 10);
        assert!(
            chosen[..5].iter().all(|r| r.sex == Sex::Female)
                && chosen[5..].iter().all(|r| r.sex == Sex::Male)
        );
        for (r, age) in chosen.iter().zip([24.0, 72.0, 120.0, 168.0, 216.0]) {
            assert!((r.months.0 - age).abs() < 10.0, "{} for {age}", r.months.0);
        }
        assert!(chosen.iter().all(|r| part_of(&r.id) == Part::Training));
        let few = labelled(&[(Sex::Male, 100.0)]);
        assert!(spread_of_ages(&few, 5).len() <= 1);
    }
}
