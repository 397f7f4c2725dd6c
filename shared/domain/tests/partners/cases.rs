//! Models, filters, symbols and what holds a trade, one case at a time.

use std::collections::BTreeMap;

use domain::partner::accrual::Hindrance;
use domain::partner::balance::Balances;
use domain::partner::book::Book;
use domain::partner::fine::Fine;
use domain::partner::line::Line;
use domain::partner::rules::RevenuePart;
use domain::partner::trade::{Entry, Trade};
use rust_decimal::Decimal;
use serde_json::{Value, json};

use crate::world::*;

const WHEN: &str = "2026-03-02T10:00:00Z";

fn of_model_only(pay: Value) -> Value {
    json!({"p": {"currency": "USD", "pay": [pay]}})
}

fn rates(rate: &str) -> Value {
    json!([{"id": "all", "when": "always", "then": rate}])
}

/// The lines of one trade under one agreement, or why it is held.
fn take(agreements_of: Value, deal: Trade) -> Result<Vec<Line>, Hindrance> {
    let rules = agreements(agreements_of);
    let network = tree(&[(1, "p", None)]);
    let catalogue = catalogue(&rules);
    let taken = Book::new(&catalogue, &network, period("2026-03")).take_all(vec![made(deal)]);
    match taken.held.into_iter().next() {
        Some(held) => {
            assert_eq!(taken.lines, [], "all of a trade or nothing");
            Err(held.why)
        }
        None => Ok(taken.lines),
    }
}

fn deal(change: impl FnOnce(&mut Trade)) -> Trade {
    let mut deal = trade("t", 1, WHEN, "1");
    change(&mut deal);
    deal
}

#[test]
fn each_model_meets_its_published_example() {
    // 70 of commission at ten per cent
    let commission = of_model_only(json!({"id": "c", "model": "commission", "rates": rates("10")}));
    let lines = take(commission, deal(|deal| deal.commission = money("-70", "USD"))).unwrap();
    assert_eq!((sum(&lines), lines[0].base, lines[0].rate), (dec("7"), dec("70"), dec("10")));
    // a cent account whose lots are a thousand units: ten points
    let points = of_model_only(json!({"id": "p", "model": "points", "rates": rates("10")}));
    let cent = deal(|deal| {
        deal.account_type = "cent".to_owned();
        deal.contract_size = Some(dec("1000"));
    });
    assert_eq!(sum(&take(points, cent).unwrap()), dec("0.10"));
    // 35 % of a spread of 4.00 a lot, three lots
    let spread = of_model_only(json!({"id": "s", "model": "spread", "rates": rates("35")}));
    let known = deal(|deal| {
        deal.lots = dec("3");
        (deal.spread_open, deal.spread_close) = (Some(dec("0.00004")), Some(dec("0.00004")));
    });
    let lines = take(spread.clone(), known).unwrap();
    assert_eq!((sum(&lines), lines[0].why.len()), (dec("4.20"), 0));
    // half at the opening, half at the close; what the platform does not say is the symbol's, and the line says so
    let half_known = deal(|deal| deal.spread_open = Some(dec("0.00004")));
    let lines = take(spread, half_known).unwrap();
    assert_eq!(sum(&lines), dec("2.8"), "35 % of (4 + 12) / 2");
    assert_eq!(lines[0].why, ["the platform gives no spread at the close: the symbol's usual one, 0.00012"]);
    // 20 basis points of 0.01 at 110 843.27
    let notional = of_model_only(json!({"id": "n", "model": "notional", "rates": rates("20")}));
    let bitcoin = deal(|deal| {
        (deal.symbol, deal.lots, deal.price) = ("BTCUSD".to_owned(), dec("0.01"), dec("110843.27"));
    });
    assert_eq!(sum(&take(notional, bitcoin).unwrap()), dec("2.21686540"));
}

#[test]
fn a_hundred_cent_lots_are_one() {
    let cent = deal(|deal| (deal.account_type, deal.lots) = ("cent".to_owned(), dec("100")));
    let lines = take(json!({"p": per_lot("8")}), cent).unwrap();
    assert_eq!((sum(&lines), lines[0].base), (dec("8"), dec("1")));
}

#[test]
fn an_unmapped_symbol_is_held_and_a_suffix_is_mapped() {
    let of = |symbol: &str| take(json!({"p": per_lot("5")}), deal(|deal| deal.symbol = symbol.to_owned()));
    for symbol in ["EURUSD", "EURUSD.m", "EURUSD.pro", "GOLD", "GOLD.ecn", "XAUUSD.raw"] {
        assert_eq!(sum(&of(symbol).unwrap()), dec("5"), "{symbol}");
    }
    for symbol in ["EURUSDX", "EURUSD.x", ".m", "", "eurusd", "EURUSD.m.pro"] {
        assert_eq!(of(symbol), Err(Hindrance::UnmappedSymbol(symbol.to_owned())));
    }
}

