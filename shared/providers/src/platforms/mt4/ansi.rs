//! The server's letters: an ANSI code page with a byte a character. What it has no letter for is a question mark, as the terminal shows it.

/// A code page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CodePage {
    /// Western Europe.
    Windows1252,
    /// Cyrillic.
    Windows1251,
}

/// 0x80 to 0x9F; `\0` where nothing is.
const WESTERN: &str = "€\0‚ƒ„…†‡ˆ‰Š‹Œ\0Ž\0\0‘’“”•–—˜™š›œ\0žŸ";
/// 0x80 to 0xBF.
const CYRILLIC: &str = "ЂЃ‚ѓ„…†‡€‰Љ‹ЊЌЋЏђ‘’“”•–—\0™љ›њќћџ\u{a0}ЎўЈ¤Ґ¦§Ё©Є«¬\u{ad}®Ї°±Ііґµ¶·ё№є»јЅѕї";
const HIGH: u8 = 0x80;
/// Where the Cyrillic alphabet begins, in the page and in Unicode.
const ALPHABET: (u8, u32) = (0xC0, 0x410);

impl CodePage {
    /// Where the rules say nothing.
    pub const DEFAULT: Self = Self::Windows1252;

    /// As rules write it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Windows1252 => "windows-1252",
            Self::Windows1251 => "windows-1251",
        }
    }

    /// The page of a name.
    pub fn by_name(name: &str) -> Option<Self> {
        [Self::Windows1252, Self::Windows1251].into_iter().find(|page| page.name() == name)
    }

    /// A text in these letters.
    pub(super) fn encode(self, text: &str) -> Vec<u8> {
        text.chars().map(|letter| self.byte(letter).unwrap_or(b'?')).collect()
    }

    /// Whether any letter of a text is in the page.
    pub(super) fn has_some(self, text: &str) -> bool {
        text.chars().any(|letter| letter.is_alphanumeric() && self.byte(letter).is_some())
    }

    /// Whether every letter of a text is in the page.
    pub(super) fn has_all(self, text: &str) -> bool {
        text.chars().all(|letter| self.byte(letter).is_some())
    }

    fn byte(self, letter: char) -> Option<u8> {
        if letter.is_ascii() {
            return u8::try_from(letter).ok();
        }
        let listed = |table: &str| {
            let at = table.chars().position(|other| other == letter)?;
            u8::try_from(at).ok()?.checked_add(HIGH)
        };
        match self {
            // the rest of the page is as Unicode numbers it
            Self::Windows1252 => listed(WESTERN).or_else(|| u8::try_from(letter).ok().filter(|byte| *byte >= 0xA0)),
            Self::Windows1251 => listed(CYRILLIC).or_else(|| {
                let at = u32::from(letter).checked_sub(ALPHABET.1)?;
                u8::try_from(at).ok()?.checked_add(ALPHABET.0)
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_page_has_its_letters_and_a_question_mark_for_others() {
        for (page, text, bytes) in [
            (CodePage::Windows1252, "Zoë Müller €", b"Zo\xEB M\xFCller \x80".as_slice()),
            (CodePage::Windows1252, "Иван", b"????"),
            (CodePage::Windows1251, "Иван Ёлкин №я", b"\xC8\xE2\xE0\xED \xA8\xEB\xEA\xE8\xED \xB9\xFF"),
            (CodePage::Windows1251, "محمد A", b"???? A"),
        ] {
            assert_eq!(page.encode(text), bytes, "{text}");
        }
        assert!(CodePage::Windows1252.has_some("李 Lee"));
        assert!(!CodePage::Windows1252.has_some("محمد -"));
        assert!(CodePage::Windows1252.has_all("zoë@example.com") && !CodePage::Windows1251.has_all("zoë@example.com"));
        assert_eq!(WESTERN.chars().count(), 32);
        assert_eq!(CYRILLIC.chars().count(), 64);
        assert_eq!(CodePage::by_name("windows-1251"), Some(CodePage::Windows1251));
        assert_eq!(CodePage::by_name("utf-8"), None);
    }
}
