//! A change of an account that is open: what it may do, its leverage or its type; and its closing and reopening.
//!
//! A change is asked for, judged by rule, approved by whom the rule says, set on the platform, and then kept on the account's
//! record. Setting twice is setting once, so what became of a call whose answer is lost is not looked up: it is made again, as soon
//! as the first can no longer arrive. Of each [`Aspect`] an account has one change at a time: a second one waits for nobody, it is
//! refused.

pub mod wish;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::rules::{Asker, ChangeKind, Needs};
use super::{Account, AccountStatus};
use crate::decision::{Decision, Verdict, derived_bits};
use crate::entity::{Entity, InCrm, Parts, ReadError};
use crate::four_eyes::person;
use crate::words::words;
use crate::work::rules::{WorkAction, WorkKind};
use crate::work::{HumanDecision, Review};
use crate::{AccountId, ChangeId, ClientId, Seconds, Timestamp};

/// How long after an attempt its call may still reach the platform.
pub const GRACE: Seconds = super::GRACE;
/// First wait before a change that the platform did not take is sent again; it doubles.
const RETRY: Seconds = Seconds(30);
/// Longest such wait.
const RETRY_MAX: Seconds = Seconds(600);
/// How long the automation tries before a person must look.
const REVIEW_AFTER: Seconds = Seconds(1_800);

words! {
    /// What the client may do with an account.
    Access {
        /// Log in and trade.
        Full = "full",
        /// Log in and close what is open.
        CloseOnly = "close_only",
        /// Log in and look.
        NoTrading = "no_trading",
        /// Nothing.
        NoLogin = "no_login",
    }
}

words! {
    /// What a change is about. Changes of different aspects do not touch one another on any platform.
    Aspect {
        /// Leverage and account type.
        Terms = "terms",
        /// What the client may do, and whether the account is in use at all.
        Access = "access",
    }
}

words! {
    /// Whether an account is in use.
    Standing {
        /// In use.
        Open = "open",
        /// Put away: nobody trades on it or pays into it.
        Closed = "closed",
    }
}

words! {
    /// Where a change stands.
    ChangeStatus {
        /// A person decides whether it is made.
        InReview = "in_review",
        /// To be set.
        Approved = "approved",
        /// Sent to the platform; it may be under way.
        Setting = "setting",
        /// The platform does not take it; a person decides.
        Unresolved = "unresolved",
        /// Set.
        Done = "done",
        /// A person decided against it.
        Rejected = "rejected",
        /// It was not made.
        Failed = "failed",
    }
}

impl ChangeStatus {
    /// Whether nothing more comes of it.
    pub fn is_over(self) -> bool {
        match self {
            Self::InReview | Self::Approved | Self::Setting | Self::Unresolved => false,
            Self::Done | Self::Rejected | Self::Failed => true,
        }
    }
}

/// What an account is to be set to; what is absent stays.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wanted {
    /// 30 stands for 1:30.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub leverage: Option<u32>,
    /// Another account type, with the group that follows from it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account_type: Option<String>,
    /// The group on the same server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// What the client may do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access: Option<Access>,
    /// Whether the account is in use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<Standing>,
}

impl Wanted {
    /// Its aspect; none where it wants nothing, or things of two aspects at once.
    pub fn aspect(&self) -> Option<Aspect> {
        let terms = self.leverage.is_some() || self.account_type.is_some() || self.group.is_some();
        let access = self.access.is_some() || self.status.is_some();
        match (terms, access) {
            (true, false) => Some(Aspect::Terms),
            (false, true) => Some(Aspect::Access),
            (true, true) | (false, false) => None,
        }
    }

    /// The kinds of change that rules judge.
    pub fn kinds(&self) -> Vec<ChangeKind> {
        let standing = self.status.map(|status| match status {
            Standing::Closed => ChangeKind::Archive,
            Standing::Open => ChangeKind::Reopen,
        });
        let plain = [
            self.leverage.map(|_| ChangeKind::Leverage),
            self.account_type.as_ref().map(|_| ChangeKind::AccountType),
            // closing and reopening say what the client may do then
            self.access.filter(|_| standing.is_none()).map(|_| ChangeKind::Access),
        ];
        plain.into_iter().chain([standing]).flatten().collect()
    }

