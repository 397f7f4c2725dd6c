//! A deal on a trading platform. One deal is one trade, however often and by whichever way it is told: a bridge pushes deals, and they are
//! fetched from the platforms as well.
//!
//! A deal is corrected by another one, which takes its place, or deleted. The order in which these are heard makes no difference: what is
//! told of a deal that was not heard of yet is kept for when it comes.

pub mod deal;
pub mod feed;
pub mod rules;

use rust_decimal::{Decimal, RoundingStrategy};
use serde::{Deserialize, Serialize};

pub use deal::{Deal, DealFault, pushed};

use crate::decision::{Decision, derived_bits};
use crate::entity::{Entity, InTrades, Parts, ReadError};
use crate::words::words;
use crate::{AccountId, ClientId, Currency, Money, Timestamp, TradeId};

words! {
    /// Bought or sold: what the deal did, which is the opposite of the position where it closes one.
    Side {
        /// Bought.
        Buy = "buy",
        /// Sold.
        Sell = "sell",
    }
}

words! {
    /// What a deal does to its position.
    Entry {
        /// It opens it, or adds to it.
        In = "in",
        /// It closes it, or a part of it.
        Out = "out",
        /// It closes it and opens one the other way.
        InOut = "inout",
        /// It is closed by a position the other way.
        OutBy = "out_by",
    }
}

words! {
    /// What became of a deal.
    Standing {
        /// It counts.
        Stands = "stands",
        /// Another deal has taken its place.
        Corrected = "corrected",
        /// The platform took it back.
        Deleted = "deleted",
    }
}

words! {
    /// How a deal was told.
    Told {
        /// A bridge pushed it.
        Pushed = "pushed",
        /// It was fetched from the platform.
        Fetched = "fetched",
    }
}

/// The public part: all of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TradeFacts {
    /// The platform.
    pub platform: String,
    /// The server, as in the rule set `platforms`.
    pub server: String,
    /// The account.
    pub account_id: AccountId,
    /// `live` or `demo`: the account's.
    pub kind: String,
    /// The account's type.
    pub account_type: String,
    /// The deal itself.
    #[serde(flatten)]
    pub deal: Deal,
    /// What became of it.
    pub standing: Standing,
    /// The deal that has taken its place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub corrected_by: Option<TradeId>,
    /// How it was told first.
    pub told: Told,
    /// Another deal takes the place of this one, which itself was not told yet: what stands here is the other one's.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unseen: bool,
}

/// A deal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trade {
    /// Derived from the server and the deal's number.
    pub id: TradeId,
    /// Whose it is.
    pub client_id: ClientId,
    /// What events carry.
    pub facts: TradeFacts,
}

/// The account of a deal.
#[derive(Debug, Clone, Copy)]
pub struct Of<'a> {
    /// The account; its login is the deal's.
    pub account: &'a crate::account::Account,
    /// How it was told.
    pub told: Told,
}

/// What a told deal comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Heard {
    /// It is news.
    News(Box<Decision<Trade>>),
    /// All of it is known.
    Known,
    /// It contradicts what is known; nothing is changed.
    Refused(DealFault),
}

impl Trade {
    /// The id of a deal.
    pub fn id_of(server: &str, deal: &str) -> TradeId {
        TradeId::from_bits(derived_bits(Timestamp::EPOCH, &["trade", server, deal]))
    }

    fn of(deal: Deal, of: Of<'_>, standing: Standing) -> Self {
        let own = &of.account.facts;
        let facts = TradeFacts {
            platform: own.platform.clone(),
            server: own.server.clone(),
            account_id: of.account.id.clone(),
            kind: own.kind.clone(),
            account_type: own.account_type.clone(),
            deal,
            standing,
            corrected_by: None,
            told: of.told,
            unseen: false,
        };
        Self { id: Self::id_of(&own.server, &facts.deal.deal), client_id: of.account.client_id.clone(), facts }
    }

    /// Whether it counts.
    pub fn counts(&self) -> bool {
        self.facts.standing == Standing::Stands
    }

    /// Whether it is of an account with real money. A deal of an account of no known kind counts nowhere.
    pub fn is_live(&self) -> bool {
        self.facts.kind == "live"
    }

