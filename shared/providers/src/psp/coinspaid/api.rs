//! The two calls: take an address, find the transaction of one.

use ::http::header::CONTENT_TYPE;
use ::http::{Method, Request, Response};
use bytes::Bytes;
use domain::PaymentId;
use domain::payment::{Payout, PspReport};
use domain::withdrawal::{Destination, PayoutAnswer};
use serde_json::{Value, json};

use super::{CoinsPaid, PAGE_NAMES, SIGNATURE, callback};
use crate::psp::{PayoutOrder, PspError, Session, SessionOrder};
use crate::signature::hmac_sha512;
use crate::template;

/// Below the base URL.
const TAKE_PATH: &str = "/api/v2/addresses/take";

/// Below the base URL.
const WITHDRAWAL_PATH: &str = "/api/v2/withdrawal/crypto";

/// Below the base URL.
const INFO_PATH: &str = "/api/v2/transactions/info";

impl CoinsPaid {
    pub(super) async fn take_address(&self, order: &SessionOrder) -> Result<Session, PspError> {
        let currency = order.amount.currency().code();
        let mut body = json!({
            "currency": self.coin, "foreign_id": order.payment_id, "end_user_reference": order.client_reference,
        });
        if let Some(members) = body.as_object_mut().filter(|_| self.coin != currency) {
            members.insert("convert_to".to_owned(), json!(currency));
        }
        let response = self.call(Method::POST, TAKE_PATH, &body).await?;
        let answer = answer(&response)?;
        let data = answer.get("data").ok_or_else(|| PspError::Unknown("answer has no data".to_owned()))?;
        let text = |name: &str| data.get(name).and_then(Value::as_str).unwrap_or_default();
        let converts = data.get("convert_to").and_then(Value::as_str);
        // coins that go to another's address, or are kept as coins, are not this deposit's
        if text("foreign_id") != order.payment_id.as_str() || text("currency") != self.coin {
            return Err(PspError::Unknown("answer is another address".to_owned()));
        }
        if converts.is_some_and(|to| to != currency) || text("address").is_empty() {
            return Err(PspError::Unknown("answer is not the address that was asked for".to_owned()));
        }
        let tag = data.get("tag").filter(|tag| !tag.is_null());
        let tag = tag.map(|tag| tag.as_str().map_or_else(|| tag.to_string(), str::to_owned)).unwrap_or_default();
        let values = [order.payment_id.as_str(), text("address"), &tag, &self.coin];
        let named: Vec<_> = PAGE_NAMES.into_iter().zip(values).collect();
        // a transaction, and with it the vendor's number, comes into being when the payer sends something
        Ok(Session { reference: String::new(), redirect_url: template::fill(&self.page, &named) })
    }

    pub(super) async fn find_transaction(&self, payment: &PaymentId) -> Result<Option<PspReport>, PspError> {
        let response = self.call(Method::GET, INFO_PATH, &json!({"foreign_id": payment})).await?;
        if response.status().as_u16() == 404 && is_worded(&response) {
            return Ok(None);
        }
        answer(&response)?;
        let report = callback::read(&self.settings.name, response.body(), (self.settings.clock)());
        let report = report.map_err(|_| PspError::Unknown("answer holds no transaction".to_owned()))?;
        if report.payment_id.as_ref() != Some(payment) {
            return Err(PspError::Unknown("answer holds another transaction".to_owned()));
        }
        Ok(Some(report))
    }

    /// Sends coins worth the amount. A number of ours is taken once: that it was taken before is the answer to a repeat.
    pub(super) async fn send_coins(&self, order: &PayoutOrder<'_>) -> Result<PayoutAnswer, PspError> {
        let Destination::Crypto { currency, address, tag } = order.destination else {
            return Err(PspError::no_payout("CoinsPaid"));
        };
        let own = order.amount.currency().code();
        let mut body = json!({
            "foreign_id": order.withdrawal_id, "amount": order.amount.amount_text(), "currency": own,
            "address": address.reveal(),
        });
        if let Some(members) = body.as_object_mut() {
            if currency != own {
                members.insert("convert_to".to_owned(), json!(currency));
            }
            if let Some(tag) = tag {
                members.insert("tag".to_owned(), json!(tag.reveal()));
            }
        }
        let response = self.call(Method::POST, WITHDRAWAL_PATH, &body).await?;
        let answer = match answer(&response) {
            Err(PspError::Refused { code, .. }) if code == "foreign_id" => {
                return Ok(PayoutAnswer::Accepted { reference: String::new() });
            }
            answer => answer?,
        };
        let data = answer.get("data").ok_or_else(|| PspError::Unknown("answer has no data".to_owned()))?;
        if data.get("foreign_id").and_then(Value::as_str) != Some(order.withdrawal_id.as_str()) {
            return Err(PspError::Unknown("answer is another withdrawal".to_owned()));
        }
        sent(data)
    }

