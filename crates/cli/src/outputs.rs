//! What is written about each film besides its line in the result: pictures, pages, DICOM objects.

use crate::exit::OurFault;
use crate::film::Film;
use crate::inputs::output_names;
use crate::kept::keep;
use crate::overlay::{film_with_map, overlay};
use anyhow::{Context, anyhow, bail};
use boneage_core::{Assessment, Date};
use boneage_dicom::{Measurement, Occasion, UidRoot, encapsulated_pdf, secondary_capture, structured_report};
use boneage_report::{Case, Picture, Score, Standing, pdf};
use std::cell::LazyCell;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

/// One reading with what is known of its child.
pub(crate) struct Told {
    pub(crate) assessment: Assessment,
    pub(crate) study_date: Option<Date>,
    pub(crate) standing: Option<Standing>,
    /// When the reading was made, in UTC.
    pub(crate) at: Moment,
}

/// A day, and hours, minutes and seconds.
pub(crate) type Moment = (Date, [u8; 3]);

impl Told {
    pub(crate) fn case(&self) -> Case<'_> {
        Case {
            assessment: &self.assessment,
            study_date: self.study_date,
            standing: self.standing.as_ref(),
            written: self.at.0,
            version: env!("CARGO_PKG_VERSION"),
        }
    }
}

/// Folders that were asked for.
#[derive(Debug)]
pub(crate) struct Folders {
    pub(crate) overlay: Option<PathBuf>,
    pub(crate) pdf: Option<PathBuf>,
    pub(crate) dicom: Option<PathBuf>,
}

/// Where the outputs of one film go.
#[derive(Clone, Debug, Default)]
pub(crate) struct Outputs {
    overlay: Option<PathBuf>,
    page: Option<PathBuf>,
    objects: Option<[PathBuf; 3]>,
}

impl Folders {
    /// Where each file's outputs go. Looked at before anything is read: a batch that fails at its 9,000th image
    /// because a picture is there already has wasted an hour.
    pub(crate) fn plan(&self, files: &[PathBuf], force: bool) -> anyhow::Result<Vec<Outputs>> {
        let mut plan = vec![Outputs::default(); files.len()];
        if let Some(folder) = &self.overlay {
            for (outputs, path) in plan.iter_mut().zip(planned(folder, files, "overlay.png", force)?) {
                outputs.overlay = Some(path);
            }
        }
        if let Some(folder) = &self.pdf {
            for (outputs, path) in plan.iter_mut().zip(planned(folder, files, "pdf", force)?) {
                outputs.page = Some(path);
            }
        }
        if let Some(folder) = &self.dicom {
            let of = |ending| planned(folder, files, ending, force);
            let (captures, pages, reports) = (of("sc.dcm")?, of("pdf.dcm")?, of("sr.dcm")?);
            let all = captures.into_iter().zip(pages).zip(reports);
            for (outputs, ((capture, page), report)) in plan.iter_mut().zip(all) {
                outputs.objects = Some([capture, page, report]);
            }
        }
        Ok(plan)
    }
}

fn planned(folder: &Path, files: &[PathBuf], ending: &str, force: bool) -> anyhow::Result<Vec<PathBuf>> {
    fs::create_dir_all(folder).with_context(|| format!("folder {}", folder.display()))?;
    let paths: Vec<PathBuf> = output_names(files, ending).iter().map(|name| folder.join(name)).collect();
    keep(&paths, force)?;
    Ok(paths)
}

impl Outputs {
    /// Whether the reading's pictures are needed.
    pub(crate) fn show_the_film(&self) -> bool {
        self.overlay.is_some() || self.page.is_some() || self.objects.is_some()
    }