    /// The same in words, for journal and desk.
    pub fn words(&self) -> String {
        let parts = [
            self.leverage.map(|leverage| format!("leverage 1:{leverage}")),
            self.account_type.as_ref().map(|name| format!("account type {name}")),
            self.group.as_ref().map(|group| format!("group {group}")),
            self.access.map(|access| format!("access {access}")),
            self.status.map(|status| format!("status {status}")),
        ];
        parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
    }
}

/// What an account has of its changes: part of its public part.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Upkeep {
    /// What we last set that the client may do; absent where that was never changed: everything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access: Option<Access>,
    /// When the newest change that was made was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changed_at: Option<Timestamp>,
    /// The change that is asked for, of each aspect.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub changes: BTreeMap<Aspect, ChangeId>,
}

/// The public part of a change: also what a person who sets it by hand must type.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "plain")]
pub struct ChangeFacts {
    pub status: ChangeStatus,
    pub account_id: AccountId,
    pub wanted: Wanted,
    /// What it was before, as far as we know.
    pub before: Wanted,
    pub platform: String,
    pub server: String,
    pub login: String,
    pub needs: Needs,
    /// Who asked: the subject of the token.
    pub asked_by: String,
    /// Client or staff; changes of earlier versions do not say so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<Asker>,
    pub created_at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub review: Option<Review>,
}

/// The private part of a change.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangeInner {
    /// When it was last sent, unless it surely was not taken.
    #[serde(rename = "ta", default, skip_serializing_if = "Option::is_none")]
    pub attempted: Option<Timestamp>,
    /// How often it was sent.
    #[serde(rename = "n", default)]
    pub attempts: u32,
    /// Since when a person is asked.
    #[serde(rename = "rv", default, skip_serializing_if = "Option::is_none")]
    pub asked: Option<Timestamp>,
    /// Since when the automation tries.
    #[serde(rename = "tr", default, skip_serializing_if = "Option::is_none")]
    pub tried_since: Option<Timestamp>,
    /// Since when the account that is to be closed takes no more money.
    #[serde(rename = "sh", default, skip_serializing_if = "Option::is_none")]
    pub shut: Option<Timestamp>,
    /// Whether the account's record says what became of it.
    #[serde(rename = "k", default)]
    pub kept: bool,
}

/// A change of an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Its id.
    pub id: ChangeId,
    /// Whose account it is.
    pub client_id: ClientId,
    /// When something must happen although no trigger comes.
    pub due: Option<Timestamp>,
    /// What events carry.
    pub facts: ChangeFacts,
    /// What they do not.
    pub inner: ChangeInner,
}

/// What the worker must do next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangeStep {
    /// The account is to be closed: from now on it takes no money, see [`Change::shut`].
    Shut,
    /// Whether an account that takes no more money may be closed is to be seen, and then [`Self::Set`].
    CheckAndSet,
    /// Save the intent, then call.
    Set,
    /// Tell the account what became of it.
    Keep,
    /// Nothing; the reason.
    Nothing(&'static str),
}

/// What the platform did with a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SetOutcome {
    /// It is set.
    Set,
    /// Certainly not set; it may be sent again.
    NotApplied(String),
    /// Certainly not set, and never will be as it is.
    Refused(String),
    /// May have been set.
    Unknown(String),
}

impl Change {
    /// The decision that asks for it; `why` is what the rules said.
    pub fn asked(mut self, mut why: Vec<String>) -> Decision<Self> {
        why.insert(0, self.facts.wanted.words());
        let kind = match self.facts.needs {
            Needs::Auto => None,
            Needs::Approve => Some(WorkKind::AccountChangeApproval),
            Needs::FourEyes => Some(WorkKind::AccountChangeFourEyes),
        };
        match kind {
            None => {
                self.facts.status = ChangeStatus::Approved;
                self.due = Some(self.facts.created_at.plus(GRACE));
                self.inner.tried_since = Some(self.facts.created_at);
                Decision::new(self, "approved", vec!["change.wanted"], why)
            }
            Some(kind) => {
                self.facts.status = ChangeStatus::InReview;
                self.wait_for(kind, self.facts.created_at);
                Decision::new(self, "in_review", vec!["desk.item"], why)
            }
        }
    }

    /// Each time that a person is asked is an item of its own.
    fn wait_for(&mut self, kind: WorkKind, now: Timestamp) {
        self.facts.review = Some(Review::of(kind, now.to_string()));
        self.inner.asked = Some(now);
    }

    fn closes(&self) -> bool {
        self.facts.wanted.status == Some(Standing::Closed)
    }

