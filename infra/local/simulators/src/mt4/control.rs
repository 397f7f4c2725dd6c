//! What only this vendor's control routes do.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::post;
use http::StatusCode;
use rust_decimal::Decimal;
use serde::Deserialize;
use serde_json::json;

use crate::desk::lock;
use crate::payer::parse;
use crate::reply;
use crate::request::Call;

use super::Mt4;
use super::book::Order;

pub(super) fn routes(mt4: &Arc<Mt4>) -> Router {
    Router::new()
        .route("/_control/account", post(account))
        .route("/_control/orders", post(orders))
        .route("/_control/time", post(time))
        .route("/_control/logout", post(logout))
        .with_state(Arc::clone(mt4))
}

/// Open positions, as far as margin goes.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AccountState {
    login: u64,
    floating: Option<Decimal>,
    margin: Option<Decimal>,
}

async fn account(State(mt4): State<Arc<Mt4>>, call: Call) -> Response {
    let wanted: AccountState = match parse(&call.body) {
        Ok(wanted) => wanted,
        Err(response) => return *response,
    };
    match lock(&mt4.book).users.get_mut(&wanted.login) {
        Some(user) => {
            user.floating = wanted.floating.unwrap_or(user.floating);
            user.margin = wanted.margin.unwrap_or(user.margin);
            reply::ok(&user.record())
        }
        None => reply::control_error(StatusCode::NOT_FOUND, "no such login"),
    }
}

/// An order that was closed.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Closed {
    login: u64,
    /// `Buy` or `Sell`, as it was opened.
    command: String,
    symbol: String,
    /// 1/100 lot.
    volume: u64,
    #[serde(default)]
    open_price: Decimal,
    #[serde(default)]
    close_price: Decimal,
    #[serde(default)]
    profit: Decimal,
    #[serde(default)]
    commission: Decimal,
    #[serde(default)]
    storage: Decimal,
    #[serde(default)]
    comment: String,
    /// Seconds in the server's clock; absent: now.
    closed_s: Option<i64>,
}

async fn orders(State(mt4): State<Arc<Mt4>>, call: Call) -> Response {
    let wanted: Vec<Closed> = match parse(&call.body) {
        Ok(wanted) => wanted,
        Err(response) => return *response,
    };
    let now_s = mt4.server_now_s();
    let mut book = lock(&mt4.book);
    let numbers: Option<Vec<_>> = wanted
        .into_iter()
        .map(|closed| {
            let close_s = closed.closed_s.unwrap_or(now_s);
            book.append(Order {
                number: 0,
                login: closed.login,
                command: closed.command,
                symbol: closed.symbol,
                volume: closed.volume,
                open_s: close_s,
                close_s,
                open_price: closed.open_price,
                close_price: closed.close_price,
                profit: closed.profit,
                commission: closed.commission,
                storage: closed.storage,
                comment: closed.comment,
            })
        })
        .collect();
    match numbers {
        Some(numbers) => reply::ok(&json!({ "orders": numbers })),
        None => reply::control_error(StatusCode::NOT_FOUND, "no such login"),
    }
}

/// The server's clock is set, as at a switch of daylight saving time.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TimeChange {
    offset_s: i64,
}

async fn time(State(mt4): State<Arc<Mt4>>, call: Call) -> Response {
    let wanted: TimeChange = match parse(&call.body) {
        Ok(wanted) => wanted,
        Err(response) => return *response,
    };
    *lock(&mt4.offset_s) = wanted.offset_s;
    reply::ok(&json!({ "offset_s": wanted.offset_s }))
}

/// No token is good any more.
async fn logout(State(mt4): State<Arc<Mt4>>) -> Response {
    lock(&mt4.tokens).clear();
    reply::ok(&json!({ "logged_out": true }))
}
