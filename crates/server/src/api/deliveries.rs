use super::ApiError;
use super::error::ErrorBody;
use crate::access::Person;
use crate::clock::written;
use crate::service::{Shared, blocking};
use crate::store::DeliveryRow;
use axum::Json;
use axum::extract::{Path, State};
use serde::Serialize;
use utoipa::ToSchema;

/// Results of a film that are to be sent to another application entity, or were.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Delivery {
    /// Its title.
    destination: String,
    /// `waiting`, `sent` or `given_up`.
    state: String,
    /// How often it was tried.
    attempts: u32,
    /// Why the last try failed.
    failure: Option<String>,
    /// When they were sent or given up.
    ended_at: Option<String>,
}

impl From<DeliveryRow> for Delivery {
    fn from(row: DeliveryRow) -> Self {
        let DeliveryRow { destination, state, attempts, failure, ended_at } = row;
        Delivery { destination, state, attempts, failure, ended_at: ended_at.map(written) }
    }
}

/// Where the results of a film are sent by C-STORE.
#[utoipa::path(get, path = "/api/v1/films/{id}/deliveries", tag = "films",
    params(("id" = String, Path, description = "The film")), responses(
    (status = 200, body = Vec<Delivery>),
    (status = 401, body = ErrorBody), (status = 404, body = ErrorBody),
))]
pub(super) async fn list(
    State(service): State<Shared>,
    _person: Person,
    Path(id): Path<String>,
) -> Result<Json<Vec<Delivery>>, ApiError> {
    let rows = blocking(&service, move |service| {
        service.store.film(&id)?.map(|film| service.store.deliveries(&film.id)).transpose()
    });
    let rows = rows.await??.ok_or_else(ApiError::unknown_film)?;
    Ok(Json(rows.into_iter().map(Delivery::from).collect()))
}
