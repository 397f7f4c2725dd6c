//! Each scenario at its boundaries, and what evaluation promises.

use domain::activity::{MovementKind, NameMatch, News, NewsKind};
use domain::compliance::{About, Evaluation, Moment, Scenarios, Trigger};
use domain::rules::RuleSet;
use domain::{Country, Day, Timestamp};
use serde_json::json;

use crate::world::{World, anna, at, country, rules, seed, word};

fn traded(when: &str) -> Moment {
    let news = News {
        kind: NewsKind::Trades,
        at: at(when),
        movement: None,
        payment_id: None,
        account_id: None,
        trade_ids: vec![],
        moved: None,
        days: std::collections::BTreeMap::new(),
    };
    Moment::of_trades(&news).unwrap()
}

fn looked(evaluation: &Evaluation) -> &domain::compliance::Looked {
    match evaluation {
        Evaluation::Hit(looked) | Evaluation::NoHit(looked) | Evaluation::InsufficientHistory { looked, .. } => looked,
    }
}

/// Deposits of 300 a month for half a year.
fn saver() -> World {
    let mut world = World::new(anna());
    for month in ["2025-01-10", "2025-02-10", "2025-03-10", "2025-04-10", "2025-05-10", "2025-06-10"] {
        world.deposit("300.00", month);
    }
    world
}

#[test]
fn a_month_tenfold_is_a_hit_and_a_cent_less_is_none() {
    for (amount, expected) in [("3000.00", "hit"), ("2999.99", "no")] {
        let mut world = saver();
        world.deposit(amount, "2025-07-12");
        assert_eq!(world.now("dep_spike"), expected, "{amount}");
    }
    let mut world = saver();
    world.deposit("3000.00", "2025-07-12");
    let hit = world.ask("dep_spike", &world.last());
    let features = &looked(&hit).features;
    assert_eq!(features["month"], "3000");
    assert_eq!(features["usual_month"], "300");
    assert_eq!(features["times_usual"], "10");
    assert!(looked(&hit).why.iter().any(|line| line.contains("median of 6 earlier windows of 30d")), "{hit:?}");
    assert!(looked(&hit).why.iter().any(|line| line == "times_usual gte 10? It is 10: yes"), "{hit:?}");
    assert_eq!(looked(&hit).evidence.len(), 1, "the deposit itself, once");
}

#[test]
fn a_baseline_needs_three_windows_and_never_has_the_tested_one_in_it() {
    let mut world = World::new(anna());
    world.deposit("100.00", "2025-05-20");
    world.deposit("50000.00", "2025-07-12");
    let Evaluation::InsufficientHistory { what, .. } = world.ask("dep_spike", &world.last()) else { panic!() };
    assert_eq!(what, ["1 earlier windows of 30d are known, 3 are needed"]);
    // empty windows count from the first deposit on
    let mut world = World::new(anna());
    world.deposit("100.00", "2025-03-20");
    world.deposit("2000.00", "2025-07-12");
    assert_eq!(world.now("dep_spike"), "hit", "the floor of 200 stands for a median of nothing");
}

#[test]
fn for_whom_an_override_holds_other_parameters_count() {
    let mut world = saver();
    world.about.risk_band = Some("high".to_owned());
    world.deposit("2000.00", "2025-07-12");
    let hit = world.ask("dep_spike", &world.last());
    assert_eq!(word(&hit), "hit");
    assert_eq!((looked(&hit).segment.as_str(), looked(&hit).overridden_by.as_deref()), ("high_risk", Some("risky")));
}

#[test]
fn in_and_out_without_trading_and_not_with_it() {
    for (out, lots, expected) in [
        ("850.00", None, "hit"),
        ("849.99", None, "no"),
        ("1000.00", Some("0.01"), "no"),
        ("1000.00", Some("0.00"), "hit"),
    ] {
        let mut world = World::new(anna());
        world.deposit("1000.00", "2025-07-01");
        if let Some(lots) = lots {
            world.trades(1, lots, "2025-07-02");
        }
        world.withdrawal(out, "2025-07-10");
        assert_eq!(world.now("in_and_out"), expected, "{out} {lots:?}");
    }
}

