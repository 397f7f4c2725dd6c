//! One defect at a time is put into a seed file: it is found, at its place, and nothing else is.

use domain::rule_sets::{SetName, parse_any};
use serde_json::{Value as Json, json};

use crate::seeds::seed;

/// Takes a value out (`None`) or puts one in; `-` at the end appends to a list.
fn change(document: &mut Json, pointer: &str, value: Option<Json>) {
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    let parent = document.pointer_mut(parent).unwrap_or_else(|| panic!("the seed has no {parent}"));
    match (parent, value) {
        (Json::Object(map), Some(value)) => drop(map.insert(key.replace("~1", "/").replace("~0", "~"), value)),
        (Json::Object(map), None) => assert!(map.remove(key).is_some(), "the seed has no {pointer}"),
        (Json::Array(items), Some(value)) if key == "-" => items.push(value),
        (Json::Array(items), Some(value)) => items[key.parse::<usize>().unwrap()] = value,
        (Json::Array(items), None) => drop(items.remove(key.parse().unwrap())),
        (other, _) => panic!("{pointer}: {other} has no parts"),
    }
}

fn found(name: SetName, document: &Json) -> Vec<(String, &'static str)> {
    let faults = parse_any(name, document).err().unwrap_or_default();
    for fault in &faults {
        assert!(
            !fault.message.is_empty() && fault.code.chars().all(|c| c.is_ascii_lowercase() || c == '_'),
            "{fault:?}"
        );
    }
    faults.into_iter().map(|fault| (fault.pointer, fault.code)).collect()
}

pub type Case = (&'static str, Option<Json>, &'static [(&'static str, &'static str)]);

pub fn check(name: SetName, cases: Vec<Case>) {
    for (pointer, value, expected) in cases {
        let mut document = seed(name);
        change(&mut document, pointer, value.clone());
        let expected: Vec<(String, &str)> = expected.iter().map(|(at, code)| ((*at).to_owned(), *code)).collect();
        assert_eq!(found(name, &document), expected, "{name} {pointer} = {value:?}");
    }
}

#[test]
fn what_is_no_rule_set_at_all_is_refused() {
    for name in SetName::ALL {
        for document in [json!(null), json!([]), json!("x"), json!(1.5), json!({})] {
            assert!(!found(*name, &document).is_empty(), "{name} {document}");
        }
    }
}

