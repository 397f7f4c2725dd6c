//! What Sumsub's events and applicants say; the rows of `statements.md`.

use domain::input::Fault;
use domain::{Redacted, Timestamp};
use serde_json::Value;

use crate::kyc::call::{is_plain, labels, text};
use crate::kyc::{Event, Outcome, Says, Settings};

/// Longest text for a client that is kept, in characters.
const COMMENT_CHARS_MAX: usize = 1_000;

/// Reads a delivery whose signature has been checked.
pub(super) fn read(body: &[u8], settings: &Settings) -> Result<Event, Vec<Fault>> {
    let body = domain::json::parse(body)?;
    let kind = text(&body, "/type");
    let missing = |pointer: &str| Fault::new(pointer, "missing", "A text is required.");
    let Some(kind) = kind else { return Err(vec![missing("/type")]) };
    let reference = text(&body, "/applicantId").filter(|id| is_plain(id)).unwrap_or_default();
    let at = text(&body, "/createdAtMs").and_then(moment);
    let says = match says(kind, &body, settings) {
        Says::Nothing(why) => Says::Nothing(why),
        _ if reference.is_empty() => return Err(vec![missing("/applicantId")]),
        // without a time nobody could tell which of two events is the later one
        _ if at.is_none() => Says::Fetch,
        says => says,
    };
    let answer = text(&body, "/reviewResult/reviewAnswer").unwrap_or_default();
    let time = text(&body, "/createdAtMs").unwrap_or_default();
    Ok(Event {
        id: format!("{reference}:{kind}:{time}:{answer}"),
        reference: reference.to_owned(),
        ours: text(&body, "/externalUserId").and_then(|id| id.parse().ok()),
        kind: kind.to_owned(),
        at: at.unwrap_or(Timestamp::EPOCH),
        says,
    })
}

/// What an event says.
fn says(kind: &str, body: &Value, settings: &Settings) -> Says {
    if body.get("sandboxMode").and_then(Value::as_bool) == Some(true) && !settings.sandbox {
        return Says::Nothing("it is of the vendor's sandbox");
    }
    match kind {
        "applicantReviewed" => reviewed(body, settings),
        // a review's answer stands in these too while another one is under way
        "applicantCreated"
        | "applicantPending"
        | "applicantPrechecked"
        | "applicantAwaitingUser"
        | "applicantAwaitingService" => Says::Outcome(Outcome::Pending),
        "applicantOnHold" => {
            Says::Outcome(Outcome::Review { labels: labels(body.pointer("/reviewResult/rejectLabels")) })
        }
        "applicantReset" | "applicantDeleted" | "applicantDeactivated" => Says::Outcome(Outcome::Revoked),
        "applicantTagsChanged" => Says::Nothing("tags decide nothing"),
        _ if kind.starts_with("applicantAction") => Says::Nothing("an action is no check of ours"),
        _ if kind.starts_with("videoIdent") => Says::Nothing("a call is a part of the check"),
        _ if kind.starts_with("applicant") => Says::Fetch,
        _ => Says::Nothing("it is about no applicant"),
    }
}

/// The end of a review. An approval has to say itself of which level it is, and that it is no test; a refusal counts without.
fn reviewed(body: &Value, settings: &Settings) -> Says {
    let Some(outcome) = result(body).filter(|_| text(body, "/reviewStatus") == Some("completed")) else {
        return Says::Fetch;
    };
    let level = text(body, "/levelName");
    let is_whole = level.is_some() && body.get("sandboxMode").is_some_and(Value::is_boolean);
    if outcome == Outcome::Approved && !is_whole {
        return Says::Fetch;
    }
    let outcome = of_level(outcome, level.unwrap_or(&settings.flow), settings);
    outcome.map_or(Says::Nothing("it is of another level"), Says::Outcome)
}