#[test]
fn what_nobody_brought_needs_no_mapping() {
    let rules = agreements(json!({"p": per_lot("5")}));
    let stranger = deal(|deal| (deal.client, deal.symbol) = (client(9), "NOTHING".to_owned()));
    assert_eq!(lines_of(&rules, &tree(&[(1, "p", None)]), vec![made(stranger)]), []);
}

#[test]
fn what_is_filtered_is_a_line_of_zero_that_says_why() {
    let filtered = |filters: Value| json!({"p": with(per_lot("5"), json!({"filters": filters}))});
    let held_for = |opened: &str| deal(|deal| deal.opened_at = Some(at(opened)));
    let moved = |open: &str| deal(|deal| deal.open_price = Some(dec(open)));
    for (filters, deal, paid, why) in [
        (json!({"hold_min": "180s"}), held_for("2026-03-02T09:57:00Z"), "5", ""),
        (json!({"hold_min": "180s"}), held_for("2026-03-02T09:57:00.001Z"), "0", "held 179 s, less than 3m"),
        (json!({"hold_min": "0s"}), held_for("2026-03-02T10:00:00Z"), "5", ""),
        (json!({"points_min": 10}), moved("1.10110"), "5", ""),
        (json!({"points_min": 10}), moved("1.10091"), "0", "moved 9 points, less than 10"),
        (json!({"same_price": false}), moved("1.10100"), "0", "closed at the price of its opening"),
        (json!({"same_price": false}), moved("1.10099"), "5", ""),
    ] {
        let lines = take(filtered(filters.clone()), deal).unwrap();
        assert_eq!((lines.len(), sum(&lines)), (1, dec(paid)), "{filters}");
        let wanted = if why.is_empty() { Vec::new() } else { vec![format!("not paid: {why}")] };
        assert_eq!(lines[0].why, wanted, "{filters}");
    }
}

#[test]
fn what_cannot_be_judged_is_held() {
    let filtered = |filters: Value| json!({"p": with(per_lot("5"), json!({"filters": filters}))});
    let unknown = || deal(|deal| (deal.opened_at, deal.open_price) = (None, None));
    for filters in [json!({"hold_min": "180s"}), json!({"points_min": 1}), json!({"same_price": false})] {
        assert_eq!(take(filtered(filters.clone()), unknown()), Err(Hindrance::NoOpening), "{filters}");
    }
    let yen = of_model_only(json!({"id": "p", "model": "points", "rates": rates("10")}));
    let no_rate = Hindrance::NoRate { from: currency("JPY"), to: currency("USD") };
    assert_eq!(take(yen, deal(|deal| deal.symbol = "USDJPY".to_owned())), Err(no_rate));
    for change in [("0", None), ("-1", None), ("1", Some("2")), ("1", Some("-1")), ("1", None)] {
        let reversal = deal(|deal| {
            (deal.entry, deal.lots, deal.closed_lots) = (Entry::InOut, dec(change.0), change.1.map(dec));
        });
        assert_eq!(take(json!({"p": per_lot("5")}), reversal), Err(Hindrance::Lots), "{change:?}");
    }
    let gone = tree(&[(1, "gone", None)]);
    let rules = agreements(json!({"p": per_lot("5")}));
    let catalogue = catalogue(&rules);
    let taken = Book::new(&catalogue, &gone, period("2026-03")).take_all(vec![made(deal(|_| {}))]);
    assert_eq!(taken.held[0].why, Hindrance::UnknownAgreement("gone".to_owned(), 1));
}

#[test]
fn one_trade_that_is_held_keeps_no_other() {
    let rules = agreements(json!({"p": per_lot("5")}));
    let (network, catalogue) = (tree(&[(1, "p", None)]), catalogue(&rules));
    let mut book = Book::new(&catalogue, &network, period("2026-03"));
    let bad = deal(|deal| (deal.id, deal.symbol) = ("a".to_owned(), "WHAT".to_owned()));
    let taken = book.take_all(vec![made(bad.clone()), made(deal(|_| {}))]);
    assert_eq!((taken.held.len(), taken.lines.len()), (1, 1));
    // once it is mapped it comes in as if it had been all the time
    let mapped = deal(|deal| deal.id = "a".to_owned());
    assert_eq!(sum(&book.take_all(vec![made(mapped)]).lines), dec("5"));
}

