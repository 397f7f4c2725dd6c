//! Work items: where the automation hands over to a person.

pub(crate) mod evidence;
mod proposal;
pub mod rules;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::decision::{Decision, Verdict};
use crate::entity::{Entity, InCrm, Parts, ReadError};
use crate::four_eyes::person;
use crate::payment::deposit::Settled;
use crate::visible::visible;
use crate::work::evidence::Evidence;
use crate::{ClientId, Seconds, Timestamp, WorkId};

/// Where a work item stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WorkStatus {
    /// Nobody's.
    Open,
    /// Somebody's.
    Claimed,
    /// Somebody's proposal, which another person must approve.
    Proposed,
    /// Decided and done.
    Resolved,
}

impl WorkStatus {
    /// The status as the API writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Claimed => "claimed",
            Self::Proposed => "proposed",
            Self::Resolved => "resolved",
        }
    }
}

/// Why a person must look, and at what: in the public part of what waits for him.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Review {
    /// Kind of work item, of the `desk` rule set.
    pub kind: String,
    /// What set it off: a provider's event id, say, or which attempt. With the id of what waits and the kind it names the work item.
    pub trigger: String,
}

impl Review {
    /// A review.
    pub fn of(kind: rules::WorkKind, trigger: impl Into<String>) -> Self {
        Self { kind: kind.as_str().to_owned(), trigger: trigger.into() }
    }
}

/// The work item that says what is not in order, of an entity that is found again and again: another one for each thing that is found, and
/// none once all is in order. What stays as it is opens nothing, whatever became of its item.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenItem {
    /// Since when it is not in order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// What a person is asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub review: Option<Review>,
    /// The work item that says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub item: Option<Settled>,
    /// The work items that this version makes moot.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub settled: Vec<Settled>,
}

impl OpenItem {
    /// Something else was found, of this kind and with this reason, or all is in order; the events that say so to the desk.
    pub fn found(&mut self, found: Option<(rules::WorkKind, &str)>, now: Timestamp) -> Vec<&'static str> {
        self.settled = self.item.take().into_iter().collect();
        let asked = found.map(|(kind, reason)| Review::of(kind, format!("{reason}:{}", now.millis())));
        self.item = asked.clone().map(|Review { kind, trigger }| Settled { kind, trigger, at_ms: now.millis() });
        self.since = found.map(|_| now);
        self.review = asked;
        let opens = self.item.as_ref().map(|_| "desk.item");
        opens.into_iter().chain((!self.settled.is_empty()).then_some("desk.settled")).collect()
    }
}

/// One thing a person may decide.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "API.md names them")]
pub struct OfferedOption {
    pub action: String,
    pub label: String,
    /// A second person must approve it: worked out when the item was opened, from the money it was about.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub four_eyes: bool,
}

/// The decision of a work item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkDecision {
    /// One of the options, or `resolve`.
    pub action: String,
    /// What proves it, if it is of a form that can hold nothing else than that; a person's own words are private.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<String>,
    /// Who decided.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// Who approved it, where two people decide.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approved_by: Option<String>,
}

/// A line of a work item's history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "plain")]
pub struct WorkLine {
    pub at: Timestamp,
    pub by: String,
    pub action: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// The public part of a work item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "API.md names them")]
pub struct WorkFacts {
    pub kind: String,
    pub queue: String,
    pub priority: u32,
    pub status: WorkStatus,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    pub due_at: Timestamp,
    pub created_at: Timestamp,
    /// Until then it stands behind what is due before; the due time is a promise and stays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub snoozed_until: Option<Timestamp>,
    /// Who made it more urgent since it was opened.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub escalated_by: Vec<String>,
    /// How often it was opened anew: a decision is about the opening in which it was made.
    #[serde(default, skip_serializing_if = "is_first")]
    pub opening: u32,
    /// Ids only: `payment_id`, `account_id`, `client_id`.
    pub subject: Value,
    /// What set it off.
    pub trigger: Value,
    /// What is normal for this client or flow.
    pub pattern: Value,
    pub options: Vec<OfferedOption>,
    pub runbook: String,
    /// What waits for a second person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proposal: Option<WorkDecision>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decision: Option<WorkDecision>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_first(opening: &u32) -> bool {
    *opening == 0
}

/// A work item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkItem {
    /// Its id, derived from what set it off.
    pub id: WorkId,
    /// The client it is about.
    pub client_id: Option<ClientId>,
    /// What events carry.
    pub facts: WorkFacts,
    /// What they do not carry.
    pub private: WorkPrivate,
}

/// The private part of a work item: words of people and messages as they came, which may name the client.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkPrivate {
    /// What people did with it, with their notes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub history: Vec<WorkLine>,
    /// What proves the decision, in the person's own words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<String>,
    /// What belongs to the trigger and is for the desk alone.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub trigger: Map<String, Value>,
}

/// What a person asks for.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "API.md names them")]
pub struct ActionRequest {
    pub action: String,
    #[serde(default)]
    pub note: Option<String>,
    #[serde(default)]
    pub until: Option<String>,
    #[serde(default)]
    pub outcome: Option<String>,
    #[serde(default)]
    pub evidence: Option<String>,
}

impl ActionRequest {
    fn proof(&self) -> Option<String> {
        proof_of(self.evidence.as_deref())
    }

    /// The note without the blanks around it; an empty one is none.
    fn note(&self) -> Option<&str> {
        self.note.as_deref().map(str::trim).filter(|note| !note.is_empty())
    }
}

/// What can be seen of evidence, without the blanks around it: it is compared and kept as the other side's number. An empty one is none.
fn proof_of(evidence: Option<&str>) -> Option<String> {
    evidence.map(|text| visible(text).trim().to_owned()).filter(|text| !text.is_empty())
}

/// Why an action is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WorkRefusal {
    /// The item is already decided.
    Resolved,
    /// Another person has it.
    Owned(String),
    /// Whoever proposed it cannot approve it.
    OwnProposal,
    /// A proposal waits: it is approved, or sent back, before anything else is decided.
    Proposed {
        /// Who made it.
        by: String,
        /// The option.
        action: String,
    },
    /// Not an action of this item; these are.
    UnknownAction(Vec<String>),
    /// A note without text.
    NoteMissing,
    /// The action needs evidence.
    EvidenceMissing,
    /// A snooze needs the time at which it ends.
    UntilMissing,
    /// It is no time.
    UntilUnreadable,
    /// It is over already, or too far off.
    UntilOutOfRange,
}

