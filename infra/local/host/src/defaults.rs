//! The machine's own clock and randomness, for a demo; a test brings its own.

pub use runtime::lambda::{SystemClock, SystemEntropy};
