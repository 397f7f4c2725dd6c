//! The calls that make something: a handle for the payer, and the payment with it.

use ::http::header::{AUTHORIZATION, CONTENT_TYPE};
use ::http::{HeaderValue, Method, Request, Response};
use bytes::Bytes;
use domain::Money;
use domain::payment::{PspReport, PspStatus};
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use super::Paysafe;
use super::event::{self, text};
use crate::psp::{Collection, PspError, Session, SessionOrder, minor};

/// Below the base URL.
const ROOT: &str = "/paymenthub/v1/";

/// The vendor's code for a number that is used already.
const DUPLICATE: &str = "5031";

/// The vendor's code for what is not there.
const NOT_THERE: &str = "5269";

impl Paysafe {
    pub(super) async fn open_handle(&self, order: &SessionOrder) -> Result<Session, PspError> {
        let response = self.post("paymenthandles", &self.handle(order)?).await?;
        let handle = match answer(&response) {
            // an earlier attempt whose answer was lost
            Err(PspError::Refused { .. }) if is_duplicate(&response) => {
                let found = self.find_handle(&order.payment_id).await?;
                found
                    .ok_or_else(|| PspError::Unavailable("the number is used, and no handle is found yet".to_owned()))?
            }
            other => other?,
        };
        let same = text(&handle, "merchantRefNum") == Some(order.payment_id.as_str())
            && handle.get("amount").and_then(Value::as_i64) == minor_units(&order.amount)
            && text(&handle, "currencyCode") == Some(order.amount.currency().code());
        if !same {
            return Err(PspError::Unknown("answer is another handle".to_owned()));
        }
        let links = handle.get("links").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let link = links.iter().find(|link| text(link, "rel") == Some("redirect_payment"));
        let redirect_url = link.and_then(|link| text(link, "href")).map(str::to_owned);
        let redirect_url = redirect_url.ok_or_else(|| PspError::Unknown("handle has no page".to_owned()))?;
        // the payment's number comes into being when it is asked for
        Ok(Session { reference: String::new(), redirect_url })
    }

    fn handle(&self, order: &SessionOrder) -> Result<Value, PspError> {
        let amount = minor_units(&order.amount).ok_or_else(|| PspError::refused("out_of_range", "amount"))?;
        let back = self.settings.return_url(order);
        let mut handle = json!({
            "merchantRefNum": order.payment_id, "transactionType": "PAYMENT", "paymentType": self.method,
            "amount": amount, "currencyCode": order.amount.currency().code(),
            "returnLinks": [{"rel": "default", "href": back, "method": "GET"}],
        });
        let wallet = match self.method.as_str() {
            "NETELLER" => Some("neteller"),
            "SKRILL" => Some("skrill"),
            _ => None,
        };
        if let (Some(members), Some(wallet)) = (handle.as_object_mut(), wallet) {
            members.insert(wallet.to_owned(), json!({"consumerId": order.email.reveal()}));
        }
        Ok(handle)
    }

    /// Asks for the money that the payer agreed to. A repeat is refused by its number, and what is there already is taken.
    pub(super) async fn pay(&self, collection: &Collection) -> Result<PspReport, PspError> {
        let amount = minor_units(&collection.amount).ok_or_else(|| PspError::refused("out_of_range", "amount"))?;
        let body = json!({
            "merchantRefNum": collection.payment_id, "amount": amount,
            "currencyCode": collection.amount.currency().code(), "paymentHandleToken": collection.token,
            "dupCheck": true, "settleWithAuth": true,
        });
        let response = self.post("payments", &body).await?;
        let now = (self.settings.clock)();
        let refused = match answer(&response) {
            Ok(payment) if text(&payment, "merchantRefNum") == Some(collection.payment_id.as_str()) => {
                let report = event::read_payment(&self.settings.name, &payment, now);
                return report.ok_or_else(|| PspError::Unknown("payment has no id or status".to_owned()));
            }
            Ok(_) => return Err(PspError::Unknown("answer is another payment".to_owned())),
            Err(PspError::Refused { code, .. }) => code,
            Err(other) => return Err(other),
        };
        if let Some(report) = self.find_payment(&collection.payment_id).await? {
            return Ok(report);
        }
        if is_duplicate(&response) {
            return Err(PspError::Unavailable("the number is used, and no payment is found yet".to_owned()));
        }
        // nothing was made: the payer may try again with another deposit
        Ok(PspReport {
            psp: self.settings.name.clone(),
            event_id: format!("{}:PAYMENT_REFUSED:{refused}", collection.payment_id),
            kind: format!("PAYMENT_REFUSED {refused}"),
            payment_id: Some(collection.payment_id.clone()),
            reference: String::new(),
            status: PspStatus::Failed,
            money: None,
            at: now,
        })
    }

    pub(super) async fn get(&self, path: &str) -> Result<Response<Bytes>, PspError> {
        self.call(Method::GET, path, Bytes::new()).await
    }

    async fn post(&self, path: &str, body: &Value) -> Result<Response<Bytes>, PspError> {
        self.call(Method::POST, path, Bytes::from(body.to_string())).await
    }

    async fn call(&self, method: Method, path: &str, body: Bytes) -> Result<Response<Bytes>, PspError> {
        let bad = || PspError::Misconfigured("base URL or API key cannot be sent".to_owned());
        let key = HeaderValue::from_str(&format!("Basic {}", self.credentials.expose_secret()));
        let mut key = key.map_err(|_| bad())?;
        key.set_sensitive(true);
        let request = Request::builder()
            .method(method)
            .uri(self.settings.url(&format!("{ROOT}{path}")))
            .header(AUTHORIZATION, key)
            .header(CONTENT_TYPE, "application/json")
            .body(body)
            .map_err(|_| bad())?;
        Ok(self.settings.transport.send(request, self.settings.timeout).await?)
    }
}

/// The amount in whole minor units.
fn minor_units(money: &Money) -> Option<i64> {
    minor::write(money, |currency| Some(currency.digits())).ok()
}

fn error_code(response: &Response<Bytes>) -> Option<String> {
    let body: Value = serde_json::from_slice(response.body()).ok()?;
    body.pointer("/error/code").and_then(Value::as_str).map(str::to_owned)
}

pub(super) fn is_duplicate(response: &Response<Bytes>) -> bool {
    error_code(response).as_deref() == Some(DUPLICATE)
}

pub(super) fn is_not_there(response: &Response<Bytes>) -> bool {
    response.status().as_u16() == 404 && error_code(response).as_deref() == Some(NOT_THERE)
}

pub(super) fn answer(response: &Response<Bytes>) -> Result<Value, PspError> {
    let body: Option<Value> = serde_json::from_slice(response.body()).ok();
    let status = response.status();
    if status.is_success() {
        return body.filter(Value::is_object).ok_or_else(|| PspError::Unknown("body is not a JSON object".to_owned()));
    }
    let error = body.as_ref().and_then(|body| body.get("error"));
    let said = |member| error.and_then(|error| error.get(member)).and_then(Value::as_str);
    match status.as_u16() {
        401 | 403 => Err(PspError::Misconfigured(format!("HTTP {status}, {}", said("code").unwrap_or("no code")))),
        429 | 500..=599 => Err(PspError::Unavailable(format!("HTTP {status}"))),
        400..=499 if error.is_some() => {
            Err(PspError::refused(said("code").unwrap_or("unknown"), said("message").unwrap_or_default()))
        }
        _ => Err(PspError::Misconfigured(format!("HTTP {status}: this is not the vendor's API"))),
    }
}
