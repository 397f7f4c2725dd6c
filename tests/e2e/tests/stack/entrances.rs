//! Who gets in, and what a repeated request gets.

use http::Method;
use serde_json::{Value, json};

use crate::on_the_stack;
use crate::portal::{items, stages, text, unique};

#[test]
fn health_is_public_and_everything_else_wants_a_token_with_the_right_role() {
    on_the_stack(async |stack| {
        let _turn = stack.turn.read().await;
        let health = stack.http.send(Method::GET, &stack.url("/health"), &[], Vec::new()).await.unwrap();
        assert_eq!(health.expect(200).unwrap().text_at("/status"), "ok");
        let work = stack.url("/v1/work");
        let anonymous = stack.http.send(Method::GET, &work, &[], Vec::new()).await.unwrap().expect(401).unwrap();
        let kind = anonymous.headers.get("content-type").unwrap().to_str().unwrap();
        assert!(kind.starts_with("application/problem+json"), "{kind}");
        stack.http.get(&work, &stack.token("portal")).await.unwrap().expect(403).unwrap();
        stack.http.get(&work, &stack.token_of("finance-1", "finance", -600)).await.unwrap().expect(401).unwrap();
        stack.look("finance", "/v1/work").await;
    });
}

#[test]
fn a_forged_webhook_is_refused_and_changes_nothing() {
    on_the_stack(async |stack| {
        let _turn = stack.turn.read().await;
        let dora = stack.trader("Dora Forged", "en", "USD").await;
        let payment = stack.deposit(&dora, "5000.00", "stripe").await;
        for signature in ["wrong", "missing", "tampered", "old_timestamp"] {
            let order = json!({"webhook": {"signature": signature}});
            let answer = stack.pay("stripe", &payment, &order).await;
            assert_eq!(answer.json.pointer("/deliveries/0/status"), Some(&json!(401)), "{signature}: {}", answer.text);
        }
        let praxis = stack.deposit(&dora, "60.00", "praxis").await;
        let order = json!({"outcome": "approved", "webhook": {"signature": "wrong"}});
        stack.pay("praxis", &praxis, &order).await;
        for (id, psp) in [(&payment, "stripe"), (&praxis, "praxis")] {
            let seen = stack.look("portal", &format!("/v1/payments/{id}")).await;
            assert_eq!(stages(&seen), ["pending"], "{psp}");
            // the timer may have asked the provider meanwhile; the webhook itself wrote nothing
            let journal = stack.journal(id, 1).await;
            assert!(items(&journal).iter().all(|entry| text(entry, "/function") != "payments-webhook"), "{psp}");
            assert_eq!(stack.deals(&dora, id).await.len(), 0, "{psp}");
        }
        let unknown = stack.url("/v1/webhooks/psp/nobody");
        stack.http.send(Method::POST, &unknown, &[], b"{}".to_vec()).await.unwrap().expect(404).unwrap();
    });
}

#[test]
fn a_repeated_request_gets_the_first_answer_and_opens_nothing_twice() {
    on_the_stack(async |stack| {
        let _turn = stack.turn.read().await;
        let ida = stack.trader("Ida Again", "en", "EUR").await;
        let (path, body) = stack.order(&ida, "75.00", "stripe");
        let (url, token, key) = (stack.url(&path), stack.token("portal"), unique("key"));
        let first = stack.http.post(&url, &token, &key, &body).await.unwrap().expect(201).unwrap();
        assert!(!first.headers.contains_key("idempotency-replayed"));
        let second = stack.http.post(&url, &token, &key, &body).await.unwrap().expect(201).unwrap();
        assert_eq!(second.json, first.json);
        assert_eq!(second.headers.get("idempotency-replayed").unwrap(), "true");

        let (_, other) = stack.order(&ida, "76.00", "stripe");
        stack.http.post(&url, &token, &key, &other).await.unwrap().expect(422).unwrap();
        let without = stack.http.send_json(Method::POST, &url, &token, &body).await.unwrap();
        without.expect(400).unwrap();

        let payments = stack.look("portal", &format!("/v1/clients/{}/payments", ida.client)).await;
        assert_eq!(items(&payments).len(), 1, "{}", payments.text);
        let state = stack.state("stripe", &format!("payment_id={}", first.text_at("/payment_id"))).await;
        assert_eq!(state["intents"].as_array().map(Vec::len), Some(1), "{state}");
    });
}

#[test]
fn credentials_are_handed_over_once() {
    on_the_stack(async |stack| {
        let _turn = stack.turn.read().await;
        let cleo = stack.trader("Cleo Once", "en", "GBP").await;
        let path = format!("/v1/accounts/{}/credentials", cleo.account);
        let given = stack.post(&path, &Value::Null).await.expect(200).unwrap();
        assert_eq!(given.text_at("/login"), cleo.login);
        assert!(given.text_at("/password").len() >= 8);
        stack.post(&path, &Value::Null).await.expect(410).unwrap();
    });
}
