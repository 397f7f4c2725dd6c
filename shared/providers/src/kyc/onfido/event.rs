//! What Onfido's webhooks, runs and checks say; the rows of `statements.md`.

use domain::Timestamp;
use domain::input::Fault;
use serde_json::Value;

use crate::kyc::call::{is_plain, labels, text};
use crate::kyc::{Event, Outcome, Says};

/// What stands before the id of a check of the older interface in a reference; a run's id stands alone.
pub(super) const CHECK: &str = "check:";

/// Reads a delivery whose signature has been checked.
pub(super) fn read(body: &[u8]) -> Result<Event, Vec<Fault>> {
    let body = domain::json::parse(body)?;
    let missing = |pointer: &str| Fault::new(pointer, "missing", "A text is required.");
    let Some(kind) = text(&body, "/payload/action") else { return Err(vec![missing("/payload/action")]) };
    let id = |pointer| text(&body, pointer).filter(|id| is_plain(id)).map(str::to_owned);
    let (family, _) = kind.split_once('.').unwrap_or((kind, ""));
    let (reference, says) = match family {
        "workflow_run" => (id("/payload/object/id"), Says::Fetch),
        "check" => (id("/payload/object/id").map(|id| format!("{CHECK}{id}")), Says::Fetch),
        "workflow_task" => (id("/payload/object/workflow_run_id"), Says::Nothing("a task is a part of its run")),
        "report" => (None, Says::Nothing("a report is a part of its check")),
        _ => (None, Says::Nothing("it is about no check of ours")),
    };
    if says == Says::Fetch && reference.is_none() {
        return Err(vec![missing("/payload/object/id")]);
    }
    let time = ["/payload/object/completed_at_iso8601", "/payload/object/started_at_iso8601"];
    let at = time.into_iter().find_map(|pointer| text(&body, pointer)?.parse().ok()).unwrap_or(Timestamp::EPOCH);
    let (object, status) = (id("/payload/object/id"), text(&body, "/payload/object/status"));
    Ok(Event {
        id: format!("{}:{kind}:{}:{at}", object.unwrap_or_default(), status.unwrap_or_default()),
        reference: reference.unwrap_or_default(),
        ours: text(&body, "/payload/resource/customer_user_id").and_then(|id| id.parse().ok()),
        kind: kind.to_owned(),
        at,
        says,
    })
}

/// What a run says when asked for.
pub(super) fn of_run(run: &Value) -> Outcome {
    match text(run, "/status") {
        Some("approved") => Outcome::Approved,
        Some("declined") => Outcome::Final { labels: labels(run.get("reasons")) },
        Some("review") => Outcome::Review { labels: labels(run.get("reasons")) },
        Some("abandoned") => Outcome::Expired,
        Some("error") => Outcome::Broken,
        // `processing`, `awaiting_input`, and what there may be one day
        _ => Outcome::Pending,
    }
}

/// What a check of the older interface says when asked for. `consider` is no refusal: somebody has to consider it.
pub(super) fn of_check(check: &Value) -> Outcome {
    match (text(check, "/status"), text(check, "/result")) {
        (Some("complete"), Some("clear")) => Outcome::Approved,
        (Some("complete"), _) => Outcome::Review { labels: Vec::new() },
        (Some("withdrawn"), _) => Outcome::Expired,
        _ => Outcome::Pending,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::kyc::statements::tests::{rows, says as word, says_outcome};

    fn body(action: &str, status: &str) -> Value {
        let kind = action.split('.').next().unwrap();
        json!({"payload": {"resource_type": kind, "action": action, "object": {
            "id": "obj-1", "status": status, "workflow_run_id": "run-1", "completed_at_iso8601": "2026-11-29T01:02:03Z",
            "href": "https://attacker.example/v3.6/checks/obj-2",
        }}})
    }

    #[test]
    fn every_row_of_the_table_is_what_the_event_says() {
        for [action, status, wanted] in rows("onfido") {
            let event = read(body(&action, &status).to_string().as_bytes()).unwrap();
            assert_eq!(word(&event.says), wanted, "{action} {status}");
            let reference = match action.split('.').next().unwrap() {
                "workflow_run" => "obj-1",
                "check" => "check:obj-1",
                "workflow_task" => "run-1",
                _ => "",
            };
            assert_eq!(event.reference, reference, "{action}");
        }
    }

    #[test]
    fn every_row_of_the_table_is_what_a_run_or_check_says_when_asked_for() {
        for [kind, status, wanted] in rows("onfido asked") {
            let outcome = match kind.as_str() {
                "run" => of_run(&json!({"status": status, "reasons": ["new reason"]})),
                _ => match status.split_once(' ') {
                    Some((status, result)) => of_check(&json!({"status": status, "result": result})),
                    None => of_check(&json!({"status": status, "result": null})),
                },
            };
            assert_eq!(says_outcome(&outcome), wanted, "{kind} {status}");
            if let Outcome::Final { labels } = outcome {
                assert_eq!(labels.first().map(|label| label.as_str()), Some("new_reason"));
            }
        }
    }

    #[test]
    fn what_is_no_event_is_told_with_its_place() {
        let of = |action: &str, id: Value| json!({"payload": {"action": action, "object": {"id": id}}}).to_string();
        for (body, pointer) in [
            ("[".to_owned(), ""),
            ("{}".to_owned(), "/payload/action"),
            (of("check.completed", json!(null)), "/payload/object/id"),
            (of("workflow_run.completed", json!("../applicants")), "/payload/object/id"),
        ] {
            assert_eq!(read(body.as_bytes()).unwrap_err().first().unwrap().pointer, pointer, "{body}");
        }
        let other = read(of("audit_log.created", json!(null)).as_bytes()).unwrap();
        assert_eq!((other.reference.as_str(), other.at), ("", Timestamp::EPOCH));
    }
}
