//! Documents of invented persons, read whole.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod build;
mod laws;
mod noise;
mod reader;
mod reading;
mod specimens;
mod troubles;
