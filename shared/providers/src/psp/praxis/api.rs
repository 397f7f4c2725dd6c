//! The two calls: open a cashier session, find an order.

use ::http::header;
use ::http::{Request, Response};
use bytes::Bytes;
use domain::PaymentId;
use domain::Timestamp;
use domain::payment::PspReport;
use secrecy::ExposeSecret;
use serde_json::{Map, Value, json};

use super::lexemes::Message;
use super::signature::{CASHIER_FIELDS, FIND_ORDER_FIELDS, HEADER, sign};
use super::{CONTENT_TYPE, Praxis, VERSION, notification, units};
use crate::psp::{PspError, Session, SessionOrder};

/// Below the base URL, which is the gateway's host.
const CASHIER_PATH: &str = "/cashier/cashier";

/// Below the base URL.
const FIND_ORDER_PATH: &str = "/agent/find-order";

impl Praxis {
    pub(super) async fn create_session(&self, order: &SessionOrder) -> Result<Session, PspError> {
        let amount =
            units::write(&order.amount).map_err(|error| PspError::refused(error.code(), &error.to_string()))?;
        let mut body = self.identity(order.now);
        let rest = [
            ("intent", json!("payment")),
            ("currency", json!(order.amount.currency().code())),
            ("amount", Value::Number(amount)),
            ("cid", json!(order.client_reference)),
            ("order_id", json!(order.payment_id)),
            ("locale", json!(order.language)),
            ("return_url", json!(self.settings.return_url(order))),
            ("notification_url", json!(self.settings.webhook_url.as_ref().map(url::Url::as_str))),
            ("customer_data", json!({"email": order.email.reveal(), "country": order.country})),
        ];
        body.extend(rest.map(|(name, value)| (name.to_owned(), value)));
        // Null means "not given" to Praxis too, but not every field takes it.
        body.retain(|_, value| !value.is_null());
        let response = self.call(CASHIER_PATH, &body, &CASHIER_FIELDS).await?;
        let message = answer(&response)?;
        let redirect_url = message.text("redirect_url").filter(|url| !url.is_empty());
        let redirect_url = redirect_url.ok_or_else(|| PspError::Unknown("answer has no redirect URL".to_owned()))?;
        // A transaction, and with it the vendor's number, comes into being when the payer pays.
        Ok(Session { reference: message.text("transaction.tid").unwrap_or_default(), redirect_url })
    }

    pub(super) async fn find_order(&self, payment: &PaymentId) -> Result<Option<PspReport>, PspError> {
        // The vendor wants its own idea of the time within a minute of ours; there is no order to carry it.
        let mut body = self.identity((self.settings.clock)());
        body.insert("order_id".to_owned(), json!(payment));
        let response = self.call(FIND_ORDER_PATH, &body, &FIND_ORDER_FIELDS).await?;
        let message = match answer(&response) {
            // The vendor's numbers of application errors are not public; its words are all there is.
            // An unknown merchant or key is "not found" too, and says nothing of the order.
            Err(PspError::Refused { message, .. }) if is_unknown_order(&message) => return Ok(None),
            other => other?,
        };
        let report = notification::read_order(&self.settings.name, &message);
        let report = report.map_err(|_| PspError::Unknown("answer holds no order".to_owned()))?;
        if report.payment_id.as_ref() != Some(payment) {
            return Err(PspError::Unknown("answer holds another order".to_owned()));
        }
        Ok(Some(report))
    }

    fn identity(&self, now: Timestamp) -> Map<String, Value> {
        let members = [
            ("merchant_id", json!(self.merchant_id)),
            ("application_key", json!(self.application_key)),
            ("version", json!(VERSION)),
            ("timestamp", json!(now.seconds())),
        ];
        members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }

    /// Signs and sends. The vendor's own answers are signed too, in an order that is not documented for every call;
    /// TLS is what proves them.
    async fn call(&self, path: &str, body: &Map<String, Value>, signed: &[&str]) -> Result<Response<Bytes>, PspError> {
        let values = signed.iter().filter_map(|name| match body.get(*name) {
            Some(Value::String(text)) => Some(text.clone()),
            Some(Value::Null) | None => None,
            Some(other) => Some(other.to_string()),
        });
        let signature = sign(values, self.secret.expose_secret());
        let body = serde_json::to_vec(body).map_err(|error| PspError::Misconfigured(error.to_string()))?;
        let request = Request::post(self.settings.url(path))
            .header(header::CONTENT_TYPE, CONTENT_TYPE)
            .header(HEADER, signature)
            .body(Bytes::from(body))
            .map_err(|_| PspError::Misconfigured("base URL cannot be called".to_owned()))?;
        Ok(self.settings.transport.send(request, self.settings.timeout).await?)
    }
}

fn is_unknown_order(message: &str) -> bool {
    let message = message.to_ascii_lowercase();
    message.starts_with("order") && message.contains("not found")
}

fn answer(response: &Response<Bytes>) -> Result<Message<'_>, PspError> {
    let http = response.status();
    let message = Message::parse(response.body());
    let status = message.as_ref().and_then(|message| message.text("status")?.parse::<i64>().ok());
    match (message, status) {
        (Some(message), Some(0)) if http.is_success() => Ok(message),
        (Some(message), Some(code @ 1..)) => {
            Err(PspError::refused(code.to_string(), &message.text("description").unwrap_or_default()))
        }
        (Some(_), Some(code @ ..=-1)) => Err(PspError::Unavailable(format!("status {code}"))),
        _ if http.is_server_error() || http.as_u16() == 429 => Err(PspError::Unavailable(format!("HTTP {http}"))),
        _ if http.is_success() => Err(PspError::Unknown("body is not the vendor's answer".to_owned())),
        _ => Err(PspError::Misconfigured(format!("HTTP {http}: this is not the vendor's API"))),
    }
}
