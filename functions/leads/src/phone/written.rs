//! What people write where a telephone number is asked for: digits of any script, brackets, words around the number,
//! extensions, letters as on a keypad, two numbers.

use domain::contact::decimal_digit;

/// Longest extension, in digits.
const EXTENSION_MAX: usize = 7;
/// A number has at least so many digits before its extension.
const BEFORE_EXTENSION_MIN: usize = 6;
/// Letters and digits that a number in keypad letters has at least: `0800 PIZZA`, but not `12. March`.
const KEYPAD_LETTERS_MIN: usize = 3;
const KEYPAD_DIGITS_BEFORE_MIN: usize = 3;
/// What stands before an extension, the longer words first.
const EXTENSION_WORDS: &[&str] = &[
    ";ext=",
    "extension",
    "extensión",
    "durchwahl",
    "interno",
    "anexo",
    "ramal",
    "poste",
    "extn",
    "ext",
    "int",
    "доб",
    "内线",
    "內線",
    "分机",
    "分機",
    "داخلي",
    ",,",
    "x",
    "#",
];
/// What stands between two numbers.
const BETWEEN: &[&str] = &["/", ",", ";", "|", "\n", " or ", " o ", " ou ", " y ", " und ", " oder ", " and ", "&"];

/// One way to read a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Written {
    /// Whether a plus stands before the digits.
    pub plus: bool,
    /// The digits.
    pub digits: String,
    /// Whether the text says more than the digits: an extension, letters, another number.
    pub says_more: bool,
    /// Whether there were letters, left out or taken for digits, so that only a number that is listed is believed.
    pub guessed: bool,
}

/// The ways to read a text, the likeliest first. None, if nothing in it can be a number.
pub(super) fn readings(text: &str) -> Vec<Written> {
    let text = plain(text);
    let mut readings = Vec::new();
    let parts = BETWEEN.iter().flat_map(|between| text.split(between).filter(|part| part.len() < text.len()));
    for (part, more) in std::iter::once((text.as_str(), false)).chain(parts.map(|part| (part, true))) {
        let (number, extension) = without_extension(part);
        let says_more = more || extension;
        readings.extend(digits_only(number, says_more));
        readings.extend(on_keypad(number));
    }
    readings
}

/// Whether a text has letters, whatever they say.
pub(super) fn has_letters(text: &str) -> bool {
    plain(text).chars().any(char::is_alphabetic)
}

/// The text in ASCII as far as its digits and signs go, without what cannot be seen.
fn plain(text: &str) -> String {
    let seen = |c: &char| !matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}');
    let ascii = |c: char| match (decimal_digit(c), u32::from(c)) {
        (Some(digit), _) => digit,
        // the full-width forms of ASCII
        (None, code @ 0xff01..=0xff5e) => char::from_u32(code - 0xfee0).unwrap_or(c),
        (None, _) if c.is_whitespace() && c != '\n' => ' ',
        _ => c,
    };
    text.trim().chars().filter(seen).map(ascii).collect()
}

/// The text before an extension, and whether there is one.
fn without_extension(text: &str) -> (&str, bool) {
    let end = text.trim_end_matches(|c: char| !c.is_alphanumeric());
    let before = end.trim_end_matches(|c: char| c.is_ascii_digit());
    let length = end.len().saturating_sub(before.len());
    if !(1..=EXTENSION_MAX).contains(&length) {
        return (text, false);
    }
    let before = before.trim_end_matches([' ', '.', ':', '=', '-', '(']);
    for word in EXTENSION_WORDS {
        let at = before.char_indices().rev().nth(word.chars().count().saturating_sub(1)).map(|(at, _)| at);
        // `;ext=` lost its last sign above
        let whole = at.and_then(|at| before.get(at..)).is_some_and(|tail| tail.to_lowercase() == *word);
        let (Some(at), true) = (at, whole) else { continue };
        let number = before.get(..at).unwrap_or_default();
        if number.chars().filter(char::is_ascii_digit).count() >= BEFORE_EXTENSION_MIN {
            return (number, true);
        }
    }
    (text, false)
}

/// The digits, without the words around them. A letter that touches a digit may stand for one: such a text is not read so.
fn digits_only(text: &str, says_more: bool) -> Option<Written> {
    let chars: Vec<char> = text.chars().collect();
    let touching = |pair: &[char]| match pair {
        [a, b] => (a.is_alphabetic() && b.is_ascii_digit()) || (a.is_ascii_digit() && b.is_alphabetic()),
        _ => false,
    };
    if chars.windows(2).any(touching) {
        return None;
    }
    let words = chars.iter().any(|c| c.is_alphabetic());
    written(text.chars(), says_more || words, words)
}

/// Letters as on a keypad: `1-800-FLOWERS`. Words before the first digit are no part of it.
fn on_keypad(text: &str) -> Option<Written> {
    let number = text.get(text.find(|c: char| c.is_ascii_digit() || c == '+')?..)?;
    let letters = number.chars().filter(char::is_ascii_alphabetic).count();
    let before = number.chars().take_while(|c| !c.is_alphabetic()).filter(char::is_ascii_digit).count();
    let other = number.chars().any(|c| c.is_alphabetic() && !c.is_ascii_alphabetic());
    if letters < KEYPAD_LETTERS_MIN || before < KEYPAD_DIGITS_BEFORE_MIN || other {
        return None;
    }
    let key = |c: char| match c.to_ascii_uppercase() {
        'A'..='C' => '2',
        'D'..='F' => '3',
        'G'..='I' => '4',
        'J'..='L' => '5',
        'M'..='O' => '6',
        'P'..='S' => '7',
        'T'..='V' => '8',
        'W'..='Z' => '9',
        other => other,
    };
    written(number.chars().map(key), true, true)
}

fn written(chars: impl Iterator<Item = char> + Clone, says_more: bool, guessed: bool) -> Option<Written> {
    let plus = chars.clone().find(|c| c.is_ascii_digit() || *c == '+') == Some('+');
    let digits: String = chars.filter(char::is_ascii_digit).collect();
    (!digits.is_empty()).then_some(Written { plus, digits, says_more, guessed })
}