#[test]
fn defects_of_providers_are_found_where_they_are() {
    check(
        SetName::Psps,
        vec![
            (
                "/psps/0/name",
                Some(json!("Stripe Ltd")),
                &[
                    ("/psps/0/name", "bad_name"),
                    ("/routing/costs/stripe", "missing_reference"),
                    ("/routing/order/0/then/0/0", "missing_reference"),
                ],
            ),
            (
                "/psps/1/name",
                Some(json!("stripe")),
                &[("/psps/1/name", "duplicate_id"), ("/routing/order/0/then/1/1", "missing_reference")],
            ),
            ("/psps/0/vendor", Some(json!("paypal")), &[("/psps/0/vendor", "unknown_value")]),
            ("/psps/0/enabled", Some(json!("yes")), &[("/psps/0/enabled", "wrong_type")]),
            ("/psps/0/secret", None, &[("/psps/0", "missing_key")]),
            ("/psps/0/secret", Some(json!("a secret!")), &[("/psps/0/secret", "bad_secret_name")]),
            ("/psps/0/secret", Some(json!("${SECRET}")), &[("/psps/0/secret", "unresolved_name")]),
            ("/psps/0/base_url", Some(json!("http://api.stripe.com")), &[("/psps/0/base_url", "insecure_url")]),
            ("/psps/0/pay_page_url", Some(json!("api.stripe.com")), &[("/psps/0/pay_page_url", "bad_url")]),
            ("/psps/0/currencies", Some(json!([])), &[("/psps/0/currencies", "empty")]),
            ("/psps/0/currencies/0", Some(json!("USX")), &[("/psps/0/currencies/0", "unknown_currency")]),
            ("/psps/0/currencies/1", Some(json!("USD")), &[("/psps/0/currencies/1", "duplicate")]),
            // a currency without limits
            ("/psps/0/currencies/-", Some(json!("CHF")), &[("/psps/0/currencies/4", "missing_reference")]),
            ("/psps/0/query_url", Some(json!("www.skrill.com")), &[("/psps/0/query_url", "bad_url")]),
            ("/psps/0/vendor", Some(json!("coinspaid")), &[("/psps/0", "missing_key")]),
            ("/psps/0/received_over_max", Some(json!(101)), &[("/psps/0/received_over_max", "bad_range")]),
            ("/psps/0/risk_score_max", Some(json!("1.5")), &[("/psps/0/risk_score_max", "bad_range")]),
            ("/psps/0/settled_after_days", Some(json!(11)), &[("/psps/0/settled_after_days", "bad_range")]),
            ("/psps/0/risk_score_max", Some(json!(0.5)), &[("/psps/0/risk_score_max", "float_number")]),
            ("/psps/0/payment_method", Some(json!("")), &[("/psps/0/payment_method", "empty")]),
            ("/psps/0/legacy_signature", Some(json!(true)), &[("/psps/0/legacy_signature", "not_applicable")]),
            ("/psps/0/collected_when", Some(json!("captured")), &[("/psps/0/collected_when", "not_applicable")]),
            ("/psps/1/unconfirmed_success", Some(json!("yes")), &[("/psps/1/unconfirmed_success", "unknown_value")]),
            (
                "/psps/0/signature_tolerance",
                Some(json!("5 minutes")),
                &[("/psps/0/signature_tolerance", "bad_duration")],
            ),
            ("/psps/0/signature_tolerance", Some(json!("2h")), &[("/psps/0/signature_tolerance", "bad_range")]),
            ("/psps/0/webhook_limit", Some(json!(900)), &[("/psps/0/webhook_limit", "wrong_type")]),
            ("/psps/0/needs_review_after", Some(json!("15m")), &[("/psps/0/needs_review_after", "bad_range")]),
            ("/psps/0/web~1hook", Some(json!("15m")), &[("/psps/0/web~1hook", "unknown_key")]),
            ("/psps", Some(json!({})), &[("/psps", "wrong_type")]),
            ("/over_under/USD", Some(json!("-1")), &[("/over_under/USD", "bad_range")]),
            ("/over_under/JPY", Some(json!("0.5")), &[("/over_under/JPY", "too_many_decimals")]),
            ("/over_under/USD", Some(json!(0.5)), &[("/over_under/USD", "float_number")]),
            ("/over_under/XXX", Some(json!("1")), &[("/over_under/XXX", "unknown_currency")]),
            ("/credit_review_after", Some(json!("0s")), &[("/credit_review_after", "bad_range")]),
            ("/auto_resolution", Some(json!("all")), &[("/auto_resolution", "unknown_value")]),
            ("/deposit_limit", Some(json!([])), &[("/deposit_limit", "unknown_key")]),
        ],
    );
}

#[test]
fn defects_of_the_choice_of_a_provider_are_found_where_they_are() {
    const THEN: &str = "/routing/order/0/then";
    check(
        SetName::Psps,
        vec![
            ("/routing/order", None, &[("/routing", "missing_key")]),
            ("/routing/other", Some(json!(1)), &[("/routing/other", "unknown_key")]),
            (THEN, Some(json!([])), &[(THEN, "empty")]),
            (THEN, Some(json!(["stripe"])), &[("/routing/order/0/then/0", "wrong_type")]),
            (THEN, Some(json!([["stripe", "paypal"]])), &[("/routing/order/0/then/0/1", "missing_reference")]),
            (THEN, Some(json!([["stripe"], ["adyen", "stripe"]])), &[("/routing/order/0/then/1/1", "duplicate")]),
            (
                "/routing/order/0/when",
                Some(json!({"field": "psp", "eq": "stripe"})),
                &[("/routing/order/0/when/field", "unknown_field")],
            ),
            ("/routing/costs/paypal", Some(json!({})), &[("/routing/costs/paypal", "missing_reference")]),
            ("/routing/costs/stripe/XXX", Some(json!({})), &[("/routing/costs/stripe/XXX", "unknown_currency")]),
            (
                "/routing/costs/stripe/USD/fixed",
                Some(json!("0.305")),
                &[("/routing/costs/stripe/USD/fixed", "too_many_decimals")],
            ),
            ("/routing/costs/stripe/USD/fixed", Some(json!("-1")), &[("/routing/costs/stripe/USD/fixed", "bad_range")]),
            (
                "/routing/costs/stripe/USD/per_cent",
                Some(json!("101")),
                &[("/routing/costs/stripe/USD/per_cent", "bad_range")],
            ),
            (
                "/routing/costs/stripe/USD/per_cent",
                Some(json!(2.9)),
                &[("/routing/costs/stripe/USD/per_cent", "float_number")],
            ),
            ("/routing/failing/failures", Some(json!(0)), &[("/routing/failing/failures", "bad_range")]),
            ("/routing/failing/within", None, &[("/routing/failing", "missing_key")]),
            ("/routing/failing/put_last_for", Some(json!("2d")), &[("/routing/failing/put_last_for", "bad_range")]),
        ],
    );
}

