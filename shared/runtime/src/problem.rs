//! Error answers: RFC 9457 problem documents that name every fault and nothing of the inside.

use domain::input::Fault;
use serde_json::json;

use crate::http::Reply;
use crate::step::{Disposition, StepError};

/// An error answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// HTTP status.
    pub status: u16,
    /// Last segment of `type`, stable.
    pub code: &'static str,
    /// One short sentence for the status.
    pub title: &'static str,
    /// What happened this time.
    pub detail: String,
    /// The faults of the input.
    pub errors: Vec<Fault>,
    /// Seconds after which to try again.
    pub retry_after: Option<u32>,
    /// The methods that the resource knows.
    pub allow: Vec<&'static str>,
}

impl Problem {
    fn new(status: u16, code: &'static str, title: &'static str, detail: impl Into<String>) -> Self {
        Self { status, code, title, detail: detail.into(), errors: Vec::new(), retry_after: None, allow: Vec::new() }
    }

    /// 400 or 422 with the faults: 400 when the input could not even be understood.
    pub fn input(errors: Vec<Fault>) -> Self {
        let form = errors.iter().any(Fault::is_form);
        let (status, code, title) = if form {
            (400, "malformed-request", "The request is malformed")
        } else {
            (422, "refused-input", "The request is understood but refused")
        };
        let detail = format!("{} fault(s); see errors", errors.len());
        Self { errors, ..Self::new(status, code, title, detail) }
    }

    /// 400 with one reason.
    pub fn malformed(detail: impl Into<String>) -> Self {
        Self::new(400, "malformed-request", "The request is malformed", detail)
    }

    /// 401.
    pub fn unauthorized(detail: impl Into<String>) -> Self {
        Self::new(401, "unauthorized", "No valid credential", detail)
    }

    /// 403.
    pub fn forbidden(detail: impl Into<String>) -> Self {
        Self::new(403, "forbidden", "Not allowed", detail)
    }

    /// 404.
    pub fn not_found(detail: impl Into<String>) -> Self {
        Self::new(404, "not-found", "Not found", detail)
    }

    /// 405 with the methods that there are.
    pub fn method_not_allowed(allow: Vec<&'static str>) -> Self {
        let detail = format!("the resource knows {}", allow.join(", "));
        Self { allow, ..Self::new(405, "method-not-allowed", "Method not allowed", detail) }
    }

    /// 409.
    pub fn conflict(detail: impl Into<String>) -> Self {
        Self::new(409, "conflict", "In conflict with the state", detail)
    }

    /// 409 while the first request with this key is still running.
    pub fn still_running() -> Self {
        Self { retry_after: Some(1), ..Self::conflict("the first request with this Idempotency-Key is still running") }
    }

    /// 410.
    pub fn gone(detail: impl Into<String>) -> Self {
        Self::new(410, "gone", "No longer available", detail)
    }

    /// 413.
    pub fn too_large(limit_bytes: usize) -> Self {
        Self::new(413, "too-large", "The body is too large", format!("at most {limit_bytes} bytes are accepted"))
    }

    /// 415.
    pub fn media_type() -> Self {
        Self::media_type_but("application/json")
    }

    /// 415 where something else than JSON is wanted.
    pub fn media_type_but(wanted: &str) -> Self {
        Self::new(415, "unsupported-media-type", "Unsupported media type", format!("send {wanted}"))
    }

    /// 422 with one reason.
    pub fn refused(detail: impl Into<String>) -> Self {
        Self::new(422, "refused-input", "The request is understood but refused", detail)
    }

    /// 429 with `Retry-After`: what a gateway says.
    pub fn too_many_requests() -> Self {
        let detail = "too many requests, try again in a second";
        Self { retry_after: Some(1), ..Self::new(429, "too-many-requests", "Too many requests", detail) }
    }

    /// 503 with `Retry-After`.
    pub fn unavailable(detail: impl Into<String>) -> Self {
        Self { retry_after: Some(5), ..Self::new(503, "unavailable", "Temporarily unavailable", detail) }
    }

    /// The answer.
    pub fn reply(&self, correlation_id: &str) -> Reply {
        let mut body = json!({
            "type": format!("urn:pipworks:problem:{}", self.code),
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            "correlation_id": correlation_id,
        });
        if let (false, Some(object)) = (self.errors.is_empty(), body.as_object_mut()) {
            object.insert("errors".to_owned(), json!(self.errors));
        }
        let mut reply = Reply::json(self.status, &body);
        reply.headers.insert("content-type".to_owned(), "application/problem+json".to_owned());
        if let Some(seconds) = self.retry_after {
            reply.headers.insert("retry-after".to_owned(), seconds.to_string());
        }
        if !self.allow.is_empty() {
            reply.headers.insert("allow".to_owned(), self.allow.join(", "));
        }
        reply
    }
}

/// An error with all that caused it, for the log: a layer of its own says only at which step it failed.
pub fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let below = error.to_string();
        // some layers quote the one below them already
        if !text.ends_with(&below) {
            text = format!("{text}: {below}");
        }
        cause = error.source();
    }
    text
}

impl From<StepError> for Problem {
    /// Never says what inside failed: that is in the log, under the correlation id.
    fn from(error: StepError) -> Self {
        tracing::error!(error = with_causes(&error), kind = error.kind(), "request failed");
        match (&error, error.disposition()) {
            (StepError::Absent(_), _) => Self::not_found("there is no such resource"),
            (StepError::Maintenance { .. }, _) => {
                Self::unavailable("the trading server is being maintained; try again later")
            }
            (_, Disposition::Retry | Disposition::RetrySoon | Disposition::At(_)) => {
                Self::unavailable("a part of the service is not available; try again")
            }
            (_, Disposition::Park) => {
                Self::new(500, "internal", "Internal error", "the failure is logged under the correlation id")
            }
        }
    }
}

impl From<store::StoreError> for Problem {
    fn from(error: store::StoreError) -> Self {
        StepError::from(error).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("{0}")]
    struct Layer(&'static str, #[source] Option<Box<Layer>>);

    #[test]
    fn an_error_is_told_with_its_causes_and_none_twice() {
        let layer = |text, below: Option<Layer>| Layer(text, below.map(Box::new));
        let alone = layer("no key", None);
        assert_eq!(with_causes(&alone), "no key");
        let three = layer("not read", Some(layer("not sent", Some(layer("refused", None)))));
        assert_eq!(with_causes(&three), "not read: not sent: refused");
        let quoting = layer("not read: not sent", Some(layer("not sent", Some(layer("refused", None)))));
        assert_eq!(with_causes(&quoting), "not read: not sent: refused");
    }
}
