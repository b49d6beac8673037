use super::ApiError;
use super::error::ErrorBody;
use super::films::MOST_PAGES;
use crate::access::{Person, Role};
use crate::clock::written;
use crate::service::{Shared, blocking};
use crate::store::AuditRow;
use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// Lines a page.
const PER_PAGE: u64 = 100;

/// A page of the audit log.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct AuditLog {
    /// Newest first, 100 a page.
    lines: Vec<Line>,
    /// How many there are on all pages.
    total: u64,
}

/// What somebody did.
#[derive(Debug, Serialize, ToSchema)]
struct Line {
    /// Counts up without a gap.
    id: i64,
    /// When.
    at: String,
    /// Who.
    user: String,
    /// What: `saw`, `accepted`, `overruled` and others.
    action: String,
    /// To which film.
    film: Option<String>,
    /// What else.
    detail: String,
}

impl From<AuditRow> for Line {
    fn from(row: AuditRow) -> Self {
        let AuditRow { id, at, user, action, film, detail } = row;
        Line { id, at: written(at), user, action, film, detail }
    }
}

/// Which page.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Page {
    /// From 1.
    #[param(minimum = 1, maximum = 1_000_000_000, default = 1)]
    page: Option<u64>,
}

/// Who saw, accepted and changed what.
#[utoipa::path(get, path = "/api/v1/audit", tag = "access", params(Page), responses(
    (status = 200, body = AuditLog),
    (status = 400, body = ErrorBody), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody),
))]
pub(super) async fn list(
    State(service): State<Shared>,
    person: Person,
    page: Result<Query<Page>, QueryRejection>,
) -> Result<Json<AuditLog>, ApiError> {
    person.may(Role::Admin)?;
    let page = page?.page.unwrap_or(1);
    if !(1..=MOST_PAGES).contains(&page) {
        return Err(ApiError::bad(format!("page is from 1 to {MOST_PAGES}")));
    }
    let offset = (page - 1) * PER_PAGE;
    let (rows, total) =
        blocking(&service, move |service| service.store.audit_log(offset, PER_PAGE)).await??;
    Ok(Json(AuditLog { lines: rows.into_iter().map(Line::from).collect(), total }))
}
