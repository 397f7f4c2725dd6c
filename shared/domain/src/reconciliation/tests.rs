//! The comparison as a function: each class at its boundaries, and its laws.

use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::decision::{Decision, Verdict};
use crate::ledger::LedgerAccount;
use crate::{ClientId, Day, EventId, Money, PaymentId, Timestamp};

fn day() -> Day {
    "2026-11-23".parse().unwrap()
}

fn stripe() -> Source {
    Source::Psp("stripe".to_owned())
}

fn at(hour: u32) -> Timestamp {
    day().begins().plus(crate::Seconds(hour * 3_600))
}

fn usd(text: &str) -> Money {
    Money::parse(text, "USD".parse().unwrap()).unwrap()
}

fn eur(text: &str) -> Money {
    Money::parse(text, "EUR".parse().unwrap()).unwrap()
}

fn pay(n: u128) -> PaymentId {
    PaymentId::from_bits(n)
}

fn row(reference: &str, payment: Option<u128>, kind: RowKind, amount: Money) -> SettledRow {
    let amount = if kind.comes_in() { amount } else { amount.negated() };
    SettledRow { line: 2, reference: reference.to_owned(), payment_id: payment.map(pay), names: vec![], kind, amount }
}

fn booked(payment: u128, amount: Money, at: Timestamp) -> Booked {
    let entity = pay(payment).to_string();
    Booked {
        event_id: EventId::derived(&entity, 4, 0),
        against: LedgerAccount::Psp("stripe".to_owned()),
        entity,
        amount,
        at,
    }
}

fn window(rows: Vec<SettledRow>, own: Vec<Booked>) -> Window {
    let today = Side { file: Some(rows.into()), booked: own.into() };
    Window { day: day(), lag: 0, days: vec![Side::default(), today, Side::default()] }
}

fn classes(window: &Window, known: &Known) -> Vec<(BreakClass, String)> {
    let found = compare(&stripe(), window, known, at(13));
    found.into_iter().map(|found| (found.class, found.amount.to_string())).collect()
}

fn known(payment: u128, status: &str, standing: Vec<Standing>) -> Known {
    let state = PaymentState {
        client_id: ClientId::from_bits(1),
        status: status.to_owned(),
        references: vec![format!("re_{payment}")],
        booked: standing,
    };
    Known([(pay(payment), state)].into())
}

#[test]
fn equal_amounts_agree_and_each_difference_has_its_class() {
    use BreakClass as C;
    let paid = |reference: &str, amount| row(reference, Some(1), RowKind::Collected, amount);
    let own = || vec![booked(1, usd("100.00"), at(10))];
    let none = Known::default();
    let of = |rows: Vec<SettledRow>| classes(&window(rows, own()), &none);
    assert_eq!(of(vec![paid("a", usd("100.00"))]), []);
    assert_eq!(of(vec![paid("a", usd("100.01"))]), [(C::Over, "0.01 USD".to_owned())]);
    assert_eq!(of(vec![paid("a", usd("99.99"))]), [(C::Under, "0.01 USD".to_owned())]);
    assert_eq!(of(vec![paid("a", eur("100.00"))]), [(C::Currency, "100.00 EUR".to_owned())]);
    assert_eq!(of(vec![]), [(C::MissingThere, "100.00 USD".to_owned())]);
    let twice = vec![paid("a", usd("100.00")), paid("b", usd("100.00"))];
    assert_eq!(of(twice), [(C::Duplicate, "100.00 USD".to_owned())]);
    // in two parts it is the same money
    assert_eq!(of(vec![paid("a", usd("60.00")), paid("b", usd("40.00"))]), []);
    // a payer's money is no payout
    let out = vec![row("a", Some(1), RowKind::PaidOut, usd("100.00"))];
    assert_eq!(of(out).len(), 2);
    let nobodys = vec![paid("a", usd("100.00")), row("x", None, RowKind::Collected, usd("7.00"))];
    assert_eq!(of(nobodys), [(C::MissingHere, "7.00 USD".to_owned())]);
    // more went out than we booked
    let paid_out = vec![row("a", Some(2), RowKind::PaidOut, usd("110.00"))];
    let owed = vec![booked(2, usd("-100.00"), at(10))];
    assert_eq!(classes(&window(paid_out, owed), &none), [(C::Over, "10.00 USD".to_owned())]);
}

