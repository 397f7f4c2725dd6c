//! Amounts: decimals by currency, limits, and texts that are no amount.

use broker::local::Options;
use domain::rule_sets::SetName;
use serde_json::{Value, json};

use crate::world::{World, deposit_request, expect, faults};

#[tokio::test]
async fn texts_that_are_no_plain_positive_amount_are_refused() {
    let world = World::start().await;
    let (dollars, yen) = (world.trader("USD").await, world.trader("JPY").await);
    let before = world.stored().await;
    world.broker.host.reset_usage();
    let refused = |amount: &'static str, code: &'static str| (json!(amount), 422, code);
    let cases: Vec<(Value, u16, &str)> = vec![
        refused("0", "not_positive"),
        refused("0.00", "not_positive"),
        refused("-0", "not_positive"),
        refused("-100.00", "not_positive"),
        refused("100.001", "too_many_decimals"),
        refused("100.000", "too_many_decimals"),
        refused("1e3", "not_a_number"),
        refused("1E3", "not_a_number"),
        refused("+100", "not_a_number"),
        refused("100.", "not_a_number"),
        refused(".50", "not_a_number"),
        refused("1,000.00", "not_a_number"),
        refused("1.000,00", "not_a_number"),
        refused("1 000", "not_a_number"),
        refused(" 100", "not_a_number"),
        refused("100 ", "not_a_number"),
        refused("", "not_a_number"),
        refused("ten", "not_a_number"),
        refused("NaN", "not_a_number"),
        refused("Infinity", "not_a_number"),
        refused("0x64", "not_a_number"),
        refused("1_000", "not_a_number"),
        refused("--100", "not_a_number"),
        refused("1.2.3", "not_a_number"),
        refused("١٠٠", "not_a_number"),
        refused("100\u{0}", "not_a_number"),
        refused("1000000000000000", "out_of_range"),
        refused("99999999999999999999999999999999999999", "out_of_range"),
        (json!(100), 400, "wrong_type"),
        (json!(100.0), 400, "wrong_type"),
        (json!(true), 400, "wrong_type"),
        (json!(["100"]), 400, "wrong_type"),
        (Value::Null, 400, "missing"),
    ];
    for (amount, status, code) in cases {
        let mut body = deposit_request(&dollars, "100.00", "stripe");
        body["amount"]["amount"] = amount.clone();
        let answer = expect(world.portal(&dollars.deposits(), &body).await, status);
        assert_eq!(faults(&answer), [format!("/amount/amount {code}")], "{amount}");
    }
    for amount in ["5000.0", "5000.00", "5000.5"] {
        let answer = expect(world.portal(&yen.deposits(), &deposit_request(&yen, amount, "stripe")).await, 422);
        assert_eq!(faults(&answer), ["/amount/amount too_many_decimals"], "{amount}");
    }
    assert_eq!(world.vendor_calls(), 0);
    assert_eq!(before, world.stored().await);
}

#[tokio::test]
async fn currencies_that_are_none_are_refused() {
    let world = World::start().await;
    let trader = world.trader("USD").await;
    let before = world.stored().await;
    for currency in ["usd", "US", "USDT", "XXX", "BTC", "", "$", "USD ", "ＵＳＤ"] {
        let mut body = deposit_request(&trader, "100.00", "stripe");
        body["amount"]["currency"] = json!(currency);
        let answer = expect(world.portal(&trader.deposits(), &body).await, 422);
        assert_eq!(faults(&answer), ["/amount/currency unknown_currency"], "{currency:?}");
    }
    assert_eq!(before, world.stored().await);
}

#[tokio::test]
async fn deposits_are_from_10_to_50_000_dollars_and_their_like() {
    let world = World::start().await;
    let cases = [
        ("USD", "9.99", "10", "50000", "50000.01"),
        ("EUR", "9.99", "10.00", "50000.00", "50000.01"),
        ("GBP", "0.01", "10.0", "50000.0", "999999999999999.99"),
        ("JPY", "1499", "1500", "7500000", "7500001"),
    ];
    for (currency, below, least, most, above) in cases {
        let trader = world.trader(currency).await;
        for amount in [least, most] {
            let id = expect(world.portal(&trader.deposits(), &deposit_request(&trader, amount, "stripe")).await, 201);
            let shown = world.payment(&id.text_at("/payment_id")).await.text_at("/requested/amount");
            let digits = if currency == "JPY" { 0 } else { 2 };
            assert_eq!(shown.split_once('.').map_or(0, |(_, fraction)| fraction.len()), digits, "{shown}");
        }
        let before = world.stored().await;
        for (amount, code) in [(below, "below_minimum"), (above, "above_maximum")] {
            let answer =
                expect(world.portal(&trader.deposits(), &deposit_request(&trader, amount, "stripe")).await, 422);
            assert_eq!(faults(&answer), [format!("/amount/amount {code}")], "{currency} {amount}");
        }
        assert_eq!(before, world.stored().await);
    }
}

/// Adds the dinar of Bahrain, which has three decimals, to what is on offer.
fn with_dinars(set: SetName, document: &mut Value) {
    let add = |list: &mut Value| list.as_array_mut().unwrap().push(json!("BHD"));
    match set {
        SetName::Psps => {
            document["psps"].as_array_mut().unwrap().iter_mut().for_each(|psp| add(&mut psp["currencies"]));
            let limit = json!({"id": "dinar", "when": {"field": "currency", "eq": "BHD"}, "then": {"min": "5.000", "max": "20000"}});
            document["deposit_limits"].as_array_mut().unwrap().push(limit);
        }
        SetName::Platforms => {
            add(&mut document["account_types"][0]["currencies"]);
            // MT4 names its currencies one by one, as MT5 does
            for (platform, kind) in [("mt5", "live"), ("mt5", "demo"), ("mt4", "live"), ("mt4", "demo")] {
                let is = |field: &str, value: &str| json!({"field": field, "eq": value});
                let when = json!({"all": [is("platform", platform), is("kind", kind), is("account_type", "standard"), is("currency", "BHD")]});
                // the simulator has no group in dinars: an account there is opened in its dollar group, which
                // MT4 knows by a shorter name
                let group = if platform == "mt4" { "live-USD" } else { "real\\standard-USD" };
                let then = json!({"server": format!("{platform}-{kind}"), "group": group});
                document["groups"]
                    .as_array_mut()
                    .unwrap()
                    .push(json!({"id": format!("bhd-{platform}-{kind}"), "when": when, "then": then}));
            }
        }
        _ => {}
    }
}

#[tokio::test]
async fn a_currency_of_three_decimals_takes_three() {
    let world = World::with(Options { adjust: Some(with_dinars), ..Options::default() }).await;
    let trader = world.trader("BHD").await;
    let payment = world.deposit(&trader, "12.345", "stripe").await;
    assert_eq!(world.payment(&payment.id).await.json["requested"], json!({"amount": "12.345", "currency": "BHD"}));
    let whole = world.deposit(&trader, "12", "stripe").await;
    assert_eq!(world.payment(&whole.id).await.json["requested"]["amount"], "12.000");
    let answer = expect(world.portal(&trader.deposits(), &deposit_request(&trader, "12.3456", "stripe")).await, 422);
    assert_eq!(faults(&answer), ["/amount/amount too_many_decimals"]);
}
