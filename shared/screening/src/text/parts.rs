//! The parts of a name, each with what it is and how it may be read: the form in which query and list meet.

use super::distance::Writing;
use super::romanise::{Romanised, romanise};
use super::script::Script;
use super::sound::sounds;
use super::words::{Word, words};
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
    fn new(text: &str, romanised: Vec<Romanised>) -> Option<Self> {
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

    /// The letters of the main reading.
    pub(crate) fn letters(&self) -> &str {
        self.readings.first().map_or("", |reading| reading.letters.as_str())
    }

    fn writing(&self) -> Writing {
        self.readings.first().map_or(Writing::Full, |reading| reading.writing)
    }

    fn replace_letters(&mut self, letters: String) {
        let writing = self.writing();
        self.readings = vec![reading(Romanised { letters, writing })];
    }
}

fn reading(romanised: Romanised) -> Reading {
    Reading {
        sounds: sounds(&romanised.letters),
        letters: romanised.letters,
        writing: romanised.writing,
        shortened: false,
    }
}

/// The parts of a name in order. Nothing but signs gives none.
pub(crate) fn parts(name: &str, of: NameOf) -> Vec<Part> {
    let mut parts: Vec<(Part, bool)> = Vec::new();
    for Word { text, hyphenated } in words(name) {
        let first = parts.is_empty();
        for (at, romanised) in romanise(&text, first).into_iter().enumerate() {
            let several = Part::new(&text, romanised);
            parts.extend(several.map(|part| (part, hyphenated && at == 0)));
        }
    }
    match of {
        NameOf::Person => person_parts(parts),
        NameOf::Thing => thing_parts(parts.into_iter().map(|(part, _)| part).collect()),
    }
}

fn person_parts(mut raw: Vec<(Part, bool)>) -> Vec<Part> {
    for (part, _) in &mut raw {
        digits_misread(part);
    }
    let mut parts: Vec<Part> = Vec::with_capacity(raw.len());
    let mut at = 0;
    while let Some((part, _)) = raw.get(at) {
        let mut part = part.clone();
        at += 1;
        if is_servant(part.letters()) {
            // Abd al-Rahman, Abdel Rahman, Abdul Rahman
            let article = raw.get(at).is_some_and(|(next, _)| is_article(next.letters()) && raw.get(at + 1).is_some());
            let of = if article { at + 1 } else { at };
            if let Some((name, _)) = raw.get(of) {
                let text = raw
                    .get(at - 1..=of)
                    .unwrap_or_default()
                    .iter()
                    .map(|(p, _)| p.text.as_str())
                    .collect::<Vec<_>>()
                    .join(" ");
                servant_of(&mut part, name, text);
                at = of + 1;
            }
        } else if let Some(rest) = servant_prefix(part.letters()) {
            let name = Part::new(rest, vec![Romanised { letters: rest.to_owned(), writing: part.writing() }]);
            if let Some(name) = name {
                let text = part.text.clone();
                servant_of(&mut part, &name, text);
            }
        } else if let Some(stem) = faith_suffix(part.letters()) {
            part.replace_letters(format!("{stem}din"));
        } else if let Some(used) = faith_follows(raw.get(at..).unwrap_or_default()) {
            // Salah al-Din, Nur ad Din, Nasr Eddine
            if !is_article(part.letters()) && tables::particle(part.letters()).is_none() {
                let text = raw
                    .get(at - 1..at + used)
                    .unwrap_or_default()
                    .iter()
                    .map(|(p, _)| p.text.as_str())
                    .collect::<Vec<_>>()
                    .join(" ");
                let letters = format!("{}din", part.letters());
                part.replace_letters(letters);
                part.text = text;
                at += used;
            }
        }
        parts.push(part);
    }
    assimilated_articles(&mut parts);
    for part in &mut parts {
        part.class = person_class(part);
    }
    parts
}

fn servant_of(part: &mut Part, name: &Part, text: String) {
    let writing = name.writing();
    let mut short = reading(Romanised { letters: name.letters().to_owned(), writing });
    short.shortened = true;
    part.readings = vec![reading(Romanised { letters: format!("abd{}", name.letters()), writing }), short];
    part.text = text;
}

/// `abd` with or without an article grown on.
fn is_servant(letters: &str) -> bool {
    matches!(
        letters,
        "abd"
            | "abdul"
            | "abdel"
            | "abdal"
            | "abdoul"
            | "abdol"
            | "abdar"
            | "abdus"
            | "abdas"
            | "abdu"
            | "abdool"
            | "abdil"
            | "abdolla"
            | "ebd"
            | "abdou"
            | "abdur"
            | "abder"
            | "abdes"
            | "abden"
            | "abdun"
            | "abdan"
            | "abdush"
            | "abdash"
            | "abduz"
            | "abdaz"
            | "abdut"
            | "abdat"
            | "abdad"
    )
}

