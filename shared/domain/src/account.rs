//! A trading account: created on the platform by intent, call and outcome.

pub mod change;
pub mod entitled;
pub mod named;
pub mod opening;
pub mod request;
pub mod rules;
#[cfg(test)]
mod samples;
pub mod sweep;
pub mod wish;

use serde::{Deserialize, Serialize};

use crate::decision::{Decision, Verdict};
use crate::entity::{Entity, InCrm, Parts, ReadError};
use crate::payment::ticket::Reopened;
use crate::work::HumanDecision;
use crate::work::rules::WorkAction;
use crate::{AccountId, ClientId, Currency, Seconds, Timestamp};

/// How long after an intent its call may still reach the platform (see [`crate::payment::GRACE`]).
pub const GRACE: Seconds = crate::payment::GRACE;
/// First wait before a creation that the platform did not take is sent again; it grows with the time that was tried.
const RETRY: Seconds = Seconds(30);
/// The longest such wait, without what tells one account's from another's.
const RETRY_MAX_MS: i64 = 600_000;
/// How long the automation tries before a person must look.
const REVIEW_AFTER: Seconds = Seconds(1_800);
/// The same while the platform does not answer: nobody can do more than wait, and when it answers again nobody need do anything.
const REVIEW_AFTER_OUTAGE: Seconds = Seconds(5_400);

/// Where a trading account stands (API.md).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AccountStatus {
    /// Asked for.
    Requested,
    /// The creation is intended and may be under way.
    Creating,
    /// The outcome of the creation is not known.
    Unknown,
    /// Ready.
    Open,
    /// The platform refused it.
    Failed,
    /// No longer in use.
    Closed,
}

impl AccountStatus {
    /// The status as the API writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Requested => "requested",
            Self::Creating => "creating",
            Self::Unknown => "unknown",
            Self::Open => "open",
            Self::Failed => "failed",
            Self::Closed => "closed",
        }
    }
}

/// The public part of a trading account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "API.md names them")]
pub struct AccountFacts {
    pub status: AccountStatus,
    pub platform: String,
    pub account_type: String,
    pub kind: String,
    pub currency: Currency,
    pub leverage: u32,
    pub server: String,
    pub group: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub login: Option<String>,
    pub created_at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub review: Option<String>,
    /// Why it was not created although the platform would have; the status says `failed`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<entitled::Refusal>,
    /// The work item that this version opens again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reopened: Option<Reopened>,
    #[serde(flatten)]
    pub upkeep: change::Upkeep,
}

/// The private part of a trading account.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct AccountInner {
    /// The credentials, sealed; taken out when they are handed over.
    #[serde(rename = "c", default, skip_serializing_if = "Option::is_none")]
    pub sealed: Option<String>,
    /// When the credentials were handed over.
    #[serde(rename = "h", default, skip_serializing_if = "Option::is_none")]
    pub handed_over: Option<Timestamp>,
    /// When the last creation was intended, unless it surely was not done.
    #[serde(rename = "ta", default, skip_serializing_if = "Option::is_none")]
    pub attempted: Option<Timestamp>,
    /// Creations sent so far.
    #[serde(rename = "n", default)]
    pub attempts: u32,
    /// Since when a person is asked: what was decided before is about another failure.
    #[serde(rename = "rv", default, skip_serializing_if = "Option::is_none")]
    pub asked: Option<Timestamp>,
    /// The platform's other number of the account, beside the login: cTrader's `traderId`.
    #[serde(rename = "ti", default, skip_serializing_if = "Option::is_none")]
    pub internal_id: Option<String>,
    /// The login that a person named and nobody has looked up yet.
    #[serde(rename = "nl", default, skip_serializing_if = "Option::is_none")]
    pub named: Option<named::NamedLogin>,
    /// What opened it by rule.
    #[serde(rename = "o", default, skip_serializing_if = "Option::is_none")]
    pub opened_by: Option<rules::OpeningTrigger>,
    /// When a person had it tried again.
    #[serde(rename = "tr", default, skip_serializing_if = "Option::is_none")]
    pub retried: Option<Timestamp>,
}

/// A trading account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Its id; the reference in the platform's comment.
    pub id: AccountId,
    /// Whose it is.
    pub client_id: ClientId,
    /// When something must happen although no trigger comes.
    pub due: Option<Timestamp>,
    /// What events carry.
    pub facts: AccountFacts,
    /// What they do not.
    pub inner: AccountInner,
}

