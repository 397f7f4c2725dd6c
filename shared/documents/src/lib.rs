//! Identity documents as they are read from pictures: the machine-readable zone, and what else stands on them.
//!
//! The library has no I/O, clock, environment or randomness: what was read comes in, fields and findings go out.

mod line;

pub use line::{CERTAIN, Glyph, Line, Place};
