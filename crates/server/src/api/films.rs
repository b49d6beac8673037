use super::ApiError;
use super::error::ErrorBody;
use crate::access::{Person, Role};
use crate::clock::written;
use crate::reading::Reading;
use crate::service::{Service, Shared, blocking};
use crate::store::{Action, FilmRow, Query as StoreQuery, Review, State, Verdict};
use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State as Held};
use axum::http::StatusCode;
use boneage_core::Sex;
use serde::{Deserialize, Serialize};
use std::time::Duration;
use tokio::time::Instant;
use utoipa::openapi::schema::{Object, ObjectBuilder, Type};
use utoipa::{IntoParams, ToSchema};

/// A film, its reading and what a person said of it.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Film {
    /// Known by the file's bytes and the sex: the same upload is the same film.
    id: String,
    /// `queued`, `leased` (being read), `done`, `failed` or `skipped` (no hand by its header, and not read).
    state: String,
    /// Name of the uploaded file; empty in a de-identified store.
    name: String,
    /// `female` or `male`, by the uploader; null: by the file's header if it tells, else unknown.
    sex: Option<String>,
    /// Size of the uploaded file.
    bytes: u64,
    /// SHA-256 of the uploaded file.
    digest: String,
    /// How it came: `upload`, or `dicom` for C-STORE.
    source: String,
    /// The application entity that sent it, if it came by C-STORE.
    sender: Option<String>,
    /// The SOP instance UID, if it came by C-STORE.
    instance: Option<String>,
    /// When it came.
    received_at: String,
    /// When it was read.
    read_at: Option<String>,
    /// How often it was tried.
    attempts: u32,
    /// Why there is no reading, if it failed.
    failure: Option<String>,
    /// What the model said, once it is done.
    reading: Option<Reading>,
    /// What a person said.
    review: Option<ReviewBody>,
    /// The age that counts, in months: a person's where one overruled, else the model's.
    months: Option<f64>,
}

/// What a person said of a reading.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ReviewBody {
    /// `accepted` or `overruled`.
    verdict: String,
    /// The person's age in months, if overruled.
    months: Option<f64>,
    /// In the person's words.
    comment: String,
    /// Who.
    by: String,
    /// When.
    at: String,
}

impl From<FilmRow> for Film {
    fn from(row: FilmRow) -> Self {
        let months = row.months();
        Film {
            id: row.id,
            state: row.state.as_str().to_owned(),
            name: row.name,
            sex: row.sex.map(|sex| sex.as_str().to_owned()),
            bytes: row.bytes,
            digest: row.digest.0,
            source: row.source,
            sender: row.sender,
            instance: row.instance,
            received_at: written(row.received_at),
            read_at: row.read_at.map(written),
            attempts: row.attempts,
            failure: row.failure,
            reading: row.reading,
            review: row.review.map(ReviewBody::from),
            months,
        }
    }
}

impl From<Review> for ReviewBody {
    fn from(review: Review) -> Self {
        let (verdict, months) = match review.verdict {
            Verdict::Accepted => ("accepted", None),
            Verdict::Overruled(months) => ("overruled", Some(months)),
        };
        let (comment, by, at) = (review.comment, review.by, written(review.at));
        ReviewBody { verdict: verdict.to_owned(), months, comment, by, at }
    }
}

/// A page of the worklist.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Films {
    /// Newest first.
    films: Vec<Film>,
    /// How many there are on all pages.
    total: u64,
    /// This page, from 1.
    page: u64,
    /// Films a page.
    per_page: u64,
}

/// Which films are wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Wanted {
    /// Words that name, id or comment must all contain.
    #[serde(default)]
    search: String,
    /// Only films in this state.
    #[param(schema_with = state_words)]
    state: Option<String>,
    /// Only films with (true) or without (false) a verdict.
    reviewed: Option<bool>,
    /// From 1.
    #[param(minimum = 1, maximum = 1_000_000_000, default = 1)]
    page: Option<u64>,
    /// From 1 to 200.
    #[param(minimum = 1, maximum = 200, default = 50)]
    per_page: Option<u64>,
}

/// The last page that may be asked for: SQLite counts in signed 64 bits.
pub(super) const MOST_PAGES: u64 = 1_000_000_000;

fn state_words() -> Object {
    words(State::ALL.map(State::as_str))
}

