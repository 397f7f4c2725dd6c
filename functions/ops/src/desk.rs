//! Opens work items: what the automation hands over, with what a person needs to decide; opens those again whose decision was not so;
//! and wakes those whose snooze is over.

use std::sync::Arc;

use domain::decision::{Verdict, derived_bits};
use domain::entity::{KINDS, Kind};
use domain::payment::at_stake;
use domain::payment::deposit::Settled;
use domain::payment::ticket::Reopened;
use domain::work::rules::{WorkKind, WorkKinds};
use domain::work::{OfferedOption, WorkFacts, WorkItem, WorkPrivate, WorkStatus};
use domain::{ClientId, Money, Timestamp, WorkId};
use providers::http::BoxFuture;
use runtime::function::{ConfigError, Function, Ports};
use runtime::queue::{BusEvent, Message, QueueFunction, QueueStep};
use runtime::rulebook::RuleBook;
use runtime::{StepError, awsclients, step};
use serde_json::{Map, Value, json};
use store::{Crm, MoneyTable, Payment};

/// Earlier payments of the client that a work item shows.
const PATTERN_PAYMENTS: i32 = 10;

/// The step.
pub struct Desk {
    crm: Crm,
    money: MoneyTable,
    rules: RuleBook,
}

/// Builds the function.
///
/// # Errors
/// [`ConfigError`].
pub fn build(ports: &Ports) -> Result<Arc<dyn Function>, ConfigError> {
    let step = Desk { crm: awsclients::crm(ports)?, money: awsclients::money(ports)?, rules: RuleBook::new(ports)? };
    QueueFunction::build(step, ports)
}

impl QueueStep for Desk {
    const NAME: &'static str = "ops-desk";

    fn handle<'a>(&'a self, message: &'a Message) -> BoxFuture<'a, Result<&'static str, StepError>> {
        Box::pin(async move {
            let event = message.event()?;
            if event.kind == SNOOZE_ENDED {
                let mut frame = message.frame(Self::NAME, &event);
                let (id, now) = (event.id()?, frame.now);
                let woken = step::change(&self.crm, &id, &mut frame, |item: &WorkItem| item.woken(now)).await?;
                return Ok(woken.outcome());
            }
            if event.kind == SETTLED {
                return self.settle(message, &event).await;
            }
            if event.kind == REOPENED {
                return self.reopen(message, &event).await;
            }
            let review = review(&event.data)
                .ok_or_else(|| StepError::Malformed(format!("{} says not what is to be decided", event.event_id)))?;
            let live = self.rules.live::<WorkKinds>().await?;
            let mut frame = message.frame(Self::NAME, &event);
            frame.used(live.label());
            let opening = Opening {
                kind: &review.kind,
                derived_from: [&event.entity, &review.kind, &review.trigger],
                id_at: event.at,
                at: event.at,
                client_id: event.client_id.clone(),
                subject: subject(&event),
                trigger: json!({"event": event.kind, "event_id": event.event_id, "what": review.trigger, "why": event.data.get("why"), "data": event.data}),
                pattern: self.pattern(event.client_id.as_ref()).await?,
                stakes: at_stake(&event.data),
            };
            let item = opening.item(&live.rules)?;
            Ok(if step::create(&self.crm, item.opened(), &frame).await? { "opened" } else { "nothing_to_do" })
        })
    }
}

/// A work item is due when its snooze ends.
const SNOOZE_ENDED: &str = "work.due";

/// Something came about that makes work items moot.
const SETTLED: &str = "desk.settled";

/// What a person decided is not so: his work item is opened again.
const REOPENED: &str = "desk.reopened";

/// The work items that an event names as moot.
fn settled(data: &Value) -> Result<Vec<Settled>, StepError> {
    let named = data.get("settled").cloned().unwrap_or_default();
    serde_json::from_value(named).map_err(|error| StepError::Malformed(error.to_string()))
}

struct Review {
    kind: String,
    trigger: String,
}

/// Deposits and stray reports name kind and trigger; an account names its kind.
fn review(data: &Value) -> Option<Review> {
    let review = data.get("review")?;
    if let Some(kind) = review.as_str() {
        return Some(Review { kind: kind.to_owned(), trigger: kind.to_owned() });
    }
    let text = |name: &str| review.get(name).and_then(Value::as_str).map(str::to_owned);
    Some(Review { kind: text("kind")?, trigger: text("trigger")? })
}

fn subject(event: &BusEvent) -> Value {
    let mut ids = Map::new();
    for name in KINDS.iter().map(Kind::id_field) {
        if let Some(id) = event.data.get(&name).and_then(Value::as_str) {
            ids.insert(name, json!(id));
        }
    }
    Value::Object(ids)
}

