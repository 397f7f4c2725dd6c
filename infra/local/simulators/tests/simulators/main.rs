//! The simulators on the wire, as the vendors' own clients see them.

#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test ends at the first surprise")]

mod binary;
mod faults;
mod kyc;
mod load;
mod messages;
mod mt5;
mod praxis;
mod stripe;
mod support;
mod trading;
