//! Text messages over Twilio, and what Twilio tells: what became of one, and what its reader answered.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use ::http::Request;
use ::http::header::{AUTHORIZATION, CONTENT_TYPE};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use hmac::{Hmac, KeyInit as _, Mac as _};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use sha1::Sha1;
use url::form_urlencoded;

use super::{NotifyError, Receipt, Sms};
use crate::NOTIFY_CALL_TIMEOUT_S;
use crate::http::{Transport, TransportError};
use crate::signature::{base64_matches, is_blank};

/// The answers that end messages, and those that begin them again, by Twilio's own list.
const STOPS: [&str; 8] = ["STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT"];
const STARTS: [&str; 3] = ["START", "YES", "UNSTOP"];
/// The reader had answered STOP.
pub const UNSUBSCRIBED: &str = "21610";

/// The account at Twilio.
#[derive(Debug, Clone)]
pub struct Account {
    sid: String,
    token: SecretString,
}

impl Account {
    /// Reads `{account_sid, auth_token}`.
    pub fn read(secret: &SecretString) -> Option<Self> {
        #[derive(Deserialize)]
        struct Written {
            account_sid: String,
            auth_token: String,
        }
        let written: Written = serde_json::from_str(secret.expose_secret()).ok()?;
        let token = SecretString::from(written.auth_token);
        (!written.account_sid.trim().is_empty() && !is_blank(&token))
            .then_some(Self { sid: written.account_sid, token })
    }

    /// Whether a form that came to `url` is signed by Twilio: HMAC-SHA1 over the address as it was called, and each value after its name,
    /// by name.
    pub fn signed(&self, url: &str, body: &[u8], signature: Option<&str>) -> bool {
        let fields: BTreeMap<String, String> = form(body);
        let Ok(mut mac) = Hmac::<Sha1>::new_from_slice(self.token.expose_secret().as_bytes()) else { return false };
        mac.update(url.as_bytes());
        for (name, value) in &fields {
            mac.update(name.as_bytes());
            mac.update(value.as_bytes());
        }
        let expected = mac.finalize().into_bytes();
        signature.is_some_and(|given| base64_matches(given, &expected))
    }
}

/// The fields of a form; of a name that stands twice the last value.
pub fn form(body: &[u8]) -> BTreeMap<String, String> {
    form_urlencoded::parse(body).into_owned().collect()
}

/// What a message of Twilio says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told {
    /// The holder of this number wants no more, or wants them again.
    Wants {
        /// The number.
        number: String,
        /// Whether he does.
        more: bool,
        /// Twilio's number of the message.
        name: String,
    },
    /// A message to this number cannot be delivered for good.
    Undeliverable {
        /// The number.
        number: String,
        /// Twilio's number of the message.
        name: String,
    },
    /// Something that changes nothing here.
    Nothing,
}

/// Reads a message of Twilio; what its reader wrote counts by its first word alone.
pub fn told(fields: &BTreeMap<String, String>) -> Told {
    let of = |name: &str| fields.get(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty());
    let name = of("MessageSid").or_else(|| of("SmsSid")).unwrap_or_default();
    if let Some(status) = of("MessageStatus").or_else(|| of("SmsStatus")).filter(|status| status != "received") {
        let code = of("ErrorCode");
        return match (status.as_str(), of("To")) {
            ("failed" | "undelivered", Some(number)) if code.as_deref() == Some(UNSUBSCRIBED) => {
                Told::Wants { number, more: false, name }
            }
            ("failed" | "undelivered", Some(number)) => Told::Undeliverable { number, name },
            _ => Told::Nothing,
        };
    }
    let word = of("OptOutType").or_else(|| of("Body")).unwrap_or_default().to_uppercase();
    let word = word.trim_end_matches(['.', '!']).replace('-', "");
    match of("From") {
        Some(number) if STOPS.contains(&word.as_str()) => Told::Wants { number, more: false, name },
        Some(number) if STARTS.contains(&word.as_str()) => Told::Wants { number, more: true, name },
        _ => Told::Nothing,
    }
}

/// Twilio over a transport.
pub struct Twilio {
    transport: Arc<dyn Transport>,
}

impl Twilio {
    /// Over a transport.
    pub fn new(transport: Arc<dyn Transport>) -> Self {
        Self { transport }
    }