/// Why a step by hand is refused: what the automation has done meanwhile, as it is known now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moved(pub String);

/// Why what a person says to have done by hand is not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ByHandRefusal {
    /// The automation has moved the money meanwhile.
    Moved(Moved),
    /// It was converted: the evidence must say what was put on the account, after the ticket.
    AmountMissing,
    /// The evidence has no number of a deal, so nothing can be looked up.
    NotATicket,
}

impl From<Moved> for ByHandRefusal {
    fn from(moved: Moved) -> Self {
        Self::Moved(moved)
    }
}

/// The longest snooze.
pub const SNOOZE_MAX: Seconds = Seconds(180 * 86_400);
/// Longest history kept in the item, in lines.
const HISTORY_MAX: usize = 200;
/// And in bytes of its notes: an item that is too long for the table (400 KB) could never be decided again, and a page shows a hundred. What is dropped stands
/// in no journal, for notes may name people; the newest are what a person works with.
const NOTES_MAX: usize = 32 * 1_024;

/// A person's decision as the automation applies it to what it is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HumanDecision {
    /// Kind of the work item.
    pub kind: String,
    /// What set the work item off, if it says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trigger: Option<String>,
    /// Option of the `desk` rule set, e.g. `mark_credited`, or `resolve`.
    pub action: String,
    /// What proves it, in a form that may be journalled: the platform's ticket, the provider's refund id, a login. A person's own words
    /// stand here as a name for them, the same for the same words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<String>,
    /// Who decided.
    pub by: String,
    /// Who approved it, where two people decide.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approved_by: Option<String>,
    /// When.
    pub at: Timestamp,
}

impl HumanDecision {
    /// The decision of a work item, once there is one.
    pub fn of(item: &WorkItem) -> Option<Self> {
        Some(Self::made(item, item.facts.decision.as_ref()?))
    }

    /// The decision that a proposal would be, once somebody approves it.
    pub fn proposed(item: &WorkItem) -> Option<Self> {
        Some(Self::made(item, item.facts.proposal.as_ref()?))
    }

    fn made(item: &WorkItem, decision: &WorkDecision) -> Self {
        let facts = &item.facts;
        Self {
            kind: facts.kind.clone(),
            trigger: facts.trigger.get("what").and_then(Value::as_str).map(str::to_owned),
            action: decision.action.clone(),
            evidence: proof_of(item.evidence()).map(|text| Evidence::of(&text).journalled()),
            by: decision.by.clone(),
            approved_by: decision.approved_by.clone(),
            at: decision.at,
        }
    }

    /// Whether it decides the work item of this kind and trigger.
    pub fn is_about(&self, kind: &str, trigger: &str) -> bool {
        self.kind == kind && self.trigger.as_deref().is_none_or(|own| own == trigger)
    }

    /// The option chosen; none if the item was closed in the person's own words.
    pub fn action(&self) -> Option<rules::WorkAction> {
        self.action.parse().ok()
    }

    /// What the journal says of it.
    pub fn why(&self) -> String {
        let approved = self.approved_by.as_ref().map(|by| format!(", approved by {by}")).unwrap_or_default();
        let evidence = self.evidence.as_deref().unwrap_or("none");
        format!("{} by {}{approved}, evidence: {evidence}", self.action, self.by)
    }
}

impl WorkItem {
    /// It names whom a list may mean, or what compliance alone may know of: nobody else learns that it is there.
    pub fn is_secret(&self) -> bool {
        let entity = self.facts.subject.get("entity").and_then(Value::as_str);
        self.facts.kind == rules::WorkKind::KycHit.as_str() || entity.is_some_and(crate::compliance::is_secret)
    }

    /// The decision that opens an item.
    pub fn opened(self) -> Decision<Self> {
        let why = vec![format!("{} for {}", self.facts.kind, self.facts.queue)];
        Decision::new(self, "opened", vec!["work.opened"], why)
    }

    /// What it was opened for happens again. An open item stands as it is; one that was resolved is opened anew, because what
    /// was done did not help.
    pub fn again(&self, fresh: &Self, now: Timestamp) -> Verdict<Self> {
        if self.facts.status != WorkStatus::Resolved {
            return Verdict::Nothing("it is open already");
        }
        let mut next = Self { facts: fresh.facts.clone(), ..self.clone() };
        next.private.evidence = None;
        next.private.trigger.clone_from(&fresh.private.trigger);
        next.facts.created_at = self.facts.created_at;
        next.facts.opening = self.facts.opening.saturating_add(1);
        next.line(now, "automation", "reopened", None);
        Verdict::change(
            next,
            "reopened",
            vec!["work.opened"],
            vec!["it happened again after it was resolved".to_owned()],
        )
    }

    /// What was decided in this opening is not so: it is open again, and says why.
    pub fn reopened(&self, opening: u32, why: &str, due_at: Timestamp, now: Timestamp) -> Verdict<Self> {
        if self.facts.status != WorkStatus::Resolved || self.facts.opening != opening {
            return Verdict::Nothing("it is open again already");
        }
        let mut next = self.clone();
        next.facts.status = WorkStatus::Open;
        next.facts.owner = None;
        next.facts.snoozed_until = None;
        next.facts.decision = None;
        next.facts.due_at = due_at;
        next.facts.opening = opening.saturating_add(1);
        next.private.evidence = None;
        if let Some(trigger) = next.facts.trigger.as_object_mut() {
            trigger.insert("reopened".to_owned(), json!(why));
        }
        next.line(now, "automation", "reopened", Some(why));
        Verdict::change(next, "reopened", vec!["work.opened"], vec![why.to_owned()])
    }

    /// What it was opened for is moot: it closes itself. Nobody decided, so nothing follows.
    pub fn settled(&self, why: &str, now: Timestamp) -> Verdict<Self> {
        if self.facts.status == WorkStatus::Resolved {
            return Verdict::Nothing("it is closed already");
        }
        let mut next = self.clone();
        next.facts.status = WorkStatus::Resolved;
        next.facts.proposal = None;
        next.line(now, "automation", "settled", Some(why));
        Verdict::change(next, "settled", vec![], vec![why.to_owned()])
    }

