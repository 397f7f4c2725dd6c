//! Identity documents of invented persons, plainly marked SPECIMEN, as pictures: for tests, measurements and the demo.
//!
//! They resemble no country's document: the layout is what ICAO 9303 leaves free, drawn simply. The same seed draws the same picture.
#![allow(clippy::as_conversions, reason = "drawing rounds positions and levels, which are small")]

mod canvas;
mod cards;
mod encode;
mod people;
mod random;
mod variants;
mod zone;

pub use canvas::{Canvas, Face};
pub use cards::{Kind, Specimen, driving_licence, id_card_back, id_card_front, passport, specimen, statement};
pub use encode::{jpeg, png, turned_jpeg};
pub use people::{Day, Person, applicant, person};
pub use random::Random;
pub use variants::Variant;
pub use zone::{td1, td3, transliterated};
