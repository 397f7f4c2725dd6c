//! The host on a small template with one of everything.

#![expect(clippy::unwrap_used, reason = "what a test does not expect ends it")]

mod clock;
mod flow;
mod gateway;
mod model;
mod services;
mod support;