    /// What proves the decision, as the person wrote it.
    pub fn evidence(&self) -> Option<&str> {
        let made = self.facts.decision.as_ref().or(self.facts.proposal.as_ref());
        let public = made.and_then(|decision| decision.evidence.as_deref());
        self.private.evidence.as_deref().or(public)
    }

    /// What the person who decided it, or proposed it, wrote with it.
    pub fn note(&self) -> Option<&str> {
        let made = self.facts.decision.as_ref().or(self.facts.proposal.as_ref())?;
        let is_it = |line: &&WorkLine| line.by == made.by && (line.action == made.action || line.action == "resolve");
        self.private.history.iter().rfind(is_it)?.note.as_deref()
    }

    fn line(&mut self, at: Timestamp, by: &str, action: &str, note: Option<&str>) {
        let history = &mut self.private.history;
        history.push(WorkLine { at, by: by.to_owned(), action: action.to_owned(), note: note.map(str::to_owned) });
        let mut bytes = 0;
        let fits = |line: &&WorkLine| {
            bytes += line.by.len() + line.action.len() + line.note.as_ref().map_or(0, String::len);
            bytes <= NOTES_MAX
        };
        let kept = history.iter().rev().take(HISTORY_MAX).take_while(fits).count().max(1);
        history.drain(..history.len().saturating_sub(kept));
    }

    /// Applies a person's action.
    ///
    /// # Errors
    /// [`WorkRefusal`].
    pub fn act(&self, action: &ActionRequest, by: &str, now: Timestamp) -> Result<Verdict<Self>, WorkRefusal> {
        if self.facts.status == WorkStatus::Resolved {
            return self.repeated(action, by);
        }
        if let Some(proposal) = &self.facts.proposal {
            return self.on_proposal(proposal, action, by, now);
        }
        if action.action != "note"
            && let Some(owner) = self.facts.owner.as_deref().filter(|owner| *owner != by)
        {
            return Err(WorkRefusal::Owned(owner.to_owned()));
        }
        let note = action.note();
        let mut next = self.clone();
        next.line(now, by, &action.action, note);
        match action.action.as_str() {
            "note" if note.is_none() => Err(WorkRefusal::NoteMissing),
            "note" => Ok(Verdict::change(next, "noted", vec![], vec![])),
            "claim" if self.facts.owner.is_some() => Ok(Verdict::Nothing("it is already yours")),
            "claim" => {
                next.facts.owner = Some(by.to_owned());
                next.facts.status = WorkStatus::Claimed;
                Ok(Verdict::change(next, "claimed", vec!["work.claimed"], vec![]))
            }
            "release" if self.facts.owner.is_none() => Ok(Verdict::Nothing("nobody has it")),
            "release" => {
                next.facts.owner = None;
                next.facts.status = WorkStatus::Open;
                Ok(Verdict::change(next, "released", vec![], vec![]))
            }
            "snooze" => self.snooze(next, action, by, now),
            "escalate" => Ok(self.escalate(next, by)),
            _ => self.decide(next, action, by, now),
        }
    }

    fn snooze(
        &self,
        mut next: Self,
        action: &ActionRequest,
        by: &str,
        now: Timestamp,
    ) -> Result<Verdict<Self>, WorkRefusal> {
        let until = action.until.as_deref().map(str::trim).filter(|until| !until.is_empty());
        let until: Timestamp =
            until.ok_or(WorkRefusal::UntilMissing)?.parse().map_err(|_| WorkRefusal::UntilUnreadable)?;
        if self.facts.snoozed_until == Some(until) {
            return Ok(Verdict::Nothing("it is snoozed until then already"));
        }
        if until <= now || until > now.plus(SNOOZE_MAX) {
            return Err(WorkRefusal::UntilOutOfRange);
        }
        next.facts.snoozed_until = Some(until);
        Ok(Verdict::change(next, "snoozed", vec!["work.snoozed"], vec![format!("until {until} by {by}")]))
    }

    /// One step more urgent, and awake: once a person, so that a request that is sent twice is one.
    fn escalate(&self, mut next: Self, by: &str) -> Verdict<Self> {
        if self.facts.escalated_by.iter().any(|person| person == by) {
            return Verdict::Nothing("you have escalated it already");
        }
        next.facts.priority = self.facts.priority.saturating_sub(1).max(rules::Priority::Urgent.rank());
        next.facts.snoozed_until = None;
        next.facts.escalated_by.push(by.to_owned());
        let why = vec![format!("priority {} instead of {} by {by}", next.facts.priority, self.facts.priority)];
        Verdict::change(next, "escalated", vec!["work.escalated"], why)
    }

    /// The end of its snooze has come.
    pub fn woken(&self, now: Timestamp) -> Verdict<Self> {
        match self.due() {
            None => Verdict::Nothing("it is not snoozed"),
            Some(until) if until > now => Verdict::Nothing("it is snoozed until later"),
            Some(_) => {
                let mut next = self.clone();
                next.facts.snoozed_until = None;
                next.line(now, "automation", "woke", None);
                Verdict::change(next, "woke", vec!["work.woke"], vec![])
            }
        }
    }

    /// When it is looked at next: when it is due, or when its snooze ends, whichever is later.
    fn comes_up_at(&self) -> Timestamp {
        self.facts.snoozed_until.map_or(self.facts.due_at, |until| until.max(self.facts.due_at))
    }

    fn decide(
        &self,
        mut next: Self,
        action: &ActionRequest,
        by: &str,
        now: Timestamp,
    ) -> Result<Verdict<Self>, WorkRefusal> {
        let chosen = self.chosen(action)?;
        let evidence = action.proof();
        if chosen.parse().is_ok_and(rules::WorkAction::needs_evidence) && evidence.is_none() {
            return Err(WorkRefusal::EvidenceMissing);
        }
        let (public, private) = evidence.as_deref().map(Evidence::of).map_or((None, None), Evidence::into_parts);
        next.private.evidence = private;
        let made = WorkDecision { action: chosen, evidence: public, by: by.to_owned(), at: now, approved_by: None };
        if self.needs_two(&made.action) {
            return Ok(next.propose(made));
        }
        next.facts.status = WorkStatus::Resolved;
        next.facts.owner = Some(by.to_owned());
        let why = vec![format!("{} by {by}", made.action)];
        next.facts.decision = Some(made);
        Ok(Verdict::change(next, "resolved", vec!["work.decided"], why))
    }

