//! Conversions between counts, positions and shares that cannot fail here, in one place.

/// A count of pixels as a number to calculate with; pictures are far smaller than where `f32` gets coarse (16 million on a side).
#[expect(clippy::as_conversions, clippy::cast_precision_loss, reason = "the only way from a count to a float")]
pub(crate) fn real(count: usize) -> f32 {
    count as f32
}

/// A position or length as an index; what is below nought is nought.
#[expect(clippy::as_conversions, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates")]
pub(crate) fn index(value: f32) -> usize {
    value as usize
}

/// A place on a picture, in whole pixels.
#[expect(clippy::as_conversions, clippy::cast_possible_truncation, reason = "saturates")]
pub(crate) fn place(value: f32) -> i32 {
    value.round() as i32
}

/// A likelihood in thousandths.
pub(crate) fn thousandths(likelihood: f32) -> u16 {
    u16::try_from(index((likelihood.clamp(0.0, 1.0) * 1000.0).round())).unwrap_or(1000)
}