/// Why money is not put on an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CreditBar {
    /// It is not for real money.
    Demo,
    /// Nobody could use it there.
    NotOpen,
    /// It is being closed, or opened again: what becomes of it is known soon.
    Undecided,
}

impl CreditBar {
    /// In words, for the person who decides about the money.
    pub fn words(self) -> &'static str {
        match self {
            Self::Demo => "the account is a demo account",
            Self::NotOpen => "the account is closed",
            Self::Undecided => "the account is being closed, or opened again",
        }
    }
}

/// What the worker must do next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CreateStep {
    /// Make and seal credentials, save the intent, then call.
    Intend,
    /// A call may have been made: look the reference up first.
    LookUp,
    /// A person named its login: ask the platform for it.
    CheckLogin,
    /// Nothing to create.
    Nothing(&'static str),
}

/// What the platform did with a creation, or what a look-up found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CreateOutcome {
    /// It is there.
    Open {
        /// What the client logs in with.
        login: String,
        /// The platform's other number of the account, where it has two.
        internal_id: Option<String>,
    },
    /// Certainly not created; it may be sent again.
    NotApplied(String),
    /// Certainly not created, and never will be as it is.
    Refused(String),
    /// Certainly not created: the platform could not be asked.
    Away(String),
    /// May have been created.
    Unknown(String),
    /// May have been created: the platform could not be asked whether it was.
    Silent(String),
}

impl Account {
    /// Whether real money may be paid into it or out of it. An account of a kind that is not known takes none.
    pub fn takes_money(&self) -> bool {
        match self.facts.kind.parse() {
            Ok(rules::Environment::Live) => true,
            Ok(rules::Environment::Demo) | Err(_) => false,
        }
    }

    /// What stands against putting money on it that was paid for it, maybe long after it was asked for; `None` where nothing does.
    pub fn bars_credit(&self) -> Option<CreditBar> {
        if !self.takes_money() {
            return Some(CreditBar::Demo);
        }
        match self.facts.status {
            AccountStatus::Open => None,
            AccountStatus::Closed if self.facts.upkeep.changes.contains_key(&change::Aspect::Access) => {
                Some(CreditBar::Undecided)
            }
            AccountStatus::Closed
            | AccountStatus::Requested
            | AccountStatus::Creating
            | AccountStatus::Unknown
            | AccountStatus::Failed => Some(CreditBar::NotOpen),
        }
    }

    /// What its platform calls a booking; a number where the platform is not known.
    pub fn ticket_form(&self) -> rules::TicketForm {
        match self.facts.platform.parse::<rules::Platform>() {
            Ok(platform) => platform.ticket_form(),
            Err(_) => rules::TicketForm::Number,
        }
    }

    /// The decision that asks for an account.
    pub fn requested(self, why: Vec<String>) -> Decision<Self> {
        let due = Some(self.facts.created_at.plus(GRACE));
        Decision::new(Self { due, ..self }, "requested", vec!["account.requested"], why)
    }

    /// The worker's next step.
    pub fn create_step(&self) -> CreateStep {
        if let Some(step) = self.login_step() {
            return step;
        }
        match self.facts.status {
            AccountStatus::Requested if self.inner.attempts == 0 => CreateStep::Intend,
            AccountStatus::Requested => CreateStep::LookUp,
            AccountStatus::Unknown if self.facts.review.is_some() => CreateStep::Nothing("a person decides about it"),
            AccountStatus::Creating | AccountStatus::Unknown => CreateStep::LookUp,
            AccountStatus::Open => CreateStep::Nothing("it is already open"),
            AccountStatus::Failed => CreateStep::Nothing("it was refused"),
            AccountStatus::Closed => CreateStep::Nothing("it is closed"),
        }
    }

    /// The intent, with the sealed credentials that the call will use.
    pub fn intend(&self, sealed: String, now: Timestamp) -> Verdict<Self> {
        let mut next = self.clone();
        next.facts.status = AccountStatus::Creating;
        next.facts.review = None;
        next.inner.sealed = Some(sealed);
        next.inner.attempted = Some(now);
        next.inner.attempts = self.inner.attempts.saturating_add(1);
        next.due = Some(now.plus(GRACE));
        let why = vec![format!("create in group {} on {}", self.facts.group, self.facts.server)];
        Verdict::change(next, "creating", vec![], why)
    }

