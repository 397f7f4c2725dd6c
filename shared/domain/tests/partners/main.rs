//! What partners earn: the worked examples of the field, the laws that hold whatever happens, and a second, plain reckoning beside it.

#![expect(clippy::unwrap_used, clippy::panic, reason = "what a test does not expect ends it")]

mod cases;
mod disputes;
mod laws;
mod newcomers;
mod payouts;
mod people;
mod plain;
mod put_back;
mod tree;
mod whole;
mod worked;
mod world;
