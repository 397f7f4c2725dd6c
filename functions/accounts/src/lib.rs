//! Trading accounts: asked for, created on the platform, credentials handed over once.

pub mod create;
pub mod credentials;
pub mod request;
mod seal;

/// The functions of this package by the names of their binaries.
pub const FUNCTIONS: &[(&str, runtime::Build)] = &[
    ("accounts-request", request::build),
    ("accounts-create", create::build),
    ("accounts-credentials", credentials::build),
];
