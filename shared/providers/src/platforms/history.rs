//! What an account's history shows under a reference, whichever platform it was read from.

use domain::Money;
use domain::fault::{self, Fault};
use rust_decimal::Decimal;

use super::{FoundOperation, Funds, Reference, Ticket};

/// A row of an account's history.
#[derive(Debug, Clone)]
pub(super) struct Booking {
    /// Its number.
    pub(super) number: u64,
    /// Which sum it moved; none of a trade, a bonus or anything else.
    pub(super) funds: Option<Funds>,
    /// The platform's word for what it is.
    pub(super) kind: String,
    /// What it moved; none where that cannot be read.
    pub(super) amount: Option<Decimal>,
    /// Digits of the account's currency, where the platform says so.
    pub(super) digits: Option<u32>,
    /// Its comment: whoever booked it wrote it.
    pub(super) comment: String,
}

impl Booking {
    /// Whether it is a balance operation and not a trade, a credit or a bonus.
    pub(super) fn is_balance(&self) -> bool {
        self.funds == Some(Funds::Balance)
    }

    fn is_operation(&self, reference: &Reference, amount: &Money, funds: Funds) -> bool {
        self.funds == Some(funds)
            && self.amount == Some(amount.amount())
            // a row does not name its currency; its digits tell yen from dollars at least
            && self.digits.is_none_or(|digits| digits == amount.currency().digits())
            && reference.begins(&self.comment)
    }

    fn ticket_of(&self, reference: &Reference, amount: &Money, funds: Funds) -> Option<Ticket> {
        self.is_operation(reference, amount, funds).then(|| Ticket::new(self.number.to_string()))
    }

    /// Without the comment: a person wrote it.
    fn described(&self) -> String {
        let amount = self.amount.map_or_else(|| "?".to_owned(), |amount| amount.to_string());
        format!("deal {} (action {}, amount {amount})", self.number, self.kind)
    }
}

/// The reference is looked at first, so that nothing that bears it is taken for nothing because something else of it is off.
pub(super) fn compared<'a>(
    bookings: impl IntoIterator<Item = &'a Booking>,
    reference: &Reference,
    amount: &Money,
    funds: Funds,
) -> FoundOperation {
    let by_amount = fault::is_back(Fault::AmountIsInTheMatch);
    let is_meant = |booking: &&Booking| match by_amount {
        true => booking.is_operation(reference, amount, funds),
        false => reference.is_named_in(&booking.comment),
    };
    let named: Vec<_> = bookings.into_iter().filter(is_meant).collect();
    judged(&named, amount, |one| one.ticket_of(reference, amount, funds), |one| one.described())
}

/// What the rows that bear a reference come to: one that is the operation, by its ticket, and anything else for a person, in words that
/// quote no comment.
pub(super) fn judged<R>(
    named: &[R],
    amount: &Money,
    ticket_of: impl Fn(&R) -> Option<Ticket>,
    described: impl Fn(&R) -> String,
) -> FoundOperation {
    if named.is_empty() {
        return FoundOperation::Absent;
    }
    if let [one] = named
        && let Some(ticket) = ticket_of(one)
    {
        return FoundOperation::Booked(ticket);
    }
    let texts: Vec<_> = named.iter().map(described).collect();
    FoundOperation::Ambiguous(format!("under the reference of {amount} stands {}", texts.join(", ")))
}