#[test]
fn defects_of_fees_are_found_where_they_are() {
    const THEN: &str = "/deposit_fees/0/then";
    const FIXED: &str = "/deposit_fees/0/then/fixed";
    let in_dollars = json!({"field": "currency", "in": ["USD", "JPY"]});
    let row = |when: &Json, then: Json| {
        let then: serde_json::Map<String, Json> = json!({"mode": "inside", "on_return": "kept"})
            .as_object()
            .unwrap()
            .clone()
            .into_iter()
            .chain(then.as_object().unwrap().clone())
            .collect();
        Some(json!([{"id": "card", "when": when, "then": then}]))
    };
    check(
        SetName::Psps,
        vec![
            ("/deposit_fees", row(&json!("always"), json!({"per_cent": "1.5"})), &[]),
            ("/deposit_fees", row(&in_dollars, json!({"fixed": "1", "min": "1", "max": "2"})), &[]),
            // an amount is in a currency, and no finer than the one with the fewest digits
            ("/deposit_fees", row(&json!("always"), json!({"fixed": "1"})), &[(FIXED, "no_currency")]),
            ("/deposit_fees", row(&in_dollars, json!({"fixed": "0.5"})), &[(FIXED, "too_many_decimals")]),
            ("/deposit_fees", row(&in_dollars, json!({"fixed": "-1"})), &[(FIXED, "bad_range")]),
            ("/deposit_fees", row(&in_dollars, json!({"min": "3", "max": "2"})), &[(THEN, "bad_range")]),
            (
                "/deposit_fees",
                row(&json!("always"), json!({"per_cent": "51"})),
                &[("/deposit_fees/0/then/per_cent", "bad_range")],
            ),
            (
                "/deposit_fees",
                row(&json!("always"), json!({"mode": "outside"})),
                &[("/deposit_fees/0/then/mode", "unknown_value")],
            ),
            (
                "/deposit_fees",
                row(&json!({"field": "psp", "eq": "paypal"}), json!({})),
                &[("/deposit_fees/0/when/eq", "unknown_value")],
            ),
            (
                "/deposit_fees",
                Some(json!([{"id": "card", "when": "always", "then": {}}])),
                &[(THEN, "missing_key"), (THEN, "missing_key")],
            ),
        ],
    );
}