#[test]
fn structuring_counts_what_is_just_below_by_jurisdiction() {
    for (residence, amounts, expected) in [
        ("US", ["9999.99", "8000.00", "9000.00"], "hit"),
        ("US", ["10000.00", "8000.00", "9000.00"], "no"),
        ("US", ["7999.99", "8000.00", "9000.00"], "no"),
        ("ZA", ["2749.99", "2200.00", "2500.00"], "hit"),
        ("ZA", ["9000.00", "9000.00", "9000.00"], "no"),
    ] {
        let mut world = World::new(About { residence: country(residence), ..anna() });
        for (amount, when) in amounts.into_iter().zip(["2025-07-01", "2025-07-04", "2025-07-08T11:59"]) {
            world.deposit(amount, when);
        }
        assert_eq!(world.now("structuring"), expected, "{residence} {amounts:?}");
        assert_eq!(world.now("structuring_day"), "no");
    }
    // the window is half-open: what was exactly a week before is not in it
    let mut world = World::new(anna());
    for when in ["2025-07-01T12:00", "2025-07-04T12:00", "2025-07-08T12:00"] {
        world.deposit("9000.00", when);
    }
    assert_eq!(world.now("structuring"), "no");
}

#[test]
fn exactly_the_threshold_is_not_above_it() {
    for (residence, amount, expected) in
        [("DE", "10000.00", "no"), ("DE", "10000.01", "hit"), ("AU", "6500.01", "hit"), ("AE", "14999.00", "no")]
    {
        let mut world = World::new(About { residence: country(residence), ..anna() });
        world.deposit(amount, "2025-07-01");
        assert_eq!(world.now("large_single"), expected, "{residence} {amount}");
    }
    let mut world = World::new(anna());
    world.deposit("5000.00", "2025-07-01T12:00");
    world.deposit("5000.01", "2025-07-02T11:59");
    assert_eq!((world.now("large_single"), world.now("large_cumulative")), ("no", "hit"));
    let mut world = World::new(anna());
    world.deposit("5000.00", "2025-07-01T12:00");
    world.deposit("5000.01", "2025-07-02T12:00");
    assert_eq!(world.now("large_cumulative"), "no", "a day later it is no part of the 24 hours");
}

#[test]
fn what_was_listed_on_the_day_counts() {
    // Nigeria was on the EU's list from July 2023 to January 2026; only who is under EU law is asked
    for (residence, card, when, expected) in [
        ("DE", "NG", "2023-07-15", "no"),
        ("DE", "NG", "2023-07-16", "hit"),
        ("DE", "NG", "2026-01-29", "no"),
        ("US", "NG", "2024-07-16", "no"),
        ("US", "MM", "2024-07-16", "hit"),
        ("US", "MM", "2022-10-20", "no"),
    ] {
        let mut world = World::new(About { residence: country(residence), since: at("2022-01-01"), ..anna() });
        world.deposit("10.00", when).instrument_country = Some(country(card));
        assert_eq!(world.now("geo_instrument"), expected, "{residence} {card} {when}");
    }
    let world = World::new(About { residence: country("IR"), ..anna() });
    assert_eq!(word(&world.ask("geo_residence", &Moment::of_day("2025-07-01".parse().unwrap()))), "hit");
    let mut world = World::new(anna());
    world.login("KP", "2025-07-01");
    let login = Moment::of_login(world.history.logins.last().unwrap());
    assert_eq!(word(&world.ask("geo_login", &login)), "hit");
    let world = World::new(About { nationality: country("IR"), ..anna() });
    assert_eq!(word(&world.ask("geo_nationality", &Moment::of_day("2025-07-01".parse().unwrap()))), "hit");
}

/// Two trades a day of one size for so many days.
fn micro_trader(days: u32, lots: &str) -> World {
    let mut world = World::new(anna());
    let mut day: Day = "2025-01-01".parse().unwrap();
    for _ in 0..days {
        world.trades(2, lots, &day.to_string());
        day = day.next();
    }
    world
}

