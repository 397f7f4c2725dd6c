//! Runs and parts: begun when lists or the day ask for it, gone on with after any death, and counted.

use domain::client::{CLIENT_LISTS, Client, list_of_clients};
use domain::decision::{Decision, Verdict};
use domain::entity::Entity as _;
use domain::kyc::rescreening::{Failure, PartStage, Rescreening, RunStage, ScreeningPart, Tally, Target};
use domain::kyc::rules::Rescreen;
use domain::{ClientId, Timestamp};

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_seconds(1_795_435_200 + seconds).unwrap()
}

fn target(index: &str) -> Target {
    let text = |text: &str| text.to_owned();
    Target { index: text(index), edition: text("4"), list_version: format!("own@{index}"), rules: text("r") }
}

#[track_caller]
fn change<T: std::fmt::Debug>(verdict: Verdict<T>) -> Decision<T> {
    match verdict {
        Verdict::Change(decision) => *decision,
        Verdict::Nothing(why) => panic!("{why}"),
    }
}

fn wanted(run: &Rescreening, target: &Target, now: i64) -> Verdict<Rescreening> {
    run.wanted(target, &Rescreen::default(), at(now))
}

fn id(number: u128) -> ClientId {
    ClientId::from_bits(number)
}

/// A run that is past the older clients.
fn screening(run: &Rescreening, target: &Target, now: i64) -> Rescreening {
    let begun = change(wanted(run, target, now)).next;
    match begun.facts.stage {
        RunStage::Enlisting => change(begun.enlisted(None, 3, None, at(now))).next,
        _ => begun,
    }
}

fn tally(screened: u32, left_out: u32) -> Tally {
    Tally { screened, left_out, ..Tally::default() }
}

/// A part of a run that looked at so many and counted so many.
fn part(number: u8, run: u32, tally: &Tally, counted: u32) -> ScreeningPart {
    let mut part = ScreeningPart::begun(number, &id(99));
    (part.facts.run, part.facts.tally, part.facts.counted) = (run, tally.clone(), Some(counted));
    part
}

/// The run of one part, ended so.
fn ended(run: &Rescreening, tally: &Tally, counted: u32, now: i64) -> Decision<Rescreening> {
    let number = run.facts.run;
    let split = change(run.has_parts(number, &[3], at(now))).next;
    change(split.took(&part(3, number, tally, counted), at(now)))
}

#[test]
fn a_run_begins_with_the_lists_with_the_day_and_after_one_that_was_not_whole() {
    let none = Rescreening::begun();
    let first = screening(&none, &target("a"), 0);
    assert!(first.facts.base.is_none(), "the first is against everything");
    assert!(matches!(wanted(&first, &target("b"), 10), Verdict::Nothing(_)), "one at a time");
    let whole = ended(&first, &tally(2, 1), 3, 60);
    assert_eq!((whole.next.facts.stage, whole.events), (RunStage::Whole, vec!["rescreening.ended"]));
    let whole = whole.next;
    assert!(matches!(wanted(&whole, &target("a"), 86_399), Verdict::Nothing(_)));
    let daily = change(wanted(&whole, &target("a"), 86_400)).next;
    assert_eq!(
        (daily.facts.stage, daily.facts.base.clone()),
        (RunStage::Screening, Some(target("a"))),
        "nobody is enlisted twice"
    );
    let changed = screening(&whole, &target("b"), 61);
    assert_eq!(changed.facts.base, Some(target("a")), "by what changed since");
    // one that does not add up moves nothing on: the next is by what changed since the one before
    let lacking = ended(&changed, &tally(2, 0), 3, 70).next;
    assert_eq!((lacking.facts.stage, lacking.facts.failure), (RunStage::NotWhole, Some(Failure::CountsDiffer)));
    let again = screening(&lacking, &target("b"), 71);
    assert_eq!(again.facts.base, Some(target("a")));
    // another engine, and other rules, find others
    for other in [Target { edition: "5".to_owned(), ..target("b") }, Target { rules: "s".to_owned(), ..target("b") }] {
        assert!(screening(&whole, &other, 62).facts.base.is_none());
    }
}

