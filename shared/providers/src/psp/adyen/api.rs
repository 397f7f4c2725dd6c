//! The one call: create a payment link.
//!
//! Adyen keeps the answer under an idempotency key for a week at least, so a repeat gives the same link.

use ::http::header::CONTENT_TYPE;
use ::http::{HeaderValue, Request, Response};
use bytes::Bytes;
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use super::{Adyen, units};
use crate::psp::{PspError, Session, SessionOrder};

/// Below the base URL, which ends in the version (`…/v71`).
const LINKS_PATH: &str = "/paymentLinks";

/// "Request already processed or in progress": the first one with this key is still running.
const IN_PROGRESS: &str = "704";

impl Adyen {
    pub(super) async fn create_link(&self, order: &SessionOrder) -> Result<Session, PspError> {
        let bad = |_| PspError::Misconfigured("base URL or API key cannot be sent".to_owned());
        let mut key = HeaderValue::from_str(self.api_key.expose_secret()).map_err(|error| bad(error.into()))?;
        key.set_sensitive(true);
        let request = Request::post(self.settings.url(LINKS_PATH))
            .header(CONTENT_TYPE, "application/json")
            .header("x-api-key", key)
            .header("idempotency-key", order.payment_id.as_str())
            .body(Bytes::from(self.link(order)?.to_string()))
            .map_err(bad)?;
        let response = self.settings.transport.send(request, self.settings.timeout).await?;
        let link = answer(&response)?;
        let text = |member: &str| link.get(member).and_then(Value::as_str).filter(|text| !text.is_empty());
        if text("reference") != Some(order.payment_id.as_str()) {
            return Err(PspError::Unknown("answer is not this payment's link".to_owned()));
        }
        let url = text("url").ok_or_else(|| PspError::Unknown("link has no URL".to_owned()))?;
        // the link's own number is in no webhook; the payment's comes with the payer
        Ok(Session { reference: String::new(), redirect_url: url.to_owned() })
    }

    fn link(&self, order: &SessionOrder) -> Result<Value, PspError> {
        let value = units::write(&order.amount).map_err(|error| PspError::refused(error.code(), &error.to_string()))?;
        let mut link = json!({
            "merchantAccount": self.merchant_account,
            "reference": order.payment_id,
            "amount": {"currency": order.amount.currency().code(), "value": value},
            "shopperReference": order.client_reference,
            "shopperEmail": order.email.reveal(),
            "countryCode": order.country,
            "returnUrl": self.settings.return_url(order),
            // a language without a region is none to Adyen, which then takes the browser's
            "shopperLocale": Some(&order.language).filter(|language| language.contains('-')),
        });
        if let Some(members) = link.as_object_mut() {
            members.retain(|_, value| !value.is_null());
        }
        Ok(link)
    }
}

fn answer(response: &Response<Bytes>) -> Result<Value, PspError> {
    let body: Option<Value> = serde_json::from_slice(response.body()).ok().filter(Value::is_object);
    let status = response.status();
    if status.is_success() {
        return body.ok_or_else(|| PspError::Unknown("body is not a JSON object".to_owned()));
    }
    let text = |member: &str| body.as_ref().and_then(|body| body.get(member)).and_then(Value::as_str);
    let code = text("errorCode");
    match status.as_u16() {
        401 | 403 => Err(PspError::Misconfigured(format!("HTTP {status}, {}", code.unwrap_or("no code")))),
        408 | 409 | 429 | 500..=599 => Err(PspError::Unavailable(format!("HTTP {status}"))),
        422 if code == Some(IN_PROGRESS) => Err(PspError::Unavailable(format!("HTTP {status}, {IN_PROGRESS}"))),
        400..=499 if code.is_some() => {
            Err(PspError::refused(code.unwrap_or("unknown"), text("message").unwrap_or_default()))
        }
        _ => Err(PspError::Misconfigured(format!("HTTP {status}: this is not the vendor's API"))),
    }
}
