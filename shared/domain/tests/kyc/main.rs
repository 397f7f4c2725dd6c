//! KYC cases as the rules of a new installation decide them, and laws that no rules can change.

#![expect(clippy::unwrap_used, clippy::panic, reason = "what a test does not expect ends it")]

mod clearance;
mod desk;
mod expiry;
mod laws;
mod levels;
mod lists;
mod paths;
mod vendors;
