//! Balance operations.

use rust_decimal::{Decimal, RoundingStrategy};
use serde::Deserialize;
use serde_json::{Number, Value, json};

use crate::desk::lock;

use super::Mt4;
use super::book::{Book, CREDIT, Order, User};
use super::codes::Refused;

/// Bytes of a comment that are kept; the rest is cut without a word.
const COMMENT_BYTES_MAX: usize = 31;
/// The command that moves the balance.
pub(super) const BALANCE: &str = "Balance";

/// The transaction as the bridge takes it. A member that it does not have is refused.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Wanted {
    trade_transaction_type: Option<String>,
    trade_command: Option<String>,
    #[serde(rename = "tradeRequestFlags")]
    _trade_request_flags: Option<String>,
    #[serde(rename = "expiration")]
    _expiration: Option<String>,
    #[serde(rename = "order")]
    _order: Option<u64>,
    order_by: Option<u64>,
    #[serde(rename = "symbol")]
    _symbol: Option<String>,
    #[serde(rename = "volume")]
    _volume: Option<u64>,
    price: Option<Number>,
    #[serde(rename = "sl")]
    _sl: Option<Number>,
    #[serde(rename = "tp")]
    _tp: Option<Number>,
    #[serde(rename = "ieDeviation")]
    _ie_deviation: Option<i64>,
    comment: Option<String>,
    #[serde(rename = "crc")]
    _crc: Option<i64>,
}

pub(super) fn run(mt4: &Mt4, body: Option<&Value>) -> Result<Value, Refused> {
    let validation = |what: &str| Refused::bridge("Validation", what);
    let wanted: Wanted = body
        .ok_or_else(|| validation("the body is no JSON"))
        .and_then(|body| Wanted::deserialize(body).map_err(|error| validation(&error.to_string())))?;
    let is =
        |given: &Option<String>, name: &str| given.as_deref().is_some_and(|given| given.eq_ignore_ascii_case(name));
    let command = [BALANCE, CREDIT].into_iter().find(|command| is(&wanted.trade_command, command));
    let Some(command) = command.filter(|_| is(&wanted.trade_transaction_type, "BrBalance")) else {
        return Err(validation(
            "tradeTransactionType must be BrBalance and tradeCommand Balance or Credit: nothing else is simulated",
        ));
    };
    let login = wanted.order_by.ok_or_else(|| validation("orderBy is required"))?;
    let price = wanted.price.ok_or_else(|| validation("price is required"))?;
    let amount: Decimal = price.to_string().parse().map_err(|_| validation("price is no amount"))?;
    let comment = cut(wanted.comment.unwrap_or_default());
    let now_s = mt4.server_now_s();
    let mut book = lock(&mt4.book);
    let user = book.users.get(&login).ok_or_else(|| Refused::manager("InvalidData"))?;
    let amount = amount.round_dp_with_strategy(user.group.digits, RoundingStrategy::MidpointAwayFromZero);
    check_funds(user, command, amount)?;
    let order = book_balance(&mut book, login, command, amount, &comment, now_s)
        .ok_or_else(|| Refused::manager("InvalidData"))?;
    Ok(json!({
        "tradeTransactionType": "BrBalance", "tradeCommand": command, "tradeRequestFlags": "None", "order": order,
        "orderBy": login, "symbol": "", "volume": 0, "price": price, "sl": 0.0, "tp": 0.0, "ieDeviation": 0,
        "comment": comment, "crc": 0,
    }))
}

/// The longest beginning that fits, at a character's boundary.
fn cut(mut comment: String) -> String {
    comment.truncate(comment.floor_char_boundary(COMMENT_BYTES_MAX));
    comment
}

fn check_funds(user: &User, command: &str, amount: Decimal) -> Result<(), Refused> {
    if amount.is_zero() {
        return Err(Refused::manager("InvalidData"));
    }
    let free_margin = user.balance + user.credit + user.floating - user.margin;
    let there = if command == CREDIT { user.credit } else { user.balance };
    if amount.is_sign_negative() && (there + amount < Decimal::ZERO || free_margin + amount < Decimal::ZERO) {
        return Err(Refused::manager("TradeNoMoney"));
    }
    Ok(())
}

pub(super) fn book_balance(
    book: &mut Book,
    login: u64,
    command: &str,
    amount: Decimal,
    comment: &str,
    now_s: i64,
) -> Option<u64> {
    book.append(Order {
        number: 0,
        login,
        command: command.to_owned(),
        symbol: String::new(),
        volume: 0,
        open_s: now_s,
        close_s: now_s,
        open_price: Decimal::ZERO,
        close_price: Decimal::ZERO,
        profit: amount,
        commission: Decimal::ZERO,
        storage: Decimal::ZERO,
        comment: comment.to_owned(),
    })
}
