//! Clients and KYC: registration today.

pub mod register;

/// The functions of this package by their handlers.
pub const FUNCTIONS: &[(&str, runtime::Build)] = &[("kyc-register", register::build)];
