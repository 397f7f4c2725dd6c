//! A member of the chat presses a button of a message: a signed form goes to the system under test.

use std::sync::Arc;

use aws_lc_rs::hmac;
use axum::body::Bytes;
use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use serde::Deserialize;
use serde_json::json;

use crate::clock::Clock;
use crate::courier::{Notification, Plan, SignatureKind, Signed, Signer};
use crate::payer::parse;
use crate::reply;
use crate::request::Call;
use crate::slack::Slack;

/// `v0=` and the hex HMAC-SHA256 over version, time stamp and raw body.
pub fn signature(secret: &str, timestamp_s: i64, body: &[u8]) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    let mut context = hmac::Context::with_key(&key);
    context.update(format!("v0:{timestamp_s}:").as_bytes());
    context.update(body);
    format!("v0={}", hex::encode(context.sign()))
}

pub(crate) struct PressSigner {
    pub(crate) secret: String,
    pub(crate) clock: Clock,
}

impl Signer for PressSigner {
    fn sign(&self, notification: &Notification, kind: SignatureKind) -> Signed {
        let time = self.clock.now_s() + kind.clock_shift_s();
        let value = kind.value(
            || signature(&self.secret, time, &notification.body),
            || signature("another-app", time, &notification.body),
        );
        let mut headers = vec![
            ("content-type", "application/x-www-form-urlencoded".to_owned()),
            ("x-slack-request-timestamp", time.to_string()),
        ];
        headers.extend(value.map(|value| ("x-slack-signature", value)));
        let body = match kind {
            SignatureKind::Tampered => Bytes::from([&notification.body[..], b"&more=1"].concat()),
            _ => notification.body.clone(),
        };
        Signed { headers, body }
    }
}

/// `POST /_control/press`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Press {
    /// Who presses, by member id.
    user: String,
    /// The button's name.
    action_id: String,
    /// What the button carries.
    value: String,
    #[serde(default)]
    webhook: Plan,
}

pub(crate) async fn press(State(slack): State<Arc<Slack>>, call: Call) -> Response {
    let press = match parse::<Press>(&call.body) {
        Ok(press) => press,
        Err(response) => return *response,
    };
    let payload = json!({
        "type": "block_actions",
        "user": {"id": press.user, "username": press.user.to_lowercase()},
        "response_url": slack.response_url(),
        "actions": [{"type": "button", "block_id": "b", "action_id": press.action_id, "value": press.value}],
    });
    let form =
        url::form_urlencoded::Serializer::new(String::new()).append_pair("payload", &payload.to_string()).finish();
    let notification = Notification {
        event_id: press.value.clone(),
        event_type: press.action_id,
        payment_id: String::new(),
        body: Bytes::from(form),
        signed_values: String::new(),
    };
    let deliveries = Arc::clone(slack.courier()).deliver(slack.route(), notification, press.webhook).await;
    reply::ok(&json!({"deliveries": deliveries}))
}

/// The address where a message is changed.
pub(crate) async fn change(State(slack): State<Arc<Slack>>, call: Call) -> Response {
    match call.json {
        Some(update) => {
            slack.changed(&update);
            reply::plain(StatusCode::OK, "ok")
        }
        None => reply::plain(StatusCode::BAD_REQUEST, "invalid_payload"),
    }
}
