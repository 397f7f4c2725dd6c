//! Which script a letter belongs to, and what looks like what.

use serde::{Deserialize, Serialize};

/// The scripts that are read in a way of their own; the rest goes through one general table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Script {
    /// Latin, with any diacritics.
    Latin,
    /// Cyrillic, Russian and all others.
    Cyrillic,
    /// Greek.
    Greek,
    /// Hebrew: vowels are mostly not written.
    Hebrew,
    /// Arabic letters: Arabic, Persian, Urdu, Pashto; vowels are mostly not written.
    Arabic,
    /// Korean syllables.
    Hangul,
    /// Chinese characters, also when a Japanese name is written with them.
    Han,
    /// Hiragana and katakana.
    Kana,
    /// Scripts whose short vowel is not written: Devanagari, Bengali, Tamil, Thai, Khmer and their relatives.
    Abugida,
    /// Anything else.
    Other,
}

impl Script {
    /// The script of one letter; digits and signs are `Latin`.
    pub fn of(letter: char) -> Self {
        match u32::from(letter) {
            0..=0x036F | 0x1E00..=0x1EFF | 0x2C60..=0x2C7F | 0xA720..=0xA7FF => Self::Latin,
            0x0370..=0x03FF | 0x1F00..=0x1FFF => Self::Greek,
            0x0400..=0x052F | 0x1C80..=0x1C8F | 0x2DE0..=0x2DFF | 0xA640..=0xA69F => Self::Cyrillic,
            0x0590..=0x05FF | 0xFB1D..=0xFB4F => Self::Hebrew,
            0x0600..=0x06FF | 0x0750..=0x077F | 0x08A0..=0x08FF | 0xFB50..=0xFDFF | 0xFE70..=0xFEFC => Self::Arabic,
            0x0900..=0x0DFF | 0x0E00..=0x0FFF | 0x1000..=0x109F | 0x1780..=0x17FF => Self::Abugida,
            0x1100..=0x11FF | 0xA960..=0xA97F | 0xAC00..=0xD7FF => Self::Hangul,
            0x3040..=0x30FF | 0x31F0..=0x31FF => Self::Kana,
            0x3005 | 0x3400..=0x4DBF | 0x4E00..=0x9FFF | 0xF900..=0xFAFF | 0x20000..=0x3134F => Self::Han,
            _ => Self::Other,
        }
    }

    /// The script most letters of the text belong to.
    pub fn of_text(text: &str) -> Self {
        let mut counts: Vec<(Self, usize)> = Vec::new();
        for script in text.chars().filter(|c| c.is_alphabetic()).map(Self::of) {
            match counts.iter_mut().find(|(known, _)| *known == script) {
                Some((_, count)) => *count += 1,
                None => counts.push((script, 1)),
            }
        }
        counts.into_iter().max_by_key(|(_, count)| *count).map_or(Self::Latin, |(script, _)| script)
    }

    /// Whether vowels between the consonants may simply not be there.
    pub fn omits_vowels(self) -> bool {
        matches!(self, Self::Arabic | Self::Hebrew | Self::Abugida)
    }
}

/// Letters of Cyrillic, Greek and Cherokee that look like a Latin one: (foreign, Latin).
const LOOK_ALIKE: [(char, char); 63] = [
    ('а', 'a'),
    ('е', 'e'),
    ('о', 'o'),
    ('р', 'p'),
    ('с', 'c'),
    ('у', 'y'),
    ('х', 'x'),
    ('і', 'i'),
    ('ј', 'j'),
    ('ѕ', 's'),
    ('А', 'A'),
    ('В', 'B'),
    ('Е', 'E'),
    ('К', 'K'),
    ('М', 'M'),
    ('Н', 'H'),
    ('О', 'O'),
    ('Р', 'P'),
    ('С', 'C'),
    ('Т', 'T'),
    ('У', 'Y'),
    ('Х', 'X'),
    ('І', 'I'),
    ('Ј', 'J'),
    ('Ѕ', 'S'),
    ('ԁ', 'd'),
    ('ԛ', 'q'),
    ('ԝ', 'w'),
    ('α', 'a'),
    ('ο', 'o'),
    ('ν', 'v'),
    ('ρ', 'p'),
    ('Α', 'A'),
    ('Β', 'B'),
    ('Ε', 'E'),
    ('Η', 'H'),
    ('Ι', 'I'),
    ('Κ', 'K'),
    ('Μ', 'M'),
    ('Ν', 'N'),
    ('Ο', 'O'),
    ('Ρ', 'P'),
    ('Τ', 'T'),
    ('Χ', 'X'),
    ('Ꭺ', 'A'),
    ('Ᏼ', 'B'),
    ('Ꮯ', 'C'),
    ('Ꭰ', 'D'),
    ('Ꭼ', 'E'),
    ('Ꮐ', 'G'),
    ('Ꮋ', 'H'),
    ('Ꭻ', 'J'),
    ('Ꮶ', 'K'),
    ('Ꮮ', 'L'),
    ('Ꮇ', 'M'),
    ('Ꮲ', 'P'),
    ('Ꮢ', 'R'),
    ('Ꮪ', 'S'),
    ('Ꭲ', 'T'),
    ('Ꮩ', 'V'),
    ('Ꮃ', 'W'),
    ('Ꭹ', 'Y'),
    ('Ꮓ', 'Z'),
];

/// A word of mixed scripts with its look-alike letters put into the script that most of its letters have.
///
/// A word of one script comes back unchanged: there nothing says that a letter is an impostor.
pub(crate) fn unmask(word: &str) -> String {
    let main = Script::of_text(word);
    let mixed = word.chars().any(|c| c.is_alphabetic() && Script::of(c) != main);
    if !mixed || !matches!(main, Script::Latin | Script::Cyrillic | Script::Greek) {
        return word.to_owned();
    }
    let replace = |letter: char| match main {
        Script::Latin => LOOK_ALIKE.iter().find(|(foreign, _)| *foreign == letter).map(|(_, latin)| *latin),
        _ => LOOK_ALIKE
            .iter()
            .find(|(foreign, latin)| *latin == letter && Script::of(*foreign) == main)
            .map(|(foreign, _)| *foreign),
    };
    word.chars().map(|letter| replace(letter).unwrap_or(letter)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cyrillic_letter_in_a_latin_word_is_unmasked() {
        assert_eq!(unmask("Pu\u{0442}in"), "Pu\u{0442}in", "the small Cyrillic t looks like no Latin letter");
        assert_eq!(unmask("\u{0420}utin"), "Putin");
        assert_eq!(unmask("P\u{13A2}AVLOV"), "PTAVLOV");
        assert_eq!(unmask("Путин"), "Путин");
        assert_eq!(unmask("Пyтин"), "Путин");
    }

    #[test]
    fn scripts_are_told_apart() {
        for (text, script) in [
            ("Ivan", Script::Latin),
            ("Иван", Script::Cyrillic),
            ("Νίκος", Script::Greek),
            ("משה", Script::Hebrew),
            ("محمد", Script::Arabic),
            ("김정은", Script::Hangul),
            ("习近平", Script::Han),
            ("バラク", Script::Kana),
            ("मोदी", Script::Abugida),
            ("", Script::Latin),
        ] {
            assert_eq!(Script::of_text(text), script, "{text}");
        }
    }
}