/// Another level's refusal is not ours to follow, nor to pass over.
fn of_level(outcome: Outcome, level: &str, settings: &Settings) -> Option<Outcome> {
    match outcome {
        outcome if level == settings.flow => Some(outcome),
        Outcome::Retry { labels, .. } | Outcome::Final { labels } | Outcome::Review { labels } => {
            Some(Outcome::Review { labels })
        }
        Outcome::Approved | Outcome::Pending | Outcome::Expired | Outcome::Revoked | Outcome::Broken => None,
    }
}

/// What a review's result says: its own member tells whether the client may try again, never a label. `None` where it has no answer.
fn result(of: &Value) -> Option<Outcome> {
    let labels = labels(of.pointer("/reviewResult/rejectLabels"));
    match text(of, "/reviewResult/reviewAnswer")? {
        "GREEN" => Some(Outcome::Approved),
        "RED" => Some(match text(of, "/reviewResult/reviewRejectType") {
            Some("RETRY") => Outcome::Retry { for_client: for_client(of), labels },
            Some("FINAL") => Outcome::Final { labels },
            _ => Outcome::Review { labels },
        }),
        _ => None,
    }
}

/// `moderationComment` is meant for the client; `clientComment`, in spite of its name, is for us.
fn for_client(of: &Value) -> Vec<Redacted<String>> {
    let comment = text(of, "/reviewResult/moderationComment").map(str::trim).filter(|text| !text.is_empty());
    let cut = |text: &str| Redacted::new(text.chars().take(COMMENT_CHARS_MAX).collect());
    comment.map(cut).into_iter().collect()
}

/// Where an applicant stands, as it is given when asked for. Our token belongs to the sandbox or does not, and so do its applicants.
pub(super) fn standing(applicant: &Value, settings: &Settings) -> Outcome {
    if applicant.get("deleted").and_then(Value::as_bool) == Some(true) {
        return Outcome::Revoked;
    }
    let Some(review) = applicant.get("review") else { return Outcome::Pending };
    match text(review, "/reviewStatus") {
        Some("completed") => {
            let level = text(review, "/levelName").unwrap_or_default();
            // an answer that nobody knows is a person's
            let outcome = result(review).unwrap_or(Outcome::Review { labels: Vec::new() });
            of_level(outcome, level, settings).unwrap_or(Outcome::Pending)
        }
        Some("onHold") => Outcome::Review { labels: labels(review.pointer("/reviewResult/rejectLabels")) },
        _ => Outcome::Pending,
    }
}

