//! Tables that a spreadsheet opens: quoted where they must be, and without a cell that it would take for a formula.

use runtime::http::csv::{defused, quoted};

/// A cell, quoted where it must be.
fn cell(text: &str) -> String {
    let text = defused(text);
    if text.contains([',', '"', '\n', '\r']) { quoted(&text) } else { text.into_owned() }
}

/// A line of a table.
pub(super) fn row<T: AsRef<str>>(cells: impl IntoIterator<Item = T>) -> String {
    let cells: Vec<String> = cells.into_iter().map(|text| cell(text.as_ref())).collect();
    format!("{}\r\n", cells.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_taken_for_a_formula_and_numbers_stay_numbers() {
        for (text, wanted) in [
            ("-12.50", "-12.50"),
            ("=1+1", "'=1+1"),
            ("-1+1", "'-1+1"),
            ("@x", "'@x"),
            ("+49", "'+49"),
            ("a,b", "\"a,b\""),
            ("say \"no\"", "\"say \"\"no\"\"\""),
            ("…1a2b", "…1a2b"),
        ] {
            assert_eq!(cell(text), wanted);
        }
        assert_eq!(row(["a", "b"]), "a,b\r\n");
    }
}
