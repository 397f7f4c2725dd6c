//! What Slack sends: a person pressed a button. Signed with the app's signing secret.

use ::http::HeaderMap;
use domain::input::Fault;
use domain::{Seconds, Timestamp};
use secrecy::SecretString;
use serde_json::Value;
use url::form_urlencoded;

use crate::signature::{hex_matches, hmac_sha256};

const SIGNATURE: &str = "x-slack-signature";
const TIMESTAMP: &str = "x-slack-request-timestamp";
const SCHEME: &str = "v0=";
/// An older request may be a recording.
const TOLERANCE: Seconds = Seconds(300);

/// A pressed button.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Press {
    /// The member id of whoever pressed it.
    pub user: String,
    /// The button's name.
    pub action_id: String,
    /// What we gave it to carry.
    pub value: String,
    /// Where the message can be changed.
    pub response_url: Option<String>,
}

/// Why a request is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InboundError {
    /// It is not Slack's, or too old.
    #[error("signature is not accepted: {0}")]
    BadSignature(&'static str),
    /// It does not read as what it must be.
    #[error("request cannot be read: {0}")]
    Malformed(&'static str),
    /// It says something twice, at these places.
    #[error("request says something twice")]
    Repeated(Vec<Fault>),
}

/// Checks the signature over time stamp and raw body; the time stamp in both directions.
///
/// # Errors
/// [`InboundError::BadSignature`].
pub fn check(headers: &HeaderMap, body: &[u8], secret: &SecretString, now: Timestamp) -> Result<(), InboundError> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let time = text(TIMESTAMP).ok_or(InboundError::BadSignature("the time stamp is missing"))?;
    let given = text(SIGNATURE).and_then(|value| value.strip_prefix(SCHEME));
    let given = given.ok_or(InboundError::BadSignature("the signature is missing"))?;
    let digest = hmac_sha256(secret, &[b"v0:", time.as_bytes(), b":", body]);
    if !digest.is_some_and(|digest| hex_matches(given, &digest)) {
        return Err(InboundError::BadSignature("it does not match"));
    }
    let seconds: i64 = time.parse().map_err(|_| InboundError::BadSignature("the time stamp is not a number"))?;
    if now.seconds().abs_diff(seconds) > u64::from(TOLERANCE.0) {
        return Err(InboundError::BadSignature("the time stamp is outside the tolerance"));
    }
    Ok(())
}

/// The button that was pressed; `None` for what is not a button.
///
/// # Errors
/// [`InboundError::Malformed`], [`InboundError::Repeated`].
pub fn press(body: &[u8]) -> Result<Option<Press>, InboundError> {
    let payload = form_urlencoded::parse(body).find(|(name, _)| name == "payload").map(|(_, value)| value);
    let payload = payload.ok_or(InboundError::Malformed("there is no `payload`"))?;
    let payload = domain::json::parse(payload.as_bytes()).map_err(unread)?;
    if payload.get("type").and_then(Value::as_str) != Some("block_actions") {
        return Ok(None);
    }
    let text = |value: &Value, pointer: &str| value.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
    let user = text(&payload, "/user/id").ok_or(InboundError::Malformed("nobody pressed it"))?;
    let action_id = text(&payload, "/actions/0/action_id").ok_or(InboundError::Malformed("nothing was pressed"))?;
    let value = text(&payload, "/actions/0/value").unwrap_or_default();
    Ok(Some(Press { user, action_id, value, response_url: text(&payload, "/response_url") }))
}

fn unread(faults: Vec<Fault>) -> InboundError {
    if faults.iter().all(|fault| fault.code != "duplicate_key") {
        return InboundError::Malformed("`payload` is not JSON");
    }
    let within = |fault: Fault| Fault { pointer: format!("/payload{}", fault.pointer), ..fault };
    InboundError::Repeated(faults.into_iter().map(within).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "8f742231b10e8888abcd99yyyzzz85a5";
    const BODY: &str = "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c";
    const GOOD: &str = "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503";

    fn checked(time: &str, signature: &str, body: &str, now: i64) -> Result<(), InboundError> {
        let mut headers = HeaderMap::new();
        headers.insert(TIMESTAMP, time.parse().unwrap());
        headers.insert(SIGNATURE, signature.parse().unwrap());
        let now = Timestamp::from_seconds(now).unwrap();
        check(&headers, body.as_bytes(), &SecretString::from(SECRET), now)
    }

    #[test]
    fn the_vendors_own_vector_is_accepted_within_five_minutes() {
        for now in [1_531_420_618, 1_531_420_618 + 300, 1_531_420_618 - 300] {
            assert_eq!(checked("1531420618", GOOD, BODY, now), Ok(()));
        }
        for now in [1_531_420_618 + 301, 1_531_420_618 - 301] {
            assert!(checked("1531420618", GOOD, BODY, now).is_err());
        }
        assert!(checked("1531420619", GOOD, BODY, 1_531_420_618).is_err());
        assert!(checked("1531420618", GOOD, &BODY.replace("foobar", "foobaz"), 1_531_420_618).is_err());
        for bad in ["", "v0=", "v1=a2", "a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503"] {
            assert!(checked("1531420618", bad, BODY, 1_531_420_618).is_err(), "{bad}");
        }
        assert!(check(&HeaderMap::new(), b"", &SecretString::from("x"), Timestamp::EPOCH).is_err());
    }

    #[test]
    fn a_pressed_button_says_who_pressed_what() {
        let payload = r#"{"type":"block_actions","user":{"id":"U0SOFIA"},"response_url":"https://hooks.slack.com/actions/1","actions":[{"action_id":"task_start","value":"tsk_1"}]}"#;
        let form: String = form_urlencoded::Serializer::new(String::new()).append_pair("payload", payload).finish();
        let pressed = press(form.as_bytes()).unwrap().unwrap();
        assert_eq!(
            (pressed.user.as_str(), pressed.action_id.as_str(), pressed.value.as_str()),
            ("U0SOFIA", "task_start", "tsk_1")
        );
        assert_eq!(press(b"payload=%7B%22type%22%3A%22view_submission%22%7D"), Ok(None));
        let twice = payload.replace(r#""value":"tsk_1""#, r#""value":"tsk_1","value":"tsk_2""#);
        let form: String = form_urlencoded::Serializer::new(String::new()).append_pair("payload", &twice).finish();
        let Err(InboundError::Repeated(faults)) = press(form.as_bytes()) else { panic!("one of two values was taken") };
        let faults: Vec<_> = faults.iter().map(|fault| (fault.pointer.as_str(), fault.code)).collect();
        assert_eq!(faults, [("/payload/actions/0/value", "duplicate_key")]);
        for bad in ["", "x=y", "payload=", "payload=%7B%22type%22%3A%22block_actions%22%7D"] {
            assert!(press(bad.as_bytes()).is_err(), "{bad}");
        }
    }
}