    /// Hands a message over. Twilio knows no idempotency.
    ///
    /// # Errors
    /// [`NotifyError`].
    pub async fn send(
        &self,
        sms: &Sms,
        from: &str,
        base: &str,
        callback: &str,
        own: &Account,
    ) -> Result<Receipt, NotifyError> {
        let url = format!("{base}/2010-04-01/Accounts/{}/Messages.json", own.sid);
        let body = form_urlencoded::Serializer::new(String::new())
            .append_pair("To", sms.to.reveal())
            .append_pair("From", from)
            .append_pair("Body", sms.body.reveal())
            .append_pair("StatusCallback", callback)
            .finish();
        let credentials = STANDARD.encode(format!("{}:{}", own.sid, own.token.expose_secret()));
        let request = Request::post(url)
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(AUTHORIZATION, format!("Basic {credentials}"))
            .body(Bytes::from(body))
            .map_err(|_| refused("invalid_request", "the request cannot be built"))?;
        let timeout = Duration::from_secs(u64::from(NOTIFY_CALL_TIMEOUT_S));
        match self.transport.send(request, timeout).await {
            Ok(response) => read(response.status().as_u16(), response.body()),
            Err(error @ TransportError::NotSent(_)) => {
                Err(NotifyError::Retry { reason: error.to_string(), after: None })
            }
            Err(error @ (TransportError::Lost(_) | TransportError::TooLarge)) => {
                Err(NotifyError::Unknown(error.to_string()))
            }
        }
    }
}

fn read(status: u16, body: &[u8]) -> Result<Receipt, NotifyError> {
    #[derive(Deserialize, Default)]
    struct Answer {
        #[serde(default)]
        sid: Option<String>,
        #[serde(default)]
        code: Option<u32>,
        #[serde(default)]
        message: Option<String>,
    }
    let answer: Answer = serde_json::from_slice(body).unwrap_or_default();
    match status {
        200..=299 => Ok(Receipt { reference: answer.sid }),
        429 | 503 => Err(NotifyError::Retry { reason: format!("status {status}"), after: None }),
        500.. => Err(NotifyError::Unknown(format!("status {status}"))),
        _ => {
            let code = answer.code.map_or_else(|| status.to_string(), |code| code.to_string());
            Err(refused(&code, &answer.message.unwrap_or_default()))
        }
    }
}

fn refused(code: &str, message: &str) -> NotifyError {
    NotifyError::Refused { code: code.to_owned(), message: message.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(token: &str) -> Account {
        let secret = serde_json::json!({"account_sid": "AC1", "auth_token": token}).to_string();
        Account::read(&SecretString::from(secret)).unwrap()
    }

    /// The published example.
    #[test]
    fn the_published_signature_is_accepted_and_any_other_is_not() {
        let own = account("12345");
        let url = "https://mycompany.com/myapp.php?foo=1&bar=2";
        let body = b"CallSid=CA1234567890ABCDE&Caller=%2B14158675309&Digits=1234&From=%2B14158675309&To=%2B18005551212";
        let vector = "RSOYDt4T1cUTdK1PDd93/VVr8B8=";
        assert!(own.signed(url, body, Some(vector)));
        assert!(!own.signed(url, &body[1..], Some(vector)) && !own.signed(&url[1..], body, Some(vector)));
        assert!(!own.signed(url, body, None) && !account("12346").signed(url, body, Some(vector)));
        assert!(Account::read(&SecretString::from(r#"{"account_sid": "AC1", "auth_token": " "}"#)).is_none());
    }

    #[test]
    fn a_stop_is_a_stop_and_a_conversation_is_not() {
        let told_of = |body: &str| told(&form(body.as_bytes()));
        let wants = |more| Told::Wants { number: "+34600111222".to_owned(), more, name: "SM1".to_owned() };
        for word in ["STOP", "stop", "Stop.", "opt-out", "CANCEL", "%20stop%0A"] {
            assert_eq!(told_of(&format!("From=%2B34600111222&Body={word}&MessageSid=SM1")), wants(false), "{word}");
        }
        assert_eq!(told_of("From=%2B34600111222&Body=START&MessageSid=SM1"), wants(true));
        assert_eq!(told_of("From=%2B34600111222&Body=Please+stop+it&MessageSid=SM1"), Told::Nothing);
        assert_eq!(told_of("To=%2B34600111222&MessageStatus=delivered&MessageSid=SM1"), Told::Nothing);
        let gone = Told::Undeliverable { number: "+34600111222".to_owned(), name: "SM1".to_owned() };
        assert_eq!(told_of("To=%2B34600111222&MessageStatus=undelivered&ErrorCode=30005&MessageSid=SM1"), gone);
        assert_eq!(told_of("To=%2B34600111222&MessageStatus=failed&ErrorCode=21610&MessageSid=SM1"), wants(false));
    }

    #[test]
    fn every_answer_says_whether_to_try_again() {
        assert_eq!(read(201, br#"{"sid": "SM1"}"#).unwrap().reference.as_deref(), Some("SM1"));
        assert!(matches!(read(429, b""), Err(NotifyError::Retry { .. })));
        assert!(matches!(read(503, b""), Err(NotifyError::Retry { .. })));
        assert!(matches!(read(500, b""), Err(NotifyError::Unknown(_))));
        let Err(NotifyError::Refused { code, .. }) = read(400, br#"{"code": 21610, "message": "no"}"#) else {
            panic!()
        };
        assert_eq!(code, UNSUBSCRIBED);
    }
}
