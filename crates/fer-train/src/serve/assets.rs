//! The page, which is part of the program.

use axum::body::Body;
use axum::http::HeaderValue;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};

/// A file of the page: its path, what it is, and what it holds.
pub(super) struct Asset {
    pub(super) path: &'static str,
    kind: &'static str,
    text: &'static str,
}

macro_rules! asset {
    ($path:literal, $file:literal, $kind:literal) => {
        Asset {
            path: $path,
            kind: $kind,
            text: include_str!(concat!("page/", $file)),
        }
    };
}

/// All of them.
pub(super) static ASSETS: [Asset; 10] = [
    asset!("/", "index.html", "text/html; charset=utf-8"),
    asset!("/style.css", "style.css", "text/css; charset=utf-8"),
    asset!("/icon.svg", "icon.svg", "image/svg+xml"),
    asset!("/page.js", "page.js", "text/javascript; charset=utf-8"),
    asset!("/server.js", "server.js", "text/javascript; charset=utf-8"),
    asset!(
        "/photograph.js",
        "photograph.js",
        "text/javascript; charset=utf-8"
    ),
    asset!("/camera.js", "camera.js", "text/javascript; charset=utf-8"),
    asset!("/stage.js", "stage.js", "text/javascript; charset=utf-8"),
    asset!(
        "/answers.js",
        "answers.js",
        "text/javascript; charset=utf-8"
    ),
    asset!("/model.js", "model.js", "text/javascript; charset=utf-8"),
];

impl IntoResponse for &Asset {
    fn into_response(self) -> Response {
        let mut response = Response::new(Body::from(self.text));
        let kind = HeaderValue::from_static(self.kind);
        response.headers_mut().insert(CONTENT_TYPE, kind);
        response
    }
}
