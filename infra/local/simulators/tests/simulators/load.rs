//! Many clients at once, and many payments.

use std::sync::Arc;

use crate::support::{Client, Receiver, form, start, state};
use crate::trading;
use serde_json::{Value, json};

const CLIENTS: usize = 200;
const INTENTS_EACH: usize = 6;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_clients_pay_twelve_hundred_times() {
    let running = Arc::new(start().await);
    let receiver = Receiver::plain().await;
    running.set_webhook_base(receiver.url.as_str());
    let workers = (0..CLIENTS).map(|number| {
        let running = Arc::clone(&running);
        tokio::spawn(async move {
            let mut client = Client::connect(running.url("stripe")).await;
            for round in 0..INTENTS_EACH {
                let payment_id = format!("pay_{number}_{round}");
                let body = form(&[
                    ("amount", "100"),
                    ("currency", "usd"),
                    ("confirm", "true"),
                    ("metadata[payment_id]", &payment_id),
                ]);
                let key = [("Authorization", "Bearer sk_test_local")];
                let created = client.call("POST", "/v1/payment_intents", &key, &body).await;
                assert_eq!(created.status, 200);
                let order = json!({ "payment_id": payment_id, "outcome": "succeeded" });
                let paid = client.post("/_control/pay", &order).await.json();
                assert_eq!(paid["deliveries"][0]["status"], 200, "{paid}");
            }
        })
    });
    for worker in workers.collect::<Vec<_>>() {
        worker.await.unwrap();
    }
    let state = state(running.url("stripe")).await;
    let intents = state["intents"].as_array().unwrap();
    assert_eq!(intents.len(), CLIENTS * INTENTS_EACH);
    assert!(intents.iter().all(|intent| intent["status"] == "succeeded"));
    assert_eq!(receiver.all().len(), CLIENTS * INTENTS_EACH);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_managers_book_on_their_own_connections() {
    let running = Arc::new(start().await);
    let workers = (0..CLIENTS).map(|_| {
        let running = Arc::clone(&running);
        tokio::spawn(async move {
            let mut manager = trading::manager(running.url("mt5")).await;
            let login = trading::open(&mut manager).await;
            for amount in ["10", "-3"] {
                let booked = trading::balance(&mut manager, login, amount, "load").await;
                assert_eq!(booked["retcode"], "0 Done");
            }
            login
        })
    });
    let mut logins = std::collections::HashSet::new();
    for worker in workers.collect::<Vec<_>>() {
        logins.insert(worker.await.unwrap());
    }
    assert_eq!(logins.len(), CLIENTS);
    let state = state(running.url("mt5")).await;
    let users: &Vec<Value> = state["users"].as_array().unwrap();
    assert!(users.iter().all(|user| user["balance"] == "7.00"));
    let tickets: std::collections::HashSet<_> =
        state["deals"].as_array().unwrap().iter().map(|deal| deal["Deal"].to_string()).collect();
    assert_eq!(tickets.len(), CLIENTS * 2);
}
