//! Error codes of the web services and what each says about a call.

use ::http::{Response, StatusCode};
use bytes::Bytes;
use serde_json::Value;

use crate::platforms::call::Effect;
use crate::platforms::{PlatformError, json};

/// Code of an account that is not there.
pub(super) const NO_TRADER: &str = "TRADER_NOT_FOUND";

/// What an account that is linked already is refused with; the server's own word for it is not documented.
pub(super) const ALREADY_LINKED: &str = "ALREADY_LINKED";

/// Whether the manager was not let in, so that the call was not looked at: by a token that died, or without the right to it.
pub(super) fn is_denied(response: &Response<Bytes>) -> bool {
    let of_status = matches!(response.status().as_u16(), 401 | 403 | 410 | 417);
    let words = ["NOT_ENOUGH_RIGHTS", "CH_CLIENT_AUTH_FAILURE", "CID_TOKEN_EXPIRED", "CID_NON_EXISTED_TOKEN"];
    of_status || code_of(response).is_some_and(|code| words.contains(&code.as_str()))
}

/// What an answer that is no success says about its call.
pub(super) fn failed(response: &Response<Bytes>, effect: Effect) -> PlatformError {
    let status = response.status();
    match code_of(response) {
        Some(code) => of_code(&code, status, effect),
        None if is_denied(response) => {
            PlatformError::Misconfigured(format!("HTTP {status}: the manager is not let in"))
        }
        None if status == StatusCode::TOO_MANY_REQUESTS => PlatformError::NotApplied(format!("HTTP {status}")),
        None if matches!(status.as_u16(), 300..=399 | 404 | 405) => {
            PlatformError::Misconfigured(format!("HTTP {status}: this is not the platform's API"))
        }
        None => effect.unsure(format!("HTTP {status}")),
    }
}

/// What is said instead of a token.
pub(super) fn no_token(response: &Response<Bytes>) -> PlatformError {
    let status = response.status();
    let code = code_of(response);
    // no more than the manager's number and password were sent
    if code.as_deref() == Some("INVALID_REQUEST") || is_denied(response) {
        return PlatformError::Misconfigured(format!("HTTP {status}: the manager gets no token"));
    }
    failed(response, Effect::Read)
}

/// Codes that a server gives before it touches its data are certainly-not-applied. A code that is not listed may come after.
fn of_code(code: &str, status: StatusCode, effect: Effect) -> PlatformError {
    match code {
        "INVALID_REQUEST"
        | NO_TRADER
        | "NOT_ENOUGH_MONEY"
        | "CHANGE_BALANCE_BAD_AMOUNT"
        | "CHANGE_BONUS_BAD_AMOUNT"
        | "WRONG_LEVERAGE"
        | "WRONG_PASSWORD"
        | "TRADER_HAS_POSITIONS" => PlatformError::Refused { code: code.to_owned(), message: format!("HTTP {status}") },
        "NOT_ENOUGH_RIGHTS"
        | "CH_BROKER_NOT_FOUND"
        | "CH_CLIENT_AUTH_FAILURE"
        | "CH_INSUFFICIENT_PERMISSIONS"
        | "CID_TOKEN_EXPIRED"
        | "CID_NON_EXISTED_TOKEN"
        | "TRADER_GROUP_NOT_FOUND"
        | "UNKNOWN_DEPOSIT_CURRENCY"
        | "DEPOSIT_CURRENCY_NOT_ALLOWED" => PlatformError::Misconfigured(format!("{code} is its error code")),
        "REQUEST_FREQUENCY_EXCEEDED" => PlatformError::NotApplied(format!("{code} is its error code")),
        _ if code.contains("ALREADY") && code.contains("LINK") => {
            PlatformError::Refused { code: ALREADY_LINKED.to_owned(), message: format!("HTTP {status}") }
        }
        // UNKNOWN_ERROR, and whatever there is besides; its words are not repeated, for they are not known to be a code
        _ => effect.unsure(format!("HTTP {status}: an error that says nothing about what was done")),
    }
}