    /// The option meant: named as the action itself, or as the outcome of `resolve`.
    fn chosen(&self, action: &ActionRequest) -> Result<String, WorkRefusal> {
        let named = match (action.action.as_str(), action.outcome.as_deref()) {
            ("resolve", None) => return Ok("resolve".to_owned()),
            ("resolve", Some(outcome)) => outcome,
            (other, _) => other,
        };
        if self.offers(named) {
            return Ok(named.to_owned());
        }
        if action.action == "resolve" {
            // an outcome in the person's own words closes the item without telling the automation anything
            return Ok("resolve".to_owned());
        }
        Err(self.unknown())
    }

    fn offers(&self, action: &str) -> bool {
        self.facts.options.iter().any(|option| option.action == action)
    }

    /// The refusal that names what can be done.
    fn unknown(&self) -> WorkRefusal {
        let of_every_item: &[&str] = match self.facts.status {
            WorkStatus::Proposed => &["approve", "return", "release", "note", "snooze", "escalate"],
            WorkStatus::Open | WorkStatus::Claimed | WorkStatus::Resolved => {
                &["claim", "release", "note", "snooze", "escalate", "resolve"]
            }
        };
        let options = self.facts.options.iter().map(|option| option.action.as_str());
        WorkRefusal::UnknownAction(of_every_item.iter().copied().chain(options).map(str::to_owned).collect())
    }

    fn repeated(&self, action: &ActionRequest, by: &str) -> Result<Verdict<Self>, WorkRefusal> {
        let same = self.facts.decision.as_ref().is_some_and(|decision| {
            if decision.approved_by.as_deref() == Some(by) {
                return self.approvable(decision, action, &action.action).is_ok();
            }
            decision.by == by
                && self.chosen(action).is_ok_and(|chosen| chosen == decision.action)
                && proof_of(self.evidence()) == action.proof()
        });
        if same { Ok(Verdict::Nothing("it is already decided so")) } else { Err(WorkRefusal::Resolved) }
    }
}

impl Entity for WorkItem {
    type Id = WorkId;
    type Table = InCrm;
    type Public = WorkFacts;
    type Private = WorkPrivate;
    const KIND: &'static str = "work";
    const SCHEMA: u32 = 2;
    const TIMED: bool = true;

    fn due(&self) -> Option<Timestamp> {
        self.facts.snoozed_until.filter(|_| self.facts.status != WorkStatus::Resolved)
    }

    fn id(&self) -> &WorkId {
        &self.id
    }

    fn client(&self) -> Option<&ClientId> {
        self.client_id.as_ref()
    }

    fn rank(&self) -> Option<(String, String)> {
        let state = if self.facts.status == WorkStatus::Resolved { "resolved" } else { "open" };
        let rank = format!("{:03}#{}#{}", self.facts.priority.min(999), self.comes_up_at(), self.id);
        Some((format!("{}#{state}", self.facts.queue), rank))
    }

    fn proposed_by(&self) -> Option<String> {
        self.facts.proposal.as_ref().map(|proposal| person(&proposal.by))
    }

    fn public(&self) -> &WorkFacts {
        &self.facts
    }

    fn private(&self) -> &WorkPrivate {
        &self.private
    }

    fn from_parts(parts: Parts<Self>) -> Result<Self, ReadError> {
        Ok(Self { id: parts.id, client_id: parts.client, facts: parts.public, private: parts.private })
    }

    /// The first form had the history alone in its private part, and evidence and messages among the facts.
    fn upgrade(_from: u32, mut public: Value, private: Value) -> (Value, Value) {
        let mut own = Map::new();
        if private.is_array() {
            own.insert("history".to_owned(), private);
        }
        if let Some(decision) = public.get_mut("decision").and_then(Value::as_object_mut)
            && let Some(words) = decision.get("evidence").and_then(Value::as_str).map(Evidence::of)
        {
            let (known, words) = words.into_parts();
            decision.remove("evidence");
            decision.extend(known.map(|known| ("evidence".to_owned(), json!(known))));
            own.extend(words.map(|words| ("evidence".to_owned(), json!(words))));
        }
        if public.get("kind").and_then(Value::as_str) == Some(rules::WorkKind::DeadLetter.as_str())
            && let Some(trigger) = public.get_mut("trigger").and_then(Value::as_object_mut)
        {
            let message: Map<_, _> = ["body", "message_attributes"]
                .into_iter()
                .filter_map(|name| Some((name.to_owned(), trigger.remove(name)?)))
                .collect();
            own.insert("trigger".to_owned(), Value::Object(message));
        }
        (public, Value::Object(own))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::entity::{self, Raw};

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_seconds(1_795_428_930 + seconds).unwrap()
    }

    fn item() -> WorkItem {
        let option =
            |action: &str| OfferedOption { action: action.to_owned(), label: action.to_owned(), four_eyes: false };
        let facts = WorkFacts {
            kind: "deposit_failed_after_success".to_owned(),
            queue: "finance".to_owned(),
            priority: 1,
            status: WorkStatus::Open,
            owner: None,
            due_at: at(3_600),
            created_at: at(0),
            snoozed_until: None,
            escalated_by: vec![],
            opening: 0,
            subject: json!({"payment_id": "pay_1"}),
            trigger: json!({"what": "evt_1"}),
            pattern: json!({}),
            options: vec![option("credit_paid_amount"), option("refund_at_psp"), option("mark_debited_on_platform")],
            runbook: "deposit_failed_after_success".to_owned(),
            proposal: None,
            decision: None,
        };
        WorkItem { id: WorkId::from_bits(1), client_id: None, facts, private: WorkPrivate::default() }
    }

    fn action(action: &str) -> ActionRequest {
        ActionRequest { action: action.to_owned(), note: None, until: None, outcome: None, evidence: None }
    }

    #[track_caller]
    fn change(verdict: Result<Verdict<WorkItem>, WorkRefusal>) -> Decision<WorkItem> {
        match verdict {
            Ok(Verdict::Change(decision)) => *decision,
            other => panic!("{other:?}"),
        }
    }