#[test]
fn defects_of_deposit_limits_are_found_where_they_are() {
    const WHEN: &str = "/deposit_limits/0/when";
    let row = |id: &str, when: Json| Some(json!({"id": id, "when": when, "then": {"min": "1", "max": "2"}}));
    check(
        SetName::Psps,
        vec![
            ("/deposit_limits/0/then/min", Some(json!("50000.01")), &[("/deposit_limits/0/then", "bad_range")]),
            ("/deposit_limits/0/then/min", Some(json!("0")), &[("/deposit_limits/0/then/min", "bad_range")]),
            ("/deposit_limits/0/then/min", Some(json!(10.5)), &[("/deposit_limits/0/then/min", "float_number")]),
            ("/deposit_limits/0/then/max", Some(json!("1e6")), &[("/deposit_limits/0/then/max", "not_a_number")]),
            (
                "/deposit_limits/1/then/min",
                Some(json!("1500.5")),
                &[("/deposit_limits/1/then/min", "too_many_decimals")],
            ),
            ("/deposit_limits/0/then/maximum", Some(json!("1")), &[("/deposit_limits/0/then/maximum", "unknown_key")]),
            ("/deposit_limits/1/id", Some(json!("dollar_euro_pound")), &[("/deposit_limits/1/id", "duplicate_id")]),
            ("/deposit_limits/1/when", None, &[("/deposit_limits/1", "missing_key")]),
            (
                "/deposit_limits/-",
                row("more", json!({"field": "currency", "in": ["EUR", "JPY"]})),
                &[("/deposit_limits/2/when", "unreachable_row")],
            ),
            ("/deposit_limits/0/when", Some(json!("always")), &[("/deposit_limits/1/when", "unreachable_row")]),
            (
                WHEN,
                Some(json!({"field": "curency", "eq": "USD"})),
                &[("/deposit_limits/0/when/field", "unknown_field")],
            ),
            (
                WHEN,
                Some(json!({"field": "currency", "equals": "USD"})),
                &[("/deposit_limits/0/when/equals", "unknown_op")],
            ),
            (WHEN, Some(json!({"field": "currency"})), &[(WHEN, "missing_op")]),
            (WHEN, Some(json!({"field": "currency", "eq": "USD", "ne": "EUR"})), &[(WHEN, "too_many_ops")]),
            (
                WHEN,
                Some(json!({"field": "currency", "gt": "USD"})),
                &[("/deposit_limits/0/when/gt", "op_not_for_type")],
            ),
            (WHEN, Some(json!({"field": "currency", "in": "USD"})), &[("/deposit_limits/0/when/in", "wrong_type")]),
            (
                WHEN,
                Some(json!({"field": "currency", "in": ["USD", "USD"]})),
                &[("/deposit_limits/0/when/in/1", "duplicate")],
            ),
            (WHEN, Some(json!({"field": "currency", "in": []})), &[("/deposit_limits/0/when/in", "empty")]),
            (WHEN, Some(json!({"field": "currency", "eq": ["USD"]})), &[("/deposit_limits/0/when/eq", "wrong_type")]),
            (WHEN, Some(json!({"field": "psp", "eq": "strip"})), &[("/deposit_limits/0/when/eq", "unknown_value")]),
            (WHEN, Some(json!({"field": "country", "eq": "UK"})), &[("/deposit_limits/0/when/eq", "unknown_country")]),
            (
                WHEN,
                Some(json!({"field": "country", "exists": true})),
                &[("/deposit_limits/0/when/exists", "pointless_test")],
            ),
            (WHEN, Some(json!({"all": []})), &[("/deposit_limits/0/when/all", "empty")]),
            (WHEN, Some(json!({"and": []})), &[("/deposit_limits/0/when/and", "unknown_key"), (WHEN, "bad_condition")]),
            (
                WHEN,
                Some(json!({"not": [{"field": "psp", "eq": "stripe"}, {"field": "psp", "eq": "praxis"}]})),
                &[("/deposit_limits/0/when/not", "bad_condition")],
            ),
            (
                WHEN,
                Some(json!({"all": [{"field": "currency", "eq": "USD"}, {"field": "currency", "eq": "EUR"}]})),
                &[("/deposit_limits/0/when/all", "never_true")],
            ),
            (WHEN, Some(json!("sometimes")), &[(WHEN, "wrong_type")]),
        ],
    );
}

#[test]
fn a_limit_for_some_countries_only_leaves_a_gap() {
    let mut document = seed(SetName::Psps);
    document["psps"].as_array_mut().unwrap().truncate(2);
    change(&mut document, "/routing", None);
    let when = json!({"all": [{"field": "currency", "eq": "JPY"}, {"field": "country", "ne": "JP"}]});
    change(&mut document, "/deposit_limits/1/when", Some(when));
    let faults = parse_any(SetName::Psps, &document).unwrap_err();
    let places: Vec<&str> = faults.iter().map(|fault| fault.pointer.as_str()).collect();
    let psps = document["psps"].as_array().unwrap().iter().enumerate();
    let yen = |psp: &Json| psp["currencies"].as_array().unwrap().iter().position(|code| code == "JPY");
    let takers: Vec<String> = psps.filter_map(|(n, psp)| Some(format!("/psps/{n}/currencies/{}", yen(psp)?))).collect();
    assert!(takers.len() >= 2);
    assert_eq!(places, takers);
    assert_eq!(faults[0].message, "no row of deposit_limits covers country JP, currency JPY, psp stripe");
}

#[test]
fn a_payment_counts_as_collected_by_one_of_two_words() {
    let mut document = seed(SetName::Psps);
    let psps = document["psps"].as_array_mut().unwrap();
    let at = psps.iter().position(|psp| psp["name"] == "adyen").unwrap();
    psps[at]["collected_when"] = json!("settled");
    assert_eq!(found(SetName::Psps, &document), [(format!("/psps/{at}/collected_when"), "unknown_value")]);
}

