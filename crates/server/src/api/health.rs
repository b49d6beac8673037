use super::ApiError;
use super::error::ErrorBody;
use crate::service::{Shared, blocking};
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

/// Whether the process answers.
#[utoipa::path(get, path = "/health", tag = "operation", security(()), responses((status = 200, body = String)))]
pub(super) async fn health() -> &'static str {
    "alive\n"
}

/// Whether films can be taken and read: the database answers and the worker works.
#[utoipa::path(get, path = "/ready", tag = "operation", security(()), responses(
    (status = 200, body = String),
    (status = 503, body = ErrorBody),
))]
pub(super) async fn ready(State(service): State<Shared>) -> Result<&'static str, ApiError> {
    let ready = blocking(&service, |service| service.store.answers() && !service.bell.is_closed()).await?;
    if ready { Ok("ready\n") } else { Err(ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "not ready")) }
}

/// Counters and times for Prometheus. They tell of no patient.
#[utoipa::path(get, path = "/metrics", tag = "operation", security(()), responses(
    (status = 200, content_type = "application/openmetrics-text", body = String),
))]
pub(super) async fn metrics(State(service): State<Shared>) -> Result<Response, ApiError> {
    let text = blocking(&service, |service| {
        let films = service.store.counts()?;
        Ok::<_, rusqlite::Error>(service.metrics.text(&films, service.store.waiting_deliveries()?))
    });
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    Ok(([(header::CONTENT_TYPE, kind)], text.await??).into_response())
}
