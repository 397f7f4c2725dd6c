//! Balance operations and the history of deals.

use rust_decimal::{Decimal, RoundingStrategy};
use serde_json::{Map, Value, json};

use crate::desk::lock;
use crate::request::Call;

use super::book::{COMMENT_BYTES_MAX, Deal, NewDeal, User};
use super::retcode::Retcode;
use super::users::chosen_logins;
use super::{Mt5, Outcome, answer};

/// Rows of one page; a wish for more is cut without a word.
const PAGE_ROWS_MAX: usize = 100;
/// Largest amount of one operation.
const AMOUNT_MAX: Decimal = Decimal::from_parts(1_000_000_000, 0, 0, false, 0);
/// Deal reason: booked by a dealer.
const REASON_DEALER: u32 = 2;

pub(super) fn trade_balance(mt5: &Mt5, call: &Call) -> Outcome {
    let need = |query: &str, member: &str| call.argument(query, member).ok_or(Retcode::INVALID_PARAMETERS);
    let parse_failed = Retcode::INVALID_PARAMETERS;
    let login: u64 = need("login", "Login")?.parse().map_err(|_| parse_failed)?;
    let action: u32 = need("type", "Type")?.parse().map_err(|_| parse_failed)?;
    let amount: Decimal = need("balance", "Balance")?.parse().map_err(|_| parse_failed)?;
    if !(2..=6).contains(&action) {
        return Err(Retcode::INVALID_PARAMETERS);
    }
    if amount.abs() > AMOUNT_MAX {
        return Err(Retcode::MONEY_LIMIT);
    }
    let check_margin = call.argument("check_margin", "CheckMargin").as_deref() != Some("0");
    let comment = cut(call.argument("comment", "Comment").unwrap_or_default());
    let now_ms = mt5.server_now_ms();
    let book = &mut *lock(&mt5.book);
    let user = book.users.get_mut(&login).ok_or(Retcode::NOT_FOUND)?;
    let places = user.group.digits;
    let amount = amount.round_dp_with_strategy(places, RoundingStrategy::MidpointAwayFromZero);
    if amount.is_zero() {
        return Err(Retcode::INVALID_PARAMETERS);
    }
    check_funds(user, action, amount, check_margin)?;
    match action {
        3 => user.credit += amount,
        _ => user.balance += amount,
    }
    let deal = NewDeal { login, action, reason: REASON_DEALER, profit: amount, comment, ..NewDeal::default() };
    let ticket = book.append(deal, now_ms).ok_or(Retcode::NOT_FOUND)?;
    Ok(answer(json!({ "Ticket": ticket.to_string() })))
}

/// The longest beginning that fits, at a character's boundary.
fn cut(mut comment: String) -> String {
    comment.truncate(comment.floor_char_boundary(COMMENT_BYTES_MAX));
    comment
}

fn check_funds(user: &User, action: u32, amount: Decimal, check_margin: bool) -> Result<(), Retcode> {
    let too_much = match action {
        3 => user.credit + amount < Decimal::ZERO,
        2 => user.balance + amount < Decimal::ZERO,
        _ => false,
    };
    let beyond_margin = check_margin && user.free_margin() + amount < Decimal::ZERO;
    if amount.is_sign_negative() && (too_much || beyond_margin) {
        return Err(Retcode::NOT_ENOUGH_MONEY);
    }
    Ok(())
}

/// Both ends of `from` and `to` belong to the range; seconds in the server's clock.
struct Range {
    from: i64,
    to: i64,
}

impl Range {
    fn read(call: &Call) -> Result<Self, Retcode> {
        let end = |query: &str, member: &str, default: i64| match call.argument(query, member) {
            None => Ok(default),
            Some(text) => text.parse().map_err(|_| Retcode::INVALID_PARAMETERS),
        };
        Ok(Self { from: end("from", "From", 0)?, to: end("to", "To", i64::MAX)? })
    }

    fn holds(&self, deal: &Deal) -> bool {
        (self.from..=self.to).contains(&deal.time_s())
    }
}

fn login(call: &Call) -> Result<u64, Retcode> {
    call.argument("login", "Login").and_then(|text| text.parse().ok()).ok_or(Retcode::INVALID_PARAMETERS)
}

pub(super) fn total(mt5: &Mt5, call: &Call) -> Outcome {
    let (login, range) = (login(call)?, Range::read(call)?);
    let book = lock(&mt5.book);
    let user = book.users.get(&login).ok_or(Retcode::NOT_FOUND)?;
    let total = user.deals.iter().filter(|deal| range.holds(deal)).count();
    Ok(answer(json!({ "total": total.to_string() })))
}

pub(super) fn page(mt5: &Mt5, call: &Call) -> Outcome {
    let (login, range) = (login(call)?, Range::read(call)?);
    let count = |query: &str, member: &str, default: usize| {
        let text = call.argument(query, member);
        text.map_or(Ok(default), |text| text.parse().map_err(|_| Retcode::INVALID_PARAMETERS))
    };
    let offset = count("offset", "Offset", 0)?;
    let rows = count("total", "Total", PAGE_ROWS_MAX)?.min(PAGE_ROWS_MAX);
    let book = lock(&mt5.book);
    let user = book.users.get(&login).ok_or(Retcode::NOT_FOUND)?;
    let records: Vec<_> = user
        .deals
        .iter()
        .filter(|deal| range.holds(deal))
        .skip(offset)
        .take(rows)
        .map(|deal| deal.record(user.group.digits))
        .collect();
    Ok(answer(json!(records)))
}

pub(super) fn batch(mt5: &Mt5, call: &Call) -> Outcome {
    let book = lock(&mt5.book);
    let tickets = call.arguments("ticket", "Ticket");
    if !tickets.is_empty() {
        let records: Vec<Value> = tickets
            .iter()
            .filter_map(|text| book.deal(text.parse().ok()?))
            .map(|(user, deal)| deal.record(user.group.digits))
            .collect();
        return Ok(answer(json!(records)));
    }
    let range = Range::read(call)?;
    let symbol = call.argument("symbol", "Symbol");
    let logins = chosen_logins(&book, call);
    let users = logins.iter().filter_map(|login| book.users.get(login));
    let records: Vec<Value> = users
        .flat_map(|user| user.deals.iter().map(move |deal| (user, deal)))
        .filter(|(_, deal)| range.holds(deal))
        .filter(|(_, deal)| symbol.as_ref().is_none_or(|name| deal.what.symbol == *name))
        .map(|(user, deal)| deal.record(user.group.digits))
        .collect();
    Ok(answer(json!(records)))
}

pub(super) fn get(mt5: &Mt5, call: &Call) -> Outcome {
    let number =
        call.argument("ticket", "Ticket").and_then(|text| text.parse().ok()).ok_or(Retcode::INVALID_PARAMETERS)?;
    let book = lock(&mt5.book);
    let (user, deal) = book.deal(number).ok_or(Retcode::NOT_FOUND)?;
    let members: Map<String, Value> = answer(deal.record(user.group.digits));
    Ok(members)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comment_is_cut_at_31_bytes_and_never_inside_a_character() {
        assert_eq!(cut("x".repeat(40)).len(), 31);
        assert_eq!(cut("x".repeat(31)).len(), 31);
        let umlauts = cut("ä".repeat(20));
        assert_eq!(umlauts, "ä".repeat(15));
    }
}
