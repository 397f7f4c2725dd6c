//! A deposit, from the client's intent to the credited trading account.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::fee::Fee;
use super::fx::{Converted, Fx};
use super::returns::Returns;
pub use super::status::{DepositStatus, Reason, Stage};
use super::ticket::{NamedTicket, Reopened};
use crate::entity::{Entity, InMoney, Parts, ReadError};
use crate::time::millis;
use crate::work::Review;
use crate::{AccountId, ClientId, Currency, Money, PaymentId, Seconds, Timestamp};

/// A credit that nobody reports about is looked after by the timer at the latest after this.
const WATCH_MAX: Seconds = Seconds(900);

/// The provider's side.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PspSide {
    /// The provider's name in the `psps` rule set.
    pub name: String,
    /// The provider's id of the payment; empty until it made one.
    pub reference: String,
}

/// The trading platform's side.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlatformSide {
    /// The platform, by which events are routed; deposits from before it was written have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The trading account's login.
    pub login: String,
    /// The ticket of the balance operation, once known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operation: Option<String>,
}

/// The review that a deposit waits for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    /// The work item that decides.
    #[serde(rename = "v")]
    pub review: Review,
    /// The money of a statement that is not about this deposit's own payment at the provider.
    #[serde(rename = "m", default, skip_serializing_if = "Option::is_none")]
    pub stray: Option<Money>,
}

/// A work item that was asked for and is moot by now: the desk closes it if it is still open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settled {
    /// Work-item kind of the `desk` rule set.
    pub kind: String,
    /// What had brought it there.
    pub trigger: String,
    /// When it was asked for, in milliseconds since 1970: with the two above it names the work item.
    pub at_ms: i64,
}

/// A person took something off the trading account: the platform's ticket, and how much.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Debit(pub String, pub Money);

/// A deposit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deposit {
    /// Its id; `metadata.payment_id` or `order_id` at the provider.
    pub id: PaymentId,
    /// Whose it is.
    pub client_id: ClientId,
    /// When something must happen although no trigger comes.
    pub due: Option<Timestamp>,
    /// The part that events carry.
    pub facts: DepositFacts,
    /// The part that stays with the item.
    pub inner: DepositInner,
}

/// The public part of a deposit: what events, journal and API show.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "API.md names them")]
pub struct DepositFacts {
    pub status: DepositStatus,
    pub account_id: AccountId,
    pub requested: Money,
    /// What the provider collected under this deposit's own reference, whatever went back of it since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paid: Option<Money>,
    /// What is with the payer again, or on its way to him.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub returned: Option<Money>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credited: Option<Money>,
    /// The rate that was applied to what was paid in another currency than the account's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fx: Option<Fx>,
    /// Our fee.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fee: Option<Fee>,
    pub psp: PspSide,
    pub platform: PlatformSide,
    /// What this version asks a person; while the deposit is under review never empty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub review: Option<Review>,
    /// Work items of earlier versions that this version makes moot.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub settled: Vec<Settled>,
    /// The work item that this version opens again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reopened: Option<Reopened>,
}