#[test]
fn all_faults_are_told_at_once() {
    let mut document = seed(SetName::Psps);
    change(&mut document, "/psps/0/vendor", Some(json!("x")));
    change(&mut document, "/psps/1/base_url", Some(json!(5)));
    change(&mut document, "/deposit_limits/0/then/min", Some(json!(1.5)));
    change(&mut document, "/deposit_limits/1/when/eq", Some(json!("YEN")));
    change(&mut document, "/credit_review_after", None);
    assert_eq!(
        found(SetName::Psps, &document),
        [
            ("/psps/0/vendor".to_owned(), "unknown_value"),
            ("/psps/1/base_url".to_owned(), "wrong_type"),
            ("/deposit_limits/0/then/min".to_owned(), "float_number"),
            ("/deposit_limits/1/when/eq".to_owned(), "unknown_currency"),
            (String::new(), "missing_key"),
        ]
    );
}

#[test]
fn defects_of_platforms_are_found_where_they_are() {
    check(
        SetName::Platforms,
        vec![
            ("/servers/0/platform", Some(json!("mt6")), &[("/servers/0/platform", "unknown_value")]),
            ("/servers/0/manager", None, &[("/servers/0", "missing_key")]),
            ("/servers/0/manager/version", Some(json!("3091")), &[("/servers/0/manager/version", "wrong_type")]),
            ("/servers/0/base_url", Some(json!("http://mt5.example.com")), &[("/servers/0/base_url", "insecure_url")]),
            (
                "/servers/1/name",
                Some(json!("mt5-live")),
                &[
                    ("/servers/1/name", "duplicate_id"),
                    ("/groups/4/then/server", "missing_reference"),
                    ("/groups/5/then/server", "missing_reference"),
                    ("/groups/6/then/server", "missing_reference"),
                    ("/groups/7/then/server", "missing_reference"),
                ],
            ),
            ("/servers/0/settings", Some(json!({"webreg": "a:1"})), &[("/servers/0/settings/webreg", "unknown_key")]),
            ("/servers/2/settings", None, &[("/servers/2", "missing_key")]),
            ("/servers/2/settings/webreg", None, &[("/servers/2/settings", "missing_key")]),
            ("/servers/2/settings/webreg", Some(json!("tcp://a:1")), &[("/servers/2/settings/webreg", "bad_address")]),
            (
                "/servers/2/settings/webreg",
                Some(json!("mt4.example.com")),
                &[("/servers/2/settings/webreg", "bad_address")],
            ),
            (
                "/servers/2/settings/webreg",
                Some(json!("mt4.example.com:0")),
                &[("/servers/2/settings/webreg", "bad_address")],
            ),
            (
                "/servers/2/settings/token_url",
                Some(json!("http://example.com/token")),
                &[("/servers/2/settings/token_url", "insecure_url")],
            ),
            (
                "/servers/2/settings/code_page",
                Some(json!("utf-8")),
                &[("/servers/2/settings/code_page", "unknown_value")],
            ),
            ("/servers/2/settings/webrg", Some(json!("a:1")), &[("/servers/2/settings/webrg", "unknown_key")]),
            ("/groups/0/then/server", Some(json!("mt5-old")), &[("/groups/0/then/server", "missing_reference")]),
            ("/groups/0/then/server", Some(json!("mt5-demo")), &[("/groups/0/then/server", "wrong_environment")]),
            ("/groups/0/when/all/0/eq", Some(json!("dxtrade")), &[("/groups/0/then/server", "wrong_platform")]),
            ("/groups/0/when/all/2/eq", Some(json!("pro")), &[("/groups/0/when/all/2/eq", "unknown_value")]),
            ("/groups/0/then/group", Some(json!("")), &[("/groups/0/then/group", "empty")]),
            // MT4 keeps 15 bytes of a name, MT5 63
            ("/groups/12/then/group", Some(json!("live-standardUSD")), &[("/groups/12/then/group", "too_long")]),
            ("/groups/12/then/group", Some(json!("live-standarUSD")), &[]),
            ("/groups/0/then/group", Some(json!("live-standardUSD")), &[]),
            (
                "/groups/1/when/all/3/eq",
                Some(json!("USD")),
                &[("/groups/1/when", "unreachable_row"), ("/account_types/0/currencies/1", "gap")],
            ),
            ("/groups/7", None, &[("/account_types/0/currencies/3", "gap")]),
            (
                "/account_types/0/currencies/-",
                Some(json!("CHF")),
                // of each platform that has servers, live and demo
                &[("/account_types/0/currencies/4", "gap"); 4],
            ),
            ("/account_types/0/platforms/0", Some(json!("mt6")), &[("/account_types/0/platforms/0", "unknown_value")]),
            ("/leverage/1", None, &[("/leverage", "gap")]),
            (
                "/leverage/1/when/eq",
                Some(json!(true)),
                &[("/leverage/1/when", "unreachable_row"), ("/leverage", "gap")],
            ),
            ("/leverage/0/when/eq", Some(json!("true")), &[("/leverage/0/when/eq", "wrong_type")]),
            ("/leverage/0/then/max", Some(json!(0)), &[("/leverage/0/then/max", "bad_range")]),
            ("/leverage/0/then/max", Some(json!(30.5)), &[("/leverage/0/then/max", "bad_range")]),
        ],
    );
}

