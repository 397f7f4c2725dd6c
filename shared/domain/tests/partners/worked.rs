//! The worked examples W1 to W10, to the cent.

use std::collections::BTreeMap;

use domain::partner::book::Book;
use domain::partner::cpa::{Progress, Qualified};
use domain::partner::line::LineModel;
use domain::partner::rules::{PartnerAgreements, RevenuePart};
use domain::partner::trade::Entry;
use domain::{Money, Timestamp};
use rust_decimal::Decimal;
use serde_json::{Value, json};

use crate::world::*;

/// Three levels: client 1 was brought by 1 (C), under 2 (B), under 3 (A). What they get for 2.50 lots.
fn levels(b: Value, a: Value) -> [String; 3] {
    let rules = agreements(json!({"c": per_lot("5"), "b": b, "a": a}));
    let network = tree(&[(3, "a", None), (2, "b", Some(3)), (1, "c", Some(2))]);
    let lines = lines_of(&rules, &network, vec![made(trade("t", 1, "2026-03-02T10:00:00Z", "2.50"))]);
    assert_eq!(lines.iter().map(|line| line.level).collect::<Vec<_>>(), [1, 2, 3], "one line per level");
    [1, 2, 3].map(|who| paid(&lines, who))
}

#[test]
fn w1_levels() {
    let over = |rate: &str, overrides: Value| with(per_lot(rate), json!({"overrides": overrides}));
    let difference = |rate| over(rate, json!({"kind": "difference"}));
    let stacked = |rate| over(rate, json!({"kind": "own"}));
    let share = |rate, part: &str, by: &str| over(rate, json!({"kind": "share", "per_cent": part, "paid_by": by}));
    assert_eq!(levels(difference("7"), difference("8")), ["12.50", "5.00", "2.50"]);
    assert_eq!(levels(stacked("7"), stacked("8")), ["12.50", "17.50", "20.00"]);
    assert_eq!(levels(share("7", "20", "broker"), share("8", "10", "broker")), ["12.50", "2.50", "0.25"]);
    assert_eq!(levels(share("7", "20", "sub"), share("8", "10", "sub")), ["10.00", "2.25", "0.25"]);
    // 3.00 gives 2.00/0.70/0.30
    let rules = agreements(json!({
        "c": per_lot("3"),
        "b": share("7", "33.3333", "sub"),
        "a": share("8", "30", "sub"),
    }));
    let network = tree(&[(3, "a", None), (2, "b", Some(3)), (1, "c", Some(2))]);
    let lines = lines_of(&rules, &network, vec![made(trade("t", 1, "2026-03-02T10:00:00Z", "1"))]);
    assert_eq!([1, 2, 3].map(|who| paid(&lines, who)), ["2.00", "0.70", "0.30"]);
    assert_eq!(sum(&lines), dec("3"), "what is passed up is not paid twice");
}

#[test]
fn w2_points_and_pips() {
    let in_pips = |rate: &str| {
        json!({"p": {"currency": "USD", "pay": [{
            "id": "pips", "model": "points", "unit": "pip", "rates": [{"id": "all", "when": "always", "then": rate}],
        }]}})
    };
    for (symbol, lots, pips, rate_of, exact, cents) in [
        ("USDJPY", "1.30", "0.4", Some(rate("USD", "JPY", "151.20")), "3.43915344", "3.44"),
        ("XAUUSD", "0.70", "1.5", None, "10.5", "10.50"),
        ("DE40", "12", "0.5", Some(rate("EUR", "USD", "1.085")), "6.51", "6.51"),
    ] {
        let mut deal = trade("t", 1, "2026-03-02T10:00:00Z", lots);
        deal.symbol = symbol.to_owned();
        deal.rates = rate_of.into_iter().collect();
        let lines = lines_of(&agreements(in_pips(pips)), &tree(&[(1, "p", None)]), vec![made(deal)]);
        assert_eq!((sum(&lines), paid(&lines, 1).as_str()), (dec(exact), cents), "{symbol}");
    }
}

