//! Nuvei's notifications: signed forms that only say what to ask about.
//!
//! LocalStack's gateway writes a form anew before a function sees it, so these can be tried on the embedded host only.

use broker::api::{Answer, Api};
use serde_json::{Value, json};
use url::form_urlencoded::Serializer;

use crate::signing;
use crate::world::{Call, Payment, Trader, World, expect};

/// A payer's transaction at the vendor, of which nobody is told: its number.
async fn pays(world: &World, trader: &Trader, payment: &Payment, outcome: &str, amount: &str) -> String {
    let order = json!({
        "payment_id": payment.id, "outcome": outcome, "amount": amount, "currency": trader.currency, "webhook": {"never": true},
    });
    world.control("nuvei", "pay", &order).await["reference"].as_str().unwrap().to_owned()
}

/// A notification as the vendor posts it, and its checksum.
fn form(world: &World, payment: &Payment, number: &str, amount: &str, currency: &str) -> Vec<(&'static str, String)> {
    let time = domain::Timestamp::from_seconds(world.now_s()).unwrap();
    let time = serde_json::to_value(time).unwrap().as_str().unwrap()[..19].replace('T', ".");
    let text = str::to_owned;
    vec![
        ("ppp_status", text("OK")),
        ("Status", text("APPROVED")),
        ("transactionType", text("Sale")),
        ("TransactionID", text(number)),
        ("totalAmount", text(amount)),
        ("currency", text(currency)),
        ("PPP_TransactionID", text("489616878")),
        ("responseTimeStamp", time),
        ("merchant_unique_id", payment.id.clone()),
    ]
}

