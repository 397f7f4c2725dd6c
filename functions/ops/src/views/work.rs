//! `GET /v1/work`: what waits for a person, over all queues by priority and due time.

use domain::WorkId;
use domain::entity::Entity as _;
use domain::work::rules::Queue;
use domain::work::{WorkItem, WorkStatus};
use runtime::auth::Role;
use runtime::http::place::{ByPriority, cursor_of};
use runtime::http::{Reply, Request};
use runtime::{Caller, Problem};
use serde_json::{Value, json};
use store::Crm;

/// What a work item may be.
pub(crate) const STATUSES: [&str; 4] = ["open", "claimed", "proposed", "resolved"];
/// Items of a queue that one answer looks through for those that are asked for.
const LOOKED_THROUGH: i32 = 100;

/// Which items are asked for.
struct Wanted<'a> {
    status: Option<&'a str>,
    owner: Option<&'a str>,
    /// Whether what compliance alone may know of is shown.
    secrets: bool,
}

impl Wanted<'_> {
    fn takes(&self, item: &WorkItem) -> bool {
        (self.secrets || !item.is_secret())
            && self.owner.is_none_or(|owner| item.facts.owner.as_deref() == Some(owner))
            && self.status.is_none_or(|status| item.facts.status.as_str() == status)
    }
}

pub(super) async fn view(crm: &Crm, request: &Request, caller: &Caller) -> Result<Reply, Problem> {
    let (limit, after) = request.page::<ByPriority<WorkId>>()?;
    let named = |name: &str| request.query.get(name).map(String::as_str).filter(|value| !value.is_empty());
    let secrets = caller.require(&[Role::Compliance]).is_ok();
    let wanted = Wanted { status: named("status"), owner: named("owner"), secrets };
    if wanted.status.is_some_and(|status| !STATUSES.contains(&status)) {
        return Err(Problem::malformed("status must be open, claimed, proposed or resolved"));
    }
    let all: Vec<&str> = Queue::ALL.iter().map(|queue| queue.as_str()).collect();
    let queues: Vec<&str> = match named("queue") {
        Some(queue) if all.contains(&queue) => vec![queue],
        Some(_) => return Err(Problem::malformed(format!("queue must be one of {}", all.join(", ")))),
        None => all,
    };
    let after = after.as_ref().map(|place| place.rank.as_str());
    let (items, next) = listed(crm, &queues, &wanted, limit, after).await?;
    let next = next.map(|rank| cursor_of(&rank));
    Ok(super::list(items.iter().map(work_view).collect(), next))
}

/// One page of several queues in one order, and the rank from which the next goes on.
async fn listed(
    crm: &Crm,
    queues: &[&str],
    wanted: &Wanted<'_>,
    limit: i32,
    after: Option<&str>,
) -> Result<(Vec<WorkItem>, Option<String>), Problem> {
    let resolved = wanted.status == Some("resolved");
    let narrowed = wanted.status.is_some() || wanted.owner.is_some();
    let mut found: Vec<(String, WorkItem)> = Vec::new();
    // as far as every queue was read: what ranks after it may not be all there is
    let mut horizon: Option<String> = None;
    for queue in queues {
        let page = crm.work(queue, resolved, if narrowed { LOOKED_THROUGH } else { limit }, after).await?;
        for item in page.items.into_iter().map(|stored| stored.entity).filter(|item| wanted.takes(item)) {
            if let Some((_, rank)) = item.rank() {
                found.push((rank, item));
            }
        }
        if let Some(read_to) = page.next {
            horizon = Some(horizon.map_or_else(|| read_to.clone(), |least| least.min(read_to.clone())));
        }
    }
    found.retain(|(rank, _)| horizon.as_ref().is_none_or(|horizon| rank <= horizon));
    found.sort_by(|left, right| left.0.cmp(&right.0));
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let next =
        if found.len() > limit { found.get(limit.saturating_sub(1)).map(|(rank, _)| rank.clone()) } else { horizon };
    found.truncate(limit);
    Ok((found.into_iter().map(|(_, item)| item).collect(), next))
}

/// A work item as the API shows it.
pub(crate) fn work_view(item: &WorkItem) -> Value {
    let mut view = json!(item.facts);
    for made in ["decision", "proposal"] {
        if let Some(made) = view.get_mut(made).and_then(Value::as_object_mut) {
            made.extend(item.evidence().map(|evidence| ("evidence".to_owned(), json!(evidence))));
        }
    }
    if let Some(trigger) = view.get_mut("trigger").and_then(Value::as_object_mut) {
        trigger.extend(item.private.trigger.clone());
    }
    if let Some(object) = view.as_object_mut() {
        // for whoever carries decisions out
        object.remove("opening");
        object.insert("work_id".to_owned(), json!(item.id));
        object.insert("history".to_owned(), json!(item.private.history));
        if item.facts.status == WorkStatus::Open {
            object.entry("owner").or_insert(Value::Null);
        }
    }
    view
}
