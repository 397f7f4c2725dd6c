//! Deposits in another currency than the account's: at which rate, once, and what happens without one.

use domain::ledger::{LedgerAccount, Posting};
use domain::payment::fx::rules::FxRules;
use domain::rule_sets::SetName;
use domain::rules::RuleSet as _;
use http::Method;
use serde_json::{Value, json};

use crate::world::{Payment, Trader, World, deposit_request, expect, faults};

impl World {
    /// What the sources of rates say from now on.
    async fn rates(&self, rates: &Value) {
        let url = format!("{}/_control/rates", self.broker.simulators.url("rates"));
        let body = rates.to_string().into_bytes();
        let answer = broker::api::Api::default().send(Method::PUT, &url, &[], body).await.unwrap();
        expect(answer, 200);
    }

    /// Opens a deposit in a currency, which Stripe collects.
    pub async fn paid_in(&self, trader: &Trader, (amount, currency): (&str, &str), minor: i64) -> Payment {
        let mut body = deposit_request(trader, amount, "stripe");
        body["amount"]["currency"] = json!(currency);
        let id = expect(self.portal(&trader.deposits(), &body).await, 201).text_at("/payment_id");
        let reference = self.payment(&id).await.text_at("/psp/reference");
        let payment = Payment { id, reference };
        let event = self.intent(&payment, "payment_intent.succeeded", minor, &currency.to_lowercase());
        expect(self.stripe(&event).await, 200);
        self.idle().await;
        payment
    }

    /// What a payment shows of its money.
    async fn money_of(&self, payment: &Payment) -> Value {
        self.idle().await;
        let all = self.payment(&payment.id).await.json;
        let text = |name: &str| match &all[name] {
            Value::Null => String::new(),
            money => format!("{} {}", money["amount"].as_str().unwrap(), money["currency"].as_str().unwrap()),
        };
        let fx = &all["fx"];
        json!([
            all["status"],
            text("requested"),
            text("paid"),
            text("credited"),
            fx["rate"],
            fx["source"],
            fx["markup"]
        ])
    }

    /// How much every deal under a payment's id moved.
    async fn moved(&self, trader: &Trader, payment: &Payment) -> Vec<String> {
        let deals = self.deals(trader, payment).await;
        deals.iter().map(|deal| deal["Profit"].as_str().unwrap().to_owned()).collect()
    }

    /// What each entry in the books of an account gives our own exchange.
    async fn exchanged(&self, trader: &Trader) -> Vec<Vec<String>> {
        let today = domain::Day::of(self.now());
        let ledger =
            self.broker.money().ledger_of(&trader.account.parse().unwrap(), today.before(), today).await.unwrap();
        let legs = |postings: &[Posting]| {
            let own = postings.iter().filter(|leg| leg.account == LedgerAccount::Exchange);
            let mut legs: Vec<String> = own.map(|leg| leg.amount.to_string()).collect();
            legs.sort();
            legs
        };
        ledger.iter().map(|entry| legs(&entry.postings)).collect()
    }
}

#[tokio::test]
async fn what_is_paid_in_another_currency_is_credited_at_the_rate_that_is_shown() {
    let world = World::start().await;
    for (account, paid, minor, rate, credited) in [
        // 100 x 1.0593 x 0.995 = 105.40035
        ("USD", ("100.00", "EUR"), 10_000, "1.0593", "105.40"),
        // 10000 x 0.0065449 x 0.995 = 65.121755
        ("USD", ("10000", "JPY"), 10_000, "0.0065449", "65.12"),
        // 100 x 152.79 x 0.995 = 15202.605
        ("JPY", ("100.00", "USD"), 10_000, "152.79", "15203"),
        // 20000 x 1.0593 x 0.9975 = 21133.035
        ("USD", ("20000.00", "EUR"), 2_000_000, "1.0593", "21133.04"),
    ] {
        let trader = world.trader(account).await;
        let payment = world.paid_in(&trader, paid, minor).await;
        let markup = if minor == 2_000_000 { "0.0025" } else { "0.005" };
        let (sum, got) = (format!("{} {}", paid.0, paid.1), format!("{credited} {account}"));
        assert_eq!(world.money_of(&payment).await, json!(["credited", sum, sum, &got, rate, "live", markup]));
        let quoted = world.payment(&payment.id).await.text_at("/fx/quoted_at");
        assert!(quoted.parse::<domain::Timestamp>().unwrap() <= world.now());
        assert_eq!(world.moved(&trader, &payment).await, [credited]);
        let mut legs = vec![format!("-{sum}"), got];
        legs.sort();
        assert_eq!(world.exchanged(&trader).await, [legs], "booked once, in both currencies");
        assert!(world.work_of(&payment.id).await.is_empty());
    }
}

