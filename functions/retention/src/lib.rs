//! Series of messages to leads today; retention's triggers will begin series of their own.

pub mod journeys;

/// The functions of this package by their handlers.
pub const FUNCTIONS: &[(&str, runtime::Build)] = &[("retention-journeys", journeys::build)];
