//! The text of a file. What is not UTF-8 is refused: guessing an encoding makes other amounts of it.

use super::FileError;

const BOM: &[u8] = b"\xef\xbb\xbf";

pub(super) fn decode(bytes: &[u8]) -> Result<&str, FileError> {
    // without a mark UTF-16 of a table shows by its zero bytes
    if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") || bytes.contains(&0) {
        return Err(FileError::Utf16);
    }
    let bytes = bytes.strip_prefix(BOM).unwrap_or(bytes);
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let before = bytes.get(..error.valid_up_to()).unwrap_or_default();
        FileError::NotUtf8(before.iter().filter(|byte| **byte == b'\n').count() + 1)
    })?;
    if text.trim().is_empty() { Err(FileError::Empty) } else { Ok(text) }
}
