//! What only time brings: shares of the clients on a day that is over, what each day finds again, and cases that nobody decides in time.

use domain::compliance::{
    Alert, CaseAction, CaseStatus, DayPage, DayPart, DayStage, DayTally, Evaluation, Found, Mode, Moment, Scenarios,
    Standing,
};
use domain::decision::{Decision, Verdict};
use domain::entity::Entity as _;
use domain::rules::RuleSet as _;
use domain::work::rules::Priority;
use domain::{ClientId, Day, Seconds, Timestamp};
use proptest::prelude::*;
use serde_json::json;

use crate::cases::{Desk, structured};
use crate::world::{World, anna, at, country, seed};

fn id(number: u128) -> ClientId {
    ClientId::from_bits(number)
}

fn day(text: &str) -> Day {
    text.parse().unwrap()
}

#[track_caller]
fn change<T: std::fmt::Debug>(verdict: Verdict<T>) -> Decision<T> {
    match verdict {
        Verdict::Change(decision) => *decision,
        Verdict::Nothing(why) => panic!("{why}"),
    }
}

fn page(judged: u32, last: u128, counted: Option<u32>) -> DayPage {
    DayPage { tally: DayTally { judged, ..DayTally::default() }, last: Some(id(last)), counted }
}

fn opened(text: &str) -> DayPart {
    let decision = change(DayPart::begun(3, &id(9)).opened(day(text), &id(9), at(text)));
    assert_eq!(decision.events, ["day_part.opened"]);
    decision.next
}

#[test]
fn a_part_is_read_in_pages_and_counts_itself() {
    let now = at("2026-11-23");
    let part = opened("2026-11-22");
    assert!(part.due.is_some_and(|due| due > at("2026-11-22")), "whoever dies on the way is followed");
    let first = part.place().unwrap();
    let after = change(part.goes_on(&first, &page(2, 2, None), now)).next;
    assert!(matches!(after.goes_on(&first, &page(2, 2, None), now), Verdict::Nothing(_)), "the page was saved");
    let second = after.place().unwrap();
    assert_eq!(second.after, Some(id(2)));
    let done = change(after.goes_on(&second, &page(1, 9, Some(3)), now));
    assert_eq!((done.outcome, done.events.len()), ("done", 0));
    assert_eq!((done.next.facts.stage, done.next.facts.counted, done.next.due), (DayStage::Done, Some(3), None));
    assert!(done.next.place().is_none());
}

#[test]
fn a_list_that_was_behind_is_read_again_and_not_for_ever() {
    let now = at("2026-11-23");
    let mut part = opened("2026-11-22");
    for (pass, stage) in [(2, DayStage::Reading), (3, DayStage::Reading), (3, DayStage::Done)] {
        let place = part.place().unwrap();
        assert_eq!(place.after, None, "from the first client on");
        part = change(part.goes_on(&place, &page(2, 9, Some(3)), now)).next;
        assert_eq!((part.facts.pass, part.facts.stage), (pass, stage));
    }
    assert_eq!((part.facts.tally.seen(), part.facts.counted), (2, Some(3)), "and says so");
}

#[test]
fn a_day_that_comes_while_another_is_read_follows_it_and_none_comes_twice() {
    let now = at("2026-11-24");
    let part = opened("2026-11-22");
    for repeated in ["2026-11-22", "2026-11-21"] {
        assert!(matches!(part.opened(day(repeated), &id(9), now), Verdict::Nothing(_)), "{repeated}");
    }
    let waits = change(part.opened(day("2026-11-23"), &id(9), now));
    assert_eq!((waits.outcome, waits.events.len()), ("waits", 0));
    assert!(matches!(waits.next.opened(day("2026-11-23"), &id(9), now), Verdict::Nothing(_)));
    let place = waits.next.place().unwrap();
    let then = change(waits.next.goes_on(&place, &page(1, 9, Some(1)), now));
    assert_eq!((then.next.facts.day, then.events.as_slice()), (day("2026-11-23"), ["day_part.opened"].as_slice()));
    assert_eq!(then.next.facts.tally, DayTally::default());
}

proptest! {
    /// Whoever dies between two pages, and however often a page is saved: each client is counted once.
    #[test]
    fn every_page_counts_once(pages in prop::collection::vec(1_u32..5, 1..8), repeats in prop::collection::vec(1_usize..4, 8)) {
        let now = at("2026-11-23");
        let mut part = opened("2026-11-22");
        let total: u32 = pages.iter().sum();
        for (place_of, count) in pages.iter().enumerate() {
            let from = part.place().unwrap();
            let is_last = place_of + 1 == pages.len();
            let told = page(*count, u128::try_from(place_of).unwrap() + 1, is_last.then_some(total));
            for _ in 0..repeats[place_of] {
                if let Verdict::Change(decision) = part.goes_on(&from, &told, now) {
                    part = decision.next;
                }
            }
        }
        prop_assert_eq!((part.facts.tally.seen(), part.facts.stage), (total, DayStage::Done));
    }
}