fn is_article(letters: &str) -> bool {
    matches!(
        letters,
        "al" | "el"
            | "ul"
            | "ol"
            | "ar"
            | "as"
            | "ad"
            | "an"
            | "at"
            | "az"
            | "ash"
            | "ur"
            | "us"
            | "ud"
            | "un"
            | "er"
            | "es"
            | "ed"
            | "en"
            | "uz"
            | "il"
    )
}

/// What follows `abdul`, `abdur`, `abdel` … in one word.
fn servant_prefix(letters: &str) -> Option<&str> {
    let rest = letters.strip_prefix("abd")?;
    let cut = |prefix: &str| rest.strip_prefix(prefix).filter(|name| name.len() >= 2);
    if let Some(name) = ["oul", "ool", "ul", "el", "al", "ol", "il"].iter().find_map(|prefix| cut(prefix)) {
        return Some(name);
    }
    // assimilated: abdurrahman, abdessalam
    let consonants = rest.trim_start_matches(['a', 'e', 'i', 'o', 'u']);
    let mut letters = consonants.bytes();
    let doubled = letters.next().is_some_and(|first| letters.next() == Some(first));
    if doubled && consonants.len() < rest.len() {
        return consonants.get(1..).filter(|name| name.len() >= 3);
    }
    // abdirahman, abdrahman
    let short = rest.strip_prefix(['i', 'u', 'a', 'e']).unwrap_or(rest);
    Some(short).filter(|name| name.len() >= 4)
}

/// What stands before `-uddin` in one word.
fn faith_suffix(letters: &str) -> Option<&str> {
    let stem = [
        "eddine", "uddine", "uddin", "eddin", "addin", "aldin", "oddin", "uldin", "eldin", "uddeen", "udeen", "ettin",
        "ddin",
    ]
    .iter()
    .find_map(|suffix| letters.strip_suffix(suffix))?;
    (stem.len() >= 2).then_some(stem)
}

/// How many of the next words are `al-Din`.
fn faith_follows(next: &[(Part, bool)]) -> Option<usize> {
    let is_faith = |letters: &str| matches!(letters, "din" | "deen" | "dine" | "dyn" | "dien");
    match next {
        [(only, _), ..]
            if matches!(
                only.letters(),
                "uddin" | "eddin" | "eddine" | "addin" | "aldin" | "uldin" | "eldin" | "uddeen"
            ) =>
        {
            Some(1)
        }
        [(article, _), (faith, _), ..] if is_article(article.letters()) && is_faith(faith.letters()) => Some(2),
        _ => None,
    }
}

/// `ash-Sharif`, `ar-Rashid`: the article takes the first sound of its name.
fn assimilated_articles(parts: &mut [Part]) {
    for at in 1..parts.len() {
        let (before, after) = parts.split_at_mut(at);
        if let (Some(article), Some(name)) = (before.last_mut(), after.first()) {
            let own = article.letters().trim_start_matches(['a', 'e', 'u']);
            let assimilated =
                is_article(article.letters()) && !own.is_empty() && own != "l" && name.letters().starts_with(own);
            if assimilated {
                article.replace_letters("al".to_owned());
            }
        }
    }
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

    fn person(name: &str) -> Vec<String> {
        parts(name, NameOf::Person).iter().map(|part| part.letters().to_owned()).collect()
    }

    #[test]
    fn the_servant_of_is_one_part_however_it_is_written() {
        for name in [
            "Abd al-Rahman",
            "Abdul Rahman",
            "Abdulrahman",
            "Abdel-Rahman",
            "Abdurrahman",
            "Abdirahman",
            "ABD AL RAHMAN",
        ] {
            assert_eq!(person(name), ["abdrahman"], "{name}");
        }
        assert_eq!(person("عبد الرحمن"), ["abdrhmn"]);
        assert_eq!(person("عبدالله"), ["abdlh"]);
        assert_eq!(person("Abdullah"), ["abdlah"]);
        assert_eq!(person("Abdul"), ["abdul"]);
    }

    #[test]
    fn the_faith_is_one_part_with_its_virtue() {
        for name in ["Salah al-Din", "Salahuddin", "Salah ad-Din", "Salaheddine", "Salah Eddin"] {
            assert_eq!(person(name), ["salahdin"], "{name}");
        }
    }

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
