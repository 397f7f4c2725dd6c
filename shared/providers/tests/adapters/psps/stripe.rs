//! Stripe.

use domain::{Money, PaymentId};
use serde_json::{Value, json};

use super::bench::{Act, Bench, Refunds};

pub struct StripeBench;

/// Stripe's integer: minor units, of currencies without digits whole ones.
fn minor(amount: Money) -> i64 {
    let factor = rust_decimal::Decimal::from(10_i64.pow(amount.currency().digits()));
    (amount.amount() * factor).normalize().to_string().parse().unwrap()
}

impl Bench for StripeBench {
    const VENDOR: &'static str = "stripe";
    const OPEN: &'static str = "create_intent";
    const LOOK_UP: Option<&'static str> = Some("get_intent");
    const HEADER: Option<&'static str> = Some("stripe-signature");
    const AMOUNTS: &'static [(&'static str, &'static str)] =
        &[("100.50", "USD"), ("0.50", "EUR"), ("5000", "JPY"), ("5.120", "BHD")];
    const REFUNDS: Refunds = Refunds::Total;

    fn secret() -> Value {
        json!({"secret_key": "sk_test_local", "webhook_secrets": ["whsec_local"]})
    }

    fn another_secret() -> Value {
        json!({"secret_key": "sk_test_other", "webhook_secrets": ["whsec_other"]})
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
        json!({"amount_minor": minor(amount)})
    }

    fn opened(state: &Value, payment: &PaymentId) -> usize {
        let intents = state["intents"].as_array().unwrap().iter();
        intents.filter(|intent| intent["metadata"]["payment_id"] == payment.as_str()).count()
    }
}

super::conforms!(StripeBench);
