//! The payment page's address and the one call of the merchant.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use http::{HeaderValue, StatusCode, header};
use serde_json::{Value, json};

use crate::desk::lock;
use crate::fault::Refusal;
use crate::payer::Named;
use crate::reply;
use crate::request::Call;

use super::Nuvei;
use super::acts::Order;
use super::signature::sha256;

/// What the page needs to be told.
const REQUIRED: [&str; 11] = [
    "merchant_id",
    "merchant_site_id",
    "total_amount",
    "currency",
    "user_token_id",
    "item_name_1",
    "item_amount_1",
    "item_quantity_1",
    "merchant_unique_id",
    "time_stamp",
    "version",
];

/// "No transaction details returned for the provided ID."
const NOTHING_YET: i64 = 9146;

/// A payer comes to the page.
pub(super) async fn purchase(State(nuvei): State<Arc<Nuvei>>, call: Call) -> Response {
    nuvei.till.desk.count("purchase");
    match arrive(&nuvei, &call) {
        Ok(id) => {
            let mut response = reply::plain(StatusCode::SEE_OTHER, "");
            if let Ok(page) = HeaderValue::from_str(&format!("{}/pay/{id}", nuvei.till.base_url)) {
                response.headers_mut().insert(header::LOCATION, page);
            }
            response
        }
        Err(why) => reply::plain(StatusCode::BAD_REQUEST, why),
    }
}

/// The number of the order: a new one, or the one of an earlier visit.
fn arrive(nuvei: &Nuvei, call: &Call) -> Result<String, String> {
    let need = |name: &str| call.query(name).filter(|value| !value.is_empty()).ok_or(format!("{name} is missing"));
    for name in REQUIRED {
        need(name)?;
    }
    let signed: String =
        call.query.iter().filter(|(name, _)| name != "checksum").map(|(_, value)| value.as_str()).collect();
    if need("checksum")? != sha256(&[&nuvei.config.secret_key, &signed]) {
        return Err("checksum is wrong".to_owned());
    }
    if need("merchant_id")? != nuvei.config.merchant_id || need("merchant_site_id")? != nuvei.config.merchant_site_id {
        return Err("merchant is unknown".to_owned());
    }
    let amount = need("total_amount")?;
    if need("item_amount_1")? != amount || need("item_quantity_1")? != "1" {
        return Err("the items are not the total".to_owned());
    }
    let positive = amount.parse::<rust_decimal::Decimal>().is_ok_and(|amount| amount > rust_decimal::Decimal::ZERO);
    let currency = need("currency")?;
    if !positive || currency.len() != 3 || !currency.bytes().all(|b| b.is_ascii_uppercase()) {
        return Err("amount or currency is wrong".to_owned());
    }
    let payment_id = need("merchant_unique_id")?;
    let book = &mut *lock(&nuvei.till.book);
    if let Some(known) = book.find(&Named::PaymentId(payment_id)) {
        return Ok(known.id.clone());
    }
    let id = nuvei.till.ids.number("order").to_string();
    let order = Order::new(id.clone(), payment_id.to_owned(), amount.to_owned(), currency, call.query("success_url"));
    book.add(payment_id, &id, order);
    Ok(id)
}

pub(super) async fn details(State(nuvei): State<Arc<Nuvei>>, call: Call) -> Response {
    let text = |name: &str| call.json.as_ref().and_then(|body| body.get(name)).and_then(Value::as_str).unwrap_or("");
    let (merchant, site) = (text("merchantId"), text("merchantSiteId"));
    let numbers = [text("transactionId"), text("clientUniqueId")];
    let expected = sha256(&[merchant, site, &numbers.concat(), text("timeStamp"), &nuvei.config.secret_key]);
    let time = text("timeStamp");
    let wrong = match () {
        () if merchant != nuvei.config.merchant_id => Some((1013, "Invalid merchant ID")),
        () if site != nuvei.config.merchant_site_id => Some((1022, "Invalid merchant site ID")),
        () if time.len() != 14 || !time.bytes().all(|b| b.is_ascii_digit()) => Some((1021, "Invalid timestamp")),
        () if text("checksum") != expected => Some((1001, "Invalid checksum")),
        () => None,
    };
    if let Some((code, reason)) = wrong {
        nuvei.till.desk.count("unauthorised");
        return error(StatusCode::OK, code, reason);
    }
    let [number, ours] = numbers.map(str::to_owned);
    let vendor = Arc::clone(&nuvei);
    let find = move || match found(&vendor, &number, &ours) {
        Some(details) => reply::ok(&details),
        None => error(StatusCode::OK, NOTHING_YET, "No transaction details returned for the provided ID"),
    };
    let refuse = |refusal: &Refusal| {
        error(refusal.http_status(200), refusal.retcode.unwrap_or(1035), &refusal.text("Refused by script"))
    };
    nuvei.till.desk.serve("transaction_details", || call.flat(), refuse, find).await
}

fn error(status: StatusCode, code: i64, reason: &str) -> Response {
    reply::json(status, &json!({"status": "ERROR", "errCode": code, "reason": reason, "version": "1.0"}))
}

/// A transaction by its own number, else the payer's last one; nothing where both are given and do not fit.
fn found(nuvei: &Nuvei, number: &str, ours: &str) -> Option<Value> {
    let book = lock(&nuvei.till.book);
    let name = if number.is_empty() { Named::PaymentId(ours) } else { Named::Reference(number) };
    let order = book.find(&name)?;
    if !ours.is_empty() && order.payment_id != ours {
        return None;
    }
    let transaction = if number.is_empty() { order.payers() } else { order.transaction(number) }?;
    Some(json!({
        "status": "SUCCESS", "errCode": 0, "reason": "", "version": "1.0", "clientUniqueId": order.payment_id,
        "clientRequestId": "", "transactionDetails": transaction.details(),
    }))
}
