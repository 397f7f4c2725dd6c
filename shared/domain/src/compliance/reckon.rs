//! What the features of a scenario come to at a moment. Windows are `(t - W, t]` by the time at which things happened; nothing after the
//! moment is seen. Where the history does not reach back far enough, or an amount is not known in the base currency, there is no value,
//! and it is said why: "not known" is never zero.

use std::collections::{BTreeMap, BTreeSet};

use rust_decimal::Decimal;

use super::countries::CountryLists;
use super::facts::{About, Moment};
use super::feature::{
    AtLeast, DAY_S, Earlier, EarlierTake, Feature, LoginTake, MovementTake, Only, TradingTake, What, Whose,
};
use super::robust::{deviation, ln, mean, median};
use crate::activity::{History, Movement, MovementKind, SeenLogin, TradingDay};
use crate::rules::Value;
use crate::{Country, Day, Seconds, Timestamp};

/// How many ids one feature brings as evidence.
const EVIDENCE_MAX: usize = 50;
/// Digits after the point that means are told with.
const DIGITS: u32 = 4;
/// And ratios, for a part may be small: lots per dollar.
const RATIO_DIGITS: u32 = 12;

/// What is looked at.
#[derive(Debug, Clone, Copy)]
pub(super) struct View<'a> {
    pub(super) history: &'a History,
    pub(super) about: &'a About,
    pub(super) lists: &'a CountryLists,
    pub(super) moment: &'a Moment,
}

/// What a feature comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reckoned {
    /// Its value, or why there is none.
    pub(super) value: Result<Value, String>,
    /// What it was made of.
    pub(super) evidence: Vec<String>,
    /// How it came about.
    pub(super) why: String,
}

impl Reckoned {
    fn number(value: impl Into<Decimal>, why: String) -> Self {
        Self { value: Ok(Value::Decimal(value.into())), evidence: Vec::new(), why }
    }

    fn lacking(what: impl Into<String>) -> Self {
        let what = what.into();
        Self { value: Err(what.clone()), evidence: Vec::new(), why: what }
    }

    fn with<'m>(mut self, movements: impl IntoIterator<Item = &'m &'m Movement>) -> Self {
        let ids: BTreeSet<String> = movements.into_iter().map(|one| one.payment_id.to_string()).collect();
        self.evidence = ids.into_iter().take(EVIDENCE_MAX).collect();
        self
    }
}

/// All features, each after those that it is made of.
pub(super) fn reckon(features: &[Feature], view: View<'_>) -> BTreeMap<String, Reckoned> {
    let mut known: BTreeMap<String, Reckoned> = BTreeMap::new();
    for feature in features {
        let reckoned = match &feature.what {
            What::Movements { of, take, only, window, earlier } => {
                view.movements(&Moves { of, only, take: *take, window: *window }, earlier.as_ref())
            }
            What::Logins { take, window } => view.logins(*take, *window),
            What::Trading { take, window, at_least } => view.trading(*take, *window, *at_least),
            What::Listed { whose, on, window } => view.listed(whose, on, *window),
            What::Ratio { of, to, floor } => ratio(&known, of, to, *floor),
            What::Difference { of, less } => difference(&known, of, less),
        };
        known.insert(feature.name.clone(), reckoned);
    }
    known
}

struct Moves<'f> {
    of: &'f [MovementKind],
    only: &'f Only,
    take: MovementTake,
    window: Seconds,
}

/// A half-open stretch of time: after its start, up to its end.
#[derive(Debug, Clone, Copy)]
struct Stretch {
    after: Timestamp,
    until: Timestamp,
}

impl Stretch {
    fn has(self, at: Timestamp) -> bool {
        self.after < at && at <= self.until
    }
}

impl<'a> View<'a> {
    /// Whether the history is whole from a moment on. What was before the client registered cannot be missing.
    fn is_whole_from(&self, from: Timestamp) -> bool {
        self.history.whole_from.is_some_and(|whole| whole <= from.max(self.about.since))
    }

    fn window(&self, window: Seconds) -> Result<Stretch, Reckoned> {
        let stretch = Stretch { after: self.moment.at.minus(window), until: self.moment.at };
        if self.is_whole_from(stretch.after) {
            return Ok(stretch);
        }
        Err(Reckoned::lacking(format!("the history of the last {window} is not known as a whole")))
    }

