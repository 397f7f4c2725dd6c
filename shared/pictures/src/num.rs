//! Conversions between counts, positions and levels that cannot fail here, in one place.

/// A count of pixels as a number to calculate with; pictures are far smaller than where `f32` gets coarse (16 million on a side).
#[expect(clippy::as_conversions, clippy::cast_precision_loss, reason = "the only way from a count to a float")]
pub(crate) fn real(count: usize) -> f32 {
    count as f32
}

/// A level, rounded, between black and white.
#[expect(clippy::as_conversions, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates")]
pub(crate) fn level(value: f32) -> u8 {
    value.round() as u8
}

/// A measure as a whole number; what is below nought is nought.
#[expect(clippy::as_conversions, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates")]
pub(crate) fn whole(value: f32) -> u32 {
    value.round() as u32
}

/// A position as an index.
#[expect(clippy::as_conversions, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates")]
pub(crate) fn index(value: f32) -> usize {
    value as usize
}

/// A length or side from a file as an index.
pub(crate) fn at(side: u32) -> usize {
    usize::try_from(side).unwrap_or(usize::MAX)
}

/// A side of a picture, which was 32 bit in its file.
pub(crate) fn side(pixels: usize) -> u32 {
    u32::try_from(pixels).unwrap_or(u32::MAX)
}

/// A part of a whole in thousandths.
pub(crate) fn thousandths(part: usize, of: usize) -> u16 {
    let share = part.saturating_mul(1000).checked_div(of).unwrap_or(0);
    u16::try_from(share).unwrap_or(u16::MAX)
}
