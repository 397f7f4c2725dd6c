//! Arabic letters, as Arabs, Persians, Pakistanis and Afghans use them: consonants and long vowels, the short ones are not written.

use super::distance::Writing;
use super::romanise::{Romanised, distinct};

/// The fewest letters after the article for it to be one: `الله` and short names keep theirs.
const AFTER_ARTICLE_MIN: usize = 3;

/// One word, or the article and the word.
pub(super) fn romanise(word: &str) -> Vec<Vec<Romanised>> {
    let letters: Vec<char> = word.chars().filter(|c| !is_mark(*c)).collect();
    match letters.as_slice() {
        ['ا' | 'ٱ' | 'أ', 'ل', rest @ ..] if rest.len() >= AFTER_ARTICLE_MIN => {
            vec![vec![Romanised::full("al")], readings(rest)]
        }
        all => vec![readings(all)],
    }
}

/// As Arabs read it, and if a letter differs, as Persians and Pakistanis do, and as Egyptians do.
fn readings(letters: &[char]) -> Vec<Romanised> {
    let read = |other: fn(char) -> Option<&'static str>| -> String {
        letters.iter().map(|letter| other(*letter).unwrap_or_else(|| latin(*letter))).collect()
    };
    distinct([read(|_| None), read(persian), read(|letter| (letter == 'ج').then_some("g"))], Writing::WithoutVowels)
}

fn persian(letter: char) -> Option<&'static str> {
    match letter {
        'ض' | 'ذ' => Some("z"),
        'ث' => Some("s"),
        'و' => Some("v"),
        _ => None,
    }
}

/// Signs above and below the letters, and the stretching line.
fn is_mark(letter: char) -> bool {
    matches!(letter, '\u{0610}'..='\u{061A}' | '\u{0640}' | '\u{064B}'..='\u{065F}' | '\u{0670}' | '\u{06D6}'..='\u{06ED}')
}

fn latin(letter: char) -> &'static str {
    match letter {
        'ا' | 'أ' | 'آ' | 'ٱ' | 'إ' | 'ى' | 'ع' => "a",
        'ب' => "b",
        'پ' => "p",
        'ت' | 'ط' | 'ٹ' | 'ټ' => "t",
        'ث' => "th",
        'ج' => "j",
        'چ' => "ch",
        'ح' | 'ه' | 'ہ' | 'ھ' | 'ة' | 'ە' | 'ۀ' => "h",
        'خ' | 'ځ' => "kh",
        'د' | 'ض' | 'ڈ' | 'ډ' => "d",
        'ذ' => "dh",
        'ر' | 'ڑ' | 'ړ' => "r",
        'ز' | 'ظ' => "z",
        'ژ' | 'ږ' => "zh",
        'س' | 'ص' | 'څ' => "s",
        'ش' | 'ښ' => "sh",
        'غ' => "gh",
        'ف' | 'ڤ' => "f",
        'ق' => "q",
        'ك' | 'ک' | 'ګ' => "k",
        'گ' => "g",
        'ل' => "l",
        'م' => "m",
        'ن' | 'ں' | 'ڼ' => "n",
        'و' | 'ؤ' | 'ۆ' | 'ۇ' => "w",
        'ي' | 'ی' | 'ې' | 'ے' | 'ئ' | 'ۍ' => "y",
        '٠' | '۰' => "0",
        '١' | '۱' => "1",
        '٢' | '۲' => "2",
        '٣' | '۳' => "3",
        '٤' | '۴' => "4",
        '٥' | '۵' => "5",
        '٦' | '۶' => "6",
        '٧' | '۷' => "7",
        '٨' | '۸' => "8",
        '٩' | '۹' => "9",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_article_is_a_word_of_its_own() {
        let read = |word| romanise(word).into_iter().map(|mut r| r.remove(0).letters).collect::<Vec<_>>();
        assert_eq!(read("الرحمن"), ["al", "rhmn"]);
        assert_eq!(read("مُحَمَّد"), ["mhmd"]);
        assert_eq!(read("علي"), ["aly"]);
        assert_eq!(read("خامنه\u{200C}ای"), ["khamnhay"]);
    }
}
