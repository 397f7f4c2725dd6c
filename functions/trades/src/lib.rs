//! Deals on the trading platforms, pushed by bridges and fetched from the servers, and what clients do in numbers.

pub mod activity;
pub mod feeds;
pub mod fetch;
mod keep;
pub mod push;
mod rates;
pub mod views;

use runtime::http::table_of;

/// The functions of this package by their handlers.
pub const FUNCTIONS: &[(&str, runtime::Build)] = &[
    ("trades-push", push::build),
    ("trades-feeds", feeds::build),
    ("trades-fetch", fetch::build),
    ("trades-activity", activity::build),
    ("trades-views", views::build),
];

/// The HTTP routes of this package, a table a function.
pub const ROUTES: &[runtime::http::Table] = &[table_of::<push::Push>, table_of::<views::Views>];
