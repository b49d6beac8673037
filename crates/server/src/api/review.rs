use super::ApiError;
use super::error::ErrorBody;
use super::films::Film;
use crate::access::{Person, Role};
use crate::clock::now;
use crate::service::{Service, Shared, blocking};
use crate::store::{Review, State as FilmState, Verdict};
use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::Deserialize;
use utoipa::ToSchema;

/// Greatest bone age that a person may give, in months: 20 years.
const MOST_MONTHS: f64 = 240.0;

/// Longest comment, in characters.
const COMMENT: usize = 2000;

/// What a person says of a reading.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(tag = "verdict", rename_all = "lowercase", deny_unknown_fields)]
pub(super) enum Said {
    /// The reading stands.
    Accepted {
        /// In the person's words.
        #[serde(default)]
        #[schema(max_length = 2000)]
        comment: String,
    },
    /// Another age counts instead.
    Overruled {
        /// The age in months, from 0 to 240.
        #[schema(minimum = 0, maximum = 240)]
        months: f64,
        /// In the person's words.
        #[serde(default)]
        #[schema(max_length = 2000)]
        comment: String,
    },
}

/// Accepts a reading, or overrules it with another age.
#[utoipa::path(put, path = "/api/v1/films/{id}/review", tag = "films",
    params(("id" = String, Path, description = "The film")), request_body = Said, responses(
    (status = 200, body = Film),
    (status = 400, body = ErrorBody), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody),
    (status = 404, body = ErrorBody), (status = 409, body = ErrorBody, description = "There is no reading, or no age to accept"),
    (status = 415, body = ErrorBody), (status = 422, body = ErrorBody),
))]
pub(super) async fn put(
    State(service): State<Shared>,
    person: Person,
    Path(id): Path<String>,
    said: Result<Json<Said>, JsonRejection>,
) -> Result<Json<Film>, ApiError> {
    person.may(Role::Reader)?;
    let Json(said) = said?;
    let (verdict, comment) = match said {
        Said::Accepted { comment } => (Verdict::Accepted, comment),
        Said::Overruled { months, comment } if (0.0..=MOST_MONTHS).contains(&months) => {
            (Verdict::Overruled(months), comment)
        }
        Said::Overruled { months, .. } => {
            return Err(ApiError::bad(format!("{months} months are not within 0 to {MOST_MONTHS}")));
        }
    };
    if comment.chars().count() > COMMENT {
        return Err(ApiError::bad(format!("the comment has more than {COMMENT} characters")));
    }
    let review = Review { verdict, comment, by: person.name, at: now() };
    blocking(&service, move |service| write(service, &id, &review)).await?
}

fn write(service: &Service, id: &str, review: &Review) -> Result<Json<Film>, ApiError> {
    let film = service.store.film(id)?.ok_or_else(ApiError::unknown_film)?;
    let age = film.reading.as_ref().and_then(|reading| reading.months);
    if film.state != FilmState::Done {
        return Err(ApiError::new(StatusCode::CONFLICT, "the film is not read yet"));
    }
    if review.verdict == Verdict::Accepted && age.is_none() {
        return Err(ApiError::new(
            StatusCode::CONFLICT,
            "the film was refused, so there is no age to accept",
        ));
    }
    service.store.review(id, &review.by, Some(review))?;
    let film = service.store.film(id)?.ok_or_else(ApiError::unknown_film)?;
    Ok(Json(film.into()))
}

/// Takes a verdict back.
#[utoipa::path(delete, path = "/api/v1/films/{id}/review", tag = "films",
    params(("id" = String, Path, description = "The film")), responses(
    (status = 204, description = "There is no verdict any more"),
    (status = 401, body = ErrorBody), (status = 403, body = ErrorBody), (status = 404, body = ErrorBody),
))]
pub(super) async fn take_back(
    State(service): State<Shared>,
    person: Person,
    Path(id): Path<String>,
) -> Result<StatusCode, ApiError> {
    person.may(Role::Reader)?;
    let there = blocking(&service, move |service| service.store.review(&id, &person.name, None)).await??;
    if there { Ok(StatusCode::NO_CONTENT) } else { Err(ApiError::unknown_film()) }
}
