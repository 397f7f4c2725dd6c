//! Lead ads of Meta: a signed webhook that names leads, and the Graph API that has their data.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use ::http::{HeaderMap, Request, StatusCode};
use bytes::Bytes;
use domain::Timestamp;
use domain::lead::rules::intake::FormField;
use domain::lead::{Answers, Fetched, MetaLead};
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

/// What a webhook says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Announced {
    /// The leads that it names.
    pub leads: Vec<MetaLead>,
    /// Entries about leads that name none that could be fetched.
    pub unusable: usize,
}

/// The leads that a webhook names. Changes of other fields are not ours, whatever they look like, and an entry that cannot be
/// used costs none of its neighbours.
///
/// # Errors
/// [`WebhookError::Malformed`].
pub fn announced(body: &[u8], now: Timestamp) -> Result<Announced, WebhookError> {
    let malformed = |what: &str| WebhookError::Malformed(what.to_owned());
    let body: Value = domain::json::parse(body)
        .map_err(|faults| WebhookError::Malformed(faults.first().map(|f| f.message.clone()).unwrap_or_default()))?;
    if body.get("object").and_then(Value::as_str) != Some("page") {
        return Ok(Announced::default());
    }
    let entries = body.get("entry").and_then(Value::as_array).ok_or_else(|| malformed("`entry` is not a list"))?;
    let mut announced = Announced::default();
    for entry in entries {
        for change in entry.get("changes").and_then(Value::as_array).into_iter().flatten() {
            if change.get("field").and_then(Value::as_str) != Some("leadgen") {
                continue;
            }
            match change.get("value").and_then(|value| lead(value, entry, now)) {
                Some(lead) => announced.leads.push(lead),
                None => announced.unusable = announced.unusable.saturating_add(1),
            }
        }
    }
    if announced.leads.len() > LEADS_MAX {
        return Err(malformed("it names too many leads"));
    }
    Ok(announced)
}

fn lead(value: &Value, entry: &Value, now: Timestamp) -> Option<MetaLead> {
    let page_id = id(value, "page_id").or_else(|| id(entry, "id")).unwrap_or_default();
    let created = value.get("created_time").and_then(moment).or_else(|| entry.get("time").and_then(moment));
    // as it is written, even where it cannot be true: our id is made of it, and must be the same when Meta says it again
    Some(MetaLead {
        leadgen_id: id(value, "leadgen_id")?,
        form_id: id(value, "form_id").unwrap_or_default(),
        page_id,
        ad_id: id(value, "ad_id"),
        created_at: created.unwrap_or(Timestamp::EPOCH),
        failed: 0,
        since: now,
    })
}

/// A moment: seconds since 1970 as a number or as text, or RFC 3339, also with the zone in four digits as the Graph API has it.
fn moment(value: &Value) -> Option<Timestamp> {
    let text = match value {
        Value::Number(number) => return number.as_i64().and_then(Timestamp::from_seconds),
        Value::String(text) => text.trim(),
        _ => return None,
    };
    if let Ok(seconds) = text.parse() {
        return Timestamp::from_seconds(seconds);
    }
    let of_zone = |text: &str| {
        let (moment, minutes) = text.split_at_checked(text.len().checked_sub(2)?)?;
        format!("{moment}:{minutes}").parse().ok()
    };
    text.parse().ok().or_else(|| of_zone(text))
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

/// What a form's questions are, as the platform types them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Questions {
    /// The fields with a type that says something, by their names in leads.
    Typed(BTreeMap<String, FormField>),
    /// Not now.
    Silent(String),
    /// Not at all: the token may read leads, but not forms.
    Refused,
}

impl Graph {
    /// Fetches a lead's fields. Reading is harmless, so every failure that may pass is worth another try.
    pub async fn lead(&self, leadgen_id: &str) -> Fetched {
        match self.get(leadgen_id, "created_time,field_data,form_id").await {
            Ok((status, body)) => read(leadgen_id, status, &body),
            Err(failed) => failed,
        }
    }

    /// Fetches the types of a form's questions. A token that may not read forms is no reason to wait: the lead is there.
    pub async fn questions(&self, form_id: &str) -> Questions {
        if form_id.is_empty() {
            return Questions::Refused;
        }
        let answer = self.get(form_id, "questions").await;
        questions(answer.and_then(|(status, body)| json_of(status, &body, &PASSING)))
    }

