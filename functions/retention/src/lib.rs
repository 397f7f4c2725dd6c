//! Journeys of leads and clients: who enters, what is due, what is granted, what readers and vendors answer, and what it comes to.

pub mod bonus;
pub mod inbound;
pub mod journeys;
mod reader;
mod saving;
mod sending;
pub mod views;

use runtime::http::table_of;

/// The functions of this package by their handlers.
pub const FUNCTIONS: &[(&str, runtime::Build)] = &[
    ("retention-journeys", journeys::build),
    ("retention-bonus", bonus::build),
    ("retention-views", views::build),
    ("retention-inbound", inbound::build),
];

/// Time-outs that this package counts on, in seconds: those in the template are held against them.
pub const TIMEOUTS: &[(&str, u32)] = &[("retention-bonus", bonus::TIMEOUT_S)];

/// The HTTP routes of this package, a table a function.
pub const ROUTES: &[runtime::http::Table] = &[table_of::<views::Views>, table_of::<inbound::Inbound>];
