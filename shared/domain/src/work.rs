//! Work items: where the automation hands over to a person.

pub mod rules;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::decision::{Decision, Verdict};
use crate::entity::{Entity, InCrm, Parts, ReadError};
use crate::visible::visible;
use crate::{ClientId, Seconds, Timestamp, WorkId};

/// Where a work item stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WorkStatus {
    /// Nobody's.
    Open,
    /// Somebody's.
    Claimed,
    /// Decided and done.
    Resolved,
}

impl WorkStatus {
    /// The status as the API writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Claimed => "claimed",
            Self::Resolved => "resolved",
        }
    }
}

/// One thing a person may decide.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "API.md names them")]
pub struct WorkOption {
    pub action: String,
    pub label: String,
}

/// The decision of a work item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkDecision {
    /// One of the options, or `resolve`.
    pub action: String,
    /// What proves it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<String>,
    /// Who decided.
    pub by: String,
    /// When.
    pub at: Timestamp,
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
    /// Ids only: `payment_id`, `account_id`, `client_id`.
    pub subject: Value,
    /// What set it off.
    pub trigger: Value,
    /// What is normal for this client or flow.
    pub pattern: Value,
    pub options: Vec<WorkOption>,
    pub runbook: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decision: Option<WorkDecision>,
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
    /// Notes of people, which may name the client.
    pub history: Vec<WorkLine>,
}

/// What a person asks for.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "API.md names them")]
pub struct WorkAction {
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

impl WorkAction {
    fn proof(&self) -> Option<String> {
        proof(self.evidence.as_deref())
    }
}

/// What can be seen of evidence, without the blanks around it: it is compared and kept as the other side's number. An empty one is none.
fn proof(evidence: Option<&str>) -> Option<String> {
    evidence.map(|text| visible(text).trim().to_owned()).filter(|text| !text.is_empty())
}

/// Why an action is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WorkRefusal {
    /// The item is already decided.
    Resolved,
    /// Another person has it.
    Owned(String),
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
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HumanDecision {
    /// Kind of the work item.
    pub kind: String,
    /// What set the work item off, if it says so.
    pub trigger: Option<String>,
    /// Option of the `desk` rule set, e.g. `mark_credited`, or `resolve`.
    pub action: String,
    /// What proves it: the platform's ticket, the provider's refund id, a login.
    pub evidence: Option<String>,
    /// Who decided.
    pub by: String,
    /// When.
    pub at: Timestamp,
}

impl HumanDecision {
    /// The decision of a work item, once there is one.
    pub fn of(item: &WorkFacts) -> Option<Self> {
        let decision = item.decision.as_ref()?;
        Some(Self {
            kind: item.kind.clone(),
            trigger: item.trigger.get("what").and_then(Value::as_str).map(str::to_owned),
            action: decision.action.clone(),
            evidence: proof(decision.evidence.as_deref()),
            by: decision.by.clone(),
            at: decision.at,
        })
    }

    /// Whether it decides the work item of this kind and trigger.
    pub fn is_about(&self, kind: &str, trigger: &str) -> bool {
        self.kind == kind && self.trigger.as_deref().is_none_or(|own| own == trigger)
    }

    /// The option chosen; none if the item was closed in the person's own words.
    pub fn action(&self) -> Option<rules::WorkAction> {
        self.action.parse().ok()
    }

    pub(crate) fn why(&self) -> String {
        format!("{} by {}, evidence: {}", self.action, self.by, self.evidence.as_deref().unwrap_or("none"))
    }
}

impl WorkItem {
    /// The decision that opens an item.
    pub fn opened(self) -> Decision<Self> {
        let why = vec![format!("{} for {}", self.facts.kind, self.facts.queue)];
        Decision::new(self, "opened", vec!["work.opened"], why)
    }

    /// What it was opened for happens again. An open item stands as it is; one that was resolved is opened anew, because what
    /// was done did not help.
    pub fn again(&self, facts: &WorkFacts, now: Timestamp) -> Verdict<Self> {
        if self.facts.status != WorkStatus::Resolved {
            return Verdict::Nothing("it is open already");
        }
        let mut next = Self { facts: facts.clone(), ..self.clone() };
        next.facts.created_at = self.facts.created_at;
        next.line(now, "automation", "reopened", None);
        Verdict::change(
            next,
            "reopened",
            vec!["work.opened"],
            vec!["it happened again after it was resolved".to_owned()],
        )
    }

