use super::ApiError;
use super::error::ErrorBody;
use super::films::{Film, saw};
use crate::access::{Person, Role};
use crate::by_hand::{ByHand, CropBox};
use crate::clock::written;
use crate::reading::Reading;
use crate::service::{Service, Shared, blocking};
use crate::store::{Again, FormerReading};
use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How a film is to be read again. With none of them the automatic way is taken again.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Wish {
    /// Clockwise, in degrees, on a frame that holds all of the film.
    #[schema(minimum = -180, maximum = 180)]
    turn: Option<f32>,
    /// Left and right exchanged, after the turn.
    mirrored: Option<bool>,
    /// The part of the turned and mirrored frame that is read.
    crop: Option<CropBox>,
}

impl Wish {
    fn by_hand(&self) -> Option<ByHand> {
        let Wish { turn, mirrored, crop } = *self;
        let none = turn.is_none() && mirrored.is_none() && crop.is_none();
        (!none).then(|| ByHand { turn: turn.unwrap_or(0.0), mirrored: mirrored.unwrap_or(false), crop })
    }
}

/// Has a film read again as a person lays it down: turned, mirrored, cropped. Its present reading becomes a former one.
#[utoipa::path(post, path = "/api/v1/films/{id}/readings", tag = "films",
    params(("id" = String, Path, description = "The film")), request_body = Wish, responses(
    (status = 202, body = Film, description = "It waits to be read"),
    (status = 400, body = ErrorBody), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody),
    (status = 404, body = ErrorBody),
    (status = 409, body = ErrorBody, description = "It is being read, has a verdict, or its file is not kept"),
    (status = 415, body = ErrorBody), (status = 422, body = ErrorBody),
))]
pub(super) async fn again(
    State(service): State<Shared>,
    person: Person,
    Path(id): Path<String>,
    wish: Result<Json<Wish>, JsonRejection>,
) -> Result<(StatusCode, Json<Film>), ApiError> {
    person.may(Role::Reader)?;
    let Json(wish) = wish?;
    let by_hand = wish.by_hand();
    let placing = by_hand.map(|by_hand| by_hand.placing()).transpose();
    let placing = placing.map_err(|error| ApiError::bad(error.to_string()))?;
    let detail = placing.map_or("the automatic way".to_owned(), |placing| placing.words());
    let film =
        blocking(&service, move |service| queue(service, &id, by_hand.as_ref(), &person.name, &detail))
            .await??;
    service.bell.ring();
    Ok((StatusCode::ACCEPTED, Json(film)))
}

fn queue(
    service: &Service,
    id: &str,
    by_hand: Option<&ByHand>,
    person: &str,
    detail: &str,
) -> Result<Film, ApiError> {
    let film = service.store.film(id)?.ok_or_else(ApiError::unknown_film)?;
    let conflict = |why: &str| ApiError::new(StatusCode::CONFLICT, why);
    if !service.store.folder().upload(&film.digest).exists() {
        return Err(conflict(
            "the uploaded file is not kept in a de-identified store, so it cannot be read again",
        ));
    }
    match service.store.read_again(id, by_hand, person, detail)? {
        Again::Queued => {}
        Again::Unknown => return Err(ApiError::unknown_film()),
        Again::NotNow => return Err(conflict("the film is being read, or is not for us")),
        Again::Reviewed => {
            return Err(conflict("the film has a verdict; hint: take it back before reading again"));
        }
    }
    Ok(service.store.film(id)?.ok_or_else(ApiError::unknown_film)?.into())
}

/// Readings of a film that others have taken the place of.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct FormerReadings {
    /// Newest first; the present one is the film's own.
    readings: Vec<Former>,
}

/// A former reading.
#[derive(Debug, Serialize, ToSchema)]
struct Former {
    /// What the model said.
    reading: Reading,
    /// When.
    read_at: String,
}

impl From<FormerReading> for Former {
    fn from(FormerReading { reading, read_at }: FormerReading) -> Self {
        Former { reading, read_at: written(read_at) }
    }
}

/// What was read before somebody had the film read again.
#[utoipa::path(get, path = "/api/v1/films/{id}/readings", tag = "films",
    params(("id" = String, Path, description = "The film")), responses(
    (status = 200, body = FormerReadings),
    (status = 401, body = ErrorBody), (status = 404, body = ErrorBody),
))]
pub(super) async fn former(
    State(service): State<Shared>,
    person: Person,
    Path(id): Path<String>,
) -> Result<Json<FormerReadings>, ApiError> {
    saw(&service, &person, &id).await?;
    let rows = blocking(&service, move |service| service.store.former_readings(&id)).await??;
    Ok(Json(FormerReadings { readings: rows.into_iter().map(Former::from).collect() }))
}
