use crate::api::ApiError;
use crate::service::Shared;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use std::net::IpAddr;
use std::time::Instant;

/// The address at the other end of the connection.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer(pub(crate) IpAddr);

/// Nothing from elsewhere, no scripts in the page, no frame around it.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
     img-src 'self'; connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

/// Sent with every answer.
const HEADERS: [(HeaderName, &str); 7] = [
    (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::REFERRER_POLICY, "no-referrer"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (HeaderName::from_static("permissions-policy"), "camera=(), microphone=(), geolocation=()"),
];

/// Around every request: refuses what a foreign page may have made a browser send, adds the headers, counts and
/// logs. The log tells the route and never the path, the query or a header, which may tell of a patient.
pub(crate) async fn guard(State(service): State<Shared>, request: Request, next: Next) -> Response {
    let start = Instant::now();
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().map_or("other", MatchedPath::as_str).to_owned();
    let mut response = match refusal(&service.settings.hosts, &method, request.headers()) {
        Some(refusal) => refusal.into_response(),
        None => next.run(request).await,
    };
    for (name, value) in HEADERS {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    // Whatever does not say otherwise is about a patient.
    response.headers_mut().entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    if service.settings.https {
        let value = HeaderValue::from_static("max-age=31536000");
        response.headers_mut().insert(header::STRICT_TRANSPORT_SECURITY, value);
    }
    let (status, took) = (response.status().as_u16(), start.elapsed());
    service.metrics.answered(method.as_str(), &route, status, took);
    tracing::info!(%method, route, status, duration_ms = took.as_millis() as u64, "answered a request");
    response
}

/// A page of another site can make a browser send requests here, and can give its own name this machine's address.
/// Browsers tell both: in `Host` the name that was called, in `Origin` and `Sec-Fetch-Site` who sends.
fn refusal(hosts: &[String], method: &Method, headers: &HeaderMap) -> Option<ApiError> {
    let text = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    let host = text(header::HOST).unwrap_or_default();
    if !hosts.is_empty() && !hosts.iter().any(|known| known.eq_ignore_ascii_case(without_port(host))) {
        let message = "this service is not called by that name; hint: add it to access.hosts in the settings";
        return Some(ApiError::new(StatusCode::MISDIRECTED_REQUEST, message));
    }
    if method.is_safe() {
        return None;
    }
    let same_origin = text(header::ORIGIN).is_none_or(|origin| {
        origin.split_once("://").is_some_and(|(_, from)| from.eq_ignore_ascii_case(host))
    });
    let same_site = text(HeaderName::from_static("sec-fetch-site"))
        .is_none_or(|site| site == "same-origin" || site == "none");
    if same_origin && same_site {
        return None;
    }
    Some(ApiError::new(StatusCode::FORBIDDEN, "the request comes from another page"))
}

fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(method: Method, headers: &[(&'static str, &'static str)]) -> Option<StatusCode> {
        let hosts = ["localhost".to_owned(), "[::1]".to_owned()];
        let headers = headers
            .iter()
            .map(|&(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
            .collect();
        refusal(&hosts, &method, &headers).map(|error| error.status())
    }

    #[test]
    fn only_by_its_own_names() {
        for host in ["localhost:8642", "LOCALHOST", "[::1]:80"] {
            assert_eq!(refused(Method::GET, &[("host", host)]), None, "{host}");
        }
        for host in ["evil.example:8642", "", "localhost.evil.example", "::1"] {
            assert_eq!(
                refused(Method::GET, &[("host", host)]),
                Some(StatusCode::MISDIRECTED_REQUEST),
                "{host}"
            );
        }
    }

    #[test]
    fn other_pages_change_nothing() {
        let host = ("host", "localhost:8642");
        assert_eq!(refused(Method::POST, &[host]), None);
        assert_eq!(refused(Method::POST, &[host, ("origin", "http://localhost:8642")]), None);
        for sender in [
            ("origin", "http://evil.example"),
            ("origin", "null"),
            ("origin", "http://localhost:9999"),
            ("sec-fetch-site", "cross-site"),
        ] {
            assert_eq!(refused(Method::POST, &[host, sender]), Some(StatusCode::FORBIDDEN), "{sender:?}");
            assert_eq!(refused(Method::GET, &[host, sender]), None, "{sender:?}");
        }
    }
}