    /// What it was opened for is moot: it closes itself. Nobody decided, so nothing follows.
    pub fn settled(&self, why: &str, now: Timestamp) -> Verdict<Self> {
        if self.facts.status == WorkStatus::Resolved {
            return Verdict::Nothing("it is closed already");
        }
        let mut next = self.clone();
        next.facts.status = WorkStatus::Resolved;
        next.line(now, "automation", "settled", Some(why));
        Verdict::change(next, "settled", vec![], vec![why.to_owned()])
    }

    fn line(&mut self, at: Timestamp, by: &str, action: &str, note: Option<&str>) {
        self.history.push(WorkLine { at, by: by.to_owned(), action: action.to_owned(), note: note.map(str::to_owned) });
        let mut bytes = 0;
        let fits = |line: &&WorkLine| {
            bytes += line.by.len() + line.action.len() + line.note.as_ref().map_or(0, String::len);
            bytes <= NOTES_MAX
        };
        let kept = self.history.iter().rev().take(HISTORY_MAX).take_while(fits).count().max(1);
        self.history.drain(..self.history.len().saturating_sub(kept));
    }

    /// Applies a person's action.
    ///
    /// # Errors
    /// [`WorkRefusal`].
    pub fn act(&self, action: &WorkAction, by: &str, now: Timestamp) -> Result<Verdict<Self>, WorkRefusal> {
        if self.facts.status == WorkStatus::Resolved {
            return self.repeated(action, by);
        }
        if action.action != "note"
            && let Some(owner) = self.facts.owner.as_deref().filter(|owner| *owner != by)
        {
            return Err(WorkRefusal::Owned(owner.to_owned()));
        }
        let note = action.note.as_deref().map(str::trim).filter(|n| !n.is_empty());
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
        action: &WorkAction,
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

    /// When it is looked at next: when it is due, or when its snooze ends, whichever is later.
    fn comes_up_at(&self) -> Timestamp {
        self.facts.snoozed_until.map_or(self.facts.due_at, |until| until.max(self.facts.due_at))
    }

    fn decide(
        &self,
        mut next: Self,
        action: &WorkAction,
        by: &str,
        now: Timestamp,
    ) -> Result<Verdict<Self>, WorkRefusal> {
        let chosen = self.chosen(action)?;
        let evidence = action.proof();
        if chosen.parse().is_ok_and(rules::WorkAction::needs_evidence) && evidence.is_none() {
            return Err(WorkRefusal::EvidenceMissing);
        }
        next.facts.status = WorkStatus::Resolved;
        next.facts.owner = Some(by.to_owned());
        let why = vec![format!("{chosen} by {by}")];
        next.facts.decision = Some(WorkDecision { action: chosen, evidence, by: by.to_owned(), at: now });
        Ok(Verdict::change(next, "resolved", vec!["work.decided"], why))
    }

    /// The option meant: named as the action itself, or as the outcome of `resolve`.
    fn chosen(&self, action: &WorkAction) -> Result<String, WorkRefusal> {
        let named = match (action.action.as_str(), action.outcome.as_deref()) {
            ("resolve", None) => return Ok("resolve".to_owned()),
            ("resolve", Some(outcome)) => outcome,
            (other, _) => other,
        };
        if self.facts.options.iter().any(|option| option.action == named) {
            return Ok(named.to_owned());
        }
        if action.action == "resolve" {
            // an outcome in the person's own words closes the item without telling the automation anything
            return Ok("resolve".to_owned());
        }
        let mut allowed: Vec<String> =
            ["claim", "release", "note", "snooze", "escalate", "resolve"].map(str::to_owned).to_vec();
        allowed.extend(self.facts.options.iter().map(|option| option.action.clone()));
        Err(WorkRefusal::UnknownAction(allowed))
    }

    fn repeated(&self, action: &WorkAction, by: &str) -> Result<Verdict<Self>, WorkRefusal> {
        let same = self.facts.decision.as_ref().is_some_and(|decision| {
            decision.by == by
                && self.chosen(action).is_ok_and(|chosen| chosen == decision.action)
                && proof(decision.evidence.as_deref()) == action.proof()
        });
        if same { Ok(Verdict::Nothing("it is already decided so")) } else { Err(WorkRefusal::Resolved) }
    }
}

impl Entity for WorkItem {
    type Id = WorkId;
    type Table = InCrm;
    type Public = WorkFacts;
    type Private = Vec<WorkLine>;
    const KIND: &'static str = "work";

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

