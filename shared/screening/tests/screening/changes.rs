//! What is another in one index than in an earlier one, and what that means for clients and for decisions about them.

use std::collections::BTreeSet;

use screening::index::{Changes, EmptyList, Index, Key, ListInfo, Standing, build};
use screening::matching::query::Query;
use screening::matching::screener::Options;
use screening::model::{BirthDate, Country, Document, Entity, EntityKind, Name, NameKind, Topic};

fn entry(id: &str, name: &str) -> Entity {
    let mut entity = Entity::new(id, "own", EntityKind::Person);
    entity.names.push(Name::new(name, NameKind::Primary));
    entity
}

fn index(entities: &[Entity]) -> Index {
    let lists = ["own", "other"].map(|code| ListInfo { code: code.to_owned(), version: "1".to_owned() });
    build(&lists, entities)
}

fn keys(of: &BTreeSet<Key>) -> Vec<&str> {
    of.iter().map(|(_, id)| id.as_str()).collect()
}

#[test]
fn what_is_new_says_something_else_or_is_gone_is_told_apart() {
    let before = index(&[entry("1", "Ann"), entry("2", "Bob"), entry("3", "Cid"), entry("4", "Dan")]);
    let mut merged = entry("9", "Dan");
    merged.former = vec!["4".to_owned()];
    let now = index(&[entry("3", "Cid"), entry("2", "Rob"), merged, entry("5", "Eve")]);
    let changes = Changes::between(&before, &now).unwrap();
    assert_eq!((keys(&changes.to_screen), keys(&changes.gone)), (vec!["2", "5", "9"], vec!["1", "4"]));
    assert_eq!(Changes::between(&now, &now).unwrap(), Changes::default());
    assert_eq!(now.standing("own", "3"), Standing::Listed);
    assert_eq!(now.standing("own", "4"), Standing::Merged("9".to_owned()));
    assert_eq!(now.standing("own", "1"), Standing::TakenOff);
    assert_eq!(now.standing("other", "4"), Standing::TakenOff, "another list's identifiers are its own");
    assert_eq!(now.standing("nobodys", "1"), Standing::NotAsked);
}

#[test]
fn who_was_merged_into_an_entry_that_was_there_before_is_looked_for_there() {
    let before = index(&[entry("1", "Ann Bell"), entry("2", "Ann Bell")]);
    let mut into = entry("2", "Ann Bell");
    into.former = vec!["1".to_owned()];
    let now = index(&[into]);
    let changes = Changes::between(&before, &now).unwrap();
    assert_eq!((keys(&changes.to_screen), keys(&changes.gone)), (vec!["2"], vec!["1"]));
    let hits = now.screen(&Query { name: "Ann Bell".to_owned(), ..Query::default() }, &Options { min: 0.1, limit: 9 });
    assert_eq!((hits[0].entity_id.as_str(), hits[0].former.clone()), ("2", vec!["1".to_owned()]));
}

#[test]
fn of_one_identifier_several_entries_are_compared() {
    let twice = [entry("1", "Ann"), entry("1", "Bob")];
    let shuffled = [entry("1", "Bob"), entry("1", "Ann")];
    assert_eq!(Changes::between(&index(&twice), &index(&shuffled)).unwrap(), Changes::default());
    let once = Changes::between(&index(&twice), &index(&twice[..1])).unwrap();
    assert_eq!((keys(&once.to_screen), once.gone.len()), (vec!["1"], 0));
}

#[test]
fn a_list_that_has_nobody_any_more_is_a_failure() {
    let other = Entity { list: "other".to_owned(), ..entry("7", "Gil") };
    let before = index(&[entry("1", "Ann"), other.clone()]);
    assert_eq!(Changes::between(&before, &index(std::slice::from_ref(&other))), Err(EmptyList("own".to_owned())));
    // a list that the rules no longer name is not emptied
    let dropped = build(&[ListInfo { code: "other".to_owned(), version: "1".to_owned() }], &[other]);
    let changes = Changes::between(&before, &dropped).unwrap();
    assert_eq!((keys(&changes.to_screen), keys(&changes.gone)), (vec![], vec!["1"]));
    assert_eq!(dropped.standing("own", "1"), Standing::NotAsked);
}

/// Whether a change of an entry has everybody compared with it again, and whether it reopens what was decided about it.
fn tells(change: impl Fn(&mut Entity)) -> (bool, bool) {
    let plain = entry("1", "Ann Bell");
    let mut other = plain.clone();
    change(&mut other);
    let (before, now) = (index(&[plain]), index(&[other]));
    let print = |index: &Index| {
        let query = Query { name: "Ann Bell".to_owned(), ..Query::default() };
        index.screen(&query, &Options { min: 0.0, limit: 1 })[0].fingerprint.clone()
    };
    let compared = !Changes::between(&before, &now).unwrap().to_screen.is_empty();
    (compared, print(&before) != print(&now))
}

#[test]
fn what_is_compared_is_more_than_what_a_decision_depends_on_and_neither_is_all() {
    let country = Country::from_code("ES").unwrap();
    let born = || BirthDate::On("1968".parse().unwrap());
    let passport = Document { kind: "Passport".to_owned(), number: "X-1".to_owned(), country: None };
    assert_eq!(tells(|entity| entity.programmes.push("SDGT".to_owned())), (false, false));
    assert_eq!(tells(|entity| entity.sources.push("us".to_owned())), (false, false));
    assert_eq!(tells(|entity| entity.former.push("0".to_owned())), (false, false));
    assert_eq!(tells(|entity| entity.countries.push(country)), (true, false));
    assert_eq!(tells(|entity| entity.nationalities.push(country)), (true, true));
    assert_eq!(tells(|entity| entity.names.push(Name::new("Anna Bell", NameKind::Weak))), (true, true));
    assert_eq!(tells(|entity| entity.births.push(born())), (true, true));
    assert_eq!(tells(|entity| entity.topics.push(Topic::Pep)), (true, true));
    assert_eq!(tells(|entity| entity.documents.push(passport.clone())), (true, true));
}
