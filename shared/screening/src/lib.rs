//! Screening of clients against sanctions and PEP lists.
//!
//! The library reads lists, builds an index of them, and says for a client which listed parties it may be, with the reasons in words. It
//! has no I/O, clock, environment or randomness: bytes come in, values go out. The binaries in `src/bin` do the reading and writing.

pub mod index;
pub mod lists;
pub mod matching;
pub mod model;
mod num;
mod tables;
mod text;
