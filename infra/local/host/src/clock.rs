//! The local clock over HTTP, for whoever wants to see tomorrow today. Deployed functions have no such thing.

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use domain::input::Fault;
use domain::{Seconds, Timestamp};
use runtime::Clock as _;
use runtime::problem::Problem;
use serde_json::{Value, json};

use crate::time::LocalTime;

/// The farthest that one request moves the clock: ten years.
const SPAN_MAX: Seconds = Seconds(3_650 * 86_400);

/// `GET /` and `POST /advance`.
pub(crate) fn routes(time: LocalTime) -> Router {
    Router::new()
        .route("/", get(now).fallback(not_allowed))
        .route("/advance", post(advance).fallback(not_allowed))
        .fallback(not_found)
        .with_state(time)
}

async fn now(State(time): State<LocalTime>) -> Response {
    told(time.now())
}

/// Answers when everything that fell due is done.
async fn advance(State(time): State<LocalTime>, headers: HeaderMap, body: Bytes) -> Response {
    let by = match span(&body) {
        Ok(by) => by,
        Err(errors) => {
            let detail = "the clock was not moved; see errors";
            return refused(&Problem { errors, ..Problem::malformed(detail) }, &headers);
        }
    };
    let moved = std::time::Duration::from_secs(by.0.into());
    // a task of its own: a caller who goes away does not leave it half-way
    match tokio::spawn(async move { time.advance(moved).await }).await {
        Ok(now) => told(now),
        Err(error) => {
            tracing::error!(%error, "the clock was not moved to the end");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// The span of `{"by": "14d"}`, or everything that is wrong with the body.
fn span(body: &[u8]) -> Result<Seconds, Vec<Fault>> {
    let body: Value = serde_json::from_slice(body)
        .map_err(|error| vec![Fault::new("", "malformed_json", format!("the body is not JSON: {error}"))])?;
    let Some(members) = body.as_object() else {
        return Err(vec![Fault::new("", "wrong_type", "send an object such as {\"by\": \"14d\"}")]);
    };
    let unknown = members.keys().filter(|name| *name != "by");
    let mut faults: Vec<Fault> =
        unknown.map(|name| Fault::new(format!("/{name}"), "unknown_field", "only by is known")).collect();
    let by = match members.get("by") {
        Some(Value::String(text)) => by(text),
        Some(_) => Err(Fault::new("/by", "wrong_type", "a text such as 90s, 15m, 36h or 14d")),
        None => Err(Fault::new("/by", "missing", "how far: a text such as 90s, 15m, 36h or 14d")),
    };
    match by {
        Ok(by) if faults.is_empty() => Ok(by),
        Ok(_) => Err(faults),
        Err(fault) => {
            faults.push(fault);
            Err(faults)
        }
    }
}

fn by(text: &str) -> Result<Seconds, Fault> {
    let too_far = || Fault::new("/by", "out_of_range", format!("at most {SPAN_MAX} at once"));
    match text.parse::<Seconds>() {
        Ok(by) if by <= SPAN_MAX => Ok(by),
        Ok(_) => Err(too_far()),
        Err(_) if is_span(text) => Err(too_far()),
        Err(_) => Err(Fault::new("/by", "malformed_span", "a whole number and its unit, such as 90s, 15m, 36h or 14d")),
    }
}

/// A number with a unit that is only too large to be held.
fn is_span(text: &str) -> bool {
    let digits = text.strip_suffix(['s', 'm', 'h', 'd']).unwrap_or_default();
    !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
}

fn told(now: Timestamp) -> Response {
    axum::Json(json!({"now": now})).into_response()
}

async fn not_found(headers: HeaderMap) -> Response {
    refused(&Problem::not_found("the clock has GET / and POST /advance"), &headers)
}

async fn not_allowed(headers: HeaderMap) -> Response {
    let not_allowed =
        Problem { status: 405, code: "method-not-allowed", title: "Method not allowed", ..Problem::not_found("") };
    refused(&Problem { detail: "the clock has GET / and POST /advance".to_owned(), ..not_allowed }, &headers)
}

fn refused(problem: &Problem, headers: &HeaderMap) -> Response {
    let correlation_id = headers.get("x-correlation-id").and_then(|id| id.to_str().ok()).unwrap_or_default();
    let reply = problem.reply(correlation_id);
    let status = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    (status, [(header::CONTENT_TYPE, "application/problem+json")], reply.body).into_response()
}
