//! What is normal for a client, beside what is now: figures and a small chart of weeks, for the officer.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde::Serialize;

use super::countries::CountryLists;
use super::facts::{About, Moment};
use super::feature::{AtLeast, Earlier, EarlierTake, Feature, LoginTake, MovementTake, Only, TradingTake, What};
use super::reckon::{View, reckon};
use crate::activity::{History, MovementKind};
use crate::{Day, Seconds, Timestamp};

/// A month, as the figures mean it.
const MONTH: Seconds = Seconds(30 * 86_400);
/// A week.
const WEEK: Seconds = Seconds(7 * 86_400);
/// Weeks of the chart.
const WEEKS: usize = 26;
/// Earlier months that are compared.
const MONTHS: u32 = 6;

/// A figure: what it was in the last 30 days, and in a usual month before. What is not known is not there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Figure {
    /// In the last 30 days.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub now: Option<String>,
    /// The median of the six months before, or of the earlier trading days.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usual: Option<String>,
}

/// A week of the chart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[allow(missing_docs, reason = "plain")]
pub struct Week {
    /// Its last day.
    pub until: Day,
    /// In the base currency; what has no rate of its day is not in it.
    pub deposits: Decimal,
    pub withdrawals: Decimal,
    pub trades: u32,
    pub lots: Decimal,
}

/// What is normal, and what is now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NormalPattern {
    /// Up to when.
    pub at: Timestamp,
    /// Figures by name.
    pub figures: BTreeMap<&'static str, Figure>,
    /// The oldest first.
    pub weeks: Vec<Week>,
}

/// How far back it looks.
pub const LOOK_BACK: Seconds = Seconds(MONTH.0 * (MONTHS + 1));

fn movements(of: MovementKind, take: MovementTake, usual: bool) -> What {
    let earlier = usual.then_some(Earlier { windows: MONTHS, take: EarlierTake::Median, at_least: 1 });
    What::Movements { of: vec![of], take, only: Only::default(), window: MONTH, earlier }
}

fn trading(take: TradingTake) -> What {
    What::Trading { take, window: Seconds(LOOK_BACK.0), at_least: AtLeast { days: 1, trades: 1 } }
}

/// The figures of a client at a moment.
pub fn pattern(history: &History, about: &About, lists: &CountryLists, at: Timestamp) -> NormalPattern {
    let moment = Moment { at, ..Moment::of_day(Day::of(at)) };
    let month = |take| What::Trading { take, window: MONTH, at_least: AtLeast { days: 1, trades: 1 } };
    let asked: Vec<(&'static str, What, Option<What>)> = vec![
        (
            "deposits",
            movements(MovementKind::Deposit, MovementTake::Sum, false),
            Some(movements(MovementKind::Deposit, MovementTake::Sum, true)),
        ),
        (
            "deposit_count",
            movements(MovementKind::Deposit, MovementTake::Count, false),
            Some(movements(MovementKind::Deposit, MovementTake::Count, true)),
        ),
        (
            "largest_deposit",
            movements(MovementKind::Deposit, MovementTake::Max, false),
            Some(movements(MovementKind::Deposit, MovementTake::Max, true)),
        ),
        (
            "withdrawals",
            movements(MovementKind::Withdrawal, MovementTake::Sum, false),
            Some(movements(MovementKind::Withdrawal, MovementTake::Sum, true)),
        ),
        (
            "withdrawal_count",
            movements(MovementKind::Withdrawal, MovementTake::Count, false),
            Some(movements(MovementKind::Withdrawal, MovementTake::Count, true)),
        ),
        ("trades", month(TradingTake::Trades), None),
        ("lots", month(TradingTake::Lots), None),
        ("largest_lots", month(TradingTake::Largest), Some(trading(TradingTake::UsualLargest))),
        ("login_countries", What::Logins { take: LoginTake::Countries, window: MONTH }, None),
        ("login_devices", What::Logins { take: LoginTake::Devices, window: MONTH }, None),
    ];
    let view = View { history, about, lists, moment: &moment };
    let value = |what: What| {
        let features = [Feature { name: "figure".to_owned(), what }];
        let mut reckoned = reckon(&features, view);
        reckoned.remove("figure").and_then(|one| one.value.ok()).map(|value| value.to_string())
    };
    let figures = asked.into_iter().map(|(name, now, usual)| {
        let figure = Figure { now: value(now), usual: usual.and_then(value) };
        (name, figure)
    });
    NormalPattern { at, figures: figures.collect(), weeks: weeks(history, at) }
}

fn weeks(history: &History, at: Timestamp) -> Vec<Week> {
    let mut until = at;
    let mut weeks = Vec::with_capacity(WEEKS);
    for _ in 0..WEEKS {
        let after = until.minus(WEEK);
        let sum = |of: MovementKind| {
            let moved = history.movements.iter().filter(|one| one.kind == of && after < one.at && one.at <= until);
            let amounts = moved.filter_map(|one| one.base.as_ref().map(|base| base.money.amount()));
            amounts.fold(Decimal::ZERO, |sum, amount| sum.checked_add(amount).unwrap_or(sum))
        };
        let (first, last) = (Day::of(after), Day::of(until));
        let days = || history.days.iter().filter(|(day, _)| first < **day && **day <= last).map(|(_, told)| told);
        weeks.push(Week {
            until: last,
            deposits: sum(MovementKind::Deposit),
            withdrawals: sum(MovementKind::Withdrawal),
            trades: days().fold(0, |sum, day| sum.saturating_add(day.closed())),
            lots: days().map(|day| day.lots()).sum(),
        });
        until = after;
    }
    weeks.reverse();
    weeks
}
