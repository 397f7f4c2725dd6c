//! Text messages: Twilio's interface for sending, and the signature of what it tells.

use std::sync::{Arc, Mutex};

use aws_lc_rs::hmac;
use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::post;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::StatusCode;
use serde_json::{Map, Value, json};

use crate::clock::{Clock, Ids};
use crate::config::TwilioConfig;
use crate::control::{self, Controlled};
use crate::courier::Courier;
use crate::desk::{Desk, lock};
use crate::fault::Refusal;
use crate::reply;
use crate::request::Call;

/// Characters of a message.
const BODY_MAX: usize = 1_600;
/// Characters of the extended table of GSM-7: each takes the place of two.
const EXTENDED: &str = "^{}\\[~]|€";
/// The basic table of GSM-7, but for what is ASCII letter or digit.
const BASIC: &str = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./:;<=>?¡ÄÖÑÜ§¿äöñüà";

/// `X-Twilio-Signature` of a form of names and values that goes to an address.
pub fn signature(token: &str, url: &str, fields: &[(&str, &str)]) -> String {
    let mut sorted = fields.to_vec();
    sorted.sort_unstable();
    let values: String = sorted.iter().map(|(name, value)| format!("{name}{value}")).collect();
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, token.as_bytes());
    STANDARD.encode(hmac::sign(&key, format!("{url}{values}").as_bytes()))
}

/// How many messages a text is billed as: 160 characters of GSM-7 or 153 of each part, 70 or 67 of others.
pub fn segments(text: &str) -> usize {
    let width = |c: char| match c {
        _ if EXTENDED.contains(c) => Some(2),
        _ if c.is_ascii_alphanumeric() || BASIC.contains(c) => Some(1),
        _ => None,
    };
    let (widths, alone, part): (Vec<usize>, usize, usize) = match text.chars().map(width).collect() {
        Some(widths) => (widths, 160, 153),
        // a character that does not fit is in no part cut in two
        None => (text.chars().map(char::len_utf16).collect(), 70, 67),
    };
    if widths.iter().sum::<usize>() <= alone {
        return 1;
    }
    let (mut parts, mut filled) = (1, 0);
    for width in widths {
        if filled + width > part {
            parts += 1;
            filled = 0;
        }
        filled += width;
    }
    parts
}

/// The simulator.
pub(crate) struct Twilio {
    config: TwilioConfig,
    ids: Arc<Ids>,
    clock: Clock,
    desk: Desk,
    messages: Mutex<Vec<Value>>,
}

impl Twilio {
    pub(crate) fn new(config: TwilioConfig, ids: Arc<Ids>, clock: Clock) -> Arc<Self> {
        Arc::new(Self { desk: Desk::new(clock.clone()), config, ids, clock, messages: Mutex::default() })
    }

    pub(crate) fn router(self: &Arc<Self>, courier: Arc<Courier>) -> Router {
        Router::new()
            .route("/2010-04-01/Accounts/{sid}/Messages.json", post(send))
            .with_state(Arc::clone(self))
            .merge(control::routes(Arc::clone(self), courier))
    }

    fn take(&self, call: &Call) -> Response {
        let own = STANDARD.encode(format!("{}:{}", self.config.account_sid, self.config.auth_token));
        if call.header("authorization").and_then(|value| value.strip_prefix("Basic ")) != Some(own.as_str())
            || !call.path.contains(&format!("/Accounts/{}/", self.config.account_sid))
        {
            return error(StatusCode::UNAUTHORIZED, 20_003, "Authenticate");
        }
        let of = |name: &str| call.form(name).unwrap_or_default().to_owned();
        let (to, from, body) = (of("To"), of("From"), of("Body"));
        let is_number =
            to.strip_prefix('+').is_some_and(|rest| rest.len() >= 7 && rest.bytes().all(|b| b.is_ascii_digit()));
        if !is_number {
            return error(StatusCode::BAD_REQUEST, 21_211, "Invalid 'To' Phone Number");
        }
        if from.is_empty() {
            return error(StatusCode::BAD_REQUEST, 21_603, "A 'From' phone number is required");
        }
        if body.is_empty() || body.chars().count() > BODY_MAX {
            return error(StatusCode::BAD_REQUEST, 21_617, "The message body exceeds the 1600 character limit");
        }
        let sid = format!("SM{}", self.ids.hex32("sms"));
        let message = json!({
            "sid": sid, "status": "queued", "to": to, "from": from, "body": body, "num_segments": segments(&body).to_string(),
            "status_callback": of("StatusCallback"), "at_ms": self.clock.now_ms(),
        });
        lock(&self.messages).push(message.clone());
        reply::json(StatusCode::CREATED, &message)
    }
}

fn error(status: StatusCode, code: u32, message: &str) -> Response {
    reply::json(status, &json!({"code": code, "message": message, "status": status.as_u16()}))
}

fn refuse(refusal: &Refusal) -> Response {
    let code = refusal.code.as_deref().and_then(|code| code.parse().ok()).unwrap_or(20_500);
    error(refusal.http_status(500), code, "Internal Server Error")
}

async fn send(State(twilio): State<Arc<Twilio>>, call: Call) -> Response {
    let call = Arc::new(call);
    let apply = {
        let (twilio, call) = (Arc::clone(&twilio), Arc::clone(&call));
        move || twilio.take(&call)
    };
    twilio.desk.serve("message", || call.flat(), refuse, apply).await
}

impl Controlled for Twilio {
    fn desk(&self) -> &Desk {
        &self.desk
    }

    fn state(&self, _only: Option<&str>) -> Map<String, Value> {
        Map::from_iter([("messages".to_owned(), json!(*lock(&self.messages)))])
    }

    fn clear(&self) {
        lock(&self.messages).clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_signature_and_the_published_segments() {
        let fields = [
            ("CallSid", "CA1234567890ABCDE"),
            ("Caller", "+14158675309"),
            ("Digits", "1234"),
            ("From", "+14158675309"),
            ("To", "+18005551212"),
        ];
        let url = "https://mycompany.com/myapp.php?foo=1&bar=2";
        assert_eq!(signature("12345", url, &fields), "RSOYDt4T1cUTdK1PDd93/VVr8B8=");
        let cases = [
            ("a".repeat(160), 1),
            ("a".repeat(307), 3),
            (format!("{}€", "a".repeat(159)), 2),
            (format!("{}€{}", "a".repeat(152), "a".repeat(152)), 3),
            ("я".repeat(71), 2),
            ("😀".repeat(36), 2),
        ];
        for (text, parts) in cases {
            assert_eq!(segments(&text), parts, "{text}");
        }
    }
}