/// What a month of trades comes to.
fn month(apply: &str, trades: &[(&str, &str)]) -> (String, Vec<String>) {
    let mut agreement = tiered("5", apply);
    agreement["pay"][0]["rates"] = json!([
        {"id": "metals", "when": {"field": "symbol_group", "eq": "metals"}, "then": 8},
        {"id": "all", "when": "always", "then": 5},
    ]);
    let rules = agreements(json!({"p": agreement}));
    let events = trades.iter().enumerate().map(|(n, (symbol, lots))| {
        let mut deal = trade(&format!("t{n}"), 1, &format!("2026-03-02T10:{n:02}:00Z"), lots);
        deal.symbol = (*symbol).to_owned();
        made(deal)
    });
    let lines = lines_of(&rules, &tree(&[(1, "p", None)]), events.collect());
    (paid(&lines, 1), lines.iter().map(|line| line.amount.text()).collect())
}

#[test]
fn w3_tiers() {
    let all = &[("EURUSD", "1000"), ("EURUSD", "250")];
    assert_eq!(month("marginal", all).0, "6375.00");
    assert_eq!(month("retroactive", all).0, "6875.00");
    assert_eq!(month("next_period", all).0, "6250.00");
    // in one trade it is the same
    assert_eq!(month("marginal", &[("EURUSD", "1250")]).0, "6375.00");
    assert_eq!(month("retroactive", &[("EURUSD", "1250")]).0, "6875.00");
    let crossing = &[("EURUSD", "998.40"), ("EURUSD", "3.20")];
    assert_eq!(month("marginal", crossing).1, ["4992.00", "16.80"]);
    assert_eq!(month("retroactive", crossing).1, ["4992.00", "17.60", "499.20"]);
    assert_eq!(month("retroactive", &[("EURUSD", "1000.00")]).0, "5000.00");
    assert_eq!(month("retroactive", &[("EURUSD", "1000.01")]).0, "5500.06");
    assert_eq!(month("marginal", &[("EURUSD", "999"), ("XAUUSD", "2")]).0, "5011.80");
    assert_eq!(month("marginal", &[("XAUUSD", "2"), ("EURUSD", "999")]).0, "5011.50");
}

#[test]
fn w3_a_batch_is_taken_by_time_and_id_whatever_its_order() {
    let rules = agreements(json!({"p": tiered("5", "marginal")}));
    let network = tree(&[(1, "p", None)]);
    let deals = [("b", "999", "EURUSD"), ("a", "2", "XAUUSD")].map(|(id, lots, symbol)| {
        let mut deal = trade(id, 1, "2026-03-02T10:00:00Z", lots);
        deal.symbol = symbol.to_owned();
        made(deal)
    });
    let [first, second] = deals;
    let one = lines_of(&rules, &network, vec![first.clone(), second.clone()]);
    assert_eq!(one, lines_of(&rules, &network, vec![second, first]));
}

fn hybrid_progress(lots: &str) -> Progress {
    Progress {
        registered_at: at("2026-03-01T00:00:00Z"),
        country: None,
        first_deposit: Some((dec("500"), at("2026-03-03T09:00:00Z"))),
        net_deposits: dec("500"),
        lots: dec(lots),
        paid: Decimal::ZERO,
        verified_at: Some(at("2026-03-02T09:00:00Z")),
        accrued: Decimal::ZERO,
    }
}

