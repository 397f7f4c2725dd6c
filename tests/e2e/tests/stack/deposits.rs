//! Deposits as they should be, and webhooks that come more than once.

use domain::{AccountId, Day, Money};
use runtime::Clock as _;
use runtime::lambda::SystemClock;
use serde_json::json;

use crate::on_the_stack;
use crate::portal::{items, stages, text, unique};

#[test]
fn a_deposit_goes_from_the_webhook_to_the_trading_account_and_its_client_is_told() {
    on_the_stack(async |stack| {
        let _turn = stack.turn.read().await;
        let ana = stack.trader("Ana Lopez", "es", "USD").await;
        let correlation = unique("desk");
        let (path, body) = stack.order(&ana, "1250.00", "stripe");
        let (bearer, key) = (format!("Bearer {}", stack.token("portal")), unique("key"));
        let headers = [
            ("authorization", bearer.as_str()),
            ("idempotency-key", &key),
            ("content-type", "application/json"),
            ("x-correlation-id", &correlation),
        ];
        let body = body.to_string().into_bytes();
        let opened = stack.http.send(http::Method::POST, &stack.url(&path), &headers, body).await.unwrap();
        let opened = opened.expect(201).unwrap();
        assert_eq!(opened.headers.get("x-correlation-id").unwrap(), correlation.as_str());
        let payment = opened.text_at("/payment_id");
        assert!(opened.text_at("/redirect_url").contains(&payment), "{}", opened.text);

        let paid = stack.pay("stripe", &payment, &json!({})).await;
        assert_eq!(paid.json.pointer("/deliveries/0/status"), Some(&json!(200)), "{}", paid.text);
        let credited = stack.payment_in(&payment, "credited").await;
        assert_eq!(stages(&credited), ["pending", "paid", "crediting", "credited"]);
        assert_eq!(credited.text_at("/credited/amount"), "1250.00");

        let deals = stack.deals(&ana, &payment).await;
        assert_eq!(deals.len(), 1, "{deals:?}");
        assert_eq!(text(&deals[0], "/Profit"), "1250.00");
        assert_eq!(text(&deals[0], "/Deal"), credited.text_at("/platform/operation"));
        let account = stack.look("portal", &format!("/v1/accounts/{}", ana.account)).await;
        assert_eq!(account.json["balance"], json!({"amount": "1250.00", "currency": "USD"}));

        let journal = stack.journal(&payment, 4).await;
        assert_eq!(journal.json["verified"], json!(true), "{}", journal.text);
        let functions: Vec<&str> = items(&journal).iter().map(|entry| text(entry, "/function")).collect();
        assert_eq!(functions, ["payments-initiate", "payments-webhook", "payments-credit", "payments-credit"]);
        let path = format!("/v1/journal?correlation={correlation}");
        let traced = stack.look("admin", &path).await;
        // the client's activity has its version with the credit
        let of_payment = items(&traced).iter().filter(|entry| !text(entry, "/entity").starts_with("act_")).count();
        assert_eq!(of_payment, 4, "{}", traced.text);

        let path = format!("/v1/clients/{}/notifications", ana.client);
        let told = stack.wait("portal", &path, |answer| items(answer).len() >= 4).await;
        let mut kinds: Vec<&str> = items(&told).iter().map(|message| text(message, "/kind")).collect();
        kinds.sort_unstable();
        assert_eq!(kinds, ["account.open", "deposit.credited", "deposit.paid", "deposit.pending"]);
        let mail = stack.mail(&ana.email, &payment).await;
        assert_eq!(text(&mail, "/Subject"), "1250.00 USD ya está en su cuenta de trading");
        assert_eq!(mail["Destination"]["ToAddresses"], json!([ana.email]));
    });
}

#[test]
fn a_deposit_over_praxis_is_credited_in_yen_and_its_webhook_is_answered_with_a_right_signature() {
    on_the_stack(async |stack| {
        let _turn = stack.turn.read().await;
        let kenji = stack.trader("Kenji Sato", "en", "JPY").await;
        let payment = stack.deposit(&kenji, "80000", "praxis").await;
        let paid = stack.pay("praxis", &payment, &json!({"outcome": "approved"})).await;
        assert_eq!(paid.text_at("/deliveries/0/answer/signature"), "right", "{}", paid.text);
        let credited = stack.payment_in(&payment, "credited").await;
        assert_eq!(credited.json["credited"], json!({"amount": "80000", "currency": "JPY"}));
        assert_eq!(stack.deals(&kenji, &payment).await.len(), 1);
    });
}

#[test]
fn a_webhook_that_comes_five_times_at_once_and_again_later_credits_once() {
    on_the_stack(async |stack| {
        let _turn = stack.turn.read().await;
        let ben = stack.trader("Ben Five", "en", "USD").await;
        let payment = stack.deposit(&ben, "200.00", "stripe").await;
        let paid = stack.pay("stripe", &payment, &json!({"webhook": {"times": 5, "concurrent": true}})).await;
        let statuses: Vec<_> = (0..5).map(|n| paid.json.pointer(&format!("/deliveries/{n}/status")).cloned()).collect();
        assert_eq!(statuses, vec![Some(json!(200)); 5], "{}", paid.text);
        stack.payment_in(&payment, "credited").await;
        let again = format!("{}/_control/resend", stack.simulators.url("stripe"));
        let again = stack.http.control(&again, &json!({"payment_id": payment})).await.unwrap();
        assert_eq!(again.json.pointer("/deliveries/0/status"), Some(&json!(200)), "{}", again.text);

        // the ledger is written from the stream, after everything that the webhooks set off
        let account: AccountId = ben.account.parse().unwrap();
        let journal = stack.journal(&payment, 4).await;
        assert_eq!(items(&journal).len(), 4, "{}", journal.text);
        let today = Day::of(SystemClock.now());
        let booked = stack.money().ledger_of(&account, today.before(), today).await.unwrap();
        assert_eq!(booked.len(), 1, "{booked:?}");
        let sum: Vec<String> = booked[0].postings.iter().map(|leg| Money::amount_text(&leg.amount)).collect();
        assert_eq!(sum, ["200.00", "-200.00"]);
        assert_eq!(stack.deals(&ben, &payment).await.len(), 1);
    });
}
