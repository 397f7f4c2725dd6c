//! The parsers on the real lists, where they lie beside the workspace: the counts of their README. Without them the tests say that they did
//! not run; what a parser does with each form of row is tested on samples in `samples.rs`.

#![expect(clippy::print_stdout, reason = "a test that does not run says so")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use screening::index::build;
use screening::lists::Loaded;
use screening::lists::delta::Delta;
use screening::lists::folder;
use screening::lists::format::Format;
use screening::lists::ofac_csv::{OfacFiles, read};
use screening::lists::pep_csv;
use screening::matching::features::Features;
use screening::matching::query::{Query, QueryKind};
use screening::matching::screener::{Examined, Screener};
use screening::model::{BirthDate, Entity, EntityKind, NameKind};

/// The folder of the lists, or nothing and a word about it.
fn lists() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/watchlists");
    if !folder.is_dir() {
        println!("not run: there are no real lists in {}", folder.display());
        return None;
    }
    Some(folder)
}

fn bytes(path: &Path) -> Vec<u8> {
    let mut bytes = Vec::new();
    std::io::Read::read_to_end(&mut std::fs::File::open(path).unwrap(), &mut bytes).unwrap();
    bytes
}

fn ofac(folder: &Path, names: [&str; 4]) -> Loaded {
    let [primary, aliases, addresses, comments] = names.map(|name| bytes(&folder.join(name)));
    read(&OfacFiles {
        list: "ofac",
        primary: &primary,
        aliases: Some(&aliases),
        addresses: Some(&addresses),
        comments: Some(&comments),
    })
    .unwrap()
}

fn count(loaded: &Loaded, kind: EntityKind) -> usize {
    loaded.entities.iter().filter(|entity| entity.kind == kind).count()
}

fn single(path: &Path, format: Format) -> Loaded {
    let bytes = bytes(path);
    assert_eq!(Format::detect(&bytes), Some(format), "{}", path.display());
    format.read(format.code(), &bytes).unwrap()
}

#[test]
fn ofac_sdn_has_its_14965_entries() {
    let Some(folder) = lists() else { return };
    let loaded = ofac(&folder.join("ofac"), ["sdn.csv", "alt.csv", "add.csv", "sdn_comments.csv"]);
    assert_eq!(loaded.rows, 14_965);
    assert_eq!(count(&loaded, EntityKind::Person), 6_854);
    assert_eq!(count(&loaded, EntityKind::Organisation), 6_884);
    assert_eq!(count(&loaded, EntityKind::Vessel), 851);
    assert_eq!(count(&loaded, EntityKind::Aircraft), 376);
    let persons: Vec<&Entity> = loaded.entities.iter().filter(|entity| entity.kind == EntityKind::Person).collect();
    let without = persons.iter().filter(|person| person.births.is_empty()).count();
    let weak = persons.iter().filter(|person| person.names.iter().any(|name| name.kind == NameKind::Weak)).count();
    assert!(
        (110..=125).contains(&without),
        "{without} persons without date of birth, some of them in the overflow file"
    );
    assert!((990..=1_030).contains(&weak), "{weak} persons with weak aliases");
    let about =
        persons.iter().flat_map(|person| &person.births).filter(|birth| matches!(birth, BirthDate::About(_))).count();
    assert!(about >= 70, "{about} dates that are about right");
    assert!(loaded.faults.len() < 10, "{:?}", loaded.faults);
}

#[test]
fn ofac_of_2021_is_complete_and_of_one_day() {
    let Some(folder) = lists() else { return };
    let loaded = ofac(&folder.join("ofac-2021-07"), ["sdn.csv", "alt.csv", "add.csv", "sdn_comments.csv"]);
    assert_eq!(loaded.rows, 8_976);
    let aliases: usize = loaded.entities.iter().map(|entity| entity.names.len() - 1).sum();
    assert!(aliases >= 11_800, "{aliases} aliases of 11 910, less those that repeat a name");
}