    fn moved(&self, moves: &Moves<'_>, stretch: Stretch) -> Result<Vec<&'a Movement>, String> {
        let mut found = Vec::new();
        for movement in &self.history.movements {
            if stretch.has(movement.at) && moves.of.contains(&movement.kind) && fits(movement, moves.only)? {
                found.push(movement);
            }
        }
        Ok(found)
    }

    fn movements(&self, moves: &Moves<'_>, earlier: Option<&Earlier>) -> Reckoned {
        if moves.take == MovementTake::DaysSince {
            return self.since_movement(moves);
        }
        let stretch = match self.window(moves.window) {
            Ok(stretch) => stretch,
            Err(lacking) => return lacking,
        };
        if let Some(earlier) = earlier {
            return self.earlier(moves, earlier);
        }
        match self.moved(moves, stretch).and_then(|found| Ok((taken(&found, moves.take)?, found))) {
            Ok((value, found)) => {
                let why = format!("{} of {} in {}", moves.take, found.len(), moves.window);
                Reckoned::number(value, why).with(&found)
            }
            Err(lacking) => Reckoned::lacking(lacking),
        }
    }

    fn since_movement(&self, moves: &Moves<'_>) -> Reckoned {
        let stretch = Stretch { after: self.moment.at.minus(moves.window), until: just_before(self.moment.at) };
        match self.moved(moves, stretch) {
            Err(lacking) => Reckoned::lacking(lacking),
            Ok(found) => {
                let newest = found.iter().max_by_key(|one| (one.at, &one.payment_id));
                self.days_since(newest.map(|one| one.at), moves.window).with(newest)
            }
        }
    }

    fn days_since(&self, newest: Option<Timestamp>, window: Seconds) -> Reckoned {
        let Some(newest) = newest else {
            return Reckoned::lacking(format!("nothing is known of the {window} before"));
        };
        let days = self.moment.at.millis_since(newest) / (i64::from(DAY_S) * 1_000);
        Reckoned::number(days, format!("the newest before was {newest}"))
    }

    /// One figure of the windows before. They count from the one with the first such movement on, zeros included.
    fn earlier(&self, moves: &Moves<'_>, earlier: &Earlier) -> Reckoned {
        let first = self.history.movements.iter().filter(|one| moves.of.contains(&one.kind)).map(|one| one.at).min();
        let mut values = Vec::new();
        let mut until = self.moment.at.minus(moves.window);
        for _ in 0..earlier.windows {
            let stretch = Stretch { after: until.minus(moves.window), until };
            let is_told = first.is_some_and(|first| first <= stretch.until) && self.is_whole_from(stretch.after);
            if !is_told {
                break;
            }
            match self.moved(moves, stretch).and_then(|found| taken(&found, moves.take)) {
                Ok(value) => values.push(value),
                Err(lacking) => return Reckoned::lacking(lacking),
            }
            until = stretch.after;
        }
        let told = u32::try_from(values.len()).unwrap_or(u32::MAX);
        if told < earlier.at_least {
            let what = format!("{told} earlier windows of {} are known, {} are needed", moves.window, earlier.at_least);
            return Reckoned::lacking(what);
        }
        let value = match earlier.take {
            EarlierTake::Median => median(&values),
            EarlierTake::Mean => mean(&values),
            EarlierTake::Max => values.iter().max().copied(),
        };
        let shown: Vec<String> = values.iter().map(|value| value.normalize().to_string()).collect();
        let why = format!("{} of {} earlier windows of {}: {}", earlier.take, told, moves.window, shown.join(", "));
        value.map_or_else(too_large, |value| Reckoned::number(value.round_dp(DIGITS), why))
    }

    fn logins(&self, take: LoginTake, window: Seconds) -> Reckoned {
        let stretch = match self.window(window) {
            Ok(stretch) => stretch,
            Err(_) if take == LoginTake::DaysSince => {
                Stretch { after: self.moment.at.minus(window), until: self.moment.at }
            }
            Err(lacking) => return lacking,
        };
        let seen: Vec<&SeenLogin> = self.history.logins.iter().filter(|one| stretch.has(one.at)).collect();
        let distinct = |of: fn(&SeenLogin) -> Option<String>| {
            let values: BTreeSet<String> = seen.iter().filter_map(|one| of(one)).collect();
            values.len()
        };
        let number = match take {
            LoginTake::Count => seen.len(),
            LoginTake::Countries => distinct(|one| one.country.map(|country| country.to_string())),
            LoginTake::Devices => distinct(|one| one.device.clone()),
            LoginTake::Addresses => distinct(|one| one.address.clone()),
            LoginTake::DaysSince => {
                let newest = seen.iter().map(|one| one.at).filter(|at| *at < self.moment.at).max();
                return self.days_since(newest, window);
            }
        };
        Reckoned::number(counted(number), format!("{take} of {} log-ins in {window}", seen.len()))
    }

    fn trading(&self, take: TradingTake, window: Seconds, at_least: AtLeast) -> Reckoned {
        let today = Day::of(self.moment.at);
        let first = Day::of(self.moment.at.minus(window));
        let is_whole = self.is_whole_from(first.next().begins());
        let days = self.history.days.iter().filter(|(day, told)| first < **day && **day <= today && told.closed() > 0);
        let days: BTreeMap<Day, &TradingDay> = days.map(|(day, told)| (*day, told)).collect();
        if take == TradingTake::DaysSince {
            let newest = days.keys().copied().filter(|day| *day < today).max();
            let Some(newest) = newest else {
                return Reckoned::lacking(format!("no trading is known of the {window} before"));
            };
            let apart = today.begins().millis_since(newest.begins()) / (i64::from(DAY_S) * 1_000);
            return Reckoned::number(apart, format!("the newest day before was {newest}"));
        }
        if matches!(take, TradingTake::UsualLargest | TradingTake::Deviation) {
            return against_earlier(&days, today, take, at_least);
        }
        if !is_whole {
            return Reckoned::lacking(format!("the trades of the last {window} are not known as a whole"));
        }
        let why = format!("{take} on {} days in {window}", days.len());
        let value = match take {
            TradingTake::Trades => days.values().map(|day| Decimal::from(day.closed())).sum(),
            TradingTake::Lots => days.values().map(|day| day.lots()).sum(),
            TradingTake::Largest => days.values().filter_map(|day| day.largest()).max().unwrap_or_default(),
            TradingTake::Days | TradingTake::UsualLargest | TradingTake::Deviation | TradingTake::DaysSince => {
                counted(days.len())
            }
        };
        Reckoned::number(value, why)
    }

    fn listed(&self, whose: &[Whose], on: &[String], window: Seconds) -> Reckoned {
        let stretch = Stretch { after: self.moment.at.minus(window), until: self.moment.at };
        let mut found: BTreeSet<String> = BTreeSet::new();
        let mut why = Vec::new();
        let mut evidence = BTreeSet::new();
        let mut look = |what: Whose, country: Country, at: Timestamp, id: Option<String>| {
            let mut is_listed = false;
            for list in self.lists.listing(country, at, on) {
                is_listed = true;
                found.insert(list.to_owned());
                why.push(format!("{what} {country} is on {list} on {}", Day::of(at)));
            }
            if is_listed {
                evidence.extend(id);
            }
        };
        for what in whose {
            match what {
                Whose::Residence => look(*what, self.about.residence, self.moment.at, None),
                Whose::Nationality => look(*what, self.about.nationality, self.moment.at, None),
                Whose::Instrument => {
                    let moved = self.history.movements.iter().filter(|one| stretch.has(one.at));
                    for one in moved {
                        if let Some(country) = one.instrument_country {
                            look(*what, country, one.at, Some(one.payment_id.to_string()));
                        }
                    }
                }
                Whose::Login => {
                    for one in self.history.logins.iter().filter(|one| stretch.has(one.at)) {
                        if let Some(country) = one.country {
                            look(*what, country, one.at, None);
                        }
                    }
                }
            }
        }
        why.dedup();
        why.truncate(6);
        let why = if why.is_empty() { "no country is listed".to_owned() } else { why.join("; ") };
        let value = Ok(Value::List(found.into_iter().map(Value::Text).collect()));
        Reckoned { value, evidence: evidence.into_iter().take(EVIDENCE_MAX).collect(), why }
    }
}

/// The largest closing of the day beside those of earlier days. Only what was traded is compared, so an older part of the history that
/// was not read costs nothing but certainty.
fn against_earlier(days: &BTreeMap<Day, &TradingDay>, today: Day, take: TradingTake, at_least: AtLeast) -> Reckoned {
    let before: Vec<&TradingDay> = days.iter().filter(|(day, _)| **day < today).map(|(_, told)| *told).collect();
    let trades = before.iter().fold(0_u32, |sum, day| sum.saturating_add(day.closed()));
    let known = u32::try_from(before.len()).unwrap_or(u32::MAX);
    if known < at_least.days || trades < at_least.trades {
        let AtLeast { days: need_days, trades: need_trades } = at_least;
        let what =
            format!("{known} earlier days with {trades} trades are known, {need_days} with {need_trades} are needed");
        return Reckoned::lacking(what);
    }
    let sizes: Vec<Decimal> =
        before.iter().filter_map(|day| day.largest()).filter(|lots| *lots > Decimal::ZERO).collect();
    if take == TradingTake::UsualLargest {
        let why = format!("median of the largest closings of {known} days");
        return median(&sizes).map_or_else(too_large, |usual| Reckoned::number(usual.normalize(), why));
    }
    let Some(largest) = days.get(&today).and_then(|day| day.largest()).filter(|lots| *lots > Decimal::ZERO) else {
        return Reckoned::number(0, "nothing was closed on the day".to_owned());
    };
    let logs: Option<Vec<Decimal>> = sizes.iter().map(|lots| ln(*lots)).collect();
    let found = logs.zip(ln(largest)).and_then(|(logs, own)| deviation(own, &logs));
    found.map_or_else(too_large, |found| {
        let scale = if found.by_median { "median" } else { "mean" };
        let why = format!("{largest} lots beside the largest closings of {known} days, by {scale} absolute deviation");
        Reckoned::number(found.score, why)
    })
}

fn just_before(at: Timestamp) -> Timestamp {
    Timestamp::from_millis(at.millis().saturating_sub(1)).unwrap_or(at)
}

fn counted(number: usize) -> Decimal {
    Decimal::from(u64::try_from(number).unwrap_or(u64::MAX))
}

fn too_large() -> Reckoned {
    Reckoned::lacking("the figures are too large to be reckoned with")
}

fn in_base(movement: &Movement) -> Result<Decimal, String> {
    let base = movement.base.as_ref().map(|base| base.money.amount());
    base.ok_or_else(|| format!("{} of {} has no rate of its day", movement.payment_id, movement.amount))
}

/// Whether a movement counts; an error where that depends on an amount that is not known.
fn fits(movement: &Movement, only: &Only) -> Result<bool, String> {
    if !only.name.is_empty() && !movement.name.is_some_and(|name| only.name.contains(&name)) {
        return Ok(false);
    }
    if let Some(step) = only.multiple_of
        && movement.amount.amount().checked_rem(step).is_none_or(|rest| !rest.is_zero())
    {
        return Ok(false);
    }
    if only.from.is_none() && only.below.is_none() {
        return Ok(true);
    }
    let amount = in_base(movement)?;
    Ok(only.from.is_none_or(|from| from <= amount) && only.below.is_none_or(|below| amount < below))
}

fn taken(found: &[&Movement], take: MovementTake) -> Result<Decimal, String> {
    let distinct = |of: fn(&Movement) -> Option<String>| {
        let values: BTreeSet<String> = found.iter().filter_map(|one| of(one)).collect();
        counted(values.len())
    };
    Ok(match take {
        MovementTake::Count | MovementTake::DaysSince => counted(found.len()),
        MovementTake::Sum => {
            let mut sum = Decimal::ZERO;
            for movement in found {
                sum = sum.checked_add(in_base(movement)?).ok_or("the figures are too large to be reckoned with")?;
            }
            sum
        }
        MovementTake::Max => {
            let mut most = Decimal::ZERO;
            for movement in found {
                most = most.max(in_base(movement)?);
            }
            most
        }
        MovementTake::Instruments => distinct(|one| one.instrument.clone()),
        MovementTake::Countries => distinct(|one| one.instrument_country.map(|country| country.to_string())),
        MovementTake::Providers => distinct(|one| one.provider.clone()),
        MovementTake::Accounts => distinct(|one| Some(one.account_id.to_string())),
        MovementTake::Currencies => distinct(|one| Some(one.amount.currency().to_string())),
    })
}

fn number_of<'k>(known: &'k BTreeMap<String, Reckoned>, name: &str) -> Result<(Decimal, &'k Reckoned), String> {
    let reckoned = known.get(name).ok_or_else(|| format!("`{name}` is not reckoned"))?;
    match &reckoned.value {
        Ok(Value::Decimal(number)) => Ok((*number, reckoned)),
        Ok(_) => Err(format!("`{name}` is no number")),
        Err(lacking) => Err(lacking.clone()),
    }
}

