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

use runtime::http::table_of;

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

/// The HTTP routes of this package, a table a function.
pub const ROUTES: &[runtime::http::Table] = &[
    table_of::<intake::Intake>,
    table_of::<signal::Signals>,
    table_of::<meta::Webhook>,
    table_of::<task::Tasks>,
    table_of::<agents::Agents>,
];
