//! A case as officers see it.

use domain::Timestamp;
use domain::compliance::{Case, CountryLists, Watch, pattern};
use domain::{CaseId, ClientWatchId};
use runtime::Problem;
use serde_json::{Map, Value, json};

use super::Cases;
use crate::known::known;

/// A line of the list.
pub(super) fn short(case: &Case) -> Value {
    let facts = &case.facts;
    let mut view = json!({
        "case_id": case.id, "client_id": case.client_id, "status": facts.status, "priority": facts.priority,
        "score": facts.score, "due_at": facts.due_at, "opened_at": facts.opened_at, "scenarios": facts.scenarios,
        "alert_count": facts.alerts, "jurisdiction": facts.jurisdiction,
    });
    if let Some(object) = view.as_object_mut() {
        object.extend(facts.owner.iter().map(|owner| ("owner".to_owned(), json!(owner))));
        object.extend(facts.escalated_at.iter().map(|at| ("escalated_at".to_owned(), json!(at))));
    }
    view
}

/// All of it, with what is normal for the client and what can be done.
pub(super) async fn whole(step: &Cases, case: &Case, now: Timestamp) -> Result<Value, Problem> {
    let lists = step.rules.live::<CountryLists>().await?;
    let known = known(&step.crm, &case.client_id).await?;
    let history = step.trades.history(&case.client_id, now.minus(pattern::LOOK_BACK), now).await?;
    let normal = pattern::pattern(&history, &known.about, &lists.rules, now);
    let watch = step.crm.load::<Watch>(&ClientWatchId::of(&case.client_id)).await?.map(|stored| stored.entity);
    let facts = &case.facts;
    let options: Vec<Value> =
        case.options().into_iter().map(|action| json!({"action": action, "label": action.label()})).collect();
    let mut view = short(case);
    let mut add = Map::new();
    add.insert("alerts".to_owned(), json!(case.inner.alerts));
    add.insert("reasons".to_owned(), json!(case.inner.reasons));
    add.insert("normal_pattern".to_owned(), json!(normal));
    add.insert("client".to_owned(), client(&known));
    add.insert("options".to_owned(), json!(options));
    add.insert("history".to_owned(), json!(case.inner.history));
    add.insert("reports".to_owned(), json!(facts.reports));
    add.insert("earlier_cases".to_owned(), json!(earlier(watch.as_ref(), &case.id)));
    add.insert("snoozes".to_owned(), json!(watch.map(|watch| watch.inner.snoozes).unwrap_or_default()));
    if let Some(proposal) = &facts.proposal {
        add.insert(
            "proposal".to_owned(),
            json!({"outcome": proposal.outcome, "by": proposal.by, "at": proposal.at, "reason": case.inner.reason}),
        );
    }
    if let Some(closed) = &facts.closed {
        add.insert("outcome".to_owned(), json!(closed.outcome));
        add.insert(
            "closed".to_owned(),
            json!({"by": closed.by, "approved_by": closed.approved_by, "at": closed.at, "reason": case.inner.reason}),
        );
    }
    if let Some(object) = view.as_object_mut() {
        object.extend(add);
    }
    Ok(view)
}

fn client(known: &crate::known::Known) -> Value {
    let about = &known.about;
    let status = known.kyc.as_ref().map(|case| case.facts.status);
    json!({
        "residence": about.residence.code(), "nationality": about.nationality.code(), "entity": about.entity,
        "since": about.since, "risk_band": about.risk_band, "pep": about.pep, "kyc": status,
    })
}

fn earlier(watch: Option<&Watch>, own: &CaseId) -> Vec<CaseId> {
    let all = watch.map(|watch| watch.facts.cases.clone()).unwrap_or_default();
    all.into_iter().filter(|id| id != own).collect()
}
