//! Accounts: create, list, read, change, book, link to a person.

use rust_decimal::Decimal;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Number, Value, json};

use super::book::{BONUS_IN, BONUS_OUT, Entry, Trader};
use super::{Ctrader, Outcome, Refused};
use crate::desk::lock;
use crate::request::Call;

/// Most rows of a list.
const CHUNK: usize = 100_000;
const ACCESS: [&str; 4] = ["FULL_ACCESS", "CLOSE_ONLY", "NO_TRADING", "NO_LOGIN"];
const ACCOUNT_TYPES: [&str; 3] = ["HEDGED", "NETTED", "SPREAD_BETTING"];
const MARGIN_TYPES: [&str; 3] = ["MAX", "SUM", "NET"];
const CONTACT: [&str; 10] = [
    "address",
    "city",
    "countryId",
    "documentId",
    "email",
    "phone",
    "state",
    "zipCode",
    "introducingBroker1",
    "introducingBroker2",
];
const LEVERAGE_CENTS: std::ops::RangeInclusive<i64> = 100..=200_000;

/// The body of a creation: names in this case only, and no others.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[expect(dead_code, reason = "what is taken and shows nowhere")]
struct NewTrader {
    access_rights: String,
    account_type: String,
    balance: i64,
    broker_name: String,
    deposit_currency: String,
    group_name: String,
    hashed_password: String,
    leverage_in_cents: i64,
    total_margin_calculation_type: String,
    #[serde(default)]
    contact_details: Map<String, Value>,
    #[serde(default)]
    name: String,
    #[serde(default)]
    last_name: String,
    #[serde(default)]
    description: String,
    is_limited_risk: Option<bool>,
    limited_risk_margin_calculation_strategy: Option<String>,
    max_leverage: Option<i64>,
    send_own_statement: Option<bool>,
    send_statement_to_broker: Option<bool>,
    swap_free: Option<bool>,
}

/// What a change may name.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Patch {
    access_rights: Option<String>,
    group_name: Option<String>,
    leverage_in_cents: Option<i64>,
    description: Option<String>,
    name: Option<String>,
    last_name: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[expect(dead_code, reason = "what is taken and shows nowhere")]
struct ChangeBalance {
    login: i64,
    precise_amount: Number,
    r#type: String,
    #[serde(default)]
    comment: String,
    #[serde(default)]
    external_note: String,
    #[serde(default)]
    external_id: String,
    source: Option<String>,
}

/// A JSON body under the content type for it, with the names of the protocol.
pub(super) fn body<T: DeserializeOwned>(call: &Call) -> Result<T, Refused> {
    let is_json = call.header("content-type").is_some_and(|kind| kind.starts_with("application/json"));
    if !is_json {
        return Err(Refused::invalid("Content-Type must be application/json"));
    }
    serde_json::from_slice(&call.body).map_err(|error| Refused::invalid(&error.to_string()))
}

