//! The deposits whose payers could still get money back.

use super::closed_loop::SourceOrder;
use super::plan::{Leg, Source, Target};
use super::request::Ask;
use super::rules::Withdrawals;
use super::{Destination, Way};
use crate::payment::Deposit;
use crate::payment::rules::Psps;
use crate::rules::RuleError;
use crate::{Money, PaymentId};

/// Each with what of it could still be paid back, less what is on its way there; in the order in which they are used.
#[derive(Debug)]
pub(super) struct Sources<'a>(Vec<(&'a Deposit, Money)>);

impl<'a> Sources<'a> {
    pub(super) fn of(ask: &Ask<'a>, rules: &Withdrawals) -> Result<Self, RuleError> {
        let mut sources = Vec::new();
        for deposit in ask.deposits.iter().filter(|deposit| deposit.client_id == ask.client.id) {
            if deposit.can_be_paid_back().is_positive() && rules.closed_loop.is_refundable(deposit, ask.now)? {
                sources.push((deposit, left_of(deposit, ask)));
            }
        }
        sources.sort_by(|(a, _), (b, _)| (a.inner.opened, &a.id).cmp(&(b.inner.opened, &b.id)));
        if rules.closed_loop.order == SourceOrder::Newest {
            sources.reverse();
        }
        Ok(Self(sources))
    }

    /// The deposit of an id, with its room.
    pub(super) fn find(&self, id: &str) -> Option<(&'a Deposit, Money)> {
        self.0.iter().find(|(deposit, _)| deposit.id.as_str() == id).copied()
    }

    /// The ids of those that have room.
    pub(super) fn with_room(&self) -> impl Iterator<Item = String> {
        self.0.iter().filter(|(_, room)| room.is_positive()).map(|(deposit, _)| deposit.id.to_string())
    }

    /// As places for a plan; a provider that is not on offer any more gets none.
    pub(super) fn in_order(&self, psps: &Psps) -> Vec<Source> {
        let source = |(deposit, room): &(&Deposit, Money)| {
            let psp = psps.psp(&deposit.facts.psp.name).filter(|psp| psp.enabled)?;
            let target =
                Target { psp: psp.name.clone(), destination: back_to(deposit), by_hand: !psp.pays_out(Way::Source) };
            Some(Source { target, room: *room })
        };
        self.0.iter().filter_map(source).collect()
    }

    /// Whether any has room beside what legs take.
    pub(super) fn are_left_by(&self, legs: &[Leg]) -> bool {
        let taken = |id: &PaymentId| legs.iter().find(|leg| leg.target.destination.source() == Some(id));
        self.0.iter().any(|(deposit, room)| match taken(&deposit.id) {
            Some(leg) => leg.amount.compare(room).is_ok_and(std::cmp::Ordering::is_lt),
            None => room.is_positive(),
        })
    }
}

/// The payer of a deposit.
pub(super) fn back_to(deposit: &Deposit) -> Destination {
    Destination::Source { payment_id: deposit.id.clone(), reference: deposit.facts.psp.reference.clone() }
}

/// What of a source could still be paid back, less what is on its way there.
fn left_of(deposit: &Deposit, ask: &Ask<'_>) -> Money {
    let on_the_way = ask.withdrawals.iter().chain(ask.legs).filter(|withdrawal| {
        withdrawal.facts.source_payment_id.as_ref() == Some(&deposit.id)
            && !withdrawal.status().is_over()
            && !deposit.pays_back(&withdrawal.id)
    });
    on_the_way.fold(deposit.can_be_paid_back(), |left, withdrawal| {
        left.checked_add(&withdrawal.facts.requested.negated()).unwrap_or(left)
    })
}
