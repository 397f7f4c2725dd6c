//! The table that a run prints: what was measured, against which target, and the parts it is made of.

use std::fmt::Write as _;

/// One figure with its target.
pub struct Line {
    what: String,
    measured: String,
    target: String,
    met: bool,
}

impl Line {
    /// A figure that may be at most so much.
    pub fn at_most(what: impl Into<String>, value: f64, limit: f64, show: fn(f64) -> String) -> Self {
        // not a number is not met
        Self { what: what.into(), measured: show(value), target: format!("<= {}", show(limit)), met: value <= limit }
    }

    /// A figure that must be as said.
    pub fn exactly(what: impl Into<String>, measured: impl Into<String>, target: impl Into<String>, met: bool) -> Self {
        Self { what: what.into(), measured: measured.into(), target: target.into(), met }
    }
}

/// Parts of figures: rows under a heading.
pub struct Parts {
    /// What the rows are.
    pub title: String,
    /// Names of the columns.
    pub columns: Vec<&'static str>,
    /// The rows.
    pub rows: Vec<Vec<String>>,
}

/// What one measurement found.
#[derive(Default)]
pub struct Findings {
    /// Figures.
    pub lines: Vec<Line>,
    /// What they are made of.
    pub parts: Vec<Parts>,
}

/// A ratio or a number of units.
pub fn two_places(value: f64) -> String {
    format!("{value:.2}")
}

/// Megabytes of 1 000 000 bytes.
pub fn megabytes(value: f64) -> String {
    format!("{value:.1} MB")
}

/// Milliseconds.
pub fn milliseconds(value: f64) -> String {
    format!("{value:.0} ms")
}

/// A count as a fraction, for an average.
pub fn count(value: usize) -> f64 {
    u32::try_from(value).map_or(f64::INFINITY, f64::from)
}

/// Everything as text.
pub fn render(all: &[Findings], failures: &[String]) -> String {
    let lines = all.iter().flat_map(|findings| &findings.lines);
    let verdict = |met: bool| if met { "met" } else { "NOT met" }.to_owned();
    let row = |line: &Line| vec![line.what.clone(), line.measured.clone(), line.target.clone(), verdict(line.met)];
    let mut text = table(&["what", "measured", "target", ""], &lines.map(row).collect::<Vec<_>>());
    for failure in failures {
        push(&mut text, &format!("NOT measured: {failure}"));
    }
    for parts in all.iter().flat_map(|findings| &findings.parts) {
        push(&mut text, &format!("\n{}", parts.title));
        text.push_str(&table(&parts.columns, &parts.rows));
    }
    text
}

fn table(columns: &[&str], rows: &[Vec<String>]) -> String {
    let header = columns.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let all = std::iter::once(&header).chain(rows);
    let width = |column: usize| all.clone().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max();
    let widths: Vec<usize> = (0..columns.len()).map(|column| width(column).unwrap_or(0)).collect();
    let mut text = String::new();
    for row in all {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}", width = *width));
        push(&mut text, cells.collect::<Vec<_>>().join("  ").trim_end());
    }
    text
}

fn push(text: &mut String, line: &str) {
    // writing to a string cannot fail
    writeln!(text, "{line}").unwrap_or_default();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missed_target_and_what_could_not_be_measured_are_said() {
        let findings = Findings {
            lines: vec![
                Line::at_most("a ratio", 1.2, 1.2, two_places),
                Line::at_most("another", 1.21, 1.2, two_places),
                Line::at_most("nothing", f64::NAN, 1.2, two_places),
            ],
            parts: vec![Parts {
                title: "parts".into(),
                columns: vec!["a", "b"],
                rows: vec![vec!["x".into(), "yy".into()]],
            }],
        };
        let text = render(&[findings], &["sizes: no binary".to_owned()]);
        let expected = "what     measured  target\n\
                        a ratio  1.20      <= 1.20  met\n\
                        another  1.21      <= 1.20  NOT met\n\
                        nothing  NaN       <= 1.20  NOT met\n\
                        NOT measured: sizes: no binary\n\
                        \n\
                        parts\n\
                        a  b\n\
                        x  yy\n";
        assert_eq!(text, expected);
    }
}
