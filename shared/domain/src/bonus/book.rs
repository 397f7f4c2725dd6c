//! What a client, or a campaign, was granted: by day, so that a book stays small however much a campaign gives. Saved together with each
//! bonus, under its version, so that of two that would pass a cap one is decided again.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::rules::{Budget, Most};
use crate::decision::{Decision, derived_bits};
use crate::entity::{Entity, InCrm, Parts, ReadError};
use crate::{BonusBookId, BonusId, ClientId, Currency, Day, Money, Seconds, Timestamp};

/// What was granted longer ago is counted nowhere.
const KEPT: Seconds = Seconds(732 * 86_400);

/// Whose book it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BookOf {
    /// A client's, of all campaigns.
    Client(ClientId),
    /// A campaign's, of all clients.
    Campaign(String),
}

/// What was granted on a day in a currency; an amount that nobody knows is none, and counts all the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Granted {
    /// The day.
    #[serde(rename = "d")]
    pub day: Day,
    /// The campaign.
    #[serde(rename = "k")]
    pub campaign: String,
    /// The currency; none where the amount is a person's to say.
    #[serde(rename = "c", default, skip_serializing_if = "Option::is_none")]
    pub currency: Option<Currency>,
    /// How often.
    #[serde(rename = "n")]
    pub count: u32,
    /// How much.
    #[serde(rename = "a", default)]
    pub amount: Decimal,
}

/// The public part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BookFacts {
    /// Whose.
    pub of: BookOf,
    /// The bonus that this version counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub newest: Option<BonusId>,
}

/// What a client or a campaign was granted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BonusBook {
    /// Derived from whose it is.
    pub id: BonusBookId,
    /// What the journal has.
    pub facts: BookFacts,
    /// Day by day, the oldest first.
    pub days: Vec<Granted>,
}

impl BonusBook {
    /// Before anything was granted.
    pub fn begun(of: BookOf) -> Self {
        let id = match &of {
            BookOf::Client(client) => derived_bits(Timestamp::EPOCH, &["bonuses_of", client.as_str()]),
            BookOf::Campaign(name) => derived_bits(Timestamp::EPOCH, &["bonus_campaign", name]),
        };
        Self { id: BonusBookId::from_bits(id), facts: BookFacts { of, newest: None }, days: Vec::new() }
    }

    fn since(&self, within: Seconds, now: Timestamp) -> impl Iterator<Item = &Granted> {
        // a day that has begun counts whole: a cap is never passed for the hour of the day
        let from = Day::of(now.minus(within));
        self.days.iter().filter(move |own| own.day >= from)
    }

    /// Whether one more bonus fits; of one campaign, or of all.
    pub fn takes(&self, campaign: Option<&str>, cap: Most, now: Timestamp) -> bool {
        let own = self.since(cap.within, now).filter(|own| campaign.is_none_or(|name| own.campaign == name));
        own.map(|own| own.count).fold(0, u32::saturating_add) < cap.most
    }

    /// Whether so much more fits into a budget; without an amount only the number counts.
    pub fn affords(&self, amount: Option<Money>, budget: &Budget, now: Timestamp) -> bool {
        if !self.takes(None, budget.count, now) {
            return false;
        }
        let Some(amount) = amount else { return true };
        let Some(limit) = budget.amounts.get(&amount.currency()) else { return false };
        let own = self.since(budget.count.within, now).filter(|own| own.currency == Some(amount.currency()));
        let sum = own.map(|own| own.amount).try_fold(amount.amount(), Decimal::checked_add);
        sum.is_some_and(|sum| sum <= *limit)
    }

    /// With one more.
    pub fn counting(&self, bonus: &BonusId, campaign: &str, amount: Option<Money>, now: Timestamp) -> Decision<Self> {
        let mut next = self.clone();
        next.facts.newest = Some(bonus.clone());
        let (day, oldest) = (Day::of(now), Day::of(now.minus(KEPT)));
        next.days.retain(|own| own.day >= oldest);
        let currency = amount.map(|amount| amount.currency());
        let is_it = |own: &&mut Granted| own.day == day && own.campaign == campaign && own.currency == currency;
        let more = amount.map_or(Decimal::ZERO, |amount| amount.amount());
        match next.days.iter_mut().find(is_it) {
            Some(own) => {
                own.count = own.count.saturating_add(1);
                // what fits nowhere else fits no budget either
                own.amount = own.amount.checked_add(more).unwrap_or(Decimal::MAX);
            }
            None => next.days.push(Granted { day, campaign: campaign.to_owned(), currency, count: 1, amount: more }),
        }
        let what = amount.map_or_else(|| "an amount that a person says".to_owned(), |amount| amount.to_string());
        Decision::new(next, "counted", vec![], vec![format!("{campaign}: {what} for {bonus}")])
    }
}

impl Entity for BonusBook {
    type Id = BonusBookId;
    type Table = InCrm;
    type Public = BookFacts;
    type Private = Vec<Granted>;
    const KIND: &'static str = "bonus_book";

    fn id(&self) -> &BonusBookId {
        &self.id
    }

    fn client(&self) -> Option<&ClientId> {
        match &self.facts.of {
            BookOf::Client(client) => Some(client),
            BookOf::Campaign(_) => None,
        }
    }

    fn public(&self) -> &BookFacts {
        &self.facts
    }

    fn private(&self) -> &Vec<Granted> {
        &self.days
    }

    fn from_parts(parts: Parts<Self>) -> Result<Self, ReadError> {
        Ok(Self { id: parts.id, facts: parts.public, days: parts.private })
    }
}