#[test]
fn a_run_that_does_not_add_up_is_one_work_item_until_one_does() {
    let first = screening(&Rescreening::begun(), &target("a"), 0);
    let lacking = ended(&first, &tally(2, 0), 3, 60);
    assert_eq!(lacking.events, ["rescreening.ended", "desk.item"]);
    assert_eq!(lacking.next.facts.open.review.as_ref().unwrap().kind, "screening_incomplete");
    let again = ended(&screening(&lacking.next, &target("a"), 61), &tally(2, 0), 3, 70);
    assert_eq!(again.events, ["rescreening.ended"], "the same opens no second one");
    let whole = ended(&screening(&again.next, &target("a"), 71), &tally(3, 0), 3, 80);
    assert_eq!((whole.events, whole.next.facts.failure), (vec!["rescreening.ended", "desk.settled"], None));
    assert!(whole.why[0].contains("3 clients: 3 screened"), "{:?}", whole.why);
    // a name that cannot be compared is a person's, and keeps nobody else waiting
    let mut odd = tally(2, 0);
    odd.cannot_compare(&id(4));
    let told = ended(&screening(&whole.next, &target("b"), 81), &odd, 3, 90).next;
    assert_eq!((told.facts.stage, told.facts.failure), (RunStage::Whole, Some(Failure::NotComparable)));
    assert_eq!(told.tally().named, [id(4)]);
}

#[test]
fn a_part_is_taken_once_and_only_by_its_run() {
    let first = screening(&Rescreening::begun(), &target("a"), 0);
    let split = change(first.has_parts(1, &[1, 2], at(1))).next;
    assert!(matches!(split.has_parts(1, &[1], at(2)), Verdict::Nothing(_)));
    assert!(matches!(split.took(&part(1, 0, &tally(1, 0), 1), at(2)), Verdict::Nothing(_)), "of another run");
    let one = change(split.took(&part(1, 1, &tally(1, 0), 1), at(2))).next;
    assert!(matches!(one.took(&part(1, 1, &tally(1, 0), 1), at(3)), Verdict::Nothing(_)));
    assert_eq!(one.facts.stage, RunStage::Screening);
    let both = change(one.took(&part(2, 1, &tally(4, 2), 6), at(3))).next;
    assert_eq!((both.facts.stage, both.tally()), (RunStage::Whole, tally(5, 2)));
    assert!(matches!(split.took(&part(7, 1, &tally(1, 0), 1), at(2)), Verdict::Nothing(_)), "it is none of the run's");
    // nobody there at all
    let nobody = change(first.has_parts(1, &[], at(1))).next;
    assert_eq!(nobody.facts.stage, RunStage::Whole);
}

#[test]
fn a_run_of_which_nothing_is_heard_is_gone_on_with_and_told_of() {
    let first = screening(&Rescreening::begun(), &target("a"), 0);
    assert!(matches!(first.came_due(at(599)), Verdict::Nothing(_)));
    let on = change(first.came_due(at(600)));
    assert_eq!((on.events, on.next.due), (vec![], Some(at(1_200))));
    let late = change(first.came_due(at(6 * 3_600)));
    assert_eq!((late.events, late.next.facts.failure), (vec!["desk.item"], Some(Failure::Overdue)));
    let failed = change(late.next.failed(1, Failure::ListEmpty, "list own has no entries any more", at(30_000)));
    assert_eq!((failed.next.facts.stage, failed.next.due), (RunStage::NotWhole, None));
    assert_eq!(failed.events, ["rescreening.ended", "desk.item", "desk.settled"]);
    assert!(matches!(failed.next.failed(1, Failure::ListEmpty, "", at(30_001)), Verdict::Nothing(_)));
}

