//! The end of a partner's month: the share of revenue is reckoned, the statement is drawn, what he earned is owed to him.
//!
//! A month is closed once, some days after its end. What is told of it later stands on the next one's statement.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::accrual::Hindrance;
use super::fine::Fine;
use super::line::{AgreementRef, Line, LineModel, held_until};
use super::period::Period;
use super::rules::{Accounting, Agreement};
use super::totals::Totals;
use crate::decision::Decision;
use crate::entity::{Entity, InPartners, Parts, ReadError};
use crate::ledger::{LedgerAccount, Postings};
use crate::{Currency, Money, MoneyError, PartnerBookId, PartnerId, Seconds, Timestamp};

/// The list of all books, in which partners stand by their ids.
pub const BOOKS: &str = "partner_books";

/// The public part: all of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BookFacts {
    /// Whose.
    pub partner_id: PartnerId,
    /// The first month whose statement is not drawn.
    pub open: Period,
    /// What the share of revenue of the months before left over; zero or below.
    #[serde(default)]
    pub carry: Decimal,
    /// What the last statements closed with.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub closing: BTreeMap<Currency, Money>,
}

/// Which of a partner's months is open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartnerBook {
    /// Its id, which is the partner's.
    pub id: PartnerBookId,
    /// All of it.
    pub facts: BookFacts,
    /// When the open month is closed.
    pub due: Option<Timestamp>,
}

/// What one month came to in a currency, as it is owed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Owed {
    /// What was earned, rounded once.
    pub earned: Money,
    /// The part of it that is paid out of the spread.
    pub rebates: Money,
    /// What the statement closed with.
    pub closing: Money,
}

impl PartnerBook {
    /// The decision that opens a partner's book in the month of his first agreement.
    pub fn begun(partner: &PartnerId, since: Timestamp, close_after: Seconds) -> Decision<Self> {
        let open = Period::of(since);
        let facts = BookFacts { partner_id: partner.clone(), open, carry: Decimal::ZERO, closing: BTreeMap::new() };
        let due = Some(open.ends().plus(close_after));
        let next = Self { id: PartnerBookId::of(partner), facts, due };
        Decision::new(next, "begun", vec![], vec![format!("his first month is {open}")])
    }

    /// Whether the open month is over and no longer waits for what comes late.
    pub fn is_over(&self, close_after: Seconds, now: Timestamp) -> bool {
        self.facts.open.ends().plus(close_after) <= now
    }

    /// What the last statement in a currency closed with.
    pub fn closing(&self, currency: Currency) -> Money {
        self.facts.closing.get(&currency).copied().unwrap_or(Money::zero(currency))
    }

    /// Closes the open month: what was earned in it is owed from now on.
    pub fn closed(&self, owed: &[Owed], carry: Decimal, close_after: Seconds) -> Result<Decision<Self>, MoneyError> {
        let mut next = self.clone();
        let (mut postings, mut why) = (Postings::none(), Vec::new());
        for month in owed {
            next.facts.closing.insert(month.closing.currency(), month.closing);
            let commissions = month.earned.checked_add(&month.rebates.negated())?;
            let owes =
                |cost, amount| Postings::transfer(LedgerAccount::Partner(self.facts.partner_id.clone()), cost, amount);
            postings = postings.with(owes(LedgerAccount::Commissions, commissions));
            postings = postings.with(owes(LedgerAccount::Rebates, month.rebates));
            why.push(format!("{} earned, closes with {}", month.earned, month.closing));
        }
        if !carry.is_zero() {
            why.push(format!("{carry} of revenue is carried on"));
        }
        (next.facts.carry, next.facts.open) = (carry, self.facts.open.next());
        next.due = Some(next.facts.open.ends().plus(close_after));
        Ok(Decision::new(next, "closed", vec![], why).booking(postings))
    }
}

/// The share of revenue that a month brings, as its line, and what is carried on. No line where nothing came in and nothing was carried.
///
/// # Errors
/// [`Hindrance`].
pub fn revenue_share(
    (partner, period): (&PartnerId, Period),
    (accepted, terms): (&AgreementRef, &Agreement),
    totals: &Totals,
    carried: Decimal,
) -> Result<(Option<Line>, Decimal), Hindrance> {
    let Some(share) = &terms.revenue else { return Ok((None, Decimal::ZERO)) };
    let empty = BTreeMap::new();
    let parts = totals.revenue.get(&terms.currency).unwrap_or(&empty);
    let settled = share.settle(period, parts, carried)?;
    if settled.net.is_zero() && carried.is_zero() {
        return Ok((None, settled.carry));
    }
    let last = Timestamp::from_millis(period.ends().millis().saturating_sub(1)).unwrap_or(period.begins());
    let mut why = vec![format!("net revenue {}", settled.net.normalize())];
    why.extend(parts.iter().map(|(part, amount)| format!("{part} {amount}")));
    if !carried.is_zero() {
        why.push(format!("carried from before {carried}"));
    }
    if !settled.carry.is_zero() {
        why.push(format!("carried on {}", settled.carry));
    }
    let line = Line {
        id: Line::id_of(last, &["revenue", partner.as_str(), &period.to_string()]),
        partner: partner.clone(),
        client: None,
        trade: None,
        at: last,
        period,
        counted_in: period,
        level: 1,
        model: LineModel::Revenue,
        agreement: accepted.clone(),
        rule_id: "revenue".to_owned(),
        base: settled.base.normalize(),
        rate: share.per_cent,
        factor: Decimal::ONE,
        fx: None,
        amount: Fine::rounded(settled.share, terms.currency),
        held_until: held_until(last, share.hold),
        reverses: None,
        why,
        own_rate: None,
        gross: None,
        entered: None,
    };
    Ok((Some(line), settled.carry))
}

/// The part of what was earned that is paid out of the spread: what agreements with [`Accounting::Rebate`] brought, rounded; the rest is
/// commission, so that both are exactly what was earned.
///
/// # Errors
/// [`MoneyError`].
pub fn rebates(
    by_agreement: &BTreeMap<AgreementRef, Decimal>,
    accounting: impl Fn(&AgreementRef) -> Accounting,
    earned: Money,
) -> Result<Money, MoneyError> {
    let of = |kind| by_agreement.iter().filter(move |(agreement, _)| accounting(agreement) == kind);
    let sum: Decimal = of(Accounting::Rebate).map(|(_, amount)| *amount).sum();
    let all: Decimal = by_agreement.values().copied().sum();
    if sum == all {
        return Ok(earned);
    }
    Fine::rounded(sum, earned.currency()).money()
}

impl Entity for PartnerBook {
    type Id = PartnerBookId;
    type Table = InPartners;
    type Public = BookFacts;
    type Private = ();
    const KIND: &'static str = "partner_book";
    const TIMED: bool = true;

    fn id(&self) -> &PartnerBookId {
        &self.id
    }

    fn due(&self) -> Option<Timestamp> {
        self.due
    }

    fn rank(&self) -> Option<(String, String)> {
        Some((BOOKS.to_owned(), self.facts.partner_id.to_string()))
    }

    fn public(&self) -> &BookFacts {
        &self.facts
    }

    fn private(&self) -> &() {
        &()
    }

    fn from_parts(parts: Parts<Self>) -> Result<Self, ReadError> {
        Ok(Self { id: parts.id, due: parts.due, facts: parts.public })
    }
}
