//! Nuvei.

use domain::payment::{PspStatus, Returned, Way};
use domain::{Money, PaymentId};
use http::Request;
use providers::Disposition;
use providers::http::{HyperTransport, Transport as _};
use providers::psp::{Settings, WebhookAnswer};
use serde_json::{Value, json};

use super::bench::{Act, Bench, Refunds, Stage, adapter};
use super::sink::Delivery;
use crate::support::{CALL_TIMEOUT, control, money, now, order, payment, state};

pub struct NuveiBench;

impl Bench for NuveiBench {
    const VENDOR: &'static str = "nuvei";
    const OPEN: &'static str = "purchase";
    const LOOK_UP: Option<&'static str> = Some("transaction_details");
    const HEADER: Option<&'static str> = None;
    const AMOUNTS: &'static [(&'static str, &'static str)] =
        &[("100.50", "USD"), ("0.50", "EUR"), ("5000", "JPY"), ("5.120", "BHD")];
    const REFUNDS: Refunds = Refunds::Each;
    const SIGNS_ALL: bool = false;
    const SIGNS_WHOSE: bool = false;
    const OPENS_BY_CALL: bool = false;

    fn secret() -> Value {
        json!({"merchant_id": "1234567890", "merchant_site_id": "987654", "secret_key": "local-nuvei-secret"})
    }

    fn another_secret() -> Value {
        json!({"merchant_id": "1234567890", "merchant_site_id": "987654", "secret_key": "another-nuvei-secret"})
    }

    fn word(act: Act) -> Option<&'static str> {
        match act {
            Act::Pays => Some("succeeded"),
            Act::PaysSlowly => Some("processing"),
            Act::Fails => Some("failed"),
            // the page stays open until its payment is made
            Act::Cancels => None,
            Act::IsRefunded => Some("refunded"),
            Act::Disputes => Some("disputed"),
        }
    }

    /// Nobody was at the page: the payer says what he pays.
    fn paying(amount: Money) -> Value {
        json!({"amount": amount.amount_text(), "currency": amount.currency().code()})
    }

    fn adjust(settings: &mut Settings) {
        settings.base_url = settings.base_url.join("ppp").unwrap();
    }

    fn opened(state: &Value, payment: &PaymentId) -> usize {
        let orders = state["payments"].as_array().unwrap().iter();
        orders.filter(|order| order["merchant_unique_id"] == payment.as_str()).count()
    }

    fn signed_as(delivery: &Delivery, signature: &[u8]) -> Delivery {
        let right = Self::signature(delivery);
        let body = String::from_utf8(delivery.body.clone()).unwrap();
        let (before, after) = body.split_once(&format!("advanceResponseChecksum={right}")).unwrap();
        delivery.with_body([before.as_bytes(), b"advanceResponseChecksum=", signature, after.as_bytes()].concat())
    }

    fn signature(delivery: &Delivery) -> String {
        let mut fields = url::form_urlencoded::parse(&delivery.body);
        fields.find(|(name, _)| name == "advanceResponseChecksum").unwrap().1.into_owned()
    }
}

super::conforms!(NuveiBench);

async fn visit(url: &str) -> http::Response<bytes::Bytes> {
    let request = Request::get(url).body(bytes::Bytes::new()).unwrap();
    HyperTransport::new().send(request, CALL_TIMEOUT).await.unwrap()
}

#[tokio::test]
async fn the_pages_address_is_one_that_the_vendor_takes_and_no_other_is() {
    let stage = Stage::<NuveiBench>::start(CALL_TIMEOUT).await;
    let session = stage.open(&payment(1), money("100.50", "USD")).await.unwrap();
    assert!(session.redirect_url.starts_with(&format!("{}/ppp/purchase.do?", stage.url())));
    assert!(!session.redirect_url.contains("jane"), "an address is no place for who pays");
    for _ in 0..2 {
        assert_eq!(visit(&session.redirect_url).await.status(), 303);
    }
    let known = &state(stage.url()).await["payments"];
    assert_eq!(known.as_array().unwrap().len(), 1, "however often he comes");
    assert_eq!((&known[0]["amount"], &known[0]["currency"]), (&json!("100.50"), &json!("USD")));
    assert_eq!(known[0]["merchant_unique_id"], payment(1).as_str());
    for (from, to) in [("100.50", "1.00"), ("=USD", "=JPY"), (payment(1).as_str(), payment(2).as_str())] {
        assert_eq!(visit(&session.redirect_url.replace(from, to)).await.status(), 400, "{to}");
    }
    let stranger = stage.stranger().open_session(&order(&payment(3), money("100.50", "USD"))).await.unwrap();
    assert_eq!(visit(&stranger.redirect_url).await.status(), 400, "not with another secret");
}

