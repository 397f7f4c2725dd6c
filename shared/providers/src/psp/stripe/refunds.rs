//! Payouts: a withdrawal goes back to the payer as a refund of what he paid.
//!
//! The refund names the withdrawal in its metadata. A key whose first answer was an error gives that error for ever, so then the refunds
//! of the payment are looked through, and the next key is used only where none of this withdrawal is among them.

use ::http::header::CONTENT_TYPE;
use ::http::{HeaderValue, Method};
use bytes::Bytes;
use domain::PaymentId;
use domain::payment::Payout;
use domain::withdrawal::{Destination, PayoutAnswer};
use serde_json::Value;
use url::form_urlencoded::Serializer;

use super::api::{KEYS_MAX, answer, is_spent, key};
use super::{Stripe, event, units};
use crate::psp::{PayoutOrder, PspError};
use crate::template;

/// Pages of refunds of one payment that are read: a hundred each.
const PAGES_MAX: usize = 20;

impl Stripe {
    pub(super) async fn refund_to_payer(&self, order: &PayoutOrder<'_>) -> Result<PayoutAnswer, PspError> {
        let sent = tokio::time::timeout(self.settings.timeout, self.refund_under_a_key(order)).await;
        sent.unwrap_or_else(|_| Err(PspError::Unknown("time is over".to_owned())))
    }

    async fn refund_under_a_key(&self, order: &PayoutOrder<'_>) -> Result<PayoutAnswer, PspError> {
        let form = Bytes::from(form(order)?);
        for number in 1..=KEYS_MAX {
            let mut request = self.request(Method::POST, "/v1/refunds", form.clone())?;
            let headers = request.headers_mut();
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
            let key = HeaderValue::from_str(&key(order.withdrawal_id, number));
            headers.insert("idempotency-key", key.map_err(|_| PspError::Unknown("id is not a header".to_owned()))?);
            let response = self.settings.transport.send(request, self.settings.timeout).await?;
            if !is_spent(&response) {
                return said(&answer(&response)?);
            }
            tracing::warn!(payment.id = %order.withdrawal_id, number, "an idempotency key is spent");
            // that it cannot be looked up says nothing of what was done under the spent key
            let found = self.find_refund(order).await.map_err(|error| PspError::Unknown(error.to_string()))?;
            if let Some(found) = found {
                return Ok(found);
            }
        }
        Err(PspError::Unavailable(format!("{KEYS_MAX} idempotency keys are spent")))
    }

    pub(super) async fn find_refund(&self, order: &PayoutOrder<'_>) -> Result<Option<PayoutAnswer>, PspError> {
        let intent = template::encode(intent_of(order)?);
        let mut after = String::new();
        for _ in 0..PAGES_MAX {
            let path = format!("/v1/refunds?payment_intent={intent}&limit=100{after}");
            let request = self.request(Method::GET, &path, Bytes::new())?;
            let list = answer(&self.settings.transport.send(request, self.settings.timeout).await?)?;
            let unreadable = || PspError::Unknown("list of refunds cannot be read".to_owned());
            let refunds = list.get("data").and_then(Value::as_array).ok_or_else(unreadable)?;
            if let Some(ours) = refunds.iter().rev().find(|refund| is_of(refund, order.withdrawal_id)) {
                return said(ours).map(Some);
            }
            if !list.get("has_more").and_then(Value::as_bool).ok_or_else(unreadable)? {
                return Ok(None);
            }
            let last = refunds.last().and_then(|refund| refund.get("id")).and_then(Value::as_str);
            after = format!("&starting_after={}", template::encode(last.ok_or_else(unreadable)?));
        }
        Err(PspError::Unknown("the payment has more refunds than are read".to_owned()))
    }
}

/// Whether we made it for this withdrawal.
fn is_of(refund: &Value, withdrawal: &PaymentId) -> bool {
    event::withdrawal_id(refund).as_ref() == Some(withdrawal)
}

fn intent_of<'a>(order: &'a PayoutOrder<'_>) -> Result<&'a str, PspError> {
    match order.destination {
        Destination::Source { reference, .. } if !reference.is_empty() => Ok(reference),
        Destination::Source { .. } | Destination::Email(_) | Destination::Crypto { .. } => {
            Err(PspError::no_payout("Stripe"))
        }
    }
}

fn form(order: &PayoutOrder<'_>) -> Result<String, PspError> {
    let amount = units::write(&order.amount).map_err(|error| PspError::refused(error.code(), &error.to_string()))?;
    let mut form = Serializer::new(String::new());
    form.append_pair("payment_intent", intent_of(order)?)
        .append_pair("amount", &amount.to_string())
        .append_pair("metadata[withdrawal_id]", order.withdrawal_id.as_str());
    Ok(form.finish())
}

fn said(refund: &Value) -> Result<PayoutAnswer, PspError> {
    let unreadable = || PspError::Unknown("refund has no id or no known status".to_owned());
    let reference = refund.get("id").and_then(Value::as_str).filter(|id| !id.is_empty()).ok_or_else(unreadable)?;
    let reference = reference.to_owned();
    Ok(match event::refund_pays_out("", refund).ok_or_else(unreadable)? {
        Payout::Paid => PayoutAnswer::Paid { reference },
        Payout::Pending => PayoutAnswer::Accepted { reference },
        Payout::Failed => {
            let reason = refund.get("failure_reason").and_then(Value::as_str).unwrap_or("failed");
            PayoutAnswer::Failed { reference, code: reason.to_owned() }
        }
    })
}