fn with(form: &[(&'static str, String)], name: &str, value: &str) -> Vec<(&'static str, String)> {
    let changed =
        |(known, old): &(&'static str, String)| (*known, if *known == name { value.to_owned() } else { old.clone() });
    form.iter().map(changed).collect()
}

/// Posts a form under the checksum of another, or of itself.
async fn deliver(world: &World, form: &[(&'static str, String)], signed: &[(&'static str, String)]) -> Answer {
    let secret = world.broker.webhook_secrets["nuvei"].as_str().unwrap();
    let mut body = Serializer::new(String::new());
    body.extend_pairs(form).append_pair("advanceResponseChecksum", &signing::nuvei(signed, secret));
    let call = Call::raw("/v1/webhooks/psp/nuvei", body.finish());
    world.send(call.header("content-type", "application/x-www-form-urlencoded")).await
}

async fn told(world: &World, form: &[(&'static str, String)]) -> Answer {
    let answer = expect(deliver(world, form, form).await, 200);
    assert_eq!(answer.text, "OK");
    answer
}

#[tokio::test]
async fn an_approved_sale_is_asked_for_and_credited_once() {
    let world = World::start().await;
    for (currency, amount) in [("USD", "100.00"), ("JPY", "80000")] {
        let trader = world.trader(currency).await;
        let payment = world.deposit(&trader, amount, "nuvei").await;
        let number = pays(&world, &trader, &payment, "succeeded", amount).await;
        let form = form(&world, &payment, &number, amount, currency);
        told(&world, &form).await;
        assert_eq!(world.status(&payment.id).await, "credited", "{currency}");
        let shown = world.payment(&payment.id).await.json;
        assert_eq!(shown["credited"], json!({"amount": amount, "currency": currency}));
        assert_eq!(shown["psp"]["reference"], number);
        let before = world.stored().await;
        told(&world, &form).await;
        assert_eq!(before, world.stored().await);
        assert_eq!(world.deals(&trader, &payment).await.len(), 1);
    }
}

#[tokio::test]
async fn the_payer_comes_over_the_address_that_he_was_given() {
    let world = World::start().await;
    let trader = world.trader("EUR").await;
    let opened = world.portal(&trader.deposits(), &crate::world::deposit_request(&trader, "250.50", "nuvei")).await;
    let opened = expect(opened, 201);
    let url = opened.text_at("/redirect_url");
    let page = Api::default().send(http::Method::GET, &url, &[], Vec::new()).await.unwrap();
    assert_eq!(page.status, 303, "{}", page.text);
    let payment = Payment { id: opened.text_at("/payment_id"), reference: String::new() };
    world.pay("nuvei", &payment, json!({"outcome": "failed"})).await;
    assert_eq!(world.status(&payment.id).await, "failed");
    world.pay("nuvei", &payment, json!({})).await;
    assert_eq!(world.status(&payment.id).await, "credited", "what the page was opened for, in the next attempt");
    assert_eq!(world.payment(&payment.id).await.json["credited"], json!({"amount": "250.50", "currency": "EUR"}));
}

#[tokio::test]
async fn a_delivery_that_proves_nothing_is_401_and_nothing_is_written() {
    let world = World::start().await;
    let trader = world.trader("USD").await;
    let payment = world.deposit(&trader, "100.00", "nuvei").await;
    let number = pays(&world, &trader, &payment, "succeeded", "100.00").await;
    let right = form(&world, &payment, &number, "100.00", "USD");
    let before = world.stored().await;
    for (name, value) in
        [("totalAmount", "900.00"), ("currency", "EUR"), ("Status", "DECLINED"), ("PPP_TransactionID", "1")]
    {
        expect(deliver(&world, &with(&right, name, value), &right).await, 401);
    }
    expect(world.send(Call::raw("/v1/webhooks/psp/nuvei", "Status=APPROVED")).await, 401);
    // signed, and cut in another way
    let odd = with(&right, "currency", "usd");
    expect(deliver(&world, &odd, &odd).await, 400);
    assert_eq!(before, world.stored().await);
}

#[tokio::test]
async fn what_the_checksum_does_not_cover_moves_no_money() {
    let world = World::start().await;
    let trader = world.trader("USD").await;
    // a hold that is called a sale under way
    let held = world.deposit(&trader, "100.00", "nuvei").await;
    let number = pays(&world, &trader, &held, "authorised", "100.00").await;
    told(&world, &form(&world, &held, &number, "100.00", "USD")).await;
    assert_eq!(world.status(&held.id).await, "pending");
    // another payer's sale, under our payment's name
    let (mine, theirs) =
        (world.deposit(&trader, "100.00", "nuvei").await, world.deposit(&trader, "100.00", "nuvei").await);
    let number = pays(&world, &trader, &theirs, "succeeded", "100.00").await;
    let signed = form(&world, &theirs, &number, "100.00", "USD");
    expect(deliver(&world, &with(&signed, "merchant_unique_id", &mine.id), &signed).await, 503);
    assert_eq!(world.status(&mine.id).await, "pending");
    // a transaction that is not there
    let signed = form(&world, &mine, "7110000000000000000", "100.00", "USD");
    expect(deliver(&world, &signed, &signed).await, 503);
    assert_eq!(world.status(&mine.id).await, "pending");
    // a sale that is called a refund
    let refund = with(&form(&world, &theirs, &number, "100.00", "USD"), "transactionType", "Credit");
    let refund = [refund, vec![("relatedTransactionId", number.clone())]].concat();
    told(&world, &refund).await;
    assert_eq!(world.status(&theirs.id).await, "pending", "kept, and asked about again");
    told(&world, &form(&world, &theirs, &number, "100.00", "USD")).await;
    assert_eq!(world.status(&theirs.id).await, "credited");
    for payment in [&held, &mine] {
        assert!(world.deals(&trader, payment).await.is_empty());
    }
}

#[tokio::test]
async fn one_that_names_no_payment_of_ours_is_a_persons_and_a_payout_is_nobodys() {
    let world = World::start().await;
    let trader = world.trader("USD").await;
    let payment = world.deposit(&trader, "100.00", "nuvei").await;
    let number = pays(&world, &trader, &payment, "authorised", "100.00").await;
    let nameless = with(&form(&world, &payment, &number, "100.00", "USD"), "merchant_unique_id", "");
    told(&world, &nameless).await;
    assert_eq!(world.status(&payment.id).await, "pending", "nobody is asked whose a claim is, and nobody is credited");
    let queue = crate::world::items(&world.get("finance", "/v1/work?queue=finance").await);
    let kinds: Vec<&Value> = queue.iter().map(|item| &item["kind"]).collect();
    assert_eq!(kinds, ["deposit_unknown_reference"]);
    let payout = with(&nameless, "transactionType", "Credit");
    told(&world, &with(&payout, "TransactionID", "7110000000000000001")).await;
    world.idle().await;
    assert_eq!(crate::world::items(&world.get("finance", "/v1/work?queue=finance").await).len(), 1);
}

#[tokio::test]
async fn refunds_add_up_and_one_that_was_declined_does_not_count() {
    let world = World::start().await;
    let trader = world.trader("USD").await;
    let payment = world.deposit(&trader, "100.00", "nuvei").await;
    let act = async |outcome: &str, amount: &str| {
        let order = json!({"outcome": outcome, "amount": amount, "currency": "USD", "webhook": {"times": 2}});
        world.pay("nuvei", &payment, order).await;
        world.idle().await;
        let shown = world.payment(&payment.id).await.json;
        (shown["status"].as_str().unwrap().to_owned(), shown["returned"]["amount"].as_str().map(str::to_owned))
    };
    assert_eq!(act("succeeded", "100.00").await, ("credited".to_owned(), None));
    assert_eq!(act("refunded", "15.00").await.1.as_deref(), Some("15.00"));
    assert_eq!(act("refunded", "25.00").await.1.as_deref(), Some("40.00"), "each is a refund of its own");
    assert_eq!(act("refund_declined", "10.00").await.1.as_deref(), Some("40.00"));
}

#[tokio::test]
async fn a_payment_of_which_nothing_came_is_asked_for_by_our_number_and_one_that_is_not_there_expires() {
    let world = World::start().await;
    let trader = world.trader("USD").await;
    let (paid, left) =
        (world.deposit(&trader, "100.00", "nuvei").await, world.deposit(&trader, "50.00", "nuvei").await);
    pays(&world, &trader, &paid, "succeeded", "100.00").await;
    for wait in [16, 31] {
        world.pass(wait * 60).await;
        world.sweep().await;
    }
    assert_eq!(world.status(&paid.id).await, "credited");
    assert_eq!(world.status(&left.id).await, "expired");
    assert!(world.work_of(&left.id).await.is_empty());
}
