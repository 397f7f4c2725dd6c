//! Partners who bring clients, and what they earn by them: introducing brokers, masters over them, affiliates.
//!
//! Pure, and exact: a line has eight decimals, and what it was reckoned from stands on it (trade and version, agreement and version, row,
//! base, rate, exchange rate). A line is never changed. What was wrong is reversed by a line of its own, once.

pub mod accrual;
pub mod acquisition;
pub mod attribution;
pub mod balance;
pub mod bank_file;
pub mod book;
pub mod closing;
pub mod cpa;
pub mod cut;
pub mod dispute;
pub mod feed;
pub mod fine;
pub mod line;
pub mod network;
pub mod payee;
pub mod payout;
pub mod period;
pub mod posted;
pub mod profile;
pub mod proposal;
pub mod quote;
pub mod revenue;
pub mod rules;
pub mod run;
pub mod statement;
pub mod tier;
pub mod totals;
pub mod trade;
pub mod verify;