#[test]
fn a_close_by_another_position_counts_as_agreed() {
    for (close_by, wanted) in [("both", "20"), ("one", "10"), ("none", "0")] {
        let agreement = json!({"p": with(per_lot("5"), json!({"filters": {"close_by": close_by}}))});
        let both: Decimal = ["a", "b"]
            .map(|id| {
                let by = deal(|deal| (deal.id, deal.entry, deal.lots) = (id.to_owned(), Entry::OutBy, dec("2")));
                sum(&take(agreement.clone(), by).unwrap())
            })
            .iter()
            .sum();
        assert_eq!(both, dec(wanted), "{close_by}");
    }
}

#[test]
fn a_deal_brings_no_more_than_the_agreement_allows() {
    let agreement = json!({"p": {
        "currency": "USD", "filters": {"order_max": "10"},
        "pay": [{"id": "a", "model": "lot", "rates": rates("8")}, {"id": "b", "model": "lot", "sides": "close", "rates": rates("7")}],
    }});
    let lines = take(agreement, deal(|_| {})).unwrap();
    assert_eq!(lines.iter().map(|line| line.amount.text()).collect::<Vec<_>>(), ["5.33", "4.67"]);
}

#[test]
fn the_difference_goes_to_the_highest_rate_so_far_and_is_never_below_zero() {
    let difference = |rate: &str| with(per_lot(rate), json!({"overrides": {"kind": "difference"}}));
    // B agreed to less than his sub-partner: he gets nothing, and A no more than what is left
    let rules = agreements(json!({"c": per_lot("5"), "b": difference("4"), "a": difference("8")}));
    let network = tree(&[(3, "a", None), (2, "b", Some(3)), (1, "c", Some(2))]);
    let lines = lines_of(&rules, &network, vec![made(deal(|_| {}))]);
    assert_eq!([1, 2, 3].map(|who| paid(&lines, who)), ["5.00", "0.00", "3.00"]);
    // another currency has no difference
    let mut euro = difference("8");
    euro["currency"] = "EUR".into();
    let rules = agreements(json!({"c": per_lot("5"), "b": difference("4"), "a": euro}));
    let catalogue = catalogue(&rules);
    let taken = Book::new(&catalogue, &network, period("2026-03")).take_all(vec![made(deal(|_| {}))]);
    assert_eq!(taken.held[0].why, Hindrance::NotComparable("a".to_owned()));
}

#[test]
fn a_partner_who_accepted_nothing_yet_earns_nothing_and_keeps_his_place() {
    let rules = agreements(json!({"c": per_lot("5"), "a": with(per_lot("1"), json!({"overrides": {"kind": "own"}}))}));
    let mut network = tree(&[(3, "a", None), (2, "a", Some(3)), (1, "c", Some(2))]);
    network.agreements.remove(&partner(2));
    let lines = lines_of(&rules, &network, vec![made(deal(|_| {}))]);
    assert_eq!(lines.iter().map(|line| (line.level, sum([line]))).collect::<Vec<_>>(), [(1, dec("5")), (3, dec("1"))]);
}

#[test]
fn many_small_lines_are_rounded_once() {
    let rules = agreements(json!({"p": per_lot("0.5")}));
    let network = tree(&[(1, "p", None)]);
    let events = (0..1_000).map(|n| made(trade(&format!("t{n}"), 1, WHEN, "0.01"))).collect();
    assert_eq!(paid(&lines_of(&rules, &network, events), 1), "5.00");
    for (exact, cents) in [("0.125", "0.12"), ("2.675", "2.68"), ("-0.125", "-0.12"), ("0.135", "0.14")] {
        assert_eq!(Fine::rounded(dec(exact), currency("USD")).money().unwrap().amount_text(), cents);
    }
    assert_eq!(Fine::rounded(dec("0.123456785"), currency("USD")).text(), "0.12345678");
    assert_eq!(Fine::rounded(dec("7"), currency("USD")).text(), "7.00");
}

#[test]
fn what_the_broker_earned_is_kept_for_a_share_of_it() {
    let revenue = json!({"p": {"currency": "USD", "revenue": {
        "per_cent": 30, "parts": ["spread", "commission", "swap", "client_result"], "carry": {"mode": "on"},
    }}});
    let rules = agreements(revenue);
    let (network, catalogue) = (tree(&[(1, "p", None)]), catalogue(&rules));
    let mut book = Book::new(&catalogue, &network, period("2026-03"));
    let lossy = deal(|deal| {
        (deal.commission, deal.swap) = (money("-7", "USD"), money("-2.5", "USD"));
        deal.profit = money("-100", "EUR");
        deal.rates = vec![rate("EUR", "USD", "1.1")];
    });
    let month = (partner(1), period("2026-03"));
    assert_eq!(book.take_all(vec![made(lossy.clone())]).held, []);
    let parts = book.totals[&month].revenue[&currency("USD")].clone();
    let wanted = [
        (RevenuePart::Spread, "12"),
        (RevenuePart::Commission, "7"),
        (RevenuePart::Swap, "2.5"),
        (RevenuePart::ClientResult, "110"),
    ];
    assert_eq!(parts, BTreeMap::from(wanted.map(|(part, amount)| (part, dec(amount)))));
    // and is taken back with the trade
    book.take_all(vec![deleted(&lossy, 2)]);
    assert!(book.totals[&month].revenue[&currency("USD")].values().all(Decimal::is_zero));
}

