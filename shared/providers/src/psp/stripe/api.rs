//! The calls: create a payment intent, retrieve one, find one that an earlier attempt left.
//!
//! Stripe keeps the first answer under an idempotency key for a day at least, an internal error as well, and it answers nothing
//! but an error to another form under the same key (the client's e-mail changed meanwhile). Either way the key is spent. Then an
//! intent of this payment that is there after all is taken, and else the next key is used: the payment's id with a number. The
//! numbers need no record of ours: each spent key says so again, in the same order, so a repeat ends at the key that was used last.
//! No two intents can be paid: what was made under a spent key is not confirmed by anybody, because nobody was shown it.

use ::http::header::{AUTHORIZATION, CONTENT_TYPE, DATE};
use ::http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use bytes::Bytes;
use domain::payment::PspReport;
use domain::{PaymentId, Redacted, Timestamp};
use secrecy::ExposeSecret;
use serde_json::Value;
use url::form_urlencoded::Serializer;

use super::{Stripe, event, units};
use crate::psp::{PspError, Session, SessionOrder};
use crate::template;

/// The shapes this module reads. Without the header they would follow the account's default.
const API_VERSION: &str = "2024-06-20";

/// Keys under which one payment is asked for; a repeat spends no more than one.
pub(super) const KEYS_MAX: u32 = 5;

impl Stripe {
    /// Opens a payment, all calls in the time of one.
    pub(super) async fn create_intent(&self, order: &SessionOrder) -> Result<Session, PspError> {
        self.settings.in_time(self.create_under_a_key(order)).await
    }

    async fn create_under_a_key(&self, order: &SessionOrder) -> Result<Session, PspError> {
        let form = Bytes::from(self.form(order)?);
        for number in 1..=KEYS_MAX {
            let response = self.create_under(&key(&order.payment_id, number), form.clone()).await?;
            if !is_spent(&response) {
                return self.session(order, &answer(&response)?).ok_or_else(no_way_to_pay);
            }
            tracing::warn!(payment.id = %order.payment_id, number, "an idempotency key is spent");
            if number == 1
                && let Some(intent) = self.left_before(order).await?
            {
                return self.session(order, &intent).ok_or_else(no_way_to_pay);
            }
        }
        Err(PspError::Unavailable(format!("{KEYS_MAX} idempotency keys are spent")))
    }

    async fn create_under(&self, key: &str, form: Bytes) -> Result<Response<Bytes>, PspError> {
        let mut request = self.request(Method::POST, "/v1/payment_intents", form)?;
        let headers = request.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
        let key = HeaderValue::from_str(key);
        headers.insert("idempotency-key", key.map_err(|_| PspError::Unknown("id is not a header".to_owned()))?);
        Ok(self.settings.transport.send(request, self.settings.timeout).await?)
    }

    /// The intent of this payment that is there although its answer was an error or is not known; one that money came to first. The
    /// vendor's search is up to a minute behind and not there for every account, so that it finds none proves nothing.
    async fn left_before(&self, order: &SessionOrder) -> Result<Option<Value>, PspError> {
        let amount =
            units::write(&order.amount).map_err(|error| PspError::refused(error.code(), &error.to_string()))?;
        let query = template::encode(&format!("metadata['payment_id']:'{}'", order.payment_id));
        let request = self.request(Method::GET, &format!("/v1/payment_intents/search?query={query}"), Bytes::new())?;
        let response = self.settings.transport.send(request, self.settings.timeout).await?;
        let mut found = match answer(&response) {
            Err(PspError::Refused { .. } | PspError::Misconfigured(_)) => return Ok(None),
            other => other?,
        };
        let intents = found.get_mut("data").and_then(Value::as_array_mut).map(std::mem::take).unwrap_or_default();
        let currency = order.amount.currency().code().to_ascii_lowercase();
        let text = |intent: &Value, member: &str| intent.get(member).and_then(Value::as_str).map(str::to_owned);
        let mut ours = intents.into_iter().filter(|intent| {
            event::payment_id(intent).as_ref() == Some(&order.payment_id)
                && intent.get("amount").and_then(Value::as_i64) == Some(amount)
                && text(intent, "currency").as_ref() == Some(&currency)
                && text(intent, "status").as_deref() != Some("canceled")
        });
        let has_money = |intent: &Value| {
            matches!(text(intent, "status").as_deref(), Some("succeeded" | "processing" | "requires_capture"))
        };
        let first = ours.next();
        Ok(match first {
            Some(first) if !has_money(&first) => ours.find(has_money).or(Some(first)),
            first => first,
        })
    }