#[test]
fn without_a_file_nothing_is_concluded() {
    let mut no_file = window(vec![], vec![booked(1, usd("100.00"), at(10))]);
    no_file.days[1].file = None;
    assert_eq!(classes(&no_file, &Known::default()), []);
}

#[test]
fn a_day_apart_is_the_same_and_two_are_not() {
    let paid = || row("a", Some(1), RowKind::Collected, usd("100.00"));
    for neighbour in [0, 2] {
        let mut apart = window(vec![paid()], vec![]);
        apart.days[neighbour].booked = vec![booked(1, usd("100.00"), at(10))].into();
        assert_eq!(classes(&apart, &Known::default()), [], "booked on day {neighbour}");
        let mut apart = window(vec![], vec![booked(1, usd("100.00"), at(10))]);
        apart.days[neighbour].file = Some(vec![paid()].into());
        assert_eq!(classes(&apart, &Known::default()), [], "settled on day {neighbour}");
    }
    // the days before and after are not compared with each other
    let mut far = window(vec![], vec![]);
    far.days[0].booked = vec![booked(1, usd("100.00"), at(10))].into();
    far.days[2].file = Some(vec![paid()].into());
    assert_eq!(classes(&far, &Known::default()), []);
}

#[test]
fn what_is_booked_late_waits_for_the_next_file_and_no_longer() {
    let late = |hour| window(vec![], vec![booked(1, usd("100.00"), at(hour))]);
    let waiting = |window: &Window, now| compare(&stripe(), window, &Known::default(), now)[0].waiting;
    assert!(waiting(&late(20), at(23)) && !waiting(&late(19), at(23)));
    assert!(waiting(&late(20), at(71)) && !waiting(&late(20), at(72)));
    let mut next_is_here = late(20);
    next_is_here.days[2].file = Some(vec![].into());
    assert!(!waiting(&next_is_here, at(23)));
}

#[test]
fn what_is_known_of_a_payment_says_what_its_row_is() {
    use BreakClass as C;
    let rows = || window(vec![row("a", Some(1), RowKind::Collected, usd("100.00"))], vec![]);
    let standing = |since, amount| vec![Standing { kind: RowKind::Collected, amount, since }];
    let of = |known: &Known| classes(&rows(), known).into_iter().map(|(class, _)| class).collect::<Vec<_>>();
    assert_eq!(of(&Known::default()), [C::MissingHere]);
    assert_eq!(of(&known(1, "needs_review", vec![])), [C::StatusDiffers]);
    assert_eq!(of(&known(1, "credited", standing(at(24 * 5), usd("100.00")))), [], "booked since");
    assert_eq!(of(&known(1, "credited", standing(at(24 * 5), usd("90.00")))), [C::Late]);
    let long_before = day().begins().minus(crate::Seconds(5 * 86_400));
    assert_eq!(of(&known(1, "credited", standing(long_before, usd("100.00")))), [C::Late]);
}

#[test]
fn a_refund_that_pays_a_withdrawal_is_the_withdrawals() {
    // the row names the deposit, 1, and the provider's id of the refund by which 2 is paid
    let refund = SettledRow { names: vec!["re_2".to_owned()], ..row("t", Some(1), RowKind::PaidBack, usd("30.00")) };
    let window = window(vec![refund], vec![booked(2, usd("-30.00"), at(10))]);
    assert_eq!(classes(&window, &Known::default()).len(), 2);
    assert_eq!(classes(&window, &known(2, "paid_out", vec![])), []);
}

#[test]
fn what_a_vendor_wrote_for_a_reference_is_told_only_if_it_is_one() {
    let of = |reference: &str| {
        let rows = vec![row(reference, None, RowKind::Collected, usd("1.00"))];
        let found = compare(&stripe(), &window(rows, vec![]), &Known::default(), at(13)).remove(0);
        change(Break::begun(&stripe(), day(), &found, at(13)).found(&found, at(13))).next.facts.reference
    };
    assert_eq!(of("txn_1SWabc"), Some("txn_1SWabc".to_owned()));
    for words in ["Marta Keller", "marta@example.com 1", "Marta"] {
        assert_eq!(of(words), None, "{words}");
    }
}

