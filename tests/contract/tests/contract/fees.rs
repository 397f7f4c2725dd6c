//! Our fee of a deposit: what the payer is asked for, what is credited, what the books say, and what goes back.

use domain::ledger::LedgerAccount;
use domain::rule_sets::SetName;
use serde_json::{Value, json};

use crate::world::{Payment, Trader, World, deposit_request, expect, faults};

impl World {
    /// A brokerage that takes a fee for deposits over Stripe.
    async fn with_fee(then: Value) -> (Self, Trader) {
        let world = Self::start().await;
        let when = json!({"all": [{"field": "psp", "eq": "stripe"}, {"field": "currency", "in": ["USD", "EUR"]}]});
        let fees = json!([{"id": "card", "when": when, "then": then}]);
        world.publish(SetName::Psps, 2, |rules| rules["deposit_fees"] = fees).await;
        let trader = world.trader("USD").await;
        (world, trader)
    }

    /// What an account of the ledger has by a payment, in a currency.
    async fn on_books(&self, trader: &Trader, account: &LedgerAccount, currency: &str) -> String {
        self.idle().await;
        let today = domain::Day::of(self.now());
        let ledger =
            self.broker.money().ledger_of(&trader.account.parse().unwrap(), today.before(), today).await.unwrap();
        let legs = ledger.iter().flat_map(|entry| &entry.postings);
        let own = legs.filter(|leg| leg.account == *account && leg.amount.currency().code() == currency);
        let zero = domain::Money::zero(currency.parse().unwrap());
        own.fold(zero, |sum, leg| sum.checked_add(&leg.amount).unwrap()).amount_text()
    }

    async fn refunded(&self, payment: &Payment, minor: i64, of: i64, currency: &str) {
        let refund = json!({
            "id": format!("evt_r{}", self.fresh()), "object": "event", "created": self.now_s() + 1, "type": "charge.refunded",
            "data": {"object": {
                "id": "ch_1", "object": "charge", "amount": of, "amount_refunded": minor, "currency": currency,
                "metadata": {"payment_id": payment.id}, "payment_intent": payment.reference, "refunded": minor == of,
            }},
        });
        expect(self.stripe(&refund).await, 200);
        self.idle().await;
    }
}

fn psp() -> LedgerAccount {
    LedgerAccount::Psp("stripe".to_owned())
}

#[tokio::test]
async fn on_top_the_payer_pays_amount_and_fee_and_the_amount_is_credited() {
    let terms = json!({"mode": "on_top", "on_return": "in_proportion", "fixed": "0.30", "per_cent": "2.9"});
    let (world, trader) = World::with_fee(terms).await;
    let payment = world.deposit(&trader, "100.00", "stripe").await;
    let intents = world.recorded("stripe", &format!("payment_id={}", payment.id)).await;
    assert_eq!(intents["intents"][0]["amount"], 10_320, "{intents}");
    expect(world.stripe(&world.intent(&payment, "payment_intent.succeeded", 10_320, "usd")).await, 200);
    assert_eq!(world.status(&payment.id).await, "credited");
    let shown = world.payment(&payment.id).await.json;
    let usd = |amount: &str| json!({"amount": amount, "currency": "USD"});
    assert_eq!(
        [&shown["requested"], &shown["paid"], &shown["credited"]],
        [&usd("100.00"), &usd("103.20"), &usd("100.00")]
    );
    let fee = json!({
        "amount": usd("3.20"), "mode": "on_top", "rule": "card", "on_return": "in_proportion", "taken": usd("3.20"),
    });
    assert_eq!(shown["fee"], fee);
    assert_eq!(world.deals(&trader, &payment).await[0]["Profit"], "100.00");
    assert_eq!(world.on_books(&trader, &LedgerAccount::Fees, "USD").await, "-3.20");
    assert_eq!(world.on_books(&trader, &psp(), "USD").await, "103.20");
    let journal = expect(world.get("support", &format!("/v1/journal?entity={}", payment.id)).await, 200);
    assert!(journal.json["items"][0]["why"].to_string().contains("deposit_fees/card: 3.20 USD on_top"));
    // half of it goes back, and then the rest
    world.refunded(&payment, 5_160, 10_320, "usd").await;
    assert_eq!(world.on_books(&trader, &LedgerAccount::Fees, "USD").await, "-1.60");
    world.refunded(&payment, 10_320, 10_320, "usd").await;
    assert_eq!(world.status(&payment.id).await, "refunded");
    assert_eq!(world.on_books(&trader, &LedgerAccount::Fees, "USD").await, "0.00");
    assert_eq!(world.on_books(&trader, &psp(), "USD").await, "0.00");
    let owed = LedgerAccount::Reversed(trader.account.parse().unwrap());
    assert_eq!(world.on_books(&trader, &owed, "USD").await, "100.00");
}