    fn public(&self) -> &WorkFacts {
        &self.facts
    }

    fn private(&self) -> &Vec<WorkLine> {
        &self.history
    }

    fn from_parts(parts: Parts<Self>) -> Result<Self, ReadError> {
        Ok(Self { id: parts.id, client_id: parts.client, facts: parts.public, history: parts.private })
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
        let option = |action: &str| WorkOption { action: action.to_owned(), label: action.to_owned() };
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
            subject: json!({"payment_id": "pay_1"}),
            trigger: json!({"what": "evt_1"}),
            pattern: json!({}),
            options: vec![option("credit_paid_amount"), option("refund_at_psp"), option("mark_debited_on_platform")],
            runbook: "deposit_failed_after_success".to_owned(),
            decision: None,
        };
        WorkItem { id: WorkId::from_bits(1), client_id: None, facts, history: vec![] }
    }

    fn action(action: &str) -> WorkAction {
        WorkAction { action: action.to_owned(), note: None, until: None, outcome: None, evidence: None }
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
        assert_eq!(item.again(&item.facts, at(1)), Verdict::Nothing("it is open already"));
        let resolved = change(item.act(&action("resolve"), "ana", at(5))).next;
        let fresh = WorkFacts { due_at: at(9_000), trigger: json!({"what": "evt_2"}), ..item.facts.clone() };
        let again = change(Ok(resolved.again(&fresh, at(6))));
        assert_eq!((again.outcome, again.events.as_slice()), ("reopened", ["work.opened"].as_slice()));
        assert_eq!((again.next.facts.status, &again.next.facts.decision), (WorkStatus::Open, &None));
        assert_eq!((again.next.facts.due_at, again.next.facts.owner.clone()), (at(9_000), None));
        assert_eq!(again.next.history.last().map(|line| line.action.as_str()), Some("reopened"));
    }

    #[test]
    fn anybody_leaves_a_note_and_an_empty_one_is_none() {
        let claimed = change(item().act(&action("claim"), "ana", at(1))).next;
        let note = WorkAction { note: Some(" seen at the provider ".to_owned()), ..action("note") };
        let noted = change(claimed.act(&note, "ben", at(2)));
        let line = noted.next.history.last().unwrap();
        assert_eq!((line.by.as_str(), line.note.as_deref()), ("ben", Some("seen at the provider")));
        assert_eq!((noted.next.facts, noted.events.len()), (claimed.facts.clone(), 0));
        let empty = WorkAction { note: Some("  ".to_owned()), ..action("note") };
        assert_eq!(claimed.act(&empty, "ben", at(2)), Err(WorkRefusal::NoteMissing));
    }

    #[test]
    fn what_was_done_elsewhere_needs_its_proof() {
        for option in ["refund_at_psp", "mark_debited_on_platform"] {
            for evidence in [None, Some("  ")] {
                let unproven = WorkAction { evidence: evidence.map(str::to_owned), ..action(option) };
                assert_eq!(item().act(&unproven, "ana", at(1)), Err(WorkRefusal::EvidenceMissing), "{option}");
                let named = WorkAction { outcome: Some(option.to_owned()), ..unproven };
                let named = WorkAction { action: "resolve".to_owned(), ..named };
                assert_eq!(item().act(&named, "ana", at(1)), Err(WorkRefusal::EvidenceMissing), "{option}");
            }
        }
        assert!(item().act(&action("credit_paid_amount"), "ana", at(1)).is_ok());
    }

    #[test]
    fn a_decision_is_announced_with_its_proof_and_stands() {
        let proven = WorkAction { evidence: Some(" re_1 ".to_owned()), ..action("refund_at_psp") };
        let decided = change(item().act(&proven, "ana", at(5)));
        assert_eq!(
            (decided.events.as_slice(), decided.next.facts.status),
            (["work.decided"].as_slice(), WorkStatus::Resolved)
        );
        let human = HumanDecision::of(&decided.next.facts).unwrap();
        assert_eq!((human.action(), human.evidence.as_deref()), (Some(rules::WorkAction::RefundAtPsp), Some("re_1")));
        assert!(human.is_about("deposit_failed_after_success", "evt_1"));
        assert!(!human.is_about("deposit_failed_after_success", "evt_2"));
        assert!(!human.is_about("deposit_overpaid", "evt_1"));
        assert!(does_nothing(&decided.next.act(&proven, "ana", at(6))));
        for other in [action("credit_paid_amount"), WorkAction { evidence: Some("re_2".to_owned()), ..proven.clone() }]
        {
            assert_eq!(decided.next.act(&other, "ana", at(6)), Err(WorkRefusal::Resolved));
        }
        assert_eq!(decided.next.act(&proven, "ben", at(6)), Err(WorkRefusal::Resolved));
    }

