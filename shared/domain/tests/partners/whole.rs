//! Whole months, reckoned a second time from what the field agrees on (`laws` has what must hold, `plain` the levels of one currency):
//! agreements in several currencies, rates of the trade's day, filters, holds, versions in any order, months that are closed while trades
//! still come, statements and pay.
//!
//! It keeps no sums. Whatever it is asked it adds up anew: from the trades that stand, and from what was booked.

use std::collections::{BTreeMap, BTreeSet};

use domain::partner::balance::Balances;
use domain::partner::book::{Book, TradeEvent};
use domain::partner::line::{Line, LineModel, TradeRef};
use domain::partner::network::Network;
use domain::partner::period::Period;
use domain::partner::trade::{Trade, TradeRate};
use domain::partner::verify::verify;
use domain::{Currency, Money, Seconds, Timestamp};
use proptest::prelude::*;
use rust_decimal::{Decimal, RoundingStrategy};
use serde_json::{Value, json};

use crate::plain::{Move, Over, PARTNERS, chain_of, cut_to, eight, hour, placed, tenths};
use crate::world::*;

const CURRENCIES: [&str; 3] = ["USD", "EUR", "JPY"];
const DAY_S: u32 = 86_400;

#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Pays {
    Lots,
    Pips,
    Commission,
}

/// What a tier is: how it applies, above how many lots, tenths that rates are multiplied with, whose lots.
type Tier = (&'static str, u32, u32, &'static str);