    /// Whether no earlier call can still arrive at the platform.
    pub fn grace_over(&self, now: Timestamp) -> bool {
        self.inner.attempted.is_none_or(|at| now >= at.plus(GRACE))
    }

    /// Whether the timers will bring the account to its worker again, whatever becomes of the message at hand.
    pub fn comes_again(&self, now: Timestamp) -> bool {
        self.due.is_some_and(|due| due > now)
    }

    /// Its server is being maintained until then: it waits, and its time begins anew afterwards.
    pub fn waits_for_server(&self, until: Timestamp) -> Verdict<Self> {
        let is_wanted = match self.facts.status {
            AccountStatus::Requested | AccountStatus::Creating | AccountStatus::Unknown => self.facts.review.is_none(),
            AccountStatus::Open | AccountStatus::Failed | AccountStatus::Closed => false,
        };
        if !is_wanted || self.inner.retried == Some(until) {
            return Verdict::Nothing("it waits for nothing new");
        }
        let mut next = self.clone();
        next.inner.retried = Some(until);
        next.due = Some(self.inner.attempted.map_or(until, |at| at.plus(GRACE)).max(until));
        Verdict::change(next, "maintenance", vec![], vec![format!("{} is being maintained", self.facts.server)])
    }

    /// The outcome of a call or a look-up.
    pub fn outcome(&self, outcome: CreateOutcome, now: Timestamp) -> Verdict<Self> {
        let waits = self.facts.review.is_none();
        match (self.facts.status, outcome) {
            // true whatever has become of the request meanwhile
            (
                AccountStatus::Requested | AccountStatus::Creating | AccountStatus::Unknown | AccountStatus::Failed,
                CreateOutcome::Open { login, internal_id },
            ) => self.opened(login, internal_id, vec![]),
            (AccountStatus::Creating | AccountStatus::Unknown, outcome) if waits => self.not_open(outcome, now),
            // the look-up before another attempt brought nothing
            (AccountStatus::Requested, CreateOutcome::Unknown(reason) | CreateOutcome::NotApplied(reason)) => {
                self.not_open(CreateOutcome::NotApplied(reason), now)
            }
            (AccountStatus::Requested, CreateOutcome::Silent(reason) | CreateOutcome::Away(reason)) => {
                self.not_open(CreateOutcome::Away(reason), now)
            }
            _ => Verdict::Nothing("the creation is no longer under way"),
        }
    }

    fn not_open(&self, outcome: CreateOutcome, now: Timestamp) -> Verdict<Self> {
        let mut next = self.clone();
        match outcome {
            CreateOutcome::Open { login, internal_id } => self.opened(login, internal_id, vec![]),
            CreateOutcome::Refused(reason) => {
                self.give_up(AccountStatus::Failed, "account_creation_refused", reason, now)
            }
            CreateOutcome::NotApplied(reason) if self.was_tried_for(REVIEW_AFTER, now) => self.unresolved(reason, now),
            CreateOutcome::Away(reason) if self.was_tried_for(REVIEW_AFTER_OUTAGE, now) => self.unresolved(reason, now),
            // not before the call that was made can no longer arrive
            CreateOutcome::Unknown(reason) if self.was_tried_for(REVIEW_AFTER, now) && self.grace_over(now) => {
                self.unresolved(reason, now)
            }
            CreateOutcome::Silent(reason) if self.was_tried_for(REVIEW_AFTER_OUTAGE, now) && self.grace_over(now) => {
                self.unresolved(reason, now)
            }
            CreateOutcome::NotApplied(reason) | CreateOutcome::Away(reason) => {
                next.facts.status = AccountStatus::Requested;
                next.inner.attempted = None;
                next.due = Some(self.again(now));
                Verdict::change(next, "not_applied", vec![], vec![reason])
            }
            CreateOutcome::Unknown(reason) | CreateOutcome::Silent(reason) => {
                next.facts.status = AccountStatus::Unknown;
                next.due = Some(self.inner.attempted.unwrap_or(now).plus(GRACE).max(self.again(now)));
                Verdict::change(next, "unknown", vec![], vec![reason])
            }
        }
    }

