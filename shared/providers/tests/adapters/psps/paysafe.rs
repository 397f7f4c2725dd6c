//! Paysafe.

use domain::payment::{PspReport, PspStatus};
use domain::{Money, PaymentId};
use providers::Disposition;
use providers::psp::{Collection, PspError, Settings};
use serde_json::{Value, json};

use super::bench::{Act, Bench, Refunds, Stage};
use crate::support::{CALL_TIMEOUT, SHORT_TIMEOUT, control, money, payment, state};

pub struct PaysafeBench;

impl Bench for PaysafeBench {
    const VENDOR: &'static str = "paysafe";
    const OPEN: &'static str = "create_handle";
    const LOOK_UP: Option<&'static str> = Some("list_payments");
    const HEADER: Option<&'static str> = Some("signature");
    const AMOUNTS: &'static [(&'static str, &'static str)] =
        &[("100.50", "USD"), ("0.50", "EUR"), ("5000", "JPY"), ("5.120", "BHD")];
    const REFUNDS: Refunds = Refunds::Each;

    fn secret() -> Value {
        json!({"username": "local-paysafe", "password": "B-local-0-paysafe", "webhook_key": "local-paysafe-webhook-key"})
    }

    fn another_secret() -> Value {
        json!({"username": "local-paysafe", "password": "B-other", "webhook_key": "another-webhook-key"})
    }

    fn word(act: Act) -> Option<&'static str> {
        Some(match act {
            Act::Pays => "succeeded",
            Act::PaysSlowly => "processing",
            Act::Fails => "failed",
            Act::Cancels => "canceled",
            Act::IsRefunded => "refunded",
            Act::Disputes => "disputed",
        })
    }

    fn paying(amount: Money) -> Value {
        let factor = rust_decimal::Decimal::from(10_i64.pow(amount.currency().digits()));
        let minor: i64 = (amount.amount() * factor).normalize().to_string().parse().unwrap();
        json!({"amount_minor": minor})
    }

    fn adjust(settings: &mut Settings) {
        settings.payment_method = Some("NETELLER".to_owned());
    }

    fn opened(state: &Value, payment: &PaymentId) -> usize {
        let handles = state["handles"].as_array().unwrap().iter();
        handles.filter(|handle| handle["merchantRefNum"] == payment.as_str()).count()
    }
}

super::conforms!(PaysafeBench);

/// The payer agrees; what the vendor says of it.
async fn agreed(stage: &Stage<PaysafeBench>, id: &PaymentId, amount: Money) -> PspReport {
    stage.open(id, amount).await.unwrap();
    control(stage.url(), "/_control/pay", &json!({"payment_id": id, "outcome": "payable"})).await;
    stage.read(stage.arrived().first().unwrap())
}

fn collection(id: &PaymentId, amount: Money, agreed: &PspReport) -> Collection {
    let PspStatus::Payable { token } = &agreed.status else { panic!("{agreed:?}") };
    Collection { payment_id: id.clone(), amount, token: token.clone() }
}

async fn payments(stage: &Stage<PaysafeBench>) -> usize {
    state(stage.url()).await["payments"].as_array().unwrap().len()
}

#[tokio::test]
async fn what_a_payer_agreed_to_is_collected_once_however_often_it_is_asked_for() {
    let stage = Stage::<PaysafeBench>::start(CALL_TIMEOUT).await;
    let amount = money("100.50", "USD");
    let told = agreed(&stage, &payment(1), amount).await;
    assert_eq!((told.payment_id.clone(), told.reference.as_str()), (Some(payment(1)), ""));
    assert_eq!(payments(&stage).await, 0, "a payer's word is no money");
    // asked, the vendor says the same
    let known = stage.psp.look_up(&payment(1), "").await.unwrap().unwrap();
    assert_eq!(known.status, told.status);
    let order = collection(&payment(1), amount, &told);
    let first = stage.psp.collect(&order).await.unwrap();
    assert_eq!(
        (first.status.clone(), first.money, first.payment_id.clone()),
        (PspStatus::Succeeded, Some(amount), Some(payment(1)))
    );
    assert!(!first.reference.is_empty());
    let again = stage.psp.collect(&order).await.unwrap();
    assert_eq!((again.event_id, again.reference), (first.event_id, first.reference));
    assert_eq!(payments(&stage).await, 1);
}

#[tokio::test]
async fn a_collection_whose_answer_was_lost_is_found_by_the_repeat() {
    let stage = Stage::<PaysafeBench>::start(SHORT_TIMEOUT).await;
    let amount = money("100.50", "USD");
    let lost = [
        (json!({"kind": "apply_then_drop"}), Disposition::Retry),
        (json!({"kind": "apply_then_timeout", "ms": 1500}), Disposition::Retry),
        (json!({"kind": "apply_then_garbage"}), Disposition::LookUp),
        (json!({"kind": "drop"}), Disposition::Retry),
        (json!({"kind": "refuse", "status": 500}), Disposition::Retry),
    ];
    for (n, (script, wanted)) in (1..).zip(lost) {
        let told = agreed(&stage, &payment(n), amount).await;
        let order = collection(&payment(n), amount, &told);
        stage.fault("create_payment", script.clone()).await;
        let error = stage.psp.collect(&order).await.unwrap_err();
        assert_eq!(error.disposition(), wanted, "{script}: {error:?}");
        assert_eq!(stage.psp.collect(&order).await.unwrap().status, PspStatus::Succeeded, "{script}");
        assert_eq!(payments(&stage).await, usize::try_from(n).unwrap(), "{script}");
        stage.arrived();
    }
}

#[tokio::test]
async fn a_collection_that_is_declined_is_a_failed_attempt_and_never_money() {
    let stage = Stage::<PaysafeBench>::start(CALL_TIMEOUT).await;
    let amount = money("100.50", "USD");
    let told = agreed(&stage, &payment(1), amount).await;
    stage.fault("create_payment", json!({"kind": "refuse", "status": 402, "code": "3022"})).await;
    let declined = stage.psp.collect(&collection(&payment(1), amount, &told)).await.unwrap();
    assert_eq!((declined.status, declined.money), (PspStatus::Failed, None));
    assert_eq!(declined.payment_id, Some(payment(1)));
    // whether there is a payment after all could not be asked: nothing is concluded
    stage.fault("create_payment", json!({"kind": "refuse", "status": 402, "code": "3022"})).await;
    stage.fault("list_payments", json!({"kind": "drop"})).await;
    let unknown = stage.psp.collect(&collection(&payment(1), amount, &told)).await;
    assert!(matches!(unknown, Err(PspError::Unavailable(_))), "{unknown:?}");
    // another amount than the payer agreed to is not taken by the vendor either
    let other = stage.psp.collect(&collection(&payment(1), money("999.00", "USD"), &told)).await.unwrap();
    assert_eq!(other.status, PspStatus::Failed);
    assert_eq!(payments(&stage).await, 0);
}
