//! What is another in one index than in an earlier one, and what became of an entry.

use std::collections::{BTreeMap, BTreeSet};

use super::Index;
use super::layout::EntityRecord;
use crate::num;

/// List and identifier of an entry.
pub type Key = (String, String);

/// The entries that differ between two indexes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changes {
    /// Those that are new, say something else that clients are compared with, or took in one that is gone: everybody is screened against
    /// them.
    pub to_screen: BTreeSet<Key>,
    /// Those that are no longer there, also because they were merged into another one or their list is not used any more.
    pub gone: BTreeSet<Key>,
}

/// A list had entries and has none any more: that is a failure, and not the end of everybody's listing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("list {0} has no entries any more")]
pub struct EmptyList(pub String);

/// What became of an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// It is there.
    Listed,
    /// It was merged into the one with this identifier.
    Merged(String),
    /// It was taken off its list.
    TakenOff,
    /// Its list is not used any more.
    NotAsked,
}

impl Changes {
    /// From one index to the next. An identifier that comes several times is several entries; it has changed if any of them has.
    ///
    /// # Errors
    /// [`EmptyList`].
    pub fn between(before: &Index, now: &Index) -> Result<Self, EmptyList> {
        let (old, new) = (before.by_key(), now.by_key());
        let has = |entries: &BTreeMap<(&str, &str), Vec<[u32; 2]>>, code: &str| {
            entries.range((code, "")..).next().is_some_and(|((list, _), _)| *list == code)
        };
        if let Some(emptied) = now.list_codes().find(|code| has(&old, code) && !has(&new, code)) {
            return Err(EmptyList(emptied.to_owned()));
        }
        let own = |key: &(&str, &str)| (key.0.to_owned(), key.1.to_owned());
        let is_other = |(key, prints): &(&(&str, &str), &Vec<[u32; 2]>)| old.get(*key) != Some(*prints);
        let gone: BTreeSet<Key> = old.keys().filter(|key| !new.contains_key(*key)).map(own).collect();
        let mut to_screen: BTreeSet<Key> = new.iter().filter(is_other).map(|(key, _)| own(key)).collect();
        // what was decided about an entry that is gone goes on with the one that it was merged into, though that one says nothing new
        to_screen.extend(now.merged().filter(|(former, _)| gone.contains(former)).map(|(_, into)| into));
        Ok(Self { to_screen, gone })
    }
}

impl Index {
    /// What became of an entry that was in an earlier index.
    pub fn standing(&self, list: &str, id: &str) -> Standing {
        if !self.list_codes().any(|code| code == list) {
            return Standing::NotAsked;
        }
        let of_list = |record: &EntityRecord| self.list_code(record.list.get()) == list;
        if self.entities().iter().any(|record| of_list(record) && self.text(record.id) == id) {
            return Standing::Listed;
        }
        let into = self.merged().find(|((of, former), _)| of == list && former == id);
        into.map_or(Standing::TakenOff, |(_, (_, into))| Standing::Merged(into))
    }

    /// Former identifiers, and the entries that they were merged into.
    fn merged(&self) -> impl Iterator<Item = (Key, Key)> {
        self.former().iter().filter_map(|former| {
            let record = self.entities().get(num::at(former.entity.get()))?;
            let key = |id: &str| (self.list_code(record.list.get()).to_owned(), id.to_owned());
            Some((key(self.text(former.id)), key(self.text(record.id))))
        })
    }

    /// What the entries are compared by, in an order of its own for each key.
    fn by_key(&self) -> BTreeMap<(&str, &str), Vec<[u32; 2]>> {
        let mut entries: BTreeMap<(&str, &str), Vec<[u32; 2]>> = BTreeMap::new();
        for record in self.entities() {
            let key = (self.list_code(record.list.get()), self.text(record.id));
            entries.entry(key).or_default().push(record.fingerprint.map(|part| part.get()));
        }
        for prints in entries.values_mut() {
            prints.sort_unstable();
        }
        entries
    }
}