fn change(verdict: Verdict<Break>) -> Decision<Break> {
    match verdict {
        Verdict::Change(decision) => *decision,
        Verdict::Nothing(why) => panic!("{why}"),
    }
}

#[test]
fn a_break_opens_one_item_and_resolves_with_it() {
    let missing =
        |amount| compare(&stripe(), &window(vec![], vec![booked(1, amount, at(10))]), &Known::default(), at(13));
    let found = missing(usd("100.00")).remove(0);
    let opened = change(Break::begun(&stripe(), day(), &found, at(13)).found(&found, at(13)));
    assert_eq!((opened.events.as_slice(), opened.next.facts.status), (["desk.item"].as_slice(), BreakStatus::Open));
    assert!(matches!(opened.next.found(&found, at(14)), Verdict::Nothing(_)), "the same again");
    let other = missing(usd("90.00")).remove(0);
    assert_eq!(other.id, found.id, "of one payment, day and direction");
    let changed = change(opened.next.found(&other, at(15)));
    assert_eq!(changed.events, ["desk.item", "desk.settled"]);
    let resolved = change(changed.next.resolved(at(16)));
    assert_eq!((resolved.events.as_slice(), resolved.next.work_id()), (["desk.settled"].as_slice(), None));
    assert!(matches!(resolved.next.resolved(at(17)), Verdict::Nothing(_)));
    let again = change(resolved.next.found(&other, at(18)));
    assert_eq!((again.events.as_slice(), again.next.facts.found_at), (["desk.item"].as_slice(), at(18)));
}

#[test]
fn a_break_that_waits_asks_nobody_until_it_is_over() {
    let late = window(vec![], vec![booked(1, usd("100.00"), at(22))]);
    let of = |now| compare(&stripe(), &late, &Known::default(), now).remove(0);
    let waits = change(Break::begun(&stripe(), day(), &of(at(23)), at(23)).found(&of(at(23)), at(23)));
    assert_eq!((waits.events.len(), waits.next.facts.status), (0, BreakStatus::Waiting));
    assert!(matches!(waits.next.found(&of(at(24)), at(24)), Verdict::Nothing(_)));
    let asks = change(waits.next.found(&of(at(72)), at(72)));
    assert_eq!((asks.events.as_slice(), asks.next.facts.class), (["desk.item"].as_slice(), BreakClass::MissingThere));
    assert_eq!(asks.next.facts.found_at, at(23), "its age counts from the first");
}

#[test]
fn a_settlement_is_compared_again_while_something_differs_and_not_for_ever() {
    let begun = Settlement::begun(&stripe(), day());
    let next = |verdict: Verdict<Settlement>| match verdict {
        Verdict::Change(decision) => decision.next,
        Verdict::Nothing(why) => panic!("{why}"),
    };
    let differs = next(begun.compared(&[], 2, 0, at(30)));
    assert_eq!(differs.due, Some(at(31)));
    assert!(next(differs.compared(&[], 2, 0, at(31))).due > differs.due, "a due time moves on");
    assert_eq!(next(differs.compared(&[], 2, 0, at(24 * 10))).due, Some(at(24 * 10 + 6)));
    assert_eq!(next(differs.compared(&[], 2, 0, at(24 * 100))).due, None);
    assert_eq!(next(differs.compared(&[], 0, 0, at(31))).due, None);
    let ids = [crate::BreakId::from_bits(1), crate::BreakId::from_bits(2)];
    let named = next(begun.names(&ids));
    assert!(matches!(named.names(&ids), Verdict::Nothing(_)));
    // whatever is sent how often: what stands is kept, of the rest the newest
    let many: Vec<_> = (1..=2_500).map(crate::BreakId::from_bits).collect();
    let kept = next(next(begun.names(&many)).compared(&many[..10], 10, 0, at(30))).private.breaks;
    assert_eq!((kept.len(), &kept[..10], kept.last()), (2_000, &many[..10], many.last()));
}