#[test]
fn ofac_consolidated_is_the_same_list_in_both_layouts() {
    let Some(folder) = lists() else { return };
    let folder = folder.join("ofac");
    assert_eq!(ofac(&folder, ["cons_prim.csv", "cons_alt.csv", "cons_add.csv", "cons_comments.csv"]).rows, 442);
    let xml = single(&folder.join("cons-2025-03-28.xml"), Format::OfacXml);
    assert_eq!(xml.rows, 443);
    assert_eq!(xml.published.as_deref(), Some("2025-03-28"));
    assert!(xml.entities.iter().flat_map(|entity| &entity.names).any(|name| name.kind == NameKind::Weak));
}

#[test]
fn a_folder_with_old_versions_loads_each_list_once() {
    let Some(path) = lists() else { return };
    let path = path.join("ofac");
    let names: Vec<String> =
        std::fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    let folder = folder::load(&names, &[], |name| Ok::<_, std::io::Error>(bytes(&path.join(name)))).unwrap();
    assert_eq!(folder.lists.iter().map(|list| list.code.as_str()).collect::<Vec<_>>(), ["ofac_sdn", "ofac_cons"]);
    assert_eq!(folder.entities.len(), 14_965 + 442);
    assert_eq!(folder.notes.len(), 3, "{:?}", folder.notes);
}

#[test]
fn daily_deltas_are_found() {
    let Some(folder) = lists() else { return };
    let day = |name: &str| {
        let primary = bytes(&folder.join("ofac").join(name));
        read(&OfacFiles { list: "ofac_sdn", primary: &primary, aliases: None, addresses: None, comments: None })
            .unwrap()
            .entities
    };
    let (april, second, third) = (day("sdn-2024-04-26.csv"), day("sdn-2024-05-02.csv"), day("sdn.csv"));
    let week = Delta::between(&april, &second);
    assert_eq!((week.added.len(), week.removed.len(), week.changed.len()), (305, 0, 0));
    let night = Delta::between(&second, &third);
    assert_eq!((night.added.len(), night.removed.len(), night.changed.len()), (0, 8, 0));
}

#[test]
fn the_uns_list_has_its_730_individuals_and_273_entities() {
    let Some(folder) = lists() else { return };
    let loaded = single(&folder.join("un/UN_consolidated-2026-02-27.xml"), Format::UnXml);
    assert_eq!((count(&loaded, EntityKind::Person), count(&loaded, EntityKind::Organisation)), (730, 273));
    assert_eq!(loaded.published.as_deref(), Some("2026-02-27"));
    assert_eq!(loaded.faults.len(), 3, "dates in words that were dropped in silence: {:?}", loaded.faults);
}

#[test]
fn the_uks_list_has_its_5302_rows() {
    let Some(folder) = lists() else { return };
    let loaded = single(&folder.join("uk/uk_sanctions_list-2025-08-11.csv"), Format::UkShort);
    assert_eq!(loaded.rows, 5_302);
    assert_eq!(loaded.faults.len(), 2, "two rows have no name: {:?}", loaded.faults);
    assert_eq!(loaded.entities.len(), 5_300);
}

#[test]
fn the_uss_consolidated_list_has_its_14160_rows() {
    let Some(folder) = lists() else { return };
    let loaded = single(&folder.join("us-csl/consolidated.csv"), Format::UsCsl);
    assert_eq!(loaded.rows, 14_160);
    let ids: BTreeSet<(&str, EntityKind)> =
        loaded.entities.iter().map(|entity| (entity.id.as_str(), entity.kind)).collect();
    assert_eq!(ids.len(), loaded.entities.len(), "a party on several lists is one entry");
    let all: BTreeSet<&str> = ids.iter().map(|(id, _)| *id).collect();
    let nameless = loaded.faults.iter().filter(|fault| fault.reason.contains("no name")).count();
    assert_eq!(all.len() + nameless, 14_160 - 112);
    let kinds = |name: &str| {
        let own = loaded.entities.iter().filter(|entity| entity.primary_name().trim() == name);
        own.map(|entity| entity.kind).collect::<Vec<_>>()
    };
    assert!(kinds("AL NASER AIRLINES").iter().all(|kind| *kind == EntityKind::Organisation));
    assert!(kinds("Farzad Fazil Karim").contains(&EntityKind::Person));
    assert!(kinds("Chen Qingchang").contains(&EntityKind::Person));
    let sdn =
        loaded.entities.iter().filter(|entity| entity.programmes.iter().any(|source| source.contains("(SDN)"))).count();
    assert_eq!(sdn, 10_026);
}

