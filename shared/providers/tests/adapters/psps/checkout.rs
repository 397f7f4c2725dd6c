//! Checkout.com.

use domain::payment::{PspStatus, Returned};
use domain::{Money, PaymentId};
use providers::Disposition;
use serde_json::{Value, json};

use super::bench::{Act, Bench, Refunds, Stage};
use crate::support::{CALL_TIMEOUT, control, money, payment, state};

pub struct CheckoutBench;

impl Bench for CheckoutBench {
    const VENDOR: &'static str = "checkout";
    const OPEN: &'static str = "hosted_payment";
    const LOOK_UP: Option<&'static str> = Some("get_payment");
    const HEADER: Option<&'static str> = Some("cko-signature");
    const AMOUNTS: &'static [(&'static str, &'static str)] =
        &[("100.50", "USD"), ("0.50", "EUR"), ("5000", "JPY"), ("5.120", "BHD"), ("500", "CLP")];
    const REFUNDS: Refunds = Refunds::Each;

    fn secret() -> Value {
        json!({"secret_key": "sk_sbox_local", "webhook_keys": ["local-checkout-webhook-key"]})
    }

    fn another_secret() -> Value {
        json!({"secret_key": "sk_sbox_other", "webhook_keys": ["another-webhook-key"]})
    }

    fn word(act: Act) -> Option<&'static str> {
        Some(match act {
            Act::Pays => "succeeded",
            Act::PaysSlowly => "approved",
            Act::Fails => "failed",
            Act::Cancels => "canceled",
            Act::IsRefunded => "refunded",
            Act::Disputes => "disputed",
        })
    }

    /// Minor units; Chile's peso has two decimals that are zeros.
    fn paying(amount: Money) -> Value {
        let digits = if amount.currency().code() == "CLP" { 2 } else { amount.currency().digits() };
        let minor = amount.amount() * rust_decimal::Decimal::from(10_i64.pow(digits));
        json!({"amount_minor": minor.normalize().to_string().parse::<i64>().unwrap()})
    }

    fn opened(state: &Value, payment: &PaymentId) -> usize {
        let pages = state["payments"].as_array().unwrap().iter();
        pages.filter(|page| page["reference"] == payment.as_str()).count()
    }
}

super::conforms!(CheckoutBench);

async fn act(stage: &Stage<CheckoutBench>, n: u128, outcome: &str, more: Value) -> Value {
    let mut body = json!({"payment_id": payment(n), "outcome": outcome, "webhook": {"never": true}});
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    control(stage.url(), "/_control/pay", &body).await
}

#[tokio::test]
async fn of_several_attempts_under_our_reference_the_one_with_money_is_found() {
    let stage = Stage::<CheckoutBench>::start(CALL_TIMEOUT).await;
    stage.open(&payment(1), money("100.00", "USD")).await.unwrap();
    assert_eq!(stage.psp.look_up(&payment(1), "").await, Ok(None), "nobody has tried");
    let failed = act(&stage, 1, "failed", json!({})).await["reference"].clone();
    let report = stage.psp.look_up(&payment(1), "").await.unwrap().unwrap();
    assert_eq!((report.status, json!(report.reference)), (PspStatus::Failed, failed.clone()));
    let paid = act(&stage, 1, "succeeded", json!({"amount_minor": 9_000})).await["reference"].clone();
    assert_ne!(failed, paid);
    let report = stage.psp.look_up(&payment(1), "").await.unwrap().unwrap();
    assert_eq!((report.status, json!(report.reference)), (PspStatus::Succeeded, paid.clone()));
    assert_eq!(report.money, Some(money("90.00", "USD")), "what was captured");
    // the attempt that is asked for is the one that is told of
    let former = stage.psp.look_up(&payment(1), failed.as_str().unwrap()).await.unwrap().unwrap();
    assert_eq!(former.status, PspStatus::Failed);
    for back in [1_500, 2_500] {
        act(&stage, 1, "refunded", json!({"amount_minor": back})).await;
    }
    let report = stage.psp.look_up(&payment(1), "").await.unwrap().unwrap();
    assert_eq!(report.status, PspStatus::Returned(Returned::Total { amount: Some(money("40.00", "USD")) }));
    assert_eq!(stage.psp.payment_of(paid.as_str().unwrap()).await, Ok(Some(payment(1))));
    assert_eq!(stage.psp.payment_of("pay_unknown").await, Ok(None));
}

