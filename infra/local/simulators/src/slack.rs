//! The chat: its incoming webhook, and members who press buttons.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::post;
use http::{HeaderValue, StatusCode};
use serde_json::{Map, Value, json};

use crate::clock::Clock;
use crate::config::SlackConfig;
use crate::control::{self, Controlled};
use crate::courier::{Courier, Delivery, Route};
use crate::desk::{Desk, lock};
use crate::fault::Refusal;
use crate::reply;
use crate::request::Call;
use crate::slack_press::{self, PressSigner};

/// Most blocks of a message.
const BLOCKS_MAX: usize = 50;
const HEADER_CHARS_MAX: usize = 150;
const SECTION_CHARS_MAX: usize = 3000;
const FIELDS_MAX: usize = 10;
const FIELD_CHARS_MAX: usize = 2000;
const CONTEXT_ELEMENTS_MAX: usize = 10;
const ACTION_ELEMENTS_MAX: usize = 25;

/// The simulator.
pub(crate) struct Slack {
    config: SlackConfig,
    base_url: String,
    clock: Clock,
    courier: Arc<Courier>,
    desk: Desk,
    messages: Mutex<Vec<Value>>,
    /// What messages were changed to.
    changes: Mutex<Vec<Value>>,
    log: Arc<Mutex<Vec<Delivery>>>,
}

impl Slack {
    pub(crate) fn new(config: SlackConfig, base_url: String, clock: Clock, courier: Arc<Courier>) -> Arc<Self> {
        Arc::new(Self {
            desk: Desk::new(clock.clone()),
            config,
            base_url,
            clock,
            courier,
            messages: Mutex::default(),
            changes: Mutex::default(),
            log: Arc::default(),
        })
    }

    pub(crate) fn courier(&self) -> &Arc<Courier> {
        &self.courier
    }

    pub(crate) fn response_url(&self) -> String {
        format!("{}/actions/1", self.base_url)
    }

    pub(crate) fn route(&self) -> Route {
        let secret = self.config.signing_secret.clone();
        let signer = PressSigner { secret, clock: self.clock.clone() };
        Route { vendor: "slack", signer: Arc::new(signer), log: Arc::clone(&self.log) }
    }

    pub(crate) fn changed(&self, update: &Value) {
        lock(&self.changes).push(json!({ "at_ms": self.clock.now_ms(), "update": update }));
    }

    pub(crate) fn router(self: &Arc<Self>) -> Router {
        Router::new()
            .route("/services/{*token}", post(incoming))
            .route("/actions/{id}", post(slack_press::change))
            .route("/_control/press", post(slack_press::press))
            .with_state(Arc::clone(self))
            .merge(control::routes(Arc::clone(self), Arc::clone(&self.courier)))
    }

    fn take(&self, call: &Call) -> Response {
        let token = call.path.split_once("/services/").map(|(_, token)| token);
        if token != Some(self.config.path_token.trim_matches('/')) {
            return reply::plain(StatusCode::NOT_FOUND, "no_service");
        }
        // Old clients send the JSON as the form field `payload`.
        let message = match (&call.json, call.form("payload")) {
            (Some(json), _) => Some(json.clone()),
            (None, Some(payload)) => serde_json::from_str(payload).ok(),
            (None, None) => None,
        };
        match message.as_ref().map(complaint) {
            None => reply::plain(StatusCode::BAD_REQUEST, "invalid_payload"),
            Some(Some(word)) => reply::plain(StatusCode::BAD_REQUEST, word),
            Some(None) => {
                let received = json!({ "at_ms": self.clock.now_ms(), "message": message });
                lock(&self.messages).push(received);
                reply::plain(StatusCode::OK, "ok")
            }
        }
    }
}

/// Why the message is refused, if it is.
fn complaint(message: &Value) -> Option<&'static str> {
    let Some(members) = message.as_object() else {
        return Some("invalid_payload");
    };
    let text = members.get("text").and_then(Value::as_str).unwrap_or("");
    let blocks = members.get("blocks").and_then(Value::as_array);
    match blocks {
        None if text.is_empty() => Some("no_text"),
        None => None,
        Some(blocks) if blocks.len() > BLOCKS_MAX => Some("invalid_blocks"),
        Some(blocks) if blocks.iter().all(block_is_valid) => None,
        Some(_) => Some("invalid_blocks"),
    }
}