#[test]
fn a_row_for_everybody_behind_rows_for_each_is_a_net_and_no_defect() {
    let mut document = seed(SetName::Platforms);
    change(&mut document, "/leverage/-", Some(json!({"id": "net", "when": "always", "then": {"max": 30}})));
    assert_eq!(found(SetName::Platforms, &document), []);
    change(&mut document, "/leverage/-", Some(json!({"id": "net_2", "when": "always", "then": {"max": 30}})));
    assert_eq!(found(SetName::Platforms, &document), [("/leverage/3/when".to_owned(), "unreachable_row")]);
}

#[test]
fn a_server_of_a_new_platform_needs_groups() {
    let mut document = seed(SetName::Platforms);
    // as if cTrader were not there yet
    let is_other = |word: &str, row: &Json| !row[word].as_str().unwrap().starts_with("ctrader-");
    document["servers"].as_array_mut().unwrap().retain(|server| is_other("name", server));
    document["groups"].as_array_mut().unwrap().retain(|row| is_other("id", row));
    let server = json!({
        "name": "ct", "platform": "ctrader", "environment": "live", "base_url": "https://ct.example.com", "secret": "ct",
        "display_name": "CT", "settings": {"broker_name": "example"},
    });
    change(&mut document, "/servers/-", Some(server));
    let gaps = found(SetName::Platforms, &document);
    assert_eq!(gaps.len(), 4);
    assert!(gaps.iter().all(|(at, code)| at.starts_with("/account_types/0/currencies/") && *code == "gap"));
    let row = json!({"id": "ct", "when": {"all": [{"field": "platform", "eq": "ctrader"}, {"field": "kind", "eq": "live"}]}, "then": {"server": "ct", "group": "std"}});
    change(&mut document, "/groups/-", Some(row));
    assert_eq!(found(SetName::Platforms, &document), []);
}