fn of_two(
    known: &BTreeMap<String, Reckoned>,
    names: [&str; 2],
    combine: impl FnOnce(Decimal, Decimal) -> Option<Decimal>,
    why: String,
) -> Reckoned {
    let pair = number_of(known, names[0]).and_then(|first| Ok((first, number_of(known, names[1])?)));
    match pair {
        Err(lacking) => Reckoned::lacking(lacking),
        Ok(((a, first), (b, second))) => combine(a, b).map_or_else(too_large, |value| {
            let ids: BTreeSet<String> = first.evidence.iter().chain(&second.evidence).cloned().collect();
            let evidence = ids.into_iter().take(EVIDENCE_MAX).collect();
            Reckoned { evidence, ..Reckoned::number(value.round_dp(RATIO_DIGITS).normalize(), why) }
        }),
    }
}

fn ratio(known: &BTreeMap<String, Reckoned>, of: &str, to: &str, floor: Decimal) -> Reckoned {
    let why = format!("{of} in parts of {to}, which counts as {floor} at least");
    of_two(known, [of, to], |of, to| of.checked_div(to.max(floor)), why)
}

fn difference(known: &BTreeMap<String, Reckoned>, of: &str, less: &str) -> Reckoned {
    of_two(known, [of, less], Decimal::checked_sub, format!("{of} without {less}"))
}