    fn does_nothing(verdict: &Result<Verdict<WorkItem>, WorkRefusal>) -> bool {
        matches!(verdict, Ok(Verdict::Nothing(_)))
    }

    #[test]
    fn an_item_is_claimed_by_one_person_and_given_back() {
        let claimed = change(item().act(&action("claim"), "ana", at(1)));
        assert_eq!(
            (claimed.events.as_slice(), claimed.next.facts.owner.as_deref()),
            (["work.claimed"].as_slice(), Some("ana"))
        );
        let claimed = claimed.next;
        assert!(does_nothing(&claimed.act(&action("claim"), "ana", at(2))));
        for taken in ["claim", "release", "credit_paid_amount", "resolve"] {
            assert_eq!(claimed.act(&action(taken), "ben", at(2)), Err(WorkRefusal::Owned("ana".to_owned())));
        }
        let released = change(claimed.act(&action("release"), "ana", at(3))).next;
        assert_eq!((released.facts.status, released.facts.owner.clone()), (WorkStatus::Open, None));
        assert!(does_nothing(&released.act(&action("release"), "ana", at(4))));
        assert!(released.act(&action("claim"), "ben", at(4)).is_ok());
    }

    #[test]
    fn what_happens_again_opens_a_resolved_item_anew_and_leaves_an_open_one_alone() {
        let item = item();
        assert_eq!(item.again(&item, at(1)), Verdict::Nothing("it is open already"));
        let resolved = change(item.act(&action("resolve"), "ana", at(5))).next;
        let facts = WorkFacts { due_at: at(9_000), trigger: json!({"what": "evt_2"}), ..item.facts.clone() };
        let fresh = WorkItem { facts, ..item.clone() };
        let again = change(Ok(resolved.again(&fresh, at(6))));
        assert_eq!((again.outcome, again.events.as_slice()), ("reopened", ["work.opened"].as_slice()));
        assert_eq!((again.next.facts.status, &again.next.facts.decision), (WorkStatus::Open, &None));
        assert_eq!((again.next.facts.due_at, again.next.facts.owner.clone()), (at(9_000), None));
        assert_eq!(again.next.private.history.last().map(|line| line.action.as_str()), Some("reopened"));
        assert_eq!(again.next.facts.opening, 1);
        let resolved = change(again.next.act(&action("resolve"), "ana", at(7))).next;
        assert_eq!(change(Ok(resolved.again(&fresh, at(8)))).next.facts.opening, 2);
    }

    #[test]
    fn anybody_leaves_a_note_and_an_empty_one_is_none() {
        let claimed = change(item().act(&action("claim"), "ana", at(1))).next;
        let note = ActionRequest { note: Some(" seen at the provider ".to_owned()), ..action("note") };
        let noted = change(claimed.act(&note, "ben", at(2)));
        let line = noted.next.private.history.last().unwrap();
        assert_eq!((line.by.as_str(), line.note.as_deref()), ("ben", Some("seen at the provider")));
        assert_eq!((noted.next.facts, noted.events.len()), (claimed.facts.clone(), 0));
        let empty = ActionRequest { note: Some("  ".to_owned()), ..action("note") };
        assert_eq!(claimed.act(&empty, "ben", at(2)), Err(WorkRefusal::NoteMissing));
    }

    #[test]
    fn what_was_done_elsewhere_needs_its_proof() {
        for option in ["refund_at_psp", "mark_debited_on_platform"] {
            for evidence in [None, Some("  ")] {
                let unproven = ActionRequest { evidence: evidence.map(str::to_owned), ..action(option) };
                assert_eq!(item().act(&unproven, "ana", at(1)), Err(WorkRefusal::EvidenceMissing), "{option}");
                let named = ActionRequest { outcome: Some(option.to_owned()), ..unproven };
                let named = ActionRequest { action: "resolve".to_owned(), ..named };
                assert_eq!(item().act(&named, "ana", at(1)), Err(WorkRefusal::EvidenceMissing), "{option}");
            }
        }
        assert!(item().act(&action("credit_paid_amount"), "ana", at(1)).is_ok());
    }

    #[test]
    fn a_decision_is_announced_with_its_proof_and_stands() {
        let proven = ActionRequest { evidence: Some(" re_1 ".to_owned()), ..action("refund_at_psp") };
        let decided = change(item().act(&proven, "ana", at(5)));
        assert_eq!(
            (decided.events.as_slice(), decided.next.facts.status),
            (["work.decided"].as_slice(), WorkStatus::Resolved)
        );
        let human = HumanDecision::of(&decided.next).unwrap();
        assert_eq!((human.action(), human.evidence.as_deref()), (Some(rules::WorkAction::RefundAtPsp), Some("re_1")));
        assert!(human.is_about("deposit_failed_after_success", "evt_1"));
        assert!(!human.is_about("deposit_failed_after_success", "evt_2"));
        assert!(!human.is_about("deposit_overpaid", "evt_1"));
        assert!(does_nothing(&decided.next.act(&proven, "ana", at(6))));
        for other in
            [action("credit_paid_amount"), ActionRequest { evidence: Some("re_2".to_owned()), ..proven.clone() }]
        {
            assert_eq!(decided.next.act(&other, "ana", at(6)), Err(WorkRefusal::Resolved));
        }
        assert_eq!(decided.next.act(&proven, "ben", at(6)), Err(WorkRefusal::Resolved));
    }

    #[test]
    fn a_persons_own_words_stay_in_the_private_part_and_reach_the_automation_by_name() {
        let words = "sent back to Marta Keller";
        let proven =
            ActionRequest { evidence: Some(words.to_owned()), note: Some(words.to_owned()), ..action("refund_at_psp") };
        let decided = change(item().act(&proven, "ana", at(5)));
        let (public, private) = entity::write(&decided.next).unwrap();
        assert!(
            !public.contains("Marta") && private.unwrap().contains("Marta") && !decided.why.concat().contains("Marta")
        );
        assert_eq!(decided.next.evidence(), Some(words));
        let human = HumanDecision::of(&decided.next).unwrap();
        assert!(human.evidence.is_some() && !human.why().contains("Marta"), "{human:?}");
        assert!(does_nothing(&decided.next.act(&proven, "ana", at(6))));
        assert_eq!(change(Ok(decided.next.again(&item(), at(7)))).next.evidence(), None);
    }