#[test]
fn w4_hybrid() {
    use domain::rules::RuleSet as _;
    let rules = PartnerAgreements::parse(&seed()).unwrap();
    let hybrid = rules.agreement("hybrid").unwrap();
    let (cpa, revenue) = (hybrid.cpa.as_ref().unwrap(), hybrid.revenue.as_ref().unwrap());
    let parts = BTreeMap::from([
        (RevenuePart::Spread, dec("420")),
        (RevenuePart::Commission, dec("180")),
        (RevenuePart::Swap, dec("35")),
        (RevenuePart::Bonus, dec("60")),
        (RevenuePart::PspFees, dec("21.50")),
        (RevenuePart::Chargebacks, dec("13.50")),
    ]);
    let settled = revenue.settle(period("2026-03"), &parts, Decimal::ZERO).unwrap();
    assert_eq!((settled.net, settled.share), (dec("540"), dec("135")));
    let judge = |lots: &str, now: Timestamp| cpa.judge(&hybrid_progress(lots), now).unwrap();
    let last = cpa.deadline(at("2026-03-01T00:00:00Z"));
    assert_eq!(last, at("2026-03-31T00:00:00Z"));
    let Qualified::Due { amount, row } = judge("2.00", last) else { panic!("not due") };
    assert_eq!((amount + settled.share, row.as_str()), (dec("285"), "from_250"));
    assert_eq!(judge("1.99", last), Qualified::Waiting { missing: vec!["lots"] });
    let after = at("2026-03-31T00:00:00.001Z");
    assert_eq!(judge("1.99", after), Qualified::Lapsed { missing: vec!["lots"] });
}

#[test]
fn w4_a_top_up_brings_the_difference() {
    let rules = agreements(json!({"j2t": {"currency": "USD", "cpa": {
        "amounts": [
            {"id": "from_1000", "when": {"field": "deposit", "gte": 1000}, "then": 150},
            {"id": "from_500", "when": {"field": "deposit", "gte": 500}, "then": 120},
            {"id": "from_100", "when": {"field": "deposit", "gte": 100}, "then": 35},
            {"id": "less", "when": "always", "then": 0},
        ],
        "within": "30d", "verified": false, "top_up": true,
    }}}));
    let terms = rules.agreement("j2t").unwrap().cpa.as_ref().unwrap();
    let (mut progress, mut paid) = (hybrid_progress("0"), Vec::new());
    for net in ["99", "100", "499.99", "500", "1000", "5000"] {
        progress.net_deposits = dec(net);
        if let Qualified::Due { amount, .. } = terms.judge(&progress, at("2026-03-05T00:00:00Z")).unwrap() {
            progress.accrued += amount;
            paid.push(amount.to_string());
        }
    }
    assert_eq!(paid, ["35", "85", "30"]);
}

#[test]
fn w5_carry() {
    let months = ["-800", "500", "1200"];
    let shares = |carry: Value, march: &str| {
        let set = |per_cent: &str| {
            let terms = json!({"per_cent": per_cent, "parts": ["commission"], "carry": carry});
            agreements(json!({"r": {"currency": "USD", "revenue": terms}}))
        };
        let sets = [set("30"), set("30"), set(march)];
        let (mut carried, mut all) = (Decimal::ZERO, Vec::new());
        for ((rules, net), month) in sets.iter().zip(months).zip(["2026-01", "2026-02", "2026-03"]) {
            let terms = rules.agreement("r").unwrap().revenue.as_ref().unwrap();
            let parts = BTreeMap::from([(RevenuePart::Commission, dec(net))]);
            let settled = terms.settle(period(month), &parts, carried).unwrap();
            carried = settled.carry;
            all.push(settled.share);
        }
        all
    };
    let wanted = |all: [&str; 3]| all.map(dec).to_vec();
    assert_eq!(shares(json!({"mode": "on"}), "30"), wanted(["0", "0", "270"]));
    assert_eq!(shares(json!({"mode": "off"}), "30"), wanted(["0", "150", "360"]));
    assert_eq!(shares(json!({"mode": "capped", "cap": "400"}), "30"), wanted(["0", "30", "360"]));
    assert_eq!(shares(json!({"mode": "on", "of": "revenue"}), "35"), wanted(["0", "0", "315"]));
    assert_eq!(shares(json!({"mode": "on", "of": "share"}), "35"), wanted(["0", "0", "330"]));
    // within a quarter nothing is forgotten
    assert_eq!(shares(json!({"mode": "reset", "every": "quarter"}), "30"), wanted(["0", "0", "270"]));
}