#[tokio::test]
async fn a_deposit_in_the_accounts_own_currency_asks_no_source() {
    let world = World::start().await;
    // dollars: what is paid in is told in dollars, too, for which another currency would need a rate
    let trader = world.trader("USD").await;
    let payment = world.credited(&trader, "100.00", 10_000).await;
    assert!(world.payment(&payment.id).await.json.get("fx").is_none());
    assert_eq!(world.recorded("rates", "part=calls").await["calls"], json!({}));
}

#[tokio::test]
async fn the_next_source_counts_where_the_first_has_nothing_usable() {
    let world = World::start().await;
    let trader = world.trader("USD").await;
    let at = world.now().to_string();
    let quote = |bid: &str, ask: &str| json!({"from": "EUR", "to": "USD", "bid": bid, "ask": ask, "at": at});
    for fault in [
        json!({"kind": "garbage"}),
        json!({"kind": "drop"}),
        json!({"kind": "refuse", "status": 503}),
        json!({"kind": "answer", "body": quote("0", "1.06")}),
        json!({"kind": "answer", "body": quote("-1", "1.06")}),
        json!({"kind": "answer", "body": quote("1.07", "1.06")}),
    ] {
        world.faults("rates", &json!([{"operation": "quote", "fault": fault}])).await;
        let payment = world.paid_in(&trader, ("100.00", "EUR"), 10_000).await;
        let wanted = json!(["credited", "100.00 EUR", "100.00 EUR", "105.40 USD", "1.0593", "ecb", "0.005"]);
        assert_eq!(world.money_of(&payment).await, wanted, "{fault}");
    }
}

#[tokio::test]
async fn without_a_usable_rate_it_waits_and_after_its_time_a_person_decides() {
    let world = World::start().await;
    let trader = world.trader("USD").await;
    world.rates(&json!({"at": "2020-01-02T16:00:00Z"})).await;
    let payment = world.paid_in(&trader, ("100.00", "EUR"), 10_000).await;
    let waits = json!(["paid", "100.00 EUR", "100.00 EUR", "", null, null, null]);
    assert_eq!(world.money_of(&payment).await, waits);
    world.pass(61).await;
    world.sweep().await;
    assert_eq!(world.money_of(&payment).await, waits);
    assert!(world.moved(&trader, &payment).await.is_empty() && world.work_of(&payment.id).await.is_empty());
    world.rates(&json!({"at": null})).await;
    world.pass(61).await;
    world.sweep().await;
    let credited = json!(["credited", "100.00 EUR", "100.00 EUR", "105.40 USD", "1.0593", "live", "0.005"]);
    assert_eq!(world.money_of(&payment).await, credited);

    world.rates(&json!({"at": "2020-01-02T16:00:00Z"})).await;
    let payment = world.paid_in(&trader, ("100.00", "EUR"), 10_000).await;
    for _ in 0..12 {
        world.pass(61).await;
        world.sweep().await;
    }
    assert_eq!(world.status(&payment.id).await, "needs_review");
    let work = world.work_of(&payment.id).await;
    assert_eq!((work.len(), &work[0]["kind"]), (1, &json!("deposit_currency_mismatch")));
    // a person converts by hand, and says what it came to; no rate of ours was applied
    let id = work[0]["work_id"].as_str().unwrap();
    let without = json!({"action": "mark_credited", "evidence": "1"});
    let refused = expect(world.act("finance", id, &without).await, 422);
    assert_eq!(faults(&refused), ["/evidence amount_missing"]);
    let deal = world.books(&trader, "104.10", &payment.id).await;
    let by_hand = json!({"action": "mark_credited", "evidence": format!("{deal} 104.10 USD")});
    expect(world.act("finance", id, &by_hand).await, 200);
    let by_hand = json!(["credited", "100.00 EUR", "100.00 EUR", "104.10 USD", null, null, null]);
    assert_eq!(world.money_of(&payment).await, by_hand);
    assert_eq!(world.moved(&trader, &payment).await, ["104.10"]);
}

#[tokio::test]
async fn a_lost_answer_credits_once_with_the_first_rate() {
    let world = World::start().await;
    let trader = world.trader("USD").await;
    world.lose_the_next_credit().await;
    let payment = world.paid_in(&trader, ("100.00", "EUR"), 10_000).await;
    assert_eq!(world.status(&payment.id).await, "crediting_unknown");
    world.rates(&json!({"EUR/USD": "2.5"})).await;
    world.no_faults("mt5").await;
    world.pass(70).await;
    world.sweep().await;
    let credited = json!(["credited", "100.00 EUR", "100.00 EUR", "105.40 USD", "1.0593", "live", "0.005"]);
    assert_eq!(world.money_of(&payment).await, credited);
    assert_eq!(world.moved(&trader, &payment).await.len(), 1);
    assert_eq!(world.exchanged(&trader).await, [["-100.00 EUR", "105.40 USD"]]);
}

