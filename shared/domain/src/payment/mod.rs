//! Deposits: what may happen to one, and what follows.

mod booking;
mod by_hand;
pub mod collect;
pub mod confirm;
pub mod credit;
pub mod deposit;
pub mod fee;
mod former;
pub mod fx;
mod naming;
pub mod overdue;
mod paid_back;
pub mod report;
pub mod request;
pub mod resolve;
mod returns;
mod reversal;
mod review;
pub mod routing;
pub mod rules;
mod stake;
mod status;
pub mod stray;
#[cfg(test)]
mod tests;
pub mod ticket;

pub use crate::work::HumanDecision;
pub use by_hand::{Proof, is_by_hand, ticket_in};
pub use confirm::{Heard, Unconfirmed};
pub use credit::{CLOCK_SKEW, CreditOutcome, CreditStep, Found, GRACE};
pub use deposit::{Deposit, DepositFacts, DepositStatus, NewDeposit, PspSide};
pub use overdue::{DueStep, PollAnswer, PollLimits};
pub use report::{Payout, PspReport, PspStatus, Returned, Way};
pub use request::{DepositRefusal, DepositRequest, Over};
pub use stake::at_stake;
pub use stray::{StrayReport, StrayState};
pub use ticket::{NamedTicket, Shown, ShownDeal, names_a_ticket, other_payment};
