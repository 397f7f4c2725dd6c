//! Rows of delimited text: with or without a header, with the marks that real files carry.

use csv::{ReaderBuilder, StringRecord};

use super::line::Line;
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

/// Whether the end-of-file byte of old systems is there.
pub(super) fn ends_in_control_z(bytes: &[u8]) -> bool {
    bytes.trim_ascii_end().last() == Some(&CONTROL_Z)
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
    let mut last = None;
    let mut take = |line: u64, record: Result<StringRecord, String>| {
        rows += 1;
        let record = record.and_then(|record| match record.len() {
            found if found == columns => Ok(record),
            found => Err(format!("{found} columns instead of {columns}")),
        });
        last = record.as_ref().err().map(|reason| format!("the last row, line {line}: {reason}"));
        match record {
            Ok(record) => {
                readable += 1;
                each(line, &record, loaded);
            }
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
    match last {
        Some(reason) => Err(ListError::Truncated { part, reason }),
        None => Ok(()),
    }
}

/// All records at once, if each has a line of its own: the usual file, read in one go.
fn a_record_a_line(text: &[u8]) -> Option<Vec<StringRecord>> {
    let lines = text.iter().filter(|byte| **byte == b'\n').count() + 1;
    let mut reader = ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text);
    let records: Vec<StringRecord> = reader.records().collect::<Result<_, _>>().ok()?;
    // a quote that is not doubled has to be read by hand
    if text.split(|byte| *byte == b'\n').any(|line| Line::is_stray(line, b',')) {
        return None;
    }
    // the quote of the last row may have been closed by the end of the file
    let last = text.rsplit(|byte| *byte == b'\n').next().unwrap_or_default();
    (records.len() == lines && !is_open(last)).then_some(records)
}

fn is_open(row: &[u8]) -> bool {
    Line::cut(&String::from_utf8_lossy(row), ',').open
}

fn one_record(row: &[u8]) -> Result<StringRecord, String> {
    if is_open(row) {
        return Err("a quote is not closed".to_owned());
    }
    if Line::is_stray(row, b',') {
        let text = std::str::from_utf8(row).map_err(|_| "not UTF-8".to_owned())?;
        return Ok(Line::cut(text, ',').fields.into());
    }
    let mut reader = ReaderBuilder::new().has_headers(false).flexible(true).from_reader(row);
    let mut record = csv::ByteRecord::new();
    reader.read_byte_record(&mut record).map_err(|error| error.to_string())?;
    StringRecord::from_byte_record(record).map_err(|_| "not UTF-8".to_owned())
}
