//! What a person asks for, as it is sent, and how a client is asked for documents: in the words in which everybody is.

use domain::client::Client;
use domain::compliance::{Case, CaseOutcome, CaseRequest};
use domain::decision::derived_bits;
use domain::input::{Fault, Reader};
use domain::notification::rules::{Channel, Notifications};
use domain::notification::{Fillings, plan};
use domain::{Day, NotificationId};
use runtime::http::Request;
use runtime::{Problem, StepError};
use serde_json::Value;
use store::Notification;

use super::{Cases, absent};

/// Longest reason, in characters.
const REASON_MAX: usize = 2_000;
/// Whose words are used: the routine's, which says nothing of a case.
const ROUTINE: &str = "kyc.documents_requested";

/// Reads an action.
///
/// # Errors
/// Every fault at once.
pub(super) fn request(body: &Value) -> Result<CaseRequest, Vec<Fault>> {
    let mut reader = Reader::new(body);
    let action = reader.word("action");
    let reason = reader.optional_string("reason").map(str::to_owned);
    let until = reader.optional_time("until");
    let scenario = reader.optional_string("scenario").map(str::to_owned);
    let outcome = reader.optional_word::<CaseOutcome>("outcome");
    let length = reason.as_ref().map_or(0, |reason| reason.chars().count());
    if length > REASON_MAX {
        reader.fault(Fault::new("/reason", "too_long", format!("must have at most {REASON_MAX} characters")));
    }
    let faults = reader.finish();
    match action {
        Some(action) if faults.is_empty() => Ok(CaseRequest { action, reason, until, scenario, outcome }),
        _ => Err(faults),
    }
}

pub(super) fn missing(name: &'static str) -> Fault {
    Fault::new(format!("/{name}"), "missing", format!("`{name}` is needed for this action"))
}

pub(super) fn until_out_of_range() -> Fault {
    Fault::new("/until", "out_of_range", "must be after now, and at most 180 days")
}

pub(super) fn unknown_scenario(known: Vec<String>) -> Fault {
    Fault::new("/scenario", "unknown_value", "the case has no alert of this scenario").allowing(known)
}

/// Asks the client for documents, once a day at most, in the portal; the rules that gave the words.
///
/// # Errors
/// Those of rules and store.
pub(super) async fn client(step: &Cases, case: &Case, request: &Request) -> Result<String, Problem> {
    let live = step.rules.live::<Notifications>().await?;
    let client = step.crm.load_settled::<Client>(&case.client_id).await?.ok_or_else(absent)?.entity;
    let fillings = Fillings::new()
        .with("kyc_id", domain::KycCaseId::of(&client.id).to_string())
        .with("client_id", client.id.to_string())
        .with("at", request.now.to_string());
    let planned = plan(ROUTINE, &fillings, &client.facts.language, &live.rules)
        .map_err(|error| StepError::Rules { set: "notifications", what: error.to_string() })?;
    let in_app = planned.into_iter().find(|message| message.channel == Channel::InApp);
    let Some(message) = in_app else {
        let what = format!("nobody is told of {ROUTINE} in the portal");
        return Err(StepError::Rules { set: "notifications", what }.into());
    };
    let day = Day::of(request.now).to_string();
    let id = NotificationId::from_bits(derived_bits(request.now, &["documents", client.id.as_str(), &day]));
    let record = Notification {
        id,
        at: request.now,
        kind: ROUTINE.to_owned(),
        title: message.title.unwrap_or_default(),
        body: message.body,
        language: message.language,
        in_app: true,
        read: false,
    };
    step.crm.begin_notification(client.id.as_str(), &record, &request.execution_id, request.now).await?;
    Ok(live.label())
}
