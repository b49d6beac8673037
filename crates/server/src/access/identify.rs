use super::Role;
use crate::api::ApiError;
use crate::clock::now;
use crate::service::{Shared, blocking};
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use boneage_core::Digest;

/// Carries the session's secret; `HttpOnly`, so that no script reads it.
pub(crate) const SESSION_COOKIE: &str = "boneage_session";

/// Carries the proof that the page itself sends a change: another site can make a browser send the cookie, not this.
const CSRF_HEADER: &str = "x-csrf-token";

/// Whoever sends a request, identified.
#[derive(Clone, Debug)]
pub(crate) struct Person {
    pub(crate) name: String,
    pub(crate) role: Role,
    /// The session's proof; `None` for programs and where nobody logs in.
    pub(crate) csrf: Option<String>,
    /// Digest of the session's secret.
    pub(crate) session: Option<Digest>,
}

impl Person {
    /// Fails unless the person has this role or a greater one.
    pub(crate) fn may(&self, role: Role) -> Result<(), ApiError> {
        if self.role >= role {
            return Ok(());
        }
        let message = format!("this needs the role {}, yours is {}", role.as_str(), self.role.as_str());
        Err(ApiError::new(StatusCode::FORBIDDEN, message))
    }
}

/// Who sends a request with these headers; `None`: nobody known.
pub(crate) async fn identify(service: &Shared, headers: &HeaderMap) -> Result<Option<Person>, ApiError> {
    if !service.settings.login {
        return Ok(Some(Person { name: "local".into(), role: Role::Admin, csrf: None, session: None }));
    }
    if let Some(token) = bearer(headers) {
        let digest = Digest::of(token.as_bytes());
        let known = blocking(service, move |service| service.store.token(&digest)).await??;
        return Ok(known.map(|(name, role)| Person { name, role, csrf: None, session: None }));
    }
    let Some(secret) = cookie(headers, SESSION_COOKIE) else { return Ok(None) };
    let digest = Digest::of(secret.as_bytes());
    let session = digest.clone();
    let known = blocking(service, move |service| service.store.session(&digest, now())).await??;
    Ok(known.map(|row| Person {
        name: row.user,
        role: row.role,
        csrf: Some(row.csrf),
        session: Some(session),
    }))
}

/// Asking for a person makes a handler one that only known people reach.
impl FromRequestParts<Shared> for Person {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, service: &Shared) -> Result<Self, ApiError> {
        let Some(person) = identify(service, &parts.headers).await? else {
            return Err(ApiError::new(
                StatusCode::UNAUTHORIZED,
                "nobody is logged in; hint: log in, or send a token",
            ));
        };
        let proof = parts.headers.get(CSRF_HEADER).and_then(|value| value.to_str().ok());
        if person.csrf.is_some() && !parts.method.is_safe() && person.csrf.as_deref() != proof {
            let message = format!("a change needs the header {CSRF_HEADER} of this session");
            return Err(ApiError::new(StatusCode::FORBIDDEN, message));
        }
        Ok(person)
    }
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

fn cookie<'a>(headers: &'a HeaderMap, wanted: &str) -> Option<&'a str> {
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = cookies.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(name, _)| *name == wanted).map(|(_, value)| value)
}
