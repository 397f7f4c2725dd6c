//! Over which provider a deposit goes that none is named for, and what is paid at one that was tried before.

use serde_json::json;

use super::fixture::*;
use crate::Seconds;
use crate::payment::routing::{Failing, PspHealth, RoutingCase};
use crate::payment::rules::Psps;
use crate::payment::{Deposit, DepositStatus, PollAnswer, PollLimits, PspReport, PspStatus};

const RULE: Failing = Failing { failures: 3, within: Seconds(300), put_last_for: Seconds(600) };

fn case(amount: &str) -> RoutingCase {
    RoutingCase {
        amount: money(amount),
        country: "ES".parse().unwrap(),
        account_type: "standard".to_owned(),
        entity: None,
    }
}

fn order(rules: &Psps, of: &RoutingCase) -> Vec<String> {
    let found = rules.routing().unwrap().candidates(of, rules).unwrap();
    found.map(|found| found.psps.iter().map(|own| own.psp.name.clone()).collect()).unwrap_or_default()
}

#[test]
fn among_equals_the_cheapest_for_this_amount_goes_first_and_whose_cost_nobody_knows_last() {
    let rules = psps_with(|document| {
        document["routing"] = json!({
            "costs": {
                "stripe": {"USD": {"fixed": "0.30", "per_cent": "2.9"}},
                "adyen": {"USD": {"fixed": "5.00", "per_cent": "1"}, "EUR": {"per_cent": "1"}},
            },
            "order": [{"id": "all", "when": "always", "then": [["nuvei", "adyen", "stripe"], ["praxis"]]}],
        });
    });
    assert_eq!(order(&rules, &case("100.00 USD")), ["stripe", "adyen", "nuvei", "praxis"]);
    assert_eq!(order(&rules, &case("1000.00 USD")), ["adyen", "stripe", "nuvei", "praxis"]);
    assert_eq!(order(&rules, &case("100.00 EUR")), ["adyen", "nuvei", "stripe", "praxis"]);
}

#[test]
fn the_first_row_that_fits_chooses_and_who_cannot_take_it_is_passed_over_with_the_reason() {
    let rules = psps_with(|document| {
        document["psps"][1]["enabled"] = json!(false);
        document["psps"][2]["currencies"] = json!(["EUR"]);
        document["deposit_limits"].as_array_mut().unwrap().insert(
            0,
            json!({"id": "small", "when": {"all": [{"field": "psp", "eq": "adyen"}, {"field": "currency", "eq": "USD"}]}, "then": {"min": "10", "max": "50"}}),
        );
        document["routing"]["order"] = json!([
            {"id": "spain", "when": {"all": [{"field": "country", "in": ["ES"]}, {"field": "amount", "gte": "20"}]},
             "then": [["praxis"], ["skrill", "adyen"], ["nuvei"]]},
            {"id": "vip", "when": {"field": "account_type", "eq": "vip"}, "then": [["adyen"]]},
        ]);
    });
    let found = rules.routing().unwrap().candidates(&case("100.00 USD"), &rules).unwrap().unwrap();
    assert_eq!(found.psps.iter().map(|own| own.psp.name.as_str()).collect::<Vec<_>>(), ["nuvei"]);
    let passed = "passed over: praxis: not on offer, skrill: does not take the currency, adyen: above its limits";
    assert_eq!(found.why, ["routing/spain: yes", "candidates: nuvei", passed]);
    assert_eq!(order(&rules, &RoutingCase { account_type: "vip".to_owned(), ..case("15.00 USD") }), ["adyen"]);
    assert!(order(&rules, &case("15.00 USD")).is_empty());
}

#[test]
fn who_fails_three_times_within_five_minutes_goes_last_for_ten_and_answers_end_that() {
    let mut health = PspHealth::default();
    for (seconds, failing) in [(0, false), (100, false), (300, true)] {
        health = health.failed("stripe", RULE, at(seconds)).unwrap();
        assert_eq!(health.is_failing("stripe", RULE, at(seconds)), failing, "{seconds}");
    }
    assert!(!health.is_failing("adyen", RULE, at(301)));
    assert!(health.is_failing("stripe", RULE, at(899)) && !health.is_failing("stripe", RULE, at(900)));
    // an outage is a write a while, not a write a request
    assert_eq!(health.failed("stripe", RULE, at(599)), None);
    let later = health.failed("stripe", RULE, at(600)).unwrap();
    assert!(later.is_failing("stripe", RULE, at(1199)), "tried last, it failed again: that counts from then on");
    let answered = health.answered("stripe").unwrap();
    assert!(!answered.is_failing("stripe", RULE, at(301)));
    assert_eq!(answered.answered("stripe"), None, "nothing is held against it");
    let text = serde_json::to_string(&health).unwrap();
    assert_eq!(serde_json::from_str::<PspHealth>(&text).unwrap(), health);
}