#[test]
fn a_micro_lot_trader_who_opens_fifty_lots_is_found_whatever_the_spread_of_his_sizes() {
    for (days, lots, today, expected) in [
        // all alike: no median of deviations, no mean of them either
        (30, "0.01", "50", "hit"),
        (30, "0.01", "0.1", "hit"),
        (30, "0.01", "0.09", "no"),
        (30, "0.01", "0.01", "no"),
        (9, "0.01", "50", "insufficient"),
        (10, "0.01", "50", "hit"),
    ] {
        let mut world = micro_trader(days, lots);
        world.trades(1, today, "2025-03-01");
        assert_eq!(word(&world.ask("lot_change", &traded("2025-03-01"))), expected, "{days} {lots} {today}");
    }
    // one wild day in the past hides nothing
    let mut world = micro_trader(30, "0.01");
    world.trades(1, "40", "2025-02-10");
    world.trades(1, "50", "2025-03-01");
    assert_eq!(word(&world.ask("lot_change", &traded("2025-03-01"))), "hit");
}

#[test]
fn the_other_scenarios_at_their_boundaries() {
    let mut world = World::new(anna());
    for n in 0..4 {
        world.deposit("50.00", &format!("2025-07-01T10:{:02}", n * 10));
    }
    assert_eq!(world.now("velocity"), "no");
    world.deposit("50.00", "2025-07-01T10:59");
    assert_eq!(world.now("velocity"), "hit", "five in an hour");

    let mut world = World::new(anna());
    for n in 1..=4 {
        world.deposit("50.00", &format!("2025-07-0{n}")).instrument = Some(format!("card-{n}"));
        assert_eq!(world.now("many_instruments"), if n == 4 { "hit" } else { "no" });
    }

    let mut world = World::new(anna());
    world.deposit("50.00", "2025-07-01").name = Some(NameMatch::Other);
    assert_eq!((world.now("third_party"), world.now("third_party_again")), ("hit", "no"));
    world.deposit("50.00", "2025-09-01").name = Some(NameMatch::Other);
    assert_eq!((world.now("third_party"), world.now("third_party_again")), ("hit", "hit"));
    world.deposit("50.00", "2025-09-02").name = Some(NameMatch::Unsure);
    assert_eq!(world.now("third_party"), "no");

    let mut world = World::new(anna());
    world.deposit("50.00", "2025-01-01");
    world.deposit("1000.00", "2025-06-30");
    assert_eq!(world.now("dormant"), "hit", "180 days");
    let mut world = World::new(anna());
    world.deposit("50.00", "2025-01-01");
    world.trades(1, "0.01", "2025-03-01");
    world.deposit("1000.00", "2025-06-30");
    assert_eq!(world.now("dormant"), "no", "he traded");
    let mut world = World::new(anna());
    world.deposit("50.00", "2025-01-02");
    world.deposit("1000.00", "2025-06-30");
    assert_eq!(world.now("dormant"), "no", "179 days");
    let mut world = World::new(anna());
    world.deposit("1000.00", "2025-06-30");
    assert_eq!(world.now("dormant"), "insufficient", "who was never awake does not wake");

    let mut world = World::new(anna());
    for n in 1..=6 {
        world.deposit("100.00", &format!("2025-07-0{n}"));
    }
    for n in 1..=3 {
        world.movement(MovementKind::Chargeback, "100.00", &format!("2025-07-1{n}"));
        assert_eq!(world.now("chargebacks"), if n == 3 { "hit" } else { "no" }, "half of six");
    }
    for (amount, expected) in [("4999.99", "no"), ("5000.00", "hit")] {
        let mut world = World::new(anna());
        world.movement(MovementKind::Chargeback, amount, "2025-07-11");
        assert_eq!(world.now("chargebacks"), expected);
    }

    let mut world = World::new(anna());
    world.deposit("1000.00", "2025-07-01");
    world.deposit("2000.00", "2025-07-02");
    world.deposit("500.00", "2025-07-03");
    assert_eq!(world.now("round_amounts"), "no");
    world.deposit("7000.00", "2025-07-04");
    assert_eq!(world.now("round_amounts"), "hit");

    let mut world = World::new(anna());
    world.deposit("1000.00", "2025-07-01T10:00");
    world.withdrawal("800.00", "2025-07-04T09:59");
    assert_eq!(world.now("rapid_move"), "hit");
    let mut world = World::new(anna());
    world.deposit("1000.00", "2025-07-01T10:00");
    world.withdrawal("800.00", "2025-07-04T10:00");
    assert_eq!(world.now("rapid_move"), "no");
}

