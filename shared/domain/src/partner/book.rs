//! Trades in any order, each as often as it may come: what is new earns its lines once, what was corrected or deleted is taken back once.
//!
//! The state is passed in and handed back: for each trade what its latest version earned, for each partner and month the totals. Whoever
//! saves it saves a batch under the versions of what it was made of.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::accrual::{Accrual, Catalogue, Earned, Held, Hindrance, Setting, price};
use super::fine::{Fine, round};
use super::line::{AgreementRef, Line, LineModel, TradeRef, held_until};
use super::network::Network;
use super::period::Period;
use super::rules::{Apply, Pay};
use super::totals::Totals;
use super::trade::Trade;
use crate::fault::{self, Fault};
use crate::{ClientId, PartnerId, Timestamp};

/// Something that happened to a trade.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TradeEvent {
    /// It was made, or its version is a correction.
    Made(Box<Trade>),
    /// The platform has taken it out.
    Deleted {
        /// The trade, at the version that says so.
        trade: TradeRef,
        /// Whose.
        client: ClientId,
        /// When it had been made.
        at: Timestamp,
        /// Another deal has taken its place.
        #[serde(default)]
        replaced: bool,
    },
}

impl TradeEvent {
    /// The trade and its version.
    pub fn trade(&self) -> TradeRef {
        match self {
            Self::Made(trade) => TradeRef { id: trade.id.clone(), version: trade.version },
            Self::Deleted { trade, .. } => trade.clone(),
        }
    }

    /// The moments at which it matters who was over the client.
    pub fn moments(&self) -> Vec<Timestamp> {
        match self {
            Self::Made(trade) => std::iter::once(trade.at).chain(trade.opened_at).collect(),
            Self::Deleted { at, .. } => vec![*at],
        }
    }

    fn at(&self) -> Timestamp {
        match self {
            Self::Made(trade) => trade.at,
            Self::Deleted { at, .. } => *at,
        }
    }

    fn client(&self) -> ClientId {
        match self {
            Self::Made(trade) => trade.client.clone(),
            Self::Deleted { client, .. } => client.clone(),
        }
    }
}

/// A partner's month.
pub type Month = (PartnerId, Period);

/// What a batch brought.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Taken {
    /// New lines, in the order in which they were booked.
    pub lines: Vec<Line>,
    /// Trades that wait for a person.
    pub held: Vec<Held>,
}

/// The state that a batch is taken into.
#[derive(Debug, Clone)]
pub struct Book<'a> {
    /// The rules.
    pub catalogue: &'a Catalogue<'a>,
    /// The tree.
    pub network: &'a Network,
    /// The first month whose statement is not drawn yet.
    pub open_from: Period,
    /// By trade, what its latest version earned.
    pub accruals: BTreeMap<String, Accrual>,
    /// By partner and month.
    pub totals: BTreeMap<Month, Totals>,
}

impl<'a> Book<'a> {
    /// An empty book.
    pub fn new(catalogue: &'a Catalogue<'a>, network: &'a Network, open_from: Period) -> Self {
        Self { catalogue, network, open_from, accruals: BTreeMap::new(), totals: BTreeMap::new() }
    }

    /// Takes a batch, by the trades' times and ids. What cannot be told of one keeps no other.
    pub fn take_all(&mut self, mut events: Vec<TradeEvent>) -> Taken {
        events.sort_by_key(|event| (event.at(), event.trade().id, event.trade().version));
        let mut taken = Taken::default();
        for event in &events {
            match self.take(event) {
                Ok(lines) => taken.lines.extend(lines),
                Err(why) => {
                    let (trade, client, at) = (event.trade(), Some(event.client()), event.at());
                    taken.held.push(Held { trade, client, at, why });
                }
            }
        }
        taken
    }

