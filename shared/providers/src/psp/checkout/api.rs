//! The calls: open a payment page, list the payments under a reference, read one.

use ::http::header::{AUTHORIZATION, CONTENT_TYPE};
use ::http::{HeaderValue, Method, Request, Response, StatusCode};
use bytes::Bytes;
use domain::payment::PspReport;
use domain::{PaymentId, Redacted};
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use super::{Checkout, payment, units};
use crate::psp::{PspError, Session, SessionOrder};
use crate::template;

/// On every answer of the vendor's: its answer to what is not there has no body.
const REQUEST_ID: &str = "cko-request-id";

/// Most attempts that are looked through.
const ATTEMPTS_MAX: u32 = 100;

impl Checkout {
    pub(super) async fn create_page(&self, order: &SessionOrder) -> Result<Session, PspError> {
        let mut request = self.request(Method::POST, "/hosted-payments", Bytes::from(self.page(order)?.to_string()))?;
        let key = HeaderValue::from_str(order.payment_id.as_str());
        let key = key.map_err(|_| PspError::Unknown("id is not a header".to_owned()))?;
        request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        request.headers_mut().insert("cko-idempotency-key", key);
        let response = self.settings.transport.send(request, self.settings.timeout).await?;
        let page = answer(&response)?;
        if payment::owner(&page).as_ref() != Some(&order.payment_id) {
            return Err(PspError::Unknown("answer is not this payment's page".to_owned()));
        }
        let url = page.pointer("/_links/redirect/href").and_then(Value::as_str).filter(|url| !url.is_empty());
        let url = url.ok_or_else(|| PspError::Unknown("page has no URL".to_owned()))?;
        // the page's own number is in no event; the payment's comes with the payer
        Ok(Session { reference: String::new(), redirect_url: url.to_owned() })
    }

    fn page(&self, order: &SessionOrder) -> Result<Value, PspError> {
        let amount =
            units::write(&order.amount).map_err(|error| PspError::refused(error.code(), &error.to_string()))?;
        let back = self.settings.return_url(order);
        let mut page = json!({
            "amount": amount,
            "currency": order.amount.currency().code(),
            "reference": order.payment_id,
            "capture": true,
            "billing": {"address": {"country": order.country}},
            "customer": {"email": order.email.reveal()},
            "metadata": {"client_id": order.client_reference},
            "processing_channel_id": self.processing_channel_id,
            "locale": locale(&order.language),
            "success_url": back, "failure_url": back, "cancel_url": back,
        });
        if let Some(members) = page.as_object_mut() {
            members.retain(|_, value| !value.is_null());
        }
        Ok(page)
    }

    /// All calls in the time of one.
    pub(super) async fn find(&self, ours: &PaymentId, reference: &str) -> Result<Option<PspReport>, PspError> {
        self.settings.in_time(self.find_now(ours, reference)).await
    }

    async fn find_now(&self, ours: &PaymentId, reference: &str) -> Result<Option<PspReport>, PspError> {
        let reference = match reference {
            "" => payment::that_counts(&self.under(ours).await?).map(str::to_owned),
            known => Some(known.to_owned()),
        };
        let Some(reference) = reference else { return Ok(None) };
        let Some(found) = self.payment(&reference).await? else { return Ok(None) };
        if payment::owner(&found).as_ref() != Some(ours) {
            return Err(PspError::Unknown("payment is another one's".to_owned()));
        }
        let report = payment::read(&self.settings.name, &found, (self.settings.clock)());
        report.map(Some).ok_or_else(|| PspError::Unknown("payment has no amount or known status".to_owned()))
    }

    /// The payment of ours that a payment names.
    pub(super) async fn owner(&self, reference: &str) -> Result<Option<PaymentId>, PspError> {
        Ok(self.payment(reference).await?.as_ref().and_then(payment::owner))
    }

