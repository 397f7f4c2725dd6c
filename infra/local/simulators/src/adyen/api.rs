//! The merchant's call: create a payment link.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use serde_json::{Value, json};

use crate::desk::lock;
use crate::fault::Refusal;
use crate::reply;
use crate::request::Call;

use super::Adyen;
use super::acts::Link;

/// Longest idempotency key.
const KEY_CHARS_MAX: usize = 64;
/// Longest reference.
const REFERENCE_CHARS_MAX: usize = 80;

/// Members of the request; the vendor refuses any other.
const MEMBERS: [&str; 14] = [
    "amount",
    "captureDelayHours",
    "countryCode",
    "description",
    "expiresAt",
    "manualCapture",
    "merchantAccount",
    "metadata",
    "reference",
    "returnUrl",
    "reusable",
    "shopperEmail",
    "shopperLocale",
    "shopperReference",
];

/// An error in the vendor's shape.
pub(super) struct Problem {
    status: u16,
    code: String,
    kind: &'static str,
    message: String,
}

impl Problem {
    fn new(status: u16, code: &str, kind: &'static str, message: impl Into<String>) -> Self {
        Self { status, code: code.to_owned(), kind, message: message.into() }
    }

    fn invalid(code: &str, message: impl Into<String>) -> Self {
        Self::new(422, code, "validation", message)
    }

    fn answer(&self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let body = json!({
            "status": self.status, "errorCode": self.code, "message": self.message, "errorType": self.kind,
        });
        reply::json(status, &body)
    }
}

pub(super) async fn create(State(adyen): State<Arc<Adyen>>, call: Call) -> Response {
    if call.header("x-api-key") != Some(adyen.config.api_key.as_str()) {
        adyen.till.desk.count("unauthorised");
        return Problem::new(401, "000", "security", "HTTP Status Response - Unauthorized").answer();
    }
    let call = Arc::new(call);
    let (vendor, made) = (Arc::clone(&adyen), Arc::clone(&call));
    let refuse = |refusal: &Refusal| {
        let status = refusal.http_status(422).as_u16();
        let code = refusal.code.clone().unwrap_or_else(|| "905".to_owned());
        let kind = if status >= 500 { "internal" } else { "configuration" };
        Problem::new(status, &code, kind, refusal.text("Refused by script")).answer()
    };
    let make = move || match once(&vendor, &made) {
        Ok(link) => reply::json(StatusCode::CREATED, &link),
        Err(problem) => problem.answer(),
    };
    adyen.till.desk.serve("payment_link", || call.flat(), refuse, make).await
}

fn once(adyen: &Adyen, call: &Call) -> Result<Value, Problem> {
    let Some(key) = call.header("idempotency-key") else { return create_link(adyen, call) };
    if key.is_empty() || key.len() > KEY_CHARS_MAX {
        return Err(Problem::invalid("706", "The Idempotency-Key must have 1 to 64 characters"));
    }
    let request = call.json.clone().unwrap_or_default().to_string();
    let first = adyen.till.once(key, &request, || create_link(adyen, call));
    // what the vendor does here is on no public page; whoever relies on it shall learn so
    first.unwrap_or_else(|| Err(Problem::invalid("704", "request already processed or in progress")))
}

fn create_link(adyen: &Adyen, call: &Call) -> Result<Value, Problem> {
    let body = call.json.as_ref().and_then(Value::as_object);
    let body = body.ok_or_else(|| Problem::new(400, "702", "validation", "Unable to parse the request"))?;
    if let Some(unknown) = body.keys().find(|name| !MEMBERS.contains(&name.as_str())) {
        let text = format!("Structure of PaymentLinkRequest contains the following unknown fields: [{unknown}]");
        return Err(Problem::new(400, "702", "validation", text));
    }
    let text = |name: &str| body.get(name).and_then(Value::as_str).filter(|text| !text.is_empty()).map(str::to_owned);
    let required = |name: &str| {
        text(name).ok_or_else(|| Problem::invalid("130", format!("Required field '{name}' is not provided.")))
    };
    if required("merchantAccount")? != adyen.config.merchant_account {
        return Err(Problem::new(403, "901", "security", "Invalid Merchant Account"));
    }
    let payment_id = required("reference")?;
    if payment_id.chars().count() > REFERENCE_CHARS_MAX {
        return Err(Problem::invalid("132", "Reference is too long"));
    }
    let amount = body.get("amount").and_then(|amount| amount.get("value")).and_then(Value::as_i64);
    let amount =
        amount.filter(|amount| *amount > 0).ok_or_else(|| Problem::invalid("137", "Invalid amount specified"))?;
    let currency = body.get("amount").and_then(|amount| amount.get("currency")).and_then(Value::as_str);
    let currency = currency.filter(|code| code.len() == 3 && code.bytes().all(|b| b.is_ascii_uppercase()));
    let currency = currency.ok_or_else(|| Problem::invalid("138", "Unsupported currency specified"))?;
    let link = Link::new(adyen.till.ids.make("PL"), payment_id, amount, currency, text("returnUrl"));
    let answer = json!({
        "id": link.id, "status": "active", "reusable": false, "reference": link.payment_id,
        "merchantAccount": adyen.config.merchant_account, "amount": {"currency": currency, "value": amount},
        "url": format!("{}/pay/{}", adyen.till.base_url, link.id),
    });
    lock(&adyen.till.book).add(&link.payment_id.clone(), &link.id.clone(), link);
    Ok(answer)
}
