//! The merchant sends money: prepare a session, and transfer it.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use http::header::{CONTENT_TYPE, HeaderValue};
use rust_decimal::Decimal;
use serde_json::{Value, json};

use crate::desk::lock;
use crate::fault::Refusal;
use crate::reply;
use crate::request::Call;

use super::Skrill;
use super::signature::hash;

/// Money on its way to a wallet.
#[derive(Debug, Clone)]
struct Payout {
    session: String,
    frn_trn_id: String,
    id: String,
    amount: String,
    currency: String,
    to: String,
    sent: bool,
}

/// Everything that was prepared.
#[derive(Debug, Default)]
pub(super) struct Payouts(Vec<Payout>);

impl Payouts {
    /// For the state route: what was sent.
    pub(super) fn describe(&self, only: Option<&str>) -> Vec<Value> {
        let sent = self.0.iter().filter(|payout| payout.sent && only.is_none_or(|id| id == payout.frn_trn_id));
        let describe = |payout: &Payout| {
            json!({
                "frn_trn_id": payout.frn_trn_id, "id": payout.id, "amount": payout.amount, "currency": payout.currency,
                "to": payout.to,
            })
        };
        sent.map(describe).collect()
    }

    /// What the query interface tells of one.
    pub(super) fn report(&self, skrill: &Skrill, number: &str) -> Option<String> {
        let payout = self
            .0
            .iter()
            .find(|payout| payout.sent && [&payout.frn_trn_id, &payout.id].iter().any(|own| *own == number))?;
        let fields = [
            ("merchant_id", skrill.config.merchant_id.as_str()),
            ("transaction_id", &payout.frn_trn_id),
            ("mb_transaction_id", &payout.id),
            ("mb_amount", &payout.amount),
            ("mb_currency", &payout.currency),
            ("status", "2"),
        ];
        Some(url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish())
    }
}

fn xml(inner: &str) -> Response {
    let mut response = reply::plain(StatusCode::OK, format!("<?xml version=\"1.0\"?><response>{inner}</response>"));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/xml"));
    response
}

fn error(code: &str) -> Response {
    xml(&format!("<error><error_msg>{code}</error_msg></error>"))
}

/// `GET /app/pay.pl`.
pub(super) async fn pay(State(skrill): State<Arc<Skrill>>, call: Call) -> Response {
    let action = call.query("action").unwrap_or_default().to_owned();
    let operation = if action == "transfer" { "transfer" } else { "prepare_payout" };
    let vendor = Arc::clone(&skrill);
    let parameters = call.flat();
    let done = move || {
        let done = match action.as_str() {
            "prepare" => prepare(&vendor, &call),
            "transfer" => transfer(&vendor, &call),
            _ => Err("INVALID_ACTION"),
        };
        done.map_or_else(error, |inner| xml(&inner))
    };
    let refuse = |refusal: &Refusal| match refusal.status {
        Some(_) => reply::plain(refusal.http_status(503), refusal.text("Service unavailable")),
        None => error(refusal.code.as_deref().unwrap_or("BALANCE_NOT_ENOUGH")),
    };
    skrill.till.desk.serve(operation, || parameters, refuse, done).await
}

fn prepare(skrill: &Skrill, call: &Call) -> Result<String, &'static str> {
    let get = |name: &str| call.query(name).filter(|value| !value.is_empty()).map(str::to_owned);
    let password = get("password").unwrap_or_default();
    if get("email").as_ref() != Some(&skrill.config.merchant_email)
        || !password.eq_ignore_ascii_case(&hash(&skrill.config.query_password))
    {
        return Err("CANNOT_LOGIN");
    }
    let amount = get("amount").ok_or("MISSING_AMOUNT")?;
    if !amount.parse::<Decimal>().is_ok_and(|amount| amount > Decimal::ZERO) {
        return Err("INVALID_AMOUNT");
    }
    let currency = get("currency").ok_or("MISSING_CURRENCY")?;
    let to = get("bnf_email").filter(|email| email.contains('@')).ok_or("INVALID_BNF_EMAIL")?;
    if get("subject").is_none() || get("note").is_none() {
        return Err("MISSING_SUBJECT");
    }
    let payout = Payout {
        session: skrill.till.ids.hex32("payout"),
        frn_trn_id: get("frn_trn_id").unwrap_or_default(),
        id: skrill.till.ids.number("mb").to_string(),
        amount,
        currency,
        to,
        sent: false,
    };
    let answer = format!("<sid>{}</sid>", payout.session);
    lock(&skrill.payouts).0.push(payout);
    Ok(answer)
}

fn transfer(skrill: &Skrill, call: &Call) -> Result<String, &'static str> {
    let session = call.query("sid").unwrap_or_default();
    let mut payouts = lock(&skrill.payouts);
    let payout = payouts.0.iter_mut().find(|payout| payout.session == session).ok_or("SESSION_EXPIRED")?;
    if std::mem::replace(&mut payout.sent, true) {
        return Err("SESSION_EXPIRED");
    }
    Ok(format!(
        "<transaction><amount>{}</amount><currency>{}</currency><id>{}</id><status>2</status><status_msg>processed</status_msg></transaction>",
        payout.amount, payout.currency, payout.id
    ))
}