#[tokio::test]
async fn a_credit_that_was_not_taken_is_sent_again_with_the_first_rate() {
    let world = World::start().await;
    let trader = world.trader("USD").await;
    // the server turns it away, so surely nothing was booked
    world.faults("mt5", &json!([{"operation": "trade_balance", "fault": {"kind": "refuse", "status": 503}}])).await;
    let payment = world.paid_in(&trader, ("100.00", "EUR"), 10_000).await;
    assert_ne!(world.status(&payment.id).await, "credited");
    world.rates(&json!({"EUR/USD": "2.5"})).await;
    for _ in 0..3 {
        world.pass(70).await;
        world.sweep().await;
    }
    let credited = json!(["credited", "100.00 EUR", "100.00 EUR", "105.40 USD", "1.0593", "live", "0.005"]);
    assert_eq!(world.money_of(&payment).await, credited);
    assert_eq!(world.moved(&trader, &payment).await.len(), 1);
}

#[tokio::test]
async fn a_pair_that_no_source_covers_is_refused() {
    let world = World::start().await;
    let trader = world.trader("USD").await;
    world.publish(SetName::Fx, 2, |rules| rules["pairs"] = json!([{"from": ["USD"], "to": ["EUR"]}])).await;
    let before = world.stored().await;
    world.broker.host.reset_usage();
    let mut body = deposit_request(&trader, "100.00", "stripe");
    body["amount"]["currency"] = json!("EUR");
    let answer = expect(world.portal(&trader.deposits(), &body).await, 422);
    assert_eq!(faults(&answer), ["/amount/currency currency_mismatch"]);
    assert_eq!(answer.json["errors"][0]["allowed_values"], json!(["USD"]));
    assert_eq!(world.vendor_calls(), 0, "a refused deposit reaches no vendor");
    assert_eq!(before, world.stored().await);
}

#[tokio::test]
async fn rules_that_cannot_be_used_refuse_other_currencies_and_nothing_else() {
    let world = World::start().await;
    let trader = world.trader("USD").await;
    world.publish(SetName::Fx, 2, |rules| rules["markup"] = json!([])).await;
    assert!(FxRules::parse(&json!({"markup": []})).is_err());
    let mut body = deposit_request(&trader, "100.00", "stripe");
    body["amount"]["currency"] = json!("EUR");
    let answer = expect(world.portal(&trader.deposits(), &body).await, 422);
    assert_eq!(faults(&answer), ["/amount/currency currency_mismatch"]);
    assert_eq!(answer.json["errors"][0]["allowed_values"], json!(["USD"]));
    world.credited(&trader, "100.00", 10_000).await;
}

#[tokio::test]
async fn a_whole_refund_takes_the_converted_credit_back_to_a_person() {
    let world = World::start().await;
    let trader = world.trader("USD").await;
    let payment = world.paid_in(&trader, ("100.00", "EUR"), 10_000).await;
    let refund = json!({
        "id": "evt_r1", "object": "event", "created": world.now_s() + 1, "type": "charge.refunded",
        "data": {"object": {
            "id": "ch_1", "object": "charge", "amount": 10_000, "amount_refunded": 10_000, "currency": "eur",
            "metadata": {"payment_id": payment.id}, "payment_intent": payment.reference, "refunded": true,
        }},
    });
    expect(world.stripe(&refund).await, 200);
    assert_eq!(world.status(&payment.id).await, "refunded");
    let work = world.work_of(&payment.id).await;
    assert_eq!((work.len(), &work[0]["kind"]), (1, &json!("deposit_reversed_after_credit")));
    let deal = world.books(&trader, "-105.40", &payment.id).await;
    let debited = json!({"action": "mark_debited_on_platform", "evidence": deal});
    expect(world.act("finance", work[0]["work_id"].as_str().unwrap(), &debited).await, 200);
    world.idle().await;
    // the credit, the refund, and the debit by which the client owes nothing any more
    let gave = |legs: &[&str]| legs.iter().map(|leg| (*leg).to_owned()).collect::<Vec<_>>();
    let wanted = [gave(&["-100.00 EUR", "105.40 USD"]), gave(&["-105.40 USD", "100.00 EUR"]), gave(&[])];
    let mut entries = world.exchanged(&trader).await;
    entries.sort();
    let mut wanted = wanted.to_vec();
    wanted.sort();
    assert_eq!(entries, wanted);
}