    /// The worker's next step.
    pub fn step(&self, now: Timestamp) -> ChangeStep {
        match self.facts.status {
            ChangeStatus::InReview | ChangeStatus::Unresolved => ChangeStep::Nothing("a person decides about it"),
            ChangeStatus::Approved if self.closes() => match self.inner.shut {
                None => ChangeStep::Shut,
                Some(shut) if now < shut.plus(GRACE) => ChangeStep::Nothing("a payment may just have begun"),
                Some(_) => ChangeStep::CheckAndSet,
            },
            ChangeStatus::Approved => ChangeStep::Set,
            ChangeStatus::Setting if !self.grace_over(now) => ChangeStep::Nothing("it may still be under way"),
            ChangeStatus::Setting => ChangeStep::Set,
            ChangeStatus::Done | ChangeStatus::Rejected | ChangeStatus::Failed if !self.inner.kept => ChangeStep::Keep,
            ChangeStatus::Done | ChangeStatus::Rejected | ChangeStatus::Failed => ChangeStep::Nothing("it is over"),
        }
    }

    /// Whether no earlier call can still arrive at the platform.
    pub fn grace_over(&self, now: Timestamp) -> bool {
        self.inner.attempted.is_none_or(|at| now >= at.plus(GRACE))
    }

    /// The account takes no more money: whatever payment began before is seen when [`GRACE`] is over.
    pub fn shut(&self, now: Timestamp) -> Decision<Self> {
        let mut next = self.clone();
        next.inner.shut = Some(now);
        next.inner.tried_since = Some(now);
        next.due = Some(now.plus(GRACE));
        Decision::new(next, "shut", vec![], vec!["no more deposits from now on".to_owned()])
    }

    /// Whether it may be sent now: no earlier call can still arrive.
    fn is_sendable(&self, now: Timestamp) -> bool {
        match self.facts.status {
            ChangeStatus::Approved => true,
            ChangeStatus::Setting => self.grace_over(now),
            ChangeStatus::InReview
            | ChangeStatus::Unresolved
            | ChangeStatus::Done
            | ChangeStatus::Rejected
            | ChangeStatus::Failed => false,
        }
    }

    /// The intent, before the call.
    pub fn intend(&self, now: Timestamp) -> Verdict<Self> {
        if !self.is_sendable(now) {
            return Verdict::Nothing("it is not to be set now");
        }
        let mut next = self.clone();
        next.facts.status = ChangeStatus::Setting;
        next.inner.attempted = Some(now);
        next.inner.attempts = self.inner.attempts.saturating_add(1);
        next.due = Some(now.plus(GRACE));
        let why = vec![format!("set {} on {}", self.facts.wanted.words(), self.facts.server)];
        Verdict::change(next, "setting", vec![], why)
    }

    /// The outcome of a call.
    pub fn outcome(&self, outcome: SetOutcome, now: Timestamp) -> Verdict<Self> {
        if self.facts.status != ChangeStatus::Setting {
            return Verdict::Nothing("the change is no longer under way");
        }
        match outcome {
            SetOutcome::Set => self.over(ChangeStatus::Done, vec![], now),
            SetOutcome::Refused(reason) => self.unresolved(WorkKind::AccountChangeRefused, reason, now),
            SetOutcome::NotApplied(reason) | SetOutcome::Unknown(reason) if self.too_old(now) => {
                self.unresolved(WorkKind::AccountChangeUnresolved, reason, now)
            }
            SetOutcome::NotApplied(reason) => {
                let mut next = self.clone();
                next.facts.status = ChangeStatus::Approved;
                next.inner.attempted = None;
                next.due = Some(now.plus(self.pause()));
                Verdict::change(next, "not_applied", vec![], vec![reason])
            }
            SetOutcome::Unknown(reason) => {
                let mut next = self.clone();
                let grace = self.inner.attempted.unwrap_or(now).plus(GRACE);
                next.due = Some(grace.max(now.plus(self.pause())));
                Verdict::change(next, "unknown", vec![], vec![reason])
            }
        }
    }

    /// It cannot be made as things are now, which nobody need decide about: it is over. One whose answer was lost may have been set all
    /// the same, and nobody but a person can say so.
    pub fn impossible(&self, reason: &str, now: Timestamp) -> Verdict<Self> {
        match self.facts.status {
            ChangeStatus::Approved => self.over(ChangeStatus::Failed, vec![reason.to_owned()], now),
            ChangeStatus::Setting if self.grace_over(now) => {
                self.unresolved(WorkKind::AccountChangeUnresolved, reason.to_owned(), now)
            }
            ChangeStatus::Setting => Verdict::Nothing("it may still be under way"),
            ChangeStatus::InReview
            | ChangeStatus::Unresolved
            | ChangeStatus::Done
            | ChangeStatus::Rejected
            | ChangeStatus::Failed => Verdict::Nothing("it is not to be set now"),
        }
    }

