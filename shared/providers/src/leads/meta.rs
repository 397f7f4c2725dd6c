//! Lead ads of Meta: a signed webhook that names leads, and the Graph API that has their data.

use std::sync::Arc;
use std::time::Duration;

use ::http::{HeaderMap, Request, StatusCode};
use bytes::Bytes;
use domain::Timestamp;
use domain::lead::{Fetched, MetaLead};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::Value;

use crate::http::{Transport, TransportError};
use crate::signature::{hex_matches, hmac_sha256, is_blank};
use crate::template;

const HEADER: &str = "x-hub-signature-256";
const SCHEME: &str = "sha256=";
/// Leads that one webhook may name; Meta sends at most some hundred.
const LEADS_MAX: usize = 1_000;
/// Longest id, in characters; Meta's have 15 to 20 digits.
const ID_CHARS_MAX: usize = 40;

/// What the secret of the rule set `lead_intake` holds, as JSON.
#[derive(Debug, Clone, Deserialize)]
pub struct MetaSecret {
    /// Signs webhooks.
    pub app_secret: SecretString,
    /// Proves that a subscription is ours.
    pub verify_token: SecretString,
    /// Reads leads, where a page has no token of its own.
    pub page_token: SecretString,
}

impl MetaSecret {
    /// Whether none of it is empty: an empty one would sign for everybody, or match whoever sends no token.
    pub fn is_whole(&self) -> bool {
        ![&self.app_secret, &self.verify_token, &self.page_token].into_iter().any(is_blank)
    }
}

/// Why a webhook is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WebhookError {
    /// It is not Meta's.
    #[error("signature is not accepted: {0}")]
    BadSignature(&'static str),
    /// It does not read as what it must be.
    #[error("webhook cannot be read: {0}")]
    Malformed(String),
}

/// Checks the signature over the raw body.
///
/// # Errors
/// [`WebhookError::BadSignature`].
pub fn check(headers: &HeaderMap, body: &[u8], secret: &SecretString) -> Result<(), WebhookError> {
    let given = headers.get(HEADER).ok_or(WebhookError::BadSignature("header `X-Hub-Signature-256` is missing"))?;
    let given = given.to_str().map_err(|_| WebhookError::BadSignature("the header is not text"))?;
    let given = given.strip_prefix(SCHEME).ok_or(WebhookError::BadSignature("the scheme is not sha256"))?;
    if hmac_sha256(secret, &[body]).is_some_and(|digest| hex_matches(given, &digest)) {
        Ok(())
    } else {
        Err(WebhookError::BadSignature("it does not match"))
    }
}

/// The leads that a webhook names; changes of other fields are not ours.
///
/// # Errors
/// [`WebhookError::Malformed`].
pub fn announced(body: &[u8], now: Timestamp) -> Result<Vec<MetaLead>, WebhookError> {
    let malformed = |what: &str| WebhookError::Malformed(what.to_owned());
    let body: Value = serde_json::from_slice(body).map_err(|error| WebhookError::Malformed(error.to_string()))?;
    if body.get("object").and_then(Value::as_str) != Some("page") {
        return Ok(Vec::new());
    }
    let entries = body.get("entry").and_then(Value::as_array).ok_or_else(|| malformed("`entry` is not a list"))?;
    let mut leads = Vec::new();
    for entry in entries {
        for change in entry.get("changes").and_then(Value::as_array).into_iter().flatten() {
            if change.get("field").and_then(Value::as_str) != Some("leadgen") {
                continue;
            }
            let value = change.get("value").ok_or_else(|| malformed("a change has no `value`"))?;
            leads.push(lead(value, entry, now).ok_or_else(|| malformed("a lead has no `leadgen_id` or `form_id`"))?);
        }
    }
    if leads.len() > LEADS_MAX {
        return Err(malformed("it names too many leads"));
    }
    Ok(leads)
}

fn lead(value: &Value, entry: &Value, now: Timestamp) -> Option<MetaLead> {
    let page_id = id(value, "page_id").or_else(|| id(entry, "id")).unwrap_or_default();
    let created = value.get("created_time").or_else(|| entry.get("time")).and_then(Value::as_i64);
    // as it is written, even where it cannot be true: our id is made of it, and must be the same when Meta says it again
    let created_at = created.and_then(Timestamp::from_seconds).unwrap_or(Timestamp::EPOCH);
    Some(MetaLead {
        leadgen_id: id(value, "leadgen_id")?,
        form_id: id(value, "form_id")?,
        page_id,
        ad_id: id(value, "ad_id"),
        created_at,
        failed: 0,
        since: now,
    })
}

