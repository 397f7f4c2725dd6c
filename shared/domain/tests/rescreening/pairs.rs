//! Pairs: raised once, decided by people, and held until either side says something else.

use std::collections::BTreeMap;

use domain::decision::{Decision, Verdict};
use domain::kyc::case::{Hit, ListKind};
use domain::kyc::rescreening::{Became, ClientScreening, Found, PairState, Rescreened};
use domain::kyc::{CaseFacts, KycCase, Screening, ScreeningState};
use domain::work::HumanDecision;
use domain::{ClientId, Redacted, Seconds, Timestamp};
use proptest::prelude::*;
use serde_json::json;

const FORTNIGHT: Seconds = Seconds(14 * 86_400);

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_seconds(1_795_435_200 + seconds).unwrap()
}

fn client() -> ClientId {
    ClientId::from_bits(7)
}

fn hit(entity_id: &str, entry: &str) -> Hit {
    Hit {
        entity_id: entity_id.to_owned(),
        list: "ofac_sdn".to_owned(),
        of: ListKind::Sanctions,
        score: "0.9100".to_owned(),
        date_of_birth: "match".to_owned(),
        entry: Some(entry.to_owned()),
    }
}

fn found(entity_id: &str, entry: &str) -> Found {
    let hit = hit(entity_id, entry);
    Found { hit, list_version: "v1".to_owned(), why: Redacted::new("PETROV".to_owned()), former: vec![] }
}

fn seen(client: &str, found: &[Found]) -> Rescreened {
    let (list_version, client) = ("ofac_sdn@v1".to_owned(), client.to_owned());
    Rescreened { list_version, client, found: found.to_vec(), became: BTreeMap::new() }
}

fn became(mut seen: Rescreened, entity_id: &str, became: Became) -> Rescreened {
    seen.became.insert(("ofac_sdn".to_owned(), entity_id.to_owned()), became);
    seen
}

#[track_caller]
fn change(verdict: Verdict<ClientScreening>) -> Decision<ClientScreening> {
    match verdict {
        Verdict::Change(decision) => *decision,
        Verdict::Nothing(why) => panic!("{why}"),
    }
}

fn states(screening: &ClientScreening) -> Vec<(&str, PairState)> {
    screening.facts.pairs.iter().map(|pair| (pair.hit.entity_id.as_str(), pair.state)).collect()
}

fn decision(screening: &ClientScreening, action: &str, seconds: i64) -> HumanDecision {
    let item = screening.facts.open.item.clone().unwrap();
    HumanDecision {
        kind: item.kind,
        trigger: Some(item.trigger),
        action: action.to_owned(),
        evidence: None,
        by: "compliance-1".to_owned(),
        approved_by: Some("compliance-2".to_owned()),
        at: at(seconds),
    }
}

/// A client with one open hit.
fn open() -> ClientScreening {
    change(ClientScreening::begun(&client()).rescreened(&seen("c1", &[found("1", "e1")]), None, at(0))).next
}

fn cleared() -> ClientScreening {
    change(open().decided(&decision(&open(), "approve", 5), FORTNIGHT, at(10))).next
}

#[test]
fn who_is_clean_is_remembered_once_and_then_costs_no_write() {
    let first = change(ClientScreening::begun(&client()).rescreened(&seen("c1", &[]), None, at(0)));
    assert_eq!((first.events, first.outcome, first.next.is_as("c1")), (vec![], "screened", true));
    assert!(!ClientScreening::begun(&client()).is_as(""), "nobody was screened as nothing");
    assert!(matches!(first.next.rescreened(&seen("c1", &[]), None, at(9)), Verdict::Nothing(_)));
    // under another name he is remembered so
    assert!(change(first.next.rescreened(&seen("c2", &[]), None, at(9))).next.is_as("c2"));
}

