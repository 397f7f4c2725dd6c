//! What a client earns the partner who brought him, beside his trades: an amount once he has qualified, and what goes back with his deposits.

use std::collections::BTreeSet;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::accrual::Hindrance;
use super::cpa::{Progress, Qualified};
use super::fine::Fine;
use super::line::{AgreementRef, Line, LineModel, held_until};
use super::period::Period;
use super::rules::{CpaTerms, RevenuePart};
use super::totals::Totals;
use crate::activity::{History, MovementKind};
use crate::decision::Decision;
use crate::entity::{Entity, InPartners, Parts, ReadError};
use crate::fault::{self, Fault};
use crate::time::Day;
use crate::{AcquisitionId, ClientId, Country, Currency, PartnerId, PaymentId, Timestamp};

/// The public part: all of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AcquisitionFacts {
    /// When it was first seen that his identity is approved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verified_at: Option<Timestamp>,
    /// The amounts that he earned and that stand.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub earned: Vec<Line>,
    /// His deposit went back in time: he earns no more.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub clawed_back: bool,
    /// Movements of money that were counted against the broker's revenue.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub costs: BTreeSet<String>,
}

/// What a client's being brought earns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acquisition {
    /// Its id, which is the client's.
    pub id: AcquisitionId,
    /// The client.
    pub client_id: ClientId,
    /// All of it.
    pub facts: AcquisitionFacts,
}

/// Whom a client earns for, and by what.
#[derive(Debug, Clone, Copy)]
pub struct Brought<'a> {
    /// Who brought him.
    pub partner: &'a PartnerId,
    /// What he had accepted then.
    pub accepted: &'a AgreementRef,
    /// Its currency.
    pub currency: Currency,
    /// When the client was registered.
    pub registered_at: Timestamp,
    /// Where he lives.
    pub country: Option<Country>,
}

/// What is booked of a client, beside the client's own record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gained {
    /// The record.
    pub decision: Decision<Acquisition>,
    /// New lines.
    pub lines: Vec<Line>,
}

/// What the client has done, in the agreement's currency; none where his money is in another one, which has no rate here.
fn in_currency(
    history: &History,
    currency: Currency,
    until: Timestamp,
) -> Option<(Option<(Decimal, Timestamp)>, Decimal)> {
    let (mut first, mut net): (Option<(PaymentId, Decimal, Timestamp)>, _) = (None, Decimal::ZERO);
    for movement in history.movements.iter().filter(|movement| movement.at <= until) {
        let direction = Decimal::from(movement.kind.direction());
        if direction.is_zero() {
            continue;
        }
        let base = movement.base.as_ref().map(|base| base.money);
        let amount = [Some(movement.amount), base].into_iter().flatten().find(|money| money.currency() == currency)?;
        let moved = direction.saturating_mul(amount.amount());
        match &mut first {
            None if movement.kind == MovementKind::Deposit => {
                first = Some((movement.payment_id.clone(), moved, movement.at));
            }
            // what went back of it before he has qualified was not deposited
            Some((payment, deposit, _)) if *payment == movement.payment_id => {
                *deposit = deposit.saturating_add(moved).max(Decimal::ZERO);
            }
            _ => {}
        }
        net = net.saturating_add(moved);
    }
    Some((first.map(|(_, deposit, at)| (deposit, at)), net))
}

impl Acquisition {
    /// Of a client of whom nothing was seen.
    pub fn begun(client: &ClientId) -> Self {
        Self { id: AcquisitionId::of(client), client_id: client.clone(), facts: AcquisitionFacts::default() }
    }

    /// How far he has come. Lots and costs are those of the days up to the deadline; of the spread nothing is known a client, so that
    /// conditions about it count his costs.
    fn progress(&self, terms: &CpaTerms, brought: &Brought<'_>, history: &History) -> Option<Progress> {
        let deadline = terms.deadline(brought.registered_at);
        let (first_deposit, net_deposits) = in_currency(history, brought.currency, deadline)?;
        let days = || history.days.iter().filter(|(day, _)| **day <= Day::of(deadline));
        let costs = days().filter_map(|(_, day)| day.by_currency.get(&brought.currency)).map(|own| -own.costs);
        Some(Progress {
            registered_at: brought.registered_at,
            country: brought.country,
            first_deposit,
            net_deposits,
            lots: days().map(|(_, day)| day.lots()).sum(),
            paid: costs.sum::<Decimal>().max(Decimal::ZERO),
            verified_at: self.facts.verified_at,
            accrued: self.facts.earned.iter().map(|line| line.amount.amount()).sum(),
        })
    }

