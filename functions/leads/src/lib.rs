//! Leads: from a form or an ad to an agent with a task and a clock, and back when nobody picks up.

mod admit;
pub mod agents;
pub mod fetch;
mod floor;
pub mod intake;
pub mod meta;
mod phone;
mod release;
pub mod route;
pub mod signal;
mod slack;
pub mod task;
pub mod tell;

/// The functions of this package by their handlers.
pub const FUNCTIONS: &[(&str, runtime::Build)] = &[
    ("leads-intake", intake::build),
    ("leads-signal", signal::build),
    ("leads-meta", meta::build),
    ("leads-fetch", fetch::build),
    ("leads-route", route::build),
    ("leads-task", task::build),
    ("leads-agents", agents::build),
    ("leads-tell", tell::build),
];