    /// A deal was told: what is known of it already, and what it says.
    pub fn heard(was: Option<&Self>, deal: &Deal, of: Of<'_>) -> Heard {
        let Some(was) = was else {
            let standing = if deal.deleted { Standing::Deleted } else { Standing::Stands };
            let next = Self::of(deal.clone(), of, standing);
            let events = if deal.deleted { vec![] } else { vec![next.told_event()] };
            return news(next, if deal.deleted { "deleted" } else { "counted" }, events, vec![deal.in_words()]);
        };
        if was.facts.account_id != of.account.id {
            return Heard::Refused(DealFault::new("another_account", "the deal is known on another login"));
        }
        match was.facts.standing {
            Standing::Stands if deal.deleted => {
                let mut next = was.clone();
                next.facts.standing = Standing::Deleted;
                news(next, "deleted", vec!["trade.deleted"], vec!["the platform took it back".to_owned()])
            }
            Standing::Stands if was.facts.deal.is_same(deal) => Heard::Known,
            Standing::Stands => was.differs(deal, of.told),
            Standing::Corrected if was.facts.unseen => {
                let mut next = was.clone();
                next.facts.deal = deal.clone();
                next.facts.unseen = false;
                news(next, "seen", vec![], vec!["another deal has taken its place already".to_owned()])
            }
            Standing::Corrected | Standing::Deleted => Heard::Known,
        }
    }

    /// The platform is believed over what was told before; a bridge that contradicts itself, or the platform, is not.
    fn differs(&self, deal: &Deal, told: Told) -> Heard {
        // the two ways round a deal's costs and times differently, and whoever is paid by lots sees no difference
        if told != self.facts.told && self.facts.deal.is_alike(deal) {
            return Heard::Known;
        }
        match told {
            Told::Pushed => {
                let what = "the deal is known with other numbers; a correction is a deal of its own";
                Heard::Refused(DealFault::new("differs", what))
            }
            Told::Fetched => {
                let why = vec![format!("was {}, is {}", self.facts.deal.in_words(), deal.in_words())];
                let mut next = self.clone();
                next.facts.deal = deal.clone();
                next.facts.told = told;
                news(next, "corrected", vec!["trade.corrected"], why)
            }
        }
    }

    /// Another deal takes its place.
    pub fn replaced(was: Option<&Self>, number: &str, by: &Deal, of: Of<'_>) -> Heard {
        let by_id = Self::id_of(&of.account.facts.server, &by.deal);
        let why = vec![format!("deal {} takes its place", by.deal)];
        let Some(was) = was else {
            let mut next = Self::of(Deal { deal: number.to_owned(), ..by.clone() }, of, Standing::Corrected);
            next.facts.corrected_by = Some(by_id);
            next.facts.unseen = true;
            return news(next, "corrected", vec![], why);
        };
        if was.facts.account_id != of.account.id {
            return Heard::Refused(DealFault::new("another_account", "the deal that it corrects is on another login"));
        }
        match was.facts.standing {
            Standing::Stands => {
                let mut next = was.clone();
                next.facts.standing = Standing::Corrected;
                next.facts.corrected_by = Some(by_id);
                news(next, "corrected", vec!["trade.corrected"], why)
            }
            Standing::Corrected | Standing::Deleted => Heard::Known,
        }
    }

    fn told_event(&self) -> &'static str {
        if self.facts.deal.entry == Entry::In { "trade.opened" } else { "trade.closed" }
    }

    /// The profit as money: to the currency's digits.
    pub fn profit(&self) -> Option<Money> {
        rounded(self.facts.deal.profit, self.facts.deal.currency)
    }
}

/// To the digits of a currency, half to even.
fn rounded(amount: Decimal, currency: Currency) -> Option<Money> {
    let amount = amount.round_dp_with_strategy(currency.digits(), RoundingStrategy::MidpointNearestEven);
    Money::new(amount, currency).ok()
}

fn news(next: Trade, outcome: &'static str, events: Vec<&'static str>, why: Vec<String>) -> Heard {
    Heard::News(Box::new(Decision::new(next, outcome, events, why)))
}

/// The list of a client's closed trades, in which the newest stand last.
pub fn list_of(client: &ClientId) -> String {
    format!("trades#{client}")
}

impl Entity for Trade {
    type Id = TradeId;
    type Table = InTrades;
    type Public = TradeFacts;
    type Private = ();
    const KIND: &'static str = "trade";

    fn id(&self) -> &TradeId {
        &self.id
    }

    fn client(&self) -> Option<&ClientId> {
        Some(&self.client_id)
    }

    /// Closings of live accounts that stand are listed by their time.
    fn rank(&self) -> Option<(String, String)> {
        let is_listed = self.counts() && self.is_live() && self.facts.deal.entry != Entry::In;
        let place = format!("{:013}#{}", self.facts.deal.at.millis().max(0), self.id);
        is_listed.then(|| (list_of(&self.client_id), place))
    }

    fn public(&self) -> &TradeFacts {
        &self.facts
    }

    fn private(&self) -> &() {
        &()
    }

    fn from_parts(parts: Parts<Self>) -> Result<Self, ReadError> {
        let client_id = parts.owner()?;
        Ok(Self { id: parts.id, client_id, facts: parts.public })
    }
}
