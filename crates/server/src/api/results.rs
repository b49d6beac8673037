use super::error::ErrorBody;
use super::films::{saw, words};
use super::{ApiError, Bytes};
use crate::access::Person;
use crate::results::{Format, NoResult, result};
use crate::service::{Shared, blocking};
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa::openapi::schema::Object;

/// Which result of which film.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(super) struct Wanted {
    /// The film.
    id: String,
    /// `overlay.png`, `report.pdf` (PDF/A), `reading.json`, `fhir.json` (FHIR R4 Bundle), or of a film that came as DICOM
    /// `sc.dcm` (Secondary Capture), `pdf.dcm` (Encapsulated PDF), `sr.dcm` (Structured Report).
    #[param(schema_with = names)]
    name: String,
}

fn names() -> Object {
    words(Format::ALL.map(Format::name))
}

/// What the model said, as a file: picture, page, FHIR, DICOM. A person's verdict is not part of it.
#[utoipa::path(get, path = "/api/v1/films/{id}/results/{name}", tag = "films",
    params(Wanted),
    responses(
        (status = 200, content((Bytes = "image/png"), (Bytes = "application/pdf"), (Bytes = "application/dicom"),
            (Value = "application/json"), (Value = "application/fhir+json"))),
        (status = 401, body = ErrorBody), (status = 404, body = ErrorBody),
        (status = 409, body = ErrorBody, description = "The film has no reading, or none of this kind"),
))]
pub(super) async fn file(
    State(service): State<Shared>,
    person: Person,
    Path(Wanted { id, name }): Path<Wanted>,
) -> Result<Response, ApiError> {
    let format = Format::of(&name)
        .ok_or_else(|| ApiError::new(StatusCode::NOT_FOUND, "there is no result of that name"))?;
    let film = saw(&service, &person, &id).await?;
    let made = blocking(&service, move |service| result(service, &film, format)).await?;
    let file = made.map_err(|error| match error {
        NoResult::Unread | NoResult::FileGone | NoResult::NotDicom => {
            ApiError::new(StatusCode::CONFLICT, error.to_string())
        }
        error => {
            tracing::error!(film = id, %error, "could not make a result");
            ApiError::fault()
        }
    })?;
    let named = format!("attachment; filename=\"boneage-{}-{name}\"", &id[..8.min(id.len())]);
    let headers = [(header::CONTENT_TYPE, format.kind().to_owned()), (header::CONTENT_DISPOSITION, named)];
    Ok((headers, file).into_response())
}