#[tokio::test]
async fn inside_the_fee_is_taken_out_of_the_amount_before_it_is_changed() {
    let terms = json!({"mode": "inside", "on_return": "kept", "fixed": "1.00", "per_cent": "1"});
    let (world, trader) = World::with_fee(terms).await;
    let payment = world.paid_in(&trader, ("100.00", "EUR"), 10_000).await;
    assert_eq!(world.status(&payment.id).await, "credited");
    let shown = world.payment(&payment.id).await.json;
    // 98 x 1.0593 x 0.995 = 103.292343
    assert_eq!(shown["credited"], json!({"amount": "103.29", "currency": "USD"}));
    assert_eq!(shown["fee"]["taken"], json!({"amount": "2.00", "currency": "EUR"}));
    assert_eq!(world.deals(&trader, &payment).await[0]["Profit"], "103.29");
    for (account, sum) in [(psp(), "100.00"), (LedgerAccount::Fees, "-2.00"), (LedgerAccount::Exchange, "-98.00")] {
        assert_eq!(world.on_books(&trader, &account, "EUR").await, sum, "{account}");
    }
    // the credit goes first: 49 of 98 are the half of it
    world.refunded(&payment, 4_900, 10_000, "eur").await;
    let owed = LedgerAccount::Reversed(trader.account.parse().unwrap());
    // 51.645, from the middle to the even digit
    assert_eq!(world.on_books(&trader, &owed, "USD").await, "51.64");
    assert_eq!(world.on_books(&trader, &LedgerAccount::Fees, "EUR").await, "-2.00");
    let work = world.work_of(&payment.id).await;
    assert_eq!((work.len(), &work[0]["kind"]), (1, &json!("deposit_reversed_after_credit")));
    let deal = world.books(&trader, "-51.64", &payment.id).await;
    let debited = json!({"action": "mark_debited_on_platform", "evidence": deal});
    expect(world.act("finance", work[0]["work_id"].as_str().unwrap(), &debited).await, 200);
    world.idle().await;
    assert_eq!(world.on_books(&trader, &owed, "USD").await, "0.00");
    // all the rest: exactly what is left of the credit
    world.refunded(&payment, 10_000, 10_000, "eur").await;
    assert_eq!(world.on_books(&trader, &owed, "USD").await, "51.65");
    for currency in ["EUR", "USD"] {
        assert_eq!(world.on_books(&trader, &LedgerAccount::Exchange, currency).await, "0.00");
    }
    assert_eq!(world.on_books(&trader, &LedgerAccount::Fees, "EUR").await, "0.00");
}

#[tokio::test]
async fn a_fee_that_takes_all_of_the_amount_is_refused_and_no_provider_is_asked() {
    let (world, trader) = World::with_fee(json!({"mode": "inside", "on_return": "kept", "fixed": "20"})).await;
    world.broker.host.reset_usage();
    let refused = expect(world.portal(&trader.deposits(), &deposit_request(&trader, "20.00", "stripe")).await, 422);
    assert_eq!(faults(&refused), ["/amount/amount fee_exceeds_amount"]);
    assert_eq!(world.vendor_calls(), 0);
    // where none is named, another takes it
    let body = deposit_request(&trader, "20.00", "auto");
    let id = expect(world.portal(&trader.deposits(), &body).await, 201).text_at("/payment_id");
    let shown = world.payment(&id).await.json;
    assert_eq!((shown["psp"]["name"].as_str(), shown.get("fee")), (Some("adyen"), None));
}

#[tokio::test]
async fn the_amount_without_the_fee_on_top_is_too_little_and_a_person_decides() {
    let (world, trader) = World::with_fee(json!({"mode": "on_top", "on_return": "kept", "fixed": "5.00"})).await;
    let payment = world.deposit(&trader, "100.00", "stripe").await;
    expect(world.stripe(&world.intent(&payment, "payment_intent.succeeded", 10_000, "usd")).await, 200);
    let work = world.work_of(&payment.id).await;
    assert_eq!((work.len(), &work[0]["kind"]), (1, &json!("deposit_underpaid")));
    let credit = json!({"action": "credit_paid_amount"});
    expect(world.act("finance", work[0]["work_id"].as_str().unwrap(), &credit).await, 200);
    world.pass(61).await;
    world.sweep().await;
    assert_eq!(world.status(&payment.id).await, "credited");
    // the same part of what came as of what was asked for: 5 of 105 are 4.7619 of 100
    let shown = world.payment(&payment.id).await.json;
    assert_eq!(
        (shown["fee"]["taken"]["amount"].as_str(), shown["credited"]["amount"].as_str()),
        (Some("4.76"), Some("95.24"))
    );
    assert_eq!(world.on_books(&trader, &LedgerAccount::Fees, "USD").await, "-4.76");
}