#[test]
fn a_new_hit_is_one_event_and_one_work_item_however_often_it_is_found() {
    let first = change(ClientScreening::begun(&client()).rescreened(&seen("c1", &[found("1", "e1")]), None, at(0)));
    assert_eq!(first.events, ["screening.hit", "desk.item"]);
    assert_eq!(first.next.facts.raised[0].hit.entity_id, "1");
    assert_eq!(first.next.facts.open.review.as_ref().unwrap().kind, "kyc_hit");
    assert!(matches!(first.next.rescreened(&seen("c1", &[found("1", "e1")]), None, at(9)), Verdict::Nothing(_)));
    // what was not compared this time stays
    assert!(matches!(first.next.rescreened(&seen("c1", &[]), None, at(9)), Verdict::Nothing(_)));
    // an open one that says something else is seen as it is now, and is no second one
    let other = change(first.next.rescreened(&seen("c1", &[found("1", "e2")]), None, at(9)));
    assert_eq!((other.events, other.next.facts.open.item.clone()), (vec![], first.next.facts.open.item.clone()));
    assert!(other.next.facts.raised.is_empty());
    // another entry is: one item is about both
    let both = change(first.next.rescreened(&seen("c1", &[found("1", "e1"), found("2", "e1")]), None, at(9)));
    assert_eq!(both.events, ["screening.hit", "desk.item", "desk.settled"]);
    assert_eq!(both.next.facts.raised.iter().map(|pair| pair.hit.entity_id.as_str()).collect::<Vec<_>>(), ["2"]);
    assert_eq!(both.next.facts.open.settled, [first.next.facts.open.item.unwrap()]);
    assert!(both.why[0].contains("newer item"), "the item that closes says why: {:?}", both.why);
}

#[test]
fn the_public_part_names_nobody() {
    let (public, private) = domain::entity::write(&open()).unwrap();
    assert!(!public.contains("PETROV") && !public.contains("c1"), "{public}");
    assert!(private.unwrap().contains("PETROV"));
}

#[test]
fn a_decision_holds_until_either_side_says_something_else() {
    let cleared = cleared();
    assert_eq!(states(&cleared), [("1", PairState::Cleared)]);
    let by = cleared.facts.pairs[0].decided.clone().unwrap();
    assert_eq!((by.by.as_str(), by.approved_by.as_deref()), ("compliance-1", Some("compliance-2")));
    for (client, entry, raised) in [("c1", "e1", false), ("c1", "e2", true), ("c2", "e1", true), ("c2", "e2", true)] {
        let verdict = cleared.rescreened(&seen(client, &[found("1", entry)]), None, at(20));
        let again = match verdict {
            Verdict::Change(decision) => decision.events.contains(&"screening.hit"),
            Verdict::Nothing(_) => false,
        };
        assert_eq!(again, raised, "{client} {entry}");
    }
    let again = change(cleared.rescreened(&seen("c1", &[found("1", "e2")]), None, at(20)));
    assert!(
        again.why[0].contains("cleared") && again.why[0].contains("the entry says something else"),
        "{:?}",
        again.why
    );
    // a score that moved a little is no other entry
    let mut other = found("1", "e1");
    other.hit.score = "0.9000".to_owned();
    assert_eq!(change(cleared.rescreened(&seen("c1", &[other]), None, at(20))).events, [""; 0]);
}

#[test]
fn what_was_decided_of_an_entry_is_decided_of_the_one_that_it_was_merged_into() {
    let merged = Found { former: vec!["1".to_owned(), "0".to_owned()], ..found("9", "e1") };
    let same = change(cleared().rescreened(&seen("c1", std::slice::from_ref(&merged)), None, at(20)));
    assert_eq!((same.events, states(&same.next)), (vec![], vec![("9", PairState::Cleared)]));
    // merged, and says something else now
    let other = Found { hit: hit("9", "e2"), ..merged };
    let raised = change(cleared().rescreened(&seen("c1", &[other]), None, at(20)));
    assert_eq!(
        (raised.events, states(&raised.next)),
        (vec!["screening.hit", "desk.item"], vec![("9", PairState::Open)])
    );
    // an identifier of another list is another one's
    let mut elsewhere = Found { former: vec!["1".to_owned()], ..found("9", "e1") };
    elsewhere.hit.list = "un_sc".to_owned();
    assert!(change(cleared().rescreened(&seen("c1", &[elsewhere]), None, at(20))).events.contains(&"screening.hit"));
}

