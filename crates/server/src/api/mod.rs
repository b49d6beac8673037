//! REST under `/api/v1`, the page beside it.

mod audit;
mod deliveries;
mod error;
mod export;
mod films;
mod health;
mod history;
mod login;
mod pictures;
mod readings;
mod results;
mod review;
#[cfg(test)]
mod tests;
mod upload;

pub(crate) use error::ApiError;

use crate::access::guard;
use crate::page;
use crate::service::Shared;
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::StatusCode;
use axum::middleware::from_fn_with_state;
use axum::response::IntoResponse;
use axum::routing::get;
use std::time::Duration;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::timeout::TimeoutLayer;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{AdditionalProperties, Schema};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{Modify, OpenApi, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// Largest body of a request that is no upload, in bytes.
const SMALL_BODY: usize = 64 << 10;

/// Room for the form around an uploaded file, in bytes.
const FORM: u64 = 64 << 10;

/// Longest answer to a request that is no upload.
const PATIENCE: Duration = Duration::from_secs(60);

#[derive(OpenApi)]
#[openapi(
    info(
        title = "boneage",
        description = "Bone age from radiographs of the left hand. For research use, not a medical device.",
        license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0")
    ),
    tags(
        (name = "films", description = "Films, their readings and pictures"),
        (name = "access", description = "Who is logged in, and what was done"),
        (name = "operation", description = "For those who run the service"),
    ),
    security(("token" = [])),
    modifiers(&Token)
)]
struct Document;

/// How programs say who they are. Pages have a cookie, with a proof that they send themselves.
struct Token;

impl Modify for Token {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let scheme = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some(
            "A token of boneage users token. Where the service asks for no login, none is needed.",
        ));
        let components = document.components.get_or_insert_default();
        components.add_security_scheme("token", SecurityScheme::Http(scheme.build()));
    }
}

/// A file that is no text.
#[derive(ToSchema)]
#[schema(value_type = String, format = Binary)]
#[expect(dead_code, reason = "the shape of an answer, for the OpenAPI document")]
pub(crate) struct Bytes(Vec<u8>);

fn quick() -> OpenApiRouter<Shared> {
    OpenApiRouter::with_openapi(Document::openapi())
        .routes(routes!(films::list))
        .routes(routes!(films::one, films::delete))
        .routes(routes!(review::put, review::take_back))
        .routes(routes!(readings::again, readings::former))
        .routes(routes!(pictures::image))
        .routes(routes!(pictures::attention))
        .routes(routes!(pictures::hand))
        .routes(routes!(results::file))
        .routes(routes!(deliveries::list))
        .routes(routes!(history::of_patient))
        .routes(routes!(history::reference))
        .routes(routes!(export::csv))
        .routes(routes!(login::me))
        .routes(routes!(login::login))
        .routes(routes!(login::logout))
        .routes(routes!(audit::list))
        .routes(routes!(health::health))
        .routes(routes!(health::ready))
        .routes(routes!(health::metrics))
}

fn slow() -> OpenApiRouter<Shared> {
    OpenApiRouter::new().routes(routes!(upload::upload))
}

/// The OpenAPI 3.1 document of the service, as JSON.
pub fn openapi() -> String {
    document(true)
}

/// The same of a service that asks people to log in, or of one that does not.
fn document(login: bool) -> String {
    let mut document = quick().into_openapi();
    document.merge(slow().into_openapi());
    close_variants(&mut document);
    document.security = document.security.filter(|_| login);
    document.to_pretty_json().expect("the document is plain JSON")
}

/// Says of the variants of a review that they have no further fields, as serde has it: utoipa says so of structs alone.
fn close_variants(document: &mut utoipa::openapi::OpenApi) {
    let said = document.components.as_mut().and_then(|parts| parts.schemas.get_mut("Said"));
    let Some(RefOr::T(Schema::OneOf(said))) = said else { unreachable!("a review is one of its verdicts") };
    for variant in &mut said.items {
        if let RefOr::T(Schema::Object(object)) = variant {
            object.additional_properties = Some(Box::new(AdditionalProperties::FreeForm(false)));
        }
    }
}

/// Everything that the service answers.
pub(crate) fn router(service: &Shared) -> Router {
    let (quick, _) = quick()
        .layer(DefaultBodyLimit::max(SMALL_BODY))
        .layer(TimeoutLayer::with_status_code(StatusCode::REQUEST_TIMEOUT, PATIENCE))
        .split_for_parts();
    let most = service.settings.max_bytes.saturating_add(FORM);
    let (slow, _) = slow().layer(DefaultBodyLimit::max(most as usize)).split_for_parts();
    let document = document(service.settings.login);
    quick
        .merge(slow)
        .route(
            "/api/v1/openapi.json",
            get(move || async move { ([("content-type", "application/json")], document) }),
        )
        .merge(page::routes())
        .fallback(async || ApiError::new(StatusCode::NOT_FOUND, "there is nothing here"))
        .method_not_allowed_fallback(async || {
            ApiError::new(StatusCode::METHOD_NOT_ALLOWED, "this is not how this is asked")
        })
        .layer(CatchPanicLayer::custom(|_: Box<dyn std::any::Any + Send>| ApiError::fault().into_response()))
        .layer(from_fn_with_state(service.clone(), guard))
        .with_state(service.clone())
}