    /// It could not even be tried, because the server cannot be asked: later again, and in the end a person's.
    pub fn not_tried(&self, reason: String, now: Timestamp) -> Verdict<Self> {
        if !self.is_sendable(now) {
            return Verdict::Nothing("it is not to be set now");
        }
        if self.too_old(now) {
            return self.unresolved(WorkKind::AccountChangeUnresolved, reason, now);
        }
        let mut next = self.clone();
        next.inner.attempts = self.inner.attempts.saturating_add(1);
        next.due = Some(now.plus(self.pause()));
        Verdict::change(next, "not_tried", vec![], vec![reason])
    }

    /// Its server is being maintained until then: it waits, and its time begins anew afterwards.
    pub fn waits_for_server(&self, until: Timestamp) -> Verdict<Self> {
        let is_wanted = matches!(self.facts.status, ChangeStatus::Approved | ChangeStatus::Setting);
        if !is_wanted || self.inner.tried_since == Some(until) {
            return Verdict::Nothing("it waits for nothing new");
        }
        let mut next = self.clone();
        next.inner.tried_since = Some(until);
        next.due = Some(self.inner.attempted.map_or(until, |at| at.plus(GRACE)).max(until));
        Verdict::change(next, "maintenance", vec![], vec![format!("{} is being maintained", self.facts.server)])
    }

    /// Longer after each attempt, and not for all changes of a server at once: up to a quarter of it is drawn from the id.
    fn pause(&self) -> Seconds {
        let Seconds(pause) = RETRY.doubled(self.inner.attempts.saturating_sub(1), RETRY_MAX);
        let drawn = derived_bits(Timestamp::EPOCH, &[self.id.as_str(), &self.inner.attempts.to_string()]);
        let quarter = u128::from(pause / 4).saturating_add(1);
        Seconds(pause.saturating_add(u32::try_from(drawn % quarter).unwrap_or(0)))
    }

    fn too_old(&self, now: Timestamp) -> bool {
        now >= self.inner.tried_since.unwrap_or(self.facts.created_at).plus(REVIEW_AFTER)
    }

    fn unresolved(&self, kind: WorkKind, reason: String, now: Timestamp) -> Verdict<Self> {
        let mut next = self.clone();
        next.due = None;
        next.facts.status = ChangeStatus::Unresolved;
        next.wait_for(kind, now);
        Verdict::change(next, "unresolved", vec!["desk.item"], vec![reason])
    }

    /// Nothing more comes of it but that the account is told, at once, or when it is due.
    fn over(&self, status: ChangeStatus, why: Vec<String>, now: Timestamp) -> Verdict<Self> {
        let mut next = self.clone();
        next.facts.status = status;
        next.facts.review = None;
        next.inner.kept = false;
        next.due = Some(now.plus(RETRY));
        Verdict::change(next, status.as_str(), vec![], why)
    }

    /// Applies a person's decision on the item that the change waits for.
    pub fn decided(&self, decision: &HumanDecision, now: Timestamp) -> Verdict<Self> {
        let waits = self.facts.review.as_ref().is_some_and(|own| decision.is_about(&own.kind, &own.trigger));
        if !waits || self.facts.status.is_over() {
            return Verdict::Nothing("the change does not wait for this decision; it is kept with the work item");
        }
        if self.inner.asked.is_some_and(|asked| decision.at < asked) {
            return Verdict::Nothing("it was decided before the change came to wait for a person again");
        }
        let why = vec![decision.why()];
        match (self.facts.status, decision.action()) {
            (ChangeStatus::InReview, Some(WorkAction::Approve)) => match self.refuses_approval(decision) {
                None => self.set_out(why, now),
                Some(reason) => self.ask_again(reason, why, now),
            },
            (ChangeStatus::InReview, Some(WorkAction::Reject)) => self.over(ChangeStatus::Rejected, why, now),
            (ChangeStatus::Unresolved, Some(WorkAction::MarkChanged)) => self.over(ChangeStatus::Done, why, now),
            (ChangeStatus::Unresolved, Some(WorkAction::Retry)) => self.set_out(why, now),
            (ChangeStatus::Unresolved, Some(WorkAction::CloseWithoutChange)) => {
                self.over(ChangeStatus::Failed, why, now)
            }
            _ => self.ask_again("it does not say what becomes of the change", why, now),
        }
    }

