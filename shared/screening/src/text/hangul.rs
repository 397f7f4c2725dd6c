//! Korean: a syllable block is arithmetic on its code point.

use super::romanise::{Romanised, general};

/// Family names of two syllables.
const LONG_FAMILY_NAMES: [&str; 7] = ["남궁", "황보", "선우", "제갈", "사공", "독고", "서문"];

const FIRST: [&str; 19] =
    ["k", "kk", "n", "t", "tt", "r", "m", "p", "pp", "s", "ss", "", "j", "jj", "ch", "kh", "th", "ph", "h"];
const VOWEL: [&str; 21] = [
    "a", "ae", "ya", "yae", "o", "e", "yo", "ye", "o", "wa", "wae", "oe", "yo", "u", "wo", "we", "wi", "yu", "u", "ui",
    "i",
];
const LAST: [&str; 28] = [
    "", "k", "k", "k", "n", "n", "n", "t", "l", "k", "m", "l", "l", "l", "p", "l", "m", "p", "p", "t", "t", "ng", "t",
    "t", "k", "t", "p", "t",
];
const BLOCKS_START: u32 = 0xAC00;

/// A word a syllable; in front the family name, which is read in more than one way.
pub(super) fn romanise(word: &str, starts_name: bool) -> Vec<Vec<Romanised>> {
    let mut rest = word;
    let mut words = Vec::new();
    if let Some(family) = LONG_FAMILY_NAMES.iter().find(|name| starts_name && rest.starts_with(*name)) {
        words.push(vec![Romanised::full(family.chars().map(|c| syllable(c).unwrap_or_default()).collect::<String>())]);
        rest = rest.get(family.len()..).unwrap_or_default();
    }
    for block in rest.chars() {
        match syllable(block) {
            Some(latin) => {
                let mut readings =
                    family_name(block, words.is_empty()).into_iter().map(Romanised::full).collect::<Vec<_>>();
                readings.insert(0, Romanised::full(latin));
                words.push(readings);
            }
            None => words.push(vec![Romanised::full(general(&block.to_string()))]),
        }
    }
    words
}

fn syllable(block: char) -> Option<String> {
    let place = u32::from(block).checked_sub(BLOCKS_START).and_then(|place| usize::try_from(place).ok())?;
    let (first, vowel, last) = (FIRST.get(place / 588)?, VOWEL.get(place % 588 / 28)?, LAST.get(place % 28)?);
    Some(format!("{first}{vowel}{last}"))
}

/// What the family names that lost their first sound in the south, or that English spells in its own way, are written as.
fn family_name(block: char, first: bool) -> Vec<&'static str> {
    match block {
        '이' | '리' if first => vec!["ri", "li", "yi"],
        '박' if first => vec!["park"],
        '임' | '림' if first => vec!["rim", "lim", "yim"],
        '유' | '류' if first => vec!["ryu", "yu"],
        '노' | '로' if first => vec!["ro", "no"],
        '양' | '량' if first => vec!["ryang", "yang"],
        '나' | '라' if first => vec!["ra", "na"],
        '여' | '려' if first => vec!["ryo", "yo"],
        '우' => vec!["woo"],
        '영' => vec!["young"],
        '정' => vec!["jung"],
        '선' => vec!["sun"],
        '희' => vec!["hee"],
        _ => Vec::new(),
    }
}
