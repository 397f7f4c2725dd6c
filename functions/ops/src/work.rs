//! `POST /v1/work/{work_id}/actions`: what people do with work items; and the portal's read mark on messages.

mod by_hand;

use std::sync::Arc;

use domain::input::{Fault, Reader};
use domain::work::rules::Queue;
use domain::work::{ActionRequest, SNOOZE_MAX, WorkItem, WorkRefusal};
use domain::{ClientId, NotificationId, WorkId};
use runtime::auth::{PORTAL, Role, STAFF};
use runtime::function::{ConfigError, Function, Ports};
use runtime::http::{HttpFunction, HttpStep, Reply, Request, Route, Scope};
use runtime::{Caller, Problem, awsclients};
use serde_json::json;
use store::{Crm, Stored};

use self::by_hand::ByHand;
use crate::views::work_view;

/// Longest note, in characters: an item keeps many.
const NOTE_MAX: usize = 500;
/// Longest outcome or evidence, in characters: a number of the other side's, or a few words.
const SHORT_MAX: usize = 200;

/// The step.
pub struct Work {
    crm: Crm,
    by_hand: ByHand,
}

/// Builds the function.
///
/// # Errors
/// [`ConfigError`].
pub fn build(ports: &Ports) -> Result<Arc<dyn Function>, ConfigError> {
    HttpFunction::build(Work::new(ports)?, ports)
}

impl HttpStep for Work {
    const NAME: &'static str = "ops-work";

    const ROUTES: &'static [Route<Self>] = &[
        // and of the roles those of the item's queue, which only the store knows
        Route::token("POST", "/v1/work/{work_id}/actions", STAFF, Scope::Everybody, |step, request, caller| {
            Box::pin(step.act(request, caller))
        }),
        Route::token(
            "POST",
            "/v1/clients/{client_id}/notifications/{notification_id}/read",
            PORTAL,
            Scope::OneClient,
            |step, request, _| Box::pin(step.read(request)),
        ),
    ];
}

/// Who may do what a desk may.
pub(crate) fn roles_of(desk: Queue) -> &'static [Role] {
    match desk {
        Queue::Finance => &[Role::Finance, Role::Admin],
        Queue::Compliance => &[Role::Compliance, Role::Admin],
        Queue::Sales => &[Role::Sales, Role::Admin],
        Queue::Support => &[Role::Support, Role::Admin],
    }
}

impl Work {
    pub(crate) fn new(ports: &Ports) -> Result<Self, ConfigError> {
        Ok(Self { crm: awsclients::crm(ports)?, by_hand: ByHand { money: awsclients::money(ports)? } })
    }

    /// A work item as the list shows it.
    ///
    /// # Errors
    /// 404.
    pub(crate) async fn shown(&self, id: &str, caller: &Caller) -> Result<serde_json::Value, Problem> {
        let id: WorkId = id.parse().map_err(|_| absent())?;
        Ok(work_view(&self.load(&id, caller).await?.entity))
    }

    /// An item that the person may know of.
    async fn load(&self, id: &WorkId, caller: &Caller) -> Result<Stored<WorkItem>, Problem> {
        let stored = self.crm.load::<WorkItem>(id).await?.ok_or_else(absent)?;
        if stored.entity.is_secret() && caller.require(&[Role::Compliance]).is_err() {
            return Err(absent());
        }
        Ok(stored)
    }

    async fn act(&self, request: &Request, caller: &Caller) -> Result<Reply, Problem> {
        let id: WorkId = request.id("work_id")?;
        let body = request.json()?;
        let action = action(&body).map_err(Problem::input)?;
        for _ in 0..3 {
            let stored = self.load(&id, caller).await?;
            let desk = stored.entity.facts.queue.parse::<Queue>();
            caller.require(desk.map_or(&[Role::Admin], roles_of))?;
            let verdict = stored.entity.act(&action, &caller.subject, request.now).map_err(refusal)?;
            let domain::decision::Verdict::Change(decision) = verdict else {
                return Ok(Reply::json(200, &work_view(&stored.entity)));
            };
            let mut frame = request.frame(Self::NAME);
            frame.correlation_id.clone_from(&stored.correlation_id);
            if let Some(now) = self.by_hand.save(&self.crm, &stored, *decision, &frame).await? {
                return Ok(Reply::json(200, &work_view(&now)));
            }
        }
        Err(Problem::conflict("the work item keeps changing; look at it again"))
    }

    async fn read(&self, request: &Request) -> Result<Reply, Problem> {
        let client: ClientId = request.id("client_id")?;
        let id: NotificationId = request.id("notification_id")?;
        if !self.crm.mark_read(&client, &id, request.now).await? {
            return Err(Problem::not_found("there is no such message"));
        }
        Ok(Reply::json(200, &json!({"id": id, "read": true})))
    }
}

fn absent() -> Problem {
    Problem::not_found("there is no such work item")
}

fn action(body: &serde_json::Value) -> Result<ActionRequest, Vec<Fault>> {
    let mut reader = Reader::new(body);
    let action = reader.string("action").map(str::to_owned);
    let mut optional = |name| reader.optional_string(name).map(str::to_owned);
    let (note, until, outcome, evidence) =
        (optional("note"), optional("until"), optional("outcome"), optional("evidence"));
    for (name, text, max) in
        [("note", &note, NOTE_MAX), ("outcome", &outcome, SHORT_MAX), ("evidence", &evidence, SHORT_MAX)]
    {
        let length = text.as_ref().map_or(0, |text| text.chars().count());
        if length > max {
            reader.fault(Fault::new(format!("/{name}"), "too_long", format!("must have at most {max} characters")));
        }
    }
    let faults = reader.finish();
    match action {
        Some(action) if faults.is_empty() => Ok(ActionRequest { action, note, until, outcome, evidence }),
        _ => Err(faults),
    }
}

fn refusal(refusal: WorkRefusal) -> Problem {
    match refusal {
        WorkRefusal::Resolved => Problem::conflict("the work item is already resolved"),
        WorkRefusal::Owned(_) => Problem::conflict("another person has claimed the work item"),
        WorkRefusal::OwnProposal => {
            Problem::forbidden("you proposed this yourself: another person must approve it or send it back")
        }
        WorkRefusal::Proposed { by, action } => Problem::conflict(format!(
            "`{action}`, proposed by {by}, waits for approval: approve it, or send it back with `return` and a note"
        )),
        WorkRefusal::UnknownAction(allowed) => Problem::input(vec![
            Fault::new("/action", "unknown_action", "is not an action of this work item").allowing(allowed),
        ]),
        WorkRefusal::NoteMissing => Problem::input(vec![Fault::new("/note", "missing", "a note needs text")]),
        WorkRefusal::UntilMissing => Problem::input(vec![Fault::new("/until", "missing", "a snooze needs its end")]),
        WorkRefusal::UntilUnreadable => {
            Problem::input(vec![Fault::new("/until", "not_a_time", "must be a time such as 2026-11-28T15:00:00Z")])
        }
        WorkRefusal::UntilOutOfRange => {
            let days = SNOOZE_MAX.0 / 86_400;
            let message = format!("must be ahead, and at most {days} days");
            Problem::input(vec![Fault::new("/until", "out_of_range", message)])
        }
        WorkRefusal::EvidenceMissing => {
            let message = "say what proves it: the platform's ticket or the provider's refund id";
            Problem::input(vec![Fault::new("/evidence", "evidence_missing", message)])
        }
    }
}
