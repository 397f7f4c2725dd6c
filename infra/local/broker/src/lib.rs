//! A brokerage on one machine: the embedded host, simulated vendors, seeded rules. The demo and the tests start it.

pub mod api;
pub mod day;
pub mod local;
pub mod rules;
pub mod run_file;

/// A failure of the demo or of a tool, in words for the person who started it.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;
