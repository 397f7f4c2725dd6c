//! How much money a question to a person is about.

use serde_json::Value;

use crate::Money;

/// Where the public parts of deposits and stray reports have money.
const PLACES: [&str; 5] = ["/requested", "/paid", "/returned", "/credited", "/report/money"];

/// The money in the public part of whatever asks; empty where it names none.
pub fn at_stake(public: &Value) -> Vec<Money> {
    let there = PLACES.iter().filter_map(|place| public.pointer(place)).filter(|money| !money.is_null());
    there.filter_map(|money| serde_json::from_value(money.clone()).ok()).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_was_asked_for_and_what_came_both_count() {
        let money = |amount: &str| json!({"amount": amount, "currency": "USD"});
        let deposit = json!({"requested": money("50.00"), "paid": money("20000.00"), "status": "needs_review"});
        let stray = json!({"report": {"money": money("7.00")}, "state": "open"});
        let texts = |public: &Value| at_stake(public).iter().map(Money::amount_text).collect::<Vec<_>>();
        assert_eq!(texts(&deposit), ["50.00", "20000.00"]);
        assert_eq!(texts(&stray), ["7.00"]);
        assert!(at_stake(&json!({"report": {"money": null}})).is_empty());
    }
}
