//! KYC cases as the rules of a new installation decide them, and laws that no rules can change.

#![expect(clippy::unwrap_used, clippy::panic, reason = "what a test does not expect ends it")]

mod desk;
mod laws;
mod lists;
mod paths;
mod vendors;
