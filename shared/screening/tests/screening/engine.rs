//! What the engine finds and what it leaves alone, on the crate's sample list.

use std::sync::LazyLock;

use proptest::prelude::*;
use screening::index::{Index, ListInfo, build};
use screening::matching::dates::DateVerdict;
use screening::matching::facts::Finding;
use screening::matching::query::{Query, QueryKind};
use screening::matching::screener::{Hit, Options, Screener};
use screening::model::{Country, Entity, EntityKind, Gender, Name, NameKind};

use crate::common;

const ALERT: f32 = 0.5;

static ENTITIES: LazyLock<Vec<Entity>> = LazyLock::new(common::sample);

static INDEX: LazyLock<Index> =
    LazyLock::new(|| build(&[ListInfo { code: "ofac_sdn".to_owned(), version: "sample".to_owned() }], &ENTITIES));

fn index() -> &'static Index {
    &INDEX
}

fn person(name: &str, birth: &str) -> Query {
    Query { name: name.to_owned(), kind: Some(QueryKind::Person), birth: birth.parse().ok(), ..Query::default() }
}

fn organisation(name: &str) -> Query {
    Query { name: name.to_owned(), kind: Some(QueryKind::Organisation), ..Query::default() }
}

fn best(index: &Index, query: &Query) -> Option<Hit> {
    Screener::new(index).screen(query, &Options { min: 0.0, limit: 1 }).into_iter().next()
}

#[test]
fn clients_who_are_on_nobodys_list_do_not_alert() {
    let index = index();
    for query in [
        person("Emma Daniels", "1988-01-30"),
        person("Ivan", ""),
        person("Ivan Smirnov", ""),
        person("Maria Gonzalez", ""),
        person("Jonas", ""),
        person("Mohammed Ali", "1980-01-01"),
        person("", "1968-03-18"),
        person("P", "1968-03-18"),
        organisation("Limited Liability Company"),
        organisation("Shipping Co Ltd"),
        organisation("Industrial Group"),
        organisation("Harper-Owen"),
    ] {
        let hit = best(index, &query);
        assert!(hit.as_ref().is_none_or(|hit| hit.score < ALERT), "{}: {hit:?}", query.name);
    }
}

#[test]
fn listed_persons_are_found_however_they_are_written() {
    let index = index();
    for (name, birth, entity) in [
        ("Ivan Sergeyevich Petrov", "1968-03-18", "9001"),
        ("PETROV IVAN", "1968-03-18", "9001"),
        ("Petrow, Iwan Sergejewitsch", "1968", "9001"),
        ("Ivan Pertov", "1968-03-18", "9001"),
        ("I. S. Petrov", "1968-03-18", "9001"),
        ("Vanya Petrov", "1968-03-18", "9001"),
        ("Ivanpetrov", "1968-03-18", "9001"),
        ("Dr. Ivan S. Petroff", "1969-03-18", "9001"),
        ("Петров Иван", "1968-03-18", "9001"),
        ("ИВАН ПЕТРОВ", "1968-03-18", "9001"),
        ("Ivan P\u{0435}trov", "1968-03-18", "9001"),
        ("\u{202E}Ivan\u{200B} Petrov", "1968-03-18", "9001"),
        ("Ivan Sidorov", "1968-03-18", "9001"),
        ("Abdel Karim Mohamed El Rahimi", "1976", "9002"),
        ("عبد الكريم محمد الرحيمي", "1975-05-01", "9002"),
        ("Lin Wei Ming", "1981-03-09", "9003"),
        ("林伟明", "1981-03-09", "9003"),
        ("강종철", "1961", "9004"),
        ("Gang Jongcheol", "1961-05-05", "9004"),
        ("Maria Fernanda Garcia", "1979-07-11", "9005"),
        ("María F. García Montoya", "1979-11-07", "9005"),
    ] {
        let hit = best(index, &person(name, birth)).unwrap();
        assert_eq!(hit.entity_id, entity, "{name}: {hit:?}");
        assert!(hit.score >= ALERT, "{name}: {hit:?}");
    }
}

#[test]
fn listed_organisations_are_found_however_they_are_written() {
    let index = index();
    for (name, entity) in [
        ("Severnaya Zvezda", "9006"),
        ("Severnaya Zvezda LLC", "9006"),
        ("OOO \"Severnaya Zvezda\"", "9006"),
        ("ООО «Северная Звезда»", "9006"),
        ("Obshchestvo s ogranichenoi otvetstvenostyu Severnaya Zvezda", "9006"),
        ("Blue Harbour Shiping Limited", "9007"),
        ("BlueHarbour Shipping", "9007"),
        ("Pars Novin Ind. Grp", "9008"),
    ] {
        let hit = best(index, &organisation(name)).unwrap();
        assert_eq!(hit.entity_id, entity, "{name}: {hit:?}");
        assert!(hit.score >= ALERT, "{name}: {hit:?}");
    }
}

