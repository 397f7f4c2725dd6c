//! Deposits: what may happen to one, and what follows.

mod booking;
pub mod collect;
pub mod confirm;
pub mod credit;
pub mod deposit;
pub mod overdue;
pub mod report;
pub mod request;
pub mod resolve;
mod reversal;
mod review;
pub mod rules;
mod status;
pub mod stray;
#[cfg(test)]
mod tests;

pub use crate::work::HumanDecision;
pub use confirm::Unconfirmed;
pub use credit::{CreditOutcome, CreditStep, Found, GRACE};
pub use deposit::{Deposit, DepositFacts, DepositStatus, NewDeposit, PspSide, Review};
pub use overdue::{DueStep, PollAnswer, PollLimits};
pub use report::{PspReport, PspStatus};
pub use request::{DepositRefusal, DepositRequest};
pub use stray::StrayReport;
