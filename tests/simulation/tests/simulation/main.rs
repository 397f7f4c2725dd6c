//! The whole brokerage in one process, under what a distributed system does to it.
//!
//! - `kill`: a function is killed before and after every I/O call it makes, and its trigger comes again.
//! - `random`: seeded runs of many deposits under repeats, delays, faults and kills, with invariants at their ends.
//!
//! Time is moved by hand ([`host::ManualTime`]) for functions, queues and vendors alike; no test waits for it.

#![expect(clippy::unwrap_used, clippy::panic, reason = "what a test does not expect ends it")]

mod checks;
mod kill;
mod killer;
mod random;
mod world;
