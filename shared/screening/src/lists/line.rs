//! One line of delimited text. A field never goes on in the next line, so that a broken quote spoils its own line only.

/// The fields of a line, and how well it is formed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Line {
    /// The fields, without their quotes.
    pub fields: Vec<String>,
    /// The last field's quote is not closed.
    pub open: bool,
    /// A quote stands where none belongs: inside a plain field, or before more text. It is kept as a part of the field.
    pub stray: bool,
}

/// Where in a field a letter stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Start,
    Plain,
    Quoted,
    /// After a quote in a quoted field: it closes the field or is the first of two.
    Quote,
}

impl Line {
    /// Cuts a line at the delimiters outside quotes. Blanks before a quote do not count.
    pub fn cut(text: &str, delimiter: char) -> Self {
        let mut line = Self::default();
        let mut field = String::new();
        let mut place = Place::Start;
        // blanks behind what may have been the closing quote
        let mut blanks = String::new();
        for letter in text.chars() {
            place = match (place, letter) {
                (Place::Quoted, '"') => {
                    blanks.clear();
                    Place::Quote
                }
                (Place::Quoted, _) => {
                    field.push(letter);
                    Place::Quoted
                }
                (_, letter) if letter == delimiter => {
                    line.fields.push(std::mem::take(&mut field));
                    Place::Start
                }
                (Place::Start, '"') => {
                    field.clear();
                    Place::Quoted
                }
                (Place::Start, ' ') => {
                    field.push(letter);
                    Place::Start
                }
                (Place::Quote, '"') if blanks.is_empty() => {
                    field.push(letter);
                    Place::Quoted
                }
                (Place::Quote, ' ' | '\u{1A}' | '\r' | '\n') => {
                    blanks.push(letter);
                    place
                }
                // the quote was none that closes: somebody forgot to double it
                (Place::Quote, _) => {
                    line.stray = true;
                    field.push('"');
                    field.push_str(&blanks);
                    if letter == '"' {
                        blanks.clear();
                        Place::Quote
                    } else {
                        field.push(letter);
                        Place::Quoted
                    }
                }
                (_, letter) => {
                    line.stray |= letter == '"';
                    field.push(letter);
                    Place::Plain
                }
            };
        }
        // `… a.k.a. "STAR""`: after quotes that are not doubled the last two are one of the text and the one that closes
        let closed = line.stray && place == Place::Quoted && field.ends_with('"') && text.trim_end().ends_with("\"\"");
        line.open = place == Place::Quoted && !closed;
        line.fields.push(field);
        line
    }

    /// Whether a quote stands where none belongs, without cutting the line.
    pub(super) fn is_stray(text: &[u8], delimiter: u8) -> bool {
        let mut place = Place::Start;
        for byte in text {
            place = match (place, *byte) {
                (Place::Quoted, b'"') => Place::Quote,
                (Place::Quoted, _) => Place::Quoted,
                (_, byte) if byte == delimiter => Place::Start,
                (Place::Start | Place::Quote, b'"') => Place::Quoted,
                (Place::Start, b' ') => Place::Start,
                (Place::Quote, b' ' | 0x1A | b'\r' | b'\n') => Place::Quote,
                (Place::Quote, _) | (_, b'"') => return true,
                _ => Place::Plain,
            };
        }
        false
    }

    /// As many fields as there should be, and no quote that makes them doubtful.
    pub(super) fn is_whole(&self, columns: usize) -> bool {
        self.fields.len() == columns && !self.open && !self.stray
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_keep_delimiters_and_are_doubled() {
        for (text, fields) in [
            ("", vec![""]),
            ("a,,b", vec!["a", "", "b"]),
            ("1, \"Petrov, Ivan\" ,x", vec!["1", "Petrov, Ivan", "x"]),
            ("\"say \"\"a\"\"\",\"\"", vec!["say \"a\"", ""]),
        ] {
            assert_eq!(
                Line::cut(text, ','),
                Line { fields: fields.into_iter().map(str::to_owned).collect(), ..Line::default() }
            );
        }
    }

    #[test]
    fn quotes_that_are_not_closed_or_stand_astray_are_seen() {
        let form = |text| {
            let line = Line::cut(text, ',');
            (line.fields.len(), line.open, line.stray)
        };
        assert_eq!(form("1,\"Petrov, Ivan,x"), (2, true, false));
        assert_eq!(form("1,12\" gun,x"), (3, false, true));
        assert_eq!(form("1,\"Ivan \"Vanya\" Petrov\",x"), (3, false, true));
        for (text, field) in [
            ("1,\"Ivan \"Vanya\" Petrov\"", "Ivan \"Vanya\" Petrov"),
            ("1,\"Ivan \"Vanya\"; a.k.a. \"Wanja\"; end.\" ", "Ivan \"Vanya\"; a.k.a. \"Wanja\"; end."),
            ("1,\"Ivan \"Vanya\"\"", "Ivan \"Vanya\""),
        ] {
            let line = Line::cut(text, ',');
            assert_eq!((line.fields[1].as_str(), line.open, line.stray), (field, false, true), "{text}");
            assert!(Line::is_stray(text.as_bytes(), b','), "{text}");
        }
        for text in ["1,\"Petrov, Ivan\" ,x", "\"say \"\"a\"\"\",\"\"", "a,,b", ""] {
            assert!(!Line::is_stray(text.as_bytes(), b','), "{text}");
        }
    }
}
