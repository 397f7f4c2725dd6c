//! The REST bridge to the manager interface: OAuth2 client credentials, an envelope around every answer, keys against repetition.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::{any, get, post};
use http::{HeaderValue, Method, StatusCode};
use serde_json::{Value, json};

use crate::desk::lock;
use crate::fault::Refusal;
use crate::reply;
use crate::request::Call;

use super::book::written;
use super::codes::{Refused, named};
use super::{Mt4, transaction};

/// How long what came of a key is given again, in milliseconds.
const KEY_LIFE_MS: i64 = 60_000;
/// The life of a token, in seconds.
const TOKEN_LIFE_S: u32 = 3_600;

pub(super) fn routes(mt4: &Arc<Mt4>) -> Router {
    Router::new()
        .route("/.well-known/openid-configuration", get(discovery))
        .route("/connect/token", post(token))
        .route("/api/v2/MT4/{*rest}", any(command))
        .with_state(Arc::clone(mt4))
}

async fn discovery(State(mt4): State<Arc<Mt4>>) -> Response {
    reply::ok(&json!({"issuer": mt4.url, "token_endpoint": format!("{}/connect/token", mt4.url)}))
}

async fn token(State(mt4): State<Arc<Mt4>>, call: Call) -> Response {
    let bad = |error: &str| reply::json(StatusCode::BAD_REQUEST, &json!({"error": error}));
    let right = call.form("client_id") == Some(mt4.config.client_id.as_str())
        && call.form("client_secret") == Some(mt4.config.client_secret.as_str());
    let (grant, state) = (call.form("grant_type") == Some("client_credentials"), Arc::clone(&mt4));
    let apply = move || match (grant, right) {
        (false, _) => bad("unsupported_grant_type"),
        (true, false) => bad("invalid_client"),
        (true, true) => {
            let made = state.tokens_made.fetch_add(1, Ordering::Relaxed);
            let token = format!("{}-{made}", state.ids.hex32("token"));
            lock(&state.tokens).push(token.clone());
            reply::ok(
                &json!({"access_token": token, "token_type": "Bearer", "expires_in": TOKEN_LIFE_S, "scope": "webapi"}),
            )
        }
    };
    mt4.desk.serve("token", Vec::new, refuse, apply).await
}

