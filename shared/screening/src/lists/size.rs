//! Whether a list has become smaller than a list becomes: a broken download must not clear anybody.

use std::collections::BTreeMap;

use super::ListError;
use crate::model::{Entity, EntityKind};

/// Refuses a number that shrank by more than `allowed_percent`. Nothing left is never a small loss.
///
/// # Errors
/// [`ListError::Shrunk`].
pub fn check(what: &str, before: usize, now: usize, allowed_percent: usize) -> Result<(), ListError> {
    let least = before.saturating_mul(100_usize.saturating_sub(allowed_percent)) / 100;
    let gone = before > 0 && now == 0 && allowed_percent < 100;
    if now < least || gone {
        return Err(ListError::Shrunk { what: what.to_owned(), before, now, allowed_percent });
    }
    Ok(())
}

/// Of fewer entries than this a few delistings are more than the share that is allowed: only all of them are too many.
const SMALL: usize = 20;

/// What of a list can get lost while the rest of it stays.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Counted<'e> {
    Entries,
    OfKind(EntityKind),
    OfSource(&'e str),
    OfBoth(&'e str, EntityKind),
    Aliases,
    BirthDates,
}

/// Refuses lists that are gone or lost more than `allowed_percent` of their entries, of the entries of one source or kind, of their
/// aliases or of their dates of birth.
///
/// # Errors
/// The code of a list, and [`ListError::Shrunk`].
pub fn check_all(before: &[Entity], now: &[Entity], allowed_percent: usize) -> Result<(), (String, ListError)> {
    let now = count(now);
    for ((list, counted), before) in count(before) {
        let left = now.get(&(list, counted.clone())).copied().unwrap_or_default();
        if counted != Counted::Entries && before < SMALL && left > 0 {
            continue;
        }
        check(&counted.words(), before, left, allowed_percent).map_err(|error| (list.to_owned(), error))?;
    }
    Ok(())
}

fn count(entities: &[Entity]) -> BTreeMap<(&str, Counted<'_>), usize> {
    let mut counts: BTreeMap<(&str, Counted<'_>), usize> = BTreeMap::new();
    for entity in entities {
        let mut add = |counted, number| *counts.entry((entity.list.as_str(), counted)).or_default() += number;
        add(Counted::Entries, 1);
        add(Counted::OfKind(entity.kind), 1);
        for source in &entity.sources {
            add(Counted::OfSource(source), 1);
            add(Counted::OfBoth(source, entity.kind), 1);
        }
        add(Counted::Aliases, entity.names.len().saturating_sub(1));
        add(Counted::BirthDates, entity.births.len());
    }
    counts
}

impl Counted<'_> {
    fn words(&self) -> String {
        match self {
            Self::Entries => "entries".to_owned(),
            Self::OfKind(kind) => kind.words().to_owned(),
            Self::OfSource(source) => format!("entries of the source `{source}`"),
            Self::OfBoth(source, kind) => format!("{} of the source `{source}`", kind.words()),
            Self::Aliases => "aliases".to_owned(),
            Self::BirthDates => "dates of birth".to_owned(),
        }
    }
}

impl EntityKind {
    fn words(self) -> &'static str {
        match self {
            Self::Person => "persons",
            Self::Organisation => "organisations",
            Self::Vessel => "vessels",
            Self::Aircraft => "aircraft",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{BirthDate, Name, NameKind, PartialDate};

    #[test]
    fn a_list_that_lost_more_than_allowed_is_refused() {
        assert!(check("entries", 100, 90, 10).is_ok());
        let lost = ListError::Shrunk { what: "entries".to_owned(), before: 100, now: 89, allowed_percent: 10 };
        assert_eq!(check("entries", 100, 89, 10), Err(lost));
        assert!(check("entries", 0, 0, 10).is_ok());
        assert!(check("entries", 1, 0, 10).is_err() && check("entries", 1, 0, 100).is_ok());
    }

    fn entries(kind: EntityKind, source: &str, number: usize) -> Vec<Entity> {
        let entry = |id: usize| {
            let mut entity = Entity::new(format!("{source}{kind:?}{id}"), "list", kind);
            entity.sources.push(source.to_owned());
            entity.names = vec![Name::new("Ann", NameKind::Primary), Name::new("Anna", NameKind::Strong)];
            entity.births.push(BirthDate::On(PartialDate::of_year(1970).unwrap()));
            entity
        };
        (0..number).map(entry).collect()
    }

    #[test]
    fn a_list_that_lost_a_source_or_a_kind_is_refused_however_small_that_was() {
        use EntityKind::{Organisation, Person, Vessel};
        let whole = [
            entries(Person, "large", 500),
            entries(Organisation, "large", 40),
            entries(Person, "small", 3),
            entries(Vessel, "small", 1),
        ]
        .concat();
        let without = |lost: &dyn Fn(&Entity) -> bool| {
            let now: Vec<Entity> = whole.iter().filter(|entity| !lost(entity)).cloned().collect();
            check_all(&whole, &now, 10).map_err(|(list, error)| format!("{list}: {error}"))
        };
        assert!(without(&|entity| entity.id == "smallPerson0").is_ok(), "one delisting");
        assert!(without(&|entity| entity.id.starts_with("largePerson10")).is_ok(), "some delistings");
        for (lost, reason) in [
            ("small", "0 vessels"),
            ("smallP", "0 persons of the source `small`"),
            ("smallV", "0 vessels"),
            ("largeOrganisation1", "29 organisations"),
        ] {
            let refused = without(&|entity| entity.id.starts_with(lost)).unwrap_err();
            assert!(refused.contains(reason), "{refused}");
        }
    }

    #[test]
    fn a_list_that_lost_its_aliases_or_dates_is_refused() {
        let whole = entries(EntityKind::Person, "one", 50);
        let strip = |strip: &dyn Fn(&mut Entity)| {
            let mut now = whole.clone();
            now.iter_mut().take(10).for_each(strip);
            check_all(&whole, &now, 10).unwrap_err().1.to_string()
        };
        assert!(strip(&|entity| entity.names.truncate(1)).contains("40 aliases"));
        assert!(strip(&|entity| entity.births.clear()).contains("40 dates of birth"));
    }
}