/// An agreement in few words.
#[derive(Debug, Clone)]
pub struct Terms {
    currency: &'static str,
    pays: Pays,
    /// In tenths.
    rate: u32,
    over: Over,
    tier: Option<Tier>,
    /// Tenths for each lot, and who gets less.
    pool: Option<(u32, &'static str)>,
    hold_days: u32,
    held_for_s: u32,
}

/// A version of a trade in few words.
#[derive(Debug, Clone)]
pub struct Told {
    id: u32,
    version: u64,
    /// Hours since the year began.
    when: u32,
    /// Hundredths.
    lots: u32,
    is_yen: bool,
    held_s: u32,
    /// Commission in cents.
    fee: u32,
}

#[derive(Debug, Clone)]
pub enum Step {
    Made(Told),
    Deleted {
        id: u32,
        version: u64,
    },
    /// The first month that is open is closed.
    Closed,
    /// On this day of the first month that is open everybody is paid what he can be paid.
    Paid {
        day: u32,
    },
}

#[derive(Debug, Clone)]
pub struct Year {
    terms: Vec<Terms>,
    accepted: Vec<usize>,
    moves: Vec<Move>,
    steps: Vec<Step>,
}

fn terms() -> impl Strategy<Value = Terms> {
    let over = prop_oneof![
        1 => Just(Over::Nothing),
        2 => Just(Over::Own),
        3 => Just(Over::Difference),
        4 => (1_u32..=60, any::<bool>()).prop_map(|(part, sub)| Over::Share(part, sub)),
    ];
    let applies = prop::sample::select(vec!["marginal", "retroactive", "next_period"]);
    let tier =
        prop::option::weighted(0.6, (applies, 1_u32..30, 5_u32..30, prop::sample::select(vec!["own", "downline"])));
    let pool = (1_u32..150, prop::sample::select(vec!["pro_rata", "client_first", "top_first"]));
    let pool = prop::option::weighted(0.2, pool);
    let pays = prop_oneof![3 => Just(Pays::Lots), 2 => Just(Pays::Pips), 1 => Just(Pays::Commission)];
    let currency = prop_oneof![5 => Just("USD"), 1 => Just("EUR"), 1 => Just("JPY")];
    let hold = prop_oneof![2 => Just(0_u32), 3 => 1_u32..60];
    let filter = prop_oneof![3 => Just(0_u32), 1 => 60_u32..300];
    ((currency, pays, 1_u32..100), over, tier, pool, hold, filter).prop_map(
        |(paid, over, tier, pool, hold_days, filter)| {
            let (currency, pays, rate) = paid;
            // what is not a whole number of hundredths has no part in a tier that is reckoned again, so that nothing is left over by it
            let tier = tier.filter(|(apply, ..)| *apply != "retroactive" || pays == Pays::Lots);
            let is_retroactive = tier.is_some_and(|(apply, ..)| apply == "retroactive");
            // what the rules refuse
            let pool = pool.filter(|_| !is_retroactive);
            let held_for_s = if pays == Pays::Commission { 0 } else { filter };
            Terms { currency, pays, rate, over, tier, pool, hold_days, held_for_s }
        },
    )
}

pub fn years() -> impl Strategy<Value = Year> {
    let told = (0_u32..7, 1_u64..4, 0_u32..2_100, 1_u32..2_000, any::<bool>(), 0_u32..400, 0_u32..3_000);
    let told = told.prop_map(|(id, version, when, lots, is_yen, held_s, fee)| {
        Step::Made(Told { id, version, when, lots, is_yen, held_s, fee })
    });
    let step = prop_oneof![
        10 => told,
        2 => (0_u32..7, 2_u64..5).prop_map(|(id, version)| Step::Deleted { id, version }),
        1 => Just(Step::Closed),
        1 => (0_u32..28).prop_map(|day| Step::Paid { day }),
    ];
    let moves = prop::collection::vec((1..=PARTNERS, 0..=PARTNERS, 0_u32..2_100), 2..8);
    (prop::collection::vec(terms(), 3), prop::collection::vec(0_usize..3, 5), moves, prop::collection::vec(step, 3..22))
        .prop_map(|(terms, accepted, moves, steps)| Year { terms, accepted, moves, steps })
}

/// What one unit was worth on a day.
fn rate_of(base: &str, quote: &str, day: u32) -> Option<Decimal> {
    let (first, step, times, round) = match (base, quote) {
        ("USD", "JPY") => ("150", "0.07", 37, 90),
        ("EUR", "USD") => ("1.05", "0.0013", 53, 100),
        ("EUR", "JPY") => ("160", "0.09", 29, 90),
        _ => return None,
    };
    Some(dec(first) + dec(step) * Decimal::from(day * times % round))
}

/// An amount in another currency by the rate of its day.
fn exchanged(amount: Decimal, from: &str, to: &str, day: u32) -> Decimal {
    if from == to {
        return amount;
    }
    match rate_of(from, to, day) {
        Some(rate) => amount * rate,
        None => amount / rate_of(to, from, day).unwrap(),
    }
}

impl Told {
    fn client(&self) -> u128 {
        u128::from(self.id) % PARTNERS + 1
    }

    fn month(&self) -> Period {
        Period::of(hour(self.when))
    }

    fn day(&self) -> u32 {
        self.when / 24
    }

    fn lots(&self) -> Decimal {
        Decimal::new(i64::from(self.lots), 2)
    }

    fn event(&self) -> TradeEvent {
        let mut deal = trade(&format!("t{}", self.id), self.client(), BEGIN, "1");
        (deal.version, deal.at, deal.lots) = (self.version, hour(self.when), self.lots());
        deal.symbol = if self.is_yen { "USDJPY" } else { "EURUSD" }.to_owned();
        deal.opened_at = Some(deal.at.minus(Seconds(self.held_s)));
        deal.commission = Money::new(Decimal::new(-i64::from(self.fee), 2), currency("USD")).unwrap();
        deal.rates = self.rates(&deal);
        made(deal)
    }