    /// Whoever asked for it cannot approve it, and where two people must, two did.
    fn refuses_approval(&self, decision: &HumanDecision) -> Option<&'static str> {
        let asker = person(&self.facts.asked_by);
        let approvers = [Some(&decision.by), decision.approved_by.as_ref()];
        if approvers.into_iter().flatten().any(|approver| person(approver) == asker) {
            return Some("whoever asked for it cannot approve it");
        }
        let needs_two = match self.facts.needs {
            Needs::FourEyes => true,
            Needs::Auto | Needs::Approve => false,
        };
        (needs_two && decision.approved_by.is_none()).then_some("two people must approve it")
    }

    fn set_out(&self, why: Vec<String>, now: Timestamp) -> Verdict<Self> {
        let mut next = self.clone();
        // an earlier call may still be under way: it is waited for as ever
        next.facts.status = match self.inner.attempted {
            Some(_) => ChangeStatus::Setting,
            None => ChangeStatus::Approved,
        };
        next.facts.review = None;
        next.inner.tried_since = Some(now);
        next.due = Some(self.inner.attempted.map_or(now, |at| at.plus(GRACE)).max(now.plus(RETRY)));
        Verdict::change(next, "approved", vec!["change.wanted"], why)
    }

    fn ask_again(&self, reason: &str, mut why: Vec<String>, now: Timestamp) -> Verdict<Self> {
        why.push(format!("the change still waits: {reason}"));
        let mut next = self.clone();
        if let Some(review) = &mut next.facts.review {
            review.trigger = now.to_string();
        }
        next.inner.asked = Some(now);
        Verdict::change(next, "needs_review", vec!["desk.item"], why)
    }

    /// The account's record says what became of it.
    fn kept(&self) -> Decision<Self> {
        let mut next = self.clone();
        next.inner.kept = true;
        next.due = None;
        let event = if self.facts.status == ChangeStatus::Done { "change.done" } else { "change.refused" };
        let events = [event].into_iter().chain(self.told()).collect();
        Decision::new(next, "kept", events, vec![self.facts.wanted.words()])
    }

    /// What the client is told of it: what his account is from now on, whoever asked for that, and that what he asked for himself is not
    /// made. What he may do on it is told by whoever takes it away or gives it back.
    fn told(&self) -> Option<&'static str> {
        let wanted = &self.facts.wanted;
        match (self.facts.status == ChangeStatus::Done, wanted.status, wanted.aspect()) {
            (true, Some(Standing::Closed), _) => Some("change.archived"),
            (true, Some(Standing::Open), _) => Some("change.reopened"),
            (true, None, Some(Aspect::Terms)) => Some("change.terms_set"),
            (true, None, Some(Aspect::Access) | None) => None,
            (false, _, _) => (self.facts.by == Some(Asker::Client)).then_some("change.declined"),
        }
    }

    /// What is saved together once it is over: the change, and the account with what was set, free for the next change. `None` where
    /// the account's record says so already.
    pub fn keep(&self, account: &Account) -> Option<(Decision<Self>, Option<Decision<Account>>)> {
        if !self.facts.status.is_over() || self.inner.kept {
            return None;
        }
        Some((self.kept(), account.after(self)))
    }
}

/// Why no change is begun on an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoChange {
    /// It is not open, or, to be reopened, not closed.
    NotNow(&'static str),
    /// Another one is under way.
    UnderWay(ChangeId),
}

impl Account {
    /// What the client may do, as we last set it.
    pub fn access(&self) -> Access {
        self.facts.upkeep.access.unwrap_or(Access::Full)
    }