async fn command(State(mt4): State<Arc<Mt4>>, call: Call) -> Response {
    let bearer = call.header("authorization").and_then(|header| header.strip_prefix("Bearer "));
    if !bearer.is_some_and(|token| lock(&mt4.tokens).iter().any(|good| good == token)) {
        mt4.desk.count("unauthorised");
        return reply::plain(StatusCode::UNAUTHORIZED, "");
    }
    let path = call.path.strip_prefix("/api/v2/MT4/").unwrap_or_default().to_owned();
    let mut parts = path.split('/').map(percent_decoded);
    let (platform, name, argument) = (parts.next(), parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let call = Arc::new(call);
    let operation = snake(&name);
    let apply = {
        let (mt4, call) = (Arc::clone(&mt4), Arc::clone(&call));
        move || {
            let known = platform.as_deref() == Some(mt4.config.trade_platform.as_str());
            let outcome = match known {
                true => once(&mt4, &call, || run(&mt4, &call, &name, &argument)),
                false => failed(&Refused::bridge("NotFound", "there is no such trade platform")),
            };
            reply::ok(&outcome)
        }
    };
    mt4.desk.serve(&operation, || call.flat(), refuse, apply).await
}

/// Gives what came of a key before, while it is kept.
fn once(mt4: &Mt4, call: &Call, run: impl FnOnce() -> Result<Value, Refused>) -> Value {
    let answer = |run: Result<Value, Refused>| match run {
        Ok(data) => json!({"data": data, "error": null, "meta": {"activityId": null}}),
        Err(refused) => failed(&refused),
    };
    let (Some(key), true) = (call.header("idempotency-key"), call.method != Method::GET) else { return answer(run()) };
    let key = format!("{} {} {key}", call.method, call.path);
    let now_ms = mt4.clock.now_ms();
    let mut answered = lock(&mt4.answered);
    if let Some((before, at_ms)) = answered.get(&key)
        && now_ms - at_ms < KEY_LIFE_MS
    {
        return before.clone();
    }
    let fresh = answer(run());
    answered.insert(key, (fresh.clone(), now_ms));
    fresh
}

fn failed(refused: &Refused) -> Value {
    json!({"data": null, "error": refused.error(), "meta": {"activityId": null}})
}

fn run(mt4: &Mt4, call: &Call, name: &str, argument: &str) -> Result<Value, Refused> {
    let timeout = call.header("x-request-timeout").map(str::parse::<f64>);
    if timeout.is_some_and(|timeout| !timeout.is_ok_and(|seconds| (1.0..=300.0).contains(&seconds))) {
        return Err(Refused::bridge("Validation", "X-Request-Timeout must be from 1 to 300 seconds"));
    }
    let number = || argument.parse::<u64>().map_err(|_| Refused::bridge("Validation", "the path needs a number"));
    match (call.method.as_str(), name) {
        ("GET", "ServerTime") => Ok(json!(written(mt4.server_now_s()))),
        ("GET", "UserRecordRequest" | "UserRecordGet") => user(mt4, number()?),
        ("GET", "MarginLevelRequest") => margin(mt4, number()?),
        ("GET", "AdmUsersRequestSafe") => users_of(mt4, argument),
        ("PATCH", "UserRecord") => patch(mt4, number()?, call.json.as_ref()),
        ("POST", "TradeTransaction") => transaction::run(mt4, call.json.as_ref()),
        ("GET", "TradesUserHistory") => history(mt4, call, number()?),
        ("GET", "TradeRecordRequest") => {
            let order = lock(&mt4.book).order(number()?).map(super::book::Order::record);
            order.ok_or_else(|| Refused::bridge("NotFound", "there is no such order"))
        }
        _ => Err(Refused::bridge("Validation", "there is no such call")),
    }
}

fn no_user() -> Refused {
    Refused::bridge("NotFound", "there is no such account")
}

fn user(mt4: &Mt4, login: u64) -> Result<Value, Refused> {
    lock(&mt4.book).users.get(&login).map(super::book::User::record).ok_or_else(no_user)
}

fn margin(mt4: &Mt4, login: u64) -> Result<Value, Refused> {
    lock(&mt4.book).users.get(&login).map(super::book::User::margin_level).ok_or_else(no_user)
}

fn users_of(mt4: &Mt4, group: &str) -> Result<Value, Refused> {
    let book = lock(&mt4.book);
    let users = book.users.values().filter(|user| user.group.name == group);
    Ok(Value::Array(users.map(super::book::User::record).collect()))
}

/// Only what is named is changed; a member that is not known is passed over, as its documents say.
fn patch(mt4: &Mt4, login: u64, changes: Option<&Value>) -> Result<Value, Refused> {
    let changes = changes.filter(|changes| changes.is_object());
    let changes = changes.ok_or_else(|| Refused::bridge("Validation", "the body is no JSON object"))?;
    let invalid = || Refused::manager("InvalidData");
    let mut book = lock(&mt4.book);
    let group = match changes.get("group") {
        None => None,
        Some(name) => Some(name.as_str().and_then(|name| book.group(name)).cloned().ok_or_else(invalid)?),
    };
    let whole = |name: &str| changes.get(name).map(|value| value.as_u64().ok_or_else(invalid)).transpose();
    let (flags, leverage) = (whole("enableFlags")?, whole("leverage")?);
    let leverage =
        leverage.map(|leverage| u32::try_from(leverage).ok().filter(|leverage| *leverage > 0).ok_or_else(invalid));
    let leverage = leverage.transpose()?;
    let user = book.users.get_mut(&login).ok_or_else(no_user)?;
    if group.as_ref().is_some_and(|group| group.currency != user.group.currency) {
        return Err(invalid());
    }
    user.group = group.unwrap_or_else(|| user.group.clone());
    user.flags = flags.unwrap_or(user.flags);
    user.leverage = leverage.unwrap_or(user.leverage);
    Ok(user.record())
}

/// Both ends belong to the time, which is the server's; without one it is open on that side.
fn history(mt4: &Mt4, call: &Call, login: u64) -> Result<Value, Refused> {
    let bound = |name: &str, open: i64| match call.query(name) {
        None => Ok(open),
        Some(text) => {
            seconds(text).ok_or_else(|| Refused::bridge("Validation", "fromTime and toTime must be ISO 8601"))
        }
    };
    let (from, to) = (bound("fromTime", i64::MIN)?, bound("toTime", i64::MAX)?);
    let book = lock(&mt4.book);
    if !book.users.contains_key(&login) {
        return Err(no_user());
    }
    let orders = book.orders.get(&login).into_iter().flatten();
    let closed = orders.filter(|order| (from..=to).contains(&order.close_s));
    Ok(Value::Array(closed.map(super::book::Order::record).collect()))
}

fn seconds(text: &str) -> Option<i64> {
    let time: jiff::civil::DateTime = text.get(..19)?.parse().ok()?;
    Some(time.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp().as_second())
}

/// A scripted refusal: a return code of the manager interface, a code of the bridge's own, or a bare HTTP status.
fn refuse(refusal: &Refusal) -> Response {
    let error = match (refusal.retcode, refusal.code.as_deref(), refusal.status) {
        (Some(code), ..) => json!({"code": "MT4Error", "managerCode": named(code), "message": refusal.text("refused")}),
        (None, Some(code), _) => json!({"code": code, "managerCode": null, "message": refusal.text("refused")}),
        (None, None, _) => return reply::plain(refusal.http_status(500), refusal.text("")),
    };
    let mut response = reply::ok(&json!({"data": null, "error": error, "meta": {"activityId": null}}));
    let outcome = match refusal.code.as_deref() {
        Some("OutcomeUnknown") => "unknown",
        Some("Busy") => "not-started",
        Some("Timeout") => "timeout",
        _ => return response,
    };
    response.headers_mut().insert("x-request-outcome", HeaderValue::from_static(outcome));
    response
}

/// `TradesUserHistory` is `trades_user_history` in a script.
fn snake(name: &str) -> String {
    let mut text = String::new();
    for letter in name.chars() {
        if letter.is_ascii_uppercase() && !text.is_empty() {
            text.push('_');
        }
        text.push(letter.to_ascii_lowercase());
    }
    text
}

fn percent_decoded(part: &str) -> String {
    // a plus is itself in a path
    let pairs = crate::request::pairs(format!("x={}", part.replace('+', "%2B")).as_bytes());
    pairs.into_iter().next().map(|(_, value)| value).unwrap_or_default()
}