    #[test]
    fn an_item_of_the_first_form_is_read_with_all_that_it_said() {
        let raw = |public: &Value, private: &str| {
            let (id, public) = (WorkId::from_bits(1), public.to_string());
            let raw = Raw { schema: 1, ..Raw::of::<WorkItem>(id.as_str(), &public, Some(private)) };
            entity::read::<WorkItem>(raw, None, None).unwrap()
        };
        let history = r#"[{"at": "2026-11-23T10:15:30.000Z", "by": "ana", "action": "note", "note": "seen"}]"#;
        let mut facts = json!(item().facts);
        facts["status"] = json!("resolved");
        for (evidence, public) in [("re_1", Some("re_1")), ("sent to Marta Keller", None)] {
            facts["decision"] = json!({"action": "refund_at_psp", "evidence": evidence, "by": "ana", "at": at(5)});
            let read = raw(&facts, history);
            assert_eq!((read.evidence(), read.private.history.len()), (Some(evidence), 1));
            assert_eq!(read.facts.decision.as_ref().unwrap().evidence.as_deref(), public);
            assert_eq!(read.facts.opening, 0);
        }
        facts["kind"] = json!("dead_letter");
        facts["trigger"] = json!({"body": "{}", "attributes": {"a": "1"}, "message_attributes": {}});
        let read = raw(&facts, "[]");
        assert_eq!(read.facts.trigger, json!({"attributes": {"a": "1"}}));
        assert_eq!(read.private.trigger["body"], "{}");
    }

    #[test]
    fn a_proof_with_invisible_characters_is_the_same_proof() {
        let proof = |text: &str| ActionRequest { evidence: Some(text.to_owned()), ..action("refund_at_psp") };
        let decided = change(item().act(&proof("\u{200B}re_\u{00AD}1 \u{FEFF}"), "ana", at(5)));
        assert_eq!(HumanDecision::of(&decided.next).unwrap().evidence.as_deref(), Some("re_1"));
        assert!(does_nothing(&decided.next.act(&proof("re_1"), "ana", at(6))));
        assert!(does_nothing(&decided.next.act(&proof("re\u{2060}_1"), "ana", at(6))));
        assert_eq!(item().act(&proof("\u{200B} \u{FEFF}"), "ana", at(1)), Err(WorkRefusal::EvidenceMissing));
        // one that was taken before that was looked at
        let mut stored = decided.next;
        stored.facts.decision.as_mut().unwrap().evidence = Some("re_1\u{200B}".to_owned());
        assert_eq!(HumanDecision::of(&stored).unwrap().evidence.as_deref(), Some("re_1"));
    }

    #[test]
    fn resolving_in_own_words_decides_nothing_else() {
        let own = ActionRequest { outcome: Some("called the client".to_owned()), ..action("resolve") };
        let decided = change(item().act(&own, "ana", at(5))).next;
        let human = HumanDecision::of(&decided).unwrap();
        assert_eq!((human.action.as_str(), human.action()), ("resolve", None));
        assert_eq!(HumanDecision::of(&item()), None);
    }

    #[test]
    fn an_action_that_is_not_offered_names_those_that_are() {
        let Err(WorkRefusal::UnknownAction(allowed)) = item().act(&action("mark_credited"), "ana", at(1)) else {
            panic!("taken")
        };
        assert_eq!(
            allowed,
            [
                "claim",
                "release",
                "note",
                "snooze",
                "escalate",
                "resolve",
                "credit_paid_amount",
                "refund_at_psp",
                "mark_debited_on_platform"
            ]
        );
    }

    #[test]
    fn the_most_urgent_comes_first_and_then_what_is_due_first() {
        let ranked = |priority, due| {
            let mut item = item();
            item.facts.priority = priority;
            item.facts.due_at = at(due);
            item.rank().unwrap().1
        };
        let mut ranks = vec![ranked(2, 1), ranked(1, 9), ranked(10, 0), ranked(1, 3)];
        ranks.sort();
        assert_eq!(ranks, [ranked(1, 3), ranked(1, 9), ranked(2, 1), ranked(10, 0)]);
        assert_eq!(item().rank().unwrap().0, "finance#open");
        let decided = change(item().act(&action("credit_paid_amount"), "ana", at(5))).next;
        assert_eq!(decided.rank().unwrap().0, "finance#resolved");
    }

    #[test]
    fn a_snoozed_item_stands_behind_what_is_due_before_and_keeps_its_due_time() {
        let snooze = |until: &str| ActionRequest { until: Some(until.to_owned()), ..action("snooze") };
        let until = at(7_200);
        let snoozed = change(item().act(&snooze(&until.to_string()), "ana", at(1)));
        assert_eq!(snoozed.events, ["work.snoozed"]);
        let snoozed = snoozed.next;
        assert_eq!((snoozed.facts.snoozed_until, snoozed.facts.due_at), (Some(until), item().facts.due_at));
        let mut later = item();
        later.facts.due_at = at(7_000);
        assert!(later.rank() < snoozed.rank() && item().rank() < snoozed.rank());
        assert!(does_nothing(&snoozed.act(&snooze(&until.to_string()), "ana", at(2))), "the same request again");
        // what ends before it is due changes nothing in the order
        let short = change(item().act(&snooze(&at(60).to_string()), "ana", at(1))).next;
        assert_eq!(short.rank(), item().rank());
        for (wrong, refusal) in [
            ("", WorkRefusal::UntilMissing),
            ("tomorrow", WorkRefusal::UntilUnreadable),
            (at(1).to_string().as_str(), WorkRefusal::UntilOutOfRange),
            (at(181 * 86_400).to_string().as_str(), WorkRefusal::UntilOutOfRange),
        ] {
            assert_eq!(item().act(&snooze(wrong), "ana", at(1)), Err(refusal), "{wrong}");
        }
        assert_eq!(item().act(&action("snooze"), "ana", at(1)), Err(WorkRefusal::UntilMissing));
        let claimed = change(item().act(&action("claim"), "ana", at(1))).next;
        let other = claimed.act(&snooze(&until.to_string()), "ben", at(2));
        assert_eq!(other, Err(WorkRefusal::Owned("ana".to_owned())));
    }

