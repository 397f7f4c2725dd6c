//! Comparing signatures without telling by the time it takes how much of one was right.

use subtle::ConstantTimeEq;

/// Whether a signature written in hex is the expected one. Either letter case is accepted, any other length or
/// character is not; both sides are compared as bytes in constant time.
pub(crate) fn hex_matches(given: &str, expected: &[u8]) -> bool {
    hex::decode(given).is_ok_and(|given| bool::from(given.ct_eq(expected)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_very_bytes_match_in_either_case() {
        let expected = [0xab, 0x01, 0xff];
        for good in ["ab01ff", "AB01FF", "aB01Ff"] {
            assert!(hex_matches(good, &expected), "{good}");
        }
        for bad in ["", "ab01f", "ab01fe", "ab01ff00", "ab01", "zz01ff", " ab01ff", "ab01ff\n", "0xab01ff"] {
            assert!(!hex_matches(bad, &expected), "{bad}");
        }
    }
}