#[test]
fn kinds_are_not_scored_against_each_other() {
    let index = index();
    assert!(best(index, &person("Northern Dawn", "")).is_none_or(|hit| hit.score < ALERT));
    let craft = Query { name: "Northern Dawn".to_owned(), kind: Some(QueryKind::Craft), ..Query::default() };
    assert_eq!(best(index, &craft).unwrap().entity_id, "9009");
}

#[test]
fn dates_of_birth_raise_and_lower_and_are_reported() {
    let index = index();
    let hit = |birth| best(index, &person("Ivan Sergeyevich Petrov", birth)).unwrap();
    let (equal, none, other) = (hit("1968-03-18"), hit(""), hit("1991-07-02"));
    assert!(equal.score > none.score && none.score > other.score);
    assert!(other.score < ALERT, "a namesake with another date does not alert: {other:?}");
    assert_eq!(
        (equal.date_of_birth, none.date_of_birth, other.date_of_birth),
        (DateVerdict::Match, DateVerdict::Unknown, DateVerdict::Contradicts)
    );
    assert_eq!(equal.name_score, other.name_score, "the name score is the name's alone");
}

#[test]
fn weak_aliases_only_confirm() {
    let index = index();
    assert!(best(index, &person("Jonas", "")).is_none_or(|hit| hit.score < ALERT));
    assert!(best(index, &person("Jonas", "1991-07-02")).is_none_or(|hit| hit.score < ALERT));
}

#[test]
fn countries_gender_and_documents_count() {
    let index = index();
    let plain = person("Ivan Petrov", "");
    let score = |query: &Query| best(index, query).unwrap().score;
    let with_country = |code| Query { countries: vec![Country::from_code(code).unwrap()], ..plain.clone() };
    assert!(score(&with_country("RU")) > score(&with_country("BR")));
    let with_gender = |gender| Query { gender: Some(gender), ..plain.clone() };
    assert!(score(&with_gender(Gender::Male)) > score(&with_gender(Gender::Female)));
    let named_otherwise = Query { documents: vec!["ab 1234567".to_owned()], ..person("Xaver Unbekannt", "") };
    let hit = best(index, &named_otherwise).unwrap();
    assert_eq!((hit.entity_id.as_str(), hit.document), ("9001", Finding::Match));
    assert!(hit.score >= ALERT, "{hit:?}");
}

#[test]
fn the_reasons_are_in_words() {
    let query = Query { countries: vec![Country::from_code("ru").unwrap()], ..person("Iwan Petrow", "1968-03-18") };
    let hit = best(index(), &query).unwrap();
    assert_eq!(
        hit.why,
        [
            "listed name: PETROV, Ivan (strong alias)",
            "\"Petrow\" meets \"petrov\": another spelling of the same sounds, 0.10 edits apart; weight 7.5 bits",
            "\"Iwan\" meets \"ivan\": another spelling of the same sounds, 0.10 edits apart; weight 6.5 bits",
            "date of birth: client 1968-03-18, listed 1968-03-18 or 1970: equal: speaks strongly for",
            "country: RU is listed: speaks a little for",
        ]
    );
}

#[test]
fn hits_are_as_the_interface_has_them() {
    let hit = best(index(), &person("Ivan Petrov", "1968")).unwrap();
    let json = serde_json::to_value(&hit).unwrap();
    assert_eq!(json["entity_id"], "9001");
    assert_eq!(json["list"], "ofac_sdn");
    assert_eq!(json["date_of_birth"], "compatible");
    assert_eq!(json["country"], "unknown");
    assert!(json["score"].is_number() && json["name_score"].is_number() && json["why"].is_array());
}

#[test]
fn names_that_are_none_have_a_defined_result() {
    let index = index();
    for name in [
        "",
        " ",
        "a",
        "Ж",
        "...",
        "\u{1F600}\u{1F4A5}",
        "\u{202E}\u{202D}\u{0}",
        "\u{0301}\u{0301}",
        "١٢٣",
        "1968",
        "﷽",
        "ﷺ",
        "ａｂｃ",
        "&&&",
        "------",
    ] {
        let _ = best(index, &person(name, "1968-03-18"));
        let _ = best(index, &organisation(name));
    }
    for long in
        ["x".repeat(10_000), "Ivan ".repeat(2_000), "ش".repeat(10_000), "金".repeat(10_000), "a b ".repeat(2_500)]
    {
        assert!(best(index, &person(&long, "")).is_none_or(|hit| (0.0..=1.0).contains(&hit.score)));
        assert!(best(index, &organisation(&long)).is_none_or(|hit| (0.0..=1.0).contains(&hit.score)));
    }
}

