//! Bonuses: credit that journeys grant on trading accounts. It counts for margin, is no money of the client's, and is taken off again.
//!
//! Who gets one is judged when a journey asks ([`grant`]) and saved together with what it counts against; whether it may still be given is
//! asked again right before it is booked. Credit and removal are an intent, a call and an outcome each ([`credit`]), with references of
//! their own: the bonus's id, and the id with `R`.

pub mod book;
pub mod credit;
pub mod grant;
pub mod rules;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::decision::{Verdict, derived_bits};
use crate::entity::{Entity, InCrm, Parts, ReadError};
use crate::journey::sending::Reason;
use crate::ledger::{LedgerAccount, Postings};
use crate::payment::deposit::Settled;
use crate::withdrawal::Effort;
use crate::words::words;
use crate::work::rules::{WorkAction, WorkKind};
use crate::work::{HumanDecision, Review};
use crate::{AccountId, BonusId, ClientId, Money, Timestamp};

/// What a journey would have granted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BonusWish {
    /// The campaign, of the rule set `bonuses`.
    pub campaign: String,
    /// The journey.
    pub journey: String,
    /// Its step.
    pub step: String,
    /// What the run began with.
    pub key: String,
    /// What its entry is about, in the base currency.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<Decimal>,
    /// When the step came up.
    pub at: Timestamp,
}

words! {
    /// Where a bonus stands.
    BonusStatus {
        /// People are asked; nothing follows before they approve.
        Proposed = "proposed",
        /// It is to be booked.
        Granted = "granted",
        /// The booking is intended and may be under way.
        Crediting = "crediting",
        /// Nobody knows whether it was booked.
        CreditingUnknown = "crediting_unknown",
        /// It is on the account.
        Credited = "credited",
        /// It is being taken off again.
        Removing = "removing",
        /// Nobody knows whether it was taken off.
        RemovingUnknown = "removing_unknown",
        /// Its time was up: it was taken off.
        Expired = "expired",
        /// A person says that it is off the account.
        Removed = "removed",
        /// Nothing was given.
        Refused = "refused",
        /// A person gives it, or finds out what became of it.
        HandedOver = "handed_over",
    }
}

words! {
    /// Why nothing is given, beyond the reasons for which nothing is sent.
    Refusal {
        /// The campaign is over: the rules have it no more.
        CampaignOver = "campaign_over",
        /// He has no live account that is open; demo accounts get none.
        NoAccount = "no_account",
        /// It is a part of something that is not there.
        NothingToShare = "nothing_to_share",
        /// He had what one client may have.
        ClientCap = "client_cap",
        /// The campaign has given away what it may.
        Budget = "budget",
        /// Somebody of his household had it.
        Linked = "linked",
        /// His positions stand against each other.
        Hedged = "hedged",
        /// A person declined it.
        Declined = "declined",
        /// A person found that it is not on the account, and leaves it so.
        NotGiven = "not_given",
    }
}

/// The public part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the schema says what each means")]
pub struct BonusFacts {
    pub status: BonusStatus,
    pub campaign: String,
    pub journey: String,
    pub step: String,
    /// The account, once there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account_id: Option<AccountId>,
    /// Its platform; `none` before there is an account.
    pub platform: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub login: Option<String>,
    /// How much, once that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<Money>,
    /// What stands on the account, or stood.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credited: Option<Money>,
    /// The platform's number of the booking.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operation: Option<String>,
    /// That of the removal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub removal: Option<String>,
    /// When it is taken off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// The terms under which it was granted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub terms: Option<String>,
    /// Why nothing is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What a person is asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub review: Option<Review>,
    /// The work items that this version makes moot.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub settled: Vec<Settled>,
}

/// The private part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BonusInner {
    /// What asked for it.
    pub wish: BonusWish,
    /// How long it stands, by the rules under which it was granted.
    pub stands_s: u32,
    /// The credit.
    #[serde(default)]
    pub credit: Effort,
    /// The removal.
    #[serde(default)]
    pub removing: Effort,
    /// The end of the last maintenance that it waited for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub served_from: Option<Timestamp>,
    /// The work item that waits, if one does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked: Option<Settled>,
}

