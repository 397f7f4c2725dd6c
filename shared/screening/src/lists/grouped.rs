//! Lists that spread an entry over several rows.

use std::collections::BTreeMap;

use super::Loaded;
use crate::model::{Entity, EntityKind};

/// The places of entries by their identifiers.
#[derive(Debug, Default)]
pub(super) struct Grouped {
    places: BTreeMap<String, usize>,
}

impl Grouped {
    /// The entry with the identifier, made if it is new.
    pub fn entity<'l>(
        &mut self,
        loaded: &'l mut Loaded,
        list: &str,
        id: &str,
        kind: EntityKind,
    ) -> Option<&'l mut Entity> {
        let place = *self.places.entry(id.to_owned()).or_insert_with(|| {
            loaded.entities.push(Entity::new(id, list, kind));
            loaded.entities.len() - 1
        });
        loaded.entities.get_mut(place)
    }
}