    pub(super) async fn retrieve_intent(
        &self,
        payment: &PaymentId,
        reference: &str,
    ) -> Result<Option<PspReport>, PspError> {
        // Whoever never got the intent's id never showed a payer where to pay either.
        if reference.is_empty() {
            tracing::debug!(payment.id = %payment, "payment has no intent to ask for");
            return Ok(None);
        }
        let Some((headers, intent)) = self.intent(reference).await? else { return Ok(None) };
        if event::payment_id(&intent).as_ref() != Some(payment) {
            return Err(PspError::Unknown("intent is another payment's".to_owned()));
        }
        let at = date(&headers).or_else(|| created(&intent));
        at.and_then(|at| event::read_intent(&self.settings.name, &intent, at))
            .map(Some)
            .ok_or_else(|| PspError::Unknown("intent has no id, time or known status".to_owned()))
    }

    /// The payment of ours that the metadata of an intent names.
    pub(super) async fn owner_of_intent(&self, reference: &str) -> Result<Option<PaymentId>, PspError> {
        Ok(self.intent(reference).await?.and_then(|(_, intent)| event::payment_id(&intent)))
    }

    /// The name in the billing details of the charge that an intent collected.
    pub(super) async fn billing_name(&self, reference: &str) -> Result<Option<Redacted<String>>, PspError> {
        let found = self.intent_with(reference, "?expand%5B%5D=latest_charge").await?;
        let name =
            found.as_ref().and_then(|(_, intent)| intent.pointer("/latest_charge/billing_details/name")?.as_str());
        Ok(name.filter(|name| !name.trim().is_empty()).map(|name| Redacted::new(name.to_owned())))
    }

    async fn intent(&self, reference: &str) -> Result<Option<(HeaderMap, Value)>, PspError> {
        self.intent_with(reference, "").await
    }

    async fn intent_with(&self, reference: &str, query: &str) -> Result<Option<(HeaderMap, Value)>, PspError> {
        let path = format!("/v1/payment_intents/{}{query}", template::encode(reference));
        let request = self.request(Method::GET, &path, Bytes::new())?;
        let response = self.settings.transport.send(request, self.settings.timeout).await?;
        // A 404 that Stripe did not word says only that something else answered.
        let intent = match answer(&response) {
            Err(PspError::Refused { .. }) if response.status() == StatusCode::NOT_FOUND => return Ok(None),
            other => other?,
        };
        if intent.get("id").and_then(Value::as_str) != Some(reference) {
            return Err(PspError::Unknown("answer is another intent".to_owned()));
        }
        Ok(Some((response.into_parts().0.headers, intent)))
    }

    pub(super) fn request(&self, method: Method, path: &str, body: Bytes) -> Result<Request<Bytes>, PspError> {
        let bad = |_| PspError::Misconfigured("base URL or secret key cannot be sent".to_owned());
        let key = format!("Bearer {}", self.secret_key.expose_secret());
        let mut key = HeaderValue::from_str(&key).map_err(|error| bad(error.into()))?;
        key.set_sensitive(true);
        Request::builder()
            .method(method)
            .uri(self.settings.url(path))
            .header(AUTHORIZATION, key)
            .header("stripe-version", API_VERSION)
            .body(body)
            .map_err(bad)
    }