#[test]
fn nothing_after_the_moment_is_seen() {
    let mut world = World::new(anna());
    for when in ["2025-07-01", "2025-07-02", "2025-07-03"] {
        world.deposit("9000.00", when);
    }
    let second = Moment::of_movement(&world.history.movements[1]);
    assert_eq!(word(&world.ask("structuring", &second)), "no");
    assert_eq!(world.now("structuring"), "hit");
}

#[test]
fn what_is_not_known_is_never_zero() {
    // an amount without a rate of its day
    let mut world = World::new(anna());
    world.deposit("9000.00", "2025-07-01T20:00").base = None;
    world.deposit("9000.00", "2025-07-02");
    let Evaluation::InsufficientHistory { what, .. } = world.ask("large_cumulative", &world.last()) else {
        let known = world.ask("large_cumulative", &world.last());
        panic!("{known:?}")
    };
    assert!(what[0].contains("has no rate of its day"), "{what:?}");
    // a history that was not read as a whole
    let mut world = saver();
    world.deposit("3000.00", "2025-07-12");
    world.history.whole_from = Some(at("2025-06-01"));
    assert_eq!(world.now("dep_spike"), "insufficient");
    world.history.whole_from = None;
    assert_eq!(world.now("structuring"), "insufficient");
    // what was before the client registered cannot be missing
    world.about.since = at("2025-01-01");
    world.history.whole_from = Some(at("2025-01-01"));
    assert_eq!(world.now("dep_spike"), "hit");
}

#[test]
fn a_part_that_is_not_known_costs_nothing_where_the_others_decide() {
    let mut document = seed("compliance_scenarios");
    let when = json!({"any": [{"field": "usual", "gte": "1"}, {"field": "count", "gte": 2}]});
    document["scenarios"] = json!([{
        "id": "x", "name": "x", "meaning": "x", "mode": "live", "trigger": ["deposit"], "score": 1, "cool_down": "1d",
        "noise_budget": "1", "when": when,
        "features": {
            "usual": {"over": "movements", "of": ["deposit"], "take": "sum", "window": "30d",
                      "earlier": {"windows": 3, "take": "mean", "at_least": 3}},
            "count": {"over": "movements", "of": ["deposit"], "take": "count", "window": "7d"},
        },
    }]);
    let rules = Scenarios::parse(&document).unwrap();
    let mut world = World::new(anna());
    world.deposit("1.00", "2025-07-01");
    assert_eq!(word(&world.ask_of(&rules, "x", &world.last())), "insufficient");
    world.deposit("1.00", "2025-07-02");
    assert_eq!(word(&world.ask_of(&rules, "x", &world.last())), "hit");
}

#[test]
fn three_deposits_from_three_countries_in_a_day_take_no_code() {
    let mut document = seed("compliance_scenarios");
    document["scenarios"].as_array_mut().unwrap().push(json!({
        "id": "three_countries", "name": "Three deposits from three countries in a day", "meaning": "Cards of three countries.",
        "mode": "live", "trigger": ["deposit"], "score": 35, "cool_down": "7d", "noise_budget": "0.05",
        "features": {
            "deposits": {"over": "movements", "of": ["deposit"], "take": "count", "window": "24h"},
            "countries": {"over": "movements", "of": ["deposit"], "take": "distinct_countries", "window": "24h"},
        },
        "when": {"all": [{"field": "deposits", "gte": 3}, {"field": "countries", "gte": 3}]},
    }));
    let rules = Scenarios::parse(&document).unwrap();
    let mut world = World::new(anna());
    let mut said = Vec::new();
    for (hour, from) in [("08", "DE"), ("12", "FR"), ("20", "BR")] {
        world.deposit("10.00", &format!("2025-07-01T{hour}:00")).instrument_country =
            Some(from.parse::<Country>().unwrap());
        said.push(word(&world.ask_of(&rules, "three_countries", &world.last())));
    }
    assert_eq!(said, ["no", "no", "hit"]);
}

#[test]
fn a_day_of_the_calendar_is_seen_to_its_end_and_no_further() {
    let day = Moment::of_day("2024-02-29".parse().unwrap());
    assert_eq!(day.at, "2024-02-29T23:59:59.999Z".parse::<Timestamp>().unwrap());
    assert!(rules().look_back(Trigger::ALL) <= domain::compliance::feature::LOOK_BACK_MAX);
}
