//! The index file: the same bytes for the same lists, and an error of its own for each kind of wrong file.

use screening::index::{Index, IndexError, ListInfo, build};
use screening::matching::query::{Query, QueryKind};
use screening::matching::screener::{Options, Screener};

use crate::common;

fn sample() -> Index {
    let lists = [ListInfo { code: "ofac_sdn".to_owned(), version: "2026-01-01".to_owned() }];
    build(&lists, &common::sample())
}

#[test]
fn the_same_lists_give_the_same_bytes() {
    assert_eq!(sample().as_bytes(), sample().as_bytes());
}

#[test]
fn a_loaded_index_screens_like_the_built_one() {
    let built = sample();
    let loaded = Index::from_bytes(built.as_bytes().to_vec()).unwrap();
    assert_eq!(loaded, built);
    assert_eq!((loaded.entity_count(), loaded.name_count()), (10, 18));
    assert_eq!(loaded.list_version(), "ofac_sdn@2026-01-01");
    let query = Query { name: "Iwan Petrow".to_owned(), kind: Some(QueryKind::Person), ..Query::default() };
    let options = Options { min: 0.0, limit: 5 };
    assert_eq!(Screener::new(&loaded).screen(&query, &options), Screener::new(&built).screen(&query, &options));
}

#[test]
fn wrong_files_are_refused_each_in_its_own_way() {
    let bytes = sample().as_bytes().to_vec();
    let load = |bytes: &[u8]| Index::from_bytes(bytes.to_vec());
    assert_eq!(load(b""), Err(IndexError::Foreign));
    assert_eq!(load(b"id,name\n1,Ivan\n"), Err(IndexError::Foreign));
    let cut = &bytes[..bytes.len() - 1];
    assert_eq!(load(cut), Err(IndexError::Length { found: cut.len(), expected: bytes.len() }));
    let mut other_format = bytes.clone();
    other_format[8] = 99;
    assert!(matches!(load(&other_format), Err(IndexError::Format { found: 99, .. })));
    let mut other_tables = bytes.clone();
    other_tables[12] ^= 1;
    assert_eq!(load(&other_tables), Err(IndexError::Tables));
    for place in (24..bytes.len()).step_by(97) {
        let mut damaged = bytes.clone();
        damaged[place] ^= 0x40;
        assert_eq!(load(&damaged), Err(IndexError::Damaged), "byte {place}");
    }
}

#[test]
fn wrong_numbers_under_a_right_checksum_do_no_harm() {
    let bytes = sample().as_bytes().to_vec();
    let query =
        Query { name: "Ivan Petrov Severnaya".to_owned(), documents: vec!["AB1234567".to_owned()], ..Query::default() };
    for place in (24..bytes.len()).step_by(3) {
        let mut wrong = bytes.clone();
        wrong[place] = wrong[place].wrapping_add(0x81);
        let checksum = crc32fast::hash(&wrong[24..]);
        wrong[16..20].copy_from_slice(&checksum.to_le_bytes());
        if let Ok(index) = Index::from_bytes(wrong) {
            for hit in Screener::new(&index).screen(&query, &Options { min: 0.0, limit: 3 }) {
                assert!((0.0..=1.0).contains(&hit.score), "byte {place}");
            }
        }
    }
}

#[test]
fn a_section_that_is_no_number_of_records_is_damage() {
    let bytes = sample().as_bytes().to_vec();
    // start and length of the second section, the entries
    let length = 24 + 8 + 4;
    for less in [1, 2] {
        let mut wrong = bytes.clone();
        wrong[length] -= less;
        let checksum = crc32fast::hash(&wrong[24..]);
        wrong[16..20].copy_from_slice(&checksum.to_le_bytes());
        assert_eq!(Index::from_bytes(wrong), Err(IndexError::Damaged));
    }
}