proptest! {
    /// A file that says what is booked, in any order and split over neighbouring days, differs in nothing.
    #[test]
    fn what_is_booked_and_settled_alike_is_no_difference(
        amounts in prop::collection::vec((1_i64..100_000, 0_usize..3, 0_usize..2), 1..12), reversed: bool,
    ) {
        let mut window = window(vec![], vec![]);
        window.days.iter_mut().for_each(|side| side.file = Some(vec![].into()));
        for (n, (minor, own_day, step)) in (1_u128..).zip(&amounts) {
            let amount = Money::from_minor(*minor, "USD".parse().unwrap()).unwrap();
            let their_day = (own_day + step).min(2);
            Arc::make_mut(&mut window.days[*own_day].booked).push(booked(n, amount, at(10)));
            let row = row(&format!("r{n}"), Some(n), RowKind::Collected, amount);
            Arc::make_mut(window.days[their_day].file.as_mut().unwrap()).push(row);
        }
        if reversed {
            window.days.iter_mut().for_each(|side| Arc::make_mut(side.file.as_mut().unwrap()).reverse());
        }
        prop_assert_eq!(classes(&window, &Known::default()), []);
    }

    /// Whatever is there, ids are unique and the same each time.
    #[test]
    fn a_repeat_finds_the_same(
        rows in prop::collection::vec((1_u128..4, 0_usize..5, 1_i64..4), 0..10),
        own in prop::collection::vec((1_u128..4, -3_i64..4), 0..10),
    ) {
        let usd = "USD".parse().unwrap();
        let rows = rows.iter().enumerate().map(|(n, (payment, kind, minor))| {
            row(&format!("r{n}"), Some(*payment), RowKind::ALL[*kind], Money::from_minor(*minor, usd).unwrap())
        });
        let own = own.iter().map(|(payment, minor)| booked(*payment, Money::from_minor(*minor, usd).unwrap(), at(10)));
        let window = window(rows.collect(), own.collect());
        let found = compare(&stripe(), &window, &Known::default(), at(13));
        let ids: std::collections::BTreeSet<_> = found.iter().map(|found| found.id.clone()).collect();
        prop_assert_eq!(ids.len(), found.len());
        prop_assert_eq!(&found, &compare(&stripe(), &window, &Known::default(), at(13)));
    }
}

fn server() -> Source {
    Source::Server("mt5-live".to_owned())
}

fn operation(ticket: &str, comment: &str, amount: Money) -> SettledRow {
    let row = ServerRow { ticket: ticket.to_owned(), comment: comment.to_owned(), is_balance: true, amount };
    SettledRow::on_server(1, row)
}

fn on_account(payment: u128, amount: Money, at: Timestamp) -> Booked {
    Booked { against: LedgerAccount::Client(crate::AccountId::from_bits(1)), ..booked(payment, amount, at) }
}

#[test]
fn a_file_that_comes_late_is_waited_for_as_long_as_the_provider_takes() {
    // settled two days after it was booked
    let mut window =
        Window { day: day(), lag: 2, days: Window::days_around(day(), 2).iter().map(|_| Side::default()).collect() };
    assert_eq!(window.days.len(), 7);
    let own = booked(1, usd("100.00"), at(10));
    window.days[3] = Side { file: Some(vec![].into()), booked: vec![own].into() };
    let of = |window: &Window, now| compare(&stripe(), window, &Known::default(), now);
    let waits = of(&window, at(13)).remove(0);
    assert_eq!((waits.class, waits.waiting), (BreakClass::Late, true));
    // two days after the day's end, and two more for the file itself
    assert!(of(&window, at(24 * 3 + 23))[0].waiting);
    assert_eq!(of(&window, at(24 * 4))[0].class, BreakClass::MissingThere);
    let paid = || vec![row("a", Some(1), RowKind::Collected, usd("100.00"))];
    for (place, fits) in [(2, true), (3, true), (4, true), (5, true), (6, true), (1, false)] {
        let mut settled = window.clone();
        settled.days[place].file = Some(paid().into());
        settled.days.iter_mut().for_each(|side| side.file = Some(side.file.take().unwrap_or_default()));
        assert_eq!(of(&settled, at(24 * 4)).is_empty(), fits, "settled on day {place}");
    }
    // both files are there, and neither has it
    window.days.iter_mut().for_each(|side| side.file = Some(vec![].into()));
    assert_eq!(of(&window, at(13))[0].class, BreakClass::MissingThere);
}

