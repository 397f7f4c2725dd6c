//! Deals into a client's numbers. What changes is reckoned from each position before and after, so that whatever the order of deals,
//! corrections and deletions, the numbers come to the same.

use std::collections::{BTreeMap, BTreeSet};

use super::day::{Sign, TradingDay};
use super::position::{DealPart, Position, Recent};
use super::{Activity, News, NewsKind};
use crate::decision::Verdict;
use crate::trade::Trade;
use crate::{AccountId, Day, Timestamp, TradeId};

/// A position by its account and the platform's number of it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PositionKey {
    /// The account.
    pub account: AccountId,
    /// The platform's number.
    pub position: String,
}

impl PositionKey {
    /// The position of a deal.
    pub fn of(trade: &Trade) -> Self {
        Self { account: trade.facts.account_id.clone(), position: trade.facts.deal.position.clone() }
    }
}

/// What a client's deals are counted in, as far as some of them touch it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Book {
    /// Positions.
    pub positions: BTreeMap<PositionKey, Position>,
    /// Days.
    pub days: BTreeMap<Day, TradingDay>,
    /// The newest results, by account.
    pub recent: BTreeMap<AccountId, Recent>,
}

/// A deal before and after it was heard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Turn {
    /// As it was; none of a new one.
    pub was: Option<Trade>,
    /// As it is.
    pub is: Trade,
}

/// The parts of a book that some deals touch: whoever folds them reads these first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Touched {
    /// Positions.
    pub positions: BTreeSet<PositionKey>,
    /// Accounts, for their newest results.
    pub accounts: BTreeSet<AccountId>,
}

/// What turns touch, of live accounts.
pub fn touched(turns: &[Turn]) -> Touched {
    let mut touched = Touched::default();
    let live = |turn: &&Turn| turn.is.is_live();
    for trade in turns.iter().filter(live).flat_map(|turn| turn.was.iter().chain([&turn.is])) {
        touched.positions.insert(PositionKey::of(trade));
        touched.accounts.insert(trade.facts.account_id.clone());
    }
    touched
}

/// Days that the positions have deals on, and those that turns bring.
pub fn days_of(positions: &BTreeMap<PositionKey, Position>, turns: &[Turn]) -> BTreeSet<Day> {
    let known = positions.values().flat_map(|position| position.deals.values().map(|part| part.at));
    let turned = turns.iter().flat_map(|turn| turn.was.iter().chain([&turn.is])).map(|trade| trade.facts.deal.at);
    known.chain(turned).map(Day::of).collect()
}

impl Book {
    /// Folds turns into the book and the client's activity.
    pub fn fold(&mut self, activity: &Activity, turns: &[Turn]) -> Verdict<Activity> {
        let live: Vec<&Turn> = turns.iter().filter(|turn| turn.is.is_live()).collect();
        let Some(newest) = live.iter().map(|turn| turn.is.facts.deal.at).max() else {
            return Verdict::Nothing("no deal of a live account");
        };
        let keys: BTreeSet<_> =
            live.iter().flat_map(|turn| turn.was.iter().chain([&turn.is])).map(PositionKey::of).collect();
        let before: BTreeMap<_, _> =
            keys.iter().filter_map(|key| Some((key.clone(), self.positions.get(key)?.clone()))).collect();
        let days = self.days.clone();
        for turn in &live {
            self.turn(turn);
        }
        let mut next = activity.clone();
        for key in &keys {
            self.account_for(&mut next, key, before.get(key));
        }
        for account in keys.iter().map(|key| &key.account) {
            if let Some(streak) = self.recent.get(account).and_then(Recent::streak) {
                next.facts.streaks.insert(account.clone(), streak);
            } else {
                next.facts.streaks.remove(account);
            }
        }
        next.facts.last_trade_at = next.facts.last_trade_at.max(Some(newest));
        let changed = self.days.iter().filter(|(day, told)| days.get(day) != Some(told));
        let changed = changed.map(|(day, told)| (*day, told.clone())).collect();
        next.facts.news = Some(News { days: changed, ..news(&live, newest) });
        let why = vec![format!("{} deals", live.len())];
        Verdict::change(next, "counted", vec!["activity.traded"], why)
    }

    fn turn(&mut self, turn: &Turn) {
        if let Some(was) = turn.was.as_ref().filter(|was| was.counts())
            && let Some(position) = self.positions.get_mut(&PositionKey::of(was))
        {
            position.remove(&was.id);
        }
        if turn.is.counts() {
            let deal = &turn.is.facts.deal;
            let key = PositionKey::of(&turn.is);
            let position = self.positions.entry(key).or_insert_with(|| Position::begun(deal.currency, &deal.symbol));
            position.add(&turn.is.id, part_of(&turn.is));
        }
    }

    /// What changed between a position before and after, in days, results and sums.
    fn account_for(&mut self, next: &mut Activity, key: &PositionKey, before: Option<&Position>) {
        let after = self.positions.get(key);
        for (position, sign) in [(before, Sign::Minus), (after, Sign::Plus)] {
            let Some(position) = position else { continue };
            for (at, closing) in position.closings().into_values() {
                self.days.entry(Day::of(at)).or_default().count(&closing, sign);
                let lots = if sign == Sign::Plus { closing.lots } else { -closing.lots };
                next.facts.lots = (next.facts.lots + lots).normalize();
                next.facts.trades = match sign {
                    Sign::Plus => next.facts.trades.saturating_add(1),
                    Sign::Minus => next.facts.trades.saturating_sub(1),
                };
            }
            for part in position.deals.values().filter(|part| !part.costs.is_zero()) {
                self.days.entry(Day::of(part.at)).or_default().charge(position.currency, part.costs, sign);
            }
            let open = u32::from(position.is_open());
            next.facts.open_positions = match sign {
                Sign::Plus => next.facts.open_positions.saturating_add(open),
                Sign::Minus => next.facts.open_positions.saturating_sub(open),
            };
        }
        let outcome = after.and_then(|position| position.outcome(&key.position));
        self.recent.entry(key.account.clone()).or_default().set(&key.position, outcome);
    }
}

fn part_of(trade: &Trade) -> DealPart {
    let deal = &trade.facts.deal;
    DealPart {
        at: deal.at,
        side: deal.side,
        entry: deal.entry,
        lots: deal.lots,
        profit: deal.profit,
        costs: (deal.commission + deal.swap).normalize(),
    }
}

fn news(turns: &[&Turn], at: Timestamp) -> News {
    let mut ids: Vec<(Timestamp, TradeId)> =
        turns.iter().map(|turn| (turn.is.facts.deal.at, turn.is.id.clone())).collect();
    ids.sort();
    News {
        kind: NewsKind::Trades,
        at,
        movement: None,
        payment_id: None,
        account_id: turns.last().map(|turn| turn.is.facts.account_id.clone()),
        trade_ids: ids.into_iter().map(|(_, id)| id).collect(),
        moved: None,
        days: BTreeMap::new(),
    }
}
