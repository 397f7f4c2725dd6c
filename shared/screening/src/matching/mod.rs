//! Matching a client with the lists.

mod align;
pub(crate) mod candidates;
pub mod dates;
pub mod facts;
pub mod features;
pub mod likeness;
pub mod model;
pub mod query;
pub mod screener;
mod trace;
mod units;
mod words;
