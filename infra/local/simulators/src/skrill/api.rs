//! The merchant's calls: prepare a session, query a transaction.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use rust_decimal::Decimal;
use serde_json::json;

use crate::desk::lock;
use crate::fault::Refusal;
use crate::payer::Named;
use crate::reply;
use crate::request::Call;

use super::Skrill;
use super::book::Payment;
use super::signature::{hash, md5sig};

/// Longest number of a merchant's.
const TRANSACTION_ID_CHARS_MAX: usize = 100;

/// An error of the gateway.
fn error(status: StatusCode, message: &str) -> Response {
    let code = status.canonical_reason().unwrap_or("Error").to_ascii_uppercase().replace(' ', "_");
    reply::json(status, &json!({ "code": code, "message": message }))
}

/// `POST /` with `prepare_only=1`.
pub(super) async fn prepare(skrill: &Arc<Skrill>, call: Call) -> Response {
    if call.form("pay_to_email") != Some(skrill.config.merchant_email.as_str()) {
        skrill.till.desk.count("unauthorised");
        return error(StatusCode::BAD_REQUEST, "Merchant is not known");
    }
    let parameters = call.flat();
    let vendor = Arc::clone(skrill);
    let done = move || match asked(&vendor, &call) {
        Ok(payment) => {
            let session = vendor.till.ids.hex32("sid");
            match lock(&vendor.till.book).prepare(payment, session.clone()) {
                true => reply::plain(StatusCode::OK, session),
                false => error(StatusCode::BAD_REQUEST, "transaction_id was used with another amount"),
            }
        }
        Err(message) => error(StatusCode::BAD_REQUEST, &message),
    };
    let refuse = |refusal: &Refusal| error(refusal.http_status(400), &refusal.text("Refused by script"));
    skrill.till.desk.serve("prepare", || parameters, refuse, done).await
}

fn asked(skrill: &Skrill, call: &Call) -> Result<Payment, String> {
    let need = |name: &str| {
        let value = call.form(name).filter(|value| !value.is_empty());
        value.map(str::to_owned).ok_or_else(|| format!("{name} is required"))
    };
    if need("prepare_only")? != "1" {
        return Err("prepare_only must be 1".to_owned());
    }
    let transaction_id = need("transaction_id")?;
    if transaction_id.chars().count() > TRANSACTION_ID_CHARS_MAX {
        return Err("transaction_id is longer than 100 characters".to_owned());
    }
    let amount = need("amount")?;
    let positive = amount.parse::<Decimal>().is_ok_and(|amount| amount > Decimal::ZERO);
    if !positive || amount.ends_with(".00") {
        return Err("amount must be a positive number, whole ones without zeros at the end".to_owned());
    }
    let currency = need("currency")?;
    if currency.len() != 3 || !currency.bytes().all(|byte| byte.is_ascii_uppercase()) {
        return Err("currency must be three upper-case letters".to_owned());
    }
    let held = skrill.config.currencies.iter();
    let mb_currency = held.clone().find(|held| **held == currency).or_else(|| held.clone().next());
    Ok(Payment {
        transaction_id,
        mb_transaction_id: skrill.till.ids.number("mb").to_string(),
        mb_amount: amount.clone(),
        mb_currency: mb_currency.cloned().unwrap_or_default(),
        amount,
        currency,
        payer: call.form("pay_from_email").unwrap_or("payer@example.com").to_owned(),
        return_url: call.form("return_url").map(str::to_owned),
        told: call.form("status_url").is_some_and(|url| url.starts_with("http")),
        status: None,
    })
}

/// The query interface: everything is HTTP 200, and the number in the first line says how it went.
pub(super) async fn query(State(skrill): State<Arc<Skrill>>, call: Call) -> Response {
    let get = |name: &str| call.query(name).or_else(|| call.form(name)).unwrap_or_default().to_owned();
    let line = |code: u16, words: &str| reply::plain(StatusCode::OK, format!("{code}\t\t{words}"));
    let password = hash(&skrill.config.query_password);
    if get("email") != skrill.config.merchant_email || !get("password").eq_ignore_ascii_case(&password) {
        skrill.till.desk.count("unauthorised");
        return line(401, "Cannot login");
    }
    let (action, number) = (get("action"), [get("trn_id"), get("mb_trn_id")].concat());
    let vendor = Arc::clone(&skrill);
    let done = move || {
        if action != "status_trn" {
            return line(402, "Unknown action");
        }
        if number.is_empty() {
            return line(404, "Missing parameter: trn_id");
        }
        if let Some(payout) = lock(&vendor.payouts).report(&vendor, &number) {
            return reply::plain(StatusCode::OK, format!("200\t\tOK\n{payout}\n"));
        }
        let book = lock(&vendor.till.book);
        let found = book.find(&Named::PaymentId(&number)).filter(|payment| payment.status.is_some());
        match found {
            Some(payment) => reply::plain(StatusCode::OK, format!("200\t\tOK\n{}\n", report(&vendor, payment))),
            None => line(403, &format!("Transaction not found: {number}")),
        }
    };
    let refuse = |refusal: &Refusal| match refusal.status {
        Some(_) => reply::plain(refusal.http_status(503), refusal.text("Service unavailable")),
        None => line(405, &refusal.text("Illegal parameter value")),
    };
    skrill.till.desk.serve("query", || call.flat(), refuse, done).await
}

fn report(skrill: &Skrill, payment: &Payment) -> String {
    let mut fields = payment.fields(&skrill.config.merchant_email, &skrill.config.merchant_id);
    fields.push(("md5sig".to_owned(), md5sig(&fields, &skrill.config.secret_word)));
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()
}
