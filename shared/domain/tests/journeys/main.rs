//! Journeys of clients: who enters, what is decided at the moment of sending, in any order and however often.

#![expect(clippy::unwrap_used, clippy::panic, reason = "what a test does not expect ends it")]

mod runs;
mod sending;
mod world;
