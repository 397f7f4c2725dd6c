//! A table of text: columns by name, lines with their numbers.

use csv::{ReaderBuilder, StringRecord, Terminator};

use super::{FileError, Wrong};

/// The columns of a file, by their names as they are compared: lower case, without spaces around.
pub(super) struct Columns {
    names: Vec<String>,
    /// Whether amounts may have a comma for the point, as where fields are parted by `;`.
    pub(super) decimal_comma: bool,
}

/// A line in its fields.
pub(super) struct Cells {
    pub(super) line: u64,
    fields: StringRecord,
    /// What is wrong with it as a line.
    pub(super) wrong: Option<(&'static str, String)>,
}

/// A line whose columns are known.
pub(super) struct Line<'a> {
    pub(super) columns: &'a Columns,
    pub(super) cells: &'a Cells,
}

impl Columns {
    fn place(&self, name: &str) -> Option<usize> {
        self.names.iter().position(|own| own == name)
    }

    pub(super) fn has(&self, names: &[&str]) -> bool {
        names.iter().all(|name| self.place(name).is_some())
    }

    pub(super) fn unique(&self, names: &[&'static str]) -> Result<(), FileError> {
        let twice = names.iter().find(|name| self.names.iter().filter(|own| own == *name).count() > 1);
        twice.map_or(Ok(()), |name| Err(FileError::ColumnTwice(name)))
    }
}

impl Line<'_> {
    /// A value; none where the column is not there or holds nothing.
    pub(super) fn get(&self, column: &str) -> Option<&str> {
        let value = self.cells.fields.get(self.columns.place(column)?)?.trim();
        Some(value).filter(|value| !value.is_empty())
    }

    /// A value that must be there.
    pub(super) fn need(&self, column: &str) -> Result<&str, Wrong> {
        self.get(column).ok_or_else(|| Wrong::missing(column))
    }
}

/// The columns of the first line, and the lines below it.
pub(super) fn split(text: &str, lines_max: usize) -> Result<(Columns, Vec<Cells>), FileError> {
    let header = text.lines().next().unwrap_or_default();
    let semicolons = header.matches(';').count() > header.matches(',').count();
    let delimiter = if semicolons { b';' } else { b',' };
    let mut reader = ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(delimiter)
        .terminator(Terminator::CRLF)
        .from_reader(text.as_bytes());
    let mut columns = Columns { names: Vec::new(), decimal_comma: semicolons };
    let mut lines: Vec<Cells> = Vec::new();
    let mut count = LineCount::of(text);
    for record in reader.records() {
        // text that is UTF-8 and may have any number of fields always reads
        let Ok(fields) = record else { continue };
        if columns.names.is_empty() {
            columns.names = fields.iter().map(|name| name.trim().to_lowercase()).collect();
            continue;
        }
        if fields.iter().all(|field| field.trim().is_empty()) {
            continue;
        }
        if lines.len() >= lines_max {
            return Err(FileError::TooLong);
        }
        let line = count.at(fields.position().map_or(0, csv::Position::byte));
        let wrong = (fields.len() != columns.names.len()).then(|| {
            let message = format!("it has {} fields, the first line has {}", fields.len(), columns.names.len());
            ("wrong_fields", message)
        });
        lines.push(Cells { line, fields, wrong });
    }
    mark_cut_end(text, &mut lines);
    Ok((columns, lines))
}

/// Counts lines up to a place that only moves on. The reader's own count has line ends of two characters and empty lines come late.
struct LineCount<'a> {
    rest: &'a [u8],
    passed: u64,
    line: u64,
    end: u8,
}

impl<'a> LineCount<'a> {
    fn of(text: &'a str) -> Self {
        let end = if text.contains('\n') { b'\n' } else { b'\r' };
        Self { rest: text.as_bytes(), passed: 0, line: 1, end }
    }

    /// The line of the first character of a record that begins here, or after the line ends here.
    fn at(&mut self, byte: u64) -> u64 {
        while let Some((first, rest)) = self.rest.split_first() {
            if self.passed >= byte && !matches!(first, b'\r' | b'\n') {
                break;
            }
            self.line += u64::from(*first == self.end);
            (self.rest, self.passed) = (rest, self.passed + 1);
        }
        self.line
    }
}

/// A file that ends in the middle of a line: a quote that nothing closes, or fields that are not there.
fn mark_cut_end(text: &str, lines: &mut [Cells]) {
    let open_quote = text.matches('"').count() % 2 == 1;
    let ends = text.ends_with(['\n', '\r']);
    let Some(last) = lines.last_mut() else { return };
    if open_quote {
        last.wrong = Some(("truncated", "a quote is opened and never closed: the rest of the file is lost".to_owned()));
    } else if last.wrong.is_some() && !ends {
        last.wrong = Some(("truncated", "the file ends in the middle of the line".to_owned()));
    }
}