    /// Writes what was asked for.
    pub(crate) fn write(&self, film: &Film, told: &Told, root: &UidRoot) -> anyhow::Result<()> {
        let drawn = LazyCell::new(|| overlay(&film.plane, &told.assessment));
        if let Some(path) = &self.overlay {
            drawn.save(path).with_context(|| format!("overlay {}", path.display()))?;
        }
        if self.page.is_none() && self.objects.is_none() {
            return Ok(());
        }
        let picture = film_with_map(&film.plane, &told.assessment);
        let rgb = picture.as_raw().as_slice();
        let picture = Picture { width: picture.width(), height: picture.height(), rgb };
        let page = pdf(&told.case(), Some(picture)).context(OurFault("write the page"))?;
        if let Some(path) = &self.page {
            write(path, &page)?;
        }
        if let Some([capture_path, page_path, report_path]) = &self.objects {
            let source = film.source.as_ref().filter(|source| source.can_be_referred_to());
            let Some(source) = source else {
                bail!(
                    "results as DICOM need a film as DICOM that names itself; hint: leave --dicom-out away"
                );
            };
            let (assessment, (date, time)) = (&told.assessment, told.at);
            let occasion =
                Occasion { source, assessment, date, time, version: env!("CARGO_PKG_VERSION"), root };
            let (width, height) = (drawn.width() as u16, drawn.height() as u16);
            write(capture_path, &secondary_capture(&occasion, width, height, drawn.as_raw()))?;
            write(page_path, &encapsulated_pdf(&occasion, &page))?;
            write(report_path, &structured_report(&occasion, &measurements(told.standing.as_ref())))?;
        }
        Ok(())
    }
}

fn write(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    fs::write(path, bytes).with_context(|| format!("{}", path.display()))
}

/// What a structured report tells besides the age.
fn measurements(standing: Option<&Standing>) -> Vec<Measurement> {
    let Some(standing) = standing else { return Vec::new() };
    let mut measurements = vec![Measurement {
        meaning: "Bone age minus chronological age".to_owned(),
        code: "DIFFERENCE",
        value: f64::from(standing.difference),
        unit: ("mo", "month"),
    }];
    if let Score::Sds(sds) = standing.score {
        measurements.push(Measurement {
            meaning: format!("Standard deviation score of bone age, {}", standing.reference),
            code: "SDS",
            value: f64::from(sds),
            unit: ("{SD}", "standard deviation"),
        });
    }
    measurements
}

/// Date and time by the machine's clock.
///
/// # Errors
/// If the clock stands before 1970.
pub(crate) fn now() -> anyhow::Result<Moment> {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).ok();
    since
        .and_then(|since| moment(since.as_secs()))
        .ok_or_else(|| anyhow!("the clock of this machine stands before 1970; hint: set it"))
}

/// So many seconds after the beginning of 1970.
fn moment(seconds: u64) -> Option<Moment> {
    let (days, rest) = (seconds / 86_400, seconds % 86_400);
    Some((date_of(days)?, [(rest / 3600) as u8, (rest / 60 % 60) as u8, (rest % 60) as u8]))
}

/// The day that lies so many days after 1 January 1970: years are counted from March, so that a leap day is the
/// last of its year.
fn date_of(days: u64) -> Option<Date> {
    // Days from 1 March of the year 0 to 1 January 1970, and of 400 years.
    const TO_1970: u64 = 719_468;
    const CYCLE: u64 = 146_097;
    let days = days + TO_1970;
    let (cycles, day) = (days / CYCLE, days % CYCLE);
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day_of_month = day - (153 * month + 2) / 5 + 1;
    let (month, next) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    Date::new(u16::try_from(400 * cycles + year + next).ok()?, month as u8, day_of_month as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_become_dates() {
        for (days, date) in
            [(0, "1970-01-01"), (59, "1970-03-01"), (11_016, "2000-02-29"), (20_453, "2025-12-31")]
        {
            assert_eq!(date_of(days).map(|date| date.to_string()).as_deref(), Some(date));
        }
        assert_eq!(moment(86_399).map(|(_, time)| time), Some([23, 59, 59]));
    }
}
