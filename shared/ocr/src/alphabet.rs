//! The characters that the model knows, in its order, and what each may stand for in a machine-readable zone.

use std::sync::OnceLock;

static LATIN: &str = include_str!("../models/latin.txt");

/// The class that says that there is no character.
pub(crate) const NONE: usize = 0;
/// The characters of a zone.
pub(crate) const ZONE: &str = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ<";

/// The classes of the model's output.
pub(crate) struct Alphabet {
    /// By class; the first is no character, the last a blank.
    characters: Vec<char>,
    /// By class: the place in [`ZONE`].
    zone: Vec<Option<usize>>,
}

impl Alphabet {
    pub(crate) fn get() -> &'static Self {
        static ALPHABET: OnceLock<Alphabet> = OnceLock::new();
        ALPHABET.get_or_init(|| {
            let letters = LATIN.lines().filter_map(|line| line.chars().next());
            let characters: Vec<char> = std::iter::once('\0').chain(letters).chain([' ']).collect();
            let zone = characters.iter().map(|letter| in_zone(*letter)).collect();
            Self { characters, zone }
        })
    }

    /// How many classes there are.
    pub(crate) fn len(&self) -> usize {
        self.characters.len()
    }

    pub(crate) fn character(&self, class: usize) -> char {
        self.characters.get(class).copied().unwrap_or(' ')
    }

    /// The place in [`ZONE`] of what a class stands for there.
    pub(crate) fn zone(&self, class: usize) -> Option<usize> {
        self.zone.get(class).copied().flatten()
    }
}

/// Zones have capitals only, without marks; OCR-B's filler is sometimes taken for a quotation mark or a bracket.
fn in_zone(letter: char) -> Option<usize> {
    let bare = match letter {
        '«' | '‹' => '<',
        'À'..='Å' | 'à'..='å' | 'Ā'..='ą' => 'A',
        'Ç' | 'ç' | 'Ć'..='č' => 'C',
        'Ď'..='đ' | 'Ð' => 'D',
        'È'..='Ë' | 'è'..='ë' | 'Ē'..='ě' => 'E',
        'Ĝ'..='ģ' => 'G',
        'Ì'..='Ï' | 'ì'..='ï' | 'Ĩ'..='ı' => 'I',
        'Ĺ'..='ł' => 'L',
        'Ñ' | 'ñ' | 'Ń'..='ň' => 'N',
        'Ò'..='Ö' | 'ò'..='ö' | 'Ō'..='ő' => 'O',
        'Ø' | 'ø' => '0',
        'Ŕ'..='ř' => 'R',
        'Ś'..='š' | 'Ș' | 'ș' => 'S',
        'Ţ'..='ŧ' | 'Ț' | 'ț' => 'T',
        'Ù'..='Ü' | 'ù'..='ü' | 'Ũ'..='ų' => 'U',
        'Ŵ' | 'ŵ' => 'W',
        'Ý' | 'ý' | 'ÿ' | 'Ŷ'..='Ÿ' => 'Y',
        'Ź'..='ž' => 'Z',
        other => other.to_ascii_uppercase(),
    };
    ZONE.chars().position(|known| known == bare)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_fits_the_model() {
        let alphabet = Alphabet::get();
        assert_eq!(alphabet.len(), 315);
        assert_eq!(alphabet.character(314), ' ');
        for letter in ZONE.chars() {
            let class = (1..alphabet.len()).find(|class| alphabet.character(*class) == letter).unwrap();
            assert_eq!(alphabet.zone(class).and_then(|at| ZONE.chars().nth(at)), Some(letter));
        }
        assert_eq!(alphabet.zone(NONE), None);
    }

    #[test]
    fn marks_and_small_letters_are_capitals_in_a_zone() {
        for (letter, expected) in [('k', Some('K')), ('Ö', Some('O')), ('«', Some('<')), ('.', None), (' ', None)] {
            assert_eq!(in_zone(letter).and_then(|at| ZONE.chars().nth(at)), expected, "{letter}");
        }
    }
}