fn code_of(response: &Response<Bytes>) -> Option<String> {
    let body: Value = serde_json::from_slice(response.body()).ok()?;
    json::text(&body, "errorCode").or_else(|| json::text(body.get("error")?, "errorCode"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn answer(status: u16, body: &str) -> Response<Bytes> {
        Response::builder().status(status).body(Bytes::from(body.to_owned())).unwrap()
    }

    fn says(error: &PlatformError) -> &'static str {
        match error {
            PlatformError::Refused { .. } => "refused",
            PlatformError::NotApplied(_) => "not applied",
            PlatformError::Unknown(_) => "unknown",
            PlatformError::Misconfigured(_) => "misconfigured",
        }
    }

    #[test]
    fn every_code_says_what_may_have_happened() {
        // Code, of a read, of a write.
        let cases: &[(&[&str], &str, &str)] = &[
            (
                &["INVALID_REQUEST", "TRADER_NOT_FOUND", "NOT_ENOUGH_MONEY", "CHANGE_BALANCE_BAD_AMOUNT"],
                "refused",
                "refused",
            ),
            (
                &["CHANGE_BONUS_BAD_AMOUNT", "WRONG_LEVERAGE", "WRONG_PASSWORD", "TRADER_HAS_POSITIONS"],
                "refused",
                "refused",
            ),
            (&["NOT_ENOUGH_RIGHTS", "CH_BROKER_NOT_FOUND", "TRADER_GROUP_NOT_FOUND"], "misconfigured", "misconfigured"),
            (&["UNKNOWN_DEPOSIT_CURRENCY", "DEPOSIT_CURRENCY_NOT_ALLOWED"], "misconfigured", "misconfigured"),
            (&["CH_CLIENT_AUTH_FAILURE", "CH_INSUFFICIENT_PERMISSIONS"], "misconfigured", "misconfigured"),
            (&["CID_TOKEN_EXPIRED", "CID_NON_EXISTED_TOKEN"], "misconfigured", "misconfigured"),
            (&["REQUEST_FREQUENCY_EXCEEDED"], "not applied", "not applied"),
            (&["TRADER_ALREADY_LINKED", "ALREADY_LINKED"], "refused", "refused"),
            (&["UNKNOWN_ERROR", "SOMETHING_NEW", ""], "not applied", "unknown"),
        ];
        for (codes, read, write) in cases {
            for code in *codes {
                for body in [json!({"errorCode": code, "description": "x"}), json!({"error": {"errorCode": code}})] {
                    let response = answer(400, &body.to_string());
                    assert_eq!(says(&failed(&response, Effect::Read)), *read, "read {code}");
                    assert_eq!(says(&failed(&response, Effect::Write)), *write, "write {code}");
                }
            }
        }
    }

    #[test]
    fn an_answer_without_a_code_says_what_its_status_does() {
        for (status, read, write) in [
            (500, "not applied", "unknown"),
            (502, "not applied", "unknown"),
            (400, "not applied", "unknown"),
            (401, "misconfigured", "misconfigured"),
            (403, "misconfigured", "misconfigured"),
            (404, "misconfigured", "misconfigured"),
            (302, "misconfigured", "misconfigured"),
            (429, "not applied", "not applied"),
        ] {
            for body in ["", "<html>", "[1]", "{\"errorCode\""] {
                assert_eq!(says(&failed(&answer(status, body), Effect::Read)), read, "read {status} {body}");
                assert_eq!(says(&failed(&answer(status, body), Effect::Write)), write, "write {status} {body}");
            }
        }
    }

    #[test]
    fn words_of_the_server_stand_in_no_error() {
        let secret = json!({"errorCode": "jane@example.com", "description": "Jane Doe"}).to_string();
        for effect in [Effect::Read, Effect::Write] {
            let text = format!("{:?}", failed(&answer(400, &secret), effect));
            assert!(!text.to_lowercase().contains("jane"), "{text}");
        }
    }
}
