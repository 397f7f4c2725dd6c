//! How far two words are apart, in edits: an edit that people make when they write a name by ear costs less than one.

use super::sound::is_vowel;

/// The longest word that is compared sound by sound; what is longer is cut.
const SOUNDS_MAX: usize = 40;

/// How the left word was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Writing {
    /// All sounds are there.
    Full,
    /// Short vowels are left out: Arabic, Hebrew, Indic.
    WithoutVowels,
}

/// Hundredths of an edit.
type Cost = u16;

/// A scanner's `rn` for `m`.
const MISREAD: Cost = 50;
/// Two neighbours in the wrong order.
const TRANSPOSITION: Cost = 70;
/// More than any real distance.
const FAR: Cost = 30_000;

/// The cost of the cheapest way from `left` to `right` in edits, or `None` if it is above `limit`.
pub(crate) fn distance(left: &[u8], right: &[u8], writing: Writing, limit: f32) -> Option<f32> {
    if left == right {
        return Some(0.0);
    }
    let left = left.get(..SOUNDS_MAX).unwrap_or(left);
    let right = right.get(..SOUNDS_MAX).unwrap_or(right);
    let cost = hundredths(left, right, writing, limit)?;
    Some(f32::from(cost) / 100.0)
}

/// Damerau's distance (neighbours may be swapped) with a cost for each pair of sounds.
fn hundredths(left: &[u8], right: &[u8], writing: Writing, limit: f32) -> Option<Cost> {
    let limit = limit * 100.0;
    let costs = match writing {
        Writing::Full => &FULL,
        Writing::WithoutVowels => &WITHOUT_VOWELS,
    };
    let misread = misread_possible(left, right);
    let mut inserted = [0; SOUNDS_MAX];
    let mut rows = [[FAR; SOUNDS_MAX + 1]; 3];
    let [before_last, last, row] = &mut rows;
    let (mut before_last, mut last, mut row) = (before_last, last, row);
    last[0] = 0;
    for (at, cost) in inserted.iter_mut().enumerate().take(right.len()) {
        *cost = insertion(right, at, writing);
        last[at + 1] = last[at] + *cost;
    }
    let mut previous = 0;
    for (i, code) in left.iter().enumerate() {
        let deleted = deletion(left, i, writing);
        let substituted = &costs[usize::from(*code & 0x7F)];
        row[0] = last[0] + deleted;
        let mut best = row[0];
        let mut other_previous = 0;
        for (j, (other, inserted)) in right.iter().zip(&inserted).enumerate() {
            let mut cost = last[j] + Cost::from(substituted[usize::from(*other & 0x7F)]);
            cost = cost.min(last[j + 1] + deleted).min(row[j] + inserted);
            if *code == other_previous && previous == *other && i > 0 {
                cost = cost.min(before_last[j - 1] + TRANSPOSITION);
            }
            if misread {
                if other_previous == b'r' && *other == b'n' && *code == b'm' {
                    cost = cost.min(last[j - 1] + MISREAD);
                }
                if previous == b'r' && *code == b'n' && *other == b'm' {
                    cost = cost.min(before_last[j] + MISREAD);
                }
            }
            row[j + 1] = cost;
            best = best.min(cost);
            other_previous = *other;
        }
        if f32::from(best) > limit {
            return None;
        }
        previous = *code;
        (before_last, last, row) = (last, row, before_last);
    }
    Some(last[right.len()]).filter(|cost| f32::from(*cost) <= limit)
}

/// Whether one word has an `m` where the other may have `rn`.
fn misread_possible(left: &[u8], right: &[u8]) -> bool {
    let has = |word: &[u8]| word.windows(2).any(|pair| pair == b"rn");
    (left.contains(&b'm') && has(right)) || (right.contains(&b'm') && has(left))
}

