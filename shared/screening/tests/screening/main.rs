//! The engine from outside: what it finds, what its parsers read, what its index file holds.

#![expect(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

mod changes;
mod common;
mod engine;
mod index_file;
mod real_lists;
mod samples;
