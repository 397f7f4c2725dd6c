//! The keys under which a word is found: its consonants; if it has many, its consonants less one; if it is short, its letters less one.

use crate::text::sound::{other_skeleton, skeleton};

/// Skeletons of at least this many classes are also found with one missing, added, wrong or swapped; shorter ones would find too much.
const SKELETON_LESS_ONE_MIN: usize = 5;
/// Words of so many letters are also found by their letters less one.
const SHORT_WORD: std::ops::RangeInclusive<usize> = 3..=12;

/// The fewest letters of an acronym.
pub(crate) const ACRONYM_MIN: usize = 4;

/// FNV-1a, spread over all bits; the seed keeps the kinds of keys apart.
pub(crate) fn hash(bytes: &[u8], seed: u32) -> u32 {
    let mut hash = 0x811C_9DC5 ^ seed;
    for byte in bytes {
        hash = (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193);
    }
    hash ^= hash >> 15;
    hash = hash.wrapping_mul(0x2C1B_3C6D);
    hash ^ (hash >> 13)
}

const SKELETON: u32 = 1;
const LETTERS: u32 = 2;
const ACRONYM: u32 = 3;

/// All keys of a word in `keys`, sorted and without repetition.
pub(crate) fn word_keys(letters: &[u8], sounds: &[u8], keys: &mut Vec<u32>) {
    sound_keys(sounds, keys);
    if SHORT_WORD.contains(&letters.len()) {
        keys.push(hash(letters, LETTERS));
        less_one(letters, &mut Vec::new(), |bytes| keys.push(hash(bytes, LETTERS)));
    }
    keys.sort_unstable();
    keys.dedup();
}

/// The keys by sound only.
pub(crate) fn sound_keys(sounds: &[u8], keys: &mut Vec<u32>) {
    keys.clear();
    let mut shorter = Vec::new();
    let mut add_skeleton = |skeleton: &[u8]| {
        keys.push(hash(skeleton, SKELETON));
        if skeleton.len() >= SKELETON_LESS_ONE_MIN {
            less_one(skeleton, &mut shorter, |bytes| keys.push(hash(bytes, SKELETON)));
        }
    };
    add_skeleton(&skeleton(sounds));
    if let Some(other) = other_skeleton(sounds) {
        add_skeleton(&other);
    }
    keys.sort_unstable();
    keys.dedup();
}

/// The key of the first letters of several words.
pub(crate) fn acronym_key(letters: &[u8]) -> u32 {
    hash(letters, ACRONYM)
}

fn less_one(bytes: &[u8], shorter: &mut Vec<u8>, mut each: impl FnMut(&[u8])) {
    for left_out in 0..bytes.len() {
        shorter.clear();
        shorter.extend(bytes.iter().enumerate().filter(|(at, _)| *at != left_out).map(|(_, byte)| *byte));
        each(shorter);
    }
}

/// The key of neighbouring words written as one.
pub(crate) fn join_key(sounds: &[u8]) -> u32 {
    hash(&skeleton(sounds), SKELETON)
}

/// The directory over sorted hashes: for each value of the top bits the first place with it, and the end.
pub(super) fn directory(hashes: impl ExactSizeIterator<Item = u32>) -> Vec<u32> {
    let top_bits = directory_bits(hashes.len());
    let mut starts = vec![0_u32; (1 << top_bits) + 1];
    for hash in hashes {
        let bucket = crate::num::at(hash >> (32 - top_bits));
        if let Some(count) = starts.get_mut(bucket + 1) {
            *count += 1;
        }
    }
    for at in 1..starts.len() {
        let before = starts.get(at - 1).copied().unwrap_or_default();
        if let Some(start) = starts.get_mut(at) {
            *start += before;
        }
    }
    starts
}

/// One bucket for about four hashes.
fn directory_bits(count: usize) -> u32 {
    (count / 4 + 1).ilog2().clamp(1, 20)
}

/// Where in the sorted hashes to look for this one.
pub(super) fn bucket(hash: u32, directory_length: usize) -> usize {
    let top_bits = directory_length.saturating_sub(1).max(2).ilog2();
    crate::num::at(hash >> (32 - top_bits))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::sound::sounds;

    fn share(left: &str, right: &str) -> bool {
        let (mut a, mut b) = (Vec::new(), Vec::new());
        word_keys(left.as_bytes(), &sounds(left), &mut a);
        word_keys(right.as_bytes(), &sounds(right), &mut b);
        a.iter().any(|key| b.contains(key))
    }

    #[test]
    fn misspelt_words_share_a_key() {
        for (left, right) in [
            ("mohammed", "muhamad"),
            ("petrov", "petkov"),
            ("khristenko", "hristenko"),
            ("wladimir", "vladimir"),
            ("omar", "onar"),
            ("kim", "kin"),
            ("mhmd", "muhammad"),
        ] {
            assert!(share(left, right), "{left} {right}");
        }
        assert!(!share("petrov", "gonzalez"));
    }

    #[test]
    fn the_directory_finds_every_hash() {
        let mut hashes: Vec<u32> = (0..1000_u32).map(|n| hash(&n.to_le_bytes(), 0)).collect();
        hashes.sort_unstable();
        let directory = directory(hashes.iter().copied());
        for hash in &hashes {
            let at = bucket(*hash, directory.len());
            let (from, to) = (crate::num::at(directory[at]), crate::num::at(directory[at + 1]));
            assert!(hashes[from..to].contains(hash));
        }
    }
}
