//! The part of a document that people read: captions, values, dates.

mod captions;
mod dates;
mod licence;
mod standing;
mod text;
mod values;

pub(crate) use dates::{Of, Written, dates_in};
pub(crate) use standing::{Standing, places, texts, word_stands};
pub(crate) use text::{TextLine, Word, lines, with_wrapped};
pub(crate) use values::{Values, read};
