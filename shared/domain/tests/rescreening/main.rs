//! Everybody is screened again: what becomes of pairs of a client and a listed party, of parts, and of the run that counts them.

#![expect(clippy::unwrap_used, clippy::panic, reason = "what a test does not expect ends it")]

mod pairs;
mod runs;