    /// What follows from what he has done by now: the amount if he has qualified, and its reversal if a deposit went back in time.
    /// `None` where nothing does.
    ///
    /// # Errors
    /// [`Hindrance`].
    pub fn judged(
        &self,
        terms: &CpaTerms,
        brought: &Brought<'_>,
        history: &History,
        (booked_in, now): (Period, Timestamp),
    ) -> Result<Option<Gained>, Hindrance> {
        if self.facts.clawed_back {
            return Ok(None);
        }
        if let Some(gained) = self.taken_back(terms, history, (booked_in, now)) {
            return Ok(Some(gained));
        }
        let Some(progress) = self.progress(terms, brought, history) else { return Ok(None) };
        let (amount, row) = match terms.judge(&progress, now)? {
            Qualified::Due { amount, row } if amount > Decimal::ZERO => (amount, row),
            Qualified::Due { .. } | Qualified::Waiting { .. } | Qualified::Lapsed { .. } | Qualified::Done => {
                return Ok(None);
            }
        };
        let line = self.line(terms, brought, (amount, &row), (booked_in, now));
        let why = vec![format!("{:?} for {} by {row}", line.amount, brought.partner)];
        let mut next = self.clone();
        next.facts.earned.push(line.clone());
        let decision = Decision::new(next, "qualified", vec!["acquisition.qualified"], why);
        Ok(Some(Gained { decision, lines: vec![line] }))
    }

    fn line(
        &self,
        terms: &CpaTerms,
        brought: &Brought<'_>,
        (amount, row): (Decimal, &str),
        (booked_in, now): (Period, Timestamp),
    ) -> Line {
        let counted_in = Period::of(now);
        let nth = self.facts.earned.len().to_string();
        Line {
            id: Line::id_of(now, &["cpa", self.client_id.as_str(), &nth]),
            partner: brought.partner.clone(),
            client: Some(self.client_id.clone()),
            trade: None,
            at: now,
            period: booked_in.max(counted_in),
            counted_in,
            level: 1,
            model: LineModel::Cpa,
            agreement: brought.accepted.clone(),
            rule_id: format!("cpa/{row}"),
            base: Decimal::ONE,
            rate: amount,
            factor: Decimal::ONE,
            fx: None,
            amount: Fine::rounded(amount, brought.currency),
            held_until: held_until(now, terms.hold),
            reverses: None,
            why: vec![format!("qualified within {} of his registration", terms.within)],
            own_rate: None,
            gross: None,
            entered: None,
        }
    }

    /// A deposit that was charged back or refunded within the clawback takes the amounts back.
    fn taken_back(&self, terms: &CpaTerms, history: &History, (booked_in, now): (Period, Timestamp)) -> Option<Gained> {
        let went_back = |kind| matches!(kind, MovementKind::Chargeback | MovementKind::Refund);
        let back = history.movements.iter().filter(|movement| went_back(movement.kind));
        let back: Vec<_> = back.map(|movement| (movement.kind, movement.at)).collect();
        let reverse = |line: &Line| {
            let hit = back.iter().find(|(_, at)| *at >= line.at && terms.claws_back(line.at, *at));
            hit.map(|(kind, at)| {
                line.reversal(booked_in.max(Period::of(now)), format!("{kind} of his deposit at {at}"))
            })
        };
        let lines: Vec<Line> = self.facts.earned.iter().filter_map(reverse).collect();
        if lines.is_empty() {
            return None;
        }
        let mut next = self.clone();
        if !fault::is_back(Fault::ClawedBackTwice) {
            (next.facts.earned, next.facts.clawed_back) = (Vec::new(), true);
        }
        let why = lines.iter().flat_map(|line| line.why.clone()).collect();
        let decision = Decision::new(next, "clawed_back", vec!["acquisition.clawed_back"], why);
        Some(Gained { decision, lines })
    }

    /// What went back with his deposits is a cost of the month in which it did, for a partner who has a share of the revenue. Each movement
    /// counts once.
    pub fn cost(
        &self,
        parts: &[RevenuePart],
        currency: Currency,
        history: &History,
        totals: &mut Totals,
    ) -> Option<Self> {
        if !parts.contains(&RevenuePart::Chargebacks) {
            return None;
        }
        let mut next = self.clone();
        for movement in &history.movements {
            let sign = match movement.kind {
                MovementKind::Chargeback => Decimal::ONE,
                MovementKind::Reinstated => Decimal::NEGATIVE_ONE,
                _ => continue,
            };
            let base = movement.base.as_ref().map(|base| base.money);
            let amount = [Some(movement.amount), base].into_iter().flatten().find(|money| money.currency() == currency);
            let Some(amount) = amount else { continue };
            if next.facts.costs.insert(format!("{}:{}", movement.payment_id, movement.kind)) {
                let sum = totals.revenue.entry(currency).or_default().entry(RevenuePart::Chargebacks).or_default();
                *sum = sum.saturating_add(sign.saturating_mul(amount.amount()));
            }
        }
        (next.facts != self.facts).then_some(next)
    }
}

impl Entity for Acquisition {
    type Id = AcquisitionId;
    type Table = InPartners;
    type Public = AcquisitionFacts;
    type Private = ();
    const KIND: &'static str = "acquisition";

    fn id(&self) -> &AcquisitionId {
        &self.id
    }

    fn client(&self) -> Option<&ClientId> {
        Some(&self.client_id)
    }

    fn public(&self) -> &AcquisitionFacts {
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
