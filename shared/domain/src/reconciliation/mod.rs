//! What payment providers say to have settled, held against what the ledger says.
//!
//! A provider's file of a day is compared with the ledger's postings against that provider, with the day before and after at hand: what
//! one side has on the next day is no difference. What is left is a [`Break`] with a work item of its own, which closes itself when a
//! later file or posting resolves it.

mod breaks;
mod compare;
mod file;
mod groups;
mod row;
mod settlement;
#[cfg(test)]
mod tests;

pub use breaks::{Break, BreakClass, BreakFacts, BreakStatus};
pub use compare::{Found, Known, PaymentState, Side, Standing, Window, compare};
pub use file::{Refusal, SettlementFile, SettlementFileFacts, Taken};
pub use row::{Booked, RowKind, SettledRow, totals};
pub use settlement::{BREAKS_MAX, Settlement, SettlementFacts, SettlementPrivate};