    /// The rates of its day, after those of the day before.
    fn rates(&self, deal: &Trade) -> Vec<TradeRate> {
        let of = |day: u32, at: Timestamp| {
            [("USD", "JPY"), ("EUR", "USD"), ("EUR", "JPY")].map(|(base, quote)| {
                let rate = rate_of(base, quote, day).unwrap();
                TradeRate { base: currency(base), quote: currency(quote), rate, source: "test".to_owned(), at }
            })
        };
        let before = of(self.day() + 7, deal.at.minus(Seconds(DAY_S)));
        before.into_iter().chain(of(self.day(), hour(self.day() * 24))).collect()
    }
}

impl Year {
    fn rules(&self) -> Value {
        let agreement = |terms: &Terms| {
            let mut all = per_lot(&tenths(terms.rate).to_string());
            let pay = &mut all["pay"][0];
            match terms.pays {
                Pays::Lots => {}
                Pays::Pips => (pay["model"], pay["unit"]) = (json!("points"), json!("pip")),
                Pays::Commission => pay["model"] = json!("commission"),
            }
            if terms.hold_days > 0 {
                pay["hold"] = json!(format!("{}d", terms.hold_days));
            }
            if let Some((apply, above, factor, of)) = terms.tier {
                let steps = json!([{"above": above, "factor": tenths(factor).to_string()}]);
                pay["tiers"] = json!({"volume": of, "apply": apply, "steps": steps});
            }
            all["currency"] = json!(terms.currency);
            all["overrides"] = match terms.over {
                Over::Nothing => json!({"kind": "nothing"}),
                Over::Own => json!({"kind": "own"}),
                Over::Difference => json!({"kind": "difference"}),
                Over::Share(part, sub) => {
                    json!({"kind": "share", "per_cent": part, "paid_by": if sub { "sub" } else { "broker" }})
                }
            };
            if let Some((per_lot, cut)) = terms.pool {
                all["pool"] = json!({"per_lot": tenths(per_lot).to_string(), "cut": cut});
            }
            if terms.held_for_s > 0 {
                all["filters"] = json!({"hold_min": format!("{}s", terms.held_for_s)});
            }
            all
        };
        self.terms.iter().enumerate().map(|(n, terms)| (format!("d{n}"), agreement(terms))).collect()
    }
}

/// What is booked, as both tell it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Entry {
    who: u128,
    /// The month whose statement it stands on.
    on: Period,
    counted_in: Period,
    level: u32,
    /// `pay`, `back` or `tier`.
    what: &'static str,
    currency: &'static str,
    amount: Decimal,
    /// The first day on which it can be paid.
    free: Option<String>,
}

fn name_of(money: Currency) -> &'static str {
    CURRENCIES.into_iter().find(|name| currency(name) == money).unwrap()
}

fn number_of(who: &domain::PartnerId) -> u128 {
    (1..=PARTNERS).find(|n| partner(*n) == *who).unwrap()
}

fn entry(line: &Line) -> Entry {
    let what = match (line.model, line.reverses.is_some()) {
        (LineModel::TrueUp, _) => "tier",
        (_, true) => "back",
        (_, false) => "pay",
    };
    Entry {
        who: number_of(&line.partner),
        on: line.period,
        counted_in: line.counted_in,
        level: line.level,
        what,
        currency: name_of(line.amount.currency()),
        amount: line.amount.amount(),
        free: line.held_until.map(|day| day.to_string()),
    }
}

/// What a level has of a trade.
#[derive(Debug, Clone)]
struct Gets {
    /// Of it, if he is paid at all.
    amount: Decimal,
    /// Before anything of it is passed up or cut.
    gross: Decimal,
    currency: &'static str,
    free: Option<String>,
    /// Before his tier, where a later one changes it.
    open: Option<Decimal>,
}

#[derive(Debug, Clone)]
struct Level {
    who: u128,
    /// Lots that count.
    lots: Decimal,
    is_own: bool,
    gets: Option<Gets>,
}

/// A version of a trade that stands.
#[derive(Debug, Clone)]
struct Stands {
    told: Told,
    levels: Vec<Level>,
}

