//! The machine-readable zone of travel documents and identity cards: ICAO Doc 9303, parts 3 (common), 4 (TD3, passports), 5 (TD1,
//! cards), 6 (TD2) and 7 (visas), and the French card that was there before.
//!
//! What a camera and a reader make of a zone is seldom exact: letters for digits, fillers too many or too few. A misreading is
//! mended only where a place allows one class of characters or a check digit proves the mend, and every mend is told.
//! Check digits do not see characters whose values lie ten apart (6 and G), nor two equal mistakes under the weights 7 and 3, and
//! do not cover names and states: whoever relies on a zone holds it against the visual part of the document too.

mod check;
mod dates;
mod find;
mod fit;
mod found;
mod glyphs;
mod layout;
mod names;
mod parts;
mod russian;
mod solve;
mod states;
mod zone;

pub use dates::PartialDate;
pub use layout::Format;
pub use names::Names;
pub use solve::{Proof, Proofs};
pub use states::State;
pub use zone::{Mend, Sex, Zone};

pub(crate) use check::number_holds;
pub(crate) use dates::{birth_year, expiry_year};
pub(crate) use find::find;
pub(crate) use fit::of_a_zone;
pub(crate) use found::Found;
pub(crate) use glyphs::{twin, without_twins};

/// The zone that stands in the lines of a picture, if one does.
pub fn read(lines: &[crate::Line], today: jiff::civil::Date) -> Option<Zone> {
    find(lines, today).into_iter().next().map(|found| found.zone)
}