#[test]
fn the_lists_of_exposed_persons_have_their_rows() {
    let Some(folder) = lists() else { return };
    let folder = folder.join("pep");
    assert_eq!(single(&folder.join("us-congress-current.csv"), Format::PepCongress).rows, 537);
    let mut legislators = single(&folder.join("wikidata-international-legislators.csv"), Format::PepHolders);
    assert_eq!(legislators.rows, 4_850);
    assert_eq!(
        pep_csv::add_facts(&mut legislators.entities, &bytes(&folder.join("wikidata-bio.csv"))).unwrap().rows,
        3_764
    );
    assert!(legislators.entities.iter().filter(|entity| !entity.births.is_empty()).count() > 3_000);
    assert_eq!(single(&folder.join("wikidata-international-office-holders.csv"), Format::PepHolders).rows, 130);
    assert_eq!(single(&folder.join("wikidata-world-leaders-2021.csv"), Format::PepLeaders).rows, 424);
}

/// What a name says in bits, and whether it is one name only: `Ivan`, `Haji Juma`. Such names are too common to find anybody by.
fn says_little(features: &Features) -> bool {
    let bits = features.evidence_to_8 + features.evidence_to_14 + features.evidence_to_20;
    features.one_name_only > 0.0 || bits < TELLING_BITS
}

const TELLING_BITS: f32 = 11.0;
/// So many of the names are screened.
const EVERY: usize = 8;

/// The names, but for weak aliases, that find neither their entry nor an equal name and are not too common for it.
fn lost(entities: &[Entity], every: usize) -> Vec<(String, Option<Examined>)> {
    let index = build(&[], entities);
    let mut screener = Screener::new(&index);
    let names = entities.iter().flat_map(|entity| entity.names.iter().map(move |name| (entity, name)));
    let mut lost = Vec::new();
    for (entity, name) in names.filter(|(_, name)| name.kind != NameKind::Weak).step_by(every) {
        let kind = match entity.kind {
            EntityKind::Person => QueryKind::Person,
            EntityKind::Organisation => QueryKind::Organisation,
            EntityKind::Vessel | EntityKind::Aircraft => QueryKind::Craft,
        };
        let query = Query { name: name.text.clone(), kind: Some(kind), ..Query::default() };
        let best = screener.examine(&query).into_iter().next();
        if !best.as_ref().is_some_and(|best| best.logits >= 0.0 || says_little(&best.features)) {
            lost.push((name.text.clone(), best));
        }
    }
    lost
}

/// The name that a client gives: what stands in brackets or behind a semicolon is not a part of it. An own rule, so that it is not the
/// parser's that is compared with itself.
fn without_remarks(name: &str) -> String {
    let mut depth = 0_usize;
    let mut plain = String::new();
    for letter in name.chars() {
        match letter {
            '(' | '[' => depth += 1,
            ')' | ']' => depth = depth.saturating_sub(1),
            ';' if depth == 0 => break,
            _ if depth == 0 => plain.push(letter),
            _ => {}
        }
    }
    let plain = plain.trim_start_matches("So-called ").trim().to_owned();
    // (HONG KONG) in the middle of two words is a part of the name
    let least = if name.trim_end().ends_with([')', ']']) || name.contains(';') { 2 } else { 3 };
    if plain.split_whitespace().count() >= least { plain } else { name.to_owned() }
}

/// Entries, and how many of them their own names find, say too little to find, and do not find.
#[derive(Debug, PartialEq, Eq)]
struct Found {
    entries: usize,
    looked_for: usize,
    too_common: usize,
    lost: Vec<String>,
}

