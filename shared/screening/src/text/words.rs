//! A written name cut into words.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use super::script::{Script, unmask};

/// Letters of a name that are looked at; no name of the lists is a third as long.
pub(crate) const LETTERS_MAX: usize = 600;
/// Words of a name that are looked at.
pub(crate) const WORDS_MAX: usize = 32;

/// Cuts at everything that is no letter, digit or apostrophe, and where a small letter is followed by a capital.
pub(super) fn words(name: &str) -> Vec<String> {
    let mut words = all_words(name);
    words.truncate(WORDS_MAX);
    words
}

/// Whether a name is so long that not all of it is looked at.
pub(crate) fn is_cut(name: &str) -> bool {
    name.len() > WORDS_MAX && (written(name).nth(LETTERS_MAX).is_some() || all_words(name).len() > WORDS_MAX)
}

/// What can be seen of a name: nobody gets past the end of what is looked at by signs that show nothing.
fn written(name: &str) -> impl Iterator<Item = char> {
    name.nfkc().filter(|letter| !is_invisible(*letter) && !is_ornament(*letter))
}

fn all_words(name: &str) -> Vec<String> {
    let mut cutter = Cutter::default();
    for letter in written(name).take(LETTERS_MAX) {
        match letter {
            _ if is_apostrophe(letter) => {}
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

/// Controls, and all that Unicode calls Default_Ignorable_Code_Point: direction marks, joiners, selectors, fillers, tags.
fn is_invisible(letter: char) -> bool {
    letter.is_control() && !letter.is_whitespace()
        || matches!(
            letter,
            '\u{00AD}' | '\u{034F}' | '\u{061C}' | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}' | '\u{180B}'
                ..='\u{180F}' | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'
                ..='\u{206F}' | '\u{3164}' | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}' | '\u{FFA0}' | '\u{FFF0}'
                ..='\u{FFFB}' | '\u{1BCA0}'..='\u{1BCA3}' | '\u{1D173}'..='\u{1D17A}' | '\u{E0000}'..='\u{E0FFF}'
        )
}

/// Marks that adorn a letter and belong to no script's spelling: circles, small letters above, half marks.
fn is_ornament(letter: char) -> bool {
    matches!(letter, '\u{0483}'..='\u{0489}' | '\u{1AB0}'..='\u{1AFF}' | '\u{1DC0}'..='\u{1DFF}' | '\u{20D0}'..='\u{20FF}' | '\u{2DE0}'..='\u{2DFF}' | '\u{FE20}'..='\u{FE2F}')
        || is_combining_mark(letter) && !letter.is_alphanumeric() && !is_mark(letter)
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
    fn what_cannot_be_seen_or_only_adorns_cuts_no_word() {
        for sign in [
            '\u{00AD}',
            '\u{034F}',
            '\u{115F}',
            '\u{180B}',
            '\u{180F}',
            '\u{200B}',
            '\u{2065}',
            '\u{3164}',
            '\u{FE0F}',
            '\u{FFF0}',
            '\u{FFFB}',
            '\u{E0001}',
            '\u{E0FFF}',
            '\u{0483}',
            '\u{0489}',
            '\u{1DC4}',
            '\u{1DE7}',
            '\u{20DD}',
            '\u{2DE0}',
            '\u{FE20}',
            '\u{1AB0}',
            '\u{A66F}',
        ] {
            assert_eq!(cut(&format!("Iv{sign}an Petrov")), ["Ivan", "Petrov"], "{sign:?}");
        }
    }

    #[test]
    fn a_name_is_cut_by_what_can_be_seen_of_it() {
        let hidden = format!("{}Ivan Petrov", "\u{200B}".repeat(LETTERS_MAX));
        assert_eq!((cut(&hidden), is_cut(&hidden)), (vec!["Ivan".to_owned(), "Petrov".to_owned()], false));
        assert!(is_cut(&"x".repeat(LETTERS_MAX + 1)) && !is_cut(&"x".repeat(LETTERS_MAX)));
        assert!(is_cut(&"a ".repeat(WORDS_MAX + 1)) && !is_cut(&"a ".repeat(WORDS_MAX)));
    }

    #[test]
    fn endless_names_end() {
        assert_eq!(words(&"a ".repeat(10_000)).len(), WORDS_MAX);
        assert_eq!(words(&"a".repeat(10_000)).len(), 1);
    }
}
