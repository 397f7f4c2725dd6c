//! The rule set `partner_agreements`: its defects, and what its tables answer.

use domain::account::rules::Platform;
use domain::partner::rules::{PartnerAgreements, PayCase};
use domain::rule_sets::SetName;
use domain::rules::RuleSet;
use serde_json::json;

use crate::defects::check;
use crate::seeds::seed;

const LOTS: &str = "/agreements/standard/pay/0";

#[test]
fn each_defect_is_found_at_its_place() {
    let share = |more: serde_json::Value| {
        let mut all = json!({"kind": "share"});
        for (key, value) in more.as_object().unwrap() {
            all[key] = value.clone();
        }
        Some(all)
    };
    check(
        SetName::PartnerAgreements,
        vec![
            ("/depth_max", None, &[("", "missing_key")]),
            ("/depth_max", Some(json!(21)), &[("/depth_max", "bad_range")]),
            ("/close_after", Some(json!("28d")), &[("/close_after", "bad_range")]),
            ("/colour", Some(json!("red")), &[("/colour", "unknown_key")]),
            ("/symbols/names/GOLD", Some(json!("XAU")), &[("/symbols/names/GOLD", "missing_reference")]),
            ("/symbols/suffixes/-", Some(json!(".m")), &[("/symbols/suffixes/4", "duplicate")]),
            (
                "/symbols/instruments/DE40/currency",
                Some(json!("EURO")),
                &[("/symbols/instruments/DE40/currency", "unknown_currency")],
            ),
            (
                "/symbols/instruments/DE40/contract",
                Some(json!(0)),
                &[("/symbols/instruments/DE40/contract", "bad_range")],
            ),
            ("/symbols/instruments/DE40/pip", Some(json!(0.5)), &[("/symbols/instruments/DE40/pip", "float_number")]),
            ("/symbols/instruments/DE40/group", None, &[("/symbols/instruments/DE40", "missing_key")]),
            ("/lots/cent", Some(json!(0)), &[("/lots/cent", "bad_range")]),
            ("/lots/Cent", Some(json!(1)), &[("/lots/Cent", "bad_name")]),
            ("/agreements", Some(json!({})), &[("/agreements", "bad_count")]),
            (
                "/agreements/standard/currency",
                Some(json!("GLD")),
                &[("/agreements/standard/currency", "unknown_currency")],
            ),
            (
                "/agreements/standard/pay/0/model",
                Some(json!("lots")),
                &[("/agreements/standard/pay/0/model", "unknown_value")],
            ),
            ("/agreements/standard/pay/0/unit", Some(json!("pip")), &[("/agreements/standard/pay/0/unit", "not_here")]),
            ("/agreements/standard/pay/0/rates/3", None, &[("/agreements/standard/pay/0/rates", "no_net")]),
            (
                "/agreements/standard/pay/0/rates/0/then",
                Some(json!("-1")),
                &[("/agreements/standard/pay/0/rates/0/then", "bad_range")],
            ),
            (
                "/agreements/standard/pay/0/rates/0/when/eq",
                Some(json!("metal")),
                &[("/agreements/standard/pay/0/rates/0/when/eq", "unknown_value")],
            ),
            (
                "/agreements/standard/pay/0/rates/0/when",
                Some(json!("always")),
                &[
                    ("/agreements/standard/pay/0/rates/1/when", "unreachable_row"),
                    ("/agreements/standard/pay/0/rates/2/when", "unreachable_row"),
                    ("/agreements/standard/pay/0/rates/3/when", "unreachable_row"),
                ],
            ),
            (
                "/agreements/standard/pay/0/hold",
                Some(json!("367d")),
                &[("/agreements/standard/pay/0/hold", "bad_range")],
            ),
            (
                "/agreements/standard/pay/0/tiers/apply",
                Some(json!("always")),
                &[("/agreements/standard/pay/0/tiers/apply", "unknown_value")],
            ),
            (
                "/agreements/standard/pay/0/tiers/steps/-",
                Some(json!({"above": 1000, "factor": "1.2"})),
                &[("/agreements/standard/pay/0/tiers/steps/1", "bad_order")],
            ),
            (
                "/agreements/standard/pay/-",
                Some(json!({
                    "id": "lots", "model": "commission", "sides": "both", "rates": [{"id": "all", "when": "always", "then": 101}],
                })),
                &[
                    ("/agreements/standard/pay/1/id", "duplicate_id"),
                    ("/agreements/standard/pay/1/rates/0/then", "bad_range"),
                    ("/agreements/standard/pay/1/sides", "not_here"),
                ],
            ),
            (
                "/agreements/master/overrides/kind",
                Some(json!("stacked")),
                &[("/agreements/master/overrides/kind", "unknown_value")],
            ),
            (
                "/agreements/master/overrides/per_cent",
                Some(json!(10)),
                &[("/agreements/master/overrides/per_cent", "not_here")],
            ),
            (
                "/agreements/master/overrides",
                share(json!({"per_cent": 101, "paid_by": "client"})),
                &[
                    ("/agreements/master/overrides/per_cent", "bad_range"),
                    ("/agreements/master/overrides/paid_by", "unknown_value"),
                ],
            ),
            ("/agreements/master/pool/cut", None, &[("/agreements/master/pool", "missing_key")]),
            (
                "/agreements/master/pay/0/tiers",
                Some(json!({"volume": "own", "apply": "retroactive", "steps": [{"above": 1, "factor": 2}]})),
                &[("/agreements/master", "limit_needs_no_retroactive")],
            ),
            ("/agreements/hybrid/cpa/within", None, &[("/agreements/hybrid/cpa", "missing_key")]),
            ("/agreements/hybrid/cpa/amounts/1", None, &[("/agreements/hybrid/cpa/amounts", "no_net")]),
            (
                "/agreements/hybrid/cpa/amounts/0/then",
                Some(json!("0.00001")),
                &[("/agreements/hybrid/cpa/amounts/0/then", "too_many_decimals")],
            ),
            (
                "/agreements/hybrid/revenue/parts/-",
                Some(json!("swap")),
                &[("/agreements/hybrid/revenue/parts/7", "duplicate")],
            ),
            (
                "/agreements/hybrid/revenue/carry",
                Some(json!({"mode": "capped"})),
                &[("/agreements/hybrid/revenue/carry", "missing_key")],
            ),
            (
                "/agreements/hybrid/revenue/carry/cap",
                Some(json!(1)),
                &[("/agreements/hybrid/revenue/carry/cap", "not_here")],
            ),
            (
                "/agreements/hybrid/payout_min",
                Some(json!("0.001")),
                &[("/agreements/hybrid/payout_min", "too_many_decimals")],
            ),
        ],
    );
}

