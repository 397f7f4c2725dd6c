//! Leads on the sales floor of the seed rules: where they go, and the laws that hold whatever happens.

#![expect(clippy::unwrap_used, clippy::panic, reason = "what a test does not expect ends it")]

mod cases;
mod choice;
mod consequences;
mod intake;
mod languages;
mod laws;
mod scoring;
mod series;
mod world;