/// The private part of a deposit. Names are short and moments are milliseconds since 1970: it is written with every
/// version, and a version should fit one write unit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DepositInner {
    /// The first moment.
    #[serde(rename = "t0", with = "millis")]
    pub opened: Timestamp,
    /// The timeline.
    #[serde(rename = "tl")]
    pub stages: Vec<Stage>,
    /// Where the payer pays; part of the first answer, which a repeat gets again.
    #[serde(rename = "u", alias = "url")]
    pub redirect_url: String,
    /// Credits sent so far; each has its own version, so two workers never share one.
    #[serde(rename = "n", default, skip_serializing_if = "is_zero")]
    pub attempts: u32,
    /// When the last credit was intended, unless its outcome is known.
    #[serde(rename = "ta", default, skip_serializing_if = "Option::is_none", with = "millis::option")]
    pub attempted: Option<Timestamp>,
    /// Look-ups at the provider in a row that told nothing of use.
    #[serde(rename = "p", default, skip_serializing_if = "is_zero")]
    pub polls: u32,
    /// The provider's time of the newest statement that counted.
    #[serde(rename = "tp", default, skip_serializing_if = "Option::is_none", with = "millis::option")]
    pub heard: Option<Timestamp>,
    /// The provider closed the payment for good.
    #[serde(rename = "x", default, skip_serializing_if = "std::ops::Not::not")]
    pub closed_at_psp: bool,
    /// The provider's reference came with a statement. Such providers number every attempt and refund on its own.
    #[serde(rename = "a", default, skip_serializing_if = "std::ops::Not::not")]
    pub reference_adopted: bool,
    /// Everything that is known to have gone back.
    #[serde(rename = "b", default, skip_serializing_if = "Returns::is_empty")]
    pub returns: Returns,
    /// The statement by which all of it went back while the credit may have been under way.
    #[serde(rename = "rb", default, skip_serializing_if = "Option::is_none")]
    pub returned_by: Option<String>,
    /// What had gone back when the credit was sent, and was left out of it.
    #[serde(rename = "bn", default, skip_serializing_if = "Option::is_none")]
    pub netted: Option<Money>,
    /// The account's currency, where it is another than was asked for.
    #[serde(rename = "ac", default, skip_serializing_if = "Option::is_none")]
    pub account_currency: Option<Currency>,
    /// What the last intent came to in the account's currency, where it had to be converted.
    #[serde(rename = "cv", default, skip_serializing_if = "Option::is_none")]
    pub converted: Option<Converted>,
    /// What persons took off the trading account again.
    #[serde(rename = "ds", default, skip_serializing_if = "Vec::is_empty")]
    pub debits: Vec<Debit>,
    /// The items that ask to take money off the account: what set each off, and when (milliseconds since 1970).
    #[serde(rename = "ri", default, skip_serializing_if = "Vec::is_empty")]
    pub reversal_items: Vec<(String, i64)>,
    /// The newest statements that became work items: a repeat of one is not news, also after the decision.
    #[serde(rename = "s", default, skip_serializing_if = "Vec::is_empty")]
    pub flagged: Vec<String>,
    /// When the trading server could be called again, after it was last being maintained: the credit's time begins then.
    #[serde(rename = "m", default, skip_serializing_if = "Option::is_none", with = "millis::option")]
    pub served_from: Option<Timestamp>,
    /// The review that the deposit waits for.
    #[serde(rename = "w", default, skip_serializing_if = "Option::is_none")]
    pub held: Option<Held>,
    /// Other providers at which it may have been opened, under the same id: what they are paid for it is the deposit's own.
    #[serde(rename = "o", default, skip_serializing_if = "Vec::is_empty")]
    pub others: Vec<String>,
    /// The tickets of the platform that persons named and nobody has looked up yet.
    #[serde(rename = "nt", default, skip_serializing_if = "Vec::is_empty")]
    pub named: Vec<NamedTicket>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(count: &u32) -> bool {
    *count == 0
}

/// What a new deposit is made of.
#[derive(Debug, Clone)]
#[allow(missing_docs, reason = "the names of `DepositFacts`")]
pub struct NewDeposit {
    pub id: PaymentId,
    pub client_id: ClientId,
    pub account_id: AccountId,
    pub platform: String,
    pub login: String,
    pub amount: Money,
    pub account_currency: Currency,
    pub fee: Option<Fee>,
    pub psp: PspSide,
    /// Other providers at which it may have been opened before.
    pub others: Vec<String>,
    pub redirect_url: String,
    pub due: Timestamp,
    pub now: Timestamp,
}

impl Deposit {
    /// The pending deposit, after the provider opened its session.
    pub fn open(new: NewDeposit) -> Self {
        Self {
            id: new.id,
            client_id: new.client_id,
            due: Some(new.due),
            facts: DepositFacts {
                status: DepositStatus::Pending,
                account_id: new.account_id,
                requested: new.amount,
                paid: None,
                returned: None,
                credited: None,
                fx: None,
                fee: new.fee,
                psp: new.psp,
                platform: PlatformSide { name: Some(new.platform), login: new.login, operation: None },
                review: None,
                settled: Vec::new(),
                reopened: None,
            },
            inner: DepositInner {
                opened: new.now,
                stages: vec![Stage(DepositStatus::Pending, 0, Reason::Requested)],
                redirect_url: new.redirect_url,
                attempts: 0,
                attempted: None,
                polls: 0,
                heard: None,
                closed_at_psp: false,
                reference_adopted: false,
                returns: Returns::default(),
                returned_by: None,
                netted: None,
                account_currency: Some(new.account_currency).filter(|own| *own != new.amount.currency()),
                converted: None,
                debits: Vec::new(),
                reversal_items: Vec::new(),
                flagged: Vec::new(),
                served_from: None,
                held: None,
                others: new.others,
                named: Vec::new(),
            },
        }
    }