#[test]
fn what_is_earned_at_the_opening_asks_nothing_of_the_close() {
    for (filters, sides, good) in [
        (json!({"hold_min": "3m"}), "both", false),
        (json!({"points_min": 1}), "open", false),
        (json!({"same_price": false}), "both", false),
        (json!({"same_price": true, "hold_min": "0s", "order_max": 500, "close_by": "one"}), "both", true),
        (json!({"hold_min": "3m"}), "close", true),
    ] {
        let mut document = seed(SetName::PartnerAgreements);
        document["agreements"]["standard"]["filters"] = filters.clone();
        document.pointer_mut(LOTS).unwrap()["sides"] = sides.into();
        let found = PartnerAgreements::parse(&document).err().unwrap_or_default();
        let codes: Vec<&str> = found.iter().map(|fault| fault.code).collect();
        assert_eq!(codes, if good { vec![] } else { vec!["filter_needs_close"] }, "{filters} {sides}");
    }
}

#[test]
fn the_seed_pays_what_it_says() {
    let set = PartnerAgreements::parse(&seed(SetName::PartnerAgreements)).unwrap();
    assert_eq!(set.names().collect::<Vec<_>>(), ["hybrid", "master", "revenue_share", "standard"]);
    for (agreement, symbol, rate) in [
        ("standard", "EURUSD", "5"),
        ("standard", "GOLD.m", "8"),
        ("standard", "BTCUSD", "1"),
        ("standard", "DE40", "0.5"),
        ("master", "EURUSD.pro", "8"),
        ("master", "XAUUSD", "12"),
    ] {
        let (name, instrument) = set.symbols.find(symbol).unwrap();
        let case = PayCase {
            symbol: name.to_owned(),
            symbol_group: instrument.group.clone(),
            account_type: "standard".to_owned(),
            platform: Platform::Mt5,
            segment: None,
            country: None,
            level: 1,
        };
        let pay = &set.agreement(agreement).unwrap().pay[0];
        assert_eq!(pay.rate(&case).unwrap().outcome().unwrap().to_string(), rate, "{agreement} {symbol}");
    }
    assert_eq!(set.lot_factor("cent").to_string(), "0.01");
    assert_eq!(set.lot_factor("standard").to_string(), "1");
}
