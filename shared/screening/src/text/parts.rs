//! The parts of a name, each with what it is and how it may be read: the form in which query and list meet.

use super::compounds::compounds;
use super::distance::Writing;
use super::romanise::{Romanised, romanise};
use super::script::Script;
use super::sound::sounds;
use super::words::words;
use crate::tables;

/// What a part is in its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PartClass {
    /// A name proper.
    Core,
    /// One letter.
    Initial,
    /// A name after the father by its ending.
    Patronymic,
    /// A word that binds names: al, bin, de, van.
    Particle,
    /// A title, rank or generation: Dr, General, Jr.
    Title,
    /// A legal form of organisations: LLC, GmbH, obshchestvo.
    LegalForm,
    /// Digits.
    Number,
}

/// Whose name it is: the same word can mean different things.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NameOf {
    /// A person.
    Person,
    /// A company, ship or other thing.
    Thing,
}

/// One way of reading a part.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Reading {
    /// Lower-case ASCII.
    pub letters: String,
    /// See [`sounds`].
    pub sounds: Vec<u8>,
    /// Whether vowels are missing.
    pub writing: Writing,
    /// Whether something was left out to get it.
    pub shortened: bool,
}

/// A part of a name.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Part {
    /// As it was written.
    pub text: String,
    /// The main reading first; never empty.
    pub readings: Vec<Reading>,
    /// What it is.
    pub class: PartClass,
}

impl Part {
    pub(super) fn new(text: &str, romanised: Vec<Romanised>) -> Option<Self> {
        let readings: Vec<Reading> =
            romanised.into_iter().filter(|read| !read.letters.is_empty()).map(reading).collect();
        let first = readings.first()?;
        // an analyst reads what a foreign word was taken for
        let text = if Script::of_text(text) == Script::Latin {
            text.to_owned()
        } else {
            format!("{text} ({})", first.letters)
        };
        Some(Self { text, readings, class: PartClass::Core })
    }

    pub(super) fn of_readings(text: String, readings: Vec<Reading>) -> Self {
        Self { text, readings, class: PartClass::Core }
    }

    /// The letters of the main reading.
    pub(crate) fn letters(&self) -> &str {
        self.readings.first().map_or("", |reading| reading.letters.as_str())
    }

    pub(super) fn writing(&self) -> Writing {
        self.readings.first().map_or(Writing::Full, |reading| reading.writing)
    }

    pub(super) fn replace_letters(&mut self, letters: String) {
        let writing = self.writing();
        self.readings = vec![reading(Romanised { letters, writing })];
    }
}

pub(super) fn reading(romanised: Romanised) -> Reading {
    Reading {
        sounds: sounds(&romanised.letters),
        letters: romanised.letters,
        writing: romanised.writing,
        shortened: false,
    }
}

/// The parts of a name in order. Nothing but signs gives none.
pub(crate) fn parts(name: &str, of: NameOf) -> Vec<Part> {
    let mut parts: Vec<Part> = Vec::new();
    for word in words(name) {
        let starts_name = parts.is_empty();
        parts.extend(romanise(&word, starts_name).into_iter().filter_map(|romanised| Part::new(&word, romanised)));
    }
    match of {
        NameOf::Person => person_parts(parts),
        NameOf::Thing => thing_parts(parts),
    }
}

fn person_parts(mut written: Vec<Part>) -> Vec<Part> {
    for part in &mut written {
        digits_misread(part);
    }
    let mut parts = compounds(&written);
    for part in &mut parts {
        part.class = person_class(part);
    }
    parts
}

/// A scanner's digits inside a word: `0leg`, `1van`.
fn digits_misread(part: &mut Part) {
    let letters = part.letters();
    let digits = letters.bytes().filter(u8::is_ascii_digit).count();
    if digits == 0 || digits * 2 > letters.len() {
        return;
    }
    let read = letters.chars().map(|c| match c {
        '0' => 'o',
        '1' => 'i',
        '3' => 'e',
        '4' => 'a',
        '5' => 's',
        '6' => 'g',
        '7' => 't',
        '8' => 'b',
        '9' => 'g',
        other => other,
    });
    part.replace_letters(read.collect());
}

fn person_class(part: &Part) -> PartClass {
    let letters = part.letters();
    if letters.bytes().all(|c| c.is_ascii_digit()) {
        PartClass::Number
    } else if letters.len() == 1 && part.text != letters {
        // a capital; Ortega y Gasset has a small one
        PartClass::Initial
    } else if tables::particle(letters).is_some() {
        PartClass::Particle
    } else if tables::is_title(letters) {
        PartClass::Title
    } else if letters.len() == 1 {
        PartClass::Initial
    } else if is_patronymic(letters) {
        PartClass::Patronymic
    } else {
        PartClass::Core
    }
}

/// By its ending: Russian, Ukrainian, Belarusian, and the Turkic word for son or daughter.
fn is_patronymic(letters: &str) -> bool {
    const ENDINGS: [&str; 19] = [
        "ovich", "evich", "ovych", "evych", "avich", "ovic", "ovna", "evna", "ivna", "yivna", "ichna", "inichna",
        "ovitch", "evitch", "owitsch", "ewitsch", "ovits", "avna", "yevna",
    ];
    letters.len() >= 7 && ENDINGS.iter().any(|ending| letters.ends_with(ending))
}

fn thing_parts(parts: Vec<Part>) -> Vec<Part> {
    let mut joined: Vec<Part> = Vec::with_capacity(parts.len());
    let mut run = false;
    for part in parts {
        // S. A. R. L. is one word
        let letter = part.letters().len() == 1 && !part.letters().bytes().all(|c| c.is_ascii_digit());
        match joined.last_mut() {
            Some(last) if letter && run => {
                let letters = format!("{}{}", last.letters(), part.letters());
                last.text.push_str(&part.text);
                last.replace_letters(letters);
            }
            _ => joined.push(part),
        }
        run = letter;
    }
    for part in &mut joined {
        let letters = part.letters();
        part.class = if letters.bytes().all(|c| c.is_ascii_digit()) {
            PartClass::Number
        } else if tables::is_legal_form(letters) {
            PartClass::LegalForm
        } else if tables::is_small_word(letters) {
            PartClass::Particle
        } else {
            PartClass::Core
        };
    }
    joined
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_are_told_apart() {
        let class = |name| parts(name, NameOf::Person).iter().map(|part| part.class).collect::<Vec<_>>();
        use PartClass::{Core, Initial, Particle, Patronymic, Title};
        assert_eq!(class("Dr. V. Vladimirovich al-Putin"), [Title, Initial, Patronymic, Particle, Core]);
        assert_eq!(class("I. Ortega y Gasset"), [Initial, Core, Particle, Core]);
        let class = |name| parts(name, NameOf::Thing).iter().map(|part| part.class).collect::<Vec<_>>();
        assert_eq!(class("Rosneft S.A. 5 of"), [Core, PartClass::LegalForm, PartClass::Number, Particle]);
    }

    #[test]
    fn nothing_but_signs_has_no_parts() {
        for name in ["", " ", "...", "\u{1F600}", "\u{202E}\u{202D}"] {
            assert!(parts(name, NameOf::Person).is_empty(), "{name:?}");
        }
    }
}
