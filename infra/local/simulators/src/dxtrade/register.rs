//! The register API: clients, accounts, categories, money.

use std::collections::BTreeMap;

use axum::response::Response;
use http::{HeaderValue, StatusCode, header};
use rust_decimal::Decimal;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Number, Value, json};

use super::book::{Account, Client, Transfer, number};
use super::{Dxtrade, Refused};
use crate::desk::lock;
use crate::reply;
use crate::request::Call;

const CLIENT: [&str; 22] = [
    "domain",
    "login",
    "password",
    "email",
    "fullName",
    "brokerCode",
    "type",
    "status",
    "accounts",
    "groups",
    "phone",
    "birthDate",
    "citizenship",
    "company",
    "location",
    "document",
    "comments",
    "userMetadata",
    "passwordExpiry",
    "passwordReset",
    "dxFeedAccountId",
    "address",
];
const STATUSES: [&str; 5] = ["FULL_TRADING", "CLOSE_ONLY", "NO_TRADING", "TERMINATED", "EXPIRED"];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Category {
    category: String,
    value: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[expect(dead_code, reason = "what is taken and shows nowhere")]
struct NewAccount {
    clearing_code: String,
    account_code: String,
    broker_code: String,
    r#type: String,
    status: String,
    account_cash_type: String,
    account_type: String,
    currency: String,
    balance: Option<Number>,
    credit: Option<Number>,
    expiration_date: Option<String>,
    #[serde(default)]
    categories: Vec<Category>,
    #[serde(default)]
    metadata: Map<String, Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[expect(dead_code, reason = "what is taken and shows nowhere")]
struct AccountChange {
    expiration_date: Option<String>,
    status: Option<String>,
    credit: Option<Number>,
    metadata: Option<Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CategoryValue {
    value: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Money {
    currency: String,
    amount: Number,
    #[serde(default)]
    description: String,
}

fn body<T: DeserializeOwned>(call: &Call) -> Result<T, Refused> {
    if !call.header("content-type").is_some_and(|kind| kind.starts_with("application/json")) {
        return Err(Refused::new(415, 415, "content type"));
    }
    serde_json::from_slice(&call.body).map_err(|error| Refused::new(400, 100, &error.to_string()))
}

fn no_account() -> Refused {
    Refused::new(404, 20, "account not found")
}

fn read_account(server: &Dxtrade, wanted: NewAccount) -> Result<Account, Refused> {
    let config = &server.config;
    let fits = wanted.clearing_code == config.clearing_code
        && wanted.broker_code == config.broker_code
        && ["CLIENT", "OFFSET", "REFERENCE"].contains(&wanted.r#type.as_str())
        && ["MARGIN", "CASH"].contains(&wanted.account_cash_type.as_str())
        && ["DEMO", "LIVE"].contains(&wanted.account_type.as_str())
        && STATUSES.contains(&wanted.status.as_str())
        && config.currencies.contains(&wanted.currency)
        && !wanted.account_code.is_empty();
    if !fits {
        return Err(Refused::new(400, 101, "account"));
    }
    let mut categories = BTreeMap::new();
    for category in wanted.categories {
        known_category(server, &category.category, &category.value)?;
        categories.insert(category.category, category.value);
    }
    Ok(Account {
        code: wanted.account_code,
        status: wanted.status,
        account_type: wanted.account_type,
        currency: wanted.currency,
        balance: Decimal::ZERO,
        held: Decimal::ZERO,
        categories,
        metadata: wanted.metadata,
        transfers: Vec::new(),
        orders: Vec::new(),
    })
}

fn known_category(server: &Dxtrade, domain: &str, value: &str) -> Result<(), Refused> {
    let known = match domain {
        "Trading" => server.config.groups.iter().any(|group| group == value),
        "Margining" => value.strip_prefix("leverage-").is_some_and(|number| number.parse::<u32>().is_ok_and(|n| n > 0)),
        _ => false,
    };
    known.then_some(()).ok_or_else(|| Refused::new(404, 22, "no such category"))
}

/// A client with his accounts: all of it or nothing.
pub(super) fn create_client(server: &Dxtrade, call: &Call) -> Result<Response, Refused> {
    let mut wanted: Map<String, Value> = body(call)?;
    check_client(server, &wanted)?;
    let text = |name: &str| wanted.get(name).and_then(Value::as_str).map(str::to_owned);
    let login = text("login").filter(|login| !login.is_empty()).ok_or_else(|| Refused::new(400, 102, "login"))?;
    let password = text("password").filter(|password| password.len() >= 8);
    let password = password.ok_or_else(|| Refused::new(400, 103, "password"))?;
    let accounts = wanted.remove("accounts").unwrap_or_else(|| json!([]));
    let accounts: Vec<NewAccount> =
        serde_json::from_value(accounts).map_err(|error| Refused::new(400, 100, &error.to_string()))?;
    let accounts: Vec<Account> =
        accounts.into_iter().map(|account| read_account(server, account)).collect::<Result<_, _>>()?;
    let mut book = lock(&server.book);
    let is_taken =
        book.clients.contains_key(&login) || accounts.iter().any(|account| book.accounts.contains_key(&account.code));
    if is_taken {
        return Err(Refused::new(409, 23, "already exists"));
    }
    wanted.remove("password");
    let codes = accounts.iter().map(|account| account.code.clone()).collect();
    let client = Client { login: login.clone(), password, details: wanted, accounts: codes, version: 1 };
    let record = client.record(&server.config.domain);
    book.clients.insert(login, client);
    book.accounts.extend(accounts.into_iter().map(|account| (account.code.clone(), account)));
    Ok(reply::ok(&record))
}

fn check_client(server: &Dxtrade, wanted: &Map<String, Value>) -> Result<(), Refused> {
    let is =
        |name: &str, words: &[&str]| wanted.get(name).and_then(Value::as_str).is_some_and(|word| words.contains(&word));
    let fits = wanted.keys().all(|name| CLIENT.contains(&name.as_str()))
        && is("domain", &[&server.config.domain])
        && is("brokerCode", &[&server.config.broker_code])
        && is("type", &["CLIENT", "OTHER"])
        && is("status", &["ONLINE", "OFFLINE", "DISABLED"]);
    fits.then_some(()).ok_or_else(|| Refused::new(400, 104, "client"))
}

fn with_etag(client: &Client, domain: &str) -> Response {
    let mut response = reply::ok(&client.record(domain));
    if let Ok(etag) = HeaderValue::from_str(&format!("\"{}\"", client.version)) {
        response.headers_mut().insert(header::ETAG, etag);
    }
    response
}

pub(super) fn client(server: &Dxtrade, login: &str) -> Result<Response, Refused> {
    let book = lock(&server.book);
    let client = book.clients.get(login).ok_or_else(|| Refused::new(404, 21, "client not found"))?;
    Ok(with_etag(client, &server.config.domain))
}

pub(super) fn put_client(server: &Dxtrade, call: &Call, login: &str) -> Result<Response, Refused> {
    let mut wanted: Map<String, Value> = body(call)?;
    check_client(server, &wanted)?;
    let mut book = lock(&server.book);
    let client = book.clients.get_mut(login).ok_or_else(|| Refused::new(404, 21, "client not found"))?;
    if call.header("if-match").is_some_and(|etag| etag != format!("\"{}\"", client.version)) {
        return Err(Refused::new(412, 412, "changed meanwhile"));
    }
    if let Some(Value::String(password)) = wanted.remove("password") {
        client.password = password;
    }
    client.details = wanted;
    client.version += 1;
    Ok(with_etag(client, &server.config.domain))
}

pub(super) fn add_account(server: &Dxtrade, call: &Call, login: &str) -> Result<Response, Refused> {
    let account = read_account(server, body(call)?)?;
    let mut book = lock(&server.book);
    if !book.clients.contains_key(login) {
        return Err(Refused::new(404, 21, "client not found"));
    }
    if book.accounts.contains_key(&account.code) {
        return Err(Refused::new(409, 23, "already exists"));
    }
    let record = account.record(&server.config.clearing_code, &server.config.broker_code);
    if let Some(client) = book.clients.get_mut(login) {
        client.accounts.push(account.code.clone());
    }
    book.accounts.insert(account.code.clone(), account);
    Ok(reply::ok(&record))
}

pub(super) fn account(server: &Dxtrade, code: &str) -> Result<Response, Refused> {
    let book = lock(&server.book);
    let account = book.accounts.get(code).ok_or_else(no_account)?;
    Ok(reply::ok(&account.record(&server.config.clearing_code, &server.config.broker_code)))
}

/// All accounts of a type, if one is asked for.
pub(super) fn accounts(server: &Dxtrade, call: &Call) -> Result<Response, Refused> {
    if call.query("type").is_some_and(|kind| !["CLIENT", "OFFSET", "REFERENCE"].contains(&kind)) {
        return Err(Refused::new(400, 105, "type"));
    }
    let wanted = call.query("type").is_none_or(|kind| kind == "CLIENT");
    let book = lock(&server.book);
    let config = &server.config;
    let accounts = book.accounts.values().filter(|_| wanted);
    let rows: Vec<_> = accounts.map(|account| account.record(&config.clearing_code, &config.broker_code)).collect();
    Ok(reply::ok(&json!(rows)))
}

pub(super) fn put_account(server: &Dxtrade, call: &Call, code: &str) -> Result<Response, Refused> {
    let wanted: AccountChange = body(call)?;
    if wanted.status.as_ref().is_some_and(|status| !STATUSES.contains(&status.as_str())) {
        return Err(Refused::new(400, 105, "status"));
    }
    let mut book = lock(&server.book);
    let account = book.accounts.get_mut(code).ok_or_else(no_account)?;
    account.status = wanted.status.unwrap_or_else(|| account.status.clone());
    Ok(reply::ok(&account.record(&server.config.clearing_code, &server.config.broker_code)))
}

pub(super) fn put_category(server: &Dxtrade, call: &Call, code: &str, domain: &str) -> Result<Response, Refused> {
    let wanted: CategoryValue = body(call)?;
    let mut book = lock(&server.book);
    let account = book.accounts.get_mut(code).ok_or_else(no_account)?;
    known_category(server, domain, &wanted.value)?;
    account.categories.insert(domain.to_owned(), wanted.value);
    Ok(reply::json(StatusCode::OK, &json!({})))
}

/// Books an id once. A repeat is answered with what was booked first, or with a conflict, as the server is set up.
pub(super) fn transfer(server: &Dxtrade, call: &Call, code: &str, kind: &str, id: &str) -> Result<Response, Refused> {
    let wanted: Money = body(call)?;
    let amount: Decimal = wanted.amount.to_string().parse().map_err(|_| Refused::new(400, 106, "amount"))?;
    let mut book = lock(&server.book);
    let transfer_code = format!("T{}", book.number());
    let account = book.accounts.get_mut(code).ok_or_else(no_account)?;
    let said = |transfer: &Transfer, currency: &str| {
        reply::ok(&json!({
            "currency": currency, "amount": number(transfer.amount), "description": transfer.description,
        }))
    };
    if let Some(first) = account.transfers.iter().find(|transfer| transfer.id == id) {
        return match server.config.repeat_conflicts {
            true => Err(Refused::new(409, 24, "transfer already exists")),
            false => Ok(said(first, &account.currency)),
        };
    }
    if amount <= Decimal::ZERO {
        return Err(Refused::new(400, 106, "amount"));
    }
    if wanted.currency != account.currency {
        return Err(Refused::new(409, 25, "currency is not the account's"));
    }
    let (kind, moved) = match kind {
        "deposit" => ("DEPOSIT", amount),
        _ => ("WITHDRAWAL", -amount),
    };
    if moved < Decimal::ZERO && amount > account.balance - account.held {
        return Err(Refused::new(409, 26, "more than can be withdrawn"));
    }
    account.balance += moved;
    let transfer = Transfer {
        code: transfer_code,
        id: id.to_owned(),
        kind,
        amount,
        description: wanted.description,
        at_ms: server.clock.now_ms(),
    };
    let answer = said(&transfer, &account.currency);
    account.transfers.push(transfer);
    Ok(answer)
}
