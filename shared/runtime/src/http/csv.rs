//! Tables that a spreadsheet opens: what they have in common, whatever each quotes besides.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::Reply;

/// Text that no program which reads tables takes for a formula: what one would begin with has an apostrophe before it, numbers apart.
pub fn defused(text: &str) -> Cow<'_, str> {
    let is_number = text.strip_prefix('-').unwrap_or(text).bytes().all(|b| b.is_ascii_digit() || b == b'.');
    let begins_one = text.trim_start().starts_with(['=', '+', '-', '@', '|', '%']);
    if !is_number && (begins_one || text.starts_with(['\t', '\r', '\n'])) {
        return Cow::Owned(format!("'{text}"));
    }
    Cow::Borrowed(text)
}

/// A cell in quotation marks.
pub fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('"', "\"\""))
}

/// A file to keep.
pub fn file(media: &str, name: &str, body: String) -> Reply {
    let headers = BTreeMap::from([
        ("content-type".to_owned(), media.to_owned()),
        ("content-disposition".to_owned(), format!("attachment; filename=\"{name}\"")),
    ]);
    Reply { status: 200, headers, body }
}
