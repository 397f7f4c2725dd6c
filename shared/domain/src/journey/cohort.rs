//! Who is left out of a journey, so that one can tell what it does: by a salted hash, the same whoever asks and whenever.

use sha2::{Digest as _, Sha256};

use crate::words::words;

/// Buckets of the hash: a hundredth of a per cent each.
pub const BUCKETS: u32 = 10_000;

words! {
    /// Which part of those who entered a reader belongs to.
    Cohort {
        /// The journey happens.
        Treated = "treated",
        /// Nothing happens; only what he does is counted.
        Control = "control",
    }
}

/// The bucket of a reader, 0 to 9 999: SHA-256 over the salt with its length, and the id; the first eight bytes, scaled down.
pub fn bucket(salt: &str, id: &str) -> u32 {
    let digest: [u8; 32] = Sha256::digest(format!("{}:{salt}{id}", salt.len())).into();
    let first = digest.iter().take(8).fold(0_u128, |sum, byte| (sum << 8) | u128::from(*byte));
    u32::try_from((first * u128::from(BUCKETS)) >> 64).unwrap_or(0)
}

/// The cohort of a reader where so many buckets are held out.
pub fn cohort(salt: &str, id: &str, held_out: u32) -> Cohort {
    if bucket(salt, id) < held_out { Cohort::Control } else { Cohort::Treated }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_buckets_are_those_of_the_published_assignment() {
        let of = |n: u32| bucket("idle-14d/1", &format!("cl_{n:04}"));
        assert_eq!([of(1), of(2), of(3)], [3086, 7470, 9267]);
        assert_eq!((0..10_000).filter(|n| of(*n) < 1_000).count(), 1_014);
        assert_eq!((0..10_000).filter(|n| of(*n) >= BUCKETS).count(), 0);
    }
}
