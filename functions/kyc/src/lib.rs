//! Clients and KYC: registration today.

pub mod register;

/// The functions of this package by their handlers.
pub const FUNCTIONS: &[(&str, runtime::Build)] = &[("kyc-register", register::build)];

/// The HTTP routes of this package, a table a function.
pub const ROUTES: &[runtime::http::Table] = &[runtime::http::table_of::<register::Register>];