    fn opened(&self, login: String, internal_id: Option<String>, mut why: Vec<String>) -> Verdict<Self> {
        let mut next = self.clone();
        next.inner.internal_id = internal_id;
        next.due = None;
        next.facts.status = AccountStatus::Open;
        next.facts.review = None;
        next.facts.refused = None;
        next.facts.reopened = None;
        next.inner.attempted = None;
        next.inner.named = None;
        why.push(format!("login {login}"));
        next.facts.login = Some(login);
        Verdict::change(next, "open", vec!["account.open"], why)
    }

    /// What the client logs in with, once the account is open.
    pub fn login_in_use(&self) -> Option<&str> {
        self.facts.login.as_deref().filter(|_| self.facts.status == AccountStatus::Open)
    }

    /// The login by which the account was to be opened is another account's: a person mistyped it, or the platform shows what it should
    /// not. The other's money is not this client's, so a person must look; `why` is what the opening would have said.
    pub fn login_taken(&self, login: &str, mut why: Vec<String>, now: Timestamp) -> Verdict<Self> {
        let reason = format!("login {login} is that of another account");
        if let Some(named) = self.inner.named.as_ref().filter(|named| named.login == login) {
            return self.login_refused(named, "it is that of another account", now);
        }
        match self.facts.status {
            _ if self.facts.review.is_some() => self.still_asks(&reason, why, now),
            AccountStatus::Requested | AccountStatus::Creating | AccountStatus::Unknown => {
                why.push(reason);
                self.unresolved(why.join("; "), now)
            }
            AccountStatus::Failed | AccountStatus::Open | AccountStatus::Closed => {
                Verdict::Nothing("its login is that of another account")
            }
        }
    }

    /// What a person decided cannot be done, and so the account waits for another decision; `why` is what doing it would have said.
    pub fn still_asks(&self, reason: &str, why: Vec<String>, now: Timestamp) -> Verdict<Self> {
        match self.facts.review.as_deref() {
            Some(kind) => self.ask_again(kind, reason, why, now),
            None => Verdict::Nothing("it waits for nobody"),
        }
    }

    /// The automation's time starts anew when a person has it tried again.
    fn tried_since(&self) -> Timestamp {
        self.inner.retried.unwrap_or(self.facts.created_at)
    }

    fn was_tried_for(&self, limit: Seconds, now: Timestamp) -> bool {
        now >= self.tried_since().plus(limit)
    }

    fn unresolved(&self, reason: String, now: Timestamp) -> Verdict<Self> {
        self.give_up(AccountStatus::Unknown, "account_creation_unresolved", reason, now)
    }

    /// When it is tried again: after a quarter of the time that was tried, and a part more that differs from account to account, so that
    /// all that waited for a server do not come to it at once.
    fn again(&self, now: Timestamp) -> Timestamp {
        let tried_ms = now.millis_since(self.tried_since());
        let wait_ms = (tried_ms / 4).clamp(i64::from(RETRY.0).saturating_mul(1_000), RETRY_MAX_MS);
        let place = self
            .id
            .as_str()
            .bytes()
            .fold(0_i64, |sum, byte| sum.saturating_mul(31).saturating_add(i64::from(byte)) % 1_000);
        let apart_ms = (wait_ms / 4).saturating_mul(place) / 1_000;
        let again = now.millis().checked_add(wait_ms).and_then(|at| at.checked_add(apart_ms));
        again.and_then(Timestamp::from_millis).unwrap_or(now.plus(RETRY))
    }

