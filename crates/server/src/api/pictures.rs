use super::ApiError;
use super::Bytes;
use super::error::ErrorBody;
use crate::access::Person;
use crate::folder::Picture;
use crate::service::{Shared, blocking};
use crate::store::State as FilmState;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use std::time::Duration;

/// The film's picture is written just after its reading; who asks in between waits this long for it.
const SETTLING: Duration = Duration::from_secs(5);

/// The film itself, upright, at full size, 8 bit grey.
#[utoipa::path(get, path = "/api/v1/films/{id}/image.png", tag = "films",
    params(("id" = String, Path, description = "The film")), responses(
    (status = 200, content_type = "image/png", body = Bytes),
    (status = 401, body = ErrorBody), (status = 404, body = ErrorBody),
    (status = 409, body = ErrorBody, description = "The film has no such picture, or not yet"),
))]
pub(super) async fn image(
    State(service): State<Shared>,
    _person: Person,
    Path(id): Path<String>,
) -> Result<Response, ApiError> {
    picture(&service, id, Picture::Image).await
}

/// Where the network looked: 8 bit grey, 255 the strongest. It covers the whole film.
#[utoipa::path(get, path = "/api/v1/films/{id}/attention.png", tag = "films",
    params(("id" = String, Path, description = "The film")), responses(
    (status = 200, content_type = "image/png", body = Bytes),
    (status = 401, body = ErrorBody), (status = 404, body = ErrorBody),
    (status = 409, body = ErrorBody, description = "The film has no such picture, or not yet"),
))]
pub(super) async fn attention(
    State(service): State<Shared>,
    _person: Person,
    Path(id): Path<String>,
) -> Result<Response, ApiError> {
    picture(&service, id, Picture::Attention).await
}

/// The hand as it was found, white on black. It covers the whole film.
#[utoipa::path(get, path = "/api/v1/films/{id}/hand.png", tag = "films",
    params(("id" = String, Path, description = "The film")), responses(
    (status = 200, content_type = "image/png", body = Bytes),
    (status = 401, body = ErrorBody), (status = 404, body = ErrorBody),
    (status = 409, body = ErrorBody, description = "The film has no such picture, or not yet"),
))]
pub(super) async fn hand(
    State(service): State<Shared>,
    _person: Person,
    Path(id): Path<String>,
) -> Result<Response, ApiError> {
    picture(&service, id, Picture::Hand).await
}

async fn picture(service: &Shared, id: String, wanted: Picture) -> Result<Response, ApiError> {
    // Only an id that the store knows becomes part of a path.
    let known = blocking(service, move |service| service.store.film(&id)).await??;
    let film = known.ok_or_else(ApiError::unknown_film)?;
    // The film is there: it is not unknown, it only has none.
    let none = || ApiError::new(StatusCode::CONFLICT, "the film has no such picture");
    if film.state != FilmState::Done {
        return Err(none());
    }
    let path = service.store.folder().picture(&film.id, wanted);
    let until = tokio::time::Instant::now() + SETTLING;
    loop {
        let news = service.news.notified();
        match tokio::fs::read(&path).await {
            Ok(png) => {
                // A film that is read again has others, and only for those who may see them.
                let headers =
                    [(header::CONTENT_TYPE, "image/png"), (header::CACHE_CONTROL, "private, no-cache")];
                return Ok((headers, png).into_response());
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                let late = wanted != Picture::Image || tokio::time::timeout_at(until, news).await.is_err();
                if late {
                    return Err(none());
                }
            }
            Err(error) => return Err(error.into()),
        }
    }
}
