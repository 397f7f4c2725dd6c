//! The adapters against published vectors, misbehaving sockets and the simulators.

#![expect(clippy::unwrap_used, clippy::panic, reason = "what a test does not expect ends it")]

mod delivery;
#[cfg(feature = "email")]
mod email;
mod kyc;
mod mt5;
mod platforms;
mod praxis;
mod praxis_webhook;
mod psps;
mod slack;
mod stripe;
mod stripe_webhook;
mod support;
mod tls;
mod transport;