#[test]
fn a_delisting_ends_an_open_hit_and_says_so() {
    for (what, word) in [
        (Became::TakenOff, "taken off its list"),
        (Became::Unlike, "no longer like the client"),
        (Became::Merged, "merged"),
        (Became::NotAsked, "not used any more"),
    ] {
        let ended = change(open().rescreened(&became(seen("c1", &[]), "1", what), None, at(20)));
        assert_eq!(ended.events, ["screening.ended", "desk.settled"]);
        assert!(ended.why[0].contains(word) && ended.why[0].contains("ofac_sdn 1"), "{:?}", ended.why);
        assert_eq!((ended.next.facts.ended[0].was, ended.next.facts.pairs.len()), (PairState::Open, 0));
        assert!(ended.next.facts.open.item.is_none() && ended.next.inner.why.is_empty());
    }
    // what nobody was asked about ends quietly in the journal, with an event and without the desk
    let ended = change(cleared().rescreened(&became(seen("c1", &[]), "1", Became::TakenOff), None, at(20)));
    assert_eq!((ended.events, ended.next.facts.ended[0].was), (vec!["screening.ended"], PairState::Cleared));
    // one of two: the item is still about the other
    let two = change(open().rescreened(&seen("c1", &[found("1", "e1"), found("2", "e1")]), None, at(9))).next;
    let one = change(two.rescreened(&became(seen("c1", &[]), "1", Became::TakenOff), None, at(20)));
    assert_eq!((one.events, states(&one.next)), (vec!["screening.ended"], vec![("2", PairState::Open)]));
    assert_eq!(one.next.facts.open.item, two.facts.open.item);
    // and who is listed again after that is raised again
    let gone = change(cleared().rescreened(&became(seen("c1", &[]), "1", Became::TakenOff), None, at(20))).next;
    assert!(change(gone.rescreened(&seen("c1", &[found("1", "e1")]), None, at(30))).events.contains(&"screening.hit"));
}

fn case(screened_as: &str, hits: &[Hit]) -> KycCase {
    let facts: CaseFacts =
        serde_json::from_value(json!({"status": "in_review", "created_at": at(-9), "documents": []})).unwrap();
    let mut case = KycCase { facts, ..KycCase::begun(client(), at(-9)) };
    let state = if hits.is_empty() { ScreeningState::Clear } else { ScreeningState::Hits };
    case.facts.screening = Screening { state, list_version: None, hits: hits.to_vec(), cleared: vec![] };
    case.inner.screened_as = Some(screened_as.to_owned());
    case
}

#[test]
fn what_the_clients_case_has_is_not_raised_a_second_time() {
    let of_case = case("c1", &[hit("1", "e1")]);
    let seen_it = |client: &str, entry: &str| {
        let fresh = ClientScreening::begun(&client_id());
        change(fresh.rescreened(&seen(client, &[found("1", entry)]), Some(&of_case), at(0)))
    };
    let quiet = seen_it("c1", "e1");
    assert_eq!((quiet.events, states(&quiet.next)), (vec![], vec![("1", PairState::WithCase)]));
    assert!(matches!(
        quiet.next.rescreened(&seen("c1", &[found("1", "e1")]), Some(&of_case), at(9)),
        Verdict::Nothing(_)
    ));
    assert_eq!(seen_it("c1", "e2").events[0], "screening.hit", "the entry says something else than the case knew");
    assert_eq!(seen_it("c2", "e1").events[0], "screening.hit", "the client is another than the case knew");
    let later = change(quiet.next.rescreened(&seen("c1", &[found("1", "e2")]), Some(&of_case), at(9)));
    assert_eq!(later.events[0], "screening.hit");
}

fn client_id() -> ClientId {
    client()
}

