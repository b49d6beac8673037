use crate::service::Shared;
use axum::Router;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use boneage_core::Digest;

/// The page as `web/` builds it, inside the program: name, kind, bytes.
const FILES: [(&str, &str, &[u8]); 4] = [
    ("/", "text/html; charset=utf-8", include_bytes!("../../../web/dist/index.html")),
    ("/app.js", "text/javascript; charset=utf-8", include_bytes!("../../../web/dist/app.js")),
    ("/app.css", "text/css; charset=utf-8", include_bytes!("../../../web/dist/app.css")),
    ("/icon.svg", "image/svg+xml", include_bytes!("../../../web/dist/icon.svg")),
];

/// The files of the page. A browser asks each time whether its copy is still right, which costs it next to nothing.
pub(crate) fn routes() -> Router<Shared> {
    FILES.into_iter().fold(Router::new(), |router, (name, kind, bytes)| {
        let tag = format!("\"{}\"", Digest::of(bytes).short());
        router.route(name, get(async move |headers: HeaderMap| file(&headers, &tag, kind, bytes)))
    })
}

fn file(headers: &HeaderMap, tag: &str, kind: &'static str, bytes: &'static [u8]) -> Response {
    let known = headers.get(header::IF_NONE_MATCH).is_some_and(|value| value.as_bytes() == tag.as_bytes());
    let described = [(header::ETAG, tag.to_owned()), (header::CACHE_CONTROL, "no-cache".to_owned())];
    if known {
        return (StatusCode::NOT_MODIFIED, described).into_response();
    }
    (described, [(header::CONTENT_TYPE, kind)], bytes).into_response()
}
