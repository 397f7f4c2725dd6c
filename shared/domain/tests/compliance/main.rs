//! Compliance alerting as the rules of a new installation find it, and laws that no rules can change.

#![expect(clippy::unwrap_used, clippy::panic, reason = "what a test does not expect ends it")]

mod backtest;
mod cases;
mod days;
mod defects;
mod laws;
mod lists;
mod reports;
mod scenarios;
mod world;
