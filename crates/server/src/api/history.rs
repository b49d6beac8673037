use super::ApiError;
use super::error::ErrorBody;
use super::films::saw;
use crate::access::Person;
use crate::reading::Interval;
use crate::service::{Service, Shared, blocking};
use crate::store::{FilmRow, Verdict};
use axum::Json;
use axum::extract::{Path, State};
use boneage_core::{AgeSource, ChronologicalAge, Months, Sex};
use boneage_report::{ReferenceRow, Score};
use serde::Serialize;
use utoipa::ToSchema;

/// The studies of a film's patient that this service has read.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct History {
    /// Whether the patient is known: the film is DICOM with a patient's number, and the store keeps such things.
    patient_known: bool,
    /// By age, this film's among them; this one alone where the patient is not known. A refused film has no age and
    /// is there only if it is this one.
    studies: Vec<Study>,
}

/// One film of a patient.
#[derive(Debug, Serialize, ToSchema)]
struct Study {
    /// The film.
    film: String,
    /// Whether it is the one that was asked for.
    this: bool,
    /// The day of the study.
    study_date: Option<String>,
    /// The child's age on that day, in months.
    chronological_age: Option<f64>,
    /// The bone age that counts, in months: a person's where one overruled, else the model's.
    months: Option<f64>,
    /// Whether a person gave that age.
    overruled: bool,
    /// The model's interval; null with a person's age.
    interval: Option<Interval>,
    /// How the age that counts stands to the reference, in standard deviations.
    sds: Option<f64>,
}

/// The studies of the same patient, for a growth chart.
#[utoipa::path(get, path = "/api/v1/films/{id}/history", tag = "films",
    params(("id" = String, Path, description = "The film")), responses(
    (status = 200, body = History),
    (status = 401, body = ErrorBody), (status = 404, body = ErrorBody),
))]
pub(super) async fn of_patient(
    State(service): State<Shared>,
    person: Person,
    Path(id): Path<String>,
) -> Result<Json<History>, ApiError> {
    let film = saw(&service, &person, &id).await?;
    blocking(&service, move |service| history(service, film)).await?
}

fn history(service: &Service, film: FilmRow) -> Result<Json<History>, ApiError> {
    let found = service.store.of_same_patient(&film)?;
    let patient_known = found.is_some();
    let id = film.id.clone();
    let films = found.unwrap_or_else(|| vec![film]);
    let there = films.iter().filter(|film| film.id == id || film.months().is_some());
    let mut studies: Vec<Study> = there.map(|film| Study::of(service, film, film.id == id)).collect();
    let age = |study: &Study| study.chronological_age.unwrap_or(f64::INFINITY);
    studies.sort_by(|a, b| age(a).total_cmp(&age(b)).then_with(|| a.study_date.cmp(&b.study_date)));
    Ok(Json(History { patient_known, studies }))
}

impl Study {
    fn of(service: &Service, film: &FilmRow, this: bool) -> Study {
        let reading = film.reading.as_ref();
        let age = reading.and_then(|reading| reading.chronological_age.as_ref()).map(|age| age.months);
        let sex: Option<Sex> = reading.and_then(|reading| reading.sex.as_deref()?.parse().ok());
        let overruled =
            film.review.as_ref().is_some_and(|review| matches!(review.verdict, Verdict::Overruled(_)));
        let months = film.months();
        let standing = age.zip(months).map(|(age, months)| {
            let age = ChronologicalAge { months: Months(age as f32), source: AgeSource::Dates };
            service.settings.reference.standing(sex, age, Months(months as f32))
        });
        let sds = standing.and_then(|standing| match standing.score {
            Score::Sds(sds) => Some(crate::reading::tenth(sds)),
            _ => None,
        });
        Study {
            film: film.id.clone(),
            this,
            study_date: reading.and_then(|reading| reading.study_date.clone()),
            chronological_age: age,
            months,
            overruled,
            interval: reading.and_then(|reading| reading.interval.clone()).filter(|_| !overruled),
            sds,
        }
    }
}

/// What bone age is usual at which age, by the reference that the settings choose.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ReferenceTable {
    /// For people.
    name: String,
    /// Where the numbers stand.
    source: String,
    /// Of girls, ages ascending. Outside the table nothing is known.
    female: Vec<Usual>,
    /// Of boys.
    male: Vec<Usual>,
}

/// At one age.
#[derive(Debug, Serialize, ToSchema)]
struct Usual {
    /// Chronological age in months.
    age: f32,
    /// Mean of the bone ages, in months.
    mean: f32,
    /// Their standard deviation, in months.
    sd: f32,
}

/// The reference that readings are set beside.
#[utoipa::path(get, path = "/api/v1/reference", tag = "films", responses(
    (status = 200, body = ReferenceTable), (status = 401, body = ErrorBody),
))]
pub(super) async fn reference(State(service): State<Shared>, _person: Person) -> Json<ReferenceTable> {
    let reference = &service.settings.reference;
    let usual = |&ReferenceRow { age, mean, sd }: &ReferenceRow| Usual { age, mean, sd };
    let table = |sex| reference.rows(sex).iter().map(usual).collect();
    let (name, source) = (reference.name.clone(), reference.source.clone());
    Json(ReferenceTable { name, source, female: table(Sex::Female), male: table(Sex::Male) })
}
