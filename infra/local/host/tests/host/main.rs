//! The host on a small template with one of everything, and the real template.

#![expect(clippy::unwrap_used, reason = "what a test does not expect ends it")]

mod clock;
mod files;
mod flow;
mod gateway;
mod model;
mod services;
mod support;
mod template;