/// Ids come as text or as numbers of up to 64 bits.
fn id(value: &Value, name: &str) -> Option<String> {
    let text = match value.get(name)? {
        Value::String(text) => text.clone(),
        Value::Number(number) if number.is_u64() => number.to_string(),
        _ => return None,
    };
    let plain = !text.is_empty() && text.len() <= ID_CHARS_MAX && text.bytes().all(|b| b.is_ascii_alphanumeric());
    plain.then_some(text)
}

/// The Graph API.
pub struct Graph {
    /// Its address without a slash at the end.
    pub base_url: String,
    /// Its version, such as `v21.0`.
    pub version: String,
    /// The page's token.
    pub token: SecretString,
    /// How it is reached.
    pub transport: Arc<dyn Transport>,
    /// How long it may take.
    pub timeout: Duration,
}

impl Graph {
    /// Fetches a lead's fields. Reading is harmless, so every failure that may pass is worth another try.
    pub async fn lead(&self, leadgen_id: &str) -> Fetched {
        let (version, id) = (template::encode(&self.version), template::encode(leadgen_id));
        let url = format!("{}/{version}/{id}?fields=created_time,field_data,form_id", self.base_url);
        let request = Request::get(url)
            // not in the query: addresses end up in logs
            .header("authorization", format!("Bearer {}", self.token.expose_secret()))
            .body(Bytes::new());
        let Ok(request) = request else { return Fetched::Refused("the address cannot be called".to_owned()) };
        match self.transport.send(request, self.timeout).await {
            Ok(response) => read(leadgen_id, response.status(), response.body()),
            Err(error @ (TransportError::NotSent(_) | TransportError::Lost(_))) => Fetched::Silent(error.to_string()),
            Err(error @ TransportError::TooLarge) => Fetched::Refused(error.to_string()),
        }
    }
}

/// Error codes of the Graph API that pass by themselves: service errors and every kind of rate limit.
const PASSING: [i64; 9] = [1, 2, 4, 17, 32, 341, 368, 613, 80005];
/// Error codes that a person mends outside: a token that expired or lacks a permission. Tried again, because it is mended.
const MENDABLE: [i64; 5] = [10, 102, 190, 200, 463];