#[tokio::test]
async fn a_transaction_is_asked_for_by_its_number_and_must_bear_ours() {
    let stage = Stage::<NuveiBench>::start(CALL_TIMEOUT).await;
    let amount = money("100.00", "USD");
    let report = stage.read(&stage.paid(&payment(1), amount).await);
    let other = stage.read(&stage.paid(&payment(2), amount).await);
    let error = stage.psp.look_up(&payment(1), &other.reference).await.unwrap_err();
    assert_eq!(error.disposition(), Disposition::LookUp, "{error:?}");
    let refunds = stage.act(&payment(1), Act::IsRefunded, money("40.00", "USD"), json!({})).await.unwrap();
    let refund = stage.read(refunds.first().unwrap());
    let known = stage.psp.look_up(&payment(1), &refund.reference).await.unwrap().unwrap();
    assert_eq!((&known.status, &known.event_id), (&refund.status, &refund.event_id), "told and asked for alike");
    let id = refund.reference.clone();
    let amount = Some(money("40.00", "USD"));
    assert_eq!(known.status, PspStatus::Returned(Returned::One { id, way: Way::Refund, stands: true, amount }));
    // the payer's own transaction is still the sale
    let sale = stage.psp.look_up(&payment(1), "").await.unwrap().unwrap();
    assert_eq!((sale.status, sale.reference), (PspStatus::Succeeded, report.reference));
}

#[tokio::test]
async fn a_hold_on_the_card_is_no_money_whatever_a_notification_calls_it() {
    let stage = Stage::<NuveiBench>::start(CALL_TIMEOUT).await;
    let pay = json!({"payment_id": payment(1), "outcome": "authorised", "amount": "100.00", "currency": "USD"});
    control(stage.url(), "/_control/pay", &pay).await;
    let held = stage.arrived().remove(0);
    assert_eq!(stage.read(&held).status, PspStatus::Processing);
    // the kind is not signed
    let body = String::from_utf8(held.body.clone()).unwrap().replace("transactionType=Auth", "transactionType=Sale");
    let claimed = stage.read(&held.with_body(body));
    assert_eq!(claimed.status, PspStatus::Succeeded);
    assert!(!stage.psp.webhook_proves_status());
    let known = stage.psp.look_up(&payment(1), &claimed.reference).await.unwrap().unwrap();
    assert_eq!(known.status, PspStatus::Processing, "so the transaction is asked for");
}

#[tokio::test]
async fn each_code_of_the_vendor_says_what_to_do() {
    let stage = Stage::<NuveiBench>::start(CALL_TIMEOUT).await;
    let report = stage.read(&stage.paid(&payment(1), money("100.00", "USD")).await);
    for (code, wanted) in [(1001, Disposition::Hold), (1013, Disposition::Hold), (1035, Disposition::GiveUp)] {
        stage.fault("transaction_details", json!({"kind": "refuse", "retcode": code})).await;
        let error = stage.psp.look_up(&payment(1), &report.reference).await.unwrap_err();
        assert_eq!(error.disposition(), wanted, "{code}: {error:?}");
    }
    stage.fault("transaction_details", json!({"kind": "refuse", "retcode": 9146})).await;
    assert_eq!(stage.psp.look_up(&payment(1), &report.reference).await, Ok(None), "nothing yet");
    assert!(stage.psp.absent_is_unpaid());
    let mut secret = NuveiBench::secret();
    secret["merchant_site_id"] = json!("1");
    let stranger = adapter::<NuveiBench>(stage.url(), &secret, CALL_TIMEOUT);
    let error = stranger.look_up(&payment(1), &report.reference).await.unwrap_err();
    assert_eq!(error.disposition(), Disposition::Hold, "{error:?}");
    assert_eq!(stage.psp.answer(WebhookAnswer::Accepted, now()).body().as_ref(), b"OK");
}
