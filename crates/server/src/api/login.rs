use super::ApiError;
use super::error::ErrorBody;
use crate::access::{Peer, Person, Role, SESSION_COOKIE, identify, matches, secret};
use crate::clock::now;
use crate::service::{Service, Shared, blocking};
use crate::store::Action;
use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Extension, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use boneage_core::Digest;
use serde::{Deserialize, Serialize};
use std::time::Instant;
use utoipa::ToSchema;

/// Who asks, and what reads.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Me {
    /// Whether people must log in.
    login: bool,
    /// The user's name; null: nobody is logged in.
    name: Option<String>,
    /// What the user may do.
    role: Option<Role>,
    /// To be sent with every change, in the header `x-csrf-token`; null where none is needed.
    csrf: Option<String>,
    /// The model that reads.
    model: Option<String>,
    /// Version of boneage.
    version: String,
}

impl Me {
    fn new(service: &Service, person: Option<Person>) -> Self {
        let known = person.is_some();
        let (name, role, csrf) = match person {
            Some(Person { name, role, csrf, .. }) => (Some(name), Some(role), csrf),
            None => (None, None, None),
        };
        Me {
            login: service.settings.login,
            name,
            role,
            csrf,
            model: known.then(|| service.model.name.clone()),
            version: env!("CARGO_PKG_VERSION").to_owned(),
        }
    }
}

/// A name and its password.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Credentials {
    name: String,
    password: String,
}

/// Who is logged in; what a page asks first.
#[utoipa::path(get, path = "/api/v1/me", tag = "access", security(()), responses((status = 200, body = Me)))]
pub(super) async fn me(State(service): State<Shared>, headers: HeaderMap) -> Result<Json<Me>, ApiError> {
    let person = identify(&service, &headers).await?;
    Ok(Json(Me::new(&service, person)))
}

/// Logs in: the answer sets the session's cookie.
#[utoipa::path(post, path = "/api/v1/login", tag = "access", security(()), request_body = Credentials, responses(
    (status = 200, body = Me),
    (status = 400, body = ErrorBody), (status = 401, body = ErrorBody),
    (status = 409, body = ErrorBody, description = "Nobody need log in here"),
    (status = 415, body = ErrorBody), (status = 422, body = ErrorBody),
    (status = 429, body = ErrorBody, description = "Too many failures; the header retry-after says how long"),
))]
pub(super) async fn login(
    State(service): State<Shared>,
    Extension(Peer(address)): Extension<Peer>,
    given: Result<Json<Credentials>, JsonRejection>,
) -> Result<Response, ApiError> {
    if !service.settings.login {
        return Err(ApiError::new(StatusCode::CONFLICT, "nobody need log in here"));
    }
    let Json(Credentials { name, password }) = given?;
    let mut keys = vec![format!("name {name}")];
    // Behind a proxy all come from its address: one guesser must not lock out the house.
    let behind_proxy = service.settings.https && service.settings.tls.is_none();
    if !behind_proxy {
        keys.push(format!("address {address}"));
    }
    if let Some(wait) = service.slowdown.wait(&keys, Instant::now()) {
        let seconds = wait.as_secs().max(1);
        return Err(ApiError::after(
            seconds,
            format!("too many failures; wait {} minutes", seconds.div_ceil(60)),
        ));
    }
    let checked = name.clone();
    let right = blocking(&service, move |service| {
        let user = service.store.user(&checked)?;
        let right = matches(&password, user.as_ref().map(|user| user.password.as_str()));
        if !right {
            let known = if user.is_some() { checked.as_str() } else { "unknown" };
            service.store.audit(known, Action::LoginFailed, None, &format!("from {address}"))?;
        }
        Ok::<_, rusqlite::Error>(user.filter(|_| right))
    });
    let Some(user) = right.await?? else {
        service.slowdown.failed(&keys, Instant::now());
        return Err(ApiError::new(StatusCode::UNAUTHORIZED, "name or password is wrong"));
    };
    service.slowdown.succeeded(&keys[0]);
    let (session, csrf) = (secret()?, secret()?);
    let digest = Digest::of(session.as_bytes());
    let lasts = service.settings.session;
    let person = Person { name: user.name, role: user.role, csrf: Some(csrf.clone()), session: None };
    blocking(&service, move |service| {
        let at = now();
        service.store.begin_session(&digest, &name, &csrf, at, at + lasts.as_millis() as i64)
    })
    .await??;
    let cookie = cookie(&service, &session, lasts.as_secs());
    Ok(([(header::SET_COOKIE, cookie)], Json(Me::new(&service, Some(person)))).into_response())
}

/// Logs out: the session ends here and in the browser.
#[utoipa::path(post, path = "/api/v1/logout", tag = "access", responses(
    (status = 204, description = "Nobody is logged in any more"),
    (status = 401, body = ErrorBody), (status = 403, body = ErrorBody),
))]
pub(super) async fn logout(State(service): State<Shared>, person: Person) -> Result<Response, ApiError> {
    if let Some(session) = person.session {
        blocking(&service, move |service| service.store.end_session(&session, &person.name)).await??;
    }
    Ok((StatusCode::NO_CONTENT, [(header::SET_COOKIE, cookie(&service, "", 0))]).into_response())
}

fn cookie(service: &Service, session: &str, seconds: u64) -> String {
    let secure = if service.settings.https { "; Secure" } else { "" };
    format!("{SESSION_COOKIE}={session}; Path=/; HttpOnly; SameSite=Strict; Max-Age={seconds}{secure}")
}