#[tokio::test]
async fn another_payment_under_a_number_of_ours_is_no_answer() {
    let stage = Stage::<CheckoutBench>::start(CALL_TIMEOUT).await;
    for n in [1, 2] {
        stage.open(&payment(n), money("100.00", "USD")).await.unwrap();
    }
    let theirs = act(&stage, 2, "succeeded", json!({})).await["reference"].as_str().unwrap().to_owned();
    let error = stage.psp.look_up(&payment(1), &theirs).await.unwrap_err();
    assert_eq!(error.disposition(), Disposition::LookUp, "{error:?}");
    // somebody else's 404 says nothing of the payment
    stage.fault("get_payment", json!({"kind": "answer", "body": {"id": "pay_other", "status": "Captured"}})).await;
    let error = stage.psp.look_up(&payment(2), &theirs).await.unwrap_err();
    assert_eq!(error.disposition(), Disposition::LookUp, "{error:?}");
    let elsewhere = super::bench::adapter::<CheckoutBench>(
        &format!("{}/elsewhere", stage.url()),
        &CheckoutBench::secret(),
        CALL_TIMEOUT,
    );
    let error = elsewhere.look_up(&payment(2), &theirs).await.unwrap_err();
    assert_eq!(error.disposition(), Disposition::Hold, "{error:?}");
}

#[tokio::test]
async fn a_list_that_cannot_be_had_is_no_answer() {
    let stage = Stage::<CheckoutBench>::start(CALL_TIMEOUT).await;
    stage.open(&payment(1), money("100.00", "USD")).await.unwrap();
    for (script, wanted) in [
        (json!({"kind": "refuse", "status": 500}), Disposition::Retry),
        (json!({"kind": "refuse", "status": 429}), Disposition::Retry),
        (json!({"kind": "garbage"}), Disposition::LookUp),
        (json!({"kind": "answer", "body": {}}), Disposition::LookUp),
        (json!({"kind": "answer", "body": {"data": {}}}), Disposition::LookUp),
    ] {
        stage.fault("list_payments", script.clone()).await;
        let error = stage.psp.look_up(&payment(1), "").await.unwrap_err();
        assert_eq!(error.disposition(), wanted, "{script}: {error:?}");
    }
    assert_eq!(stage.psp.look_up(&payment(1), "").await, Ok(None));
}

#[tokio::test]
async fn an_amount_that_the_vendor_does_not_take_is_not_sent() {
    let stage = Stage::<CheckoutBench>::start(CALL_TIMEOUT).await;
    for amount in [money("5.125", "BHD"), money("10000000.00", "USD")] {
        let error = stage.open(&payment(1), amount).await.unwrap_err();
        assert_eq!(error.disposition(), Disposition::GiveUp, "{error:?}");
    }
    assert_eq!(state(stage.url()).await["calls"]["hosted_payment"], Value::Null);
}

#[tokio::test]
async fn the_name_on_the_card_is_told_where_there_is_one() {
    let stage = Stage::<CheckoutBench>::start(CALL_TIMEOUT).await;
    stage.open(&payment(1), money("100.00", "USD")).await.unwrap();
    let paid = act(&stage, 1, "succeeded", json!({})).await["reference"].as_str().unwrap().to_owned();
    assert_eq!(stage.psp.payer_name(&paid).await, Ok(None), "the simulator tells none");
    let with = |source: serde_json::Value| json!({"kind": "answer", "body": {"id": paid, "status": "Captured", "source": source}});
    for (source, name) in [
        (json!({"type": "card", "name": "Ana Lopez"}), Some("Ana Lopez")),
        (json!({"type": "card", "name": " "}), None),
        (json!({"type": "paypal"}), None),
    ] {
        stage.fault("get_payment", with(source)).await;
        let told = stage.psp.payer_name(&paid).await.unwrap();
        assert_eq!(told.as_ref().map(|name| name.reveal().as_str()), name);
    }
    stage.fault("get_payment", json!({"kind": "drop"})).await;
    assert!(stage.psp.payer_name(&paid).await.is_err(), "silence is no name");
}
