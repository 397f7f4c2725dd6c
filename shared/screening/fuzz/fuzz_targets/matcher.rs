//! Any text as the name of a client and as a listed name.
#![no_main]

use screening::index::{ListInfo, build};
use screening::matching::query::Query;
use screening::matching::screener::{Options, Screener};
use screening::model::{Entity, EntityKind, Name, NameKind};

libfuzzer_sys::fuzz_target!(|texts: (&str, &str)| {
    let (client, listed) = texts;
    let names = [listed, "PETROV, Ivan", "Limited Liability Company Rassvet"];
    let kinds = [EntityKind::Person, EntityKind::Organisation, EntityKind::Vessel];
    let mut entities = Vec::new();
    for kind in kinds {
        for name in names {
            let mut entity = Entity::new("1", "fuzz", kind);
            entity.names.push(Name::family_first(name, NameKind::Primary));
            entities.push(entity);
        }
    }
    let index = build(&[ListInfo { code: "fuzz".to_owned(), version: "1".to_owned() }], &entities);
    let mut screener = Screener::new(&index);
    for hit in screener.screen(&Query { name: client.to_owned(), ..Query::default() }, &Options { min: 0.0, limit: 9 }) {
        assert!((0.0..=1.0).contains(&hit.score) && (0.0..=1.0).contains(&hit.name_score));
    }
});
