//! Stripe's word that a payment was collected, signed, as `events/payments-webhook.json` has it.

use broker::Failure;
use broker::local::repository;
use bytes::Bytes;
use serde_json::{Value, json};
use simulators::stripe::signature;

/// The amount of every deposit here, in dollars.
pub const AMOUNT: &str = "1250.00";
/// The same in Stripe's units.
const AMOUNT_MINOR: i64 = 125_000;

/// The sample trigger, to be filled in.
pub struct Sample {
    trigger: Value,
    event: Value,
}

/// A signed delivery.
pub struct Delivery {
    /// The raw body.
    pub body: String,
    /// The header `Stripe-Signature`.
    pub signature: String,
}

impl Sample {
    /// Reads it.
    ///
    /// # Errors
    /// The file's.
    pub fn read() -> Result<Self, Failure> {
        let text = std::fs::read_to_string(repository().join("events/payments-webhook.json"))?;
        let trigger: Value = serde_json::from_str(&text)?;
        let body = trigger.get("body").and_then(Value::as_str).ok_or("the sample trigger has no body")?;
        let event = serde_json::from_str(body)?;
        Ok(Self { trigger, event })
    }

    /// The delivery that says that a payment of [`AMOUNT`] was collected.
    ///
    /// # Errors
    /// When the sample has no place for it.
    pub fn delivery(&self, payment: &str, reference: &str, secret: &str, now_s: i64) -> Result<Delivery, Failure> {
        let mut event = self.event.clone();
        let id = reference.replace("pi_", "evt_");
        let values = [
            ("/id", json!(id)),
            ("/created", json!(now_s)),
            ("/data/object/id", json!(reference)),
            ("/data/object/amount", json!(AMOUNT_MINOR)),
            ("/data/object/amount_received", json!(AMOUNT_MINOR)),
            ("/data/object/currency", json!("usd")),
            ("/data/object/metadata/payment_id", json!(payment)),
        ];
        for (pointer, value) in values {
            *event.pointer_mut(pointer).ok_or_else(|| format!("the sample event has no {pointer}"))? = value;
        }
        let body = serde_json::to_string_pretty(&event)?;
        let signature = format!("t={now_s},v1={}", signature::v1(secret, now_s, body.as_bytes()));
        Ok(Delivery { body, signature })
    }

    /// The same as API Gateway hands it to the function.
    ///
    /// # Errors
    /// As [`Self::delivery`].
    pub fn trigger(&self, payment: &str, reference: &str, secret: &str, now_s: i64) -> Result<Bytes, Failure> {
        let delivery = self.delivery(payment, reference, secret, now_s)?;
        let mut trigger = self.trigger.clone();
        let values = [
            ("/headers/Stripe-Signature", json!(delivery.signature)),
            ("/multiValueHeaders/Stripe-Signature", json!([delivery.signature])),
            ("/body", json!(delivery.body)),
        ];
        for (pointer, value) in values {
            *trigger.pointer_mut(pointer).ok_or_else(|| format!("the sample trigger has no {pointer}"))? = value;
        }
        Ok(Bytes::from(trigger.to_string()))
    }
}
