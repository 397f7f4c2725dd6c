//! Skrill.

use domain::payment::PspStatus;
use domain::{Money, PaymentId};
use providers::psp::Settings;
use serde_json::{Value, json};

use super::bench::{Act, Bench, Refunds, Stage};
use super::sink::Delivery;
use crate::support::{CALL_TIMEOUT, control, money, order, payment, state};

pub struct SkrillBench;

impl Bench for SkrillBench {
    const VENDOR: &'static str = "skrill";
    const OPEN: &'static str = "prepare";
    const LOOK_UP: Option<&'static str> = Some("query");
    const HEADER: Option<&'static str> = None;
    const AMOUNTS: &'static [(&'static str, &'static str)] =
        &[("100.50", "USD"), ("23.00", "EUR"), ("5000", "JPY"), ("5.120", "BHD")];
    const REFUNDS: Refunds = Refunds::Untold;
    const SIGNS_ALL: bool = false;

    fn secret() -> Value {
        json!({
            "merchant_email": "merchant@broker.test", "merchant_id": "1234567", "secret_word": "secretword",
            "query_password": "local-query-1",
        })
    }

    fn another_secret() -> Value {
        json!({
            "merchant_email": "another@broker.test", "merchant_id": "1234567", "secret_word": "another",
            "query_password": "another-1",
        })
    }

    fn word(act: Act) -> Option<&'static str> {
        Some(match act {
            Act::Pays => "2",
            Act::PaysSlowly => "0",
            Act::Fails => "-2",
            Act::Cancels => "-1",
            Act::Disputes => "-3",
            Act::IsRefunded => return None,
        })
    }

    fn paying(amount: Money) -> Value {
        json!({"amount": amount.amount_text()})
    }

    fn adjust(settings: &mut Settings) {
        settings.query_url = Some(settings.base_url.clone());
    }

    fn opened(state: &Value, payment: &PaymentId) -> usize {
        let payments = state["payments"].as_array().unwrap().iter();
        payments.filter(|known| known["transaction_id"] == payment.as_str()).count()
    }

    fn signed_as(delivery: &Delivery, signature: &[u8]) -> Delivery {
        let right = Self::signature(delivery);
        let body = String::from_utf8(delivery.body.clone()).unwrap();
        let (before, after) = body.split_once(&format!("md5sig={right}")).unwrap();
        delivery.with_body([before.as_bytes(), b"md5sig=", signature, after.as_bytes()].concat())
    }

    fn signature(delivery: &Delivery) -> String {
        let mut fields = url::form_urlencoded::parse(&delivery.body);
        fields.find(|(name, _)| name == "md5sig").unwrap().1.into_owned()
    }
}

super::conforms!(SkrillBench);

#[tokio::test]
async fn a_session_says_who_pays_what_and_where_to_tell_of_it() {
    let stage = Stage::<SkrillBench>::start(CALL_TIMEOUT).await;
    let session = stage.psp.open_session(&order(&payment(1), money("23.00", "EUR"))).await.unwrap();
    assert_eq!(session.reference, payment(1).as_str());
    assert!(session.redirect_url.starts_with(&format!("{}/?sid=", stage.url())), "{}", session.redirect_url);
    let known = &state(stage.url()).await["payments"][0];
    assert_eq!((&known["amount"], &known["currency"]), (&json!("23"), &json!("EUR")), "no zeros at the end");
    // nobody has paid, so there is no transaction; the session itself is not asked for
    assert_eq!(stage.psp.look_up(&payment(1), "").await, Ok(None));
    assert!(stage.psp.absent_is_unpaid());
}

/// What the account does not hold is converted: what arrived counts, and `amount` and `currency` are nobody's signature's.
#[tokio::test]
async fn what_reached_the_account_counts_and_not_what_was_asked_for() {
    let stage = Stage::<SkrillBench>::start(CALL_TIMEOUT).await;
    stage.open(&payment(1), money("100.00", "USD")).await.unwrap();
    let pay = json!({"payment_id": payment(1), "outcome": "2", "amount": "92.30", "processed_currency": "EUR"});
    control(stage.url(), "/_control/pay", &pay).await;
    let report = stage.read(stage.arrived().first().unwrap());
    assert_eq!((report.status, report.money), (PspStatus::Succeeded, Some(money("92.30", "EUR"))));
    let known = stage.psp.look_up(&payment(1), "").await.unwrap().unwrap();
    assert_eq!(known.money, Some(money("92.30", "EUR")));
}

#[tokio::test]
async fn a_failed_attempt_and_the_next_are_of_one_payment() {
    let stage = Stage::<SkrillBench>::start(CALL_TIMEOUT).await;
    let amount = money("23.00", "EUR");
    stage.open(&payment(1), amount).await.unwrap();
    let failed = stage.act(&payment(1), Act::Fails, amount, json!({})).await.unwrap().remove(0);
    let paid = stage.act(&payment(1), Act::Pays, amount, json!({})).await.unwrap().remove(0);
    let (failed, paid) = (stage.read(&failed), stage.read(&paid));
    assert_eq!((failed.status, paid.status), (PspStatus::Failed, PspStatus::Succeeded));
    assert_eq!(failed.reference, paid.reference);
    assert_ne!(failed.event_id, paid.event_id);
}