#[test]
fn w6_pool() {
    let stacked = |rate: &str, cut: &str| {
        let pool = json!({"overrides": {"kind": "own"}, "pool": {"per_lot": "10", "cut": cut}});
        with(per_lot(rate), pool)
    };
    for (cut, wanted) in [
        ("pro_rata", ["7.09", "3.55", "2.96"]),
        ("client_first", ["8.16", "4.08", "1.36"]),
        ("top_first", ["6.12", "4.08", "3.40"]),
    ] {
        let rules = agreements(json!({"c": stacked("6", cut), "b": stacked("3", cut), "a": stacked("2.5", cut)}));
        let network = tree(&[(3, "a", None), (2, "b", Some(3)), (1, "c", Some(2))]);
        let lines = lines_of(&rules, &network, vec![made(trade("t", 1, "2026-03-02T10:00:00Z", "1.36"))]);
        let got = [1, 2, 3].map(|who| paid(&lines, who));
        assert_eq!(sum(&lines), dec("13.6"), "{cut}");
        assert_eq!(got, wanted, "{cut}");
    }
}

#[test]
fn w7_clawback() {
    let usd = |text: &str| money(text, "USD");
    let rules = agreements(json!({"p": per_lot("1")}));
    // lines of these amounts, by trades of as many lots
    let network = tree(&[(1, "p", None)]);
    let catalogue = catalogue(&rules);
    let mut book = Book::new(&catalogue, &network, period("2026-05"));
    let deal = |id: &str, when: &str, lots: &str| trade(id, 1, when, lots);
    let cpa = deal("cpa", "2026-05-10T00:00:00Z", "150");
    let may = book.take_all(vec![made(cpa.clone())]).lines;
    book.open_from = period("2026-07");
    let july_events = vec![deleted(&cpa, 2), made(deal("july", "2026-07-10T00:00:00Z", "95.40"))];
    let july = book.take_all(july_events).lines;
    book.open_from = period("2026-08");
    let august = book.take_all(vec![made(deal("august", "2026-08-10T00:00:00Z", "210"))]).lines;
    let draw = |month: &str, opening: Money, lines: Vec<_>, paid: &str| {
        crate::payouts::drawn((1, month), opening, &lines, usd(paid)).head
    };
    let may = draw("2026-05", usd("0"), may, "150");
    let july = draw("2026-07", may.closing, july, "0");
    assert_eq!((may.closing, july.closing), (usd("0"), usd("-54.60")));
    let august = draw("2026-08", july.closing, august, "155.40");
    assert_eq!((august.closing, august.totals.paid), (usd("0"), usd("155.40")));
    // all that was earned less what went back is what was paid
    assert_eq!(dec("455.40") - dec("150"), dec("150") + dec("155.40"));
}

#[test]
fn w8_late() {
    for (apply, late, april_rate) in
        [("marginal", "15.5", "5"), ("retroactive", "515.5", "5"), ("next_period", "15", "5.5")]
    {
        let rules = agreements(json!({"p": tiered("5", apply)}));
        let network = tree(&[(1, "p", None)]);
        let catalogue = catalogue(&rules);
        let mut book = Book::new(&catalogue, &network, period("2026-03"));
        let march = book.take_all(vec![made(trade("march", 1, "2026-03-20T10:00:00Z", "998"))]).lines;
        assert_eq!(sum(&march), dec("4990"));
        // the month is over and its statement drawn
        book.open_from = period("2026-04");
        let lines = book.take_all(vec![made(trade("late", 1, "2026-03-28T10:00:00Z", "3"))]).lines;
        assert_eq!(sum(&lines), dec(late), "{apply}");
        for line in &lines {
            assert_eq!((line.period, line.counted_in), (period("2026-04"), period("2026-03")), "{apply}");
            assert_eq!(line.at, at("2026-03-28T10:00:00Z"), "with its own date");
        }
        let april = book.take_all(vec![made(trade("april", 1, "2026-04-05T10:00:00Z", "1"))]).lines;
        assert_eq!(sum(&april), dec(april_rate), "{apply}");
    }
}