    /// Applies a person's decision on the item that the account waits for; `work` is that item, in the opening in which it was decided.
    pub fn decided(&self, decision: &HumanDecision, work: &Reopened, now: Timestamp) -> Verdict<Self> {
        let Some(kind) = self.facts.review.as_deref().filter(|kind| *kind == decision.kind) else {
            return Verdict::Nothing("the account does not wait for this decision; it is kept with the work item");
        };
        if self.inner.asked.is_some_and(|asked| decision.at < asked) {
            return Verdict::Nothing("it was decided before the account came to wait for a person again");
        }
        let why = vec![decision.why()];
        match decision.action() {
            Some(WorkAction::MarkOpen) => match decision.evidence.as_deref().filter(|login| is_login(login)) {
                Some(login) => self.login_named(login, decision, work, now),
                None => self.ask_again(kind, "the evidence is not a login", why, now),
            },
            Some(WorkAction::MarkNotCreatedRetry) => {
                let mut next = self.clone();
                next.facts.status = AccountStatus::Requested;
                next.facts.review = None;
                next.facts.refused = None;
                next.facts.reopened = None;
                next.inner.named = None;
                next.inner.retried = Some(now);
                next.due = Some(now.plus(GRACE));
                Verdict::change(next, "requested", vec!["account.requested"], why)
            }
            Some(WorkAction::CloseWithoutAccount) => {
                let mut next = self.clone();
                next.due = None;
                next.facts.status = AccountStatus::Failed;
                next.facts.review = None;
                next.facts.reopened = None;
                next.inner.named = None;
                next.inner.sealed = None;
                // who asked for a refused account was told so already
                let told = self.facts.status == AccountStatus::Failed;
                Verdict::change(next, "failed", if told { vec![] } else { vec!["account.failed"] }, why)
            }
            _ => self.ask_again(kind, "it does not say what becomes of the account", why, now),
        }
    }

    /// A decision that settles nothing opens a new item: an account never waits for an item that is closed.
    fn ask_again(&self, kind: &str, reason: &str, mut why: Vec<String>, now: Timestamp) -> Verdict<Self> {
        why.push(format!("{kind}: the account still waits, {reason}"));
        let mut next = self.clone();
        next.facts.reopened = None;
        next.inner.asked = Some(now);
        Verdict::change(next, "needs_review", vec!["account.needs_review"], why)
    }

    fn give_up(&self, status: AccountStatus, kind: &str, reason: String, now: Timestamp) -> Verdict<Self> {
        let mut next = self.clone();
        next.due = None;
        next.facts.status = status;
        next.facts.review = Some(kind.to_owned());
        next.inner.asked = Some(now);
        let mut events = vec!["account.needs_review"];
        if status == AccountStatus::Failed {
            events.push("account.failed");
            next.inner.sealed = None;
        }
        Verdict::change(next, status.as_str(), events, vec![format!("{kind}: {reason}")])
    }

    /// Hands the sealed credentials over, once.
    pub fn hand_over(&self, now: Timestamp) -> Result<(String, Decision<Self>), HandOverRefusal> {
        if self.facts.status != AccountStatus::Open {
            return Err(if self.inner.handed_over.is_some() {
                HandOverRefusal::Gone
            } else {
                HandOverRefusal::NotReady
            });
        }
        let Some(sealed) = self.inner.sealed.clone() else { return Err(HandOverRefusal::Gone) };
        let mut next = self.clone();
        next.inner.sealed = None;
        next.inner.handed_over = Some(now);
        Ok((sealed, Decision::new(next, "credentials_handed_over", vec![], vec![])))
    }
}

/// The list of a server's accounts that have a login.
pub fn list_of_server(server: &str) -> String {
    format!("server#{server}")
}

/// Logins are numbers or short words; they are put into calls and shown to the client.
fn is_login(text: &str) -> bool {
    const LOGIN_BYTES_MAX: usize = 32;
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
    // a number with a zero before it is the same account under another name
    (1..=LOGIN_BYTES_MAX).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
        && !(is_number && text.starts_with('0'))
}

/// Why credentials cannot be handed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HandOverRefusal {
    /// The account is not open yet.
    NotReady,
    /// They were handed over before.
    Gone,
}

impl Entity for Account {
    type Id = AccountId;
    type Table = InCrm;
    type Public = AccountFacts;
    type Private = AccountInner;
    const KIND: &'static str = "account";
    const TIMED: bool = true;
    const ROUTED_BY: Option<&'static str> = Some("platform");

    fn id(&self) -> &AccountId {
        &self.id
    }

    fn client(&self) -> Option<&ClientId> {
        Some(&self.client_id)
    }

    fn due(&self) -> Option<Timestamp> {
        self.due
    }

    /// The accounts of a server, by login.
    fn rank(&self) -> Option<(String, String)> {
        let login = self.facts.login.as_ref()?;
        Some((list_of_server(&self.facts.server), format!("{login}#{}", self.id)))
    }

    fn public(&self) -> &AccountFacts {
        &self.facts
    }

    fn private(&self) -> &AccountInner {
        &self.inner
    }

