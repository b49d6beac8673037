//! A film's reading as a file to be given away: made anew from what is stored, the same each time.

use crate::clock::second;
use crate::folder::Picture;
use crate::service::Service;
use crate::store::FilmRow;
use boneage_assess::FilmError;
use boneage_core::{DecodeLimits, Plane};
use boneage_report::{Case, DicomKind, JsonReading, Rendering, ReportError, fhir, fhir_bundle};
use std::fs;
use std::io::{self, Cursor};

/// A kind of file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// The film with map, hand, age and flags.
    Overlay,
    /// The page, PDF/A.
    Page,
    /// JSON, as the command line tells it.
    Json,
    /// A FHIR R4 Bundle.
    Fhir,
    /// A DICOM object.
    Object(DicomKind),
}

impl Format {
    pub(crate) const ALL: [Format; 7] = [
        Format::Overlay,
        Format::Page,
        Format::Json,
        Format::Fhir,
        Format::Object(DicomKind::Capture),
        Format::Object(DicomKind::Page),
        Format::Object(DicomKind::Report),
    ];

    /// The last part of its address.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Format::Overlay => "overlay.png",
            Format::Page => "report.pdf",
            Format::Json => "reading.json",
            Format::Fhir => "fhir.json",
            Format::Object(DicomKind::Capture) => "sc.dcm",
            Format::Object(DicomKind::Page) => "pdf.dcm",
            Format::Object(DicomKind::Report) => "sr.dcm",
        }
    }

    pub(crate) fn of(name: &str) -> Option<Format> {
        Format::ALL.into_iter().find(|format| format.name() == name)
    }

    /// Its media type.
    pub(crate) fn kind(self) -> &'static str {
        match self {
            Format::Overlay => "image/png",
            Format::Page => "application/pdf",
            Format::Json => "application/json",
            Format::Fhir => "application/fhir+json",
            Format::Object(_) => "application/dicom",
        }
    }
}

/// Why there is no such file.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NoResult {
    #[error("the film has no reading")]
    Unread,
    #[error("the uploaded file is not kept in a de-identified store, and a DICOM object needs it")]
    FileGone,
    #[error("only a film that came as DICOM has results as DICOM")]
    NotDicom,
    #[error("{0}")]
    Report(#[from] ReportError),
    #[error("what is kept of the film cannot be read: {0}")]
    Stored(#[from] FilmError),
    #[error("what is kept of the film cannot be read: {0}")]
    File(#[from] io::Error),
}

/// The file of a film's reading in one format.
pub(crate) fn result(service: &Service, film: &FilmRow, format: Format) -> Result<Vec<u8>, NoResult> {
    let mut made = results(service, film, &[format])?;
    Ok(made.pop().expect("one was asked for"))
}

/// The same in several formats, which cost less together.
pub(crate) fn results(
    service: &Service,
    film: &FilmRow,
    formats: &[Format],
) -> Result<Vec<Vec<u8>>, NoResult> {
    let (Some(reading), Some(read_at)) = (&film.reading, film.read_at) else { return Err(NoResult::Unread) };
    let folder = service.store.folder();
    let picture = |picture: Picture| -> Result<Plane, NoResult> {
        let bytes = fs::read(folder.picture(&film.id, picture))?;
        let limits = DecodeLimits::pixels(service.settings.max_pixels);
        Ok(boneage_vision::decode(&bytes, &limits).map_err(FilmError::from)?.plane)
    };
    let only_words = formats
        .iter()
        .all(|format| matches!(format, Format::Json | Format::Fhir | Format::Object(DicomKind::Report)));
    let mut maps = [None, None];
    let mut image = Plane::from_fn(1, 1, |_, _| 0.0);
    if !only_words {
        image = picture(Picture::Image)?;
        let [attention, hand] = &mut maps;
        *attention = reading.attention.then(|| picture(Picture::Attention)).transpose()?;
        *hand = reading.hand.then(|| picture(Picture::Hand)).transpose()?;
    }
    let [attention, hand] = maps;
    let assessment = reading.assessment(&film.digest, attention, hand);
    let standing = service.settings.reference.standing_of(&assessment);
    let case = Case {
        assessment: &assessment,
        study_date: reading.study_day(),
        standing: standing.as_ref(),
        adult_height: None,
        written: second(read_at),
        version: &reading.version,
    };
    let rendering = Rendering::new(&image, case);
    let source = if formats.iter().any(|format| matches!(format, Format::Object(_))) {
        Some(source(service, film)?)
    } else {
        None
    };
    formats
        .iter()
        .map(|format| match (format, &source) {
            (Format::Overlay, _) => {
                let mut png = Cursor::new(Vec::new());
                let written = rendering.overlay().write_to(&mut png, image::ImageFormat::Png);
                written.map_err(io::Error::other)?;
                Ok(png.into_inner())
            }
            (Format::Page, _) => Ok(rendering.page()?.to_vec()),
            (Format::Json, _) => {
                Ok(format!("{}\n", JsonReading::new(&film.name, &case).to_pretty()).into_bytes())
            }
            (Format::Fhir, _) => Ok(format!("{:#}\n", fhir_bundle(fhir(&case).into())).into_bytes()),
            (Format::Object(_), None) => Err(NoResult::NotDicom),
            (Format::Object(kind), Some(source)) => {
                Ok(rendering.object(*kind, source, &service.settings.uid_root)?)
            }
        })
        .collect()
}

/// What results refer to, by the header of the film's file.
fn source(service: &Service, film: &FilmRow) -> Result<boneage_dicom::Source, NoResult> {
    let file = match fs::read(service.store.folder().upload(&film.digest)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(NoResult::FileGone),
        file => file?,
    };
    if !boneage_dicom::is_dicom(&file) {
        return Err(NoResult::NotDicom);
    }
    Ok(boneage_dicom::header(&file).map_err(FilmError::from)?.1)
}
