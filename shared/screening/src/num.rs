//! Conversions between counts, positions and scores that cannot fail here, in one place.

/// A stored position as an index. Positions are 32 bit; so is every machine this runs on, at least.
pub(crate) fn at(position: u32) -> usize {
    usize::try_from(position).unwrap_or(usize::MAX)
}

/// An index as a stored position; a list of four thousand million names is not built.
pub(crate) fn position(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX)
}

/// A small count as a number to calculate with; above 65 535 all are alike.
pub(crate) fn real(count: usize) -> f32 {
    u16::try_from(count).map_or(f32::from(u16::MAX), f32::from)
}

/// A score from 0 to 1 in thousandths.
pub(crate) fn thousandths(score: f32) -> u16 {
    (1..=1_000).rev().find(|n| f32::from(*n) - 0.5 <= score * 1_000.0).unwrap_or(0)
}

/// Bits of information as stored: in eighths, at most 31.
pub(crate) fn eighths(bits: f32) -> u8 {
    let scaled = (bits * 8.0).round().clamp(0.0, 255.0);
    (0..=u8::MAX)
        .min_by(|a, b| (f32::from(*a) - scaled).abs().total_cmp(&(f32::from(*b) - scaled).abs()))
        .unwrap_or(u8::MAX)
}

/// Bits of information from their stored form.
pub(crate) fn bits(eighths: u8) -> f32 {
    f32::from(eighths) / 8.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousandths_round_and_saturate() {
        for (score, thousandths_of) in [(0.0, 0), (0.0004, 0), (0.0006, 1), (0.25, 250), (0.9996, 1_000), (1.0, 1_000)]
        {
            assert_eq!(thousandths(score), thousandths_of, "{score}");
        }
        assert_eq!((thousandths(-1.0), thousandths(2.0), thousandths(f32::NAN)), (0, 1_000, 0));
    }

    #[test]
    fn eighths_round_and_saturate() {
        for (bits_in, stored) in [(0.0, 0), (-1.0, 0), (1.0, 8), (1.06, 8), (1.07, 9), (31.875, 255), (99.0, 255)] {
            assert_eq!(eighths(bits_in), stored, "{bits_in}");
        }
        assert!((bits(12) - 1.5).abs() < f32::EPSILON);
    }
}
