//! Settlement files of payment providers: from bytes to rows, and why each other line was not read.
//!
//! A provider's own report is read by its own columns where they are published; any provider's payments can be given in the generic
//! columns `reference,payment_id,type,currency,amount,fee,at`.

mod adyen;
mod amount;
mod columns;
mod generic;
mod stripe;
mod text;

use std::collections::BTreeSet;

use domain::payment::rules::Vendor;
use domain::reconciliation::{Refusal, SettledRow};
use sha2::{Digest as _, Sha256};

use self::columns::{Columns, Line};

/// Largest file.
pub const FILE_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Most lines of a file.
const LINES_MAX: usize = 50_000;

/// What a file says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadFile {
    /// Whose columns it has.
    pub format: &'static str,
    /// The rows that are payments.
    pub rows: Vec<SettledRow>,
    /// How many rows are about other things.
    pub ignored: usize,
    /// The rows that were refused.
    pub refusals: Vec<Refusal>,
}

/// Why nothing of a file was read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FileError {
    /// It is UTF-16.
    #[error("the file is UTF-16; save it as UTF-8")]
    Utf16,
    /// It is another encoding than UTF-8.
    #[error("the file is not UTF-8 (line {0} has other bytes, of Latin-1 maybe); save it as UTF-8")]
    NotUtf8(usize),
    /// There is nothing in it.
    #[error("the file is empty")]
    Empty,
    /// Its columns are nobody's.
    #[error("line 1 has not the columns of {0}, nor reference,payment_id,type,currency,amount,fee,at")]
    UnknownColumns(String),
    /// A column stands twice.
    #[error("line 1 names the column {0} twice")]
    ColumnTwice(&'static str),
    /// It has too many lines.
    #[error("the file has more than {LINES_MAX} lines")]
    TooLong,
}

impl FileError {
    /// The code of the fault.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Utf16 | Self::NotUtf8(_) => "unsupported_encoding",
            Self::Empty => "empty",
            Self::UnknownColumns(_) | Self::ColumnTwice(_) => "unknown_columns",
            Self::TooLong => "too_long",
        }
    }
}

/// What a line came to.
enum Said {
    Row(SettledRow),
    /// A fee, a transfer to the bank: nobody's payment.
    Other,
}

/// Why a line was refused.
struct Wrong {
    code: &'static str,
    message: String,
}

impl Wrong {
    fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }

    fn missing(column: &str) -> Self {
        Self::new("missing_value", format!("{column} is empty"))
    }
}

/// A way to write settlement files.
struct Format {
    name: &'static str,
    /// The columns by which it is known; the ones that it can do without are looked for, too.
    needs: &'static [&'static str],
    read: fn(&Line<'_>) -> Result<Said, Wrong>,
}

const GENERIC: Format = Format { name: "generic", needs: generic::NEEDS, read: generic::read };

/// The published columns of a vendor's own report, where we know them.
fn own_format(vendor: Vendor) -> Option<Format> {
    match vendor {
        Vendor::Stripe => Some(Format { name: "stripe", needs: stripe::NEEDS, read: stripe::read }),
        Vendor::Adyen => Some(Format { name: "adyen", needs: adyen::NEEDS, read: adyen::read }),
        Vendor::Praxis | Vendor::Skrill | Vendor::Checkout | Vendor::CoinsPaid | Vendor::Paysafe | Vendor::Nuvei => {
            None
        }
    }
}

/// SHA-256 of a file, hexadecimal: the same file again is known by it.
pub fn hash(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

/// Reads a file of a provider.
///
/// # Errors
/// [`FileError`] when none of it can be read; a line that cannot is among the refusals.
pub fn read(vendor: Vendor, bytes: &[u8]) -> Result<ReadFile, FileError> {
    let text = text::decode(bytes)?;
    let (columns, lines) = columns::split(text, LINES_MAX)?;
    let own = own_format(vendor).filter(|format| columns.has(format.needs));
    let format = own.or_else(|| columns.has(GENERIC.needs).then_some(GENERIC));
    let format = format.ok_or_else(|| FileError::UnknownColumns(vendor.to_string()))?;
    columns.unique(format.needs)?;
    Ok(read_lines(&format, &columns, &lines))
}

fn read_lines(format: &Format, columns: &Columns, lines: &[columns::Cells]) -> ReadFile {
    let mut file = ReadFile { format: format.name, rows: Vec::new(), ignored: 0, refusals: Vec::new() };
    let mut seen = BTreeSet::new();
    for cells in lines {
        let said = match &cells.wrong {
            Some((code, message)) => Err(Wrong::new(code, message.clone())),
            None => (format.read)(&Line { columns, cells }),
        };
        let refused = match said {
            Ok(Said::Other) => {
                file.ignored += 1;
                continue;
            }
            Ok(Said::Row(row)) => {
                if seen.insert(format!("{}\n{}\n{}\n{:?}", row.reference, row.kind, row.amount, row.payment_id)) {
                    file.rows.push(row);
                    continue;
                }
                Wrong::new("duplicate_row", "the same row stands in the file before")
            }
            Err(wrong) => wrong,
        };
        file.refusals.push(Refusal { line: cells.line, code: refused.code.to_owned(), message: refused.message });
    }
    file
}

#[cfg(test)]
mod tests;
