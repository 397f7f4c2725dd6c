//! What changed between two versions of a list.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::Entity;

/// The difference of two versions. The key of an entry is its list and identifier.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Delta {
    /// Entries that are new: whoever matches them has to be looked at.
    pub added: Vec<Entity>,
    /// Entries that are gone, as they were.
    pub removed: Vec<Entity>,
    /// Entries that say something else: (before, now).
    pub changed: Vec<(Entity, Entity)>,
}

impl Delta {
    /// The difference from one version to the next, in the order of the keys. A key that comes several times is several entries: those that
    /// are on both sides as they are have not changed, the others are paired in order.
    pub fn between(before: &[Entity], now: &[Entity]) -> Self {
        let (mut old, mut new) = (by_key(before), by_key(now));
        let mut delta = Self::default();
        let keys: BTreeSet<Key<'_>> = old.keys().chain(new.keys()).copied().collect();
        for key in keys {
            let (mut old, mut new) = (old.remove(&key).unwrap_or_default(), new.remove(&key).unwrap_or_default());
            old.retain(|was| {
                let same = new.iter().position(|now| now == was);
                if let Some(same) = same {
                    new.remove(same);
                }
                same.is_none()
            });
            let pairs = old.len().min(new.len());
            delta.removed.extend(old.drain(pairs..).cloned());
            delta.added.extend(new.drain(pairs..).cloned());
            delta.changed.extend(old.into_iter().cloned().zip(new.into_iter().cloned()));
        }
        delta
    }

    /// The entries that every client has to be screened against again.
    pub fn to_screen(&self) -> Vec<Entity> {
        self.added.iter().chain(self.changed.iter().map(|(_, now)| now)).cloned().collect()
    }
}

/// List and identifier.
type Key<'e> = (&'e str, &'e str);

fn by_key(entities: &[Entity]) -> BTreeMap<Key<'_>, Vec<&Entity>> {
    let mut entries: BTreeMap<Key<'_>, Vec<&Entity>> = BTreeMap::new();
    for entity in entities {
        entries.entry((&entity.list, &entity.id)).or_default().push(entity);
    }
    entries
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{EntityKind, Name, NameKind};

    fn entity(id: &str, name: &str) -> Entity {
        let mut entity = Entity::new(id, "own", EntityKind::Person);
        entity.names.push(Name::new(name, NameKind::Primary));
        entity
    }

    #[test]
    fn added_removed_and_changed_entries_are_told_apart() {
        let before = [entity("1", "Ann"), entity("2", "Bob"), entity("3", "Cid")];
        let now = [entity("3", "Cid"), entity("2", "Rob"), entity("4", "Dan")];
        let delta = Delta::between(&before, &now);
        assert_eq!(delta.added, [entity("4", "Dan")]);
        assert_eq!(delta.removed, [entity("1", "Ann")]);
        assert_eq!(delta.changed, [(entity("2", "Bob"), entity("2", "Rob"))]);
        assert_eq!(delta.to_screen(), [entity("4", "Dan"), entity("2", "Rob")]);
        assert_eq!(Delta::between(&now, &now), Delta::default());
    }

    #[test]
    fn of_entries_with_one_identifier_none_is_overlooked() {
        let before = [entity("1", "Ann"), entity("1", "Bob")];
        let now = [entity("1", "Cid"), entity("1", "Bob"), entity("1", "Dan")];
        let delta = Delta::between(&before, &now);
        assert_eq!(delta.changed, [(entity("1", "Ann"), entity("1", "Cid"))]);
        assert_eq!((delta.added.as_slice(), delta.removed.len()), (&[entity("1", "Dan")][..], 0));
        assert_eq!(Delta::between(&now, &before).removed, [entity("1", "Dan")]);
    }
}