#[test]
fn defects_of_notifications_are_found_where_they_are() {
    check(
        SetName::Notifications,
        vec![
            ("/sender/address", Some(json!("nobody")), &[("/sender/address", "bad_email")]),
            ("/sender/name", Some(json!("A <b@c.de>")), &[("/sender/name", "bad_text")]),
            ("/default_language", Some(json!("English")), &[("/default_language", "bad_language")]),
            (
                "/desks/finance/slack_secret",
                Some(json!("https://hooks.slack.com/x")),
                &[("/desks/finance/slack_secret", "bad_secret_name")],
            ),
            ("/desks/finance/slack_secret", None, &[("/routes/20/channels/0", "missing_reference")]),
            ("/desks/finance/phone", Some(json!("1")), &[("/desks/finance/phone", "unknown_key")]),
            ("/desks/sales", None, &[("/routes/20/desk", "missing_reference")]),
            ("/routes/0/event", Some(json!("deposit.lost")), &[("/routes/0/event", "unknown_value")]),
            ("/routes/0/to", Some(json!("everybody")), &[("/routes/0/to", "unknown_value")]),
            ("/routes/0/channels/0", Some(json!("slack")), &[("/routes/0/channels/0", "not_applicable")]),
            ("/routes/0/channels/-", Some(json!("in_app")), &[("/routes/0/channels/1", "duplicate")]),
            (
                "/routes/0/channels/-",
                Some(json!("email")),
                &[
                    ("/templates/deposit_pending/ar", "missing_key"),
                    ("/templates/deposit_pending/de", "missing_key"),
                    ("/templates/deposit_pending/en", "missing_key"),
                    ("/templates/deposit_pending/es", "missing_key"),
                ],
            ),
            ("/routes/0/template", Some(json!("deposit_pendng")), &[("/routes/0/template", "missing_reference")]),
            ("/routes/0/desk", Some(json!("finance")), &[("/routes/0/desk", "not_applicable")]),
            ("/routes/20/channels/0", Some(json!("in_app")), &[("/routes/20/channels/0", "not_applicable")]),
            ("/routes/20/channels/0", Some(json!("email")), &[("/routes/20/channels/0", "missing_reference")]),
            ("/routes/20/desk", Some(json!("back_office")), &[("/routes/20/desk", "missing_reference")]),
            ("/routes/20/to", Some(json!("client")), &[("/routes/20/to", "not_applicable")]),
            (
                "/routes/-",
                Some(
                    json!({"event": "deposit.paid", "to": "client", "channels": ["in_app"], "template": "deposit_paid"}),
                ),
                &[("/routes/31", "duplicate")],
            ),
            (
                "/routes/-",
                Some(
                    json!({"event": "deposit.needs_review", "to": "desk", "desk": "by_queue", "channels": ["slack"], "template": "desk_work_opened"}),
                ),
                &[("/routes/31/desk", "not_applicable")],
            ),
            ("/templates/deposit_paid/en", None, &[("/templates/deposit_paid", "missing_language")]),
            ("/templates/deposit_paid/en/title", None, &[("/templates/deposit_paid/en", "missing_key")]),
            ("/templates/deposit_paid/de/body", None, &[("/templates/deposit_paid/de", "missing_key")]),
            (
                "/templates/deposit_paid/en/body",
                Some(json!("{{credited}}")),
                &[("/templates/deposit_paid/en/body", "unknown_name")],
            ),
            (
                "/templates/deposit_paid/en/body",
                Some(json!("{{paid}")),
                &[("/templates/deposit_paid/en/body", "bad_braces")],
            ),
            (
                "/templates/deposit_paid/en/title",
                Some(json!("two\nlines")),
                &[("/templates/deposit_paid/en/title", "bad_text")],
            ),
            (
                "/templates/deposit_paid/en/text",
                Some(json!("x")),
                &[("/templates/deposit_paid/en/text", "unknown_key")],
            ),
            (
                "/templates/deposit_paid/english",
                Some(json!({"title": "x", "body": "y"})),
                &[("/templates/deposit_paid/english", "bad_language")],
            ),
            (
                "/templates/unused",
                Some(json!({"en": {"body": "{{login}} {{nonsense}}"}})),
                &[("/templates/unused/en/body", "unknown_name")],
            ),
        ],
    );
}

#[test]
fn one_text_for_two_events_may_only_use_what_both_offer() {
    let mut document = seed(SetName::Notifications);
    change(&mut document, "/routes/0/template", Some(json!("deposit_expired")));
    assert_eq!(found(SetName::Notifications, &document), []);
    change(&mut document, "/routes/0/template", Some(json!("deposit_paid")));
    let places: Vec<String> = found(SetName::Notifications, &document).into_iter().map(|(at, _)| at).collect();
    assert_eq!(places, ["ar", "de", "en", "es"].map(|tag| format!("/templates/deposit_paid/{tag}/body")));
}

#[test]
fn defects_of_the_desk_are_found_where_they_are() {
    check(
        SetName::WorkKinds,
        vec![
            ("/kinds/dead_letter", None, &[("/kinds", "missing_key")]),
            ("/kinds/lost_letter", Some(json!({})), &[("/kinds/lost_letter", "unknown_kind")]),
            ("/kinds/dead_letter/queue", Some(json!("it")), &[("/kinds/dead_letter/queue", "unknown_value")]),
            ("/kinds/dead_letter/priority", Some(json!(1)), &[("/kinds/dead_letter/priority", "wrong_type")]),
            ("/kinds/dead_letter/due_in", Some(json!("5s")), &[("/kinds/dead_letter/due_in", "bad_range")]),
            ("/kinds/dead_letter/runbook", Some(json!("../secrets")), &[("/kinds/dead_letter/runbook", "bad_name")]),
            ("/kinds/dead_letter/title", Some(json!("")), &[("/kinds/dead_letter/title", "empty")]),
            ("/kinds/dead_letter/options", Some(json!([])), &[("/kinds/dead_letter/options", "empty")]),
            (
                "/kinds/dead_letter/options/0/action",
                Some(json!("close")),
                &[("/kinds/dead_letter/options/1/action", "duplicate")],
            ),
            (
                "/kinds/dead_letter/options/0/action",
                Some(json!("mark_credited")),
                &[("/kinds/dead_letter/options/0/action", "not_applicable")],
            ),
            (
                "/kinds/dead_letter/options/0/action",
                Some(json!("shrug")),
                &[("/kinds/dead_letter/options/0/action", "unknown_value")],
            ),
            (
                "/kinds/dead_letter/options/0/label",
                Some(json!("x".repeat(81))),
                &[("/kinds/dead_letter/options/0/label", "too_long")],
            ),
            (
                "/kinds/dead_letter/options/0/four_eyes",
                Some(json!("sometimes")),
                &[("/kinds/dead_letter/options/0/four_eyes", "unknown_value")],
            ),
            ("/four_eyes_from/USD", Some(json!(10_000.5)), &[("/four_eyes_from/USD", "float_number")]),
            ("/four_eyes_from/USD", Some(json!("0")), &[("/four_eyes_from/USD", "bad_range")]),
            ("/four_eyes_from/XXZ", Some(json!("1")), &[("/four_eyes_from/XXZ", "unknown_currency")]),
        ],
    );
}

