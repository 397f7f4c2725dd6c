//! A JSON object whose values keep the characters they were written with: those are what Praxis signs, and `1` and
//! `1.0` sign differently. The same values are read for their meaning, so what was signed is what is used.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

type Members<'a> = BTreeMap<String, &'a RawValue>;

/// The members of a message and of the objects in it.
pub(super) struct Message<'a> {
    members: Members<'a>,
}

/// A value that has no written form to sign.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct NotScalar;

impl<'a> Message<'a> {
    /// Reads a JSON object in which no name stands twice; `None` if the bytes are anything else.
    pub(super) fn parse(body: &'a [u8]) -> Option<Self> {
        domain::json::parse(body).ok()?;
        serde_json::from_slice(body).ok().map(|members| Self { members })
    }

    /// A value by its path, e.g. `transaction.tid`, as it is signed; `None` where it is absent or null.
    pub(super) fn scalar(&self, path: &str) -> Result<Option<String>, NotScalar> {
        match path.split_once('.') {
            None => scalar(self.members.get(path).copied()),
            Some((object, member)) => {
                let inner: Option<Members<'_>> = match self.members.get(object) {
                    Some(raw) => serde_json::from_str(raw.get()).map_err(|_| NotScalar)?,
                    None => None,
                };
                scalar(inner.and_then(|inner| inner.get(member).copied()))
            }
        }
    }

    /// A text or number by its path, where it is there and is one.
    pub(super) fn text(&self, path: &str) -> Option<String> {
        self.scalar(path).ok().flatten()
    }

    /// Whether there is an object of this name.
    pub(super) fn has_object(&self, name: &str) -> bool {
        self.members.get(name).is_some_and(|raw| raw.get().starts_with('{'))
    }

    /// Values of all members but one, sorted by name.
    pub(super) fn sorted_without(&self, excluded: &str) -> Result<Vec<String>, NotScalar> {
        let others = self.members.iter().filter(|(name, _)| name.as_str() != excluded);
        let values: Result<Vec<_>, _> = others.map(|(_, raw)| scalar(Some(raw))).collect();
        Ok(values?.into_iter().flatten().collect())
    }
}

fn scalar(raw: Option<&RawValue>) -> Result<Option<String>, NotScalar> {
    let Some(text) = raw.map(RawValue::get) else { return Ok(None) };
    match text.as_bytes().first() {
        Some(b'"') => serde_json::from_str(text).map(Some).map_err(|_| NotScalar),
        Some(b'{' | b'[') => Err(NotScalar),
        _ if text == "null" => Ok(None),
        _ => Ok(Some(text.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_keep_the_characters_they_were_written_with() {
        let body = br#"{"a":1.000000,"b":"x\/y","n":null,"o":{"c":1e2,"d":{}},"z":null}"#;
        let message = Message::parse(body).unwrap();
        for (path, value) in
            [("a", Some("1.000000")), ("b", Some("x/y")), ("n", None), ("o.c", Some("1e2")), ("o.x", None)]
        {
            assert_eq!(message.scalar(path), Ok(value.map(str::to_owned)), "{path}");
        }
        assert_eq!(message.scalar("z.c"), Ok(None));
        for path in ["o", "o.d", "a.b"] {
            assert_eq!(message.scalar(path), Err(NotScalar), "{path}");
        }
        assert!(message.has_object("o") && !message.has_object("n") && !message.has_object("x"));
        for body in [&b""[..], b"[]", b"null", b"{", b"{\"a\":\xff}", b"1"] {
            assert!(Message::parse(body).is_none());
        }
    }
}