    /// Takes one event; nothing where a version as new was taken before.
    ///
    /// # Errors
    /// [`Hindrance`]; nothing has changed then.
    pub fn take(&mut self, event: &TradeEvent) -> Result<Vec<Line>, Hindrance> {
        let trade = event.trade();
        let before = self.accruals.get(&trade.id);
        let is_known = |before: &Accrual| match fault::is_back(Fault::RepeatIsTaken) {
            true => before.trade.version > trade.version,
            false => before.trade.version >= trade.version,
        };
        if before.is_some_and(is_known) {
            return Ok(Vec::new());
        }
        let mut entry = Entry { book: self, months: BTreeMap::new(), lines: Vec::new() };
        if let Some(before) = before {
            let why = match event {
                TradeEvent::Made(_) => format!("the trade was corrected: version {}", trade.version),
                TradeEvent::Deleted { replaced: true, .. } => {
                    "the trade was corrected: another deal took its place".to_owned()
                }
                TradeEvent::Deleted { replaced: false, .. } => "the trade was deleted".to_owned(),
            };
            entry.take_back(before, &trade, &why)?;
        }
        let accrual = match event {
            TradeEvent::Made(trade) => entry.earn(trade)?,
            TradeEvent::Deleted { at, .. } => {
                Accrual { trade, counted_in: Period::of(*at), earned: Vec::new(), priced: None }
            }
        };
        let Entry { months, lines, .. } = entry;
        self.totals.extend(months);
        self.accruals.insert(accrual.trade.id.clone(), accrual);
        Ok(lines)
    }
}

/// What one event changes, kept apart until all of it can be told.
struct Entry<'b, 'a> {
    book: &'b Book<'a>,
    months: BTreeMap<Month, Totals>,
    lines: Vec<Line>,
}

impl Entry<'_, '_> {
    fn earn(&mut self, trade: &Trade) -> Result<Accrual, Hindrance> {
        let book = self.book;
        let setting = Setting { catalogue: book.catalogue, network: book.network, booked_in: book.open_from };
        let totals = |partner: &PartnerId, period: Period| self.month(&(partner.clone(), period)).cloned();
        let accrual = price(trade, setting, &totals)?;
        for earned in &accrual.earned {
            self.count(earned, accrual.counted_in, false)?;
            for line in &earned.lines {
                self.book(line.clone())?;
            }
            self.true_up(earned, &accrual, &accrual.trade, false)?;
        }
        Ok(accrual)
    }

    fn take_back(&mut self, before: &Accrual, by: &TradeRef, why: &str) -> Result<(), Hindrance> {
        for earned in &before.earned {
            self.count(earned, before.counted_in, true)?;
            for line in &earned.lines {
                let reversal = line.reversal(self.book.open_from.max(before.counted_in), why.to_owned());
                if fault::is_back(Fault::ReversalCountsTwice) {
                    self.month_mut((reversal.partner.clone(), reversal.period)).book(&reversal)?;
                }
                self.book(reversal)?;
            }
        }
        // only now: a partner may have earned by both sides of the trade
        before.earned.iter().try_for_each(|earned| self.true_up(earned, before, by, true))
    }

    fn month(&self, month: &Month) -> Option<&Totals> {
        self.months.get(month).or_else(|| self.book.totals.get(month))
    }

    fn month_mut(&mut self, month: Month) -> &mut Totals {
        let book = self.book;
        self.months.entry(month).or_insert_with_key(|month| book.totals.get(month).cloned().unwrap_or_default())
    }

    fn count(&mut self, earned: &Earned, counted_in: Period, taken_back: bool) -> Result<(), Hindrance> {
        self.month_mut((earned.partner.clone(), counted_in)).count(earned, taken_back)
    }

    fn book(&mut self, line: Line) -> Result<(), Hindrance> {
        self.month_mut((line.partner.clone(), line.period)).book(&line)?;
        self.lines.push(line);
        Ok(())
    }

