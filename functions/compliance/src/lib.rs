//! Compliance alerting: finds in what clients do what an officer should look at, and lets officers decide it. Nothing here changes what a
//! client may do, and nobody outside compliance learns that a case exists.

pub mod cases;
pub mod day;
pub mod detect;
pub mod export;
mod judge;
mod known;
pub mod timed;

use runtime::http::table_of;

/// The functions of this package by their handlers.
pub const FUNCTIONS: &[(&str, runtime::Build)] = &[
    ("compliance-detect", detect::build),
    ("compliance-day", day::build),
    ("compliance-timed", timed::build),
    ("compliance-cases", cases::build),
];

/// The HTTP routes of this package, a table a function.
pub const ROUTES: &[runtime::http::Table] = &[table_of::<cases::Cases>];
