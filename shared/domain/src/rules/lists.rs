//! Named lists: regions of countries, days off, groups of symbols.

use std::collections::BTreeMap;

use serde::Serialize;

use super::read::{Faults, Node};

/// Lists by their names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Lists<T>(BTreeMap<String, Vec<T>>);

impl<T: PartialEq + Copy> Lists<T> {
    /// No lists.
    pub const fn none() -> Self {
        Self(BTreeMap::new())
    }

    /// A list.
    pub fn get(&self, name: &str) -> Option<&[T]> {
        self.0.get(name).map(Vec::as_slice)
    }

    /// The names of the lists that have a value, in order.
    pub fn having(&self, value: T) -> impl Iterator<Item = &str> {
        self.0.iter().filter(move |(_, list)| list.contains(&value)).map(|(name, _)| name.as_str())
    }
}

/// How lists are written.
pub(crate) struct ListsForm<T> {
    /// How many lists there may be.
    pub lists_max: usize,
    /// How many values one may have.
    pub values_max: usize,
    /// Whether a text is the name of a list.
    pub is_name: fn(&str) -> bool,
    /// Code and message for one that is not.
    pub bad_name: (&'static str, &'static str),
    /// Where no value may stand in two lists: what is said about one that already stands in this other.
    pub only_once: Option<fn(&T, &str) -> String>,
}

impl<T: PartialEq + Copy> ListsForm<T> {
    /// Reads `{name: [value, …]}`.
    pub(crate) fn read(
        &self,
        node: &Node<'_>,
        faults: &mut Faults,
        mut value: impl FnMut(&Node<'_>, &mut Faults) -> Option<T>,
    ) -> Option<Lists<T>> {
        let object = node.map(faults)?;
        if object.count() > self.lists_max {
            faults.add(
                node.fault("too_many", format!("has {} lists, at most {} are allowed", object.count(), self.lists_max)),
            );
            return None;
        }
        let mut lists = Lists(BTreeMap::new());
        for (name, node) in object.entries() {
            if !(self.is_name)(name) {
                let (code, message) = self.bad_name;
                faults.add(node.fault(code, message));
            }
            let list = node.distinct(1..=self.values_max, faults, |item, faults| {
                let value = value(item, faults)?;
                if let (Some(told), Some(other)) = (self.only_once, lists.having(value).next()) {
                    faults.add(item.fault("duplicate", told(&value, other)));
                    return None;
                }
                Some(value)
            });
            if let Some(list) = list {
                lists.0.insert(name.to_owned(), list);
            }
        }
        (lists.0.len() == object.count()).then_some(lists)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use super::super::read::{is_name, read_document};
    use super::*;
    use crate::Country;

    const FORM: ListsForm<Country> =
        ListsForm { lists_max: 3, values_max: 2, is_name, bad_name: ("bad_name", "no name"), only_once: None };

    fn read(form: &ListsForm<Country>, document: &Json) -> Result<Lists<Country>, Vec<(String, &'static str)>> {
        let country = |node: &Node<'_>, faults: &mut Faults| node.parsed("unknown_country", "no country", faults);
        let read = read_document(document, |node, faults| form.read(node, faults, country));
        read.map_err(|faults| faults.into_iter().map(|fault| (fault.pointer, fault.code)).collect())
    }

    #[test]
    fn a_value_finds_the_lists_it_is_in() {
        let lists = read(&FORM, &json!({"eu": ["DE", "FR"], "dach": ["DE", "CH"]})).unwrap();
        let de: Country = "DE".parse().unwrap();
        assert_eq!(lists.having(de).collect::<Vec<_>>(), ["dach", "eu"]);
        assert_eq!((lists.get("eu").map(<[_]>::len), lists.get("asia")), (Some(2), None));
        assert_eq!(serde_json::to_value(&lists).unwrap(), json!({"eu": ["DE", "FR"], "dach": ["DE", "CH"]}));
    }

    #[test]
    fn every_defect_of_lists_is_told_at_its_place() {
        let once = ListsForm { only_once: Some(|country, list| format!("{country} is in {list}")), ..FORM };
        for (form, document, expected) in [
            (&FORM, json!([]), vec![("", "wrong_type")]),
            (&FORM, json!({"a": ["DE"], "b": ["DE"], "c": ["DE"], "d": ["DE"]}), vec![("", "too_many")]),
            (&FORM, json!({"A": ["DE"], "b": ["ZZ", "DE", "FR"]}), vec![("/A", "bad_name"), ("/b", "too_many")]),
            (&FORM, json!({"a": [], "b": ["ZZ", "DE"]}), vec![("/a", "empty"), ("/b/0", "unknown_country")]),
            (&FORM, json!({"a": ["DE", "DE"]}), vec![("/a/1", "duplicate")]),
            (&once, json!({"a": ["DE"], "b": ["FR", "DE"]}), vec![("/b/1", "duplicate")]),
        ] {
            let expected = expected.into_iter().map(|(at, code)| (at.to_owned(), code)).collect();
            assert_eq!(read(form, &document), Err(expected), "{document}");
        }
        assert!(read(&FORM, &json!({})).is_ok(), "how many there must be is the set's business");
    }
}