#[test]
fn w9_a_move_counts_from_its_time() {
    let difference = |rate: &str| with(per_lot(rate), json!({"overrides": {"kind": "difference"}}));
    let rules =
        agreements(json!({"c": per_lot("5"), "b": difference("7"), "d": difference("6.5"), "a": difference("8")}));
    // C is 1, B 2, A 3, D 4
    let mut network = tree(&[(3, "a", None), (2, "b", Some(3)), (4, "d", Some(3)), (1, "c", Some(2))]);
    let when = at("2026-03-16T00:00:00Z");
    network.put_under(&partner(1), Some(&partner(4)), when, at("2026-03-10T00:00:00Z"), 10).unwrap();
    let events = vec![
        made(trade("before", 1, "2026-03-15T23:59:59.999Z", "10")),
        made(trade("after", 1, "2026-03-16T00:00:00Z", "4")),
    ];
    let lines = lines_of(&rules, &network, events);
    assert_eq!([2, 4, 1, 3].map(|who| paid(&lines, who)), ["20.00", "6.00", "70.00", "16.00"]);
    assert_eq!(sum(&lines), dec("112"));
}

#[test]
fn w9_what_was_opened_before_and_closed_after() {
    let over = |rate: &str, sides: &str| {
        let mut agreement = with(per_lot(rate), json!({"overrides": {"kind": "own"}}));
        agreement["pay"][0]["sides"] = sides.into();
        agreement
    };
    for (sides, b, d) in [("close", "0.00", "6.50"), ("both", "7.00", "6.50")] {
        let rules = agreements(json!({"c": over("5", sides), "b": over("7", sides), "d": over("6.5", sides)}));
        let mut network = tree(&[(2, "b", None), (4, "d", None), (1, "c", Some(2))]);
        let when = at("2026-03-16T00:00:00Z");
        network.put_under(&partner(1), Some(&partner(4)), when, at("2026-03-10T00:00:00Z"), 10).unwrap();
        let opening = {
            let mut deal = trade("in", 1, "2026-03-15T10:00:00Z", "1");
            deal.entry = Entry::In;
            deal
        };
        let closing = trade("out", 1, "2026-03-17T10:00:00Z", "1");
        let lines = lines_of(&rules, &network, vec![made(opening), made(closing.clone())]);
        assert_eq!([2, 4].map(|who| paid(&lines, who)), [b, d], "{sides}: two deals");
        // a platform that tells both sides in one row is paid the same
        let mut row = closing;
        (row.entry, row.opened_at) = (Entry::Round, Some(at("2026-03-15T10:00:00Z")));
        let lines = lines_of(&rules, &network, vec![made(row)]);
        assert_eq!([2, 4].map(|who| paid(&lines, who)), [b, d], "{sides}: one row");
    }
}

#[test]
fn w10_a_reversal_closes_and_opens() {
    for (rate, sides, wanted) in [("4", "close", ["0", "8", "12"]), ("2", "both", ["4", "10", "6"])] {
        let mut agreement = per_lot(rate);
        agreement["pay"][0]["sides"] = sides.into();
        let deals = [("a", Entry::In, "2", None), ("b", Entry::InOut, "5", Some("2")), ("c", Entry::Out, "3", None)];
        let got = deals.map(|(id, entry, lots, closed)| {
            let mut deal = trade(id, 1, "2026-03-02T10:00:00Z", lots);
            (deal.entry, deal.closed_lots) = (entry, closed.map(dec));
            let lines = lines_of(&agreements(json!({"p": agreement})), &tree(&[(1, "p", None)]), vec![made(deal)]);
            assert!(of_model(&lines, LineModel::Lot).len() == lines.len());
            sum(&lines)
        });
        assert_eq!(got, wanted.map(dec), "{sides}");
        assert_eq!(got.iter().sum::<Decimal>(), dec("20"));
    }
}
