//! Clients and KYC: registration today.

pub mod register;

/// The functions of this package by the names of their binaries.
pub const FUNCTIONS: &[(&str, runtime::Build)] = &[("kyc-register", register::build)];
