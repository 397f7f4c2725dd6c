//! What moved the money of accounts besides their trades, as a server lists it.

use domain::Timestamp;
use rust_decimal::Decimal;

use super::{Login, Ticket};

/// How a server's operations can be listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OperationsList {
    /// One account at a time.
    EachAccount,
    /// All accounts at once, or one.
    AllAtOnce,
}

/// An operation that is no trade and no cost of one: a deposit, a withdrawal, a credit, a correction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MoneyOperation {
    /// Its number.
    pub ticket: Ticket,
    /// The account.
    pub login: Login,
    /// Whether it moved the balance as our own operations do. A credit or bonus, a charge, a correction does not.
    pub is_balance: bool,
    /// In the account's currency; negative where it was taken out.
    pub amount: Decimal,
    /// Its comment: whoever booked it wrote it.
    pub comment: String,
    /// When, in UTC, as exactly as the server's clock is known.
    pub at: Timestamp,
}

/// Those of a time, its end not with it, in the order of their moments: servers are asked for a wider one.
pub(super) fn within(mut all: Vec<MoneyOperation>, from: Timestamp, to: Timestamp) -> Vec<MoneyOperation> {
    all.retain(|one| from <= one.at && one.at < to);
    all.sort_by(|a, b| (a.at, &a.login, &a.ticket).cmp(&(b.at, &b.login, &b.ticket)));
    all
}
