//! A written name cut into words.

use unicode_normalization::UnicodeNormalization;

use super::script::{Script, unmask};

/// Letters of a name that are looked at; no name of the lists is a third as long.
pub(crate) const LETTERS_MAX: usize = 600;
/// Words of a name that are looked at.
pub(crate) const WORDS_MAX: usize = 32;

/// Cuts at everything that is no letter, digit or apostrophe, and where a small letter is followed by a capital.
pub(super) fn words(name: &str) -> Vec<String> {
    let mut cutter = Cutter::default();
    for letter in name.nfkc().take(LETTERS_MAX) {
        match letter {
            _ if is_invisible(letter) || is_apostrophe(letter) => {}
            '&' | '＆' => {
                cutter.cut();
                cutter.word.push_str("and");
                cutter.cut();
            }
            'ー' => {}
            letter if letter.is_alphanumeric() || is_mark(letter) => cutter.letter(letter),
            _ => cutter.cut(),
        }
    }
    cutter.cut();
    cutter.words.truncate(WORDS_MAX);
    cutter.words
}

#[derive(Default)]
struct Cutter {
    words: Vec<String>,
    word: String,
    last: Option<char>,
}

impl Cutter {
    fn letter(&mut self, letter: char) {
        // alTikriti is two words, nOze a slip of the finger
        let inside = self.word.chars().nth(1).is_some();
        let camel = inside
            && self.last.is_some_and(|last| {
                last.is_lowercase() && letter.is_uppercase() && Script::of(last) == Script::of(letter)
            });
        if camel {
            self.cut();
        }
        self.word.push(letter);
        self.last = Some(letter);
    }

    fn cut(&mut self) {
        if !self.word.is_empty() {
            self.words.push(unmask(&std::mem::take(&mut self.word)));
        }
        self.last = None;
    }
}

/// Controls, direction marks, joiners: they are not part of a name.
fn is_invisible(letter: char) -> bool {
    letter.is_control() && !letter.is_whitespace()
        || matches!(letter, '\u{00AD}' | '\u{061C}' | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{2064}' | '\u{2066}'..='\u{206F}' | '\u{FEFF}')
        || matches!(letter, '\u{FE00}'..='\u{FE0F}')
}

fn is_apostrophe(letter: char) -> bool {
    matches!(
        letter,
        '\'' | '`' | '´' | '\u{2018}' | '\u{2019}' | '\u{201B}' | '\u{2032}' | '\u{02B9}'
            ..='\u{02BF}' | '\u{02C8}' | '\u{02CA}' | '\u{02CB}' | '\u{05F3}'
    )
}

/// Vowel signs that follow their letter.
fn is_mark(letter: char) -> bool {
    matches!(letter, '\u{0300}'..='\u{036F}' | '\u{0591}'..='\u{05C7}' | '\u{0610}'..='\u{061A}' | '\u{064B}'..='\u{065F}' | '\u{0670}')
        || Script::of(letter) == Script::Abugida
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(name: &str) -> Vec<String> {
        words(name)
    }

    #[test]
    fn names_are_cut_at_all_that_is_no_letter() {
        assert_eq!(cut("AL-TIKRITI, Walid"), ["AL", "TIKRITI", "Walid"]);
        assert_eq!(cut("Sa'Id Ba\u{2019}Aysir"), ["Sa", "Id", "Ba", "Aysir"]);
        assert_eq!(cut("V.V. Putin"), ["V", "V", "Putin"]);
        assert_eq!(cut("alTikriti"), ["al", "Tikriti"]);
        assert_eq!(cut("\u{202E}Ivan\u{200B}ov\u{0}"), ["Ivanov"]);
        assert_eq!(cut("!!! \u{1F600} ..."), Vec::<String>::new());
        assert_eq!(cut("Smith & Sons"), ["Smith", "and", "Sons"]);
    }

    #[test]
    fn endless_names_end() {
        assert_eq!(words(&"a ".repeat(10_000)).len(), WORDS_MAX);
        assert_eq!(words(&"a".repeat(10_000)).len(), 1);
    }
}
