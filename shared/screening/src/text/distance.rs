//! How far two words are apart, in edits: an edit that people make when they write a name by ear costs less than one.

use super::sound::is_vowel;

/// The longest word that is compared letter by letter; what is longer is cut.
const SOUNDS_MAX: usize = 40;

/// How the left word was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Writing {
    /// All sounds are there.
    Full,
    /// Short vowels are left out: Arabic, Hebrew, Indic.
    WithoutVowels,
}

/// The cost of the cheapest way from `left` to `right` in edits, or `None` if it is above `limit`.
pub(crate) fn distance(left: &[u8], right: &[u8], writing: Writing, limit: f32) -> Option<f32> {
    let left = left.get(..SOUNDS_MAX).unwrap_or(left);
    let right = right.get(..SOUNDS_MAX).unwrap_or(right);
    if left == right {
        return Some(0.0);
    }
    let mut before_last = [f32::MAX; SOUNDS_MAX + 1];
    let mut last = [f32::MAX; SOUNDS_MAX + 1];
    let mut row = [f32::MAX; SOUNDS_MAX + 1];
    last[0] = 0.0;
    for (j, code) in right.iter().enumerate() {
        last[j + 1] = last[j] + insertion(*code, j, right, writing);
    }
    for (i, code) in left.iter().enumerate() {
        row[0] = last[0] + deletion(*code, i, left, writing);
        let mut best = row[0];
        for (j, other) in right.iter().enumerate() {
            let mut cost = last[j] + substitution(*code, *other, writing);
            cost = cost.min(last[j + 1] + deletion(*code, i, left, writing));
            cost = cost.min(row[j] + insertion(*other, j, right, writing));
            if i > 0 && j > 0 {
                cost = cost.min(pairwise(left[i - 1], *code, right[j - 1], *other, before_last[j - 1]));
                if right[j - 1] == b'r' && *other == b'n' && *code == b'm' {
                    cost = cost.min(last[j - 1] + MISREAD);
                }
            }
            if i > 0 && left[i - 1] == b'r' && *code == b'n' && *other == b'm' {
                cost = cost.min(before_last[j] + MISREAD);
            }
            row[j + 1] = cost;
            best = best.min(cost);
        }
        if best > limit {
            return None;
        }
        before_last = last;
        last = row;
    }
    Some(last[right.len()]).filter(|cost| *cost <= limit)
}

/// A scanner's `rn` for `m`.
const MISREAD: f32 = 0.5;
/// Two neighbours in the wrong order.
const TRANSPOSITION: f32 = 0.7;

fn pairwise(before: u8, code: u8, other_before: u8, other: u8, base: f32) -> f32 {
    if before == other && code == other_before { base + TRANSPOSITION } else { f32::MAX }
}

fn insertion(code: u8, at: usize, word: &[u8], writing: Writing) -> f32 {
    if writing == Writing::WithoutVowels {
        return match code {
            b'a' | b'e' | b'i' | b'o' | b'u' => 0.04,
            b'h' | b'y' | b'w' => 0.25,
            _ => 1.0,
        };
    }
    gap(code, at, word)
}

fn deletion(code: u8, at: usize, word: &[u8], writing: Writing) -> f32 {
    if writing == Writing::WithoutVowels {
        return match code {
            b'a' | b'e' | b'i' | b'o' | b'u' => 0.15,
            b'h' if at + 1 == word.len() => 0.1,
            b'h' | b'y' | b'w' => 0.35,
            _ => 1.0,
        };
    }
    gap(code, at, word)
}

/// A sound that only one of the two has.
fn gap(code: u8, at: usize, word: &[u8]) -> f32 {
    let beside_vowel = word.get(at + 1).is_some_and(|next| is_vowel(*next) || *next == b'y')
        || at.checked_sub(1).and_then(|before| word.get(before)).is_some_and(|last| is_vowel(*last) || *last == b'y');
    match code {
        b'a' | b'e' | b'i' | b'o' | b'u' | b'y' if beside_vowel => 0.2,
        b'a' | b'e' | b'i' | b'o' | b'u' => 0.4,
        b'y' | b'j' | b'w' => 0.4,
        b'h' => 0.25,
        _ => 0.9,
    }
}