    /// Its status.
    pub fn status(&self) -> DepositStatus {
        self.facts.status
    }

    /// The reference that goes first into the platform's comment: fits the 31 bytes that MT5 keeps.
    pub fn platform_reference(&self) -> &str {
        self.id.as_str()
    }

    /// The same deposit in another status, with the line in its timeline and a timer where one is needed.
    #[must_use]
    pub(super) fn moved(&self, status: DepositStatus, reason: Reason, now: Timestamp) -> Self {
        let mut next = self.clone();
        next.facts.status = status;
        next.facts.review = None;
        next.facts.settled.clear();
        next.facts.reopened = None;
        next.inner.held = None;
        next.inner.stages.push(Stage(status, now.millis_since(self.inner.opened), reason));
        next.due = match status {
            DepositStatus::Pending => self.due,
            DepositStatus::Paid | DepositStatus::Crediting | DepositStatus::CreditingUnknown => Some(self.watched(now)),
            DepositStatus::Credited
            | DepositStatus::Failed
            | DepositStatus::Expired
            | DepositStatus::NeedsReview
            | DepositStatus::Refunded
            | DepositStatus::ChargedBack => None,
        };
        if !next.inner.named.is_empty() {
            // whatever moves it meanwhile, a ticket that was named is looked up
            next.due = next.due.or(self.due).or(Some(now.plus(super::credit::GRACE)));
        }
        if status.is_settled() {
            next.inner.attempted = None;
            next.inner.polls = 0;
        }
        next
    }

    /// The same deposit in the same status, for a change that asks nobody anything.
    #[must_use]
    pub(super) fn unmoved(&self) -> Self {
        let mut next = self.clone();
        next.facts.review = self.inner.held.as_ref().map(|held| held.review.clone());
        next.facts.settled.clear();
        next.facts.reopened = None;
        next
    }

    /// When the timer looks after a credit. The time that is there is kept if it serves: moving it costs two writes
    /// in the index of due times.
    fn watched(&self, now: Timestamp) -> Timestamp {
        let serves = |due: &Timestamp| *due > now && *due <= now.plus(WATCH_MAX);
        self.due.filter(serves).unwrap_or_else(|| now.plus(super::credit::GRACE))
    }

    /// The timeline with its moments.
    pub fn timeline(&self) -> impl Iterator<Item = (Timestamp, DepositStatus, &'static str)> + '_ {
        self.inner.stages.iter().map(move |stage| (self.moment(stage), stage.0, stage.2.text()))
    }

    /// The moment of a line of the timeline.
    pub(super) fn moment(&self, stage: &Stage) -> Timestamp {
        let opened = self.inner.opened;
        Timestamp::from_millis(opened.millis().saturating_add(stage.1)).unwrap_or(opened)
    }

    /// Whether it has been in a status before.
    pub(super) fn count_of(&self, status: DepositStatus) -> usize {
        self.inner.stages.iter().filter(|stage| stage.0 == status).count()
    }

    /// Why it is in its status.
    pub(super) fn last_reason(&self) -> Option<Reason> {
        self.inner.stages.last().map(|stage| stage.2)
    }
}

impl Entity for Deposit {
    type Id = PaymentId;
    type Table = InMoney;
    type Public = DepositFacts;
    type Private = DepositInner;
    const KIND: &'static str = "deposit";
    const FAMILY: &'static str = "payment";
    const TIMED: bool = true;
    const SCHEMA: u32 = 2;

    fn id(&self) -> &PaymentId {
        &self.id
    }

    fn client(&self) -> Option<&ClientId> {
        Some(&self.client_id)
    }

    fn due(&self) -> Option<Timestamp> {
        self.due
    }

    fn public(&self) -> &DepositFacts {
        &self.facts
    }

    fn private(&self) -> &DepositInner {
        &self.inner
    }

    fn from_parts(parts: Parts<Self>) -> Result<Self, ReadError> {
        Ok(Self { client_id: parts.owner()?, id: parts.id, due: parts.due, facts: parts.public, inner: parts.private })
    }

    /// The first form knew one reversal, of everything, and one debit.
    fn upgrade(_from: u32, public: Value, private: Value) -> (Value, Value) {
        super::former::upgrade(public, private)
    }
}