#[test]
fn a_servers_operations_are_held_against_the_accounts() {
    use BreakClass as C;
    let id = pay(1).to_string();
    let of = |rows: Vec<SettledRow>, own: Vec<Booked>| {
        let found = compare(&server(), &window(rows, own), &Known::default(), at(13));
        found.into_iter().map(|found| (found.class, found.amount.to_string())).collect::<Vec<_>>()
    };
    let own = || vec![on_account(1, usd("100.00"), at(10))];
    assert_eq!(of(vec![operation("7", &id, usd("100.00"))], own()), []);
    assert_eq!(of(vec![operation("7", &format!("{id}R"), usd("100.00"))], own()), []);
    assert_eq!(of(vec![], own()), [(C::MissingThere, "100.00 USD".to_owned())]);
    let by_hand = operation("8", "bonus for Marta", usd("50.00"));
    let found = of(vec![operation("7", &id, usd("100.00")), by_hand], own());
    assert_eq!(found, [(C::MissingHere, "50.00 USD".to_owned())]);
    let twice = || vec![operation("7", &id, usd("100.00")), operation("8", &id, usd("100.00"))];
    assert_eq!(of(twice(), own()), [(C::Duplicate, "100.00 USD".to_owned())]);
    // one of them was reversed
    let mut reversed = twice();
    reversed.push(operation("9", &id, usd("-100.00")));
    assert_eq!(of(reversed, own()), []);
    assert_eq!(of(vec![operation("7", &id, usd("90.00"))], own()), [(C::Under, "10.00 USD".to_owned())]);
    let mended = vec![operation("7", &id, usd("90.00")), operation("8", &id, usd("10.00"))];
    assert_eq!(of(mended, own()), []);
    // a debit that is twice what was booked
    let debited = vec![operation("7", &id, usd("-200.00"))];
    assert_eq!(of(debited, vec![on_account(1, usd("-100.00"), at(10))]), [(C::Over, "100.00 USD".to_owned())]);
    // a credit is no deposit, whatever its comment says
    let credit = ServerRow { ticket: "7".to_owned(), comment: id, is_balance: false, amount: usd("100.00") };
    let classes: Vec<_> =
        of(vec![SettledRow::on_server(1, credit)], own()).into_iter().map(|(class, _)| class).collect();
    assert_eq!(classes, [C::MissingThere, C::MissingHere]);
}

#[test]
fn what_a_person_booked_under_a_ticket_is_the_payments() {
    let by_hand = operation("77", "as agreed", usd("100.00"));
    let window = window(vec![by_hand], vec![on_account(1, usd("100.00"), at(10))]);
    assert_eq!(compare(&server(), &window, &Known::default(), at(13)).len(), 2);
    let state = PaymentState { references: vec!["77".to_owned()], ..known(1, "credited", vec![]).0[&pay(1)].clone() };
    assert_eq!(compare(&server(), &window, &Known([(pay(1), state)].into()), at(13)), []);
}

#[test]
fn what_a_server_had_days_before_it_was_booked_is_told() {
    let window = window(vec![operation("7", &pay(1).to_string(), usd("100.00"))], vec![]);
    let later = Standing { kind: RowKind::Credited, amount: usd("100.00"), since: at(24 * 5) };
    let found = compare(&server(), &window, &known(1, "credited", vec![later]), at(24 * 6));
    assert_eq!(found.iter().map(|found| found.class).collect::<Vec<_>>(), [BreakClass::Late]);
}