    /// The name on the card that a payment was paid with.
    pub(super) async fn name_on_source(&self, reference: &str) -> Result<Option<Redacted<String>>, PspError> {
        let found = self.payment(reference).await?;
        let name = found.as_ref().and_then(|payment| payment.pointer("/source/name")?.as_str());
        Ok(name.filter(|name| !name.trim().is_empty()).map(|name| Redacted::new(name.to_owned())))
    }

    async fn under(&self, ours: &PaymentId) -> Result<Vec<Value>, PspError> {
        let path = format!("/payments?reference={}&limit={ATTEMPTS_MAX}", template::encode(ours.as_str()));
        let request = self.request(Method::GET, &path, Bytes::new())?;
        let response = self.settings.transport.send(request, self.settings.timeout).await?;
        let mut found = answer(&response)?;
        let list = found.get_mut("data").and_then(Value::as_array_mut).map(std::mem::take);
        list.ok_or_else(|| PspError::Unknown("answer is no list of payments".to_owned()))
    }

    async fn payment(&self, reference: &str) -> Result<Option<Value>, PspError> {
        let request = self.request(Method::GET, &format!("/payments/{}", template::encode(reference)), Bytes::new())?;
        let response = self.settings.transport.send(request, self.settings.timeout).await?;
        if response.status() == StatusCode::NOT_FOUND && response.headers().contains_key(REQUEST_ID) {
            return Ok(None);
        }
        let payment = answer(&response)?;
        if payment::id(&payment) != Some(reference) {
            return Err(PspError::Unknown("answer is another payment".to_owned()));
        }
        Ok(Some(payment))
    }

    fn request(&self, method: Method, path: &str, body: Bytes) -> Result<Request<Bytes>, PspError> {
        let bad = |_| PspError::Misconfigured("base URL or secret key cannot be sent".to_owned());
        let key = format!("Bearer {}", self.secret_key.expose_secret());
        let mut key = HeaderValue::from_str(&key).map_err(|error| bad(error.into()))?;
        key.set_sensitive(true);
        let request = Request::builder().method(method).uri(self.settings.url(path)).header(AUTHORIZATION, key);
        request.body(body).map_err(bad)
    }
}

/// The page's word for a language; without one it is in English. A word that the vendor does not know would refuse the payment.
fn locale(language: &str) -> Option<&'static str> {
    let language = language.split('-').next().unwrap_or_default();
    Some(match language {
        "ar" => "ar",
        "da" => "da-DK",
        "de" => "de-DE",
        "el" => "el",
        "en" => "en-GB",
        "es" => "es-ES",
        "fi" => "fi-FI",
        "fr" => "fr-FR",
        "it" => "it-IT",
        "ja" => "ja-JP",
        "nb" => "nb-NO",
        "nl" => "nl-NL",
        "pt" => "pt-PT",
        "sv" => "sv-SE",
        _ => return None,
    })
}

fn answer(response: &Response<Bytes>) -> Result<Value, PspError> {
    let body: Option<Value> = serde_json::from_slice(response.body()).ok().filter(Value::is_object);
    let status = response.status();
    if status.is_success() {
        return body.ok_or_else(|| PspError::Unknown("body is not a JSON object".to_owned()));
    }
    let text = |pointer: &str| body.as_ref().and_then(|body| body.pointer(pointer)).and_then(Value::as_str);
    let code = text("/error_codes/0").or_else(|| text("/error_type"));
    match status.as_u16() {
        401 | 403 => Err(PspError::Misconfigured(format!("HTTP {status}"))),
        // 409: the first request with this key is still running; 429: too many
        408 | 409 | 429 | 500..=599 => Err(PspError::Unavailable(format!("HTTP {status}"))),
        400..=499 if code.is_some() => Err(PspError::refused(code.unwrap_or("unknown"), "")),
        _ => Err(PspError::Misconfigured(format!("HTTP {status}: this is not the vendor's API"))),
    }
}
