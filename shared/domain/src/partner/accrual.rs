//! What a trade earns, level by level, for those who were over its client at its time.
//!
//! All of a trade or nothing: what cannot be told of one level could change another (a difference, a share, a pool), so the trade is held
//! with the reason until a person has put it right. No other trade waits for it.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::cut::cut;
use super::fine::{Fine, round};
use super::line::{AgreementRef, Line, LineModel, TradeRef, held_until};
use super::network::Network;
use super::period::Period;
use super::quote::{Counted, Quote, quote, spread};
use super::rules::{
    Agreement, Apply, Cut, Instrument, Model, Overrides, PaidBy, PartnerAgreements, Pay, PayCase, RevenuePart, Sides,
    Unit, VolumeOf,
};
use super::tier::Volume;
use super::totals::{Tiered, Totals};
use super::trade::{Leg, Trade};
use crate::fault::{self, Fault};
use crate::{ClientId, Currency, PartnerId, Timestamp};

/// Why it cannot be told what a trade earns.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Hindrance {
    /// The rules know no such symbol.
    #[error("the symbol `{0}` is not mapped")]
    UnmappedSymbol(String),
    /// The trade has no exchange rate for it.
    #[error("there is no rate of {from} in {to} at the trade's time")]
    NoRate {
        /// From this.
        from: Currency,
        /// Into that.
        to: Currency,
    },
    /// Time or price of the opening is asked for and not known.
    #[error("it is not known when or at which price the position was opened")]
    NoOpening,
    /// Neither the platform nor the rules have one.
    #[error("neither the platform nor the symbol has a spread")]
    NoSpread,
    /// It opens or closes no lots, or closes more than it has.
    #[error("its lots cannot be")]
    Lots,
    /// A partner accepted what the rules do not have in that version.
    #[error("there is no agreement `{0}` in version {1}")]
    UnknownAgreement(String, u64),
    /// Rates that are in different currencies have no difference.
    #[error("the rates of `{0}` and of a partner under him are in different currencies")]
    NotComparable(String),
    /// A limit for all is in one currency.
    #[error("a pool limits partners who are paid in different currencies")]
    PoolCurrency,
    /// A row of the rules cannot be judged.
    #[error("the rules cannot be judged: {0}")]
    Rule(String),
    /// Larger than a number can be.
    #[error("a number on the way is too large")]
    TooLarge,
}

impl Hindrance {
    /// In one word.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::UnmappedSymbol(_) => "unmapped_symbol",
            Self::NoRate { .. } => "no_rate",
            Self::NoOpening => "no_opening",
            Self::NoSpread => "no_spread",
            Self::Lots => "bad_lots",
            Self::UnknownAgreement(..) => "unknown_agreement",
            Self::NotComparable(_) => "not_comparable",
            Self::PoolCurrency => "pool_currency",
            Self::Rule(_) => "rule_error",
            Self::TooLarge => "too_large",
        }
    }
}

/// The rules: what is live, and what partners accepted.
#[derive(Debug, Clone)]
pub struct Catalogue<'r> {
    /// By which symbols and lots are counted.
    pub live: &'r PartnerAgreements,
    /// By version.
    pub versions: BTreeMap<u64, &'r PartnerAgreements>,
}

impl<'r> Catalogue<'r> {
    /// What was accepted.
    ///
    /// # Errors
    /// [`Hindrance::UnknownAgreement`].
    pub fn terms(&self, accepted: &AgreementRef) -> Result<&'r Agreement, Hindrance> {
        let set = self.versions.get(&accepted.version);
        let terms = set.and_then(|set| set.agreement(&accepted.id));
        terms.ok_or_else(|| Hindrance::UnknownAgreement(accepted.id.clone(), accepted.version))
    }
}

/// What one partner earned by one leg of a trade.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Earned {
    /// Who.
    pub partner: PartnerId,
    /// How far over the client.
    pub level: u32,
    /// Lots that count for his volume.
    pub lots: Decimal,
    /// His lines.
    pub lines: Vec<Line>,
    /// What a retroactive tier may still change, by agreement and model.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tiered: BTreeMap<String, Tiered>,
    /// What the broker earned by it, where he has a share of that.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub revenue: BTreeMap<Currency, BTreeMap<RevenuePart, Decimal>>,
}