/// Looks for every entry whose name holds more than a name, and for every one of so many of the others.
fn found(entities: &[Entity], every: usize) -> Found {
    let index = build(&[], entities);
    let mut screener = Screener::new(&index);
    let mut found = Found { entries: entities.len(), looked_for: 0, too_common: 0, lost: Vec::new() };
    for (number, entity) in entities.iter().enumerate() {
        let longer = entity.names.iter().find(|name| name.text.contains(['(', '[', ';', '"']));
        if number % every > 0 && longer.is_none() {
            continue;
        }
        let kind = match entity.kind {
            EntityKind::Person => QueryKind::Person,
            EntityKind::Organisation => QueryKind::Organisation,
            EntityKind::Vessel | EntityKind::Aircraft => QueryKind::Craft,
        };
        found.looked_for += 1;
        let name = without_remarks(entity.primary_name());
        let query = Query { name: name.clone(), kind: Some(kind), ..Query::default() };
        let best = screener.examine(&query).into_iter().next();
        match best {
            Some(best) if best.logits >= 0.0 => {}
            Some(best) if says_little(&best.features) => found.too_common += 1,
            _ => found.lost.push(name),
        }
    }
    found
}

#[test]
fn every_entry_of_every_list_is_found_by_its_own_name_without_its_remarks() {
    let Some(path) = lists() else { return };
    let ofac_names = ["sdn.csv", "alt.csv", "add.csv", "sdn_comments.csv"];
    let consolidated = ["cons_prim.csv", "cons_alt.csv", "cons_add.csv", "cons_comments.csv"];
    let file = |name: &str, format| single(&path.join(name), format).entities;
    let lists = [
        ("OFAC SDN", ofac(&path.join("ofac"), ofac_names).entities, EVERY),
        ("OFAC consolidated", ofac(&path.join("ofac"), consolidated).entities, 1),
        ("OFAC consolidated, XML", file("ofac/cons-2025-03-28.xml", Format::OfacXml), 1),
        ("UN", file("un/UN_consolidated-2026-02-27.xml", Format::UnXml), 1),
        ("UK", file("uk/uk_sanctions_list-2025-08-11.csv", Format::UkShort), EVERY),
        ("US consolidated", file("us-csl/consolidated.csv", Format::UsCsl), EVERY),
        ("Congress", file("pep/us-congress-current.csv", Format::PepCongress), 1),
        ("legislators", file("pep/wikidata-international-legislators.csv", Format::PepHolders), EVERY),
        ("office holders", file("pep/wikidata-international-office-holders.csv", Format::PepHolders), 1),
        ("leaders", file("pep/wikidata-world-leaders-2021.csv", Format::PepLeaders), 1),
    ];
    let mut lost = Vec::new();
    for (name, entities, every) in lists {
        let found = found(&entities, every);
        println!(
            "{name}: {} entries, {} looked for, {} too common to be found, {} lost",
            found.entries,
            found.looked_for,
            found.too_common,
            found.lost.len()
        );
        assert!(found.too_common * TOO_COMMON_ONE_IN <= found.entries, "{name}: {} too common", found.too_common);
        lost.extend(found.lost.into_iter().map(|lost| format!("{name}: {lost}")));
    }
    assert!(lost.is_empty(), "{lost:#?}");
}

/// One of so many may be an `Ivan` or `Haji Juma`.
const TOO_COMMON_ONE_IN: usize = 20;

#[test]
fn every_listed_name_finds_its_entry() {
    let Some(path) = lists() else { return };
    let mut entities = ofac(&path.join("ofac"), ["sdn.csv", "alt.csv", "add.csv", "sdn_comments.csv"]).entities;
    entities.extend(single(&path.join("un/UN_consolidated-2026-02-27.xml"), Format::UnXml).entities);
    let lost_of_two = lost(&entities, EVERY);
    assert!(lost_of_two.is_empty(), "{}: {lost_of_two:#?}", lost_of_two.len());
    let uk = single(&path.join("uk/uk_sanctions_list-2025-08-11.csv"), Format::UkShort).entities;
    let lost_of_uk = lost(&uk, 1);
    assert!(lost_of_uk.is_empty(), "{}: {lost_of_uk:#?}", lost_of_uk.len());
}