/// One of some words, for the OpenAPI document.
pub(super) fn words<const N: usize>(words: [&'static str; N]) -> Object {
    ObjectBuilder::new().schema_type(Type::String).enum_values(Some(words)).build()
}

impl Wanted {
    /// The same for the store.
    pub(super) fn query(&self) -> Result<StoreQuery, ApiError> {
        let within = |number: Option<u64>, most| number.is_none_or(|number| (1..=most).contains(&number));
        if !within(self.page, MOST_PAGES) || !within(self.per_page, 200) {
            return Err(ApiError::bad(format!("page is from 1 to {MOST_PAGES}, per_page from 1 to 200")));
        }
        let state = match self.state.as_deref() {
            None => None,
            Some(word) => Some(State::of(word).ok_or_else(|| {
                ApiError::bad(format!(
                    "state {word:?} is not known; hint: queued, leased, done, failed or skipped"
                ))
            })?),
        };
        Ok(StoreQuery { search: self.search.clone(), state, reviewed: self.reviewed })
    }
}

/// Films by a page, newest first.
#[utoipa::path(get, path = "/api/v1/films", tag = "films", params(Wanted), responses(
    (status = 200, body = Films),
    (status = 400, body = ErrorBody), (status = 401, body = ErrorBody),
))]
pub(super) async fn list(
    Held(service): Held<Shared>,
    _person: Person,
    wanted: Result<Query<Wanted>, QueryRejection>,
) -> Result<Json<Films>, ApiError> {
    let Query(wanted) = wanted?;
    let query = wanted.query()?;
    let (page, per_page) = (wanted.page.unwrap_or(1), wanted.per_page.unwrap_or(50));
    let offset = (page - 1) * per_page;
    let (rows, total) =
        blocking(&service, move |service| service.store.films(&query, offset, per_page)).await??;
    Ok(Json(Films { films: rows.into_iter().map(Film::from).collect(), total, page, per_page }))
}

/// How patient the asker is.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Patience {
    /// Answer when the film is done or failed, or after this many milliseconds; at most 30,000.
    #[serde(default)]
    #[param(maximum = 30000)]
    wait_ms: u64,
}

/// One film.
#[utoipa::path(get, path = "/api/v1/films/{id}", tag = "films",
    params(("id" = String, Path, description = "The film"), Patience), responses(
    (status = 200, body = Film),
    (status = 400, body = ErrorBody), (status = 401, body = ErrorBody), (status = 404, body = ErrorBody),
))]
pub(super) async fn one(
    Held(service): Held<Shared>,
    person: Person,
    Path(id): Path<String>,
    patience: Result<Query<Patience>, QueryRejection>,
) -> Result<Json<Film>, ApiError> {
    let Query(Patience { wait_ms }) = patience?;
    if wait_ms > 30_000 {
        return Err(ApiError::bad(format!("wait_ms is {wait_ms}, at most 30000")));
    }
    let until = Instant::now() + Duration::from_millis(wait_ms);
    loop {
        // Before looking: news that comes between looking and waiting counts.
        let news = service.news.notified();
        let film = saw(&service, &person, &id).await?;
        let ended = matches!(film.state, State::Done | State::Failed | State::Skipped);
        if ended || tokio::time::timeout_at(until, news).await.is_err() {
            return Ok(Json(film.into()));
        }
    }
}

/// A film that somebody looks at; noted in the audit log once there is a reading to see.
pub(super) async fn saw(service: &Shared, person: &Person, id: &str) -> Result<FilmRow, ApiError> {
    let (id, name) = (id.to_owned(), person.name.clone());
    let look = move |service: &Service| {
        let film = service.store.film(&id)?;
        if film.as_ref().is_some_and(|film| film.state == State::Done) {
            service.store.audit(&name, Action::Saw, Some(&id), "")?;
        }
        Ok::<_, rusqlite::Error>(film)
    };
    blocking(service, look).await??.ok_or_else(ApiError::unknown_film)
}

/// Deletes a film with its file, its reading and its pictures.
#[utoipa::path(delete, path = "/api/v1/films/{id}", tag = "films",
    params(("id" = String, Path, description = "The film")), responses(
    (status = 204, description = "It is gone"),
    (status = 401, body = ErrorBody), (status = 403, body = ErrorBody), (status = 404, body = ErrorBody),
))]
pub(super) async fn delete(
    Held(service): Held<Shared>,
    person: Person,
    Path(id): Path<String>,
) -> Result<StatusCode, ApiError> {
    person.may(Role::Admin)?;
    let deleted =
        blocking(&service, move |service| service.store.delete(&id, &person.name, Action::Deleted)).await??;
    if deleted { Ok(StatusCode::NO_CONTENT) } else { Err(ApiError::unknown_film()) }
}

/// `female`, `male`, or empty for unknown: these words alone, as the OpenAPI document says.
pub(super) fn sex_of(word: &str) -> Result<Option<Sex>, ApiError> {
    match word {
        "" => Ok(None),
        "female" => Ok(Some(Sex::Female)),
        "male" => Ok(Some(Sex::Male)),
        word => Err(ApiError::bad(format!("sex {word:?} is not known; hint: female, male or empty"))),
    }
}
