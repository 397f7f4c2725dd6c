//! Whether two names are one person's, without any list.

use super::query::{Query, QueryKind};
use super::screener::Options;
use crate::index::{ListInfo, build};
use crate::model::{Entity, EntityKind, Name, NameKind};
use crate::num;

/// How surely a person who is called `other` is the one who is called `known`, by the name alone, in thousandths: what the engine
/// scores where `known` is the only name that is looked for. `None` where a name has nothing that can be compared, or too much.
pub fn likeness(known: &str, other: &str) -> Option<u16> {
    let query = |name: &str| Query { name: name.to_owned(), kind: Some(QueryKind::Person), ..Query::default() };
    let (asked, found) = (query(known), query(other));
    if [&asked, &found].into_iter().any(|query| query.is_blank() || query.is_cut()) {
        return None;
    }
    let list = ListInfo { code: "known".to_owned(), version: String::new() };
    let mut entity = Entity::new("known", list.code.clone(), EntityKind::Person);
    entity.names.push(Name::new(known, NameKind::Primary));
    let index = build(&[list], &[entity]);
    let hits = index.screen(&found, &Options { min: 0.0, limit: 1 });
    Some(hits.first().map_or(0, |hit| num::thousandths(hit.name_score)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(pairs: &[(&str, &str)]) -> Vec<(String, u16)> {
        pairs.iter().map(|(a, b)| (format!("{a} / {b}"), likeness(a, b).unwrap())).collect()
    }

    #[test]
    fn one_persons_name_is_like_itself_however_it_is_written() {
        let same = all(&[
            ("Ana López García", "ANA LOPEZ GARCIA"),
            ("Ana López García", "LOPEZ GARCIA ANA"),
            ("Ana López García", "Ana Lopez"),
            ("Mohammed Al-Rashid", "Muhammad al Rashid"),
            ("Сергей Иванов", "Sergey Ivanov"),
            ("Jürgen Müller", "JUERGEN MUELLER"),
        ]);
        let other = all(&[
            ("Ana López García", "John Smith"),
            ("Ana López García", "Pedro Ramírez"),
            ("Jürgen Müller", "Sergey Ivanov"),
            ("Mohammed Al-Rashid", "Maria Rossi"),
        ]);
        let kin = all(&[("Ana López García", "Carlos López García"), ("John Smith", "Jane Smith")]);
        let least = same.iter().map(|(_, score)| *score).min().unwrap();
        let most = other.iter().map(|(_, score)| *score).max().unwrap();
        assert!(least > 500, "{same:#?}");
        assert!(most < 100, "{other:#?}");
        assert!(kin.iter().all(|(_, score)| *score < least), "{kin:#?} {same:#?}");
    }

    #[test]
    fn what_cannot_be_compared_is_neither() {
        assert_eq!(likeness("Ana López", "****"), None);
        assert_eq!(likeness("", "Ana López"), None);
        assert_eq!(likeness("Ana López", &"Ana ".repeat(500)), None);
    }
}