    async fn get(&self, id: &str, fields: &str) -> Result<(StatusCode, Bytes), Fetched> {
        let (version, id) = (template::encode(&self.version), template::encode(id));
        let url = format!("{}/{version}/{id}?fields={fields}", self.base_url);
        let request = Request::get(url)
            // not in the query: addresses end up in logs
            .header("authorization", format!("Bearer {}", self.token.expose_secret()))
            .body(Bytes::new());
        let request = request.map_err(|_| Fetched::Refused("the address cannot be called".to_owned()))?;
        match self.transport.send(request, self.timeout).await {
            Ok(response) => Ok((response.status(), response.into_body())),
            Err(error @ (TransportError::NotSent(_) | TransportError::Lost(_))) => {
                Err(Fetched::Silent(error.to_string()))
            }
            Err(error @ TransportError::TooLarge) => Err(Fetched::Refused(error.to_string())),
        }
    }
}

/// The platform's types of questions that ask for what we know; all others are answers.
const TYPES: [(&str, FormField); 8] = [
    ("EMAIL", FormField::Email),
    ("WORK_EMAIL", FormField::Email),
    ("PHONE", FormField::Phone),
    ("WORK_PHONE_NUMBER", FormField::Phone),
    ("FULL_NAME", FormField::FullName),
    ("FIRST_NAME", FormField::FirstName),
    ("LAST_NAME", FormField::LastName),
    ("COUNTRY", FormField::Country),
];

fn questions(answer: Result<Value, Fetched>) -> Questions {
    match answer {
        Ok(form) => Questions::Typed(typed(&form)),
        Err(Fetched::Silent(what)) => Questions::Silent(what),
        Err(Fetched::Refused(_) | Fetched::Fields(_)) => Questions::Refused,
    }
}

fn typed(form: &Value) -> BTreeMap<String, FormField> {
    let question = |question: &Value| {
        let kind = question.get("type")?.as_str()?;
        let (_, field) = TYPES.iter().find(|(known, _)| *known == kind)?;
        Some((question.get("key")?.as_str()?.to_owned(), *field))
    };
    form.get("questions").and_then(Value::as_array).into_iter().flatten().filter_map(question).collect()
}

/// Error codes of the Graph API that pass by themselves: service errors and every kind of rate limit.
const PASSING: [i64; 9] = [1, 2, 4, 17, 32, 341, 368, 613, 80005];
/// The same, and those that a person mends outside: a token that expired or lacks a permission. Tried again, because it is mended.
const PASSING_OR_MENDED: [i64; 14] = [1, 2, 4, 17, 32, 341, 368, 613, 80005, 10, 102, 190, 200, 463];

fn json_of(status: StatusCode, body: &[u8], passing: &[i64]) -> Result<Value, Fetched> {
    let Ok(json) = serde_json::from_slice::<Value>(body) else {
        return Err(Fetched::Silent(format!("HTTP {status}, and the answer is not JSON")));
    };
    if let Some(error) = json.get("error") {
        let code = error.get("code").and_then(Value::as_i64).unwrap_or(0);
        let message = format!("HTTP {status}, code {code}");
        let passes = status.is_server_error() || passing.contains(&code);
        return Err(if passes { Fetched::Silent(message) } else { Fetched::Refused(message) });
    }
    if status.is_success() { Ok(json) } else { Err(Fetched::Silent(format!("HTTP {status}"))) }
}

