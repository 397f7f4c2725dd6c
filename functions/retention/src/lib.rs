//! Journeys of leads and clients: who enters, what is due, what readers and vendors answer, and what it comes to.

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
    ("retention-views", views::build),
    ("retention-inbound", inbound::build),
];

/// The HTTP routes of this package, a table a function.
pub const ROUTES: &[runtime::http::Table] = &[table_of::<views::Views>, table_of::<inbound::Inbound>];