impl Desk {
    /// Closes what is moot. An item whose opening is still on its way is made closed, so that it is never opened.
    async fn settle(&self, message: &Message, event: &BusEvent) -> Result<&'static str, StepError> {
        let live = self.rules.live::<WorkKinds>().await?;
        let mut frame = message.frame(Self::NAME, event);
        frame.used(live.label());
        let why = event.data.get("why").and_then(|why| why.get(0)).and_then(Value::as_str).unwrap_or(SETTLED);
        let now = frame.now;
        for moot in settled(&event.data)? {
            let asked =
                Timestamp::from_millis(moot.at_ms).ok_or_else(|| StepError::Malformed(event.event_id.clone()))?;
            let opening = Opening {
                kind: &moot.kind,
                derived_from: [&event.entity, &moot.kind, &moot.trigger],
                id_at: asked,
                at: asked,
                client_id: event.client_id.clone(),
                subject: subject(event),
                trigger: json!({"event": event.kind, "event_id": event.event_id, "what": moot.trigger}),
                pattern: json!({}),
                stakes: vec![],
            };
            let item = opening.item(&live.rules)?;
            let id = item.id.clone();
            if let Verdict::Change(closed) = item.settled(why, now)
                && step::create(&self.crm, *closed, &frame).await?
            {
                continue;
            }
            step::change(&self.crm, &id, &mut frame, |item: &WorkItem| item.settled(why, now)).await?;
        }
        Ok("settled")
    }

    /// Opens a decided item again, with what was found. The message that comes again finds it open, or decided anew.
    async fn reopen(&self, message: &Message, event: &BusEvent) -> Result<&'static str, StepError> {
        let live = self.rules.live::<WorkKinds>().await?;
        let mut frame = message.frame(Self::NAME, event);
        frame.used(live.label());
        let malformed = |error: serde_json::Error| StepError::Malformed(error.to_string());
        let named = event.data.get("reopened").cloned().unwrap_or_default();
        let named: Reopened = serde_json::from_value(named).map_err(malformed)?;
        let why = event.data.get("why").and_then(|why| why.get(0)).and_then(Value::as_str).unwrap_or(REOPENED);
        let now = frame.now;
        let again = |item: &WorkItem| {
            let kind = item.facts.kind.parse::<WorkKind>().ok();
            let due_in = kind.and_then(|kind| live.rules.kind(kind)).map(|rule| rule.due_in);
            item.reopened(named.opening, why, due_in.map_or(now, |due_in| event.at.plus(due_in)), now)
        };
        Ok(step::change(&self.crm, &named.work_id, &mut frame, again).await?.outcome())
    }

    /// What is normal for the client: the newest payments.
    async fn pattern(&self, client: Option<&ClientId>) -> Result<Value, StepError> {
        let Some(client) = client else { return Ok(json!({})) };
        let (payments, _) = self.money.all_payments_of(client, PATTERN_PAYMENTS, None).await?;
        let payments: Vec<Value> = payments.iter().filter(|payment| !payment.is_leg()).map(in_short).collect();
        Ok(json!({"newest_payments": payments}))
    }
}

/// An earlier payment, as a work item shows it.
fn in_short(payment: &Payment) -> Value {
    match payment {
        Payment::Deposit(stored) => {
            let own = &stored.entity;
            json!({
                "payment_id": own.id, "kind": "deposit", "at": own.inner.opened, "status": own.status().as_str(),
                "requested": own.facts.requested, "psp": own.facts.psp.name,
            })
        }
        Payment::Withdrawal(stored) => {
            let own = &stored.entity;
            json!({
                "payment_id": own.id, "kind": "withdrawal", "at": own.inner.opened, "status": own.status(),
                "requested": own.facts.requested, "psp": own.facts.psp.name, "way": own.facts.way,
            })
        }
    }
}

/// What a work item is made of.
pub(crate) struct Opening<'a> {
    pub kind: &'a str,
    /// What its id is derived from: a repeat is the same item.
    pub derived_from: [&'a str; 3],
    /// The moment in its id.
    pub id_at: Timestamp,
    /// When it is opened.
    pub at: Timestamp,
    pub client_id: Option<ClientId>,
    pub subject: Value,
    pub trigger: Value,
    pub pattern: Value,
    /// The money that it is about, as far as it is known.
    pub stakes: Vec<Money>,
}

impl Opening<'_> {
    pub(crate) fn item(self, rules: &WorkKinds) -> Result<WorkItem, StepError> {
        let unknown = || StepError::Rules { set: "desk", what: format!("no work-item kind {}", self.kind) };
        let kind: WorkKind = self.kind.parse().map_err(|_| unknown())?;
        let rule = rules.kind(kind).ok_or_else(unknown)?;
        let options = rule.options.iter();
        let options = options.map(|option| OfferedOption {
            action: option.action.as_str().to_owned(),
            label: option.label.clone(),
            four_eyes: option.four_eyes.needed(&rules.four_eyes_from, &self.stakes),
        });
        Ok(WorkItem {
            id: WorkId::from_bits(derived_bits(self.id_at, &self.derived_from)),
            client_id: self.client_id,
            facts: WorkFacts {
                kind: self.kind.to_owned(),
                queue: rule.queue.as_str().to_owned(),
                priority: rule.priority.rank(),
                status: WorkStatus::Open,
                owner: None,
                due_at: self.at.plus(rule.due_in),
                created_at: self.at,
                snoozed_until: None,
                escalated_by: Vec::new(),
                opening: 0,
                subject: self.subject,
                trigger: self.trigger,
                pattern: self.pattern,
                options: options.collect(),
                runbook: rule.runbook.clone(),
                proposal: None,
                decision: None,
            },
            private: WorkPrivate::default(),
        })
    }
}