/// The second reckoning.
struct Plain<'y> {
    year: &'y Year,
    moves: Vec<Move>,
    open: Period,
    seen: BTreeMap<u32, u64>,
    standing: BTreeMap<u32, Stands>,
    booked: Vec<Entry>,
    /// Who was paid what in which month.
    paid: Vec<(u128, &'static str, Period, Decimal)>,
}

fn volume(standing: &BTreeMap<u32, Stands>, who: u128, month: Period, of: &str) -> Decimal {
    let in_month = standing.values().filter(|stands| stands.told.month() == month);
    let levels = in_month.flat_map(|stands| &stands.levels);
    levels.filter(|level| level.who == who && (of == "downline" || level.is_own)).map(|level| level.lots).sum()
}

fn free_from(when: u32, days: u32) -> Option<String> {
    (days > 0).then(|| hour(when).plus(Seconds((days + 1) * DAY_S)).day().to_string())
}

impl Plain<'_> {
    fn terms(&self, who: u128) -> &Terms {
        &self.year.terms[self.year.accepted[usize::try_from(who - 1).unwrap()]]
    }

    /// What a step books; `None` where it cannot be told and waits for a person.
    fn take(&mut self, step: &Step) -> Option<Vec<Entry>> {
        let (id, version) = match step {
            Step::Made(told) => (told.id, told.version),
            Step::Deleted { id, version } => (*id, *version),
            Step::Closed | Step::Paid { .. } => return Some(Vec::new()),
        };
        if self.seen.get(&id).is_some_and(|seen| *seen >= version) {
            return Some(Vec::new());
        }
        let mut rest = self.standing.clone();
        let before = rest.remove(&id);
        let news = match step {
            Step::Made(told) => Some(Stands { told: told.clone(), levels: self.levels(told, &rest)? }),
            _ => None,
        };
        let booked = self.booked.len();
        self.standing = rest;
        if let Some(before) = before {
            self.book(&before, "back");
            self.top_up(&before);
        }
        if let Some(news) = news {
            self.standing.insert(id, news.clone());
            self.book(&news, "pay");
            self.top_up(&news);
        }
        self.seen.insert(id, version);
        Some(self.booked[booked..].to_vec())
    }

    fn book(&mut self, stands: &Stands, what: &'static str) {
        let month = stands.told.month();
        for (place, level) in stands.levels.iter().enumerate() {
            let Some(gets) = &level.gets else { continue };
            let amount = if what == "back" { -gets.amount } else { gets.amount };
            self.booked.push(Entry {
                who: level.who,
                on: month.max(self.open),
                counted_in: month,
                level: u32::try_from(place).unwrap() + 1,
                what,
                currency: gets.currency,
                amount: amount.normalize(),
                free: gets.free.clone(),
            });
        }
    }

    /// What a retroactive tier now gives, or takes, of all that stands in a month.
    fn top_up(&mut self, by: &Stands) {
        let month = by.told.month();
        for (place, level) in by.levels.iter().enumerate() {
            let terms = self.terms(level.who).clone();
            let Some(("retroactive", above, factor, of)) = terms.tier else { continue };
            let in_month = self.standing.values().filter(|stands| stands.told.month() == month);
            let own = in_month.flat_map(|stands| &stands.levels).filter(|other| other.who == level.who);
            let open: Vec<(Decimal, Decimal)> =
                own.filter_map(|other| other.gets.as_ref()).filter_map(|gets| Some((gets.open?, gets.gross))).collect();
            let is_reached = volume(&self.standing, level.who, month, of) > Decimal::from(above);
            let base: Decimal = open.iter().map(|(base, _)| base).sum();
            let wanted = if is_reached { base * tenths(factor) } else { base };
            let given: Decimal = open.iter().map(|(_, given)| given).sum();
            let topped = self
                .booked
                .iter()
                .filter(|entry| (entry.who, entry.counted_in, entry.what) == (level.who, month, "tier"));
            let missing = wanted - given - topped.map(|entry| entry.amount).sum::<Decimal>();
            if missing.is_zero() {
                continue;
            }
            // whoever is paid nothing of the trade has no other time than the month's
            let from = if level.gets.is_some() { by.told.when } else { hours_until(month) };
            self.booked.push(Entry {
                who: level.who,
                on: month.max(self.open),
                counted_in: month,
                level: u32::try_from(place).unwrap() + 1,
                what: "tier",
                currency: terms.currency,
                amount: missing.normalize(),
                free: free_from(from, terms.hold_days),
            });
        }
    }

    /// What a trade earns beside all others that stand.
    fn levels(&self, told: &Told, standing: &BTreeMap<u32, Stands>) -> Option<Vec<Level>> {
        let chain = chain_of(&self.moves, told.client(), told.when);
        let is_limited = chain.iter().any(|who| self.terms(*who).pool.is_some());
        let mut levels: Vec<Level> = Vec::new();
        // what rates are of, and the currency that they are in
        let mut below: Vec<(Pays, &str, Decimal)> = Vec::new();
        for (place, who) in chain.iter().enumerate() {
            let terms = self.terms(*who);
            let is_paid = told.held_s >= terms.held_for_s;
            let own = tenths(terms.rate);
            let rate = match terms.over {
                Over::Difference if place > 0 => {
                    let alike: Vec<_> = below.iter().filter(|(pays, ..)| *pays == terms.pays).collect();
                    if alike.iter().any(|(_, currency, _)| *currency != terms.currency) {
                        return None;
                    }
                    let highest = alike.iter().map(|(.., rate)| *rate).max().unwrap_or_default();
                    (own - highest).max(Decimal::ZERO)
                }
                _ => own,
            };
            let gets = match terms.over {
                Over::Nothing if place > 0 => None,
                Over::Share(part, by_sub) if place > 0 => {
                    Some(share_of(&mut levels[place - 1], (part, by_sub), terms.currency, told.day()))
                }
                _ => {
                    below.push((terms.pays, terms.currency, own));
                    Some(self.own(*who, (told, place == 0, is_paid), rate, standing, is_limited))
                }
            };
            let lots = if is_paid { told.lots() } else { Decimal::ZERO };
            levels.push(Level { who: *who, lots, is_own: place == 0, gets });
        }
        self.limit(&chain, told, &mut levels)?;
        Some(levels)
    }

    fn own(
        &self,
        who: u128,
        (told, is_own, is_paid): (&Told, bool, bool),
        rate: Decimal,
        standing: &BTreeMap<u32, Stands>,
        is_limited: bool,
    ) -> Gets {
        let terms = self.terms(who);
        let (lots, day) = (told.lots(), told.day());
        let exact = match terms.pays {
            Pays::Lots => lots * rate,
            Pays::Pips => {
                let (pip, quote) = if told.is_yen { ("0.01", "JPY") } else { ("0.0001", "USD") };
                exchanged(lots * dec("100000") * dec(pip) * rate, quote, terms.currency, day)
            }
            Pays::Commission => {
                let fee = Decimal::new(i64::from(told.fee), 2);
                exchanged(fee * rate / Decimal::ONE_HUNDRED, "USD", terms.currency, day)
            }
        };
        let is_open = terms.tier.is_some_and(|(apply, ..)| apply == "retroactive") && !is_limited;
        if !is_paid {
            let open = is_open.then_some(Decimal::ZERO);
            let free = free_from(told.when, terms.hold_days);
            return Gets { amount: Decimal::ZERO, gross: Decimal::ZERO, currency: terms.currency, free, open };
        }
        let amount = match terms.tier {
            None => exact,
            Some((apply, above, factor, of)) => {
                let (above, factor) = (Decimal::from(above), tenths(factor));
                let so_far = volume(standing, who, told.month(), of);
                let added = if is_own || of == "downline" { lots } else { Decimal::ZERO };
                let high = match apply {
                    "next_period" if volume(standing, who, told.month().previous(), of) > above => lots,
                    "next_period" => Decimal::ZERO,
                    "retroactive" if so_far + added > above => lots,
                    "retroactive" => Decimal::ZERO,
                    _ if added.is_zero() && so_far >= above => lots,
                    _ => (so_far + added - above).clamp(Decimal::ZERO, added),
                };
                exact * (lots - high) / lots + exact * factor * high / lots
            }
        };
        let free = free_from(told.when, terms.hold_days);
        let amount = eight(amount);
        Gets { amount, gross: amount, currency: terms.currency, free, open: is_open.then_some(exact) }
    }

    /// The smallest pool of anybody in the chain; half of it where somebody is paid when a position is opened.
    fn limit(&self, chain: &[u128], told: &Told, levels: &mut [Level]) -> Option<()> {
        let mut smallest: Option<(u32, &str, &str)> = None;
        for terms in chain.iter().map(|who| self.terms(*who)) {
            let Some((per_lot, cut)) = terms.pool else { continue };
            if smallest.is_some_and(|(_, _, currency)| currency != terms.currency) {
                return None;
            }
            if smallest.is_none_or(|(least, ..)| per_lot < least) {
                smallest = Some((per_lot, cut, terms.currency));
            }
        }
        let Some((per_lot, cut, limited)) = smallest else { return Some(()) };
        if levels.iter().filter_map(|level| level.gets.as_ref()).any(|gets| gets.currency != limited) {
            return None;
        }
        let is_early = chain.iter().any(|who| self.terms(*who).pays == Pays::Commission);
        let whole = tenths(per_lot) * told.lots();
        let limit = if is_early { whole / Decimal::TWO } else { whole };
        let mut amounts: Vec<Option<Decimal>> =
            levels.iter().map(|level| level.gets.as_ref().map(|gets| gets.amount)).collect();
        cut_to(limit, cut, currency(limited).digits(), &mut amounts);
        for (level, amount) in levels.iter_mut().zip(amounts) {
            if let (Some(gets), Some(amount)) = (&mut level.gets, amount) {
                gets.amount = amount;
            }
        }
        Some(())
    }

    fn entries(&self, who: u128, money: &str, on: Period) -> impl Iterator<Item = &Entry> {
        self.booked.iter().filter(move |entry| (entry.who, entry.currency, entry.on) == (who, money, on))
    }

    /// What was earned in a month, rounded once.
    fn earned(&self, who: u128, money: &str, on: Period) -> Decimal {
        rounded(self.entries(who, money, on).map(|entry| entry.amount).sum(), money)
    }

    fn paid(&self, who: u128, money: &str, in_month: impl Fn(Period) -> bool) -> Decimal {
        let own = self.paid.iter().filter(|(to, of, month, _)| (*to, *of) == (who, money) && in_month(*month));
        own.map(|(.., amount)| *amount).sum()
    }

    /// What a partner has at the end of a month, since the year began.
    fn closing(&self, who: u128, money: &str, at_end_of: Period) -> Decimal {
        let earned: Decimal = months().filter(|month| *month <= at_end_of).map(|on| self.earned(who, money, on)).sum();
        earned - self.paid(who, money, |month| month <= at_end_of)
    }

    /// On hold, payable, paid, carried.
    fn balance(&self, who: u128, money: &str, now: Timestamp) -> [Decimal; 4] {
        let today = now.day().to_string();
        let held_in = |on: Period| {
            let held =
                self.entries(who, money, on).filter(|entry| entry.free.as_ref().is_some_and(|free| *free > today));
            rounded(held.map(|entry| entry.amount).sum(), money)
        };
        let (on_hold, paid) = (months().map(held_in).sum::<Decimal>(), self.paid(who, money, |_| true));
        let free = months().map(|on| self.earned(who, money, on)).sum::<Decimal>() - on_hold - paid;
        let (payable, carried) = if free > Decimal::ZERO { (free, Decimal::ZERO) } else { (Decimal::ZERO, free) };
        [on_hold, payable, paid, carried]
    }
}

