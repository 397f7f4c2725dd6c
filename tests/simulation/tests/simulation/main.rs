//! The whole brokerage in one process, under what a distributed system does to it.
//!
//! - `kill`: a function is killed before and after every I/O call it makes, and its trigger comes again.
//! - `leads_core`: a hundred thousand leads through the pure decisions, every law checked on the way.
//! - `money`: what goes back and forth, who moves it, and the faults that these laws find when they are put back.
//! - `population`: a thousand clients of whom the truth is known, through reading, screening, rules and decision.
//! - `platform`: trading platforms that answer oddly and a network that delivers late, and the faults that these laws find.
//! - `rates`: the rules about rates cannot be read when a deposit in another currency is asked for.
//! - `random`: seeded runs of many deposits under repeats, delays, faults and kills, with invariants at their ends.
//!
//! Time is moved by hand ([`host::LocalTime`]) for functions, queues and vendors alike; no test waits for it.

#![expect(clippy::unwrap_used, clippy::panic, reason = "what a test does not expect ends it")]

#[path = "../../../../shared/documents/tests/documents/build.rs"]
#[expect(dead_code, reason = "the documents' own tests use the rest")]
mod build;
mod checks;
mod early;
#[path = "../../../../shared/domain/tests/leads/world.rs"]
#[expect(dead_code, reason = "the stories of the domain's own tests use the rest")]
mod floor;
mod kill;
mod killer;
mod leads_core;
mod money;
mod outside;
mod platform;
mod population;
mod put_back;
mod random;
mod rates;
#[path = "../../../../shared/documents/tests/documents/reader.rs"]
#[expect(dead_code, reason = "the documents' own tests use the rest")]
mod reader;
mod servers;
mod world;