/// Letters that differ, neighbours that are swapped counting once: what a slip of the finger does.
pub(crate) fn letters_apart(left: &[u8], right: &[u8]) -> u8 {
    if left == right {
        return 0;
    }
    let left = left.get(..SOUNDS_MAX).unwrap_or(left);
    let right = right.get(..SOUNDS_MAX).unwrap_or(right);
    let mut before_last = [0_u8; SOUNDS_MAX + 1];
    let mut last = [0_u8; SOUNDS_MAX + 1];
    let mut row = [0_u8; SOUNDS_MAX + 1];
    for (count, cell) in (0..).zip(&mut last) {
        *cell = count;
    }
    for (i, letter) in left.iter().enumerate() {
        row[0] = last[0] + 1;
        for (j, other) in right.iter().enumerate() {
            let mut cost = (last[j] + u8::from(letter != other)).min(last[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && left[i - 1] == *other && *letter == right[j - 1] {
                cost = cost.min(before_last[j - 1] + 1);
            }
            row[j + 1] = cost;
        }
        (before_last, last, row) = (last, row, before_last);
    }
    last[right.len()]
}

fn insertion(word: &[u8], at: usize, writing: Writing) -> Cost {
    match (writing, word[at]) {
        (Writing::WithoutVowels, b'a' | b'e' | b'i' | b'o' | b'u') => 4,
        (Writing::WithoutVowels, b'h' | b'y' | b'w') => 25,
        (Writing::WithoutVowels, _) => 100,
        (Writing::Full, _) => gap(word, at),
    }
}

fn deletion(word: &[u8], at: usize, writing: Writing) -> Cost {
    match (writing, word[at]) {
        (Writing::WithoutVowels, b'a' | b'e' | b'i' | b'o' | b'u') => 15,
        (Writing::WithoutVowels, b'h') if at + 1 == word.len() => 10,
        (Writing::WithoutVowels, b'h' | b'y' | b'w') => 35,
        (Writing::WithoutVowels, _) => 100,
        (Writing::Full, _) => gap(word, at),
    }
}

/// A sound that only one of the two has.
fn gap(word: &[u8], at: usize) -> Cost {
    let soft = |code: &u8| is_vowel(*code) || *code == b'y';
    let beside_vowel = || {
        word.get(at + 1).is_some_and(soft) || at.checked_sub(1).and_then(|before| word.get(before)).is_some_and(soft)
    };
    match word[at] {
        b'a' | b'e' | b'i' | b'o' | b'u' | b'y' if beside_vowel() => 20,
        b'a' | b'e' | b'i' | b'o' | b'u' | b'y' | b'j' | b'w' => 40,
        b'h' => 25,
        _ => 90,
    }
}

type Costs = [[u8; 128]; 128];

static FULL: Costs = costs(Writing::Full);
static WITHOUT_VOWELS: Costs = costs(Writing::WithoutVowels);

/// The cost of one sound for another, for all pairs.
const fn costs(writing: Writing) -> Costs {
    let mut costs = [[100; 128]; 128];
    let mut code = 0_u8;
    while code < 128 {
        let mut other = 0_u8;
        while other < 128 {
            let cost = match writing {
                _ if code == other => 0,
                Writing::Full => alike(code, other),
                Writing::WithoutVowels => unwritten(code, other),
            };
            place(&mut costs, code, other, cost);
            other += 1;
        }
        code += 1;
    }
    costs
}

#[expect(clippy::as_conversions, reason = "From is not const; a byte always fits")]
const fn place(costs: &mut Costs, code: u8, other: u8, cost: u8) {
    costs[code as usize][other as usize] = cost;
}

const fn vowel(code: u8) -> bool {
    matches!(code, b'a' | b'e' | b'i' | b'o' | b'u')
}

/// Sounds that are written for each other, when everything is written. Capitals sort before small letters.
const fn alike(code: u8, other: u8) -> u8 {
    let (low, high) = if code < other { (code, other) } else { (other, code) };
    match (low, high) {
        (b'J', b'j') | (b'k', b'q') => 5,
        (b'i', b'y') | (b'j', b'y') | (b'c', b'k') | (b'S', b'X') | (b'v', b'w') | (b'T', b't') => 10,
        (b'Z', b'j') | (b'J', b'Z') | (b'h', b'x') => 15,
        (b'e', b'i')
        | (b'o', b'u')
        | (b'i', b'j')
        | (b'e', b'y')
        | (b'C', b'c')
        | (b'c', b's')
        | (b'c', b'z')
        | (b'X', b's') => 20,
        (b'u', b'w')
        | (b'o', b'w')
        | (b'u', b'v')
        | (b's', b'z')
        | (b'g', b'q')
        | (b'k', b'x')
        | (b'q', b'x')
        | (b'f', b'v') => 25,
        (b'a', b'e')
        | (b'a', b'o')
        | (b'C', b'S')
        | (b'C', b'x')
        | (b'C', b'k')
        | (b'C', b'h')
        | (b'Z', b'z')
        | (b'T', b's')
        | (b'T', b'd') => 30,
        (b'J', b'g')
        | (b'g', b'j')
        | (b'S', b's')
        | (b'g', b'h')
        | (b'g', b'x')
        | (b'X', b'x')
        | (b'X', b'h')
        | (b'b', b'v')
        | (b'd', b'z') => 35,
        (b'C', b'J')
        | (b'C', b'j')
        | (b'J', b'y')
        | (b'S', b'c')
        | (b'C', b's')
        | (b'S', b'Z')
        | (b'J', b'z')
        | (b'g', b'k') => 40,
        (b'C', b'X') | (b'X', b'k') | (b'X', b'c') | (b'b', b'p') | (b'd', b't') => 40,
        (low, high) if vowel(low) && vowel(high) => 40,
        (b'h', b'j') | (b'j', b'x') => 45,
        (b'f', b'p') => 50,
        (b'l', b'r') | (b'm', b'n') | (b'i', b'l') | (b'c', b'e') | (b'n', b'u') | (b'b', b'h') => 60,
        _ => 100,
    }
}

/// What a letter of a script without vowels may stand for.
const fn unwritten(code: u8, other: u8) -> u8 {
    match (code, other) {
        (b'w', b'u' | b'o') | (b'y', b'i' | b'e') => 3,
        (b'w', b'v') | (b'v', b'w' | b'u' | b'o') => 8,
        (code, other) if vowel(code) && vowel(other) => 10,
        (b'h', b'a' | b'e') => 10,
        (b'b', b'v' | b'p') | (b'p', b'f') | (b'k', b'x') | (b'f', b'v') | (b'g', b'j' | b'J') | (b'S', b's') => 10,
        (b'y', b'a') | (b'w', b'a') | (b'h', b't') => 30,
        (code, other) => alike(code, other),
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
        for (left, right) in [
            ("mohammed", "muhammad"),
            ("yevgeny", "evgenii"),
            ("jewgenij", "yevgeniy"),
            ("hussein", "husayn"),
            ("wladimir", "vladimir"),
        ] {
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
    fn slips_of_the_finger_count_once() {
        for (left, right, letters) in [
            ("petrov", "petrov", 0),
            ("petrov", "petorv", 1),
            ("petrov", "petro", 1),
            ("petrov", "pitrof", 2),
            ("", "abc", 3),
        ] {
            assert_eq!(letters_apart(left.as_bytes(), right.as_bytes()), letters, "{left} {right}");
        }
    }

    #[test]
    fn the_limit_ends_the_comparison() {
        assert_eq!(distance(b"abc", b"xyzuvw", Writing::Full, 1.0), None);
        assert_eq!(distance(b"", b"", Writing::Full, 0.0), Some(0.0));
    }
}
