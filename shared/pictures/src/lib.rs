//! Pictures that clients upload: what a file really is, whether it can be used, and if not, everything that is wrong with it.
//!
//! The library has no I/O, clock, environment or randomness: bytes come in, a picture or refusals go out. How good a picture must be
//! is a rule of the house and comes in as [`Limits`]; how much of the machine a file may take is guarded here, before it is decoded.

mod check;
mod exif;
mod glare;
mod jpeg;
mod kind;
mod limits;
mod measure;
mod num;
mod pdf;
mod picture;
mod png;
mod refusal;
mod region;

pub use check::{Checked, check, page};
pub use kind::Format;
pub use limits::Limits;
pub use measure::{Measures, measure};
pub use picture::{Grey, Picture};
pub use refusal::{Code, Refusal};
