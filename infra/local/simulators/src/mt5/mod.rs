//! The trading server's web API: log-on bound to the connection, accounts, balance operations, deals, clock.

mod book;
mod deals;
pub mod handshake;
mod retcode;
mod session;
mod time;
mod users;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::{any, post};
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::clock::{Clock, Ids};
use crate::config::Mt5Config;
use crate::control::{self, Controlled};
use crate::courier::Courier;
use crate::desk::{Desk, lock};
use crate::fault::Refusal;
use crate::payer::parse;
use crate::reply;
use crate::request::Call;
use crate::serve::{Connection, Session};

use book::{Book, NewDeal};
use retcode::Retcode;
use time::{LocalTime, TimeForm};

/// What a command gives: the members besides `retcode`, or the code of the refusal.
type Outcome = Result<Map<String, Value>, Retcode>;

/// The simulator.
pub(crate) struct Mt5 {
    config: Mt5Config,
    ids: Arc<Ids>,
    clock: Clock,
    courier: Arc<Courier>,
    desk: Desk,
    book: Mutex<Book>,
    local_time: Mutex<LocalTime>,
    /// Log-ons of an earlier number are void.
    log_on_epoch: AtomicU64,
}

impl Mt5 {
    pub(crate) fn new(config: Mt5Config, ids: Arc<Ids>, clock: Clock, courier: Arc<Courier>) -> Arc<Self> {
        Arc::new(Self {
            desk: Desk::new(clock.clone()),
            book: Mutex::new(Book::new(&config)),
            local_time: Mutex::new(LocalTime::new(&config)),
            config,
            ids,
            clock,
            courier,
            log_on_epoch: AtomicU64::new(0),
        })
    }

    pub(crate) fn router(self: &Arc<Self>) -> Router {
        Router::new()
            .route("/api/{*command}", any(command))
            .route("/_control/account", post(control_account))
            .route("/_control/deals", post(control_deals))
            .route("/_control/time", post(control_time))
            .route("/_control/logout", post(control_logout))
            .with_state(Arc::clone(self))
            .merge(control::routes(Arc::clone(self), Arc::clone(&self.courier)))
    }

    fn epoch(&self) -> u64 {
        self.log_on_epoch.load(Ordering::Relaxed)
    }

    /// The server's clock: milliseconds since 1970 as if its local time were UTC.
    fn server_now_ms(&self) -> i64 {
        self.clock.now_ms() + lock(&self.local_time).offset_s * 1000
    }

    fn run(&self, operation: &str, call: &Call, connection: &Connection) -> Outcome {
        match operation {
            "auth_start" => session::start(self, call, connection),
            "auth_answer" => session::answer(self, call, connection),
            "test_access" => Ok(Map::new()),
            "quit" => {
                *lock(&connection.session) = Session::Unknown;
                Ok(Map::new())
            }
            "user_add" => users::add(self, call),
            "user_update" => users::update(self, call),
            "user_get" => users::get(self, call),
            "user_get_batch" => users::get_batch(self, call),
            "user_account_get" => users::account(self, call),
            "position_get_total" => users::positions(self, call),
            "user_logins" => users::logins(self, call),
            "user_group" => users::group(self, call),
            "user_total" => users::total(self),
            "user_check_password" => users::check_password(self, call),
            "user_change_password" => users::change_password(self, call),
            "trade_balance" => deals::trade_balance(self, call),
            "deal_get" => deals::get(self, call),
            "deal_get_total" => deals::total(self, call),
            "deal_get_page" => deals::page(self, call),
            "deal_get_batch" => deals::batch(self, call),
            "time_server" => Ok(self.time_server()),
            "time_get" => Ok(self.time_get()),
            _ => Err(Retcode::NOT_IMPLEMENTED),
        }
    }

    fn time_server(&self) -> Map<String, Value> {
        let form = lock(&self.local_time).form;
        answer(json!({ "time": form.write(self.server_now_ms()) }))
    }

    /// `TimeZone` in minutes, as the manager interface has it.
    fn time_get(&self) -> Map<String, Value> {
        answer(json!({
            "Daylight": "0",
            "DaylightState": "0",
            "TimeZone": (lock(&self.local_time).offset_s / 60).to_string(),
            "TimeServer": "127.0.0.1",
        }))
    }
}

/// The `answer` member alone.
fn answer(value: Value) -> Map<String, Value> {
    Map::from_iter([("answer".to_owned(), value)])
}

fn write(outcome: Outcome) -> Response {
    let (retcode, members) = match outcome {
        Ok(members) => (Retcode::DONE, members),
        Err(retcode) => (retcode, Map::new()),
    };
    let mut all = Map::new();
    all.insert("retcode".to_owned(), json!(retcode.text()));
    all.extend(members);
    reply::ok(&Value::Object(all))
}

/// A scripted refusal: a return code, or a bare HTTP status.
fn refuse(refusal: &Refusal) -> Response {
    match (refusal.retcode, refusal.status) {
        (None, Some(_)) => reply::plain(refusal.http_status(500), refusal.text("")),
        (code, _) => {
            let code = code.and_then(|code| u32::try_from(code).ok());
            write(Err(Retcode(code.unwrap_or(Retcode::ERROR.0))))
        }
    }
}