    /// What a retroactive tier now gives, or takes, for what was earned before: all of the month times the factor, less what stands already.
    fn true_up(&mut self, earned: &Earned, accrual: &Accrual, by: &TradeRef, back: bool) -> Result<(), Hindrance> {
        if fault::is_back(Fault::TierTopsNothingUp) {
            return Ok(());
        }
        let month = (earned.partner.clone(), accrual.counted_in);
        let keys: Vec<String> = self.month_mut(month.clone()).tiers.keys().cloned().collect();
        for key in keys {
            let (accepted, pay) = self.tiers_of(&key)?;
            let Some((tiers, totals)) = pay.tiers.as_ref().zip(self.month(&month)) else { continue };
            let now = totals.volume(tiers.volume);
            let counted = match back {
                true => now.saturating_add(earned.lots),
                false => now.saturating_sub(earned.lots),
            };
            let factor = tiers.at(now);
            if !back && factor == tiers.at(counted) {
                continue;
            }
            let sums = totals.tiers.get(&key).cloned().unwrap_or_default();
            let wanted = round(sums.base.checked_mul(factor).ok_or(Hindrance::TooLarge)?);
            let missing = wanted.checked_sub(sums.paid).ok_or(Hindrance::TooLarge)?;
            if missing.is_zero() {
                continue;
            }
            let currency = self.book.catalogue.terms(&accepted)?.currency;
            let why =
                format!("all {} of the month times {factor} are {wanted}, of which {} stand", sums.base, sums.paid);
            let amount = Fine::rounded(missing, currency);
            let line = Line {
                period: self.book.open_from.max(accrual.counted_in),
                base: sums.base,
                rate: factor,
                why: vec![why],
                ..true_up_line(earned, accrual, by, (&key, accepted, pay), amount, back)
            };
            if let Some(sums) = self.month_mut(month.clone()).tiers.get_mut(&key) {
                sums.paid = wanted;
            }
            self.book(line)?;
        }
        Ok(())
    }

    /// The model of an agreement that a key of [`Totals::tiers`] stands for.
    fn tiers_of(&self, key: &str) -> Result<(AgreementRef, &Pay), Hindrance> {
        let unknown = || Hindrance::UnknownAgreement(key.to_owned(), 0);
        let (agreement, pay) = key.split_once('/').ok_or_else(unknown)?;
        let (id, version) = agreement.split_once('@').ok_or_else(unknown)?;
        let accepted = AgreementRef { id: id.to_owned(), version: version.parse().map_err(|_| unknown())? };
        let pays = &self.book.catalogue.terms(&accepted)?.pay;
        let found = pays.iter().find(|one| one.id == pay).ok_or_else(unknown)?;
        match found.tiers.as_ref().is_some_and(|tiers| tiers.apply == Apply::Retroactive) {
            true => Ok((accepted, found)),
            false => Err(unknown()),
        }
    }
}

/// A line of a tier, without what it was reckoned from.
fn true_up_line(
    earned: &Earned,
    accrual: &Accrual,
    by: &TradeRef,
    (key, accepted, pay): (&str, AgreementRef, &Pay),
    amount: Fine,
    back: bool,
) -> Line {
    // the trade's own time: its lines have it too
    let at = earned.lines.first().map_or_else(|| accrual.counted_in.begins(), |line| line.at);
    let (version, level) = (by.version.to_string(), earned.level.to_string());
    let way = if back { "back" } else { "on" };
    let cause = ["true_up", earned.partner.as_str(), key, &by.id, &version, &level, way];
    Line {
        id: Line::id_of(at, &cause),
        partner: earned.partner.clone(),
        client: earned.lines.first().and_then(|line| line.client.clone()),
        trade: Some(by.clone()),
        at,
        period: accrual.counted_in,
        counted_in: accrual.counted_in,
        level: earned.level,
        model: LineModel::TrueUp,
        agreement: accepted,
        rule_id: format!("{}/tiers", pay.id),
        base: Decimal::ZERO,
        rate: Decimal::ONE,
        factor: Decimal::ONE,
        fx: None,
        amount,
        held_until: held_until(at, pay.hold),
        reverses: None,
        why: Vec::new(),
        own_rate: None,
        gross: None,
        entered: None,
    }
}
