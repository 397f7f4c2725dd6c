//! Clients and KYC: registration, and screening against lists.

pub mod lists;
pub mod register;
pub mod screen;
pub mod screenings;

/// The functions of this package by their handlers.
pub const FUNCTIONS: &[(&str, runtime::Build)] = &[
    ("kyc-register", register::build),
    // screening
    ("kyc-lists", lists::build),
    ("kyc-screen", screen::build),
    ("kyc-screenings", screenings::build),
];

/// The HTTP routes of this package, a table a function.
pub const ROUTES: &[runtime::http::Table] = &[
    runtime::http::table_of::<register::Register>,
    // screening
    runtime::http::table_of::<screenings::Screenings>,
];