async fn command(State(mt5): State<Arc<Mt5>>, call: Call) -> Response {
    let path = call.path.split_once("/api/").map_or("", |(_, rest)| rest);
    let operation = path.trim_end_matches('/').replace('/', "_");
    let Some(connection) = call.extensions.get::<Arc<Connection>>().map(Arc::clone) else {
        return reply::plain(StatusCode::INTERNAL_SERVER_ERROR, "no connection");
    };
    let log_on = matches!(operation.as_str(), "auth_start" | "auth_answer");
    let authenticated = *lock(&connection.session) == Session::Authenticated(mt5.epoch());
    if !log_on && !authenticated {
        mt5.desk.count("not_authenticated");
        return reply::plain(StatusCode::FORBIDDEN, "");
    }
    let call = Arc::new(call);
    let apply = {
        let (mt5, call, operation) = (Arc::clone(&mt5), Arc::clone(&call), operation.clone());
        move || {
            let mut response = write(mt5.run(&operation, &call, &connection));
            if operation == "quit" {
                let close = http::HeaderValue::from_static("close");
                response.headers_mut().insert(http::header::CONNECTION, close);
            }
            response
        }
    };
    mt5.desk.serve(&operation, || call.flat(), refuse, apply).await
}

impl Controlled for Mt5 {
    fn desk(&self) -> &Desk {
        &self.desk
    }

    fn state(&self, only: Option<&str>) -> Map<String, Value> {
        let login = only.and_then(|text| text.parse().ok());
        lock(&self.book).describe(login)
    }

    fn clear(&self) {
        let mut book = lock(&self.book);
        *book = book.emptied(&self.config);
        *lock(&self.local_time) = LocalTime::new(&self.config);
    }
}

/// `POST /_control/account`: open positions, as far as margin goes; and what somebody does to an account by hand.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AccountState {
    login: u64,
    leverage: Option<u32>,
    /// Opens the account in this group, if there is none of the login.
    group: Option<String>,
    #[serde(default)]
    comment: String,
    #[serde(default)]
    deleted: bool,
    /// A deal that the server loses, with what it moved: it was set up from a backup.
    lost: Option<u64>,
    floating: Option<rust_decimal::Decimal>,
    margin: Option<rust_decimal::Decimal>,
}

async fn control_account(State(mt5): State<Arc<Mt5>>, call: Call) -> Response {
    let wanted: AccountState = match parse(&call.body) {
        Ok(wanted) => wanted,
        Err(response) => return *response,
    };
    let mut book = lock(&mt5.book);
    if wanted.deleted {
        book.delete_user(wanted.login);
        return reply::ok(&json!({ "deleted": true }));
    }
    if let Some(group) = wanted.group.as_ref().filter(|_| !book.users.contains_key(&wanted.login)) {
        let Some(group) = book.group(group).cloned() else {
            return reply::control_error(StatusCode::NOT_FOUND, "no such group");
        };
        let leverage = wanted.leverage.unwrap_or(users::LEVERAGE_BY_HAND);
        book.add_user(users::by_hand(wanted.login, group, leverage, &wanted.comment, mt5.server_now_ms()));
    }
    match book.users.get_mut(&wanted.login) {
        Some(user) => {
            user.leverage = wanted.leverage.unwrap_or(user.leverage);
            user.floating = wanted.floating.unwrap_or(user.floating);
            user.margin = wanted.margin.unwrap_or(user.margin);
            if let Some(lost) = wanted.lost {
                user.lose(lost);
            }
            reply::ok(&user.account())
        }
        None => reply::control_error(StatusCode::NOT_FOUND, "no such login"),
    }
}

/// Adds deals as trading would: they change the balance by profit, swap and commission.
async fn control_deals(State(mt5): State<Arc<Mt5>>, call: Call) -> Response {
    let wanted: Vec<NewDeal> = match parse(&call.body) {
        Ok(wanted) => wanted,
        Err(response) => return *response,
    };
    let now_ms = mt5.server_now_ms();
    let mut book = lock(&mt5.book);
    let tickets: Option<Vec<_>> = wanted.into_iter().map(|deal| book.trade(deal, now_ms)).collect();
    match tickets {
        Some(tickets) => reply::ok(&json!({ "deals": tickets })),
        None => reply::control_error(StatusCode::NOT_FOUND, "no such login"),
    }
}

/// `POST /_control/time`: the server's clock is set, as at a switch of daylight saving time, or written in another form.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TimeChange {
    offset_s: Option<i64>,
    form: Option<TimeForm>,
}

async fn control_time(State(mt5): State<Arc<Mt5>>, call: Call) -> Response {
    let wanted: TimeChange = match parse(&call.body) {
        Ok(wanted) => wanted,
        Err(response) => return *response,
    };
    let mut time = lock(&mt5.local_time);
    time.offset_s = wanted.offset_s.unwrap_or(time.offset_s);
    time.form = wanted.form.unwrap_or(time.form);
    reply::ok(&json!({ "offset_s": time.offset_s, "form": time.form }))
}

/// Every connection must log on again, as after a restart of the server.
async fn control_logout(State(mt5): State<Arc<Mt5>>) -> Response {
    mt5.log_on_epoch.fetch_add(1, Ordering::Relaxed);
    reply::ok(&json!({ "logged_out": true }))
}