#[test]
fn who_has_been_failing_is_tried_after_all_others() {
    let rules = psps_with(|_| {});
    let found = rules.routing().unwrap().candidates(&case("100.00 USD"), &rules).unwrap().unwrap();
    let mut health = PspHealth::default();
    for seconds in 0..3 {
        for psp in ["stripe", "praxis"] {
            health = health.failed(psp, RULE, at(seconds)).unwrap();
        }
    }
    let ranked = found.ranked(&health, at(10));
    let names: Vec<&str> = ranked.psps.iter().map(|own| own.psp.name.as_str()).collect();
    assert_eq!(names, ["adyen", "nuvei", "skrill", "paysafe", "stripe", "praxis"]);
    assert_eq!(ranked.put_last, ["stripe", "praxis"]);
    assert!(found.ranked(&health, at(700)).put_last.is_empty());
}

/// A deposit at Adyen that may have been opened at Stripe before.
fn tried_at_stripe() -> Deposit {
    let mut deposit = pending_at("adyen", "");
    deposit.inner.others = vec!["stripe".to_owned()];
    deposit
}

fn at_adyen(report: PspReport, reference: &str) -> PspReport {
    PspReport { psp: "adyen".to_owned(), reference: reference.to_owned(), ..report }
}

#[test]
fn what_is_paid_at_a_provider_that_was_tried_before_is_the_deposits_own() {
    let decision = change(hear(&tried_at_stripe(), &success(10), 11));
    let paid = decision.next;
    assert_eq!((paid.status(), paid.facts.paid), (DepositStatus::Paid, Some(money("1250.00 USD"))));
    assert_eq!((paid.facts.psp.name.as_str(), paid.facts.psp.reference.as_str()), ("stripe", REFERENCE));
    assert_eq!(paid.inner.others, ["adyen"]);
    // paid a second time, at the other: no second credit, and a person gives it back
    let twice = at_adyen(success(20), "ABC");
    let asked = change(hear(&paid, &PspReport { event_id: "evt_2".to_owned(), ..twice }, 21));
    assert_eq!((asked.next.status(), asks(&asked.next)), (DepositStatus::Paid, Some("deposit_unknown_reference")));
    // and nothing that the other says undoes what is paid
    let failed = at_adyen(says(PspStatus::Failed, None, 30), "ABC");
    assert!(matches!(hear(&paid, &failed, 31), crate::decision::Verdict::Nothing(_)));
}

#[test]
fn the_order_of_what_two_providers_say_makes_no_difference() {
    for settled in [says(PspStatus::Failed, None, 90), says(PspStatus::Canceled, None, 90)] {
        let closed = change(hear(&tried_at_stripe(), &at_adyen(settled, "ABC"), 91)).next;
        assert_eq!(closed.status(), DepositStatus::Failed);
        // older than what the other said last, and no attempt of the other's
        let paid = change(hear(&closed, &success(10), 92)).next;
        assert_eq!((paid.status(), paid.facts.psp.name.as_str()), (DepositStatus::Paid, "stripe"));
    }
    let back = change(hear(&tried_at_stripe(), &refund(Some("1250.00 USD"), 20), 21)).next;
    assert_eq!((back.status(), back.facts.psp.name.as_str()), (DepositStatus::Refunded, "stripe"));
    assert!(matches!(hear(&back, &success(10), 22), crate::decision::Verdict::Nothing(_)), "it has gone back");
}

#[test]
fn a_provider_that_nobody_tried_is_paid_for_by_nobody_of_ours() {
    let report = PspReport { psp: "nuvei".to_owned(), ..success(10) };
    let asked = change(hear(&tried_at_stripe(), &report, 11)).next;
    assert_eq!((asked.status(), asks(&asked)), (DepositStatus::NeedsReview, Some("deposit_unknown_reference")));
}

#[test]
fn a_poll_hears_of_the_other_provider_and_what_it_does_not_say_is_no_end() {
    let due = Deposit { due: Some(at(900)), ..tried_at_stripe() };
    let limits = PollLimits::from(rules().psp("adyen").unwrap());
    let paid = change(due.polled(&PollAnswer::Report(success(10)), limits, rules(), at(901))).next;
    assert_eq!((paid.status(), paid.facts.psp.name.as_str()), (DepositStatus::Paid, "stripe"));
}
