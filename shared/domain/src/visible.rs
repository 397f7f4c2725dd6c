//! What can be seen of a text: two texts that look the same to everybody are the same when they are compared or keyed.

use std::borrow::Cow;

/// The text without the characters that show nothing, wherever they stand: zero-width spaces and joiners, soft hyphens, direction marks,
/// variation selectors, byte-order marks, Hangul fillers, tags. People paste them without knowing. White space and controls stay: whoever
/// reads the text refuses or trims them.
///
/// For addresses, codes and references. A name is kept as it was given, for joiners are a part of how some scripts are written.
pub fn visible(text: &str) -> Cow<'_, str> {
    if text.is_ascii() || !text.contains(is_invisible) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.chars().filter(|letter| !is_invisible(*letter)).collect())
}

/// What Unicode calls Default_Ignorable_Code_Point, and the annotation marks.
fn is_invisible(letter: char) -> bool {
    matches!(
        letter,
        '\u{00AD}' | '\u{034F}' | '\u{061C}' | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}' | '\u{180B}'..='\u{180F}'
            | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{3164}'
            | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}' | '\u{FFA0}' | '\u{FFF0}'..='\u{FFFB}' | '\u{1BCA0}'..='\u{1BCA3}'
            | '\u{1D173}'..='\u{1D17A}' | '\u{E0000}'..='\u{E0FFF}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_shows_nothing_is_left_out_wherever_it_stands() {
        for hidden in [
            '\u{200B}',
            '\u{200C}',
            '\u{200D}',
            '\u{2060}',
            '\u{00AD}',
            '\u{200E}',
            '\u{202E}',
            '\u{2066}',
            '\u{FE0F}',
            '\u{FEFF}',
            '\u{3164}',
            '\u{115F}',
            '\u{FFA0}',
            '\u{034F}',
            '\u{061C}',
            '\u{180E}',
            '\u{E0041}',
            '\u{E0100}',
        ] {
            for text in [format!("{hidden}PA-7"), format!("P{hidden}A-7"), format!("PA-7{hidden}{hidden}")] {
                assert_eq!(visible(&text), "PA-7", "{hidden:?}");
            }
        }
        for text in ["", "PA-7", " José 1\t", "Иван", "林伟明"] {
            assert!(matches!(visible(text), Cow::Borrowed(same) if same == text), "{text}");
        }
    }
}