/// One sound for another.
fn substitution(code: u8, other: u8, writing: Writing) -> f32 {
    if code == other {
        return 0.0;
    }
    if writing == Writing::WithoutVowels {
        if let Some(cost) = unwritten(code, other) {
            return cost;
        }
    }
    let (low, high) = if code < other { (code, other) } else { (other, code) };
    let sounds_alike = match (low, high) {
        // sorted by byte: capitals before small letters
        (b'e', b'i') | (b'o', b'u') => 0.2,
        (b'a', b'e') | (b'a', b'o') => 0.3,
        (low, high) if is_vowel(low) && is_vowel(high) => 0.4,
        (b'i', b'y') => 0.1,
        (b'i', b'j') | (b'e', b'y') => 0.2,
        (b'j', b'y') => 0.1,
        (b'u', b'w') | (b'o', b'w') | (b'u', b'v') => 0.25,
        (b'J', b'j') => 0.05,
        (b'Z', b'j') | (b'J', b'Z') => 0.15,
        (b'C', b'J') | (b'C', b'j') | (b'J', b'y') => 0.4,
        (b'J', b'g') | (b'g', b'j') => 0.35,
        (b'C', b'S') => 0.3,
        (b'C', b'x') | (b'C', b'k') | (b'C', b'h') => 0.3,
        (b'S', b's') => 0.35,
        (b'C', b'c') => 0.2,
        (b'S', b'c') | (b'C', b's') => 0.4,
        (b'S', b'Z') => 0.4,
        (b'Z', b'z') => 0.3,
        (b'J', b'z') => 0.4,
        (b'c', b'k') => 0.1,
        (b'c', b's') | (b'c', b'z') => 0.2,
        (b's', b'z') => 0.25,
        (b'k', b'q') => 0.05,
        (b'g', b'q') | (b'k', b'x') | (b'q', b'x') => 0.25,
        (b'h', b'x') => 0.15,
        (b'g', b'h') | (b'g', b'x') => 0.35,
        (b'g', b'k') => 0.4,
        (b'h', b'j') | (b'j', b'x') => 0.45,
        (b'X', b'x') | (b'X', b'h') => 0.35,
        (b'S', b'X') => 0.1,
        (b'X', b's') => 0.2,
        (b'C', b'X') | (b'X', b'k') | (b'X', b'c') => 0.4,
        (b'v', b'w') => 0.1,
        (b'f', b'v') => 0.25,
        (b'b', b'v') => 0.35,
        (b'b', b'p') => 0.4,
        (b'f', b'p') => 0.5,
        (b'T', b't') => 0.1,
        (b'T', b's') | (b'T', b'd') => 0.3,
        (b'd', b't') => 0.4,
        (b'd', b'z') => 0.35,
        (b'l', b'r') => 0.6,
        (b'm', b'n') => 0.6,
        (b'i', b'l') | (b'c', b'e') | (b'n', b'u') | (b'b', b'h') => 0.6,
        _ => 1.0,
    };
    sounds_alike
}

/// What a letter of a script without vowels may stand for.
fn unwritten(code: u8, other: u8) -> Option<f32> {
    match (code, other) {
        (b'w', b'u' | b'o') | (b'y', b'i' | b'e') => Some(0.03),
        (b'w', b'v') | (b'v', b'w' | b'u' | b'o') => Some(0.08),
        (b'a' | b'e' | b'i' | b'o' | b'u', other) if is_vowel(other) => Some(0.1),
        (b'y', b'a') | (b'w', b'a') => Some(0.3),
        (b'h', b'a' | b'e') => Some(0.1),
        (b'h', b't') => Some(0.3),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::sound::sounds;
    use super::*;

    fn between(left: &str, right: &str) -> f32 {
        distance(&sounds(left), &sounds(right), Writing::Full, 9.0).unwrap()
    }

    #[test]
    fn spelling_by_ear_is_nearer_than_a_typing_error() {
        for (left, right) in [("mohammed", "muhammad"), ("yevgeny", "evgenii"), ("jewgenij", "yevgeniy"), ("hussein", "husayn"), ("wladimir", "vladimir")] {
            assert!(between(left, right) < 0.75, "{left} {right} {}", between(left, right));
        }
        for (left, right) in [("ivanov", "ivanof"), ("petrov", "petkov"), ("kim", "lim")] {
            assert!(between(left, right) >= 0.25, "{left} {right} {}", between(left, right));
        }
        assert!(between("petrov", "petkov") >= 0.9);
    }

    #[test]
    fn unwritten_vowels_are_nearly_free() {
        let cost = distance(b"mhmd", &sounds("muhammad"), Writing::WithoutVowels, 9.0).unwrap();
        assert!(cost < 0.2, "{cost}");
    }

    #[test]
    fn the_limit_ends_the_comparison() {
        assert_eq!(distance(b"abc", b"xyzuvw", Writing::Full, 1.0), None);
        assert_eq!(distance(b"", b"", Writing::Full, 0.0), Some(0.0));
    }
}