fn is_md5(text: &str) -> bool {
    text.len() == 32 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

pub(super) fn create(server: &Ctrader, call: &Call) -> Outcome {
    let wanted: NewTrader = body(call)?;
    let one_of = |words: &[&str], word: &str| {
        words.contains(&word).then_some(()).ok_or_else(|| Refused::invalid("unknown value of an enum"))
    };
    one_of(&ACCESS, &wanted.access_rights)?;
    one_of(&ACCOUNT_TYPES, &wanted.account_type)?;
    one_of(&MARGIN_TYPES, &wanted.total_margin_calculation_type)?;
    if wanted.contact_details.keys().any(|name| !CONTACT.contains(&name.as_str())) {
        return Err(Refused::invalid("unknown contact detail"));
    }
    if wanted.contact_details.get("countryId").is_some_and(|id| !id.as_u64().is_some_and(|id| (4..=894).contains(&id)))
    {
        return Err(Refused::invalid("countryId"));
    }
    if !is_md5(&wanted.hashed_password) || wanted.balance < 0 {
        return Err(Refused::invalid("hashedPassword or balance"));
    }
    if wanted.broker_name != server.config.broker_name {
        return Err(Refused::code("CH_BROKER_NOT_FOUND"));
    }
    if !server.config.groups.contains(&wanted.group_name) {
        return Err(Refused::code("TRADER_GROUP_NOT_FOUND"));
    }
    if !LEVERAGE_CENTS.contains(&wanted.leverage_in_cents) {
        return Err(Refused::code("WRONG_LEVERAGE"));
    }
    let currency = server.config.currencies.iter().find(|(code, _)| *code == wanted.deposit_currency);
    let money_digits = currency.map(|(_, digits)| *digits).ok_or_else(|| Refused::code("UNKNOWN_DEPOSIT_CURRENCY"))?;
    let mut book = lock(&server.book);
    let login = book.next_login().ok_or_else(|| Refused::code("UNKNOWN_ERROR"))?;
    let trader = Trader {
        login,
        trader_id: book.number(),
        access: wanted.access_rights,
        account_type: wanted.account_type,
        broker: wanted.broker_name,
        currency: wanted.deposit_currency,
        money_digits,
        group: wanted.group_name,
        hashed_password: wanted.hashed_password,
        leverage_cents: wanted.leverage_in_cents,
        margin_type: wanted.total_margin_calculation_type,
        contact: wanted.contact_details,
        name: wanted.name,
        last_name: wanted.last_name,
        description: wanted.description,
        registered_ms: server.clock.now_ms(),
        balance: Decimal::new(wanted.balance, money_digits),
        bonus: Decimal::ZERO,
        used_margin: Decimal::ZERO,
        user_id: None,
    };
    let record = trader.record();
    book.traders.insert(login, trader);
    Ok(Some(record))
}

/// The newest first: a list that is too long for one answer goes on to what is older.
pub(super) fn list(server: &Ctrader, call: &Call) -> Outcome {
    let time = |name: &str| call.query(name).and_then(super::millis).ok_or_else(|| Refused::invalid("from and to"));
    let (from, to) = (time("from")?, time("to")?);
    let book = lock(&server.book);
    let mut within: Vec<_> =
        book.traders.values().filter(|trader| (from..to).contains(&trader.registered_ms)).collect();
    within.sort_by_key(|trader| std::cmp::Reverse((trader.registered_ms, trader.login)));
    let chunk = server.config.list_chunk.unwrap_or(CHUNK);
    let more = within.len() > chunk;
    let rows: Vec<_> = within.into_iter().take(chunk).map(Trader::record).collect();
    Ok(Some(json!({ "trader": rows, "hasMore": more })))
}

fn no_trader() -> Refused {
    Refused::code("TRADER_NOT_FOUND")
}

pub(super) fn get(server: &Ctrader, login: i64) -> Outcome {
    lock(&server.book).traders.get(&login).map(|trader| Some(trader.record())).ok_or_else(no_trader)
}

pub(super) fn patch(server: &Ctrader, call: &Call, login: i64) -> Outcome {
    let wanted: Patch = body(call)?;
    let mut book = lock(&server.book);
    let trader = book.traders.get_mut(&login).ok_or_else(no_trader)?;
    if wanted.access_rights.as_ref().is_some_and(|word| !ACCESS.contains(&word.as_str())) {
        return Err(Refused::invalid("accessRights"));
    }
    if wanted.group_name.as_ref().is_some_and(|name| !server.config.groups.contains(name)) {
        return Err(Refused::code("TRADER_GROUP_NOT_FOUND"));
    }
    if wanted.leverage_in_cents.is_some_and(|cents| !LEVERAGE_CENTS.contains(&cents)) {
        return Err(Refused::code("WRONG_LEVERAGE"));
    }
    let set = |slot: &mut String, wanted: Option<String>| {
        if let Some(wanted) = wanted {
            *slot = wanted;
        }
    };
    set(&mut trader.access, wanted.access_rights);
    set(&mut trader.group, wanted.group_name);
    set(&mut trader.description, wanted.description);
    set(&mut trader.name, wanted.name);
    set(&mut trader.last_name, wanted.last_name);
    trader.leverage_cents = wanted.leverage_in_cents.unwrap_or(trader.leverage_cents);
    Ok(None)
}

/// Books as often as it is asked: an `externalId` is kept and not compared.
pub(super) fn change_balance(server: &Ctrader, call: &Call, login: i64) -> Outcome {
    let wanted: ChangeBalance = body(call)?;
    let amount: Decimal = wanted.precise_amount.to_string().parse().map_err(|_| Refused::invalid("preciseAmount"))?;
    let kind = match wanted.r#type.as_str() {
        "DEPOSIT" => 0,
        "WITHDRAW" => 1,
        "DEPOSIT_NONWITHDRAWABLE_BONUS" => BONUS_IN,
        "WITHDRAW_NONWITHDRAWABLE_BONUS" => BONUS_OUT,
        _ => return Err(Refused::invalid("type")),
    };
    if wanted.login != login {
        return Err(Refused::invalid("login is not that of the path"));
    }
    let mut book = lock(&server.book);
    let trader = book.traders.get(&login).ok_or_else(no_trader)?;
    if amount <= Decimal::ZERO || amount.normalize().scale() > trader.money_digits {
        let is_bonus = matches!(kind, BONUS_IN | BONUS_OUT);
        return Err(Refused::code(if is_bonus { "CHANGE_BONUS_BAD_AMOUNT" } else { "CHANGE_BALANCE_BAD_AMOUNT" }));
    }
    let takes = matches!(kind, 1 | BONUS_OUT);
    let there = if kind == BONUS_OUT { trader.bonus } else { trader.balance };
    if takes && amount > there.min(trader.balance + trader.bonus - trader.used_margin) {
        return Err(Refused::code("NOT_ENOUGH_MONEY"));
    }
    let signed = if takes { -amount } else { amount };
    let entry = Entry {
        number: 0,
        trader_id: 0,
        kind,
        delta: 0,
        balance: 0,
        money_digits: 0,
        at_ms: server.clock.now_ms(),
        comment: wanted.comment,
        external_note: wanted.external_note,
        external_id: wanted.external_id,
    };
    let number = book.enter(login, signed, entry).ok_or_else(no_trader)?;
    Ok(Some(json!({ "balanceHistoryId": number })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Person {
    email: String,
    #[expect(dead_code, reason = "taken, and shows nowhere")]
    preferred_language: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Link {
    trader_login: i64,
    trader_password_hash: String,
    user_id: i64,
    broker_name: String,
    environment_name: String,
    #[expect(dead_code, reason = "taken, and shows nowhere")]
    return_account_details: Option<bool>,
}

/// One person a mail address.
pub(super) fn create_person(server: &Ctrader, call: &Call) -> Outcome {
    let wanted: Person = body(call)?;
    if !wanted.email.contains('@') {
        return Err(Refused::invalid("email"));
    }
    let mut book = lock(&server.book);
    let known = book.people.get(&wanted.email).copied();
    let user_id = known.unwrap_or_else(|| book.number());
    book.people.insert(wanted.email, user_id);
    Ok(Some(json!({ "userId": user_id })))
}

pub(super) fn link(server: &Ctrader, call: &Call) -> Outcome {
    let wanted: Link = body(call)?;
    if !["live", "demo"].contains(&wanted.environment_name.as_str()) {
        return Err(Refused::code("CTID_ENVIRONMENT_NOT_FOUND"));
    }
    if wanted.broker_name != server.config.broker_name {
        return Err(Refused::code("CH_BROKER_NOT_FOUND"));
    }
    let mut book = lock(&server.book);
    if !book.people.values().any(|id| *id == wanted.user_id) {
        return Err(Refused::invalid("userId"));
    }
    let trader = book.traders.get_mut(&wanted.trader_login).ok_or_else(no_trader)?;
    if trader.hashed_password != wanted.trader_password_hash {
        return Err(Refused::code("WRONG_PASSWORD"));
    }
    if trader.user_id.is_some() {
        return Err(Refused::code("TRADER_ALREADY_LINKED"));
    }
    trader.user_id = Some(wanted.user_id);
    let number = book.number();
    Ok(Some(json!({ "ctidTraderAccountId": number })))
}
