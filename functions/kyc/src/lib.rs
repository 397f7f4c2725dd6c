//! Clients and KYC: registration, documents, declaration, screening, faces, checks at vendors, and the case that is decided.

mod aws;
mod cases;
mod check;
mod checks;

pub mod assess;
pub mod compare;
pub mod consents;
pub mod declaration;
pub mod document;
pub mod hits;
pub mod list_refresh;
pub mod list_status;
pub mod lists;
pub mod liveness;
pub mod logins;
pub mod read;
pub mod register;
pub mod rescreen;
pub mod screen;
pub mod screenings;
pub mod status;
pub mod submit;
pub mod verification;
pub mod verify;
pub mod webhook;

/// The functions of this package by their handlers.
pub const FUNCTIONS: &[(&str, runtime::Build)] = &[
    ("kyc-register", register::build),
    ("kyc-consents", consents::build),
    ("kyc-logins", logins::build),
    ("kyc-declaration", declaration::build),
    ("kyc-status", status::build),
    ("kyc-assess", assess::build),
    ("kyc-lists", lists::build),
    ("kyc-list-status", list_status::build),
    ("kyc-list-refresh", list_refresh::build),
    ("kyc-screen", screen::build),
    ("kyc-rescreen", rescreen::build),
    ("kyc-hits", hits::build),
    ("kyc-liveness", liveness::build),
    ("kyc-screenings", screenings::build),
    ("kyc-verification", verification::build),
    ("kyc-verify", verify::build),
    ("kyc-webhook", webhook::build),
];

/// The functions that look at uploads themselves, by their handlers: what reads pictures and PDFs would make one binary of all too large
/// for a quick start.
pub const UPLOADS: &[(&str, runtime::Build)] =
    &[("kyc-document", document::build), ("kyc-submit", submit::build), ("kyc-compare", compare::build)];

/// The function that reads documents, by its handler: a binary of its own, for it brings what it reads with, which is three times as
/// large as all the others together.
pub const READER: &[(&str, runtime::Build)] = &[("kyc-read", read::build)];

/// The HTTP routes of this package, a table a function.
pub const ROUTES: &[runtime::http::Table] = &[
    runtime::http::table_of::<register::Register>,
    runtime::http::table_of::<consents::Consents>,
    runtime::http::table_of::<logins::Logins>,
    runtime::http::table_of::<document::Document>,
    runtime::http::table_of::<submit::Submit>,
    runtime::http::table_of::<declaration::Declare>,
    runtime::http::table_of::<liveness::Live>,
    runtime::http::table_of::<status::Status>,
    runtime::http::table_of::<list_status::ListStatus>,
    runtime::http::table_of::<list_refresh::ListRefresh>,
    runtime::http::table_of::<screenings::Screenings>,
    runtime::http::table_of::<verification::Verification>,
    runtime::http::table_of::<webhook::Webhook>,
];