#[test]
fn a_correction_takes_back_what_stood_once_and_books_anew() {
    let rules = agreements(json!({"p": per_lot("5")}));
    let (network, catalogue) = (tree(&[(1, "p", None)]), catalogue(&rules));
    let mut book = Book::new(&catalogue, &network, period("2026-03"));
    let first = book.take_all(vec![made(deal(|deal| deal.lots = dec("2")))]).lines;
    let corrected = deal(|deal| (deal.version, deal.lots) = (2, dec("3")));
    let second = book.take_all(vec![made(corrected.clone()), made(corrected.clone())]).lines;
    assert_eq!(second.iter().map(|line| line.amount.text()).collect::<Vec<_>>(), ["-10.00", "15.00"]);
    assert_eq!(second[0].reverses.as_ref(), Some(&first[0].id));
    assert_eq!(second[0].id, first[0].reversal(period("2026-03"), String::new()).id, "there is one at most");
    // what is older comes too late
    assert_eq!(book.take_all(vec![made(deal(|_| {})), deleted(&corrected, 2)]).lines, []);
    let third = book.take_all(vec![deleted(&corrected, 3), deleted(&corrected, 3)]).lines;
    assert_eq!(sum(first.iter().chain(&second).chain(&third)), Decimal::ZERO);
    assert_eq!(book.take_all(vec![made(corrected)]).lines, [], "what is deleted stays so");
}

#[test]
fn a_correction_that_cannot_be_told_leaves_what_stands() {
    let rules = agreements(json!({"p": per_lot("5")}));
    let (network, catalogue) = (tree(&[(1, "p", None)]), catalogue(&rules));
    let mut book = Book::new(&catalogue, &network, period("2026-03"));
    book.take_all(vec![made(deal(|_| {}))]);
    let before = (book.totals.clone(), book.accruals.clone());
    let unmapped = deal(|deal| (deal.version, deal.symbol) = (2, "WHAT".to_owned()));
    assert_eq!(book.take_all(vec![made(unmapped)]).held.len(), 1);
    assert_eq!((book.totals, book.accruals), before);
}

#[test]
fn balances_stand_where_holds_and_payments_put_them() {
    let mut agreement = per_lot("5");
    agreement["pay"][0]["hold"] = "7d".into();
    let rules = agreements(json!({"p": agreement, "q": per_lot("1")}));
    let (network, catalogue) = (tree(&[(1, "p", None), (2, "q", None)]), catalogue(&rules));
    let mut book = Book::new(&catalogue, &network, period("2026-03"));
    book.take_all(vec![made(trade("t", 1, WHEN, "20"))]);
    let of = |paid: &str, least: &str, now: &str| {
        let (paid, least) = (money(paid, "USD"), money(least, "USD"));
        let all = Balances::of(book.totals.values(), currency("USD"), paid, &least, at(now)).unwrap();
        let where_to = [all.on_hold, all.payable, all.paid, all.carried];
        let sum = where_to.iter().fold(money("0", "USD"), |sum, part| sum.checked_add(part).unwrap());
        assert_eq!(sum, all.accrued, "always");
        where_to.map(|money| money.amount_text())
    };
    // held for seven days from the second on, so free with the tenth
    assert_eq!(of("0", "50", "2026-03-09T23:59:59Z"), ["100.00", "0.00", "0.00", "0.00"]);
    assert_eq!(of("0", "50", "2026-03-10T00:00:00Z"), ["0.00", "100.00", "0.00", "0.00"]);
    assert_eq!(of("0", "100", "2026-03-10T00:00:00Z"), ["0.00", "100.00", "0.00", "0.00"]);
    assert_eq!(of("0", "100.01", "2026-03-10T00:00:00Z"), ["0.00", "0.00", "0.00", "100.00"]);
    assert_eq!(of("100", "50", "2026-03-10T00:00:00Z"), ["0.00", "0.00", "100.00", "0.00"]);
    assert_eq!(of("130", "50", "2026-03-10T00:00:00Z"), ["0.00", "0.00", "130.00", "-30.00"]);
}
