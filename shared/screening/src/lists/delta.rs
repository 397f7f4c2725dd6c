//! What changed between two versions of a list.

use std::collections::BTreeMap;

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
    /// The difference from one version to the next, in the order of the keys.
    pub fn between(before: &[Entity], now: &[Entity]) -> Self {
        let key = |entity: &Entity| (entity.list.clone(), entity.id.clone());
        let old: BTreeMap<_, &Entity> = before.iter().map(|entity| (key(entity), entity)).collect();
        let new: BTreeMap<_, &Entity> = now.iter().map(|entity| (key(entity), entity)).collect();
        let mut delta = Self::default();
        for (key, entity) in &new {
            match old.get(key) {
                None => delta.added.push((*entity).clone()),
                Some(was) if was != entity => delta.changed.push(((*was).clone(), (*entity).clone())),
                Some(_) => {}
            }
        }
        delta.removed =
            old.iter().filter(|(key, _)| !new.contains_key(key)).map(|(_, entity)| (*entity).clone()).collect();
        delta
    }

    /// The entries that every client has to be screened against again.
    pub fn to_screen(&self) -> Vec<Entity> {
        self.added.iter().chain(self.changed.iter().map(|(_, now)| now)).cloned().collect()
    }
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
}
