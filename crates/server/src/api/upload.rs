use super::ApiError;
use super::error::ErrorBody;
use super::films::{Film, sex_of};
use crate::access::{Person, Role};
use crate::clock::now;
use crate::incoming::{Arrived, Incoming};
use crate::service::{Service, Shared, blocking};
use crate::store::{Arrival, Origin};
use axum::Json;
use axum::extract::multipart::{Field, MultipartRejection};
use axum::extract::{Multipart, State};
use axum::http::StatusCode;
use boneage_core::Sex;
use serde::Deserialize;
use std::time::Duration;
use utoipa::ToSchema;
use utoipa::openapi::schema::{Object, ObjectBuilder, Type};

/// Longest silence of an uploader.
const SILENCE: Duration = Duration::from_secs(30);

/// Longest name of a file that is kept, in characters.
const NAME: usize = 200;

/// Longest value of a field that is no file, in bytes.
const WORD: usize = 64;

/// The form of an upload.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "the shape of the form, for the OpenAPI document")]
struct UploadForm {
    /// The film: DICOM, PNG, JPEG, TIFF or BMP.
    #[schema(format = Binary, content_media_type = "application/octet-stream", min_length = 1)]
    file: String,
    #[schema(schema_with = sex_words, required = false)]
    sex: String,
}

fn sex_words() -> Object {
    let words = ["female", "male", ""];
    let told = "`female` or `male`; empty or left out: by the file's header if it tells, else unknown.";
    ObjectBuilder::new().schema_type(Type::String).enum_values(Some(words)).description(Some(told)).build()
}

/// Uploads a film to be read.
///
/// The film is on the disk when this is answered. The same file for the same sex is the same film and is not read
/// again, however often it is sent.
#[utoipa::path(post, path = "/api/v1/films", tag = "films",
    request_body(content = UploadForm, content_type = "multipart/form-data"), responses(
    (status = 202, body = Film, description = "It waits to be read"),
    (status = 200, body = Film, description = "It came before"),
    (status = 400, body = ErrorBody), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody),
    (status = 408, body = ErrorBody), (status = 413, body = ErrorBody),
))]
pub(super) async fn upload(
    State(service): State<Shared>,
    person: Person,
    form: Result<Multipart, MultipartRejection>,
) -> Result<(StatusCode, Json<Film>), ApiError> {
    person.may(Role::Reader)?;
    let mut form = form?;
    let (mut received, mut sex) = (None, None);
    while let Some(field) = in_time(form.next_field()).await? {
        match field.name().unwrap_or_default() {
            "file" if received.is_none() => received = Some(stream(&service, field).await?),
            "sex" if sex.is_none() => sex = Some(sex_of(&word(field).await?)?),
            "file" | "sex" => return Err(ApiError::bad("file and sex are each given once")),
            _ => return Err(ApiError::bad("the form has fields besides file and sex")),
        }
    }
    let (name, arrived) = received.ok_or_else(|| ApiError::bad("the form has no field file"))?;
    if arrived.bytes == 0 {
        return Err(ApiError::bad("the file is empty (0 bytes); hint: copy or export it again"));
    }
    let keep = move |service: &Service| keep(service, &arrived, &name, sex.flatten(), &person.name);
    let (new, film) = blocking(&service, keep).await??;
    service.bell.ring();
    let status = if new { StatusCode::ACCEPTED } else { StatusCode::OK };
    Ok((status, Json(film)))
}

/// Makes a film of what has come. Whether it is a new one.
fn keep(
    service: &Service,
    arrived: &Arrived,
    name: &str,
    sex: Option<Sex>,
    person: &str,
) -> Result<(bool, Film), ApiError> {
    let name = if service.settings.deidentify { "" } else { name };
    let origin = Origin::Upload;
    let accepted = service.store.accept(&Arrival { arrived, sex, name, origin, by: person, at: now() })?;
    let film = service.store.film(&accepted.id)?.ok_or_else(ApiError::unknown_film)?;
    Ok((!accepted.known, film.into()))
}

/// The file of a form with its name, written to the disk as it comes.
async fn stream(service: &Shared, mut field: Field<'_>) -> Result<(String, Arrived), ApiError> {
    let name = field.file_name().unwrap_or_default().chars().filter(|c| !c.is_control()).take(NAME).collect();
    let mut incoming = Incoming::create(service.store.folder(), service.settings.max_bytes).await?;
    while let Some(chunk) = in_time(field.chunk()).await? {
        incoming.add(&chunk).await?;
    }
    Ok((name, incoming.arrived().await?))
}

/// A field that holds a word.
async fn word(mut field: Field<'_>) -> Result<String, ApiError> {
    let mut bytes = Vec::new();
    while let Some(chunk) = in_time(field.chunk()).await? {
        bytes.extend_from_slice(&chunk);
        if bytes.len() > WORD {
            return Err(ApiError::bad(format!("the field sex has more than {WORD} bytes")));
        }
    }
    String::from_utf8(bytes).map_err(|_| ApiError::bad("the field sex is no text"))
}

/// Waits for the uploader, not for ever.
async fn in_time<T>(
    coming: impl Future<Output = Result<T, axum::extract::multipart::MultipartError>>,
) -> Result<T, ApiError> {
    match tokio::time::timeout(SILENCE, coming).await {
        Ok(come) => Ok(come?),
        Err(_) => Err(ApiError::new(StatusCode::REQUEST_TIMEOUT, "nothing came for 30 seconds")),
    }
}