/// What a version of a trade earned; kept with the trade, so that exactly this can be taken back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Accrual {
    /// The trade.
    pub trade: TradeRef,
    /// The month that it counts in.
    pub counted_in: Period,
    /// What it earned; nothing once it was deleted.
    pub earned: Vec<Earned>,
    /// What it was reckoned from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priced: Option<Priced>,
}

/// What pay was reckoned from: with it and the agreement anybody can reckon it again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Priced {
    /// The trade.
    pub trade: Trade,
    /// The version of the rules by which symbols and lots were counted.
    pub rules: u64,
}

/// Who is paid, by what, and on which statement.
#[derive(Debug, Clone, Copy)]
pub struct Setting<'a> {
    /// The rules.
    pub catalogue: &'a Catalogue<'a>,
    /// The tree.
    pub network: &'a Network,
    /// The month whose statement is still open.
    pub booked_in: Period,
}

/// Tells what a trade earns. `totals` are those before it.
///
/// # Errors
/// [`Hindrance`].
pub fn price(
    trade: &Trade,
    setting: Setting<'_>,
    totals: &dyn Fn(&PartnerId, Period) -> Option<Totals>,
) -> Result<Accrual, Hindrance> {
    let counted_in = Period::of(trade.at);
    let mut earned = Vec::new();
    for leg in trade.legs()? {
        let chain = setting.network.chain(&trade.client, leg.at);
        if chain.is_empty() {
            continue;
        }
        let (symbol, instrument) = (setting.catalogue.live.symbols)
            .find(&trade.symbol)
            .ok_or_else(|| Hindrance::UnmappedSymbol(trade.symbol.clone()))?;
        let pricing = Pricing { trade, setting, leg, symbol, instrument, counted_in, totals };
        earned.extend(pricing.earn(&chain)?);
    }
    let trade = TradeRef { id: trade.id.clone(), version: trade.version };
    Ok(Accrual { trade, counted_in, earned, priced: None })
}

/// A partner over the client, with what he agreed to.
struct Standing<'r> {
    partner: PartnerId,
    level: u32,
    accepted: AgreementRef,
    terms: &'r Agreement,
    lots: Counted,
    /// Why the trade earns him nothing.
    unpaid: Option<String>,
}

/// A line on its way.
struct Draft {
    line: Line,
    /// Before anything is passed up or cut.
    gross: Decimal,
    /// What a retroactive tier may still change.
    tiered: Option<(String, Tiered)>,
}

/// By what rates of different partners are rates of the same.
type SameKind = (Model, Sides, Unit);

/// The highest rates so far, by what they are rates of and by their currencies.
type Highest = BTreeMap<SameKind, BTreeMap<Currency, Decimal>>;

struct Pricing<'a> {
    trade: &'a Trade,
    setting: Setting<'a>,
    leg: Leg,
    symbol: &'a str,
    instrument: &'a Instrument,
    counted_in: Period,
    totals: &'a dyn Fn(&PartnerId, Period) -> Option<Totals>,
}

