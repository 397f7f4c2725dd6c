//! Arabic names of several words that are written as one, two or three: the servant of (Abd al-Rahman) and the virtue of the faith (Salah al-Din).

use super::distance::Writing;
use super::parts::{Part, reading};
use super::romanise::Romanised;
use crate::tables;

/// The parts with compounds made one, in order.
pub(super) fn compounds(written: &[Part]) -> Vec<Part> {
    let mut parts: Vec<Part> = Vec::with_capacity(written.len());
    let mut rest = written;
    while let [part, next @ ..] = rest {
        let (part, used) = servant(part, next).or_else(|| faith(part, next)).unwrap_or_else(|| (part.clone(), 0));
        parts.push(part);
        rest = next.get(used..).unwrap_or_default();
    }
    assimilated_articles(&mut parts);
    parts
}

/// Abd al-Rahman, Abdel Rahman, Abdulrahman: the part, and how many of the next went into it.
fn servant(part: &Part, next: &[Part]) -> Option<(Part, usize)> {
    if is_servant(part.letters()) {
        let used = match next {
            [article, _, ..] if is_article(article.letters()) => 2,
            [_, ..] => 1,
            [] => return None,
        };
        let name = next.get(used - 1)?;
        return Some((servant_of(name.letters(), name.writing(), written(part, next.get(..used)?)), used));
    }
    let name = servant_prefix(part.letters())?;
    Some((servant_of(name, part.writing(), part.text.clone()), 0))
}

fn servant_of(name: &str, writing: Writing, text: String) -> Part {
    let mut short = reading(Romanised { letters: name.to_owned(), writing });
    short.shortened = true;
    let readings = vec![reading(Romanised { letters: format!("abd{name}"), writing }), short];
    Part::of_readings(text, readings)
}

/// Salah al-Din, Nur ad Din, Nasreddine.
fn faith(part: &Part, next: &[Part]) -> Option<(Part, usize)> {
    let (stem, used) = match faith_suffix(part.letters()) {
        Some(stem) => (stem, 0),
        None => (part.letters(), faith_follows(next)?),
    };
    if is_article(part.letters()) || tables::particle(part.letters()).is_some() {
        return None;
    }
    let joined = reading(Romanised { letters: format!("{stem}din"), writing: part.writing() });
    Some((Part::of_readings(written(part, next.get(..used)?), vec![joined]), used))
}

/// The words as they were written.
fn written(part: &Part, next: &[Part]) -> String {
    let texts: Vec<&str> = std::iter::once(part).chain(next).map(|part| part.text.as_str()).collect();
    texts.join(" ")
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
fn faith_follows(next: &[Part]) -> Option<usize> {
    let is_faith = |letters: &str| matches!(letters, "din" | "deen" | "dine" | "dyn" | "dien");
    match next {
        [only, ..]
            if matches!(
                only.letters(),
                "uddin" | "eddin" | "eddine" | "addin" | "aldin" | "uldin" | "eldin" | "uddeen"
            ) =>
        {
            Some(1)
        }
        [article, faith, ..] if is_article(article.letters()) && is_faith(faith.letters()) => Some(2),
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

#[cfg(test)]
mod tests {
    use super::super::parts::{NameOf, parts};

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
}
