//! The orientation that a camera writes into Exif: which way up a picture is to be shown.

/// Where the top and the left of a stored picture belong; the numbers are Exif's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Orientation(u8);

impl Orientation {
    /// As it is stored.
    pub(crate) const UPRIGHT: Self = Self(1);

    /// `None` for numbers that Exif does not know.
    pub(crate) fn new(number: u16) -> Option<Self> {
        u8::try_from(number).ok().filter(|number| (1..=8).contains(number)).map(Self)
    }

    /// Whether width and height change places.
    pub(crate) fn is_transposed(self) -> bool {
        self.0 >= 5
    }

    /// The place in the stored picture (`width` x `height`) of a place in the shown one.
    pub(crate) fn stored_at(self, x: usize, y: usize, width: usize, height: usize) -> (usize, usize) {
        let (right, bottom) = (width.saturating_sub(1), height.saturating_sub(1));
        match self.0 {
            2 => (right.saturating_sub(x), y),
            3 => (right.saturating_sub(x), bottom.saturating_sub(y)),
            4 => (x, bottom.saturating_sub(y)),
            5 => (y, x),
            6 => (y, bottom.saturating_sub(x)),
            7 => (right.saturating_sub(y), bottom.saturating_sub(x)),
            8 => (right.saturating_sub(y), x),
            _ => (x, y),
        }
    }
}

const ORIENTATION: u16 = 0x0112;
/// A directory of a photo has a few dozen entries.
const ENTRIES_MAX: usize = 512;

/// The orientation in a block of Exif (a small TIFF file). What cannot be read is upright, as browsers show it.
pub(crate) fn orientation(tiff: &[u8]) -> Orientation {
    stated(tiff).unwrap_or(Orientation::UPRIGHT)
}

/// The orientation that a block of Exif states, if it states one that there is.
pub(crate) fn stated(tiff: &[u8]) -> Option<Orientation> {
    let little = match tiff.get(..4)? {
        b"II*\0" => true,
        b"MM\0*" => false,
        _ => return None,
    };
    let short = |at: usize| -> Option<u16> {
        let bytes = tiff.get(at..at.checked_add(2)?)?.try_into().ok()?;
        Some(if little { u16::from_le_bytes(bytes) } else { u16::from_be_bytes(bytes) })
    };
    let long = |at: usize| -> Option<u32> {
        let bytes = tiff.get(at..at.checked_add(4)?)?.try_into().ok()?;
        Some(if little { u32::from_le_bytes(bytes) } else { u32::from_be_bytes(bytes) })
    };
    let directory = usize::try_from(long(4)?).ok()?;
    let entries = usize::from(short(directory)?).min(ENTRIES_MAX);
    let entry = (0..entries)
        .filter_map(|entry| directory.checked_add(2 + entry * 12))
        .find(|entry| short(*entry) == Some(ORIENTATION))?;
    let value = match short(entry.checked_add(2)?)? {
        3 => short(entry.checked_add(8)?)?,
        4 => u16::try_from(long(entry.checked_add(8)?)?).ok()?,
        _ => return None,
    };
    Orientation::new(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_orientation_is_read_in_both_byte_orders() {
        let little = b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0";
        let big = b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x08\0\0\0\0\0\0";
        assert_eq!(orientation(little), Orientation(6));
        assert_eq!(orientation(big), Orientation(8));
    }

    #[test]
    fn what_cannot_be_read_is_upright() {
        for broken in [
            &b""[..],
            b"II*\0",
            b"II*\0\xFF\xFF\xFF\xFF",
            b"II*\0\x08\0\0\0\xFF\xFF",
            b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x09\0\0\0",
        ] {
            assert_eq!(orientation(broken), Orientation::UPRIGHT, "{broken:?}");
        }
    }
}
