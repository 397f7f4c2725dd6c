//! Adyen.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::payment::PspStatus;
use domain::payment::rules::Collected;
use domain::{Money, PaymentId};
use providers::Disposition;
use providers::psp::{PspError, Settings, WebhookAnswer};
use serde_json::{Value, json};

use super::bench::{Act, Bench, Refunds, Stage, adapter};
use super::sink::Delivery;
use crate::support::{CALL_TIMEOUT, money, now, order, payment};

pub struct AdyenBench;

const SIGNATURE: &str = "/notificationItems/0/NotificationRequestItem/additionalData/hmacSignature";

impl Bench for AdyenBench {
    const VENDOR: &'static str = "adyen";
    const OPEN: &'static str = "payment_link";
    const LOOK_UP: Option<&'static str> = None;
    const HEADER: Option<&'static str> = None;
    const AMOUNTS: &'static [(&'static str, &'static str)] =
        &[("100.50", "USD"), ("0.50", "EUR"), ("5000", "JPY"), ("5.120", "BHD"), ("500", "CLP")];
    const REFUNDS: Refunds = Refunds::Each;
    const SIGNS_ALL: bool = false;

    fn secret() -> Value {
        let key = "4C4F43414C4144594E4B45594C4F43414C4144594E4B45594C4F43414C414459";
        json!({"api_key": "local-adyen-api-key", "merchant_account": "PipworksLocal", "hmac_keys": [key]})
    }

    fn another_secret() -> Value {
        let key = "74F490DD33F7327BAECC88B2947C011FC02D014A473AAA33A8EC93E4DC069174";
        json!({"api_key": "another-api-key", "merchant_account": "PipworksLocal", "hmac_keys": [key]})
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

    /// Minor units, but for a few currencies.
    fn paying(amount: Money) -> Value {
        let digits = if amount.currency().code() == "CLP" { 2 } else { amount.currency().digits() };
        let minor = amount.amount() * rust_decimal::Decimal::from(10_i64.pow(digits));
        json!({"amount_minor": minor.normalize().to_string().parse::<i64>().unwrap()})
    }

    fn adjust(settings: &mut Settings) {
        settings.base_url = settings.base_url.join("v71").unwrap();
    }

    fn opened(state: &Value, payment: &PaymentId) -> usize {
        let links = state["payments"].as_array().unwrap().iter();
        links.filter(|link| link["reference"] == payment.as_str()).count()
    }

    fn signed_as(delivery: &Delivery, signature: &[u8]) -> Delivery {
        let mut message: Value = serde_json::from_slice(&delivery.body).unwrap();
        let text = String::from_utf8_lossy(signature).into_owned();
        *message.pointer_mut(SIGNATURE).unwrap() = json!(text);
        delivery.with_body(message.to_string())
    }

    fn signature(delivery: &Delivery) -> String {
        let message: Value = serde_json::from_slice(&delivery.body).unwrap();
        message.pointer(SIGNATURE).and_then(Value::as_str).unwrap().to_owned()
    }
}

super::conforms!(AdyenBench);

#[tokio::test]
async fn the_signature_is_the_whole_digest_in_base64() {
    let stage = Stage::<AdyenBench>::start(CALL_TIMEOUT).await;
    let delivery = stage.paid(&payment(1), money("10.00", "EUR")).await;
    let digest = STANDARD.decode(AdyenBench::signature(&delivery)).unwrap();
    for wrong in [hex::encode(&digest), STANDARD.encode(&digest[..31]), STANDARD.encode([&digest[..], &[0]].concat())] {
        assert!(AdyenBench::signed_as(&delivery, wrong.as_bytes()).read(stage.psp.as_ref()).is_err(), "{wrong}");
    }
}

#[tokio::test]
async fn where_captures_are_made_by_hand_the_capture_is_the_collection() {
    let stage = Stage::<AdyenBench>::start(CALL_TIMEOUT).await;
    let mut settings = crate::support::settings(stage.url(), &AdyenBench::secret(), CALL_TIMEOUT);
    settings.collected = Collected::Captured;
    let manual = crate::support::psp("adyen", settings);
    let paid = stage.paid(&payment(1), money("10.00", "EUR")).await;
    let authorised = paid.read(manual.as_ref()).unwrap();
    assert_eq!(authorised.status, PspStatus::Processing);
    let act = json!({"payment_id": payment(1), "outcome": "captured", "amount_minor": 900});
    crate::support::control(stage.url(), "/_control/pay", &act).await;
    let captured = stage.arrived()[0].read(manual.as_ref()).unwrap();
    assert_eq!((captured.status, captured.money), (PspStatus::Succeeded, Some(money("9.00", "EUR"))));
    assert_eq!(captured.reference, authorised.reference, "the payment's number, not the capture's");
    assert_ne!(captured.event_id, authorised.event_id);
}

#[tokio::test]
async fn a_request_that_is_under_way_is_repeated_and_a_refused_one_is_not() {
    let stage = Stage::<AdyenBench>::start(CALL_TIMEOUT).await;
    let cases = [
        (json!({"kind": "refuse", "status": 422, "code": "704"}), Disposition::Retry),
        (json!({"kind": "refuse", "status": 429}), Disposition::Retry),
        (json!({"kind": "refuse", "status": 500, "code": "905"}), Disposition::Retry),
        (json!({"kind": "refuse", "status": 422, "code": "138"}), Disposition::GiveUp),
        (json!({"kind": "refuse", "status": 403, "code": "901"}), Disposition::Hold),
        (
            json!({"kind": "answer", "body": {"url": "https://pay.example", "reference": "pay_other"}}),
            Disposition::LookUp,
        ),
        (json!({"kind": "answer", "body": {"reference": payment(6)}}), Disposition::LookUp),
    ];
    for (n, (script, wanted)) in (0..).zip(cases) {
        stage.fault(AdyenBench::OPEN, script.clone()).await;
        let error = stage.open(&payment(n), money("10.00", "EUR")).await.unwrap_err();
        assert_eq!(error.disposition(), wanted, "{script}: {error:?}");
    }
    let mut secret = AdyenBench::secret();
    secret["merchant_account"] = json!("Another");
    let stranger = adapter::<AdyenBench>(stage.url(), &secret, CALL_TIMEOUT);
    let error = stranger.open_session(&order(&payment(9), money("10.00", "EUR"))).await.unwrap_err();
    assert!(matches!(error, PspError::Misconfigured(_)), "{error:?}");
}

#[tokio::test]
async fn what_was_taken_is_answered_in_its_word() {
    let stage = Stage::<AdyenBench>::start(CALL_TIMEOUT).await;
    for answer in [WebhookAnswer::Accepted, WebhookAnswer::Ignored("nobody's")] {
        assert_eq!(stage.psp.answer(answer, now()).body().as_ref(), b"[accepted]");
    }
    assert_ne!(stage.psp.answer(WebhookAnswer::TryAgain, now()).body().as_ref(), b"[accepted]");
}
