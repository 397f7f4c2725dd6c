//! Rows of delimited text: with or without a header, with the marks that real files carry.

use csv::{ReaderBuilder, StringRecord};

use super::{ListError, Loaded};

/// The end-of-file byte of old systems, which OFAC still writes.
const CONTROL_Z: u8 = 0x1A;

/// The bytes without byte-order mark, closing Ctrl-Z and blank end.
pub(super) fn trimmed(bytes: &[u8]) -> &[u8] {
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    let end = bytes
        .iter()
        .rposition(|byte| !matches!(byte, &CONTROL_Z | b'\r' | b'\n' | b' ' | b'\t' | 0))
        .map_or(0, |at| at + 1);
    bytes.get(..end).unwrap_or_default()
}

/// Reads rows of which none spans lines, so that a broken quote spoils one row only. Calls `each` with line and fields.
pub(super) fn single_line(
    part: &'static str,
    bytes: &[u8],
    columns: usize,
    loaded: &mut Loaded,
    mut each: impl FnMut(u64, &StringRecord, &mut Loaded),
) -> Result<(), ListError> {
    let text = trimmed(bytes);
    if text.is_empty() {
        return Err(ListError::Empty(part));
    }
    let mut readable = 0_usize;
    let mut rows = 0_usize;
    let mut take = |line: u64, record: Result<StringRecord, String>| {
        rows += 1;
        match record {
            Ok(record) if record.len() == columns => {
                readable += 1;
                each(line, &record, loaded);
            }
            Ok(record) => loaded.fault(part, line, format!("{} columns instead of {columns}", record.len())),
            Err(reason) => loaded.fault(part, line, reason),
        }
    };
    match a_record_a_line(text) {
        Some(records) => (1..).zip(records).for_each(|(line, record)| take(line, Ok(record))),
        None => {
            let lines = text.split(|byte| *byte == b'\n').map(|row| row.strip_suffix(b"\r").unwrap_or(row));
            let full = (1..).zip(lines).filter(|(_, row)| !row.iter().all(|byte| matches!(byte, b' ' | &CONTROL_Z)));
            full.for_each(|(line, row)| take(line, one_record(row)));
        }
    }
    if readable * 2 < rows {
        return Err(ListError::Format { part, reason: format!("{readable} of {rows} rows have {columns} columns") });
    }
    Ok(())
}

/// All records at once, if each has a line of its own: the usual file, read in one go.
fn a_record_a_line(text: &[u8]) -> Option<Vec<StringRecord>> {
    let lines = text.iter().filter(|byte| **byte == b'\n').count() + 1;
    let mut reader = ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text);
    let records: Vec<StringRecord> = reader.records().collect::<Result<_, _>>().ok()?;
    (records.len() == lines).then_some(records)
}

fn one_record(row: &[u8]) -> Result<StringRecord, String> {
    let mut reader = ReaderBuilder::new().has_headers(false).flexible(true).from_reader(row);
    let mut record = csv::ByteRecord::new();
    reader.read_byte_record(&mut record).map_err(|error| error.to_string())?;
    StringRecord::from_byte_record(record).map_err(|_| "not UTF-8".to_owned())
}