/// `2024-01-01 00:00:00.000`, in UTC.
fn moment(text: &str) -> Option<Timestamp> {
    let (date, time) = text.trim().split_once(' ')?;
    format!("{date}T{time}Z").parse().ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::kyc::statements::tests::{rows, says as word, says_outcome, settings};

    /// The row's second cell: status, answer and kind of refusal of the review, then what is odd about it.
    fn body(event: &str, status: &str) -> Value {
        let words = status.split(' ').filter(|word| !word.is_empty());
        let mut body = json!({
            "applicantId": "a1", "externalUserId": "cli_1", "levelName": "basic-kyc", "type": event, "sandboxMode": false,
            "createdAtMs": "2026-11-29 01:02:03.456", "reviewResult": {"rejectLabels": ["NEW_LABEL"]},
        });
        for word in words {
            match word {
                "GREEN" | "RED" | "YELLOW" => body["reviewResult"]["reviewAnswer"] = json!(word),
                "RETRY" | "FINAL" | "LATER" => body["reviewResult"]["reviewRejectType"] = json!(word),
                "other-level" => body["levelName"] = json!("another"),
                "no-level" => drop(body.as_object_mut().unwrap().remove("levelName")),
                "sandbox" => body["sandboxMode"] = json!(true),
                "no-mode" => drop(body.as_object_mut().unwrap().remove("sandboxMode")),
                "no-time" => drop(body.as_object_mut().unwrap().remove("createdAtMs")),
                status => body["reviewStatus"] = json!(status),
            }
        }
        body
    }

    #[test]
    fn every_row_of_the_table_is_what_the_event_says() {
        for [event, status, wanted] in rows("sumsub") {
            let read = read(body(&event, &status).to_string().as_bytes(), &settings("basic-kyc")).unwrap();
            assert_eq!(word(&read.says), wanted, "{event} {status}");
            assert_eq!(read.ours.unwrap().as_str(), "cli_1");
            if let Says::Outcome(Outcome::Retry { labels, .. } | Outcome::Final { labels }) = read.says {
                assert_eq!(labels.first().map(|label| label.as_str()), Some("NEW_LABEL"));
            }
        }
    }

    #[test]
    fn every_row_of_the_table_is_what_an_applicant_says_when_asked_for() {
        for [_, status, wanted] in rows("sumsub asked") {
            let mut review = body("", &status);
            review.as_object_mut().unwrap().remove("type");
            let deleted = status == "deleted";
            let applicant = json!({"id": "a1", "deleted": deleted, "review": review});
            assert_eq!(says_outcome(&standing(&applicant, &settings("basic-kyc"))), wanted, "{status}");
        }
        assert_eq!(standing(&json!({"id": "a1"}), &settings("basic-kyc")), Outcome::Pending);
    }

    #[test]
    fn the_sandbox_counts_where_it_is_let_in() {
        let mut settings = settings("basic-kyc");
        settings.sandbox = true;
        let says = says("applicantReviewed", &body("applicantReviewed", "completed GREEN sandbox"), &settings);
        assert_eq!(says, Says::Outcome(Outcome::Approved));
    }

    #[test]
    fn only_the_text_for_the_client_is_kept() {
        let mut body = body("applicantReviewed", "completed RED RETRY");
        body["reviewResult"]["moderationComment"] = json!(" Please take the photo again. ");
        body["reviewResult"]["clientComment"] = json!("looks like a known forger");
        let read = read(body.to_string().as_bytes(), &settings("basic-kyc")).unwrap();
        let Says::Outcome(Outcome::Retry { for_client, .. }) = read.says else { panic!("{read:?}") };
        let texts: Vec<_> = for_client.iter().map(|text| text.reveal().as_str()).collect();
        assert_eq!(texts, ["Please take the photo again."]);
        assert_eq!(read.at.to_string(), "2026-11-29T01:02:03.456Z");
    }

    #[test]
    fn a_repeat_has_the_same_id_and_another_answer_another_one() {
        let id = |status: &str, time: &str| {
            let mut body = body("applicantReviewed", status);
            body["createdAtMs"] = json!(time);
            read(body.to_string().as_bytes(), &settings("basic-kyc")).unwrap().id
        };
        let first = id("completed GREEN", "2026-11-29 01:02:03.456");
        assert_eq!(id("completed GREEN", "2026-11-29 01:02:03.456"), first);
        assert_ne!(id("completed RED FINAL", "2026-11-29 01:02:03.456"), first);
        assert_ne!(id("completed GREEN", "2026-11-29 01:02:03.457"), first);
    }

    #[test]
    fn what_is_no_event_is_told_with_its_place() {
        let settings = settings("basic-kyc");
        for (body, pointer) in [
            ("[", ""),
            ("{}", "/type"),
            (r#"{"type":"applicantReviewed"}"#, "/applicantId"),
            (r#"{"type":"applicantReviewed","applicantId":"../x"}"#, "/applicantId"),
            (r#"{"type":"applicantReviewed","type":"x"}"#, "/type"),
        ] {
            let faults = read(body.as_bytes(), &settings).unwrap_err();
            assert_eq!(faults.first().unwrap().pointer, pointer, "{body}");
        }
        let other = read(br#"{"type":"caseCreated"}"#, &settings).unwrap();
        assert_eq!(other.says, Says::Nothing("it is about no applicant"));
    }
}