#[test]
fn people_decide_about_all_that_is_open_and_about_nothing_else() {
    let two = change(open().rescreened(&seen("c1", &[found("1", "e1"), found("2", "e1")]), None, at(9))).next;
    for (action, state) in
        [("approve", PairState::Cleared), ("reject", PairState::Confirmed), ("request_documents", PairState::Asked)]
    {
        let decided = change(two.decided(&decision(&two, action, 10), FORTNIGHT, at(10)));
        assert_eq!(decided.events, ["screening.decided"]);
        assert!(decided.next.facts.pairs.iter().all(|pair| pair.state == state && pair.since == at(10)));
        assert!(decided.next.facts.open.item.is_none());
        // the same decision again is about nothing
        assert!(matches!(decided.next.decided(&decision(&two, action, 10), FORTNIGHT, at(11)), Verdict::Nothing(_)));
    }
    // the item before is not the one that is decided
    assert!(matches!(two.decided(&decision(&open(), "approve", 10), FORTNIGHT, at(10)), Verdict::Nothing(_)));
    // closed without a decision: asked anew
    let anew = change(two.decided(&decision(&two, "resolve", 10), FORTNIGHT, at(10)));
    assert_eq!(anew.events, ["desk.item"]);
    assert_ne!(anew.next.facts.open.item, two.facts.open.item);
    assert_eq!(states(&anew.next), states(&two));
}

#[test]
fn a_hit_for_which_documents_were_asked_comes_back() {
    let asked = change(open().decided(&decision(&open(), "request_documents", 10), FORTNIGHT, at(10))).next;
    assert_eq!(asked.due, Some(at(10).plus(FORTNIGHT)));
    assert!(matches!(asked.came_due(at(10)), Verdict::Nothing(_)));
    let again = change(asked.came_due(at(10).plus(FORTNIGHT)));
    assert_eq!((again.events, states(&again.next)), (vec!["screening.hit", "desk.item"], vec![("1", PairState::Open)]));
    assert_eq!(again.next.due, None);
    // the entry was taken off meanwhile
    let ended = change(asked.rescreened(&became(seen("c1", &[]), "1", Became::TakenOff), None, at(20))).next;
    assert_eq!(ended.due, None);
    // a confirmed one stays, whatever the entry says
    let confirmed = change(open().decided(&decision(&open(), "reject", 10), FORTNIGHT, at(10))).next;
    assert_eq!(change(confirmed.rescreened(&seen("c1", &[found("1", "e2")]), None, at(20))).events, [""; 0]);
}

proptest! {
    #[test]
    fn every_change_is_found_by_nothing_a_second_time(
        entries in proptest::collection::vec((0_u8..5, 0_u8..2), 0..6), next in proptest::collection::vec((0_u8..5, 0_u8..2), 0..6), same in any::<bool>(),
    ) {
        let of = |all: &[(u8, u8)]| {
            let unique: BTreeMap<u8, u8> = all.iter().copied().collect();
            unique.iter().map(|(id, entry)| found(&id.to_string(), &entry.to_string())).collect::<Vec<_>>()
        };
        let step = |screening: ClientScreening, seen: &Rescreened, now: Timestamp| match screening.rescreened(seen, None, now) {
            Verdict::Change(decision) => decision.next,
            Verdict::Nothing(_) => screening,
        };
        let first = step(ClientScreening::begun(&client()), &seen("c1", &of(&entries)), at(0));
        let mut again = seen(if same { "c1" } else { "c2" }, &of(&next));
        for pair in &first.facts.pairs {
            again.became.insert((pair.hit.list.clone(), pair.hit.entity_id.clone()), Became::TakenOff);
        }
        let second = step(first, &again, at(1));
        // who died after saving finds the same
        prop_assert!(matches!(second.rescreened(&again, None, at(2)), Verdict::Nothing(_)));
        // what is known is what was found, and an item is open exactly where a pair is
        prop_assert_eq!(second.facts.pairs.len(), again.found.len());
        let open = second.facts.pairs.iter().any(|pair| pair.state == PairState::Open);
        prop_assert_eq!(open, second.facts.open.item.is_some());
    }
}
