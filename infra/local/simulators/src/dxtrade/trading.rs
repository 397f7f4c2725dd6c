//! The trading API, as far as it reads: transfers and closed orders.

use axum::response::Response;
use rust_decimal::Decimal;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::book::number;
use super::{Dxtrade, Refused};
use crate::desk::lock;
use crate::reply;
use crate::request::Call;

/// Most rows of an answer, whatever is asked for.
const ROWS_MAX: usize = 100;

fn utc(millis: i64) -> String {
    let time = jiff::Timestamp::from_millisecond(millis).unwrap_or_default();
    time.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}

/// `YYYY-MM-DDTHH:MM:SS.mmmZ` and nothing else.
fn millis(call: &Call, name: &str) -> Result<i64, Refused> {
    let bad = || Refused::new(400, 100, name);
    let text = call.query(name).filter(|text| text.len() == 24 && text.ends_with('Z')).ok_or_else(bad)?;
    text.parse::<jiff::Timestamp>().map(jiff::Timestamp::as_millisecond).map_err(|_| bad())
}

fn limit(call: &Call) -> usize {
    call.query("limit").and_then(|text| text.parse().ok()).unwrap_or(ROWS_MAX).min(ROWS_MAX)
}

fn code<'a>(server: &Dxtrade, account: &'a str) -> Result<&'a str, Refused> {
    let (clearing_code, code) = account.split_once(':').ok_or_else(|| Refused::new(404, 20, "account"))?;
    (clearing_code == server.config.clearing_code).then_some(code).ok_or_else(|| Refused::new(404, 20, "account"))
}

pub(super) fn transfers(server: &Dxtrade, call: &Call, name: &str) -> Result<Response, Refused> {
    let (from, to) = (millis(call, "time-from")?, millis(call, "time-to")?);
    let kinds: Vec<&str> = call.query("of-type").map(|kinds| kinds.split(',').collect()).unwrap_or_default();
    let book = lock(&server.book);
    let account = book.accounts.get(code(server, name)?).ok_or_else(|| Refused::new(404, 20, "account"))?;
    let wanted = account.transfers.iter().rev().filter(|transfer| {
        (from..=to).contains(&transfer.at_ms) && (kinds.is_empty() || kinds.contains(&transfer.kind))
    });
    let rows: Vec<_> = wanted
        .take(limit(call))
        .map(|transfer| {
            let signed = if transfer.kind == "DEPOSIT" { transfer.amount } else { -transfer.amount };
            json!({
                "account": name,
                "version": 1,
                "transferCode": transfer.code,
                "comment": transfer.description,
                "transactionTime": utc(transfer.at_ms),
                "cashTransactions": [{
                    "account": name,
                    "transactionCode": format!("{}-1", transfer.code),
                    "type": transfer.kind,
                    "value": number(signed),
                    "currency": account.currency,
                    "transactionTime": utc(transfer.at_ms),
                }],
            })
        })
        .collect();
    Ok(reply::ok(&json!({ "cashTransfers": rows })))
}

pub(super) fn orders(server: &Dxtrade, call: &Call, name: &str) -> Result<Response, Refused> {
    let (from, to) = (millis(call, "transaction-from")?, millis(call, "transaction-to")?);
    let book = lock(&server.book);
    let account = book.accounts.get(code(server, name)?).ok_or_else(|| Refused::new(404, 20, "account"))?;
    let time = |order: &Value| {
        let text = order.get("transactionTime").and_then(Value::as_str)?;
        text.parse::<jiff::Timestamp>().ok().map(jiff::Timestamp::as_millisecond)
    };
    let within: Vec<_> =
        account.orders.iter().rev().filter(|order| time(order).is_some_and(|at| (from..=to).contains(&at))).collect();
    let limit = limit(call);
    let mut answer = Map::from_iter([("orders".to_owned(), json!(within.iter().take(limit).collect::<Vec<_>>()))]);
    if let Some(next) = within.get(limit).and_then(|order| order.get("transactionTime")) {
        answer.insert("nextPageTransactionTime".to_owned(), next.clone());
    }
    Ok(reply::ok(&Value::Object(answer)))
}

/// One position stands for all that hold something.
pub(super) fn positions(server: &Dxtrade, name: &str) -> Result<Response, Refused> {
    let book = lock(&server.book);
    let account = book.accounts.get(code(server, name)?).ok_or_else(|| Refused::new(404, 20, "account"))?;
    let one = json!({ "account": name, "version": 1, "positionCode": "P1", "symbol": "EUR/USD", "side": "BUY", "quantity": 10_000 });
    let open: Vec<Value> = (!account.held.is_zero()).then_some(one).into_iter().collect();
    Ok(reply::ok(&json!({ "positions": open })))
}

/// `POST /_control/trades`: a position that was opened and closed.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NewTrade {
    account: String,
    instrument: String,
    /// Of the position: `BUY` or `SELL`.
    side: String,
    quantity: Decimal,
    open_price: Decimal,
    close_price: Decimal,
    profit: Decimal,
    #[serde(default)]
    commission: Decimal,
    #[serde(default)]
    financing: Decimal,
}

/// Books the result and gives the number of the closing order.
pub(super) fn trade(server: &Dxtrade, wanted: &NewTrade) -> Option<u64> {
    let now = server.clock.now_ms();
    let name = format!("{}:{}", server.config.clearing_code, wanted.account);
    let mut book = lock(&server.book);
    let (position, opening, closing) = (book.number(), book.number(), book.number());
    let account = book.accounts.get_mut(&wanted.account)?;
    account.balance += wanted.profit + wanted.commission + wanted.financing;
    let opposite = if wanted.side == "BUY" { "SELL" } else { "BUY" };
    let order = |number: u64, effect: &str, side: &str, price: Decimal, at_ms: i64, cash: &Value| {
        json!({
            "account": name,
            "version": 1,
            "orderId": number,
            "orderCode": number.to_string(),
            "type": "MARKET",
            "instrument": wanted.instrument,
            "status": "COMPLETED",
            "finalStatus": true,
            "side": side,
            "tif": "GTC",
            "legs": [{
                "instrument": wanted.instrument,
                "positionEffect": effect,
                "positionCode": position.to_string(),
                "price": 0,
                "quantity": self::number(wanted.quantity),
                "filledQuantity": self::number(wanted.quantity),
                "averagePrice": self::number(price),
            }],
            "transactionTime": utc(at_ms),
            "cashTransactions": cash,
        })
    };
    let cash = |kind: &str, value: Decimal| json!({"account": name, "type": kind, "value": self::number(value), "currency": account.currency});
    let settled = json!([
        cash("SETTLEMENT", wanted.profit),
        cash("COMMISSION", wanted.commission),
        cash("FINANCING", wanted.financing),
    ]);
    account.orders.push(order(opening, "OPEN", &wanted.side, wanted.open_price, now - 60_000, &json!([])));
    account.orders.push(order(closing, "CLOSE", opposite, wanted.close_price, now, &settled));
    Some(closing)
}
