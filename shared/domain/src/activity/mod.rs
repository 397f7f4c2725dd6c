//! What a client does, in numbers: money in and out, trades, positions, log-ins. It serves the portal, compliance, partners and retention
//! alike, so that nobody reads trades twice.
//!
//! Everything is by the time at which it happened, whenever it was heard of. A summary ([`Activity`]) is one item a client; beside it stand
//! the days on which he traded ([`TradingDay`]), one line for each movement of money ([`Movement`]) and one for each log-in ([`SeenLogin`]).

pub mod day;
pub mod fold;
pub mod movement;
pub mod position;

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

pub use day::{DayOfCurrency, TradingDay};
pub use movement::{InBase, Movement, MovementKind, NameMatch, SeenLogin};
pub use position::{Outcome, Position, Recent, Streak, StreakKind};

use crate::decision::Decision;
use crate::entity::{Entity, InTrades, Parts, ReadError};
use crate::words::words;
use crate::{AccountId, ActivityId, ClientId, Day, Money, PaymentId, Timestamp, TradeId};

/// How often, and how much by currency.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totals {
    /// How often.
    #[serde(rename = "n")]
    pub count: u32,
    /// How much.
    #[serde(rename = "t", default, skip_serializing_if = "Vec::is_empty")]
    pub total: Vec<Money>,
    /// How much in the base currency, by the rate of each day; what had no rate is not in it.
    #[serde(rename = "b", default, skip_serializing_if = "Option::is_none")]
    pub base: Option<Money>,
    /// The newest.
    #[serde(rename = "l", default, skip_serializing_if = "Option::is_none")]
    pub last: Option<Timestamp>,
}

words! {
    /// What a version of an activity is about.
    NewsKind {
        /// Deals were counted, corrected or taken back.
        Trades = "trades",
        /// Money moved, or was to.
        Movement = "movement",
        /// The client logged in.
        Login = "login",
    }
}

/// What a version of an activity tells, so that whoever hears of it knows where to look.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct News {
    /// What it is about.
    pub kind: NewsKind,
    /// When that happened; of several deals the newest.
    pub at: Timestamp,
    /// The kind of movement.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub movement: Option<MovementKind>,
    /// The payment that moved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment_id: Option<PaymentId>,
    /// The account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account_id: Option<AccountId>,
    /// The deals, the newest last.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub trade_ids: Vec<TradeId>,
    /// The movement as it was noted, so that who has the events can judge it without our tables. Nothing personal stands in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub moved: Option<Movement>,
    /// The days that the deals changed, as they are now.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub days: BTreeMap<Day, TradingDay>,
}

/// The public part: all of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActivityFacts {
    /// Closings that stand.
    #[serde(default)]
    pub trades: u64,
    /// Lots that were closed.
    #[serde(default)]
    pub lots: Decimal,
    /// The newest deal that was heard of, be it an opening or a closing, and whether it still stands or was taken back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_trade_at: Option<Timestamp>,
    /// Positions that are known to be open.
    #[serde(default)]
    pub open_positions: u32,
    /// The newest results in a row, by account.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub streaks: BTreeMap<AccountId, Streak>,
    /// Deposits that were credited.
    #[serde(default)]
    pub deposits: Totals,
    /// Withdrawals that were paid out.
    #[serde(default)]
    pub withdrawals: Totals,
    /// What this version tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub news: Option<News>,
}

/// The activity of a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Activity {
    /// The client's own: each has one.
    pub id: ActivityId,
    /// Whose it is.
    pub client_id: ClientId,
    /// What events carry.
    pub facts: ActivityFacts,
}

/// A client's history as far as it was read: what features are reckoned from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct History {
    /// Movements of money, the oldest first.
    pub movements: Vec<Movement>,
    /// The days on which he traded.
    pub days: BTreeMap<Day, TradingDay>,
    /// Log-ins, the oldest first.
    pub logins: Vec<SeenLogin>,
    /// From when on all of it was read: nothing is to be said of what was before.
    pub whole_from: Option<Timestamp>,
}

impl Activity {
    /// Of a client of whom nothing was heard.
    pub fn begun(client: &ClientId) -> Self {
        Self { id: ActivityId::of(client), client_id: client.clone(), facts: ActivityFacts::default() }
    }

    /// A log-in was noted.
    pub fn logged_in(&self, login: &SeenLogin) -> Decision<Self> {
        let mut next = self.clone();
        let news = News {
            kind: NewsKind::Login,
            at: login.at,
            movement: None,
            payment_id: None,
            account_id: None,
            trade_ids: vec![],
            moved: None,
            days: BTreeMap::new(),
        };
        next.facts.news = Some(news);
        Decision::new(next, "logged_in", vec!["activity.logged_in"], vec![])
    }

    /// A movement of money was noted.
    pub fn moved(&self, movement: &Movement) -> Decision<Self> {
        let mut next = self.clone();
        let facts = &mut next.facts;
        match movement.kind {
            MovementKind::Deposit => facts.deposits.add(movement),
            MovementKind::Withdrawal => facts.withdrawals.add(movement),
            MovementKind::DepositFailed
            | MovementKind::Refund
            | MovementKind::Chargeback
            | MovementKind::Reinstated
            | MovementKind::WithdrawalRequested
            | MovementKind::WithdrawalReturned => {}
        }
        facts.news = Some(News {
            kind: NewsKind::Movement,
            at: movement.at,
            movement: Some(movement.kind),
            payment_id: Some(movement.payment_id.clone()),
            account_id: Some(movement.account_id.clone()),
            trade_ids: vec![],
            moved: Some(movement.clone()),
            days: BTreeMap::new(),
        });
        let why = vec![format!("{} of {}", movement.kind, movement.amount)];
        Decision::new(next, "moved", vec!["activity.moved"], why)
    }
}

impl Totals {
    fn add(&mut self, movement: &Movement) {
        self.count = self.count.saturating_add(1);
        add_money(&mut self.total, movement.amount);
        if let Some(base) = &movement.base {
            let sum = self.base.map_or(Ok(base.money), |sum| sum.checked_add(&base.money));
            // another base currency than before: the installation changed it, and the sum begins anew
            self.base = Some(sum.unwrap_or(base.money));
        }
        self.last = self.last.max(Some(movement.at));
    }
}

fn add_money(total: &mut Vec<Money>, amount: Money) {
    match total.iter_mut().find(|sum| sum.currency() == amount.currency()) {
        Some(sum) => *sum = sum.checked_add(&amount).unwrap_or(*sum),
        None => {
            total.push(amount);
            total.sort_by_key(|sum| sum.currency().code());
        }
    }
}

impl Entity for Activity {
    type Id = ActivityId;
    type Table = InTrades;
    type Public = ActivityFacts;
    type Private = ();
    const KIND: &'static str = "activity";

    fn id(&self) -> &ActivityId {
        &self.id
    }

    fn client(&self) -> Option<&ClientId> {
        Some(&self.client_id)
    }

    fn public(&self) -> &ActivityFacts {
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