impl Pricing<'_> {
    fn earn(&self, chain: &[&PartnerId]) -> Result<Vec<Earned>, Hindrance> {
        let mut highest = Highest::new();
        let mut levels: Vec<(Standing<'_>, Vec<Draft>)> = Vec::new();
        for (place, partner) in chain.iter().enumerate() {
            let level = u32::try_from(place).unwrap_or(u32::MAX).saturating_add(1);
            // who has accepted nothing earns nothing, and keeps his place
            let Some(standing) = self.standing(partner, level)? else { continue };
            let mut drafts = match standing.terms.overrides {
                Overrides::Share { per_cent, paid_by } if level > 1 => {
                    let under = match fault::is_back(Fault::ShareOfTheFirst) {
                        true => levels.first_mut(),
                        false => levels.last_mut().filter(|(under, _)| under.level.saturating_add(1) == level),
                    };
                    vec![self.share(&standing, per_cent, paid_by, under)?]
                }
                Overrides::Nothing if level > 1 => Vec::new(),
                _ => self.own(&standing, &mut highest)?,
            };
            limit_order(&standing, &mut drafts)?;
            levels.push((standing, drafts));
        }
        let limited = limit_pool(&mut levels)?;
        levels.into_iter().map(|(standing, drafts)| self.earned(&standing, drafts, limited)).filter_map(some).collect()
    }

    fn standing(&self, partner: &PartnerId, level: u32) -> Result<Option<Standing<'_>>, Hindrance> {
        let accepted = self.setting.network.agreements.get(partner).and_then(|history| history.at(self.leg.at));
        let Some(accepted) = accepted else { return Ok(None) };
        let terms = self.setting.catalogue.terms(accepted)?;
        let factor = self.setting.catalogue.live.lot_factor(&self.trade.account_type);
        let lots = Counted::of(self.trade, &self.leg, factor, terms.filters.close_by);
        let unpaid = if self.leg.closed.is_zero() { None } else { self.unpaid(terms)? };
        Ok(Some(Standing { partner: partner.clone(), level, accepted: accepted.clone(), terms, lots, unpaid }))
    }

    /// Why a close earns nothing.
    fn unpaid(&self, terms: &Agreement) -> Result<Option<String>, Hindrance> {
        let (trade, filters) = (self.trade, &terms.filters);
        if filters.hold_min.0 > 0 {
            let held = trade.at.millis_since(trade.opened_at.ok_or(Hindrance::NoOpening)?).div_euclid(1_000);
            if held < i64::from(filters.hold_min.0) {
                return Ok(Some(format!("held {held} s, less than {}", filters.hold_min)));
            }
        }
        if filters.points_min.is_zero() && filters.same_price {
            return Ok(None);
        }
        let moved = trade.price.checked_sub(trade.open_price.ok_or(Hindrance::NoOpening)?);
        let points = moved.and_then(|moved| moved.abs().checked_div(self.instrument.point));
        let points = points.ok_or(Hindrance::TooLarge)?.normalize();
        if points.is_zero() && !filters.same_price {
            return Ok(Some("closed at the price of its opening".to_owned()));
        }
        Ok((points < filters.points_min).then(|| format!("moved {points} points, less than {}", filters.points_min)))
    }

    /// What a partner's own table gives him.
    fn own(&self, standing: &Standing<'_>, highest: &mut Highest) -> Result<Vec<Draft>, Hindrance> {
        let case = PayCase {
            symbol: self.symbol.to_owned(),
            symbol_group: self.instrument.group.clone(),
            account_type: self.trade.account_type.clone(),
            platform: self.trade.platform,
            segment: self.trade.segment.clone(),
            country: self.trade.country,
            level: standing.level,
        };
        let mut drafts = Vec::new();
        let currency = standing.terms.currency;
        for pay in &standing.terms.pay {
            let Some(quote) = quote(pay, self.trade, self.instrument, &standing.lots, currency)? else { continue };
            let found = pay.rate(&case).map_err(|error| Hindrance::Rule(error.to_string()))?;
            let row = found.row().ok_or_else(|| Hindrance::Rule(format!("no row of `{}` holds", pay.id)))?;
            let below = highest.entry((pay.model, pay.sides, pay.unit)).or_default();
            let (rate, why) = self.rate(standing, row.then, below)?;
            let most = below.entry(currency).or_insert(row.then);
            *most = (*most).max(row.then);
            let mut draft = self.draft(standing, pay, &row.id, rate, quote, why)?;
            draft.line.own_rate = (rate != row.then).then_some(row.then);
            drafts.push(draft);
        }
        Ok(drafts)
    }

    /// The rate that is his, and how it came about.
    fn rate(
        &self,
        standing: &Standing<'_>,
        own: Decimal,
        below: &BTreeMap<Currency, Decimal>,
    ) -> Result<(Decimal, Vec<String>), Hindrance> {
        let has_difference = standing.terms.overrides == Overrides::Difference && standing.level > 1;
        if !has_difference || below.is_empty() {
            return Ok((own, Vec::new()));
        }
        let is_other = |currency: &Currency| *currency != standing.terms.currency;
        if below.keys().any(is_other) && !fault::is_back(Fault::CurrenciesAreCompared) {
            return Err(Hindrance::NotComparable(standing.accepted.id.clone()));
        }
        let below = below.values().copied().max().unwrap_or_default();
        let rate = own.saturating_sub(below).max(Decimal::ZERO).normalize();
        Ok((rate, vec![format!("his rate {own} less {below}, the highest under him")]))
    }

    fn draft(
        &self,
        standing: &Standing<'_>,
        pay: &Pay,
        row: &str,
        rate: Decimal,
        quote: Quote,
        mut why: Vec<String>,
    ) -> Result<Draft, Hindrance> {
        why.extend(quote.why);
        let exact = quote.base.checked_mul(rate).and_then(|product| product.checked_div(quote.divisor));
        let to = standing.terms.currency;
        let (exact, fx) = self.trade.convert(exact.ok_or(Hindrance::TooLarge)?, quote.currency, to)?;
        let factor = self.factor(standing, pay)?;
        let tiered = exact.checked_mul(factor).ok_or(Hindrance::TooLarge)?;
        let tiered = if fault::is_back(Fault::LinesAreRounded) { tiered.round_dp(to.digits()) } else { tiered };
        let (base, paid) = match &standing.unpaid {
            Some(reason) => {
                why.push(format!("not paid: {reason}"));
                (Decimal::ZERO, Decimal::ZERO)
            }
            None => (round(exact), round(tiered)),
        };
        if factor != Decimal::ONE {
            why.push(format!("times {} for volume", factor.round_dp(6).normalize()));
        }
        let rule_id = format!("{}/{row}", pay.id);
        let line = Line {
            base: quote.base,
            rate,
            factor: round(factor),
            fx,
            amount: Fine::rounded(paid, to),
            gross: standing.unpaid.is_some().then(|| Fine::rounded(tiered, to)),
            held_until: held_until(self.trade.at, pay.hold),
            why,
            ..self.line(standing, pay.model.into(), rule_id, &pay.id)
        };
        let retroactive = pay.tiers.as_ref().is_some_and(|tiers| tiers.apply == Apply::Retroactive);
        let tiered = retroactive.then(|| (tier_key(&standing.accepted, &pay.id), Tiered { base, paid }));
        Ok(Draft { line, gross: paid, tiered })
    }

    fn factor(&self, standing: &Standing<'_>, pay: &Pay) -> Result<Decimal, Hindrance> {
        let Some(tiers) = &pay.tiers else { return Ok(Decimal::ONE) };
        let of =
            |period| (self.totals)(&standing.partner, period).map_or(Decimal::ZERO, |all| all.volume(tiers.volume));
        let counts = standing.unpaid.is_none() && (standing.level == 1 || tiers.volume == VolumeOf::Downline);
        let factor = tiers.factor(&Volume {
            last_month: of(self.counted_in.previous()),
            before: of(self.counted_in),
            added: if counts { standing.lots.volume() } else { Decimal::ZERO },
        })?;
        let twice = fault::is_back(Fault::TierCountsTwice);
        if twice { factor.checked_mul(factor).ok_or(Hindrance::TooLarge) } else { Ok(factor) }
    }

    /// Per cent of what the partner right under him gets.
    fn share(
        &self,
        standing: &Standing<'_>,
        per_cent: Decimal,
        paid_by: PaidBy,
        under: Option<&mut (Standing<'_>, Vec<Draft>)>,
    ) -> Result<Draft, Hindrance> {
        let to = standing.terms.currency;
        let (mut base, mut share, mut from, mut hold) = (Decimal::ZERO, Decimal::ZERO, to, None);
        if let Some((sub, drafts)) = under {
            from = sub.terms.currency;
            hold = drafts.iter().filter_map(|draft| draft.line.held_until).max();
            for draft in drafts {
                let part = draft.gross.checked_mul(per_cent).and_then(|part| part.checked_div(Decimal::ONE_HUNDRED));
                let part = round(part.ok_or(Hindrance::TooLarge)?);
                base = base.checked_add(draft.gross).ok_or(Hindrance::TooLarge)?;
                share = share.checked_add(part).ok_or(Hindrance::TooLarge)?;
                if paid_by == PaidBy::Sub && !part.is_zero() {
                    let left = draft.line.amount.amount().saturating_sub(part);
                    draft.line.gross.get_or_insert(draft.line.amount);
                    draft.line.why.push(format!("{} of {} passed up", part, draft.gross));
                    draft.line.amount = Fine::rounded(left, from);
                }
            }
        }
        let (exact, fx) = self.trade.convert(share, from, to)?;
        let (amount, mut why) = (Fine::rounded(exact, to), vec![format!("paid by the {paid_by}")]);
        if let Some(reason) = &standing.unpaid {
            // what the sub-partner gets was judged by his own agreement
            why.push(format!("his own filters do not judge it: {reason}"));
        }
        let line = Line {
            base: base.normalize(),
            rate: per_cent,
            fx,
            amount,
            held_until: hold,
            why,
            ..self.line(standing, LineModel::Share, "overrides/share".to_owned(), "overrides")
        };
        Ok(Draft { gross: amount.amount(), line, tiered: None })
    }

    /// A line without amounts.
    fn line(&self, standing: &Standing<'_>, model: LineModel, rule_id: String, component: &str) -> Line {
        let (trade, level) = (self.trade, standing.level.to_string());
        let side = if self.leg.is_deal { "deal" } else { "opening" };
        let version = trade.version.to_string();
        Line {
            id: Line::id_of(trade.at, &["trade", &trade.id, &version, &level, component, side]),
            partner: standing.partner.clone(),
            client: Some(trade.client.clone()),
            trade: Some(TradeRef { id: trade.id.clone(), version: trade.version }),
            at: trade.at,
            period: match fault::is_back(Fault::LateOnTheDrawn) {
                true => self.counted_in,
                false => self.setting.booked_in.max(self.counted_in),
            },
            counted_in: self.counted_in,
            level: standing.level,
            model,
            agreement: standing.accepted.clone(),
            rule_id,
            base: Decimal::ZERO,
            rate: Decimal::ZERO,
            factor: Decimal::ONE,
            fx: None,
            amount: Fine::zero(standing.terms.currency),
            held_until: None,
            reverses: None,
            why: Vec::new(),
            own_rate: None,
            gross: None,
            entered: None,
        }
    }

    /// What stays of a level; `None` where it is nothing.
    fn earned(&self, standing: &Standing<'_>, drafts: Vec<Draft>, limited: bool) -> Result<Option<Earned>, Hindrance> {
        let revenue = self.revenue(standing)?;
        let lots = if standing.unpaid.is_none() { standing.lots.volume() } else { Decimal::ZERO };
        if drafts.is_empty() && revenue.is_empty() && lots.is_zero() {
            return Ok(None);
        }
        let (mut lines, mut tiered) = (Vec::new(), BTreeMap::new());
        for draft in drafts {
            // a later tier must not pass a pool, so what is under one takes no part in it
            if let (Some((key, sums)), false) = (draft.tiered, limited) {
                tiered.insert(key, sums);
            }
            lines.push(draft.line);
        }
        Ok(Some(Earned { partner: standing.partner.clone(), level: standing.level, lots, lines, tiered, revenue }))
    }

    /// What the broker earned by it, for a partner who brought the client and has a share of that.
    fn revenue(
        &self,
        standing: &Standing<'_>,
    ) -> Result<BTreeMap<Currency, BTreeMap<RevenuePart, Decimal>>, Hindrance> {
        let Some(terms) = standing.terms.revenue.as_ref().filter(|_| standing.level == 1 && self.leg.is_deal) else {
            return Ok(BTreeMap::new());
        };
        let trade = self.trade;
        let mut parts = BTreeMap::new();
        for part in &terms.parts {
            let (amount, currency) = match part {
                RevenuePart::Commission => (-trade.commission.amount(), trade.commission.currency()),
                RevenuePart::Swap => (-trade.swap.amount(), trade.swap.currency()),
                RevenuePart::ClientResult => (-trade.profit.amount(), trade.profit.currency()),
                RevenuePart::Spread if self.leg.closed.is_zero() => continue,
                RevenuePart::Spread => {
                    let quote = spread(trade, self.instrument, &standing.lots)?;
                    (quote.base, quote.currency)
                }
                RevenuePart::Bonus | RevenuePart::PspFees | RevenuePart::Chargebacks | RevenuePart::Adjustments => {
                    continue;
                }
            };
            let (amount, _) = trade.convert(amount, currency, standing.terms.currency)?;
            parts.insert(*part, round(amount));
        }
        parts.retain(|_, amount| !amount.is_zero());
        Ok(if parts.is_empty() { BTreeMap::new() } else { BTreeMap::from([(standing.terms.currency, parts)]) })
    }
}