    pub(super) async fn find_coins(&self, order: &PayoutOrder<'_>) -> Result<Option<PayoutAnswer>, PspError> {
        let response = self.call(Method::GET, INFO_PATH, &json!({"foreign_id": order.withdrawal_id})).await?;
        // sent again it is sent once, so nothing rests on it that there surely is none
        if response.status().as_u16() == 404 && is_worded(&response) {
            return Ok(None);
        }
        let found = answer(&response)?;
        if found.get("foreign_id").and_then(Value::as_str) != Some(order.withdrawal_id.as_str()) {
            return Err(PspError::Unknown("answer holds another transaction".to_owned()));
        }
        sent(&found).map(Some)
    }

    async fn call(&self, method: Method, path: &str, body: &Value) -> Result<Response<Bytes>, PspError> {
        let body = body.to_string();
        let signature = hmac_sha512(&self.secret_key, &[body.as_bytes()]).map(hex::encode);
        let request = Request::builder()
            .method(method)
            .uri(self.settings.url(path))
            .header(CONTENT_TYPE, "application/json")
            .header("x-processing-key", &self.public_key)
            .header(SIGNATURE, signature.unwrap_or_default())
            .body(Bytes::from(body))
            .map_err(|_| PspError::Misconfigured("base URL or public key cannot be sent".to_owned()))?;
        Ok(self.settings.transport.send(request, self.settings.timeout).await?)
    }
}

/// What a withdrawal says of itself.
fn sent(data: &Value) -> Result<PayoutAnswer, PspError> {
    let unknown = || PspError::Unknown("withdrawal has no number or no known status".to_owned());
    let id = data.get("id").map(|id| id.as_str().map_or_else(|| id.to_string(), str::to_owned));
    let reference = id.filter(|id| !id.is_empty() && id.bytes().all(|b| b.is_ascii_digit())).ok_or_else(unknown)?;
    match callback::payout(data.get("status").and_then(Value::as_str).unwrap_or_default()).ok_or_else(unknown)? {
        Payout::Paid => Ok(PayoutAnswer::Paid { reference }),
        Payout::Pending => Ok(PayoutAnswer::Accepted { reference }),
        Payout::Failed => Ok(PayoutAnswer::Failed { reference, code: "cancelled".to_owned() }),
    }
}

/// Whether an error is the vendor's own and not of something that stands before it.
fn is_worded(response: &Response<Bytes>) -> bool {
    let body: Option<Value> = serde_json::from_slice(response.body()).ok();
    body.is_some_and(|body| body.get("errors").or_else(|| body.get("error")).is_some())
}

fn answer(response: &Response<Bytes>) -> Result<Value, PspError> {
    let status = response.status();
    let body: Option<Value> = serde_json::from_slice(response.body()).ok();
    if status.is_success() {
        return body.filter(Value::is_object).ok_or_else(|| PspError::Unknown("body is not a JSON object".to_owned()));
    }
    match status.as_u16() {
        401 | 403 => Err(PspError::Misconfigured(format!("HTTP {status}"))),
        429 | 500..=599 => Err(PspError::Unavailable(format!("HTTP {status}"))),
        // `errors` names the members; their words may show what was sent
        400..=499 if is_worded(response) => {
            let errors = body.as_ref().and_then(|body| body.get("errors")).and_then(Value::as_object);
            let named: Vec<_> = errors.into_iter().flatten().map(|(name, _)| name.as_str()).collect();
            let code = if named.is_empty() { status.as_str().to_owned() } else { named.join(",") };
            Err(PspError::refused(code, &body.unwrap_or_default().to_string()))
        }
        _ => Err(PspError::Misconfigured(format!("HTTP {status}: this is not the vendor's API"))),
    }
}