/// A bonus.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bonus {
    /// Derived from client, campaign and what asked for it; the reference of the credit.
    pub id: BonusId,
    /// Whose.
    pub client_id: ClientId,
    /// When something must happen although no trigger comes.
    pub due: Option<Timestamp>,
    /// What events carry.
    pub facts: BonusFacts,
    /// What they do not.
    pub inner: BonusInner,
}

/// The platform of a bonus without an account.
const NO_PLATFORM: &str = "none";

impl Bonus {
    /// The id of what a journey asks for: the same however often it is heard.
    pub fn id_of(client: &ClientId, wish: &BonusWish) -> BonusId {
        let from = ["bonus", client.as_str(), &wish.campaign, &wish.journey, &wish.step, &wish.key];
        BonusId::from_bits(derived_bits(wish.at, &from))
    }

    fn begun(client: &ClientId, wish: &BonusWish, status: BonusStatus) -> Self {
        let facts = BonusFacts {
            status,
            campaign: wish.campaign.clone(),
            journey: wish.journey.clone(),
            step: wish.step.clone(),
            account_id: None,
            platform: NO_PLATFORM.to_owned(),
            server: None,
            login: None,
            amount: None,
            credited: None,
            operation: None,
            removal: None,
            expires_at: None,
            terms: None,
            reason: None,
            review: None,
            settled: Vec::new(),
        };
        let inner = BonusInner {
            wish: wish.clone(),
            stands_s: 0,
            credit: Effort::default(),
            removing: Effort::default(),
            served_from: None,
            asked: None,
        };
        Self { id: Self::id_of(client, wish), client_id: client.clone(), due: None, facts, inner }
    }

    /// The next version, which asks nobody and settles nothing.
    fn turned(&self) -> Self {
        let mut next = self.clone();
        next.facts.review = None;
        next.facts.settled.clear();
        next
    }

    fn moved(&self, status: BonusStatus) -> Self {
        let mut next = self.turned();
        next.facts.status = status;
        next
    }

    /// Whether people are asked before anything is given.
    pub fn is_proposed(&self) -> bool {
        self.facts.status == BonusStatus::Proposed
    }

    /// A person is asked. The version before may have asked another question: that one is moot.
    fn asking(mut self, kind: WorkKind, now: Timestamp) -> (Self, Vec<&'static str>) {
        let trigger = format!("{}:{}", self.facts.status, now.millis());
        self.facts.settled = self.inner.asked.take().into_iter().collect();
        self.inner.asked =
            Some(Settled { kind: kind.as_str().to_owned(), trigger: trigger.clone(), at_ms: now.millis() });
        self.facts.review = Some(Review::of(kind, trigger));
        let settled = (!self.facts.settled.is_empty()).then_some("desk.settled");
        (self, ["desk.item"].into_iter().chain(settled).collect())
    }

    /// What persons were asked is moot.
    fn settling(mut self) -> (Self, Option<&'static str>) {
        self.facts.settled = self.inner.asked.take().into_iter().collect();
        let event = (!self.facts.settled.is_empty()).then_some("desk.settled");
        (self, event)
    }

    /// Nothing is given, and why.
    fn refused(&self, reason: &str, why: Vec<String>) -> Verdict<Self> {
        let (mut next, settled) = self.moved(BonusStatus::Refused).settling();
        next.due = None;
        next.facts.reason = Some(reason.to_owned());
        Verdict::change(next, "refused", settled.into_iter().collect(), why)
    }

    /// It may not be given any more, for a reason for which nothing is advertised.
    pub fn suppressed(&self, reason: Reason) -> Verdict<Self> {
        self.refused(reason.as_str(), vec![format!("nothing is offered to him: {reason}")])
    }

    /// Whether a person's decision approves what it proposes.
    pub fn is_approved_by(&self, decision: &HumanDecision) -> bool {
        let waits = self.inner.asked.as_ref().is_some_and(|own| decision.is_about(&own.kind, &own.trigger));
        self.is_proposed() && waits && decision.action() == Some(WorkAction::Approve)
    }