/// Per cent of what the one right under him gets, who may pay it.
fn share_of(under: &mut Level, (part, by_sub): (u32, bool), to: &'static str, day: u32) -> Gets {
    let Some(sub) = &mut under.gets else {
        let zero = Decimal::ZERO;
        return Gets { amount: zero, gross: zero, currency: to, free: None, open: None };
    };
    let share = eight(sub.gross * Decimal::from(part) / Decimal::ONE_HUNDRED);
    if by_sub {
        sub.amount -= share;
    }
    let amount = eight(exchanged(share, sub.currency, to, day));
    Gets { amount, gross: amount, currency: to, free: sub.free.clone(), open: None }
}

fn months() -> impl Iterator<Item = Period> {
    std::iter::successors(Some(period("2026-01")), |month| Some(month.next())).take(24)
}

fn hours_until(month: Period) -> u32 {
    u32::try_from(month.begins().millis_since(at(BEGIN)) / 3_600_000).unwrap()
}

fn rounded(exact: Decimal, money: &str) -> Decimal {
    exact.round_dp_with_strategy(currency(money).digits(), RoundingStrategy::MidpointNearestEven)
}

/// The code under test, with what its functions would keep: lines, closings, pay.
struct Core<'a> {
    book: Book<'a>,
    lines: Vec<Line>,
    closing: BTreeMap<(u128, &'static str), Money>,
    paid: BTreeMap<(u128, &'static str), Money>,
}

fn zero(money: &str) -> Money {
    Money::zero(currency(money))
}

impl Core<'_> {
    /// What a step books; `None` where it cannot be told.
    fn take(&mut self, step: &Step) -> Option<Vec<Entry>> {
        let event = match step {
            Step::Made(told) => told.event(),
            Step::Deleted { id, version } => {
                let trade = TradeRef { id: format!("t{id}"), version: *version };
                TradeEvent::Deleted {
                    trade,
                    client: client(u128::from(*id) % PARTNERS + 1),
                    at: hour(0),
                    replaced: false,
                }
            }
            Step::Closed | Step::Paid { .. } => return Some(Vec::new()),
        };
        let lines = self.book.take(&event).ok()?;
        let entries = lines.iter().map(entry).collect();
        self.lines.extend(lines);
        Some(entries)
    }

    fn paid(&self, who: u128, money: &'static str) -> Money {
        self.paid.get(&(who, money)).copied().unwrap_or(zero(money))
    }

    /// The statement of the open month, which bears itself out: what it closes with.
    fn close(&mut self, who: u128, money: &'static str) -> Result<Money, String> {
        let on = self.book.open_from;
        let is_on =
            |line: &&Line| (&line.partner, line.period, line.amount.currency()) == (&partner(who), on, currency(money));
        let lines: Vec<Line> = self.lines.iter().filter(is_on).cloned().collect();
        let totals = self.book.totals.get(&(partner(who), on)).cloned().unwrap_or_default();
        if totals.sum(currency(money)).amount() != sum(&lines) {
            return Err(format!(
                "the month of {who} is {:?} {money}, and its lines {}",
                totals.sum(currency(money)),
                sum(&lines)
            ));
        }
        let opening = self.closing.get(&(who, money)).copied().unwrap_or(zero(money));
        let drawn = crate::payouts::drawn((who, &on.to_string()), opening, &lines, totals.paid(currency(money)));
        let found = verify(std::slice::from_ref(&drawn));
        if !found.is_empty() {
            return Err(format!("the statement of {who} does not bear itself out: {found:?}"));
        }
        self.closing.insert((who, money), drawn.head.closing);
        Ok(drawn.head.closing)
    }

    fn balance(&self, who: u128, money: &'static str, now: Timestamp) -> Balances {
        let own = self.book.totals.iter().filter(|((id, _), _)| *id == partner(who)).map(|(_, totals)| totals);
        Balances::of(own, currency(money), self.paid(who, money), &zero(money), now).unwrap()
    }

    fn pay(&mut self, who: u128, money: &'static str, amount: Money, now: Timestamp) {
        self.paid.insert((who, money), self.paid(who, money).checked_add(&amount).unwrap());
        self.book.totals.entry((partner(who), Period::of(now))).or_default().pay(amount).unwrap();
    }
}

