//! Delimited text with a header row.

use csv::{ReaderBuilder, StringRecord};

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
        super::wording::given(self.record.get(column))
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
    let format = |reason: String| ListError::Format { part, reason };
    let header = records.by_ref().nth(layout.banner).transpose().map_err(|error| format(error.to_string()))?;
    let header: Vec<String> =
        header.unwrap_or_default().iter().map(|title| String::from_utf8_lossy(title).trim().to_lowercase()).collect();
    if let Some(missing) = layout.required.iter().find(|name| !header.iter().any(|title| title == *name)) {
        return Err(format(format!("it has no column `{missing}`")));
    }
    let mut short_end = None;
    for record in records {
        let record = record.map_err(|error| format(error.to_string()))?;
        let line = record.position().map_or(0, csv::Position::line);
        loaded.rows += 1;
        short_end = (record.len() < header.len()).then_some(line);
        if record.len() != header.len() {
            loaded.fault(part, line, format!("{} columns instead of {}", record.len(), header.len()));
            continue;
        }
        match StringRecord::from_byte_record(record) {
            Ok(record) => each(&Row { header: &header, record: &record, line }, loaded),
            Err(_) => loaded.fault(part, line, "not UTF-8"),
        }
    }
    match short_end {
        Some(line) => Err(ListError::Truncated { part, reason: format!("the last row, line {line}, is incomplete") }),
        None => Ok(()),
    }
}