fn some<T, E>(result: Result<Option<T>, E>) -> Option<Result<T, E>> {
    result.transpose()
}

/// The key of what a retroactive tier may still change.
pub(super) fn tier_key(accepted: &AgreementRef, pay: &str) -> String {
    format!("{}@{}/{pay}", accepted.id, accepted.version)
}

/// Gives each draft its amount, which a limit has made smaller.
fn take(drafts: &mut [&mut Draft], amounts: &[Decimal], why: &str) {
    for (draft, amount) in drafts.iter_mut().zip(amounts) {
        let before = draft.line.amount;
        if before.amount() != *amount {
            draft.line.gross.get_or_insert(before);
            draft.line.amount = Fine::rounded(*amount, before.currency());
            draft.line.why.push(format!("{why}: {amount} instead of {}", before.amount()));
        }
    }
}

/// What a partner gets for one deal at most.
fn limit_order(standing: &Standing<'_>, drafts: &mut [Draft]) -> Result<(), Hindrance> {
    let Some(most) = standing.terms.filters.order_max else { return Ok(()) };
    let gross: Vec<Decimal> = drafts.iter().map(|draft| draft.gross).collect();
    let digits = standing.terms.currency.digits();
    let kept = cut(&gross, most, digits, Cut::ProRata).ok_or(Hindrance::TooLarge)?;
    take(&mut drafts.iter_mut().collect::<Vec<_>>(), &kept, &format!("at most {most} for a deal"));
    for draft in drafts {
        draft.gross = draft.line.amount.amount();
    }
    Ok(())
}