    #[test]
    fn a_proof_with_invisible_characters_is_the_same_proof() {
        let proof = |text: &str| WorkAction { evidence: Some(text.to_owned()), ..action("refund_at_psp") };
        let decided = change(item().act(&proof("\u{200B}re_\u{00AD}1 \u{FEFF}"), "ana", at(5)));
        assert_eq!(HumanDecision::of(&decided.next.facts).unwrap().evidence.as_deref(), Some("re_1"));
        assert!(does_nothing(&decided.next.act(&proof("re_1"), "ana", at(6))));
        assert!(does_nothing(&decided.next.act(&proof("re\u{2060}_1"), "ana", at(6))));
        assert_eq!(item().act(&proof("\u{200B} \u{FEFF}"), "ana", at(1)), Err(WorkRefusal::EvidenceMissing));
        // one that was taken before that was looked at
        let mut stored = decided.next.facts;
        stored.decision.as_mut().unwrap().evidence = Some("re_1\u{200B}".to_owned());
        assert_eq!(HumanDecision::of(&stored).unwrap().evidence.as_deref(), Some("re_1"));
    }

    #[test]
    fn resolving_in_own_words_decides_nothing_else() {
        let own = WorkAction { outcome: Some("called the client".to_owned()), ..action("resolve") };
        let decided = change(item().act(&own, "ana", at(5))).next;
        let human = HumanDecision::of(&decided.facts).unwrap();
        assert_eq!((human.action.as_str(), human.action()), ("resolve", None));
        assert_eq!(HumanDecision::of(&item().facts), None);
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
        let snooze = |until: &str| WorkAction { until: Some(until.to_owned()), ..action("snooze") };
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
        assert_eq!((thrice.facts.priority, thrice.history.len()), (1, 3));
        // however much is written about it afterwards, and whoever escalated what it was opened for before
        let mut noted = thrice;
        for _ in 0..HISTORY_MAX {
            noted = change(noted.act(&WorkAction { note: Some("?".to_owned()), ..action("note") }, "ana", at(5))).next;
        }
        assert!(does_nothing(&noted.act(&action("escalate"), "ana", at(6))));
        let closed = change(noted.act(&action("resolve"), "ana", at(7))).next;
        let Verdict::Change(anew) = closed.again(&normal.facts, at(8)) else { panic!("it happened again") };
        assert_eq!(change(anew.next.act(&action("escalate"), "ana", at(9))).next.facts.priority, 2);
    }

    #[test]
    fn an_item_with_the_longest_notes_fits_the_table() {
        // what one person of the queue may write, again and again: 500 characters of four bytes
        const ITEM_BYTES_MAX: usize = 400 * 1_024;
        let mut item = item();
        for n in 0..HISTORY_MAX {
            let text: String = std::iter::repeat_n('\u{1F4B0}', 500).collect();
            item = change(item.act(&WorkAction { note: Some(text), ..action("note") }, "ana", at(1))).next;
            let (public, private) = entity::write(&item).unwrap();
            let bytes = public.len() + private.map_or(0, |private| private.len());
            assert!(bytes <= ITEM_BYTES_MAX, "{} notes are {bytes} bytes: no version can be saved any more", n + 1);
        }
    }

    #[test]
    fn a_long_history_keeps_its_newest_lines_and_what_is_stored_is_what_is_read() {
        let mut item = item();
        for n in 0..HISTORY_MAX + 5 {
            let note = WorkAction { note: Some(n.to_string()), ..action("note") };
            item = change(item.act(&note, "ana", at(1))).next;
        }
        assert_eq!(item.history.len(), HISTORY_MAX);
        assert_eq!(item.history.last().and_then(|line| line.note.clone()), Some((HISTORY_MAX + 4).to_string()));
        let (public, private) = entity::write(&item).unwrap();
        let raw = Raw::of::<WorkItem>(item.id.as_str(), &public, private.as_deref());
        assert_eq!(entity::read::<WorkItem>(raw, None, None).unwrap(), item);
    }
}