fn block_is_valid(block: &Value) -> bool {
    let text_chars = |holder: &Value| {
        let text = holder.get("text").and_then(Value::as_str);
        text.map(|text| text.chars().count())
    };
    let fits = |holder: Option<&Value>, most: usize| {
        holder.and_then(text_chars).is_some_and(|chars| (1..=most).contains(&chars))
    };
    let count = |name: &str| block.get(name).and_then(Value::as_array).map(Vec::len);
    match block.get("type").and_then(Value::as_str) {
        Some("header") => fits(block.get("text"), HEADER_CHARS_MAX),
        Some("section") => match block.get("fields").and_then(Value::as_array) {
            Some(fields) => {
                let text = block.get("text");
                fields.len() <= FIELDS_MAX
                    && fields.iter().all(|field| fits(Some(field), FIELD_CHARS_MAX))
                    && text.is_none_or(|text| fits(Some(text), SECTION_CHARS_MAX))
            }
            None => fits(block.get("text"), SECTION_CHARS_MAX),
        },
        Some("context") => count("elements").is_some_and(|n| (1..=CONTEXT_ELEMENTS_MAX).contains(&n)),
        Some("actions") => count("elements").is_some_and(|n| (1..=ACTION_ELEMENTS_MAX).contains(&n)),
        Some("divider" | "image" | "input" | "file" | "rich_text" | "video") => true,
        _ => false,
    }
}

/// `rate_limited` with `Retry-After` for 429, else the word of the script.
fn refuse(refusal: &Refusal) -> Response {
    let status = refusal.http_status(500);
    let default = match status {
        StatusCode::TOO_MANY_REQUESTS => "rate_limited",
        _ => "rollup_error",
    };
    let word = refusal.code.clone().unwrap_or_else(|| default.to_owned());
    let mut response = reply::plain(status, word);
    if status == StatusCode::TOO_MANY_REQUESTS {
        let seconds = HeaderValue::from(refusal.retry_after.unwrap_or(1));
        response.headers_mut().insert("retry-after", seconds);
    }
    response
}

async fn incoming(State(slack): State<Arc<Slack>>, call: Call) -> Response {
    let call = Arc::new(call);
    let apply = {
        let (slack, call) = (Arc::clone(&slack), Arc::clone(&call));
        move || slack.take(&call)
    };
    slack.desk.serve("message", || call.flat(), refuse, apply).await
}

impl Controlled for Slack {
    fn desk(&self) -> &Desk {
        &self.desk
    }

    fn state(&self, _only: Option<&str>) -> Map<String, Value> {
        Map::from_iter([
            ("messages".to_owned(), json!(*lock(&self.messages))),
            ("changes".to_owned(), json!(*lock(&self.changes))),
            ("deliveries".to_owned(), json!(*lock(&self.log))),
        ])
    }

    fn clear(&self) {
        lock(&self.messages).clear();
        lock(&self.changes).clear();
        lock(&self.log).clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_of_blocks_hold_on_both_sides() {
        let header =
            |chars: usize| json!({"type": "header", "text": {"type": "plain_text", "text": "x".repeat(chars)}});
        let with = |blocks: Vec<Value>| json!({ "text": "t", "blocks": blocks });
        assert_eq!(complaint(&with(vec![header(150)])), None);
        assert_eq!(complaint(&with(vec![header(151)])), Some("invalid_blocks"));
        let dividers = |count| with(vec![json!({"type": "divider"}); count]);
        assert_eq!(complaint(&dividers(50)), None);
        assert_eq!(complaint(&dividers(51)), Some("invalid_blocks"));
        assert_eq!(complaint(&json!({})), Some("no_text"));
        assert_eq!(complaint(&json!({"text": "hello"})), None);
        assert_eq!(complaint(&with(vec![json!({"type": "nonsense"})])), Some("invalid_blocks"));
    }
}