    /// Applies a person's decision on the item that it waits for. What an approval leads to is judged anew by whoever has the facts
    /// ([`grant::judge`]); here is what needs none.
    pub fn decided(&self, decision: &HumanDecision, now: Timestamp) -> Verdict<Self> {
        let is_about = self.inner.asked.as_ref().is_some_and(|own| decision.is_about(&own.kind, &own.trigger));
        if !is_about {
            return Verdict::Nothing("the bonus does not wait for this decision; it is kept with the work item");
        }
        let mut answered = self.turned();
        answered.inner.asked = None;
        let why = vec![decision.why()];
        let is_on = self.facts.credited.is_some();
        match (self.facts.status, decision.action()) {
            (BonusStatus::Proposed, Some(WorkAction::Approve)) => Verdict::Nothing("it is judged anew first"),
            (BonusStatus::Proposed, _) => answered.refused(Refusal::Declined.as_str(), why),
            (BonusStatus::HandedOver, Some(WorkAction::Retry)) => {
                let status = if is_on { BonusStatus::Credited } else { BonusStatus::Granted };
                let mut next = answered.moved(status);
                let effort = if is_on { &mut next.inner.removing } else { &mut next.inner.credit };
                // the automation's time begins anew; what was sent before is looked up first
                effort.since = None;
                next.due = Some(now);
                if !is_on {
                    return Verdict::change(next, "granted", vec!["bonus.granted"], why);
                }
                Verdict::change(next, "credited", vec![], why)
            }
            // a person saw to it that it is off the account, or lost there
            (BonusStatus::HandedOver, _) if is_on => answered.off(BonusStatus::Removed, None, why),
            (BonusStatus::HandedOver, _) if self.inner.credit.attempts > 0 => {
                answered.refused(Refusal::NotGiven.as_str(), why)
            }
            // a person gave it, or did not: its item says so
            (BonusStatus::HandedOver, _) => Verdict::change(answered, "closed", vec![], why),
            _ => Verdict::Nothing("it waits for nobody"),
        }
    }

    /// It is off the account.
    fn off(&self, status: BonusStatus, ticket: Option<String>, why: Vec<String>) -> Verdict<Self> {
        let (mut next, settled) = self.moved(status).settling();
        next.due = None;
        next.facts.removal = ticket;
        next.inner.removing.attempted = None;
        let entry =
            self.entry().map_or_else(Postings::none, |(credit, cost, amount)| Postings::transfer(cost, credit, amount));
        let expired = (status == BonusStatus::Expired).then_some("bonus.expired");
        let outcome = if expired.is_some() { "expired" } else { "removed" };
        Verdict::change(next, outcome, expired.into_iter().chain(settled).collect(), why).booking(entry)
    }

    /// Credit on the account against what it costs us; none before it is known on which.
    fn entry(&self) -> Option<(LedgerAccount, LedgerAccount, Money)> {
        let account = self.facts.account_id.clone()?;
        Some((LedgerAccount::Credit(account), LedgerAccount::Bonuses, self.facts.credited?))
    }
}

impl Entity for Bonus {
    type Id = BonusId;
    type Table = InCrm;
    type Public = BonusFacts;
    type Private = BonusInner;
    const KIND: &'static str = "bonus";
    const TIMED: bool = true;
    const ROUTED_BY: Option<&'static str> = Some("platform");

    fn id(&self) -> &BonusId {
        &self.id
    }

    fn client(&self) -> Option<&ClientId> {
        Some(&self.client_id)
    }

    fn due(&self) -> Option<Timestamp> {
        self.due
    }

    fn public(&self) -> &BonusFacts {
        &self.facts
    }

    fn private(&self) -> &BonusInner {
        &self.inner
    }

    fn from_parts(parts: Parts<Self>) -> Result<Self, ReadError> {
        Ok(Self { client_id: parts.owner()?, id: parts.id, due: parts.due, facts: parts.public, inner: parts.private })
    }
}
