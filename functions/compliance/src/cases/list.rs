//! `GET /v1/cases`: by priority, then due time.

use domain::compliance::{Case, CaseStatus, Watch};
use domain::entity::Entity as _;
use domain::words::Word as _;
use domain::{CaseId, ClientId, ClientWatchId};
use runtime::Problem;
use runtime::http::place::{ByPriority, cursor_of};
use runtime::http::{Reply, Request};
use serde_json::{Value, json};
use store::Crm;

use super::view::short;

/// Cases that one answer looks through for those that are asked for.
const LOOKED_THROUGH: i32 = 100;

/// Which cases are asked for.
struct Wanted<'a> {
    status: Option<CaseStatus>,
    scenario: Option<&'a str>,
}

impl Wanted<'_> {
    fn takes(&self, case: &Case) -> bool {
        let has = |scenario: &str| case.inner.alerts.iter().any(|alert| alert.scenario == scenario);
        self.status.is_none_or(|status| case.facts.status == status) && self.scenario.is_none_or(has)
    }
}

pub(super) async fn list(crm: &Crm, request: &Request) -> Result<Reply, Problem> {
    let (limit, after) = request.page::<ByPriority<CaseId>>()?;
    let named = |name: &str| request.query.get(name).map(String::as_str).filter(|value| !value.is_empty());
    let status = named("status").map(str::parse::<CaseStatus>).transpose();
    let words: Vec<&str> = CaseStatus::WORDS.iter().map(|word| word.text()).collect();
    let status = status.map_err(|_| Problem::malformed(format!("status must be one of {}", words.join(", "))))?;
    let wanted = Wanted { status, scenario: named("scenario") };
    if let Some(client) = named("client") {
        let cases = of_client(crm, client).await?;
        return Ok(page(cases.iter().filter(|case| wanted.takes(case)), None));
    }
    let narrowed = wanted.status.is_some() || wanted.scenario.is_some();
    let count = if narrowed { LOOKED_THROUGH } else { limit };
    let closed = wanted.status == Some(CaseStatus::Closed);
    let read = crm.cases(closed, count, after.as_ref().map(|place| place.rank.as_str())).await?;
    let found: Vec<Case> =
        read.items.into_iter().map(|stored| stored.entity).filter(|case| wanted.takes(case)).collect();
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let shown = found.get(..limit.min(found.len())).unwrap_or_default();
    let next =
        if found.len() > limit { shown.last().and_then(|case| case.rank()).map(|(_, rank)| rank) } else { read.next };
    Ok(page(shown.iter(), next))
}

/// All cases of a client, the oldest first.
async fn of_client(crm: &Crm, text: &str) -> Result<Vec<Case>, Problem> {
    let Ok(client) = text.parse::<ClientId>() else { return Ok(Vec::new()) };
    let watch = crm.load::<Watch>(&ClientWatchId::of(&client)).await?;
    let mut cases = Vec::new();
    for id in watch.iter().flat_map(|stored| &stored.entity.facts.cases) {
        cases.extend(crm.load::<Case>(id).await?.map(|stored| stored.entity));
    }
    Ok(cases)
}

fn page<'a>(cases: impl Iterator<Item = &'a Case>, next: Option<String>) -> Reply {
    let items: Vec<Value> = cases.map(short).collect();
    Reply::json(200, &json!({"items": items, "next_cursor": next.map(|rank| cursor_of(&rank))}))
}
