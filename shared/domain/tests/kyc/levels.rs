//! Levels of verification: who has which, and what a limit leaves.

use domain::kyc::KycCase;
use domain::kyc::levels::Level;
use domain::kyc::rules::levels::{KycLevels, MoneyLimit};
use domain::rules::RuleSet;
use domain::{Money, Seconds};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::desk::{Desk, document_of};

fn seed() -> Value {
    document_of("kyc_levels")
}

fn level(case: Option<&KycCase>, desk: &Desk, rules: &Value) -> Level {
    Level::of(case, &desk.client, &KycLevels::parse(rules).unwrap()).unwrap()
}

#[test]
fn the_seed_has_three_levels_and_takes_nothing_from_anybody() {
    let rules = KycLevels::parse(&seed()).unwrap();
    assert!(!rules.restrict_accounts() && !rules.restrict_deposits());
    let mut desk = Desk::new();
    assert_eq!(level(None, &desk, &seed()).name, "none");
    desk.complete("employment", false, &[]);
    assert_eq!(level(Some(&desk.case), &desk, &seed()).name, "none");
    desk.screen(&[]);
    let basic = level(Some(&desk.case), &desk, &seed());
    assert_eq!((basic.name.as_str(), basic.rights.live_account), ("basic", true));
    assert!(basic.why.iter().any(|line| line.contains("levels/basic")), "{:?}", basic.why);
}

#[test]
fn every_defect_of_a_document_is_told() {
    let told = |change: &dyn Fn(&mut Value)| {
        let mut document = seed();
        change(&mut document);
        let faults = KycLevels::parse(&document).unwrap_err();
        faults.into_iter().map(|fault| format!("{} {}", fault.pointer, fault.code)).collect::<Vec<String>>()
    };
    let limit =
        |value: Value| move |document: &mut Value| document["levels"][0]["then"]["deposit_limit"] = value.clone();
    assert_eq!(told(&|rules| rules["levels"][2]["when"] = json!({"field": "pep", "eq": true})), ["/levels no_net"]);
    assert_eq!(told(&|rules| rules["levels"][0]["then"]["live_account"] = json!("yes")).len(), 1);
    assert_eq!(told(&limit(json!({"per": "30d", "amounts": {}}))), ["/levels/0/then/deposit_limit/amounts too_few"]);
    assert_eq!(
        told(&limit(json!({"per": "30d", "amounts": {"JPY": "0.5"}}))),
        ["/levels/0/then/deposit_limit/amounts too_many_decimals"]
    );
    assert_eq!(told(&limit(json!({"per": "1h", "amounts": {"USD": "10"}}))).len(), 1);
    assert_eq!(told(&limit(json!({"per": "30d", "amounts": {"XXQ": "10"}}))).len(), 1);
}

fn money(text: &str, currency: &str) -> Money {
    Money::parse(text, currency.parse().unwrap()).unwrap()
}

fn limit() -> MoneyLimit {
    let amounts = [("USD", 3_000), ("EUR", 2_000), ("JPY", 400_000)];
    let amounts = amounts.map(|(code, most)| (code.parse().unwrap(), most.into()));
    MoneyLimit { per: Seconds(30 * 86_400), amounts: amounts.into() }
}

#[test]
fn what_is_moved_in_one_currency_uses_up_the_limit_of_all() {
    let limit = limit();
    assert!(limit.allows(&money("3000.00", "USD"), &[]));
    assert!(!limit.allows(&money("3000.01", "USD"), &[]));
    // a third of the limit, and another
    let moved = [money("1000.00", "USD"), money("666.66", "EUR")];
    assert!(limit.allows(&money("1000.00", "USD"), &moved));
    assert!(!limit.allows(&money("1000.02", "USD"), &moved));
    assert!(limit.allows(&money("133334", "JPY"), &moved) && !limit.allows(&money("133335", "JPY"), &moved));
    // what is not named is not allowed, and does not stand for nothing either
    assert!(!limit.allows(&money("1.00", "GBP"), &[]));
    assert!(!limit.allows(&money("1.00", "USD"), &[money("1.00", "GBP")]));
}

proptest! {
    #[test]
    fn what_is_left_may_be_moved_and_no_cent_more(cents in prop::collection::vec(1_i64..150_000, 0..6)) {
        let limit = limit();
        let usd = "USD".parse().unwrap();
        let moved: Vec<Money> = cents.iter().map(|cents| Money::from_minor(*cents, usd).unwrap()).collect();
        let left = Money::new(limit.left(usd, &moved).unwrap(), usd).unwrap();
        let sum: i64 = cents.iter().sum();
        prop_assert_eq!(left.to_minor().unwrap(), (300_000 - sum).max(0));
        prop_assert!(limit.allows(&left, &moved));
        let more = Money::from_minor(left.to_minor().unwrap() + 1, usd).unwrap();
        prop_assert!(!limit.allows(&more, &moved));
    }
}