fn read(leadgen_id: &str, status: StatusCode, body: &[u8]) -> Fetched {
    let Ok(json) = serde_json::from_slice::<Value>(body) else {
        return Fetched::Silent(format!("HTTP {status}, and the answer is not JSON"));
    };
    if let Some(error) = json.get("error") {
        let code = error.get("code").and_then(Value::as_i64).unwrap_or(0);
        let message = format!("HTTP {status}, code {code}");
        let passes = status.is_server_error() || PASSING.contains(&code) || MENDABLE.contains(&code);
        return if passes { Fetched::Silent(message) } else { Fetched::Refused(message) };
    }
    if !status.is_success() {
        return Fetched::Silent(format!("HTTP {status}"));
    }
    if json.get("id").is_some() && id(&json, "id").as_deref() != Some(leadgen_id) {
        return Fetched::Silent("the answer is another lead".to_owned());
    }
    let Some(fields) = json.get("field_data").and_then(Value::as_array) else {
        return Fetched::Refused("the answer has no fields".to_owned());
    };
    let field = |field: &Value| {
        let name = field.get("name")?.as_str()?.to_owned();
        let values = field.get("values")?.as_array()?;
        let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        Some((name, values.iter().map(text).collect()))
    };
    Fetched::Fields(fields.iter().filter_map(field).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signed(header: &str, body: &[u8], secret: &str) -> Result<(), WebhookError> {
        let mut headers = HeaderMap::new();
        headers.insert(HEADER, header.parse().unwrap());
        check(&headers, body, &SecretString::from(secret.to_owned()))
    }

    #[test]
    fn the_published_vector_and_our_own_are_accepted_and_nothing_else_is() {
        let secret = "It's a Secret to Everybody";
        let good = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
        assert_eq!(signed(good, b"Hello, World!", secret), Ok(()));
        let own = "sha256=e6e9d7a842a48e17f43a34d6125d0d933e2aab92ee37f0993a4d493b50e3d438";
        assert_eq!(signed(own, br#"{"object":"page","entry":[]}"#, "app-secret"), Ok(()));
        assert!(signed(good, b"Hello, World?", secret).is_err());
        assert!(signed(good, b"Hello, World!", "another").is_err());
        for bad in ["", "sha256=", "sha256=75", "sha1=757107", &good[7..], "sha256=zz"] {
            assert!(signed(bad, b"Hello, World!", secret).is_err(), "{bad}");
        }
        assert!(check(&HeaderMap::new(), b"", &SecretString::from("x")).is_err());
        // HMAC-SHA256 of nothing under an empty key: anybody can make it.
        let anybodys = "sha256=b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad";
        assert!(signed(anybodys, b"", "").is_err());
    }

    #[test]
    fn a_secret_with_an_empty_part_is_none() {
        let secret = |app: &str, token: &str, page: &str| MetaSecret {
            app_secret: SecretString::from(app),
            verify_token: SecretString::from(token),
            page_token: SecretString::from(page),
        };
        assert!(secret("a", "b", "c").is_whole());
        for empty in [secret("", "b", "c"), secret("a", " ", "c"), secret("a", "b", "")] {
            assert!(!empty.is_whole());
        }
    }

    #[test]
    fn ids_are_read_as_text_or_as_whole_numbers() {
        let now = Timestamp::from_seconds(1_800_000_000).unwrap();
        let body = br#"{"object":"page","entry":[{"id":7,"time":1,"changes":[
            {"field":"feed","value":{}},
            {"field":"leadgen","value":{"leadgen_id":18446744073709551615,"form_id":"12","ad_id":"9","created_time":1790000000}},
            {"field":"leadgen","value":{"leadgen_id":"a1","form_id":13,"page_id":"8","created_time":1900000000}}]}]}"#;
        let leads = announced(body, now).unwrap();
        assert_eq!(leads.len(), 2);
        assert_eq!((leads[0].leadgen_id.as_str(), leads[0].page_id.as_str()), ("18446744073709551615", "7"));
        let later = announced(body, now.plus(domain::Seconds(60))).unwrap();
        let id = |lead: &MetaLead| domain::lead::lead_id_of(lead);
        assert_eq!(leads.iter().map(id).collect::<Vec<_>>(), later.iter().map(id).collect::<Vec<_>>());
        let made = domain::lead::announced(leads[1].clone(), now).next;
        assert_eq!((leads[1].form_id.as_str(), made.facts.created_at), ("13", now), "not from the future");
        for bad in [
            "[",
            "{\"object\":\"page\"}",
            r#"{"object":"page","entry":[{"changes":[{"field":"leadgen","value":{"leadgen_id":1.5}}]}]}"#,
        ] {
            assert!(announced(bad.as_bytes(), now).is_err(), "{bad}");
        }
        assert_eq!(announced(br#"{"object":"user","entry":[]}"#, now), Ok(vec![]));
    }

    #[test]
    fn what_passes_by_itself_is_tried_again_and_what_does_not_is_not() {
        let answer = |status: u16, body: &str| read("1", StatusCode::from_u16(status).unwrap(), body.as_bytes());
        let fields =
            r#"{"id":"1","field_data":[{"name":"email","values":["a@b.de"]},{"name":"age","values":[7]},{"x":1}]}"#;
        let one = |name: &str, value: &str| (name.to_owned(), vec![value.to_owned()]);
        assert_eq!(answer(200, fields), Fetched::Fields(vec![one("email", "a@b.de"), one("age", "7")]));
        for code in [1, 2, 4, 17, 190] {
            assert!(matches!(answer(400, &format!("{{\"error\":{{\"code\":{code}}}}}")), Fetched::Silent(_)), "{code}");
        }
        assert!(matches!(answer(400, r#"{"error":{"code":100,"error_subcode":33}}"#), Fetched::Refused(_)));
        assert!(matches!(answer(500, r#"{"error":{"code":100}}"#), Fetched::Silent(_)));
        assert!(matches!(answer(502, "<html>"), Fetched::Silent(_)));
        assert!(matches!(answer(200, "{}"), Fetched::Refused(_)));
        assert!(matches!(answer(200, r#"{"id":"2","field_data":[]}"#), Fetched::Silent(_)), "another lead's data");
    }
}
