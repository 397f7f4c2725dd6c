//! What Veriff's webhooks and decisions say; the rows of `statements.md`.

use domain::Timestamp;
use domain::input::Fault;
use serde_json::Value;

use crate::kyc::call::{is_plain, text};
use crate::kyc::{Event, Label, Outcome, Says};

/// Reads a delivery whose signature has been checked: a decision, or something that the client did.
pub(super) fn read(body: &[u8]) -> Result<Event, Vec<Fault>> {
    let body = domain::json::parse(body)?;
    match (body.get("verification"), text(&body, "/action")) {
        (Some(verification), _) if verification.is_object() => decided(&body, verification),
        (_, Some(action)) => happened(&body, action),
        // other products send to addresses of their own
        _ => Ok(event("", "other", &body, Timestamp::EPOCH, Says::Nothing("it is neither a decision nor an event"))),
    }
}

fn event(reference: &str, kind: &str, of: &Value, at: Timestamp, says: Says) -> Event {
    let attempt = text(of, "/attemptId").unwrap_or_default();
    Event {
        id: format!("{reference}:{attempt}:{kind}:{at}"),
        reference: reference.to_owned(),
        ours: text(of, "/vendorData").and_then(|id| id.parse().ok()),
        kind: kind.to_owned(),
        at,
        says,
    }
}

fn reference<'a>(of: &'a Value, pointer: &str) -> Result<&'a str, Vec<Fault>> {
    let id = text(of, "/id").filter(|id| is_plain(id));
    id.ok_or_else(|| vec![Fault::new(pointer, "missing", "A text is required.")])
}

fn decided(body: &Value, verification: &Value) -> Result<Event, Vec<Fault>> {
    let reference = reference(verification, "/verification/id")?;
    let kind = text(verification, "/status").unwrap_or("decision");
    // a session that ended without a decision has no time of one: then nobody could tell what came first
    let at: Option<Timestamp> = text(verification, "/decisionTime").and_then(|at| at.parse().ok());
    let is_success = text(body, "/status") == Some("success");
    let says = match outcome(verification) {
        Some(outcome) if is_success && at.is_some() => Says::Outcome(outcome),
        _ => Says::Fetch,
    };
    Ok(event(reference, kind, verification, at.unwrap_or(Timestamp::EPOCH), says))
}

/// The client opened the session or sent everything in. The vendor tells no time of it.
fn happened(body: &Value, action: &str) -> Result<Event, Vec<Fault>> {
    let reference = reference(body, "/id")?;
    let says = match action {
        "started" | "submitted" => Says::Outcome(Outcome::Pending),
        _ => Says::Fetch,
    };
    Ok(event(reference, action, body, Timestamp::EPOCH, says))
}

/// What a verification says; `None` where status and code are none that belong together.
pub(super) fn outcome(verification: &Value) -> Option<Outcome> {
    let code = verification.get("code").and_then(Value::as_i64)?;
    let labels = reason(verification).into_iter().collect();
    match (text(verification, "/status")?, code) {
        ("approved", 9001) => Some(Outcome::Approved),
        ("declined", 9102) => Some(Outcome::Final { labels }),
        // the vendor's `reason` is not said to be for the client
        ("resubmission_requested", 9103) => Some(Outcome::Retry { for_client: Vec::new(), labels }),
        ("expired" | "abandoned", 9104) => Some(Outcome::Expired),
        ("review", 9121) => Some(Outcome::Review { labels }),
        _ => None,
    }
}

fn reason(verification: &Value) -> Option<Label> {
    match verification.get("reasonCode")? {
        Value::Number(number) => Label::of(&number.to_string()),
        Value::String(text) => Label::of(text),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::kyc::statements::tests::{rows, says as word, says_outcome};

    /// The row's second cell: the code, and what is odd about it.
    fn verification(status: &str, more: &str) -> Value {
        let mut verification = json!({
            "id": "ses-1", "attemptId": "att-1", "vendorData": "cli_1", "status": status, "reasonCode": 101,
            "reason": "Free text", "decisionTime": "2026-11-29T01:02:03.456Z", "acceptanceTime": "2026-11-20T01:02:03Z",
        });
        for word in more.split(' ').filter(|word| !word.is_empty()) {
            match word.parse::<i64>() {
                Ok(code) => verification["code"] = json!(code),
                Err(_) => verification["decisionTime"] = Value::Null,
            }
        }
        verification
    }

    #[test]
    fn every_row_of_the_table_is_what_the_event_says() {
        for [kind, more, wanted] in rows("veriff") {
            let body = match kind.split_once(' ') {
                Some(("event", action)) => {
                    json!({"id": "ses-1", "attemptId": "att-1", "feature": "selfid", "code": 7001, "action": action,
                           "vendorData": "cli_1"})
                }
                _ => json!({"status": "success", "verification": verification(&kind, &more)}),
            };
            let event = read(body.to_string().as_bytes()).unwrap();
            assert_eq!(word(&event.says), wanted, "{kind} {more}");
            assert_eq!((event.reference.as_str(), event.ours.unwrap().as_str()), ("ses-1", "cli_1"));
            if let Says::Outcome(Outcome::Retry { labels, for_client }) = event.says {
                assert_eq!((labels.first().map(|label| label.as_str()), for_client.len()), (Some("101"), 0));
            }
        }
    }

    #[test]
    fn every_row_of_the_table_is_what_a_session_says_when_asked_for() {
        for [status, more, wanted] in rows("veriff asked") {
            let outcome = super::super::api::standing(&verification(&status, &more));
            assert_eq!(says_outcome(&outcome), wanted, "{status} {more}");
        }
        assert_eq!(super::super::api::standing(&Value::Null), Outcome::Pending);
    }

    #[test]
    fn an_attempt_has_an_id_of_its_own_and_a_repeat_has_not() {
        let id = |attempt: &str, code: &str| {
            let mut verification = verification("resubmission_requested", code);
            verification["attemptId"] = json!(attempt);
            read(json!({"status": "success", "verification": verification}).to_string().as_bytes()).unwrap().id
        };
        assert_eq!(id("a", "9103"), id("a", "9103"));
        assert_ne!(id("a", "9103"), id("b", "9103"));
    }

    #[test]
    fn what_is_no_event_is_told_with_its_place() {
        for (body, pointer) in [
            ("[", ""),
            (r#"{"verification":{"id":""}}"#, "/verification/id"),
            (r#"{"action":"started"}"#, "/id"),
            (r#"{"action":"started","id":"../x"}"#, "/id"),
        ] {
            assert_eq!(read(body.as_bytes()).unwrap_err().first().unwrap().pointer, pointer, "{body}");
        }
        let failed = json!({"status": "fail", "verification": verification("approved", "9001")}).to_string();
        assert_eq!(read(failed.as_bytes()).unwrap().says, Says::Fetch);
        let screening = read(br#"{"checkType":"initial_result","matchStatus":"possible_match"}"#).unwrap();
        assert_eq!(word(&screening.says), "nothing");
    }
}