    /// Whether a change may begin now.
    ///
    /// # Errors
    /// [`NoChange`].
    pub fn takes_change(&self, wanted: &Wanted) -> Result<Aspect, NoChange> {
        let aspect = wanted.aspect().ok_or(NoChange::NotNow("it is of two kinds at once"))?;
        let fits = match (self.facts.status, wanted.status) {
            (AccountStatus::Open, Some(Standing::Closed) | None) => Ok(()),
            (AccountStatus::Closed, Some(Standing::Open)) => Ok(()),
            (AccountStatus::Open, Some(Standing::Open)) => Err("the account is open"),
            (AccountStatus::Closed, _) => Err("the account is closed"),
            (
                AccountStatus::Requested | AccountStatus::Creating | AccountStatus::Unknown | AccountStatus::Failed,
                _,
            ) => Err("the account is not open"),
        };
        fits.map_err(NoChange::NotNow)?;
        let closes = wanted.status.is_some();
        let busy = self.facts.upkeep.changes.iter().find(|(of, _)| closes || **of == aspect);
        match busy {
            Some((_, id)) => Err(NoChange::UnderWay(id.clone())),
            None => Ok(aspect),
        }
    }

    /// Whether nothing that we know of has happened on an open account for so long: it was opened and last changed before, and so was
    /// its newest payment begun. That there is no money on it is seen when it is closed.
    pub fn is_dormant(&self, newest_payment: Option<Timestamp>, after: Seconds, now: Timestamp) -> bool {
        let newest =
            [Some(self.facts.created_at), self.facts.upkeep.changed_at, newest_payment].into_iter().flatten().max();
        let is_idle = newest.is_some_and(|newest| newest.plus(after) <= now);
        self.facts.status == AccountStatus::Open && self.facts.upkeep.changes.is_empty() && is_idle
    }

    /// The account with a change of its own, which is saved together with it.
    pub fn changing(&self, id: &ChangeId, aspect: Aspect) -> Decision<Self> {
        let mut next = self.clone();
        next.facts.upkeep.changes.insert(aspect, id.clone());
        Decision::new(next, "change_begun", vec![], vec![format!("{aspect}: {id}")])
    }

    /// Takes no more deposits, because it is to be closed.
    pub fn shut(&self) -> Decision<Self> {
        let mut next = self.clone();
        next.facts.status = AccountStatus::Closed;
        Decision::new(next, "shut", vec![], vec!["it is to be closed".to_owned()])
    }

    /// As it is after a change that is over; `None` where that change is not the account's any more.
    fn after(&self, change: &Change) -> Option<Decision<Self>> {
        let aspect = change.facts.wanted.aspect()?;
        if self.facts.upkeep.changes.get(&aspect) != Some(&change.id) {
            return None;
        }
        let mut next = self.clone();
        next.facts.upkeep.changes.remove(&aspect);
        let done = change.facts.status == ChangeStatus::Done;
        if done {
            let wanted = &change.facts.wanted;
            next.facts.leverage = wanted.leverage.unwrap_or(next.facts.leverage);
            if let Some(account_type) = &wanted.account_type {
                next.facts.account_type.clone_from(account_type);
            }
            if let Some(group) = &wanted.group {
                next.facts.group.clone_from(group);
            }
            next.facts.upkeep.access = wanted.access.or(next.facts.upkeep.access);
            next.facts.upkeep.changed_at = Some(change.facts.created_at);
        }
        // what was to be closed and is not takes money again
        next.facts.status = match (change.facts.wanted.status, done) {
            (Some(Standing::Closed), true) => AccountStatus::Closed,
            (Some(Standing::Closed), false) if change.inner.shut.is_some() => AccountStatus::Open,
            (Some(Standing::Open), true) => AccountStatus::Open,
            (Some(_), false) | (None, _) => self.facts.status,
        };
        let outcome = if done { "changed" } else { "not_changed" };
        Some(Decision::new(next, outcome, vec![], vec![format!("{}: {}", change.id, change.facts.wanted.words())]))
    }
}

impl Entity for Change {
    type Id = ChangeId;
    type Table = InCrm;
    type Public = ChangeFacts;
    type Private = ChangeInner;
    const KIND: &'static str = "change";
    const TIMED: bool = true;
    const ROUTED_BY: Option<&'static str> = Some("platform");

    fn id(&self) -> &ChangeId {
        &self.id
    }

    fn client(&self) -> Option<&ClientId> {
        Some(&self.client_id)
    }

    fn due(&self) -> Option<Timestamp> {
        self.due
    }

    fn public(&self) -> &ChangeFacts {
        &self.facts
    }

    fn private(&self) -> &ChangeInner {
        &self.inner
    }

    fn from_parts(parts: Parts<Self>) -> Result<Self, ReadError> {
        Ok(Self { client_id: parts.owner()?, id: parts.id, due: parts.due, facts: parts.public, inner: parts.private })
    }
}

#[cfg(test)]
mod tests;