#[test]
fn older_clients_are_looked_for_once_from_where_somebody_left_off() {
    let begun = change(wanted(&Rescreening::begun(), &target("a"), 0)).next;
    assert_eq!(begun.facts.stage, RunStage::Enlisting);
    let some = change(begun.enlisted(None, 7, Some("k".to_owned()), at(1))).next;
    assert!(
        matches!(some.enlisted(None, 7, Some("k".to_owned()), at(2)), Verdict::Nothing(_)),
        "the page is counted once"
    );
    assert!(matches!(some.has_parts(1, &[1], at(2)), Verdict::Nothing(_)), "nobody is screened before all are known");
    let all = change(some.enlisted(Some("k"), 2, None, at(3))).next;
    assert_eq!(
        (all.facts.stage, all.facts.enlistment.clients, all.facts.enlistment.done),
        (RunStage::Screening, 9, true)
    );
}

fn read(part: &ScreeningPart, page: &Tally, last: u128) -> ScreeningPart {
    change(part.goes_on(&part.place().unwrap(), page, &id(last), at(5))).next
}

#[test]
fn a_page_counts_once_whoever_screens_it() {
    let begun = ScreeningPart::begun(3, &id(9));
    let opened = change(begun.opened(1, &id(9), at(0)));
    assert_eq!(opened.events, ["screening_part.opened"]);
    let part = opened.next;
    assert!(matches!(part.opened(1, &id(9), at(1)), Verdict::Nothing(_)));
    let from = part.place().unwrap();
    let one = read(&part, &tally(2, 1), 4);
    assert!(matches!(one.goes_on(&from, &tally(2, 1), &id(4), at(6)), Verdict::Nothing(_)));
    assert_eq!(one.place().unwrap().after, Some(id(4)));
    let two = read(&one, &tally(3, 0), 9);
    assert_eq!(two.facts.tally.seen(), 6);
    let done = change(two.counted(&two.place().unwrap(), 6, at(7)));
    assert_eq!(
        (done.events, done.next.facts.stage, done.next.due),
        (vec!["screening_part.done"], PartStage::Done, None)
    );
    assert!(done.next.place().is_none());
    assert!(matches!(done.next.paused(at(8)), Verdict::Nothing(_)));
    assert_eq!(change(one.given_up()).next.place(), None);
    // the next run begins it anew; one before does not
    assert!(matches!(done.next.opened(1, &id(9), at(9)), Verdict::Nothing(_)));
    let next = change(done.next.opened(2, &id(12), at(9))).next;
    assert_eq!((next.facts.tally.seen(), next.facts.through.clone()), (0, id(12)));
    assert!(
        matches!(next.goes_on(&from, &tally(1, 0), &id(1), at(9)), Verdict::Nothing(_)),
        "a page of the run before"
    );
}

#[test]
fn a_part_that_does_not_add_up_is_read_again_before_it_is_told_of() {
    let mut part = change(ScreeningPart::begun(3, &id(9)).opened(1, &id(9), at(0))).next;
    for _ in 0..2 {
        let short = read(&part, &tally(2, 0), 9);
        let again = change(short.counted(&short.place().unwrap(), 3, at(6)));
        assert_eq!(again.events, ["screening_part.opened"]);
        assert_eq!((again.next.facts.tally.seen(), again.next.private.after.clone()), (0, None));
        part = again.next;
    }
    let short = read(&part, &tally(2, 0), 9);
    let told = change(short.counted(&short.place().unwrap(), 3, at(7))).next;
    assert_eq!((told.facts.stage, told.facts.counted, told.facts.tally.seen()), (PartStage::Done, Some(3), 2));
}

#[test]
fn every_client_stands_in_one_of_the_lists_in_the_order_of_his_id() {
    let body = serde_json::json!({
        "email": "ana.lopez@example.com", "full_name": "Ana López", "date_of_birth": "1990-05-17", "residence": "ES",
        "nationality": "MX", "language": "es",
    });
    let lists: Vec<String> = (0..CLIENT_LISTS).map(list_of_clients).collect();
    let mut used = std::collections::BTreeSet::new();
    for number in 0..400_u128 {
        let client = Client::register(&body, id(number << 64), at(0)).unwrap();
        let (list, place) = client.rank().unwrap();
        assert!(lists.contains(&list), "{list}");
        assert_eq!(place, client.id.as_str());
        used.insert(list);
        assert_eq!(client.enlisted().next, client, "an older client becomes no other one");
    }
    assert_eq!(used.len(), lists.len(), "they are spread over all of them");
}