    fn from_parts(parts: Parts<Self>) -> Result<Self, ReadError> {
        Ok(Self { client_id: parts.owner()?, id: parts.id, due: parts.due, facts: parts.public, inner: parts.private })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::samples::at;
    use super::*;
    use crate::entity::{self, Raw};

    fn asked() -> Account {
        samples::account().requested(vec![]).next
    }

    #[track_caller]
    fn change(verdict: Verdict<Account>) -> Decision<Account> {
        match verdict {
            Verdict::Change(decision) => *decision,
            Verdict::Nothing(reason) => panic!("nothing: {reason}"),
        }
    }

    fn creating() -> Account {
        change(asked().intend("sealed".to_owned(), at(1))).next
    }

    fn there(login: &str) -> CreateOutcome {
        CreateOutcome::Open { login: login.to_owned(), internal_id: None }
    }

    fn unknown() -> CreateOutcome {
        CreateOutcome::Unknown("time-out".to_owned())
    }

    fn not_applied() -> CreateOutcome {
        CreateOutcome::NotApplied("busy".to_owned())
    }

    fn away() -> CreateOutcome {
        CreateOutcome::Away("no connection".to_owned())
    }

    fn silent() -> CreateOutcome {
        CreateOutcome::Silent("no connection".to_owned())
    }

    fn refused() -> Decision<Account> {
        change(creating().outcome(CreateOutcome::Refused("8 no permission".to_owned()), at(2)))
    }

    fn unresolved() -> Decision<Account> {
        change(creating().outcome(unknown(), at(1_800)))
    }

    fn work() -> Reopened {
        Reopened { work_id: crate::WorkId::from_bits(9), opening: 0 }
    }

    /// The platform shows the login that a person named.
    fn shown(account: &Account) -> Verdict<Account> {
        account.login_proven(account.inner.named.as_ref().unwrap())
    }

    fn decide(account: &Account, action: &str, evidence: Option<&str>) -> Verdict<Account> {
        let decision = HumanDecision {
            kind: account.facts.review.clone().unwrap_or_else(|| "account_creation_unresolved".to_owned()),
            trigger: None,
            action: action.to_owned(),
            evidence: evidence.map(str::to_owned),
            by: "support-1".to_owned(),
            approved_by: None,
            at: at(4_990),
        };
        account.decided(&decision, &work(), at(5_000))
    }

    #[test]
    fn a_decision_about_an_earlier_failure_does_not_count_for_a_later_one() {
        let first = decide(&unresolved().next, "mark_not_created_retry", None);
        let again = change(first).next;
        let creating = change(again.intend("sealed".to_owned(), at(5_010))).next;
        let failed = change(creating.outcome(unknown(), at(9_000))).next;
        assert_eq!(failed.facts.review.as_deref(), Some("account_creation_unresolved"));
        // the first decision is delivered once more
        assert!(matches!(decide(&failed, "mark_not_created_retry", None), Verdict::Nothing(_)));
        // and one that settled nothing opens one new item, not one with each delivery
        let unsettled = change(decide(&unresolved().next, "resolve", None));
        assert_eq!(unsettled.events, ["account.needs_review"]);
        assert!(matches!(decide(&unsettled.next, "resolve", None), Verdict::Nothing(_)));
    }

    #[test]
    fn an_account_is_intended_once_and_then_looked_up() {
        assert_eq!(asked().create_step(), CreateStep::Intend);
        assert_eq!(creating().create_step(), CreateStep::LookUp);
        let open = change(creating().outcome(there("954402"), at(2)));
        assert_eq!(
            (open.events.as_slice(), open.next.facts.login.as_deref()),
            (["account.open"].as_slice(), Some("954402"))
        );
        assert_eq!((open.next.due, open.next.inner.sealed.as_deref()), (None, Some("sealed")));
        assert!(matches!(open.next.create_step(), CreateStep::Nothing(_)));
        assert!(matches!(open.next.outcome(there("9"), at(3)), Verdict::Nothing(_)));
    }

    #[test]
    fn a_creation_that_was_not_taken_is_looked_up_before_it_is_sent_again() {
        let again = change(creating().outcome(not_applied(), at(2)));
        assert_eq!(again.next.facts.status, AccountStatus::Requested);
        assert!((at(32)..at(40)).contains(&again.next.due.unwrap()));
        assert_eq!(again.next.create_step(), CreateStep::LookUp);
        assert!(again.next.grace_over(at(3)));
        // the look-up failed
        let later = change(again.next.outcome(unknown(), at(40)));
        assert_eq!(later.next.facts.status, AccountStatus::Requested);
        assert!((at(70)..at(78)).contains(&later.next.due.unwrap()));
        let over = change(again.next.outcome(unknown(), at(1_800)));
        assert_eq!(over.next.facts.review.as_deref(), Some("account_creation_unresolved"));
    }

    #[test]
    fn an_unknown_creation_waits_for_its_grace_period() {
        let decision = change(creating().outcome(unknown(), at(12)));
        assert_eq!((decision.next.facts.status, decision.next.due), (AccountStatus::Unknown, Some(at(61))));
        assert!(!decision.next.grace_over(at(60)));
        assert!(decision.next.grace_over(at(61)));
    }

    #[test]
    fn a_platform_that_is_away_is_asked_less_and_less_often_and_longer_than_one_that_answers() {
        for (first, then) in [(away(), AccountStatus::Requested), (unknown(), AccountStatus::Unknown)] {
            let mut account = change(creating().outcome(first, at(2))).next;
            let (mut tries, mut now, mut waited) = (0, at(2), 0);
            while now < at(5_400) {
                let due = account.due.unwrap();
                assert!(due.millis_since(now) >= waited.min(600_000), "the waits grow");
                (waited, now, tries) = (due.millis_since(now) / 2, due, tries + 1);
                assert_eq!((account.facts.status, &account.facts.review), (then, &None));
                if now < at(5_400) {
                    account = change(account.outcome(silent(), now)).next;
                }
            }
            assert!((10..=25).contains(&tries), "{tries} tries in an hour and a half");
            assert_eq!(change(account.outcome(silent(), now)).events, ["account.needs_review"]);
        }
        // two that began to wait together do not come back together
        let other = Account { id: AccountId::from_bits(77), ..creating() };
        let due = |account: &Account| change(account.outcome(away(), at(1_200))).next.due;
        assert_ne!(due(&creating()), due(&other));
    }

    #[test]
    fn nobody_is_asked_while_a_creation_may_be_under_way() {
        let late = change(asked().intend("sealed".to_owned(), at(1_790))).next;
        assert_eq!(change(late.outcome(unknown(), at(1_801))).events.len(), 0);
        assert_eq!(change(late.outcome(unknown(), at(1_850))).events, ["account.needs_review"]);
    }

    #[test]
    fn what_a_person_is_asked_about_is_not_created_meanwhile() {
        let account = unresolved().next;
        assert_eq!(account.create_step(), CreateStep::Nothing("a person decides about it"));
        assert!(matches!(account.outcome(unknown(), at(1_900)), Verdict::Nothing(_)));
        // that it is there after all is true whoever is asked
        let open = change(account.outcome(there("954402"), at(1_900)));
        assert_eq!((open.next.facts.status, open.next.facts.review), (AccountStatus::Open, None));
    }

    #[test]
    fn a_refused_account_is_failed_and_asked_about() {
        let decision = refused();
        assert_eq!(decision.events, ["account.needs_review", "account.failed"]);
        assert_eq!((decision.next.facts.status, decision.next.inner.sealed), (AccountStatus::Failed, None));
    }

    #[test]
    fn a_person_opens_it_with_a_login_and_with_nothing_else() {
        for account in [refused().next, unresolved().next] {
            let named = change(decide(&account, "mark_open", Some("954402"))).next;
            assert_eq!((named.facts.status, named.create_step()), (account.facts.status, CreateStep::CheckLogin));
            let open = change(shown(&named));
            assert_eq!(
                (open.events.as_slice(), open.next.facts.login.as_deref()),
                (["account.open"].as_slice(), Some("954402"))
            );
            assert_eq!(open.next.inner.sealed, account.inner.sealed);
            for evidence in [None, Some(""), Some("see the ticket"), Some("<b>")] {
                let asked = change(decide(&account, "mark_open", evidence));
                let mut waiting = account.clone();
                waiting.inner.asked = Some(at(5_000));
                assert_eq!((asked.events.as_slice(), asked.next), (["account.needs_review"].as_slice(), waiting));
            }
        }
    }

    #[test]
    fn a_person_has_it_tried_again_with_its_whole_time() {
        for account in [refused().next, unresolved().next] {
            let again = change(decide(&account, "mark_not_created_retry", None));
            assert_eq!(
                (again.events.as_slice(), again.next.facts.status),
                (["account.requested"].as_slice(), AccountStatus::Requested)
            );
            assert_eq!((again.next.create_step(), again.next.facts.review.clone()), (CreateStep::LookUp, None));
            let creating = change(again.next.intend("new".to_owned(), at(5_001))).next;
            assert_eq!(change(creating.outcome(not_applied(), at(5_002))).outcome, "not_applied");
        }
    }

    #[test]
    fn a_person_closes_it_and_the_client_is_told_once() {
        assert_eq!(change(decide(&refused().next, "close_without_account", None)).events.len(), 0);
        let closed = change(decide(&unresolved().next, "close_without_account", None));
        assert_eq!(closed.events, ["account.failed"]);
        assert_eq!((closed.next.facts.status, closed.next.facts.review), (AccountStatus::Failed, None));
        assert_eq!(closed.next.inner.sealed, None);
    }

    #[test]
    fn a_decision_that_settles_nothing_asks_again_and_one_about_nothing_is_left() {
        assert_eq!(change(decide(&unresolved().next, "resolve", None)).events, ["account.needs_review"]);
        for account in [asked(), creating()] {
            assert!(matches!(decide(&account, "mark_open", Some("954402")), Verdict::Nothing(_)));
        }
    }

    #[test]
    fn credentials_are_handed_over_once() {
        assert_eq!(creating().hand_over(at(2)), Err(HandOverRefusal::NotReady));
        let open = change(creating().outcome(there("954402"), at(2))).next;
        let (sealed, decision) = open.hand_over(at(3)).unwrap();
        assert_eq!((sealed.as_str(), decision.next.inner.sealed.clone()), ("sealed", None));
        assert_eq!(decision.next.hand_over(at(4)), Err(HandOverRefusal::Gone));
    }

    #[derive(Debug, Clone)]
    enum Step {
        Intend,
        Outcome(CreateOutcome),
        Decide(&'static str),
        Looked(u8),
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            Just(Step::Intend),
            prop::sample::select(vec![
                there("954402"),
                not_applied(),
                CreateOutcome::Refused("8".to_owned()),
                unknown(),
                away(),
                silent(),
            ])
            .prop_map(Step::Outcome),
            prop::sample::select(vec!["mark_open", "mark_not_created_retry", "close_without_account", "resolve"])
                .prop_map(Step::Decide),
            (0_u8..3).prop_map(Step::Looked),
        ]
    }

    proptest! {
        #[test]
        fn an_account_is_done_or_due_or_asked_about(
            steps in prop::collection::vec((step(), 1_i64..900), 0..30),
        ) {
            let mut account = asked();
            let mut now = 0;
            for (step, seconds) in steps {
                now += seconds;
                let verdict = match step {
                    Step::Intend if account.create_step() == CreateStep::Intend
                        || (account.create_step() == CreateStep::LookUp && account.grace_over(at(now))) =>
                    {
                        account.intend("sealed".to_owned(), at(now))
                    }
                    Step::Intend => continue,
                    Step::Outcome(outcome) => account.outcome(outcome, at(now)),
                    Step::Decide(action) => decide(&account, action, Some("954402")),
                    Step::Looked(how) => match (account.inner.named.clone(), how) {
                        (Some(named), 0) => account.login_proven(&named),
                        (Some(named), 1) => account.login_refused(&named, "there is none", at(now)),
                        (Some(named), _) => account.login_not_looked_up(&named, "busy", None, at(now)),
                        (None, _) => continue,
                    },
                };
                let Verdict::Change(decision) = verdict else { continue };
                account = decision.next;
                let done = matches!(account.facts.status, AccountStatus::Open | AccountStatus::Failed);
                prop_assert!(done || account.due.is_some() || account.facts.review.is_some(), "{:?}", account);
                let waits = (done || account.facts.review.is_some()) && account.inner.named.is_none();
                prop_assert!(account.due.is_none() || !waits, "{:?}", account);
                let (public, private) = entity::write(&account).unwrap();
                let raw = Raw::of::<Account>(account.id.as_str(), &public, private.as_deref());
                prop_assert_eq!(entity::read::<Account>(raw, account.client().cloned(), account.due).unwrap(), account.clone());
            }
        }
    }
}