    fn form(&self, order: &SessionOrder) -> Result<String, PspError> {
        let amount =
            units::write(&order.amount).map_err(|error| PspError::refused(error.code(), &error.to_string()))?;
        let mut form = Serializer::new(String::new());
        form.append_pair("amount", &amount.to_string())
            .append_pair("currency", &order.amount.currency().code().to_ascii_lowercase())
            .append_pair("metadata[payment_id]", order.payment_id.as_str())
            .append_pair("metadata[client_id]", order.client_reference.as_str())
            .append_pair("receipt_email", order.email.reveal());
        let method = self.settings.payment_method.as_deref();
        match (&self.settings.pay_page, method) {
            (Some(_), _) => {
                form.append_pair("automatic_payment_methods[enabled]", "true");
                return Ok(form.finish());
            }
            (None, Some(method)) => {
                form.append_pair("payment_method_types[]", method).append_pair("payment_method_data[type]", method);
            }
            (None, None) => {
                form.append_pair("automatic_payment_methods[enabled]", "true");
            }
        }
        form.append_pair("confirm", "true");
        if let Some(url) = self.settings.return_url(order) {
            form.append_pair("return_url", &url);
        }
        Ok(form.finish())
    }

    fn session(&self, order: &SessionOrder, intent: &Value) -> Option<Session> {
        let reference = intent.get("id")?.as_str().filter(|id| !id.is_empty())?.to_owned();
        let redirect = intent.pointer("/next_action/redirect_to_url/url").and_then(Value::as_str);
        let redirect_url = match (redirect, &self.settings.pay_page) {
            (Some(url), _) => url.to_owned(),
            (None, Some(page)) => {
                let secret = intent.get("client_secret")?.as_str()?;
                template::fill(page, &[("payment_id", order.payment_id.as_str()), ("client_secret", secret)])
            }
            // Paid or refused without showing the payer anything: the events tell which, the payer goes home.
            (None, None) => self.settings.return_url(order)?,
        };
        Some(Session { reference, redirect_url })
    }
}

/// The key of an attempt at opening a payment.
pub(super) fn key(payment: &PaymentId, number: u32) -> String {
    if number == 1 { payment.to_string() } else { format!("{payment}-{number}") }
}

/// Whether the key gives nothing but an error whatever is sent under it from now on.
pub(super) fn is_spent(response: &Response<Bytes>) -> bool {
    let is_kept = response.headers().get("idempotent-replayed").is_some_and(|value| value.as_bytes() == b"true");
    let kind = || {
        let body: Value = serde_json::from_slice(response.body()).ok()?;
        body.pointer("/error/type").and_then(Value::as_str).map(str::to_owned)
    };
    match response.status().as_u16() {
        400 => kind().as_deref() == Some("idempotency_error"),
        500..=599 => is_kept,
        _ => false,
    }
}

fn no_way_to_pay() -> PspError {
    PspError::Unknown("intent has no id or no way to pay".to_owned())
}

pub(super) fn answer(response: &Response<Bytes>) -> Result<Value, PspError> {
    let body: Option<Value> = serde_json::from_slice(response.body()).ok();
    let status = response.status();
    if status.is_success() {
        return body.filter(Value::is_object).ok_or_else(|| PspError::Unknown("body is not a JSON object".to_owned()));
    }
    let error = body.as_ref().and_then(|body| body.get("error"));
    let text = |member| error.and_then(|error| error.get(member)).and_then(Value::as_str);
    let code = text("code").or_else(|| text("type"));
    match status.as_u16() {
        401 | 403 => Err(PspError::Misconfigured(format!("HTTP {status}, {}", code.unwrap_or("no code")))),
        // 409: the first request with this key is still running; 429: too many.
        409 | 429 | 500..=599 => Err(PspError::Unavailable(format!("HTTP {status}"))),
        400..=499 if error.is_some() => {
            Err(PspError::refused(code.unwrap_or("unknown"), text("message").unwrap_or_default()))
        }
        _ => Err(PspError::Misconfigured(format!("HTTP {status}: this is not the vendor's API"))),
    }
}

/// The vendor's clock. An intent has no time of its last change.
fn date(headers: &HeaderMap) -> Option<Timestamp> {
    let date = jiff::fmt::rfc2822::parse(headers.get(DATE)?.to_str().ok()?).ok()?;
    Timestamp::from_seconds(date.timestamp().as_second())
}

fn created(intent: &Value) -> Option<Timestamp> {
    intent.get("created").and_then(Value::as_i64).and_then(Timestamp::from_seconds)
}