fn read(leadgen_id: &str, status: StatusCode, body: &[u8]) -> Fetched {
    let json = match json_of(status, body, &PASSING_OR_MENDED) {
        Ok(json) => json,
        Err(failed) => return failed,
    };
    if json.get("id").is_some() && id(&json, "id").as_deref() != Some(leadgen_id) {
        return Fetched::Silent("the answer is another lead".to_owned());
    }
    let Some(fields) = json.get("field_data").and_then(Value::as_array) else {
        return Fetched::Refused("the answer has no fields".to_owned());
    };
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let field = |field: &Value| {
        let name = field.get("name")?.as_str()?.to_owned();
        // one answer may stand by itself
        let values = match field.get("values")? {
            Value::Array(values) => values.iter().filter(|value| !value.is_null()).map(text).collect(),
            Value::Null => Vec::new(),
            one => vec![text(one)],
        };
        Some((name, values))
    };
    Fetched::Fields(Answers { form_id: id(&json, "form_id"), fields: fields.iter().filter_map(field).collect() })
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
        let leads = announced(body, now).unwrap().leads;
        assert_eq!(leads.len(), 2);
        assert_eq!((leads[0].leadgen_id.as_str(), leads[0].page_id.as_str()), ("18446744073709551615", "7"));
        let later = announced(body, now.plus(domain::Seconds(60))).unwrap().leads;
        let id = |lead: &MetaLead| domain::lead::lead_id_of(lead);
        assert_eq!(leads.iter().map(id).collect::<Vec<_>>(), later.iter().map(id).collect::<Vec<_>>());
        let made = domain::lead::announced(leads[1].clone(), now).next;
        assert_eq!((leads[1].form_id.as_str(), made.facts.created_at), ("13", now), "not from the future");
        for bad in ["[", "{\"object\":\"page\"}"] {
            assert!(announced(bad.as_bytes(), now).is_err(), "{bad}");
        }
        assert_eq!(announced(br#"{"object":"user","entry":[]}"#, now), Ok(Announced::default()));
    }

    /// What is not ours is not judged, and what cannot be used costs none of its neighbours.
    #[test]
    fn one_bad_entry_costs_none_of_its_neighbours() {
        let now = Timestamp::from_seconds(1_800_000_000).unwrap();
        let body = br#"{"object":"page","entry":[
            7, {"changes":"none"}, {"id":"8","changes":[{"field":"feed"},{"field":"feed","value":{"leadgen_id":"1"}},9]},
            {"id":"8","changes":[
                {"field":"leadgen"},
                {"field":"leadgen","value":{"leadgen_id":1.5,"form_id":"12"}},
                {"field":"leadgen","value":{"leadgen_id":"20"}},
                {"field":"leadgen","value":{"leadgen_id":"21","form_id":null,"created_time":"1790000000"}},
                {"field":"leadgen","value":{"leadgen_id":"22","form_id":"12","created_time":"2026-09-21T14:13:20+0000"}},
                {"field":"leadgen","value":{"leadgen_id":"23","form_id":"12","created_time":1790000000}},
                {"field":"leadgen","value":{"leadgen_id":"24","form_id":"12","created_time":{"odd":true}}}]}]}"#;
        let Announced { leads, unusable } = announced(body, now).unwrap();
        let said: Vec<(&str, &str)> = leads.iter().map(|l| (l.leadgen_id.as_str(), l.form_id.as_str())).collect();
        assert_eq!(said, [("20", ""), ("21", ""), ("22", "12"), ("23", "12"), ("24", "12")]);
        assert_eq!(unusable, 2);
        let at = Timestamp::from_seconds(1_790_000_000).unwrap();
        let times: Vec<Timestamp> = leads.iter().map(|lead| lead.created_at).collect();
        assert_eq!(times, [Timestamp::EPOCH, at, at, at, Timestamp::EPOCH]);
    }

    #[test]
    fn questions_are_read_by_their_types_and_a_token_without_the_right_to_is_not_waited_for() {
        let answer = |status: u16, body: &str| {
            questions(json_of(StatusCode::from_u16(status).unwrap(), body.as_bytes(), &PASSING))
        };
        let form = r#"{"id":"5","questions":[{"key":"wohin","type":"EMAIL","label":"Wohin?"},{"key":"why","type":"CUSTOM"},
            {"key":"rufnr","type":"PHONE"},{"type":"PHONE"},7]}"#;
        let types = [("rufnr", FormField::Phone), ("wohin", FormField::Email)];
        let types = types.map(|(key, field)| (key.to_owned(), field)).into();
        assert_eq!(answer(200, form), Questions::Typed(types));
        assert_eq!(answer(200, "{}"), Questions::Typed(BTreeMap::new()));
        for code in [10, 100, 190, 200] {
            assert_eq!(answer(400, &format!("{{\"error\":{{\"code\":{code}}}}}")), Questions::Refused, "{code}");
        }
        for (status, body) in [(400, r#"{"error":{"code":4}}"#), (503, r#"{"error":{"code":200}}"#), (502, "<html>")] {
            assert!(matches!(answer(status, body), Questions::Silent(_)), "{status} {body}");
        }
    }

    #[test]
    fn what_passes_by_itself_is_tried_again_and_what_does_not_is_not() {
        let answer = |status: u16, body: &str| read("1", StatusCode::from_u16(status).unwrap(), body.as_bytes());
        let fields =
            r#"{"id":"1","field_data":[{"name":"email","values":["a@b.de"]},{"name":"age","values":[7]},{"x":1}]}"#;
        let one = |name: &str, value: &str| (name.to_owned(), vec![value.to_owned()]);
        let read = Answers { form_id: None, fields: vec![one("email", "a@b.de"), one("age", "7")] };
        assert_eq!(answer(200, fields), Fetched::Fields(read));
        let several =
            r#"{"form_id":12,"field_data":[{"name":"wants","values":["a","b",null]},{"name":"city","values":"Rome"}]}"#;
        let wants = ("wants".to_owned(), vec!["a".to_owned(), "b".to_owned()]);
        let read = Answers { form_id: Some("12".to_owned()), fields: vec![wants, one("city", "Rome")] };
        assert_eq!(answer(200, several), Fetched::Fields(read));
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
