//! The merchant's calls: take an address, ask for a transaction.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use serde_json::{Value, json};

use crate::desk::lock;
use crate::fault::Refusal;
use crate::payer::Named;
use crate::reply;
use crate::request::Call;

use super::CoinsPaid;
use super::book::Address;
use super::signature::{HEADER, KEY_HEADER, sign};

/// An answer, or the member that is wrong and why.
type Answer = Result<Response, (&'static str, String)>;

fn errors(status: StatusCode, member: &str, text: &str) -> Response {
    reply::json(status, &json!({ "errors": { member: text } }))
}

impl CoinsPaid {
    async fn serve(self: &Arc<Self>, operation: &str, call: Call, apply: fn(&Self, &Value) -> Answer) -> Response {
        let signed = call.header(HEADER) == Some(sign(&self.config.secret_key, &call.body).as_str());
        if call.header(KEY_HEADER) != Some(self.config.public_key.as_str()) || !signed {
            self.till.desk.count("unauthorised");
            return reply::json(StatusCode::FORBIDDEN, &json!({ "error": "Bad key header", "code": "bad_header_key" }));
        }
        let vendor = Arc::clone(self);
        let body = call.json.clone().unwrap_or(Value::Null);
        let done = move || match apply(&vendor, &body) {
            Ok(response) => response,
            Err((member, text)) => errors(StatusCode::BAD_REQUEST, member, &text),
        };
        let refuse = |refusal: &Refusal| {
            errors(
                refusal.http_status(400),
                refusal.code.as_deref().unwrap_or("currency"),
                &refusal.text("Refused by script"),
            )
        };
        self.till.desk.serve(operation, || call.flat(), refuse, done).await
    }
}

pub(super) async fn take(State(vendor): State<Arc<CoinsPaid>>, call: Call) -> Response {
    vendor.serve("take_address", call, take_address).await
}

fn take_address(vendor: &CoinsPaid, body: &Value) -> Answer {
    let text = |name: &'static str| body.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    let need =
        |name: &'static str| text(name).map(str::to_owned).ok_or((name, format!("The {name} field is required.")));
    let currency = need("currency")?;
    if !vendor.config.coins.contains(&currency) {
        return Err(("currency", format!("Currency {currency} not found")));
    }
    let convert_to = text("convert_to").map(str::to_owned);
    if let Some(to) = convert_to.as_ref().filter(|to| !vendor.config.currencies.contains(to)) {
        return Err(("convert_to", format!("Currency {to} not found")));
    }
    let tag = (currency == "XRP").then(|| vendor.till.ids.number("tag").to_string());
    let asked = Address {
        id: vendor.till.ids.number("address"),
        address: vendor.till.ids.make("T"),
        tag,
        foreign_id: need("foreign_id")?,
        end_user_reference: Some(need("end_user_reference")?),
        currency,
        convert_to,
        deposits: Vec::new(),
    };
    let data = lock(&vendor.till.book).take(asked);
    Ok(reply::json(StatusCode::CREATED, &json!({ "data": data })))
}

pub(super) async fn withdraw(State(vendor): State<Arc<CoinsPaid>>, call: Call) -> Response {
    vendor.serve("withdraw", call, send_coins).await
}

/// Coins leave at once, and whether they arrived is told later: the withdrawal stays `processing`.
fn send_coins(vendor: &CoinsPaid, body: &Value) -> Answer {
    let text = |name: &'static str| body.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    let need =
        |name: &'static str| text(name).map(str::to_owned).ok_or((name, format!("The {name} field is required.")));
    let (foreign_id, amount, currency) = (need("foreign_id")?, need("amount")?, need("currency")?);
    let (address, coin) = (need("address")?, text("convert_to").map_or_else(|| currency.clone(), str::to_owned));
    if !vendor.config.coins.contains(&coin) {
        return Err(("convert_to", format!("Currency {coin} not found")));
    }
    if !amount.parse::<rust_decimal::Decimal>().is_ok_and(|amount| amount > rust_decimal::Decimal::ZERO) {
        return Err(("amount", "The amount must be a positive number.".to_owned()));
    }
    let mut book = lock(&vendor.till.book);
    let known = book.withdrawals.iter().any(|sent| sent.get("foreign_id").and_then(Value::as_str) == Some(&foreign_id));
    if known {
        return Err(("foreign_id", "The foreign id has already been taken.".to_owned()));
    }
    let kind = if coin == currency { "withdrawal" } else { "withdrawal_exchange" };
    let data = json!({
        "id": vendor.till.ids.number("withdrawal"), "foreign_id": foreign_id, "type": kind, "status": "processing",
        "amount": amount, "sender_amount": amount, "sender_currency": currency, "receiver_amount": amount,
        "receiver_currency": coin, "address": address,
    });
    book.withdrawals.push(data.clone());
    Ok(reply::json(StatusCode::CREATED, &json!({ "data": data })))
}

pub(super) async fn info(State(vendor): State<Arc<CoinsPaid>>, call: Call) -> Response {
    vendor.serve("transaction_info", call, transaction_info).await
}

fn transaction_info(vendor: &CoinsPaid, body: &Value) -> Answer {
    let foreign_id = body.get("foreign_id").and_then(Value::as_str);
    let id = body.get("id").and_then(Value::as_u64).map(|id| id.to_string());
    let name = match (foreign_id, &id) {
        (Some(foreign_id), None) => Named::PaymentId(foreign_id),
        (None, Some(id)) => Named::Reference(id),
        _ => return Err(("id", "Exactly one of id and foreign_id is required.".to_owned())),
    };
    let book = lock(&vendor.till.book);
    let sent = book
        .withdrawals
        .iter()
        .find(|sent| foreign_id.is_some_and(|id| sent.get("foreign_id").and_then(Value::as_str) == Some(id)));
    if let Some(sent) = sent {
        return Ok(reply::ok(sent));
    }
    let found = book.find(&name).and_then(|address| {
        let wanted = |deposit: &&super::book::Deposit| id.as_ref().is_none_or(|id| deposit.id.to_string() == *id);
        Some(address.callback(address.deposits.iter().rev().find(wanted)?))
    });
    Ok(match found {
        Some(callback) => reply::ok(&callback),
        None => errors(StatusCode::NOT_FOUND, "foreign_id", "Transaction not found"),
    })
}
