//! Weak aliases in lists that do not tell them from strong ones.
//!
//! The Consolidated Screening List and others repeat parties of OFAC, the UN and the UK with all their aliases alike. An alias that the list
//! of origin calls weak stays weak there: otherwise a nickname would raise an alert by way of the copy.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{Entity, EntityKind, NameKind};

/// The words of a name, whatever their order and signs.
pub(super) type Folded = Vec<String>;

/// `SURNAME, Given` and `Given SURNAME` are the same.
pub(super) fn folded(name: &str) -> Folded {
    let lower = name.to_lowercase();
    let words = lower.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    words.map(str::to_owned).collect::<BTreeSet<_>>().into_iter().collect()
}

/// What lists that grade their aliases say of one party.
#[derive(Default)]
struct Graded {
    weak: BTreeSet<Folded>,
    strong: BTreeSet<Folded>,
}

/// Makes aliases of the ungraded lists weak that a graded list calls weak for the same party.
pub fn spread(entities: &mut [Entity], is_ungraded: impl Fn(&Entity) -> bool) {
    if !entities.iter().any(&is_ungraded) {
        return;
    }
    let mut parties: Vec<Graded> = Vec::new();
    let mut by_name: BTreeMap<(EntityKind, Folded), Vec<usize>> = BTreeMap::new();
    let mut by_number: BTreeMap<(EntityKind, &str), usize> = BTreeMap::new();
    let has_weak = |entity: &&Entity| entity.names.iter().any(|name| name.kind == NameKind::Weak);
    for entity in entities.iter().filter(|entity| !is_ungraded(entity)).filter(has_weak) {
        let mut graded = Graded::default();
        for name in &entity.names {
            let words = folded(&name.text);
            if name.kind == NameKind::Weak {
                graded.weak.insert(words);
                continue;
            }
            // one word alone may be anybody's
            if words.len() > 1 {
                by_name.entry((entity.kind, words.clone())).or_default().push(parties.len());
            }
            graded.strong.insert(words);
        }
        if entity.list.starts_with("ofac") {
            by_number.insert((entity.kind, &entity.id), parties.len());
        }
        parties.push(graded);
    }
    let mut found: Vec<(usize, Vec<usize>)> = Vec::new();
    for (at, entity) in entities.iter().enumerate().filter(|(_, entity)| is_ungraded(entity)) {
        let mut same: BTreeSet<usize> =
            by_number.get(&(entity.kind, entity.id.as_str())).copied().into_iter().collect();
        let of_name = |name: &str| by_name.get(&(entity.kind, folded(name))).into_iter().flatten().copied();
        same.extend(entity.names.iter().flat_map(|name| of_name(&name.text)));
        found.push((at, same.into_iter().collect()));
    }
    for (at, same) in found {
        let Some(entity) = entities.get_mut(at) else { continue };
        let same: Vec<&Graded> = same.iter().filter_map(|party| parties.get(*party)).collect();
        for name in entity.names.iter_mut().filter(|name| name.kind != NameKind::Primary) {
            let words = folded(&name.text);
            if same.iter().any(|party| party.weak.contains(&words) && !party.strong.contains(&words)) {
                name.kind = NameKind::Weak;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Name;

    fn entry(list: &str, id: &str, names: &[(&str, NameKind)]) -> Entity {
        let mut entity = Entity::new(id, list, EntityKind::Person);
        entity.names = names.iter().map(|(text, kind)| Name::new(*text, *kind)).collect();
        entity
    }

    #[test]
    fn a_weak_alias_is_weak_in_a_list_that_does_not_grade() {
        use NameKind::{Primary, Strong, Weak};
        let mut entities = vec![
            entry("ofac_sdn", "7", &[("PETROV, Ivan", Primary), ("SAMPLE, Vanya", Weak), ("JONAS", Weak)]),
            entry("un_sc", "1", &[("Karim Rahimi", Primary), ("Abu Karim", Weak)]),
            entry("us_csl", "7", &[("PETROV, Ivan", Primary), ("SAMPLE, Vanya", Strong), ("Petroff, Iwan", Strong)]),
            entry("copy", "x", &[("Rahimi Karim", Primary), ("ABU KARIM", Strong)]),
            entry("copy", "y", &[("Other Person", Primary), ("Jonas", Strong), ("Abu Karim", Strong)]),
            entry("copy", "z", &[("Jonas", Primary), ("Ivan Petrov", Strong)]),
        ];
        spread(&mut entities, |entity| matches!(entity.list.as_str(), "us_csl" | "copy"));
        let kinds = |at: usize| entities[at].names.iter().map(|name| name.kind).collect::<Vec<_>>();
        assert_eq!(kinds(2), [Primary, Weak, Strong]);
        assert_eq!(kinds(3), [Primary, Weak]);
        assert_eq!(kinds(4), [Primary, Strong, Strong], "somebody else");
        assert_eq!(kinds(5), [Primary, Strong], "a list's own main name");
    }
}
