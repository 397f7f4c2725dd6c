//! Identity documents as they are read from pictures: the machine-readable zone, what else stands on them, and what differs.
//!
//! The library has no I/O, clock, environment or randomness: what was read comes in, fields and findings go out.
//! [`read`] reads a document, [`compare`] holds it against what the client declared, [`compare_earlier`] against another document,
//! [`address::read`] looks for a client on a proof of address.

pub mod address;
mod compare;
mod confirm;
mod dated;
mod finding;
mod fold;
mod line;
pub mod mrz;
mod person;
mod proved;
mod reading;
mod visual;
mod without_zone;

pub use compare::{Declared, compare, compare_earlier};
pub use finding::{Finding, Side, Source, Weight, What};
pub use line::{CERTAIN, Glyph, Line, Place};
pub use mrz::{PartialDate, Sex, State, Zone};
pub use reading::{Field, Fields, Kind, Reading, read, read_sides};