/// What all levels get together at most: the smallest limit of any. Whether there is one.
fn limit_pool(levels: &mut [(Standing<'_>, Vec<Draft>)]) -> Result<bool, Hindrance> {
    let early = levels.iter().any(|(standing, _)| standing.terms.pay.iter().any(Pay::pays_at_opening));
    let mut smallest: Option<(Decimal, Cut, Currency)> = None;
    for (standing, _) in levels.iter() {
        let Some(pool) = &standing.terms.pool else { continue };
        let lots = match early {
            true => standing.lots.opened.saturating_add(standing.lots.closed).saturating_mul(Decimal::new(5, 1)),
            false => standing.lots.closed,
        };
        let limit = pool.per_lot.checked_mul(lots).and_then(|limit| limit.checked_mul(standing.lots.factor));
        let limit = limit.ok_or(Hindrance::TooLarge)?;
        // no limit is smaller than one in another currency
        if smallest.is_some_and(|(_, _, currency)| currency != standing.terms.currency) {
            return Err(Hindrance::PoolCurrency);
        }
        if smallest.is_none_or(|(least, _, _)| limit < least) {
            smallest = Some((limit, pool.cut, standing.terms.currency));
        }
    }
    let Some((limit, how, currency)) = smallest.filter(|_| !fault::is_back(Fault::PoolIsIgnored)) else {
        return Ok(false);
    };
    let mut drafts: Vec<&mut Draft> = levels.iter_mut().flat_map(|(_, drafts)| drafts).collect();
    if drafts.iter().any(|draft| draft.line.amount.currency() != currency) {
        return Err(Hindrance::PoolCurrency);
    }
    let amounts: Vec<Decimal> = drafts.iter().map(|draft| draft.line.amount.amount()).collect();
    let kept = cut(&amounts, limit, currency.digits(), how).ok_or(Hindrance::TooLarge)?;
    take(&mut drafts, &kept, &format!("the pool has {} {currency}", limit.normalize()));
    Ok(true)
}

impl From<Model> for LineModel {
    fn from(model: Model) -> Self {
        match model {
            Model::Lot => Self::Lot,
            Model::Commission => Self::Commission,
            Model::Points => Self::Points,
            Model::Spread => Self::Spread,
            Model::Notional => Self::Notional,
        }
    }
}

/// A trade that could not be accrued.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// The trade.
    pub trade: TradeRef,
    /// Whose.
    pub client: Option<ClientId>,
    /// When it was made.
    pub at: Timestamp,
    /// Why.
    pub why: Hindrance,
}
