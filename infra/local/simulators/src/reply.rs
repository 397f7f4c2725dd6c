//! Answers, and the one that is none: closing the connection.

use axum::body::Body;
use axum::response::Response;
use http::{HeaderValue, StatusCode, header};
use serde_json::Value;

/// Marks a response that must not be sent: the connection is closed instead.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CloseConnection;

/// A JSON answer.
pub(crate) fn json(status: StatusCode, value: &Value) -> Response {
    text(status, "application/json; charset=utf-8", value.to_string())
}

/// A JSON answer with status 200.
pub(crate) fn ok(value: &Value) -> Response {
    json(StatusCode::OK, value)
}

/// An answer of any content type.
pub(crate) fn text(status: StatusCode, content_type: &'static str, body: impl Into<Body>) -> Response {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

/// Plain text.
pub(crate) fn plain(status: StatusCode, body: impl Into<Body>) -> Response {
    text(status, "text/plain; charset=utf-8", body)
}

/// No answer: the connection ends.
pub(crate) fn drop_connection() -> Response {
    let mut response = Response::new(Body::empty());
    response.extensions_mut().insert(CloseConnection);
    response
}

/// Bytes no vendor sends, with status 200.
pub(crate) fn garbage() -> Response {
    plain(StatusCode::OK, "<<\u{fffd} not what you expected {\"retcode\"")
}

/// The complaint of a control route about its own input.
pub(crate) fn control_error(status: StatusCode, message: &str) -> Response {
    json(status, &serde_json::json!({ "error": message }))
}
