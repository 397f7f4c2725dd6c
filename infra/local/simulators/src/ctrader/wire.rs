//! Protocol buffers as the manager's interface has them: whole numbers, texts and messages.

/// Appends a whole number.
pub(super) fn int(out: &mut Vec<u8>, field: u8, value: i64) {
    tag(out, field, 0);
    varint(out, value.cast_unsigned());
}

/// Appends a text or a message.
pub(super) fn bytes(out: &mut Vec<u8>, field: u8, value: &[u8]) {
    tag(out, field, 2);
    varint(out, value.len().try_into().unwrap_or_default());
    out.extend_from_slice(value);
}

fn tag(out: &mut Vec<u8>, field: u8, kind: u8) {
    varint(out, u64::from(field) * 8 + u64::from(kind));
}

fn varint(out: &mut Vec<u8>, mut value: u64) {
    loop {
        let low = u8::try_from(value % 128).unwrap_or_default();
        value /= 128;
        out.push(if value == 0 { low } else { low + 128 });
        if value == 0 {
            return;
        }
    }
}

/// A field: its number, and what it holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Part {
    Int(u64, i64),
    Bytes(u64, Vec<u8>),
}

/// The fields of a message; none where the bytes are no message of these kinds.
pub(super) fn parts(mut from: &[u8]) -> Option<Vec<Part>> {
    let mut all = Vec::new();
    while !from.is_empty() {
        let key = read_varint(&mut from)?;
        all.push(match key % 8 {
            0 => Part::Int(key / 8, read_varint(&mut from)?.cast_signed()),
            2 => {
                let length = usize::try_from(read_varint(&mut from)?).ok()?;
                let (value, rest) = from.split_at_checked(length)?;
                from = rest;
                Part::Bytes(key / 8, value.to_vec())
            }
            _ => return None,
        });
    }
    Some(all)
}

fn read_varint(from: &mut &[u8]) -> Option<u64> {
    let (mut value, mut weight) = (0_u64, 1_u64);
    loop {
        let (first, rest) = from.split_first()?;
        *from = rest;
        value = value.checked_add(u64::from(first % 128).checked_mul(weight)?)?;
        if *first < 128 {
            return Some(value);
        }
        weight = weight.checked_mul(128)?;
    }
}

/// The first whole number of a field.
pub(super) fn find_int(parts: &[Part], field: u64) -> Option<i64> {
    parts.iter().find_map(|part| match part {
        Part::Int(number, value) if *number == field => Some(*value),
        _ => None,
    })
}

/// The first text of a field.
pub(super) fn find_text(parts: &[Part], field: u64) -> Option<String> {
    let value = parts.iter().find_map(|part| match part {
        Part::Bytes(number, value) if *number == field => Some(value.clone()),
        _ => None,
    })?;
    String::from_utf8(value).ok()
}
