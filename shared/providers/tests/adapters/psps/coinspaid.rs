//! CoinsPaid.

use domain::payment::PspStatus;
use domain::{Money, PaymentId};
use providers::psp::{PspError, Settings, VendorError, vendor};
use serde_json::{Value, json};

use super::bench::{Act, Bench, Refunds, Stage, adapter};
use crate::support::{CALL_TIMEOUT, control, money, order, payment, settings, state};

pub struct CoinsPaidBench;

impl Bench for CoinsPaidBench {
    const VENDOR: &'static str = "coinspaid";
    const OPEN: &'static str = "take_address";
    const LOOK_UP: Option<&'static str> = Some("transaction_info");
    const HEADER: Option<&'static str> = Some("x-processing-signature");
    const AMOUNTS: &'static [(&'static str, &'static str)] = &[("100.50", "USD"), ("23.00", "EUR"), ("0.70", "GBP")];
    const REFUNDS: Refunds = Refunds::Untold;
    const PAID: PspStatus = PspStatus::Scored { risk: 100 };

    fn secret() -> Value {
        json!({"public_key": "local-processing-key", "secret_key": "local-processing-secret"})
    }

    fn another_secret() -> Value {
        json!({"public_key": "local-processing-key", "secret_key": "another-processing-secret"})
    }

    fn word(act: Act) -> Option<&'static str> {
        Some(match act {
            Act::Pays => "confirmed",
            Act::PaysSlowly => "not_confirmed",
            Act::Fails => "cancelled",
            Act::Cancels | Act::IsRefunded | Act::Disputes => return None,
        })
    }

    fn paying(amount: Money) -> Value {
        json!({"amount": amount.amount_text(), "conversion_rate": "1.08"})
    }

    fn adjust(settings: &mut Settings) {
        settings.payment_method = Some("USDTT".to_owned());
        settings.pay_page =
            Some("https://broker.example/coins/{payment_id}?to={address}&tag={tag}&coin={coin}".to_owned());
    }

    fn opened(state: &Value, payment: &PaymentId) -> usize {
        let addresses = state["addresses"].as_array().unwrap().iter();
        addresses.filter(|address| address["foreign_id"] == payment.as_str()).count()
    }
}

super::conforms!(CoinsPaidBench);

#[tokio::test]
async fn the_payers_page_shows_the_address_that_belongs_to_the_payment() {
    let stage = Stage::<CoinsPaidBench>::start(CALL_TIMEOUT).await;
    let session = stage.psp.open_session(&order(&payment(1), money("100.50", "EUR"))).await.unwrap();
    let known = state(stage.url()).await["addresses"][0].clone();
    assert_eq!((&known["currency"], &known["convert_to"]), (&json!("USDTT"), &json!("EUR")));
    let wanted = format!(
        "https://broker.example/coins/{}?to={}&tag=&coin=USDTT",
        payment(1),
        known["address"].as_str().unwrap()
    );
    assert_eq!((session.redirect_url, session.reference.as_str()), (wanted, ""));
    // some coins need a tag beside the address: without it what is sent is lost
    let mut settings = settings(stage.url(), &CoinsPaidBench::secret(), CALL_TIMEOUT);
    CoinsPaidBench::adjust(&mut settings);
    settings.payment_method = Some("XRP".to_owned());
    let session = crate::support::psp("coinspaid", settings)
        .open_session(&order(&payment(2), money("100.50", "EUR")))
        .await
        .unwrap();
    let tag = state(stage.url()).await["addresses"][1]["tag"].as_str().unwrap().to_owned();
    assert!(session.redirect_url.contains(&format!("&tag={tag}&")), "{}", session.redirect_url);
}

#[tokio::test]
async fn an_answer_about_another_address_is_none() {
    let stage = Stage::<CoinsPaidBench>::start(CALL_TIMEOUT).await;
    let data = |foreign_id: &str, coin: &str, to: &str, address: &str| json!({"data": {"foreign_id": foreign_id, "currency": coin, "convert_to": to, "address": address, "tag": null}});
    let ours = payment(1);
    for answer in [
        data("pay_other", "USDTT", "EUR", "T1"),
        data(ours.as_str(), "BTC", "EUR", "T1"),
        data(ours.as_str(), "USDTT", "USD", "T1"),
        data(ours.as_str(), "USDTT", "EUR", ""),
        json!({}),
    ] {
        stage.fault("take_address", json!({"kind": "answer", "body": answer})).await;
        let error = stage.open(&ours, money("100.50", "EUR")).await.unwrap_err();
        assert!(matches!(error, PspError::Unknown(_)), "{answer}: {error:?}");
    }
}

/// An address takes money as long as it is there.
#[tokio::test]
async fn each_transaction_to_an_address_is_a_payment_of_its_own() {
    let stage = Stage::<CoinsPaidBench>::start(CALL_TIMEOUT).await;
    let amount = money("100.50", "USD");
    let first = stage.read(&stage.paid(&payment(1), amount).await);
    let second = stage.act(&payment(1), Act::Pays, amount, json!({})).await.unwrap().remove(0);
    let second = stage.read(&second);
    assert_eq!((&first.payment_id, &first.money), (&second.payment_id, &second.money));
    assert_ne!(first.reference, second.reference);
    assert_ne!(first.event_id, second.event_id);
}

#[tokio::test]
async fn the_score_comes_with_the_money_and_coins_without_one_are_collected_too() {
    let stage = Stage::<CoinsPaidBench>::start(CALL_TIMEOUT).await;
    stage.open(&payment(1), money("100.50", "USD")).await.unwrap();
    for (transactions, wanted) in [
        (json!([{"riskscore": "0.91"}]), PspStatus::Scored { risk: 910 }),
        (json!([{"riskscore": null}, {}]), PspStatus::Succeeded),
    ] {
        let event = json!({
            "payment_id": payment(1), "type": "confirmed", "object": {"transactions": transactions},
        });
        control(stage.url(), "/_control/webhook", &event).await;
        assert_eq!(stage.read(stage.arrived().first().unwrap()).status, wanted);
    }
}

#[tokio::test]
async fn without_a_coin_and_a_page_there_is_no_provider() {
    let built = |change: fn(&mut Settings)| {
        let mut settings = settings("https://vendor.invalid", &CoinsPaidBench::secret(), CALL_TIMEOUT);
        CoinsPaidBench::adjust(&mut settings);
        change(&mut settings);
        vendor("coinspaid".parse().unwrap(), settings).err()
    };
    let missing = |setting| Some(VendorError::Missing { name: "test-psp".to_owned(), setting });
    assert_eq!(built(|settings| settings.payment_method = None), missing("payment_method"));
    assert_eq!(built(|settings| settings.pay_page = None), missing("pay_page"));
    let bad = Some(VendorError::BadTemplate { name: "test-psp".to_owned(), setting: "pay_page" });
    // a page that cannot show the address
    assert_eq!(built(|settings| settings.pay_page = Some("https://broker.example/{payment_id}".to_owned())), bad);
    drop(adapter::<CoinsPaidBench>("https://vendor.invalid", &CoinsPaidBench::secret(), CALL_TIMEOUT));
}
