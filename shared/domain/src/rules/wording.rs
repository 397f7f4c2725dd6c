//! Texts with `{{names}}` in them.

use std::fmt;

use serde::{Serialize, Serializer};

/// One part of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// Stands as it is.
    Text(String),
    /// Is filled in.
    Name(String),
}

/// A text whose `{{names}}` are known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wording(Vec<Piece>);

/// Why a text is not a wording.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a name in double braces such as {{{{amount}}}}")]
pub struct WordingError(pub String);

impl Wording {
    /// Reads a text.
    ///
    /// # Errors
    /// [`WordingError`] with the part that opens or closes braces without a name between them.
    pub fn parse(text: &str) -> Result<Self, WordingError> {
        let mut pieces = Vec::new();
        let mut rest = text;
        let shown = |part: &str| WordingError(part.chars().take(24).collect());
        while let Some((before, after)) = rest.split_once("{{") {
            let (name, tail) = after.split_once("}}").ok_or_else(|| shown(&rest[before.len()..]))?;
            let name = name.trim();
            let is_name = !name.is_empty() && name.chars().all(|c| c.is_ascii_lowercase() || c == '_');
            if !is_name || before.contains("}}") {
                return Err(shown(if is_name { before } else { &rest[before.len()..] }));
            }
            if !before.is_empty() {
                pieces.push(Piece::Text(before.to_owned()));
            }
            pieces.push(Piece::Name(name.to_owned()));
            rest = tail;
        }
        if rest.contains("}}") {
            return Err(shown(rest));
        }
        if !rest.is_empty() {
            pieces.push(Piece::Text(rest.to_owned()));
        }
        Ok(Self(pieces))
    }

    /// Its parts in order.
    pub fn pieces(&self) -> &[Piece] {
        &self.0
    }

    /// The names it needs.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|piece| match piece {
            Piece::Name(name) => Some(name.as_str()),
            Piece::Text(_) => None,
        })
    }
}

impl fmt::Display for Wording {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for piece in &self.0 {
            match piece {
                Piece::Text(text) => f.write_str(text)?,
                Piece::Name(name) => write!(f, "{{{{{name}}}}}")?,
            }
        }
        Ok(())
    }
}

impl Serialize for Wording {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn braces_without_a_name_are_refused() {
        for text in ["{{", "a {{ b", "{{}}", "{{A}}", "{{a b}}", "a }} b", "{{a}} }}", "}} {{a}}", "{{a{{b}}"] {
            assert!(Wording::parse(text).is_err(), "{text}");
        }
        assert_eq!(
            Wording::parse("é {{a").unwrap_err().to_string(),
            "`{{a` is not a name in double braces such as {{amount}}"
        );
        let good = Wording::parse("{one} {{ paid }}/{{psp}}.").unwrap();
        assert_eq!(good.names().collect::<Vec<_>>(), ["paid", "psp"]);
        assert_eq!(good.to_string(), "{one} {{paid}}/{{psp}}.");
    }

    proptest! {
        #[test]
        fn what_is_written_reads_the_same(text in "[a{} é]{0,20}") {
            if let Ok(wording) = Wording::parse(&text) {
                prop_assert_eq!(Wording::parse(&wording.to_string()).unwrap(), wording);
            }
        }
    }
}