    #[test]
    fn a_snooze_ends_once_and_only_when_its_time_has_come() {
        let until = |at: Timestamp| ActionRequest { until: Some(at.to_string()), ..action("snooze") };
        let snoozed = change(item().act(&until(at(100)), "ana", at(1))).next;
        assert_eq!((snoozed.due(), item().due()), (Some(at(100)), None));
        assert_eq!(snoozed.woken(at(99)), Verdict::Nothing("it is snoozed until later"));
        let woken = change(Ok(snoozed.woken(at(105))));
        assert_eq!((woken.events.as_slice(), woken.next.due()), (["work.woke"].as_slice(), None));
        assert_eq!(
            woken.next.private.history.iter().map(|line| line.action.as_str()).collect::<Vec<_>>(),
            ["snooze", "woke"]
        );
        assert_eq!(woken.next.woken(at(106)), Verdict::Nothing("it is not snoozed"));
        // moved on meanwhile, or decided
        let longer = change(snoozed.act(&until(at(500)), "ana", at(50))).next;
        assert_eq!(longer.woken(at(105)), Verdict::Nothing("it is snoozed until later"));
        let decided = change(snoozed.act(&action("resolve"), "ana", at(50))).next;
        assert_eq!((decided.due(), decided.woken(at(105))), (None, Verdict::Nothing("it is not snoozed")));
    }

    #[test]
    fn an_item_is_escalated_one_step_by_each_person_and_never_beyond_the_most_urgent() {
        let mut normal = item();
        normal.facts.priority = 3;
        normal.facts.snoozed_until = Some(at(9_000));
        let escalated = change(normal.act(&action("escalate"), "ana", at(1)));
        assert_eq!(escalated.events, ["work.escalated"]);
        let escalated = escalated.next;
        assert_eq!((escalated.facts.priority, escalated.facts.snoozed_until), (2, None));
        assert!(does_nothing(&escalated.act(&action("escalate"), "ana", at(2))), "the same request again");
        let twice = change(escalated.act(&action("escalate"), "ben", at(3))).next;
        assert_eq!(twice.facts.priority, 1);
        let thrice = change(twice.act(&action("escalate"), "cem", at(4))).next;
        assert_eq!((thrice.facts.priority, thrice.private.history.len()), (1, 3));
        // however much is written about it afterwards, and whoever escalated what it was opened for before
        let mut noted = thrice;
        for _ in 0..HISTORY_MAX {
            noted =
                change(noted.act(&ActionRequest { note: Some("?".to_owned()), ..action("note") }, "ana", at(5))).next;
        }
        assert!(does_nothing(&noted.act(&action("escalate"), "ana", at(6))));
        let closed = change(noted.act(&action("resolve"), "ana", at(7))).next;
        let Verdict::Change(anew) = closed.again(&normal, at(8)) else { panic!("it happened again") };
        assert_eq!(change(anew.next.act(&action("escalate"), "ana", at(9))).next.facts.priority, 2);
    }

    #[test]
    fn an_item_with_the_longest_notes_fits_the_table() {
        // what one person of the queue may write, again and again: 500 characters of four bytes
        const ITEM_BYTES_MAX: usize = 400 * 1_024;
        let mut item = item();
        for n in 0..HISTORY_MAX {
            let text: String = std::iter::repeat_n('\u{1F4B0}', 500).collect();
            item = change(item.act(&ActionRequest { note: Some(text), ..action("note") }, "ana", at(1))).next;
            let (public, private) = entity::write(&item).unwrap();
            let bytes = public.len() + private.map_or(0, |private| private.len());
            assert!(bytes <= ITEM_BYTES_MAX, "{} notes are {bytes} bytes: no version can be saved any more", n + 1);
        }
    }

    fn of_two() -> WorkItem {
        let mut item = item();
        item.facts.options.iter_mut().for_each(|option| option.four_eyes = option.action != "credit_paid_amount");
        item
    }

    fn proven(option: &str, evidence: &str) -> ActionRequest {
        ActionRequest { evidence: Some(evidence.to_owned()), ..action(option) }
    }

    #[test]
    fn what_needs_two_is_proposed_by_one_and_decided_when_another_approves() {
        let proposed = change(of_two().act(&proven("refund_at_psp", "re_1"), "ana", at(1)));
        assert_eq!((proposed.events.as_slice(), &proposed.approver), (["work.proposed"].as_slice(), &None));
        let waiting = proposed.next;
        assert_eq!((waiting.facts.status, &waiting.facts.decision), (WorkStatus::Proposed, &None));
        assert_eq!(HumanDecision::of(&waiting), None, "nothing follows from a proposal");
        assert_eq!(waiting.proposed_by().as_deref(), Some("ana"));
        assert_eq!(waiting.rank().unwrap().0, "finance#open", "whoever approves finds it");
        for own in [proven("refund_at_psp", "re_1"), action("refund_at_psp"), action("approve")] {
            for spelling in ["ana", "ANA", " a\u{200B}na"] {
                assert_eq!(waiting.act(&own, spelling, at(2)), Err(WorkRefusal::OwnProposal), "{own:?}");
            }
        }
        let named = |outcome: &str| ActionRequest { outcome: Some(outcome.to_owned()), ..action("approve") };
        for same in
            [proven("refund_at_psp", "re_1"), action("refund_at_psp"), action("approve"), named("refund_at_psp")]
        {
            let approved = change(waiting.act(&same, "ben", at(3)));
            assert_eq!(
                (approved.events.as_slice(), approved.approver.as_deref()),
                (["work.decided"].as_slice(), Some("ben"))
            );
            let human = HumanDecision::of(&approved.next).unwrap();
            assert_eq!((human.by.as_str(), human.approved_by.as_deref(), human.at), ("ana", Some("ben"), at(3)));
            assert_eq!(human.evidence.as_deref(), Some("re_1"));
            assert!(human.why().contains("by ana, approved by ben"), "{}", human.why());
            assert_eq!((approved.next.facts.status, approved.next.proposed_by()), (WorkStatus::Resolved, None));
            for again in ["ana", "ben"] {
                assert!(does_nothing(&approved.next.act(&proven("refund_at_psp", "re_1"), again, at(4))), "{again}");
            }
            assert_eq!(approved.next.act(&action("approve"), "cem", at(4)), Err(WorkRefusal::Resolved));
        }
        // the option that needs one person is decided by one
        let decided = change(of_two().act(&action("credit_paid_amount"), "ana", at(1)));
        assert_eq!(decided.events, ["work.decided"]);
        assert_eq!(of_two().act(&action("refund_at_psp"), "ana", at(1)), Err(WorkRefusal::EvidenceMissing));
    }