fn everybody() -> impl Iterator<Item = (u128, &'static str)> {
    (1..=PARTNERS).flat_map(|who| CURRENCIES.map(|money| (who, money)))
}

fn same_balances(core: &Core<'_>, plain: &Plain<'_>, now: Timestamp) -> Result<(), String> {
    for (who, money) in everybody() {
        let ours = core.balance(who, money, now);
        let parts = [ours.on_hold, ours.payable, ours.paid, ours.carried].map(|part| part.amount());
        let wanted = plain.balance(who, money, now);
        if parts != wanted || ours.accrued.amount() != parts.iter().sum::<Decimal>() {
            return Err(format!("the balance of {who} in {money} is {parts:?} and should be {wanted:?}"));
        }
    }
    Ok(())
}

/// Plays a year in both; where they first differ.
pub fn compare(year: &Year) -> Result<(), String> {
    let rules = agreements(year.rules());
    let (network, moves): (Network, Vec<Move>) = placed(&year.accepted, &year.moves);
    let catalogue = catalogue(&rules);
    let book = Book::new(&catalogue, &network, period("2026-01"));
    let mut core = Core { book, lines: Vec::new(), closing: BTreeMap::new(), paid: BTreeMap::new() };
    let mut plain = Plain {
        year,
        moves,
        open: period("2026-01"),
        seen: BTreeMap::new(),
        standing: BTreeMap::new(),
        booked: Vec::new(),
        paid: Vec::new(),
    };
    for step in &year.steps {
        let sorted = |entries: Option<Vec<Entry>>| {
            entries.map(|mut entries| {
                entries.sort();
                entries
            })
        };
        let (ours, wanted) = (sorted(core.take(step)), sorted(plain.take(step)));
        if ours != wanted {
            return Err(format!("the lines of {step:?} are {ours:#?} and should be {wanted:#?}"));
        }
        match step {
            Step::Closed => close(&mut core, &mut plain)?,
            Step::Paid { day } => {
                let now = plain.open.begins().plus(Seconds(day * DAY_S));
                same_balances(&core, &plain, now)?;
                for (who, money) in everybody() {
                    let payable = core.balance(who, money, now).payable;
                    if payable.is_positive() {
                        core.pay(who, money, payable, now);
                        plain.paid.push((who, money, Period::of(now), payable.amount()));
                    }
                }
            }
            Step::Made(_) | Step::Deleted { .. } => {}
        }
        same_balances(&core, &plain, plain.open.begins())?;
    }
    let ids: BTreeSet<_> = core.lines.iter().map(|line| &line.id).collect();
    if ids.len() != core.lines.len() {
        return Err("an id is that of two lines".to_owned());
    }
    same_balances(&core, &plain, at("2027-12-31T00:00:00Z"))
}

fn close(core: &mut Core<'_>, plain: &mut Plain<'_>) -> Result<(), String> {
    for (who, money) in everybody() {
        let (ours, wanted) = (core.close(who, money)?, plain.closing(who, money, plain.open));
        if ours.amount() != wanted {
            return Err(format!("the statement of {who} closes with {ours} and should with {wanted}"));
        }
    }
    plain.open = plain.open.next();
    core.book.open_from = plain.open;
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn whole_years_come_to_the_same(year in years()) {
        if let Err(what) = compare(&year) {
            return Err(TestCaseError::fail(what));
        }
    }
}
