//! An index with wrong bytes anywhere after the header and a right checksum: it is refused or screens somehow, but never panics.
#![no_main]

use screening::index::{Index, ListInfo, build};
use screening::matching::query::Query;
use screening::matching::screener::{Options, Screener};
use screening::model::{Entity, EntityKind, Name, NameKind};

/// Bytes of the header, and where the checksum of what follows stands in it.
const HEADER: usize = 24;
const CHECKSUM: usize = 16;

libfuzzer_sys::fuzz_target!(|patches: Vec<(u16, u8)>| {
    let mut entity = Entity::new("1", "fuzz", EntityKind::Person);
    entity.names.push(Name::family_first("PETROV, Ivan Ivanovich", NameKind::Primary));
    let index = build(&[ListInfo { code: "fuzz".to_owned(), version: "1".to_owned() }], &[entity]);
    let mut bytes = index.as_bytes().to_vec();
    for (place, value) in patches {
        let place = HEADER + usize::from(place) % (bytes.len() - HEADER);
        bytes[place] = value;
    }
    let checksum = crc32fast::hash(&bytes[HEADER..]);
    bytes[CHECKSUM..CHECKSUM + 4].copy_from_slice(&checksum.to_le_bytes());
    if let Ok(index) = Index::from_bytes(bytes) {
        let query = Query { name: "Ivan Petrov".to_owned(), ..Query::default() };
        for hit in Screener::new(&index).screen(&query, &Options { min: 0.0, limit: 3 }) {
            assert!(!hit.score.is_nan());
        }
    }
});