    #[test]
    fn another_decision_than_the_proposal_waits_until_it_is_approved_or_sent_back() {
        let waiting = change(of_two().act(&proven("refund_at_psp", "re_1"), "ana", at(1))).next;
        let refused = WorkRefusal::Proposed { by: "ana".to_owned(), action: "refund_at_psp".to_owned() };
        let own_words = ActionRequest { outcome: Some("called the client".to_owned()), ..action("resolve") };
        for other in [
            action("credit_paid_amount"),
            proven("refund_at_psp", "re_2"),
            proven("approve", "re_2"),
            ActionRequest { outcome: Some("credit_paid_amount".to_owned()), ..action("approve") },
            action("resolve"),
            own_words,
        ] {
            for by in ["ana", "ben"] {
                assert_eq!(waiting.act(&other, by, at(2)), Err(refused.clone()), "{other:?}");
            }
        }
        for owned in ["claim", "release", "snooze"] {
            assert_eq!(waiting.act(&action(owned), "ben", at(2)), Err(WorkRefusal::Owned("ana".to_owned())));
        }
        let Err(WorkRefusal::UnknownAction(allowed)) = waiting.act(&action("shrug"), "ben", at(2)) else {
            panic!("taken")
        };
        assert!(allowed.starts_with(&["approve".to_owned(), "return".to_owned()]), "{allowed:?}");

        assert_eq!(waiting.act(&action("return"), "ben", at(2)), Err(WorkRefusal::NoteMissing));
        let note = ActionRequest { note: Some("the ticket is another client's".to_owned()), ..action("return") };
        let back = change(waiting.act(&note, "ben", at(2)));
        assert_eq!(back.events, ["work.returned"]);
        let back = back.next;
        assert_eq!(
            (back.facts.status, back.facts.owner.as_deref(), back.evidence()),
            (WorkStatus::Claimed, Some("ana"), None)
        );
        assert!(change(back.act(&proven("refund_at_psp", "re_2"), "ana", at(3))).next.facts.proposal.is_some());
        let released = change(waiting.act(&action("release"), "ana", at(2))).next;
        assert_eq!((released.facts.status, released.proposed_by()), (WorkStatus::Open, None));
        let settled = change(Ok(waiting.settled("the money went back by itself", at(2)))).next;
        assert_eq!((settled.facts.status, settled.facts.proposal.clone()), (WorkStatus::Resolved, None));
        assert!(matches!(of_two().act(&action("approve"), "ben", at(2)), Err(WorkRefusal::UnknownAction(_))));
    }

    #[test]
    fn where_approve_is_an_option_of_the_item_it_approves_no_proposal_of_another_option() {
        let mut item = item();
        let option =
            |action: &str| OfferedOption { action: action.to_owned(), label: "…".to_owned(), four_eyes: true };
        item.facts.options = vec![option("approve"), option("decline")];
        let declining = change(item.act(&action("decline"), "ana", at(1))).next;
        let refused = WorkRefusal::Proposed { by: "ana".to_owned(), action: "decline".to_owned() };
        // whoever sends `approve` may mean what was asked for, not that it is declined
        assert_eq!(declining.act(&action("approve"), "ben", at(2)), Err(refused));
        let named = ActionRequest { outcome: Some("decline".to_owned()), ..action("approve") };
        for clear in [action("decline"), named] {
            let approved = change(declining.act(&clear, "ben", at(2))).next;
            assert_eq!(HumanDecision::of(&approved).unwrap().action, "decline");
        }
        let approving = change(item.act(&action("approve"), "ana", at(1))).next;
        let approved = change(approving.act(&action("approve"), "ben", at(2))).next;
        assert_eq!(HumanDecision::of(&approved).unwrap().action, "approve");
    }

    #[test]
    fn no_option_has_the_name_of_what_people_do_with_every_item() {
        for word in rules::WorkAction::ALL {
            let offering = |four_eyes: bool| {
                let mut item = item();
                item.facts.options =
                    vec![OfferedOption { action: word.to_string(), label: "…".to_owned(), four_eyes }];
                item
            };
            let by_one = change(offering(false).act(&proven(word.as_str(), "1"), "ana", at(1))).next;
            let proposed = change(offering(true).act(&proven(word.as_str(), "1"), "ana", at(1))).next;
            let by_two = change(proposed.act(&action(word.as_str()), "ben", at(2))).next;
            for decided in [by_one, by_two] {
                assert_eq!(HumanDecision::of(&decided).and_then(|human| human.action()), Some(*word), "{word}");
            }
        }
    }

    #[test]
    fn an_option_from_before_two_people_decided_needs_one() {
        let mut stored = serde_json::to_value(&item().facts).unwrap();
        assert!(stored.pointer("/options/0/four_eyes").is_none() && stored.get("proposal").is_none());
        stored["options"] = json!([{"action": "close", "label": "Close"}]);
        let facts: WorkFacts = serde_json::from_value(stored).unwrap();
        assert!(!facts.options[0].four_eyes);
    }

    #[test]
    fn a_long_history_keeps_its_newest_lines_and_what_is_stored_is_what_is_read() {
        let mut item = item();
        for n in 0..HISTORY_MAX + 5 {
            let note = ActionRequest { note: Some(n.to_string()), ..action("note") };
            item = change(item.act(&note, "ana", at(1))).next;
        }
        assert_eq!(item.private.history.len(), HISTORY_MAX);
        assert_eq!(item.private.history.last().and_then(|line| line.note.clone()), Some((HISTORY_MAX + 4).to_string()));
        let (public, private) = entity::write(&item).unwrap();
        let raw = Raw::of::<WorkItem>(item.id.as_str(), &public, private.as_deref());
        assert_eq!(entity::read::<WorkItem>(raw, None, None).unwrap(), item);
    }
}
