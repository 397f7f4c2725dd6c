//! Reads the text on a picture: where lines stand, what they say, and how sure that is, character by character.
//!
//! The models (PP-OCRv6 small, Latin letters; see `models/`) are part of the library: nothing is downloaded, and the same picture is
//! read the same way every time. The library has no I/O, clock, environment or randomness.

mod alphabet;
mod decode;
mod detect;
mod engine;
mod geometry;
mod level;
mod num;
mod rows;
mod sample;

pub use engine::{Engine, OcrError};
