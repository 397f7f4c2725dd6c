//! Delimited text with a header row.

use csv::{ByteRecord, ReaderBuilder, StringRecord};

use super::line::Line;
use super::rows::trimmed;
use super::{ListError, Loaded};

/// A row of a table, with its header.
pub(super) struct Row<'r> {
    header: &'r [String],
    record: &'r StringRecord,
    /// Where it starts, counted from 1.
    pub line: u64,
}

impl<'r> Row<'r> {
    /// The first column of the name, trimmed, unless it is blank.
    pub fn get(&self, name: &str) -> Option<&'r str> {
        let column = self.header.iter().position(|title| title == name)?;
        let country = COUNTRY_TITLES.iter().any(|part| name.contains(part));
        let said = if country { super::wording::code } else { super::wording::given };
        said(self.record.get(column))
    }

    /// The first of the columns that says something.
    pub fn any(&self, names: &[&str]) -> Option<&'r str> {
        names.iter().find_map(|name| self.get(name))
    }

    /// What a cell of several values says.
    pub fn list(&self, name: &str, separator: char) -> impl Iterator<Item = &'r str> {
        self.get(name).unwrap_or_default().split(separator).map(str::trim).filter(|value| !value.is_empty())
    }
}

/// What the titles of columns of countries have in them.
const COUNTRY_TITLES: [&str; 3] = ["countr", "citi", "nationalit"];

/// How a table is laid out.
#[derive(Debug, Clone, Copy)]
pub(super) struct Layout<'l> {
    pub part: &'static str,
    pub delimiter: u8,
    /// Rows before the header.
    pub banner: usize,
    /// Columns without which it is another table; lower case.
    pub required: &'l [&'l str],
}

/// Calls `each` with every row that has all columns; titles are lower case. Counts rows and reports the others.
pub(super) fn read(
    layout: Layout<'_>,
    bytes: &[u8],
    loaded: &mut Loaded,
    mut each: impl FnMut(&Row<'_>, &mut Loaded),
) -> Result<(), ListError> {
    let text = trimmed(bytes);
    let part = layout.part;
    if text.is_empty() {
        return Err(ListError::Empty(part));
    }
    let mut reader =
        ReaderBuilder::new().has_headers(false).flexible(true).delimiter(layout.delimiter).from_reader(text);
    let mut records = reader.byte_records();
    let header = records.by_ref().nth(layout.banner).transpose().map_err(|error| layout.format(&error.to_string()))?;
    let header: Vec<String> =
        header.unwrap_or_default().iter().map(|title| String::from_utf8_lossy(title).trim().to_lowercase()).collect();
    if let Some(missing) = layout.required.iter().find(|name| !header.iter().any(|title| title == *name)) {
        return Err(layout.format(&format!("it has no column `{missing}`")));
    }
    let mut last = None;
    let records = records.collect::<Result<Vec<_>, _>>().map_err(|error| layout.format(&error.to_string()))?;
    let starts = records.iter().map(|record| record.position().map_or((text.len(), 0), place));
    let ends = starts.clone().skip(1).map(|(next, _)| next).chain([text.len()]);
    for ((record, (start, line)), end) in records.iter().zip(starts).zip(ends) {
        let written = String::from_utf8_lossy(text.get(start..end).unwrap_or_default());
        for (line, record) in layout.rows_of(record, line, &written, header.len()) {
            loaded.rows += 1;
            let record = record.and_then(|record| complete(record, header.len()));
            last = record.as_ref().err().map(|reason| format!("the last row, line {line}: {reason}"));
            match record {
                Ok(record) => each(&Row { header: &header, record: &record, line }, loaded),
                Err(reason) => loaded.fault(part, line, reason),
            }
        }
    }
    match last {
        Some(reason) => Err(ListError::Truncated { part, reason }),
        None => Ok(()),
    }
}

/// Byte and line.
fn place(position: &csv::Position) -> (usize, u64) {
    (usize::try_from(position.byte()).unwrap_or(usize::MAX), position.line())
}

fn complete(record: ByteRecord, columns: usize) -> Result<StringRecord, String> {
    if record.len() != columns {
        return Err(format!("{} columns instead of {columns}", record.len()));
    }
    StringRecord::from_byte_record(record).map_err(|_| "not UTF-8".to_owned())
}

/// A row with its line, or why it is none.
type Rows = Vec<(u64, Result<ByteRecord, String>)>;

impl Layout<'_> {
    fn format(&self, reason: &str) -> ListError {
        ListError::Format { part: self.part, reason: reason.to_owned() }
    }

    /// A record is a row. One that swallowed rows, by a quote that is not closed in its own, is taken apart again.
    fn rows_of(&self, record: &ByteRecord, line: u64, written: &str, columns: usize) -> Rows {
        // a record begins before what is left of the end of the line before
        let text = written.trim_start_matches(['\r', '\n']);
        let line = (line..)
            .nth(written.bytes().take_while(|c| c.is_ascii_whitespace()).filter(|c| *c == b'\n').count())
            .unwrap_or(line);
        let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
        let delimiter = char::from(self.delimiter);
        if lines.iter().skip(1).any(|line| Line::cut(line, delimiter).is_whole(columns)) {
            return (line..).zip(text.lines()).filter_map(|(line, text)| Some((line, self.row(text)?))).collect();
        }
        let open = lines.len() > 1 || record.len() == columns;
        if open && Line::cut(text, delimiter).open {
            return vec![(line, Err(NOT_CLOSED.to_owned()))];
        }
        if Line::is_stray(text.as_bytes(), self.delimiter) {
            let cut = Line::cut(text.trim_end(), delimiter);
            if cut.fields.len() == columns && !cut.open {
                return vec![(line, Ok(cut.fields.iter().map(String::as_bytes).collect()))];
            }
        }
        vec![(line, Ok(record.clone()))]
    }

    /// A line that is a row of its own; nothing if it is empty.
    fn row(&self, text: &str) -> Option<Result<ByteRecord, String>> {
        let line = Line::cut(text, char::from(self.delimiter));
        if text.trim().is_empty() {
            return None;
        }
        Some(if line.open {
            Err(NOT_CLOSED.to_owned())
        } else {
            Ok(line.fields.iter().map(String::as_bytes).collect())
        })
    }
}

const NOT_CLOSED: &str = "a quote is not closed";