proptest! {
    #[test]
    fn any_text_is_screened_alike_twice_and_scored_between_0_and_1(name in "\\PC{0,60}", year in 1700_i16..2100) {
        let index = index();
        let mut screener = Screener::new(index);
        let query = Query { name, birth: format!("{year}").parse().ok(), ..Query::default() };
        let options = Options { min: 0.0, limit: 10 };
        let first = screener.screen(&query, &options);
        prop_assert!(first.iter().all(|hit| (0.0..=1.0).contains(&hit.score) && (0.0..=1.0).contains(&hit.name_score)));
        prop_assert!(first.windows(2).all(|pair| pair[0].score >= pair[1].score));
        prop_assert_eq!(first, screener.screen(&query, &options));
    }

    #[test]
    fn the_order_of_the_parts_does_not_matter(order in Just(vec!["Maria", "Fernanda", "Garcia", "Montoya"]).prop_shuffle()) {
        let hit = best(index(), &person(&order.join(" "), "1979-11-07")).unwrap();
        prop_assert_eq!(hit.entity_id, "9005");
        prop_assert!(hit.score > 0.9);
    }
}

#[test]
fn a_restricted_screening_finds_only_the_entries_it_is_for_with_their_usual_scores() {
    let index = index();
    let options = Options { min: 0.0, limit: 5 };
    let client = Query { documents: vec!["AB1234567".to_owned()], ..person("Lin Weiming", "1981-03-09") };
    let all = Screener::new(index).screen(&client, &options);
    let mut screener = Screener::new(index);
    screener.restrict(&[("ofac_sdn".to_owned(), "9003".to_owned())].into());
    let restricted = screener.screen(&client, &options);
    assert_eq!(restricted.len(), 1);
    assert_eq!(restricted.first(), all.iter().find(|hit| hit.entity_id == "9003"));
    assert!(all.iter().any(|hit| hit.entity_id == "9001"), "the document finds its entry without the restriction");
}

#[test]
fn a_party_of_another_kind_is_found_by_its_exact_name_only() {
    let index = index();
    let exact = best(index, &person("Blue Harbour Shipping Co., Ltd.", "")).unwrap();
    assert_eq!(exact.entity_id, "9007");
    assert!(best(index, &person("Blue Harbour Shiping", "")).is_none_or(|hit| hit.entity_id != "9007"));
}

#[test]
fn a_name_that_is_cut_says_so() {
    let index = index();
    let hidden = person(&format!("{}Ivan Sergeyevich Petrov", "\u{200B}".repeat(600)), "1968-03-18");
    let hit = best(index, &hidden).unwrap();
    assert!(hit.entity_id == "9001" && hit.score >= ALERT && !hit.name_cut && !hidden.is_cut(), "{hit:?}");
    let titles = "Colonel Haji Mullah Qari Doctor General Sheikh ".repeat(4);
    let late = person(&format!("{titles}Ivan Sergeyevich Petrov"), "1968-03-18");
    let hit = best(index, &late).unwrap();
    assert!(hit.entity_id == "9001" && !hit.name_cut, "thirty-one parts are looked at: {hit:?}");
    let endless = person(&format!("Ivan Petrov {}", "Aa ".repeat(40)), "1968-03-18");
    assert!(endless.is_cut() && best(index, &endless).is_none_or(|hit| hit.name_cut));
}

#[test]
fn every_name_of_the_sample_finds_its_entry() {
    for entity in &*ENTITIES {
        for name in entity.names.iter().filter(|name| name.kind != NameKind::Weak) {
            let kind = match entity.kind {
                EntityKind::Person => QueryKind::Person,
                EntityKind::Organisation => QueryKind::Organisation,
                EntityKind::Vessel | EntityKind::Aircraft => QueryKind::Craft,
            };
            let query = Query { name: name.text.clone(), kind: Some(kind), ..Query::default() };
            let hit = best(index(), &query).unwrap();
            assert!(hit.entity_id == entity.id && hit.score >= ALERT, "{}: {hit:?}", name.text);
        }
    }
}

#[test]
fn words_written_as_one_and_acronyms_do_not_take_the_place_of_the_words_themselves() {
    let named = |id: &str, kind, names: &[&str]| {
        let mut entity = Entity::new(id, "own", kind);
        entity.names = names.iter().map(|name| Name::new(*name, NameKind::Strong)).collect();
        entity
    };
    let mut entities = vec![
        named("1", EntityKind::Vessel, &["BLUE WAY", "BLUEWAY STAR"]),
        named("2", EntityKind::Organisation, &["China General Nuclear Power Corporation (CGNPC)"]),
    ];
    // so that the words are as common as in a list
    let common = ["BLUE SEA", "BLUE STAR", "SILK WAY", "MILKY WAY", "NUCLEAR POWER", "CHINA GENERAL", "GENERAL POWER"];
    for (number, name) in (10..).zip(common) {
        entities.push(named(&number.to_string(), EntityKind::Vessel, &[name]));
        entities.push(named(&(number + 10).to_string(), EntityKind::Organisation, &[name]));
    }
    let index = build(&[], &entities);
    for (name, kind, id) in [
        ("BLUE WAY", QueryKind::Craft, "1"),
        ("China General Nuclear Power Corporation (CGNPC)", QueryKind::Organisation, "2"),
    ] {
        let query = Query { name: name.to_owned(), kind: Some(kind), ..Query::default() };
        let hit = best(&index, &query).unwrap();
        assert_eq!(hit.entity_id, id);
        assert!(!hit.why.iter().any(|why| why.contains("meets nothing")), "{hit:?}");
    }
}
