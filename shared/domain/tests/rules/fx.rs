//! The rule set `fx`: its defects, which pairs it covers, and what it costs.

use domain::payment::fx::rules::{FxCase, FxRules, RateVendor};
use domain::rule_sets::SetName;
use domain::rules::RuleSet;
use domain::{Currency, Seconds};
use serde_json::{Value as Json, json};

use crate::defects::check;
use crate::seeds::{currency, seed};

fn rules(change: impl FnOnce(&mut Json)) -> FxRules {
    let mut document = seed(SetName::Fx);
    change(&mut document);
    FxRules::parse(&document).unwrap()
}

fn markup(rules: &FxRules, from: &str, amount: &str, country: &str) -> (String, String) {
    let case = FxCase {
        from: currency(from),
        to: currency("USD"),
        country: country.parse().unwrap(),
        account_type: "standard".to_owned(),
        amount: amount.parse().unwrap(),
    };
    let matched = rules.markup(&case).unwrap();
    (matched.row_id().unwrap().to_owned(), matched.outcome().unwrap().to_string())
}

#[test]
fn each_defect_is_found_at_its_place() {
    check(
        SetName::Fx,
        vec![
            ("/sources", None, &[("", "missing_key")]),
            ("/sources", Some(json!([])), &[("/sources", "empty")]),
            ("/sources/0/name", Some(json!("ecb")), &[("/sources/1/name", "duplicate_id")]),
            ("/sources/0/vendor", Some(json!("bank")), &[("/sources/0/vendor", "unknown_value")]),
            (
                "/sources/0/base_url",
                Some(json!("http://rates.example.com")),
                &[("/sources/0/base_url", "insecure_url")],
            ),
            ("/sources/0/stale_after", Some(json!("0s")), &[("/sources/0/stale_after", "bad_range")]),
            ("/sources/0/stale_after", Some(json!("15d")), &[("/sources/0/stale_after", "bad_range")]),
            ("/sources/0/currencies", Some(json!(["USD"])), &[("/sources/0/currencies", "empty")]),
            ("/sources/0/currencies", Some(json!(["USD", "USD"])), &[("/sources/0/currencies/1", "duplicate")]),
            ("/sources/0/secret", Some(json!("x")), &[("/sources/0/secret", "unknown_key")]),
            ("/pairs", Some(json!([])), &[("/pairs", "empty")]),
            ("/pairs/0/to", None, &[("/pairs/0", "missing_key")]),
            ("/pairs/0/from/0", Some(json!("DOLLAR")), &[("/pairs/0/from/0", "unknown_currency")]),
            // nobody has rates of it
            ("/pairs/0/from/-", Some(json!("CHF")), &[("/pairs", "no_source")]),
            ("/markup/0/then", Some(json!("0.26")), &[("/markup/0/then", "bad_range")]),
            ("/markup/0/then", Some(json!("-0.001")), &[("/markup/0/then", "bad_range")]),
            ("/markup/0/then", Some(json!("0.0000001")), &[("/markup/0/then", "too_many_decimals")]),
            ("/markup/0/then", Some(json!(0.005)), &[("/markup/0/then", "float_number")]),
            ("/markup/1", None, &[("/markup", "no_net")]),
            (
                "/markup/0/when",
                Some(json!({"field": "psp", "eq": "stripe"})),
                &[("/markup/0/when/field", "unknown_field")],
            ),
        ],
    );
}

#[test]
fn a_pair_is_covered_where_it_is_allowed_and_a_source_has_both() {
    let names = |rules: &FxRules, from: &str, to: &str| {
        rules.sources_for(currency(from), currency(to)).map(|source| source.name.clone()).collect::<Vec<_>>()
    };
    let all = rules(|_| {});
    assert_eq!(names(&all, "EUR", "USD"), ["live", "ecb"]);
    assert!(all.covers(currency("JPY"), currency("GBP")));
    assert!(!all.covers(currency("USD"), currency("USD")));
    assert!(!all.covers(currency("CHF"), currency("USD")) && !all.covers(currency("USD"), currency("CHF")));
    let codes = |all: Vec<Currency>| all.iter().map(Currency::code).collect::<Vec<_>>().join(" ");
    assert_eq!(codes(all.taken_for(currency("USD"))), "EUR GBP JPY");
    let some = rules(|document| {
        document["sources"][0]["currencies"] = json!(["USD", "EUR"]);
        document["pairs"] = json!([{"from": ["EUR", "GBP"], "to": ["USD"]}]);
    });
    assert_eq!(names(&some, "EUR", "USD"), ["live", "ecb"]);
    assert_eq!(names(&some, "GBP", "USD"), ["ecb"]);
    assert!(names(&some, "USD", "EUR").is_empty(), "a pair has a direction");
}

#[test]
fn a_source_says_by_its_vendor_how_old_its_rates_may_be() {
    let spans = |rules: &FxRules| {
        let sources = rules.sources_for(currency("EUR"), currency("USD"));
        sources.map(|source| (source.vendor, source.stale_after)).collect::<Vec<_>>()
    };
    let left_out = rules(|document| {
        for n in 0..2 {
            document["sources"][n].as_object_mut().unwrap().remove("stale_after");
        }
    });
    let usual = [(RateVendor::Quote, Seconds(60)), (RateVendor::Ecb, Seconds(4 * 86_400))];
    assert_eq!(spans(&left_out), usual);
    assert_eq!(spans(&rules(|_| {})), usual);
}

#[test]
fn the_first_row_that_fits_says_what_it_costs() {
    let seed = rules(|_| {});
    for (from, amount, row, part) in [
        ("EUR", "9999.99", "everything_else", "0.005"),
        ("EUR", "10000", "large", "0.0025"),
        ("JPY", "1000000", "everything_else", "0.005"),
    ] {
        assert_eq!(markup(&seed, from, amount, "ES"), (row.to_owned(), part.to_owned()), "{from} {amount}");
    }
    let by_country = rules(|document| {
        let row = json!({"id": "spain", "when": {"field": "country", "eq": "ES"}, "then": "0"});
        document["markup"].as_array_mut().unwrap().insert(0, row);
    });
    assert_eq!(markup(&by_country, "EUR", "10000", "ES").1, "0");
    assert_eq!(markup(&by_country, "EUR", "10000", "MX").1, "0.0025");
}

#[test]
fn what_was_parsed_can_be_written_and_parsed_again() {
    let rules = rules(|_| {});
    assert_eq!(FxRules::parse(&serde_json::to_value(&rules).unwrap()), Ok(rules));
}