#[test]
fn two_people_from_an_amount_on_need_amounts() {
    let mut document = seed(SetName::WorkKinds);
    change(&mut document, "/four_eyes_from", None);
    let found = found(SetName::WorkKinds, &document);
    assert!(!found.is_empty());
    assert!(found.iter().all(|(at, code)| at.ends_with("/four_eyes") && *code == "missing_reference"), "{found:?}");
}

#[test]
fn limits_of_size_hold_on_both_sides() {
    let limits = |rows: usize| {
        let mut document = seed(SetName::Psps);
        let row = |n: usize| json!({"id": format!("r{n}"), "when": {"all": [{"field": "currency", "eq": "USD"}, {"field": "account_type", "eq": format!("t{n}")}]}, "then": {"min": 1, "max": 2}});
        let mut all: Vec<Json> = (0..rows - 1).map(row).collect();
        all.push(json!({"id": "rest", "when": "always", "then": {"min": 1, "max": 2}}));
        change(&mut document, "/deposit_limits", Some(Json::Array(all)));
        found(SetName::Psps, &document)
    };
    assert_eq!(limits(200), []);
    assert_eq!(limits(201), [("/deposit_limits".to_owned(), "too_many")]);

    let nested = |levels: usize| {
        let mut when = json!({"field": "country", "eq": "ES"});
        for _ in 1..levels {
            when = json!({"not": when});
        }
        let mut document = seed(SetName::Psps);
        change(
            &mut document,
            "/deposit_limits/-",
            Some(json!({"id": "deep", "when": when, "then": {"min": 1, "max": 2}})),
        );
        found(SetName::Psps, &document)
    };
    assert_eq!(nested(6), []);
    assert_eq!(nested(7).into_iter().map(|(_, code)| code).collect::<Vec<_>>(), ["too_deep"]);
}

#[test]
#[expect(clippy::disallowed_methods, reason = "measures how long parsing takes")]
fn a_table_too_tangled_to_judge_is_still_read_in_time() {
    let started = std::time::Instant::now();
    let any = |n: usize| json!({"any": (0..6).map(|m| json!({"field": "account_type", "eq": format!("t{}", n * 7 + m)})).collect::<Vec<_>>()});
    let currencies = ["USD", "EUR", "GBP"];
    let countries = ["ES", "DE", "FR", "IT", "PT", "NL"];
    let other = |n: usize| json!({"any": (0..6).map(|m| json!({"field": "country", "eq": countries[(n + m) % 6]})).collect::<Vec<_>>()});
    let last =
        |n: usize| json!({"any": [{"field": "psp", "eq": "stripe"}, {"field": "currency", "eq": currencies[n % 3]}]});
    let rows = (0..99).map(
        |n| json!({"id": format!("r{n}"), "when": {"all": [any(n), other(n), last(n)]}, "then": {"min": 1, "max": 2}}),
    );
    let mut all: Vec<Json> = rows.collect();
    all.push(json!({"id": "rest", "when": "always", "then": {"min": 1, "max": 2}}));
    let mut document = seed(SetName::Psps);
    change(&mut document, "/deposit_limits", Some(Json::Array(all)));
    assert_eq!(found(SetName::Psps, &document), []);
    assert!(started.elapsed().as_secs() < 30, "took {:?}", started.elapsed());
}
