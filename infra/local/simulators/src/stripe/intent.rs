//! A payment intent and how it looks on the wire.

use serde_json::{Map, Value, json};

/// What the vendor knows of one payment. Amounts in minor units.
#[derive(Debug, Clone)]
pub(crate) struct Intent {
    pub(crate) id: String,
    pub(crate) client_secret: String,
    /// Seconds since 1970.
    pub(crate) created: i64,
    pub(crate) amount: i64,
    pub(crate) amount_received: i64,
    pub(crate) amount_refunded: i64,
    pub(crate) currency: String,
    pub(crate) status: &'static str,
    pub(crate) metadata: Map<String, Value>,
    pub(crate) payment_method_types: Vec<String>,
    /// Members that are stored and given back unread.
    pub(crate) echoed: Map<String, Value>,
    pub(crate) return_url: Option<String>,
    pub(crate) latest_charge: Option<String>,
    /// In the billing details of the charge.
    pub(crate) payer_name: Option<String>,
    pub(crate) last_payment_error: Option<Value>,
    pub(crate) canceled_at: Option<i64>,
}

impl Intent {
    /// Our own id of the payment, which the caller put into the metadata.
    pub(crate) fn payment_id(&self) -> &str {
        self.metadata.get("payment_id").and_then(Value::as_str).unwrap_or("")
    }

    /// True while the payer's page has something to offer.
    pub(crate) fn payer_can_act(&self) -> bool {
        matches!(self.status, "requires_action" | "requires_payment_method" | "requires_confirmation")
    }

    /// The PaymentIntent object.
    pub(crate) fn object(&self, base_url: &str) -> Value {
        let next_action = (self.status == "requires_action").then(|| {
            json!({
                "redirect_to_url": {
                    "return_url": self.return_url,
                    "url": format!("{base_url}/pay/{}", self.id),
                },
                "type": "redirect_to_url",
            })
        });
        let mut object = json!({
            "id": self.id,
            "object": "payment_intent",
            "amount": self.amount,
            "amount_capturable": 0,
            "amount_details": { "tip": {} },
            "amount_received": self.amount_received,
            "application": null,
            "application_fee_amount": null,
            "automatic_payment_methods": null,
            "canceled_at": self.canceled_at,
            "cancellation_reason": null,
            "capture_method": "automatic",
            "client_secret": self.client_secret,
            "confirmation_method": "automatic",
            "created": self.created,
            "currency": self.currency,
            "customer": null,
            "description": null,
            "last_payment_error": self.last_payment_error,
            "latest_charge": self.latest_charge,
            "livemode": false,
            "metadata": self.metadata,
            "next_action": next_action,
            "on_behalf_of": null,
            "payment_method": null,
            "payment_method_options": {},
            "payment_method_types": self.payment_method_types,
            "processing": null,
            "receipt_email": null,
            "review": null,
            "setup_future_usage": null,
            "shipping": null,
            "source": null,
            "statement_descriptor": null,
            "statement_descriptor_suffix": null,
            "status": self.status,
            "transfer_data": null,
            "transfer_group": null,
        });
        if let Some(members) = object.as_object_mut() {
            members.extend(self.echoed.clone());
        }
        object
    }

    /// The Charge object; it carries the intent's metadata.
    pub(crate) fn charge(&self) -> Value {
        json!({
            "id": self.latest_charge,
            "object": "charge",
            "amount": self.amount_received,
            "amount_captured": self.amount_received,
            "amount_refunded": self.amount_refunded,
            "billing_details": {"address": null, "email": null, "name": self.payer_name, "phone": null},
            "captured": true,
            "created": self.created,
            "currency": self.currency,
            "disputed": false,
            "livemode": false,
            "metadata": self.metadata,
            "paid": true,
            "payment_intent": self.id,
            "refunded": self.amount_refunded >= self.amount_received,
            "status": "succeeded",
        })
    }

    /// A Dispute object; it has no metadata of ours, only the intent's id.
    pub(crate) fn dispute(&self, id: &str, status: &str, now_s: i64) -> Value {
        json!({
            "id": id,
            "object": "dispute",
            "amount": self.amount_received,
            "charge": self.latest_charge,
            "created": now_s,
            "currency": self.currency,
            "is_charge_refundable": false,
            "livemode": false,
            "metadata": {},
            "payment_intent": self.id,
            "reason": "fraudulent",
            "status": status,
        })
    }
}
