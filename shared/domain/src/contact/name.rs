//! Names in messages: whoever fills in a form writes into our mail what they call themselves, so only what can be a name goes in.

/// Longest first name that is spoken to, in characters.
const FIRST_NAME_MAX: usize = 40;

/// The first name to speak to somebody by, if what was given can be one: letters, marks, apostrophes, hyphens and dots, and
/// nothing that a mail program makes a link of.
pub fn first_name(full_name: &str) -> Option<&str> {
    let first = full_name.split_whitespace().next()?;
    let short = first.chars().count() <= FIRST_NAME_MAX;
    let spoken = first.chars().all(is_of_a_name) && first.chars().any(char::is_alphabetic);
    (short && spoken && ends_of_inner_dots(first).next().is_none()).then_some(first)
}

/// A text in which programs find no link, and people still read all of it: a blank stands where one would be whole.
pub fn unlinked(text: &str) -> String {
    let mut made = String::with_capacity(text.len());
    let mut from = 0;
    for end in ends_of_inner_dots(text) {
        made.push_str(text.get(from..end).unwrap_or_default());
        made.push(' ');
        from = end;
    }
    made.push_str(text.get(from..).unwrap_or_default());
    made.replace("://", ": //")
}

/// Where dots end that a domain would go on after: a domain ends in a dot and two letters or more, an initial is one letter.
fn ends_of_inner_dots(text: &str) -> impl Iterator<Item = usize> {
    text.match_indices(DOTS).filter_map(|(at, dot)| {
        let end = at.saturating_add(dot.len());
        let before = text.get(..at)?.chars().next_back()?;
        let after = text.get(end..)?.chars().take_while(|c| c.is_alphanumeric() || is_mark(*c)).count();
        (!before.is_whitespace() && after > 1).then_some(end)
    })
}

/// What browsers take for the dot of a domain.
const DOTS: [char; 4] = ['.', '\u{3002}', '\u{ff0e}', '\u{ff61}'];

fn is_of_a_name(c: char) -> bool {
    c.is_alphabetic() || is_mark(c) || matches!(c, '\'' | '’' | 'ʼ' | '-' | '‐' | '.')
}

/// Marks over, under and between letters that are no letters themselves, and the joiners that some scripts are written with.
fn is_mark(c: char) -> bool {
    matches!(u32::from(c),
        0x300..=0x36f | 0x483..=0x487 | 0x591..=0x5bd | 0x5bf | 0x5c1..=0x5c2 | 0x5c4..=0x5c5 | 0x5c7 | 0x610..=0x61a
        | 0x64b..=0x65f | 0x670 | 0x6d6..=0x6dc | 0x6df..=0x6e4 | 0x6e7..=0x6e8 | 0x6ea..=0x6ed | 0x711 | 0x730..=0x74a
        | 0x951..=0x954 | 0xdca | 0xe47..=0xe4e | 0xec8..=0xece | 0xf35 | 0xf37 | 0xf39 | 0xf71..=0xf84 | 0x1037
        | 0x1039..=0x103a | 0x17c9..=0x17d3 | 0x17dd | 0x1ab0..=0x1aff | 0x1dc0..=0x1dff | 0x200c..=0x200d
        | 0x20d0..=0x20f0 | 0x302a..=0x302f | 0x3099..=0x309a | 0xfe20..=0xfe2f)
        || is_indic_sign(u32::from(c))
}

/// The blocks of India's scripts are laid out alike: the dot below a letter and the sign that takes its vowel away.
const fn is_indic_sign(code: u32) -> bool {
    matches!(code, 0x900..=0xd7f) && matches!(code % 0x80, 0x3c | 0x4d)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_people_are_spoken() {
        for (full, first) in [
            ("Ana López", "Ana"),
            ("O’Neill Sean", "O’Neill"),
            ("O'Neill Sean", "O'Neill"),
            ("Jean-Luc Picard", "Jean-Luc"),
            ("Dr. Weber", "Dr."),
            ("J.R. Smith", "J.R."),
            ("Zoe\u{308} Probe", "Zoe\u{308}"),
            ("प्रिया शर्मा", "प्रिया"),
            ("கார்த்திக் மணி", "கார்த்திக்"),
            ("มณี ใจดี", "มณี"),
            ("مُحَمَّد علي", "مُحَمَّد"),
            ("علی\u{200c}رضا کریمی", "علی\u{200c}رضا"),
            ("測試員", "測試員"),
            ("Алёна Пробова", "Алёна"),
            ("  Ana", "Ana"),
        ] {
            assert_eq!(first_name(full), Some(first), "{full}");
        }
    }

    #[test]
    fn what_a_stranger_wants_to_say_is_no_name() {
        for text in [
            "",
            "  ",
            "...",
            "https://evil.example/login",
            "www.evil.example Ana",
            "evil.example/unlock",
            "evil.example",
            "evil.co",
            "t.co",
            "EVIL.COM",
            "evil。com",
            "evil．com",
            "𝐞𝐯𝐢𝐥.𝐜𝐨𝐦",
            "ana@evil.example",
            "tel:+34803123456",
            "803123456",
            "<b>Ana</b>",
            "Ana\u{202e}moc",
            "{{brand}}",
            "Ana!",
            "💰",
        ] {
            assert_eq!(first_name(text), None, "{text}");
        }
        assert_eq!(first_name(&"a".repeat(FIRST_NAME_MAX)), Some("a".repeat(FIRST_NAME_MAX).as_str()));
        assert_eq!(first_name(&"a".repeat(FIRST_NAME_MAX + 1)), None);
    }

    #[test]
    fn a_link_is_none_any_more_and_can_be_read() {
        for (link, text) in [
            ("see evil.example", "see evil. example"),
            ("https://evil.example/login", "https: //evil. example/login"),
            ("www.x.yz", "www.x. yz"),
            ("ana@evil。com", "ana@evil。 com"),
        ] {
            assert_eq!(unlinked(link), text);
        }
        for name in ["Ana López", "Lead 7", "J. R. Smith", "J.R. Smith", "Dr. Ana Weber Jr.", "Ana 2."] {
            assert_eq!(unlinked(name), name);
        }
    }
}
