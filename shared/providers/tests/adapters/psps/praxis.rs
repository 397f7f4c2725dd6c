//! Praxis.

use domain::{Money, PaymentId};
use serde_json::{Value, json};

use super::bench::{Act, Bench, Refunds};

pub struct PraxisBench;

impl Bench for PraxisBench {
    const VENDOR: &'static str = "praxis";
    const OPEN: &'static str = "cashier";
    const LOOK_UP: Option<&'static str> = Some("find_order");
    const HEADER: Option<&'static str> = Some("gt-authentication");
    const AMOUNTS: &'static [(&'static str, &'static str)] =
        &[("100.50", "USD"), ("0.50", "EUR"), ("5000", "JPY"), ("5.120", "BHD")];
    const REFUNDS: Refunds = Refunds::Whole;
    const SIGNS_ALL: bool = false;

    fn secret() -> Value {
        json!({"merchant_id": "API-Local", "application_key": "local-application", "secret": "local-praxis-secret"})
    }

    fn another_secret() -> Value {
        json!({"merchant_id": "API-Local", "application_key": "local-application", "secret": "another-praxis-secret"})
    }

    fn word(act: Act) -> Option<&'static str> {
        Some(match act {
            Act::Pays => "approved",
            Act::PaysSlowly => "pending_async",
            Act::Fails => "rejected",
            Act::Cancels => "cancelled",
            Act::IsRefunded => "reversed",
            Act::Disputes => "chargeback",
        })
    }

    /// Cents, and of the currencies that are sent as they are the amount itself.
    fn paying(amount: Money) -> Value {
        match amount.currency().digits() {
            2 => {
                json!({"amount_minor": (amount.amount() * rust_decimal::Decimal::ONE_HUNDRED).normalize().to_string().parse::<i64>().unwrap()})
            }
            _ => json!({"amount": amount.amount_text()}),
        }
    }

    fn internal_error() -> Value {
        json!({"kind": "refuse", "retcode": -1})
    }

    fn opened(state: &Value, payment: &PaymentId) -> usize {
        let orders = state["orders"].as_array().unwrap().iter();
        orders.filter(|order| order["order_id"] == payment.as_str()).count()
    }
}

super::conforms!(PraxisBench);
