//! What calls of all vendors have in common: sending, and what an answer that is no success means.

use ::http::header::{DATE, RETRY_AFTER};
use ::http::{HeaderMap, Request, Response};
use bytes::Bytes;
use domain::{Seconds, Timestamp};
use serde_json::Value;

use super::{Label, Settings, VendorError};

/// A JSON object that a vendor answered.
pub(super) struct Answer {
    pub(super) body: Value,
    /// When, by the vendor's clock, or by ours from before the call where the vendor does not say: never later than what it tells.
    pub(super) at: Timestamp,
}

impl Answer {
    /// A text that is not empty.
    pub(super) fn text(&self, pointer: &str) -> Option<&str> {
        text(&self.body, pointer)
    }
}

/// A text that is not empty, by its JSON pointer.
pub(super) fn text<'a>(value: &'a Value, pointer: &str) -> Option<&'a str> {
    value.pointer(pointer).and_then(Value::as_str).filter(|text| !text.is_empty())
}

/// Whether an id of a vendor's is one step of a path as it stands.
pub(super) fn is_plain(id: &str) -> bool {
    const CHARS_MAX: usize = 128;
    let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    !id.is_empty() && id.len() <= CHARS_MAX && id.bytes().all(plain)
}

/// The vendor's codes in a list.
pub(super) fn labels(list: Option<&Value>) -> Vec<Label> {
    let list = list.and_then(Value::as_array).into_iter().flatten();
    list.filter_map(Value::as_str).filter_map(Label::of).take(Label::COUNT_MAX).collect()
}

/// Sends a request; `None` where the vendor says that there is no such thing.
pub(super) async fn ask(settings: &Settings, request: Request<Bytes>) -> Result<Option<Answer>, VendorError> {
    send(settings, request, Value::is_object).await
}

/// The same for a list; one that is not there is empty.
pub(super) async fn ask_list(settings: &Settings, request: Request<Bytes>) -> Result<Vec<Value>, VendorError> {
    let answer = send(settings, request, Value::is_array).await?;
    Ok(match answer.map(|answer| answer.body) {
        Some(Value::Array(items)) => items,
        _ => Vec::new(),
    })
}

async fn send(
    settings: &Settings,
    request: Request<Bytes>,
    is_whole: fn(&Value) -> bool,
) -> Result<Option<Answer>, VendorError> {
    let before = (settings.clock)();
    let response = settings.transport.send(request, settings.timeout).await?;
    let at = date(response.headers()).unwrap_or(before);
    read(&response, is_whole).map(|body| body.map(|body| Answer { body, at }))
}

/// The same where it must be there.
pub(super) async fn order(settings: &Settings, request: Request<Bytes>) -> Result<Answer, VendorError> {
    ask(settings, request).await?.ok_or_else(|| VendorError::Misconfigured("HTTP 404 for a path of the API".to_owned()))
}

fn read(response: &Response<Bytes>, is_whole: fn(&Value) -> bool) -> Result<Option<Value>, VendorError> {
    let body: Option<Value> = serde_json::from_slice(response.body()).ok();
    let status = response.status();
    if status.is_success() {
        let whole = body.filter(is_whole);
        return whole.map(Some).ok_or_else(|| VendorError::Unknown("body is not what was asked for".to_owned()));
    }
    let is_theirs = body.as_ref().is_some_and(Value::is_object);
    match status.as_u16() {
        401 | 403 => Err(VendorError::Misconfigured(format!("HTTP {status}"))),
        // a 404 that is not the vendor's says only that something else answered
        404 if is_theirs => Ok(None),
        // 409: the state does not allow it just now; 429: too many
        408 | 409 | 425 | 429 | 500..=599 => {
            let retry_after = retry_after(response.headers());
            Err(VendorError::Unavailable { why: format!("HTTP {status}"), retry_after })
        }
        400..=499 if is_theirs => Err(VendorError::Refused(code(body.as_ref(), status.as_str()))),
        _ => Err(VendorError::Misconfigured(format!("HTTP {status}: this is not the vendor's API"))),
    }
}

/// The vendor's code of an error; never its words.
fn code(body: Option<&Value>, status: &str) -> String {
    let member = |pointer| body.and_then(|body| body.pointer(pointer));
    let code = ["/errorCode", "/error/type", "/code"].into_iter().find_map(member);
    let code = match code {
        Some(Value::String(text)) => Label::of(text).map(|label| label.as_str().to_owned()),
        Some(Value::Number(number)) => Some(number.to_string()),
        _ => None,
    };
    code.unwrap_or_else(|| status.to_owned())
}

/// Seconds; a date is not understood, and then the caller's own wait counts.
fn retry_after(headers: &HeaderMap) -> Option<Seconds> {
    headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok().map(Seconds)
}

fn date(headers: &HeaderMap) -> Option<Timestamp> {
    let date = jiff::fmt::rfc2822::parse(headers.get(DATE)?.to_str().ok()?).ok()?;
    Timestamp::from_seconds(date.timestamp().as_second())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Disposition;

    fn answer(status: u16, retry_after: Option<&str>, body: &str) -> Result<Option<Value>, VendorError> {
        let mut response = Response::builder().status(status);
        if let Some(value) = retry_after {
            response = response.header("retry-after", value);
        }
        read(&response.body(Bytes::from(body.to_owned())).unwrap(), Value::is_object)
    }

    #[test]
    fn every_status_says_what_to_do_next() {
        let cases = [
            (401, "{}", Disposition::Hold),
            (403, "{}", Disposition::Hold),
            (404, "<html>", Disposition::Hold),
            (302, "", Disposition::Hold),
            (400, "<html>", Disposition::Hold),
            (400, r#"{"code":400}"#, Disposition::GiveUp),
            (422, r#"{"error":{"type":"validation_error"}}"#, Disposition::GiveUp),
            (409, "{}", Disposition::Retry),
            (429, "", Disposition::Retry),
            (500, "", Disposition::Retry),
            (503, "{}", Disposition::Retry),
            (200, "nonsense", Disposition::LookUp),
            (200, "[]", Disposition::LookUp),
        ];
        for (status, body, disposition) in cases {
            assert_eq!(answer(status, None, body).unwrap_err().disposition(), disposition, "{status} {body}");
        }
        assert_eq!(answer(404, None, "{}"), Ok(None));
    }

    #[test]
    fn a_vendor_that_asks_to_wait_is_heard() {
        for (header, seconds) in [("7", Some(Seconds(7))), ("Sun, 29 Nov 2026 01:00:00 GMT", None), ("-1", None)] {
            let error = answer(409, Some(header), "{}").unwrap_err();
            assert_eq!(error, VendorError::Unavailable { why: "HTTP 409 Conflict".to_owned(), retry_after: seconds });
        }
    }

    #[test]
    fn of_an_error_the_code_is_kept_and_not_the_words() {
        let echo = r#"{"error":{"type":"validation_error","message":"jane@example.com is taken"}}"#;
        assert_eq!(answer(422, None, echo), Err(VendorError::Refused("validation_error".to_owned())));
        let echo = r#"{"code":400,"description":"Jane Roe is no name"}"#;
        assert_eq!(answer(400, None, echo), Err(VendorError::Refused("400".to_owned())));
    }
}