#[test]
fn a_provider_and_a_server_of_one_name_are_two_and_old_items_read() {
    let psp = Source::Psp("mt5-live".to_owned());
    assert_ne!(Settlement::id_of(&psp, day()), Settlement::id_of(&server(), day()));
    let facts = Settlement::begun(&server(), day()).facts;
    let text = serde_json::to_string(&facts).unwrap();
    assert!(text.starts_with(r#"{"server":"mt5-live","date":"2026-11-23""#), "{text}");
    assert_eq!(serde_json::from_str::<SettlementFacts>(&text).unwrap(), facts);
    // as it was written before there were servers
    let old = r#"{"psp":"stripe","date":"2026-11-23","class":"under","status":"open","amount":{"amount":"1.00","currency":"USD"},"repair":"r","found_at":"2026-11-24T08:00:00.000Z"}"#;
    assert_eq!(serde_json::from_str::<BreakFacts>(old).unwrap().source, stripe());
}

fn day_change(verdict: Verdict<ServerDay>) -> ServerDay {
    match verdict {
        Verdict::Change(decision) => decision.next,
        Verdict::Nothing(why) => panic!("{why}"),
    }
}

#[test]
fn a_servers_day_is_read_once_it_is_over_part_by_part_and_once_each() {
    let begun = ServerDay::begun("mt5", "mt5-live", day());
    assert!(matches!(begun.opened(at(24)), Verdict::Nothing(_)), "its last minutes may still be booked");
    let now = day().next().begins().plus(READ_AFTER);
    assert_eq!(day_change(begun.noticed()).due, Some(now));
    assert!(matches!(day_change(begun.noticed()).noticed(), Verdict::Nothing(_)));
    let reading = day_change(begun.opened(now));
    assert!(matches!(reading.opened(now), Verdict::Nothing(_)));
    let first = reading.place().unwrap();
    let row = operation("7", "", usd("100.00"));
    let part = day_change(reading.goes_on(first, std::slice::from_ref(&row), Some("c1".to_owned()), now));
    assert!(
        matches!(part.goes_on(first, std::slice::from_ref(&row), Some("c1".to_owned()), now), Verdict::Nothing(_)),
        "twice"
    );
    assert!(part.due > Some(now) && part.result().is_none());
    assert_eq!(day_change(part.paused(now)).due, Some(now));
    let read = day_change(part.goes_on(part.place().unwrap(), std::slice::from_ref(&row), None, now));
    let result = read.result().unwrap();
    assert_eq!((read.due, result.rows, result.total.as_slice()), (None, 2, [usd("200.00")].as_slice()));
    // the same read again is the same, in a place of its own
    let again = day_change(read.again(now));
    assert!(matches!(again.again(now), Verdict::Nothing(_)));
    let part =
        day_change(again.goes_on(again.place().unwrap(), std::slice::from_ref(&row), Some("c1".to_owned()), now));
    let same = day_change(part.goes_on(part.place().unwrap(), &[row], None, now)).result().unwrap();
    assert_eq!((&same.hash, same.rows_at != result.rows_at), (&result.hash, true));
    let settlement = Settlement::begun(&server(), day());
    let Verdict::Change(taken) = settlement.is_read(result.clone(), now) else { panic!("it is news") };
    assert_eq!((taken.events.as_slice(), taken.next.place()), (["settlement.taken"].as_slice(), Some(result.rows_at)));
    assert!(matches!(taken.next.is_read(same, now), Verdict::Nothing(_)));
}

#[test]
fn payments_are_looked_up_again_until_they_are_in_order_or_the_day_is_compared() {
    let begun = ServerDay::begun("mt5", "mt5-live", day());
    let watches = day_change(begun.watches(&pay(1), at(10)));
    assert!(matches!(watches.watches(&pay(1), at(10)), Verdict::Nothing(_)));
    let both = day_change(watches.watches(&pay(2), at(11)));
    assert_eq!(both.due, watches.due, "the first is not put off by the second");
    assert!(both.due.unwrap() > at(10));
    let one = day_change(both.looked_again(&[pay(1)], at(12)));
    assert_eq!((one.private.watched.as_slice(), one.due > Some(at(12))), ([pay(2)].as_slice(), true));
    let none = day_change(one.looked_again(&[pay(2)], at(13)));
    let ends = day().next().begins().plus(READ_AFTER);
    assert_eq!((none.due, none.private.watched.len()), (Some(ends), 0));
    let given_up = day_change(one.looked_again(&[], at(48)));
    assert_eq!((given_up.due, given_up.private.watched.len()), (Some(ends), 0));
    let many = (0..300).fold(begun, |own, n| match own.watches(&pay(n), at(10)) {
        Verdict::Change(decision) => decision.next,
        Verdict::Nothing(_) => own,
    });
    assert_eq!(many.private.watched.len(), 100);
}
