//! The wire form of protocol buffers, as far as the manager's interface needs it: whole numbers and nested bytes.

use bytes::{BufMut, Bytes, BytesMut};

/// Longest varint there is.
const VARINT_BYTES_MAX: u32 = 10;
const VARINT: u64 = 0;
const FIXED_64: u64 = 1;
const LENGTH_DELIMITED: u64 = 2;
const FIXED_32: u64 = 5;

/// A message being written.
#[derive(Debug, Default)]
pub(super) struct Writer(BytesMut);

impl Writer {
    /// A whole number; negative ones as the ten bytes that `int64` has.
    pub(super) fn int(mut self, field: u64, value: i64) -> Self {
        self.varint(field << 3 | VARINT);
        self.varint(value.cast_unsigned());
        self
    }

    /// A text or a message.
    pub(super) fn bytes(mut self, field: u64, value: &[u8]) -> Self {
        self.varint(field << 3 | LENGTH_DELIMITED);
        self.varint(u64::try_from(value.len()).unwrap_or(u64::MAX));
        self.0.put_slice(value);
        self
    }

    pub(super) fn finish(self) -> Bytes {
        self.0.freeze()
    }

    fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.0.put_u8(value.to_le_bytes()[0] | 0x80);
            value >>= 7;
        }
        self.0.put_u8(value.to_le_bytes()[0]);
    }
}

/// What a field holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Field<'a> {
    Int(u64),
    Bytes(&'a [u8]),
    /// A fraction, which nothing here reads.
    Other,
}

/// A message that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Message<'a>(Vec<(u64, Field<'a>)>);

impl<'a> Message<'a> {
    /// None where the bytes are no message.
    pub(super) fn read(mut bytes: &'a [u8]) -> Option<Self> {
        let mut fields = Vec::new();
        while !bytes.is_empty() {
            let key = varint(&mut bytes)?;
            let field = match key & 7 {
                VARINT => Field::Int(varint(&mut bytes)?),
                LENGTH_DELIMITED => {
                    let length = usize::try_from(varint(&mut bytes)?).ok()?;
                    Field::Bytes(take(&mut bytes, length)?)
                }
                FIXED_64 => take(&mut bytes, 8).map(|_| Field::Other)?,
                FIXED_32 => take(&mut bytes, 4).map(|_| Field::Other)?,
                _ => return None,
            };
            fields.push((key >> 3, field));
        }
        Some(Self(fields))
    }

    /// The last one counts, as the format has it.
    pub(super) fn int(&self, field: u64) -> Option<i64> {
        self.0.iter().rev().find_map(|(number, value)| match value {
            Field::Int(value) if *number == field => Some(value.cast_signed()),
            _ => None,
        })
    }

    pub(super) fn bytes(&self, field: u64) -> Option<&'a [u8]> {
        self.0.iter().rev().find_map(|(number, value)| match value {
            Field::Bytes(value) if *number == field => Some(*value),
            _ => None,
        })
    }

    pub(super) fn text(&self, field: u64) -> Option<&'a str> {
        std::str::from_utf8(self.bytes(field)?).ok()
    }

    /// The messages of a list; none where one of them is no message.
    pub(super) fn each(&self, field: u64) -> Option<Vec<Message<'a>>> {
        let items = self.0.iter().filter_map(|(number, value)| match value {
            Field::Bytes(value) if *number == field => Some(*value),
            _ => None,
        });
        items.map(Message::read).collect()
    }
}

fn take<'a>(bytes: &mut &'a [u8], length: usize) -> Option<&'a [u8]> {
    let (taken, rest) = bytes.split_at_checked(length)?;
    *bytes = rest;
    Some(taken)
}

fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0_u64;
    for place in 0..VARINT_BYTES_MAX {
        let (first, rest) = bytes.split_first()?;
        *bytes = rest;
        let bits = u64::from(first & 0x7f);
        if place + 1 == VARINT_BYTES_MAX && bits > 1 {
            return None;
        }
        value |= bits << (7 * place);
        if first & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_examples_of_the_format() {
        // from the description of the encoding: field 1 is 150, field 2 is "testing", field 3 holds the first
        assert_eq!(Writer::default().int(1, 150).finish().as_ref(), [0x08, 0x96, 0x01]);
        let testing = Writer::default().bytes(2, b"testing").finish();
        assert_eq!(testing.as_ref(), [0x12, 0x07, 0x74, 0x65, 0x73, 0x74, 0x69, 0x6e, 0x67]);
        let nested = Writer::default().bytes(3, &Writer::default().int(1, 150).finish()).finish();
        assert_eq!(nested.as_ref(), [0x1a, 0x03, 0x08, 0x96, 0x01]);
        let minus_two = Writer::default().int(1, -2).finish();
        assert_eq!(minus_two.as_ref(), [0x08, 0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01]);
        assert_eq!(Message::read(&minus_two).unwrap().int(1), Some(-2));
    }

    #[test]
    fn what_is_written_is_read() {
        for value in [0, 1, 127, 128, 300, -1, i64::MAX, i64::MIN] {
            let bytes = Writer::default().int(15, value).bytes(16, "ü".as_bytes()).int(1, 9).finish();
            let message = Message::read(&bytes).unwrap();
            assert_eq!((message.int(15), message.text(16), message.int(1)), (Some(value), Some("ü"), Some(9)));
            assert_eq!((message.int(16), message.bytes(15), message.int(2)), (None, None, None));
        }
    }

    #[test]
    fn half_a_message_and_garbage_are_none() {
        let whole = Writer::default().int(1, 300).bytes(2, b"testing").finish();
        for end in [1, 2, 4, 5, 8] {
            assert_eq!(Message::read(&whole[..end]), None, "{end}");
        }
        for garbage in [&[0x0b_u8, 0x01][..], &[0x08; 1], &[0xff; 20], &[0x12, 0xff, 0xff, 0xff, 0xff, 0x0f]] {
            assert_eq!(Message::read(garbage), None);
        }
        // a fraction among them is passed over
        let with_double = [&[0x09_u8, 0, 0, 0, 0, 0, 0, 0, 0][..], &whole].concat();
        assert_eq!(Message::read(&with_double).unwrap().int(1), Some(300));
    }
}
