//! What payment providers say to have settled, and what trading servers say to have booked, held against what the ledger says.
//!
//! A provider's file of a day is compared with the ledger's postings against that provider, a server's operations with the postings on the
//! trading accounts there, each with the days around at hand: what one side has on the next day is no difference. What is left is a
//! [`Break`] with a work item of its own, which closes itself when a later file, reading or posting resolves it. One payment's operations
//! are compared in the same way, as soon as it has ended.

mod breaks;
mod compare;
mod file;
mod groups;
mod row;
mod server_day;
mod settlement;
mod source;
#[cfg(test)]
mod tests;

pub use breaks::{Break, BreakClass, BreakFacts, BreakStatus};
pub use compare::{Found, Known, PaymentState, Side, Standing, Window, compare};
pub use file::{Refusal, SettlementFile, SettlementFileFacts, Taken};
pub use row::{Booked, RowKind, ServerRow, SettledRow, totals};
pub use server_day::{DayStage, Place, READ_AFTER, ServerDay, ServerDayFacts, ServerDayPrivate};
pub use settlement::{BREAKS_MAX, DayRead, Settlement, SettlementFacts, SettlementPrivate};
pub use source::Source;
