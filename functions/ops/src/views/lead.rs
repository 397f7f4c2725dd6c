//! `GET /v1/leads/{lead_id}`: where a lead is, and why.

use domain::LeadId;
use domain::lead::{Lead, LeadStatus};
use runtime::auth::Role;
use runtime::http::{Reply, Request};
use runtime::{Caller, Problem};
use serde_json::{Value, json};
use store::Crm;

/// Who may see leads: they are people, so not every desk does.
pub(super) const READERS: &[Role] = &[Role::Portal, Role::Sales, Role::Admin];

/// Who sees how later forms name whoever sent them: these may be other people, and the portal may show a lead to its person.
const CALLERS: &[Role] = &[Role::Sales, Role::Admin];

pub(super) async fn view(crm: &Crm, request: &Request, caller: &Caller) -> Result<Reply, Problem> {
    let id: LeadId = request.id("lead_id")?;
    let missing = || Problem::not_found("there is no such lead");
    let lead = crm.load::<Lead>(&id).await?.ok_or_else(missing)?.entity;
    let calls = caller.require(CALLERS).is_ok();
    let Some(first) = &lead.facts.duplicate_of else { return Ok(Reply::json(200, &lead_view(&lead, calls))) };
    // a form that joined an earlier lead is shown as that lead, under its own id
    let joined = crm.load::<Lead>(first).await?.ok_or_else(missing)?.entity;
    let mut view = lead_view(&joined, calls);
    if let Some(object) = view.as_object_mut() {
        object.insert("lead_id".to_owned(), json!(id));
        object.insert("status".to_owned(), json!(LeadStatus::Duplicate));
        object.insert("duplicate_of".to_owned(), json!(first));
        object.insert("status_of_first".to_owned(), json!(joined.facts.status));
    }
    Ok(Reply::json(200, &view))
}

fn lead_view(lead: &Lead, calls: bool) -> Value {
    let mut view = json!(lead.facts);
    let Some(object) = view.as_object_mut() else { return view };
    // what only the automation needs
    for inner in ["to_route", "scored"] {
        object.remove(inner);
    }
    let scored = lead.facts.scored.as_ref();
    object.insert("lead_id".to_owned(), json!(lead.id));
    object.insert("score".to_owned(), json!(scored.map(|scored| scored.score)));
    object.insert("band".to_owned(), json!(scored.map(|scored| &scored.band)));
    object.insert("scored_at".to_owned(), json!(scored.map(|scored| scored.at)));
    let person = &lead.person;
    object.insert("email".to_owned(), json!(person.email));
    // whoever calls sees what was given, readable or not
    object.insert("phone".to_owned(), json!(person.phone.as_ref().or(person.phone_as_given.as_ref())));
    object.insert("phone_as_given".to_owned(), json!(person.phone_as_given));
    object.insert("full_name".to_owned(), json!(person.full_name));
    object.insert("profile".to_owned(), json!(person.profile));
    if person.profile_left_out > 0 {
        object.insert("profile_left_out".to_owned(), json!(person.profile_left_out));
    }
    if calls && !person.later.is_empty() {
        object.insert("later_forms".to_owned(), json!(person.later));
    }
    object.insert("history".to_owned(), json!(person.history));
    object.insert("why".to_owned(), json!(why(lead)));
    view
}

/// Why it is where it is, line by line: its score, the rules that were asked, and every agent who could have got it.
fn why(lead: &Lead) -> Vec<Value> {
    let mut lines = Vec::new();
    if let Some(scored) = &lead.facts.scored {
        let text = format!("score {} ({}): {}", scored.score, scored.band, scored.parts.join(", "));
        lines.push(json!({"step": "score", "text": text}));
    }
    let routing = &lead.person.routing;
    lines.extend(routing.rules.iter().map(|text| json!({"step": "rule", "text": text})));
    lines.extend(routing.candidates.iter().map(|candidate| {
        let standing = candidate.standing;
        let detail = if candidate.detail.is_empty() { String::new() } else { format!(": {}", candidate.detail) };
        json!({
            "step": "agent", "agent_id": candidate.agent_id, "pool_id": candidate.pool_id, "standing": standing,
            "text": format!("{} {standing}{detail}", candidate.agent_id.name()),
        })
    }));
    lines
}
