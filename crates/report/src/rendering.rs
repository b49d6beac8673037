use crate::overlay::{film_with_map, overlay};
use crate::{Case, Picture, ReportError, Score, Standing, pdf};
use boneage_core::Plane;
use boneage_dicom::{
    Measurement, Occasion, Source, UidRoot, encapsulated_pdf, secondary_capture, structured_report,
};
use boneage_draw::RgbImage;
use std::cell::OnceCell;

/// One reading as pictures, page and DICOM objects. What two of them need is drawn once.
pub struct Rendering<'a> {
    film: &'a Plane,
    case: Case<'a>,
    overlay: OnceCell<RgbImage>,
    page: OnceCell<Vec<u8>>,
}

/// A result as a DICOM object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum DicomKind {
    /// Secondary Capture: the overlay.
    Capture,
    /// Encapsulated PDF: the page.
    Page,
    /// Structured Report: the numbers.
    Report,
}

impl DicomKind {
    /// All of them.
    pub const ALL: [DicomKind; 3] = [DicomKind::Capture, DicomKind::Page, DicomKind::Report];

    /// `sc`, `pdf` or `sr`.
    pub fn as_str(self) -> &'static str {
        match self {
            DicomKind::Capture => "sc",
            DicomKind::Page => "pdf",
            DicomKind::Report => "sr",
        }
    }
}

impl<'a> Rendering<'a> {
    /// Of a film and its reading; nothing is drawn yet. The maps of the assessment may be smaller than the film.
    pub fn new(film: &'a Plane, case: Case<'a>) -> Self {
        Rendering { film, case, overlay: OnceCell::new(), page: OnceCell::new() }
    }

    /// The whole film in grey with attention map, hand, age and flags.
    pub fn overlay(&self) -> &RgbImage {
        self.overlay.get_or_init(|| overlay(self.film, self.case.assessment))
    }

    /// The page, as PDF/A.
    ///
    /// # Errors
    /// As [`pdf`].
    pub fn page(&self) -> Result<&[u8], ReportError> {
        if let Some(page) = self.page.get() {
            return Ok(page);
        }
        let picture = film_with_map(self.film, self.case.assessment);
        let rgb = picture.as_raw().as_slice();
        let page = pdf(&self.case, Some(Picture { width: picture.width(), height: picture.height(), rgb }))?;
        Ok(self.page.get_or_init(|| page))
    }

    /// A DICOM object that belongs to the study of `source`, with new UIDs under `root`. The same case gives the same
    /// object with the same UIDs.
    ///
    /// # Errors
    /// If the source does not name itself, or as [`page`](Self::page).
    pub fn object(&self, kind: DicomKind, source: &Source, root: &UidRoot) -> Result<Vec<u8>, ReportError> {
        if !source.can_be_referred_to() {
            return Err(ReportError::Nameless);
        }
        let Case { assessment, written, version, standing, .. } = self.case;
        let occasion = Occasion { source, assessment, date: written.date, time: written.time, version, root };
        Ok(match kind {
            DicomKind::Capture => {
                let drawn = self.overlay();
                let (width, height) = (drawn.width() as u16, drawn.height() as u16);
                secondary_capture(&occasion, width, height, drawn.as_raw())
            }
            DicomKind::Page => encapsulated_pdf(&occasion, self.page()?),
            DicomKind::Report => structured_report(&occasion, &measurements(standing)),
        })
    }
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
