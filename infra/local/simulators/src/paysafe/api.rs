//! The merchant's calls: handles, and payments with them.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::StatusCode;
use serde_json::{Value, json};

use crate::courier::Plan;
use crate::desk::lock;
use crate::fault::Refusal;
use crate::payer::{Cashier as _, Named};
use crate::reply;
use crate::request::Call;

use super::book::{Handle, Payment};
use super::{Paysafe, acts};

/// Why a call is refused.
struct Refused(StatusCode, &'static str, String);

fn error(status: StatusCode, code: &str, message: &str) -> Response {
    reply::json(status, &json!({ "error": { "code": code, "message": message } }))
}

fn field_error(field: &str) -> Refused {
    Refused(StatusCode::BAD_REQUEST, "5068", format!("Field error(s): {field}"))
}

fn duplicate() -> Refused {
    let text = "The transaction you have submitted has already been processed.";
    Refused(StatusCode::CONFLICT, "5031", text.to_owned())
}

impl Paysafe {
    async fn serve(
        self: &Arc<Self>,
        operation: &str,
        call: Call,
        apply: impl FnOnce(&Arc<Self>, &Call) -> Result<Response, Refused> + Send + 'static,
    ) -> Response {
        let key = STANDARD.encode(format!("{}:{}", self.config.username, self.config.password));
        if call.header("authorization") != Some(format!("Basic {key}").as_str()) {
            self.till.desk.count("unauthorised");
            return error(StatusCode::UNAUTHORIZED, "5279", "The authentication credentials are invalid.");
        }
        let parameters = call.flat();
        let vendor = Arc::clone(self);
        let done = move || match apply(&vendor, &call) {
            Ok(response) => response,
            Err(Refused(status, code, message)) => error(status, code, &message),
        };
        let refuse = |refusal: &Refusal| {
            let code = refusal.code.as_deref().unwrap_or("3022");
            error(refusal.http_status(402), code, &refusal.text("The card has been declined."))
        };
        self.till.desk.serve(operation, || parameters, refuse, done).await
    }
}

fn text(body: &Value, name: &str) -> Result<String, Refused> {
    let text = body.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    text.map(str::to_owned).ok_or_else(|| field_error(name))
}

fn amount(body: &Value) -> Result<i64, Refused> {
    body.get("amount").and_then(Value::as_i64).filter(|amount| *amount > 0).ok_or_else(|| field_error("amount"))
}

pub(super) async fn create_handle(State(vendor): State<Arc<Paysafe>>, call: Call) -> Response {
    vendor.serve("create_handle", call, |vendor, call| handle(vendor, call.json.as_ref())).await
}

fn handle(vendor: &Paysafe, body: Option<&Value>) -> Result<Response, Refused> {
    let body = body.ok_or_else(|| field_error("body"))?;
    let merchant_ref = text(body, "merchantRefNum")?;
    if text(body, "transactionType")? != "PAYMENT" {
        return Err(field_error("transactionType"));
    }
    let payment_type = text(body, "paymentType")?;
    let wallet = payment_type.to_ascii_lowercase();
    if !["neteller", "skrill"].contains(&wallet.as_str()) {
        return Err(field_error("paymentType"));
    }
    if body.pointer(&format!("/{wallet}/consumerId")).and_then(Value::as_str).is_none() {
        return Err(field_error("consumerId"));
    }
    let links = body.get("returnLinks").and_then(Value::as_array).ok_or_else(|| field_error("returnLinks"))?;
    let back = links.iter().find(|link| link["rel"] == "default").and_then(|link| link["href"].as_str());
    let back = back.ok_or_else(|| field_error("returnLinks"))?;
    let mut book = lock(&vendor.till.book);
    if book.find(&Named::PaymentId(&merchant_ref)).is_some() {
        return Err(duplicate());
    }
    let made = Handle {
        id: vendor.till.ids.make(""),
        token: vendor.till.ids.make("PH"),
        merchant_ref,
        payment_type,
        amount: amount(body)?,
        currency: text(body, "currencyCode")?,
        status: "INITIATED",
        return_url: Some(back.to_owned()),
        time: vendor.now(),
        payment: None,
    };
    let object = made.object(&vendor.till.base_url);
    book.handles.push(made);
    Ok(reply::json(StatusCode::CREATED, &object))
}

pub(super) async fn list_handles(State(vendor): State<Arc<Paysafe>>, call: Call) -> Response {
    let list = |vendor: &Arc<Paysafe>, call: &Call| {
        let number = call.query("merchantRefNum").ok_or_else(|| field_error("merchantRefNum"))?;
        let book = lock(&vendor.till.book);
        let found: Vec<_> = book
            .find(&Named::PaymentId(number))
            .map(|handle| handle.object(&vendor.till.base_url))
            .into_iter()
            .collect();
        Ok(reply::ok(&json!({ "meta": { "numberOfRecords": found.len() }, "paymentHandles": found })))
    };
    vendor.serve("list_handles", call, list).await
}

pub(super) async fn create_payment(State(vendor): State<Arc<Paysafe>>, call: Call) -> Response {
    vendor.serve("create_payment", call, |vendor, call| payment(vendor, call.json.as_ref())).await
}

/// The money moves here, and the event that tells of it is on its way.
fn payment(vendor: &Arc<Paysafe>, body: Option<&Value>) -> Result<Response, Refused> {
    let body = body.ok_or_else(|| field_error("body"))?;
    let (merchant_ref, token) = (text(body, "merchantRefNum")?, text(body, "paymentHandleToken")?);
    let (amount, currency) = (amount(body)?, text(body, "currencyCode")?);
    let mut book = lock(&vendor.till.book);
    if book.find(&Named::PaymentId(&merchant_ref)).is_some_and(|handle| handle.payment.is_some()) {
        return Err(duplicate());
    }
    let known = book.handles.iter_mut().find(|handle| handle.token == token);
    let handle = known.ok_or_else(|| field_error("paymentHandleToken"))?;
    if handle.status != "PAYABLE" {
        let text = "The payment handle is not in a payable state.";
        return Err(Refused(StatusCode::BAD_REQUEST, "5283", text.to_owned()));
    }
    if (amount, &currency) != (handle.amount, &handle.currency) {
        return Err(field_error("amount"));
    }
    handle.status = "COMPLETED";
    handle.payment =
        Some(Payment { id: vendor.till.ids.make(""), amount, currency, status: "COMPLETED", time: vendor.now() });
    let handle = handle.clone();
    let event = acts::event(vendor, &handle, "PAYMENT_COMPLETED", handle.payment_object().unwrap_or_default());
    book.notifications.push(event.clone());
    drop(tokio::spawn(Arc::clone(&vendor.till.courier).deliver(vendor.route(), event, Plan::default())));
    Ok(reply::json(StatusCode::CREATED, &handle.payment_object().unwrap_or_default()))
}

pub(super) async fn list_payments(State(vendor): State<Arc<Paysafe>>, call: Call) -> Response {
    let list = |vendor: &Arc<Paysafe>, call: &Call| {
        let number = call.query("merchantRefNum").ok_or_else(|| field_error("merchantRefNum"))?;
        let book = lock(&vendor.till.book);
        let found: Vec<_> = book.find(&Named::PaymentId(number)).and_then(Handle::payment_object).into_iter().collect();
        Ok(reply::ok(&json!({ "meta": { "numberOfRecords": found.len() }, "payments": found })))
    };
    vendor.serve("list_payments", call, list).await
}

pub(super) async fn read_payment(State(vendor): State<Arc<Paysafe>>, Path(id): Path<String>, call: Call) -> Response {
    let read = move |vendor: &Arc<Paysafe>, _: &Call| {
        let book = lock(&vendor.till.book);
        let found = book.find(&Named::Reference(&id)).and_then(Handle::payment_object);
        found.filter(|payment| payment["id"] == id.as_str()).map(|payment| reply::ok(&payment)).ok_or_else(|| {
            Refused(
                StatusCode::NOT_FOUND,
                "5269",
                "The ID(s) specified in the URL do not correspond to the values in the system.".to_owned(),
            )
        })
    };
    vendor.serve("read_payment", call, read).await
}