/// A hit of a day.
fn of_day(world: &World, rules: &Scenarios, scenario: &str, text: &str) -> Vec<(Alert, Mode)> {
    let moment = Moment::of_day(day(text));
    let scenario = rules.get(scenario).unwrap();
    let now = moment.at.plus(Seconds(600));
    let found = Found {
        scenario,
        client: &world.about.client_id,
        moment: &moment,
        rule_version: "compliance_scenarios@1",
        late_after: rules.late_after,
        now,
    };
    match world.ask_of(rules, &scenario.id, &moment) {
        Evaluation::Hit(looked) => vec![(Alert::of(found, looked), scenario.mode)],
        _ => vec![],
    }
}

/// Somebody who lives in a country that was put on the list on 2026-02-13.
fn listed() -> World {
    let mut world = World::new(anna());
    world.about.residence = country("IR");
    world
}

#[test]
fn what_each_day_finds_again_is_told_once_within_its_cool_down() {
    let (world, rules) = (listed(), crate::world::rules());
    let mut desk = Desk::new();
    for text in ["2025-07-01", "2025-07-02", "2025-12-27"] {
        let found = of_day(&world, rules, "geo_residence", text);
        assert_eq!(found.len(), 1, "{text}");
        assert!(!found[0].0.late, "ten minutes after midnight is not late");
        desk.take(&found, at(text));
    }
    assert_eq!(desk.case().inner.alerts.len(), 1);
    assert_eq!(desk.watch.facts.tallies["geo_residence"].hits, 1);
    // the cool-down of 180 days is over
    desk.take(&of_day(&world, rules, "geo_residence", "2025-12-28"), at("2025-12-29"));
    assert_eq!(desk.case().inner.alerts.len(), 2);
}

#[test]
fn what_was_put_aside_is_told_when_that_is_over() {
    let (world, rules) = (listed(), crate::world::rules());
    let mut desk = Desk::new();
    let snooze = |from: &str, until: &str| domain::compliance::watch::Snooze {
        from: at(from),
        until: at(until),
        by: "ida".to_owned(),
        reason: "known".to_owned(),
    };
    desk.watch = desk.watch.put_aside("geo_residence", snooze("2025-07-01", "2025-07-10")).next;
    for text in ["2025-07-02", "2025-07-03", "2025-07-09"] {
        desk.take(&of_day(&world, rules, "geo_residence", text), at(text));
    }
    assert_eq!((desk.watch.inner.hits.len(), desk.case.is_none()), (1, true), "kept and counted, and no case");
    desk.take(&of_day(&world, rules, "geo_residence", "2025-07-11"), at("2025-07-12"));
    assert_eq!(desk.case().inner.alerts.last().unwrap().standing, Standing::Counts);
}

#[test]
fn an_account_that_sleeps_is_found_by_a_day_and_nothing_else() {
    let mut document = seed("compliance_scenarios");
    for scenario in document["scenarios"].as_array_mut().unwrap() {
        if scenario["id"] == "asleep" {
            scenario["mode"] = json!("shadow");
        }
    }
    let rules = Scenarios::parse(&document).unwrap();
    let mut world = World::new(anna());
    world.deposit("12000.00", "2024-06-01");
    let mut desk = Desk::new();
    for (text, hit) in [("2025-05-30", false), ("2025-06-02", true), ("2025-06-03", true), ("2025-12-30", true)] {
        let found = of_day(&world, &rules, "asleep", text);
        assert_eq!(!found.is_empty(), hit, "{text}");
        desk.take(&found, at(text));
    }
    let tally = &desk.watch.facts.tallies["asleep"];
    assert_eq!((tally.shadow, tally.hits, desk.case.is_none()), (2, 0, true), "once within its cool-down");
    world.trades(1, "0.1", "2025-06-10");
    assert!(of_day(&world, &rules, "asleep", "2025-06-11").is_empty());
}

#[test]
fn a_case_that_nobody_decides_in_time_becomes_more_urgent_once() {
    let (_, mut desk) = structured();
    let case = desk.case().clone();
    let due = case.due().unwrap();
    assert_eq!(due, case.facts.due_at);
    assert!(matches!(case.came_due(due.minus(Seconds(1))), Verdict::Nothing(_)));
    let mut normal = case.clone();
    normal.facts.priority = Priority::Normal;
    let late = change(normal.came_due(due));
    assert_eq!(late.events, Vec::<&str>::new(), "nobody is told");
    assert_eq!((late.next.facts.priority, late.next.facts.due_at), (Priority::High, due));
    assert_eq!(late.next.inner.history.last().unwrap().action, "escalate");
    assert_eq!(late.next.due(), None);
    assert!(matches!(late.next.came_due(due.plus(Seconds(86_400))), Verdict::Nothing(_)), "once");
    // one that is closed is nobody's hurry, and one that is opened again has as long as at first
    let mut closed = case.clone();
    closed.facts.status = CaseStatus::Closed;
    assert_eq!(closed.due(), None);
    let had = due.millis_since(case.facts.opened_at);
    let later: Timestamp = due.plus(Seconds(7 * 86_400));
    desk.case = Some(closed);
    let reason = domain::compliance::CaseRequest {
        action: CaseAction::Reopen,
        reason: Some("another payment".to_owned()),
        until: None,
        scenario: None,
        outcome: None,
    };
    let (verdict, _) = desk.case().act(&reason, "ida", later).unwrap();
    assert_eq!(change(verdict).next.due().unwrap().millis_since(later), had);
}
