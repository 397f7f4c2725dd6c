//! Deposits: opened, collected, credited, and what happens when one of these does not.

pub mod credit;
pub mod decide;
pub mod initiate;
pub mod overdue;
pub mod webhook;
mod wish;

use runtime::http::table_of;

/// The functions of this package by the names of their binaries.
pub const FUNCTIONS: &[(&str, runtime::Build)] = &[
    ("payments-initiate", initiate::build),
    ("payments-webhook", webhook::build),
    ("payments-credit", credit::build),
    ("payments-overdue", overdue::build),
    ("payments-decide", decide::build),
];

/// The HTTP routes of this package, a table a function.
pub const ROUTES: &[runtime::http::Table] = &[table_of::<initiate::Initiate>, table_of::<webhook::Webhook>];
