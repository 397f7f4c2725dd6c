//! A word as sounds: one byte a sound, the same for every way of spelling it in Latin letters that we know of.
//!
//! Codes: `a e i o u` vowels, `y` and `w` between vowel and consonant, `j` undecided (English j or German j), `J` dj, `C` ch, `S` sh,
//! `Z` zh, `T` th, `x` kh, `c` undecided (k, s, ts or ch), `X` undecided (Chinese, Basque, Greek x), everything else its letter.

/// Spellings that are one sound or two, by their first letter: (letters, codes). The longest come first.
fn spellings(first: u8) -> &'static [(&'static [u8], &'static [u8])] {
    match first {
        b's' => &[
            (b"schtsch", b"SC"),
            (b"shtsh", b"SC"),
            (b"stsch", b"SC"),
            (b"shch", b"SC"),
            (b"szcz", b"SC"),
            (b"shh", b"SC"),
            (b"sch", b"S"),
            (b"sh", b"S"),
            (b"sz", b"S"),
        ],
        b'c' => &[(b"chtch", b"SC"), (b"ch", b"C"), (b"ck", b"k"), (b"cz", b"C"), (b"cc", b"k")],
        b't' => &[(b"tsch", b"C"), (b"tch", b"C"), (b"th", b"T"), (b"ts", b"c"), (b"tz", b"c"), (b"tc", b"c")],
        b'd' => &[(b"dsch", b"J"), (b"dzh", b"J"), (b"dsh", b"J"), (b"dh", b"d"), (b"dj", b"J")],
        b'q' => &[(b"que", b"ke"), (b"qui", b"ki")],
        b'k' => &[(b"kh", b"x")],
        b'g' => &[(b"gh", b"g")],
        b'z' => &[(b"zh", b"Z")],
        b'p' => &[(b"ph", b"f")],
        b'b' => &[(b"bh", b"b")],
        b'w' => &[(b"wh", b"w")],
        b'r' => &[(b"rh", b"r")],
        b'o' => &[(b"ou", b"u"), (b"oo", b"u")],
        b'e' => &[(b"ee", b"i")],
        b'i' => &[(b"iy", b"i"), (b"ij", b"i"), (b"ii", b"i")],
        b'y' => &[(b"yi", b"i")],
        b'a' => &[(b"aa", b"a")],
        b'u' => &[(b"uu", b"u")],
        _ => &[],
    }
}

/// The sounds of a word of lower-case ASCII letters and digits.
pub(crate) fn sounds(word: impl AsRef<[u8]>) -> Vec<u8> {
    let letters = word.as_ref();
    let mut codes: Vec<u8> = Vec::with_capacity(letters.len());
    let mut at = 0;
    while let Some(rest) = letters.get(at..).filter(|rest| !rest.is_empty()) {
        let first = rest.first().copied().unwrap_or_default();
        if let Some((spelling, sound)) =
            spellings(first).iter().find(|(spelling, _)| spelling.get(1) == rest.get(1) && rest.starts_with(spelling))
        {
            for code in *sound {
                push(&mut codes, *code);
            }
            at += spelling.len();
            continue;
        }
        match (first, rest.get(1).copied()) {
            (b'x', _) if at > 0 => {
                push(&mut codes, b'k');
                push(&mut codes, b's');
            }
            (b'x', _) => push(&mut codes, b'X'),
            (b'j', next) if codes.last().is_some_and(|last| is_vowel(*last)) && !next.is_some_and(is_vowel) => {
                push(&mut codes, b'y')
            }
            (letter, _) => push(&mut codes, letter),
        }
        at += 1;
    }
    codes
}

/// Doubled sounds count once.
fn push(codes: &mut Vec<u8>, code: u8) {
    if codes.last() != Some(&code) || code.is_ascii_digit() {
        codes.push(code);
    }
}

/// Whether the code is a full vowel.
pub(crate) fn is_vowel(code: u8) -> bool {
    matches!(code, b'a' | b'e' | b'i' | b'o' | b'u')
}

/// The consonants of a word in broad classes: what stays when a name is written by ear. Short words keep little.
pub(crate) fn skeleton(codes: &[u8]) -> Vec<u8> {
    let mut classes: Vec<u8> = Vec::with_capacity(codes.len());
    for (at, code) in codes.iter().enumerate() {
        let class = match code {
            b'b' | b'p' => b'B',
            b'f' | b'v' => b'F',
            b'd' | b't' | b'T' => b'D',
            b'g' | b'k' | b'q' | b'x' => b'K',
            b'c' if matches!(codes.get(at + 1), Some(b'e' | b'i' | b'y') | None) => b'S',
            b'c' => b'K',
            b's' | b'z' | b'S' | b'Z' | b'C' | b'J' | b'X' => b'S',
            b'l' | b'm' | b'n' | b'r' => *code,
            digit if digit.is_ascii_digit() => *digit,
            _ => continue,
        };
        if classes.last() != Some(&class) {
            classes.push(class);
        }
    }
    classes
}

/// Where `j` or `w` is undecided, the skeleton of the other reading: a consonant instead of a vowel.
pub(crate) fn other_skeleton(codes: &[u8]) -> Option<Vec<u8>> {
    let consonants = |code: &u8| match code {
        b'j' => b'J',
        b'w' => b'v',
        other => *other,
    };
    let other: Vec<u8> = codes.iter().map(consonants).collect();
    (other != codes).then(|| skeleton(&other))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn same(left: &str, right: &str) {
        assert_eq!(skeleton(&sounds(left)), skeleton(&sounds(right)), "{left} {right}");
    }

    #[test]
    fn spellings_of_one_name_share_the_skeleton() {
        same("mohammed", "muhamad");
        same("shcherbakov", "schtscherbakow".replace('w', "v").as_str());
        same("qadhafi", "kadafi");
        same("yusuf", "yousouf");
        same("chaikovskiy", "tschaikovskij");
    }

    #[test]
    fn double_letters_count_once_and_digits_do_not() {
        assert_eq!(sounds("anna"), b"ana");
        assert_eq!(sounds("77"), b"77");
        assert_eq!(sounds(""), b"");
    }
}
