//! cTrader: the web services with their token, and the manager's protobuf interface.

mod book;
mod manager;
mod positions;
mod traders;
mod wire;

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::{any, post};
use http::{Method, StatusCode};
use md5::{Digest, Md5};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::clock::{Clock, Ids};
use crate::config::CtraderConfig;
use crate::control::{self, Controlled};
use crate::courier::Courier;
use crate::desk::{Desk, lock};
use crate::fault::Refusal;
use crate::payer::parse;
use crate::reply;
use crate::request::Call;

use book::Book;
use positions::NewPosition;

/// A password as it travels and is kept: MD5 in lower-case hex.
pub fn hashed_password(password: &str) -> String {
    hex::encode(Md5::digest(password.as_bytes()))
}

/// What a call gives: a JSON body, nothing, or a refusal.
type Outcome = Result<Option<Value>, Refused>;

/// An error as the web services word it.
#[derive(Debug)]
struct Refused {
    status: StatusCode,
    code: String,
    description: String,
}

impl Refused {
    fn code(code: &str) -> Self {
        let status = match code {
            "TRADER_NOT_FOUND" => StatusCode::NOT_FOUND,
            "UNKNOWN_ERROR" => StatusCode::INTERNAL_SERVER_ERROR,
            "REQUEST_FREQUENCY_EXCEEDED" => StatusCode::TOO_MANY_REQUESTS,
            _ => StatusCode::BAD_REQUEST,
        };
        Self { status, code: code.to_owned(), description: String::new() }
    }

    fn invalid(description: &str) -> Self {
        Self { description: description.to_owned(), ..Self::code("INVALID_REQUEST") }
    }

    fn denied() -> Self {
        Self { status: StatusCode::FORBIDDEN, ..Self::code("CH_CLIENT_AUTH_FAILURE") }
    }

    fn write(&self) -> Response {
        reply::json(self.status, &json!({ "errorCode": self.code, "description": self.description }))
    }
}

/// The simulator.
pub(crate) struct Ctrader {
    config: CtraderConfig,
    ids: Arc<Ids>,
    clock: Clock,
    courier: Arc<Courier>,
    desk: Desk,
    book: Mutex<Book>,
    /// The one token that is good.
    token: Mutex<Option<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct TokenRequest {
    login: u64,
    hashed_password: String,
}

impl Ctrader {
    pub(crate) fn new(config: CtraderConfig, ids: Arc<Ids>, clock: Clock, courier: Arc<Courier>) -> Arc<Self> {
        Arc::new(Self {
            desk: Desk::new(clock.clone()),
            book: Mutex::new(Book::new(&config)),
            config,
            ids,
            clock,
            courier,
            token: Mutex::new(None),
        })
    }

    pub(crate) fn router(self: &Arc<Self>) -> Router {
        Router::new()
            .route("/v2/{*rest}", any(call))
            .route("/cid/{*rest}", any(call))
            .route("/_control/positions", post(control_positions))
            .route("/_control/token", post(control_token))
            .route("/_control/margin", post(control_margin))
            .with_state(Arc::clone(self))
            .merge(control::routes(Arc::clone(self), Arc::clone(&self.courier)))
    }

    /// Serves the manager's interface until `stop` turns true.
    pub(crate) async fn serve_manager(self: Arc<Self>, listener: TcpListener, stop: watch::Receiver<bool>) {
        manager::accept(self, listener, stop).await;
    }

    fn knows(&self, login: u64, given: &str) -> bool {
        login == self.config.manager_login && given == hashed_password(&self.config.password)
    }

    /// The token is the same until it dies.
    fn log_in(&self, call: &Call) -> Outcome {
        let wanted: TokenRequest = traders::body(call)?;
        if !self.knows(wanted.login, &wanted.hashed_password) {
            return Err(Refused::denied());
        }
        let mut token = lock(&self.token);
        let token = token.get_or_insert_with(|| uuid(&self.ids.hex32("ctrader-token")));
        Ok(Some(json!({ "webservToken": token })))
    }

    fn run(&self, operation: &str, call: &Call) -> Response {
        let login = login_in(&call.path).unwrap_or_default();
        let (created, nothing) = (StatusCode::CREATED, StatusCode::NO_CONTENT);
        let (done, outcome) = match operation {
            "token" => (StatusCode::OK, self.log_in(call)),
            "trader_create" => (created, traders::create(self, call)),
            "trader_list" => (StatusCode::OK, traders::list(self, call)),
            "trader_get" => (StatusCode::OK, traders::get(self, login)),
            "trader_patch" => (nothing, traders::patch(self, call, login)),
            "changebalance" => (StatusCode::OK, traders::change_balance(self, call, login)),
            "ctid_create" => (created, traders::create_person(self, call)),
            "ctid_link" => (StatusCode::OK, traders::link(self, call)),
            "closed_positions" => match positions::closed(self, call) {
                Ok(text) => return reply::text(StatusCode::OK, "text/csv; charset=utf-8", text),
                Err(refused) => (StatusCode::OK, Err(refused)),
            },
            _ => return reply::plain(StatusCode::NOT_FOUND, ""),
        };
        match outcome {
            Ok(Some(value)) => reply::json(done, &value),
            Ok(None) => reply::plain(done, ""),
            Err(refused) => refused.write(),
        }
    }
}

/// The call by method and path, spelt as the protocol has them.
fn operation(method: &Method, path: &str) -> &'static str {
    let parts: Vec<&str> = path.split('/').skip(1).collect();
    match (method.as_str(), parts.as_slice()) {
        ("POST", ["v2", "webserv", "managers", "token"]) => "token",
        ("POST", ["v2", "webserv", "traders"]) => "trader_create",
        ("GET", ["v2", "webserv", "traders", ""]) => "trader_list",
        ("GET", ["v2", "webserv", "traders", login]) if is_login(login) => "trader_get",
        ("PATCH", ["v2", "webserv", "traders", login]) if is_login(login) => "trader_patch",
        ("POST", ["v2", "webserv", "traders", login, "changebalance"]) if is_login(login) => "changebalance",
        ("GET", ["v2", "webserv", "closedPositions"]) => "closed_positions",
        ("POST", ["cid", "ctid", "create"]) => "ctid_create",
        ("POST", ["cid", "ctid", "link"]) => "ctid_link",
        _ => "unknown",
    }
}

fn is_login(text: &str) -> bool {
    text.parse::<i64>().is_ok()
}

fn login_in(path: &str) -> Option<i64> {
    path.split('/').nth(4)?.parse().ok()
}

/// 32 hexadecimal characters in the form of a UUID.
fn uuid(hex: &str) -> String {
    let part = |range: std::ops::Range<usize>| hex.get(range).unwrap_or_default();
    [part(0..8), part(8..12), part(12..16), part(16..20), part(20..32)].join("-")
}

/// `YYYY-MM-DDTHH:MM:SS.mmm` in UTC, without a zone.
fn millis(text: &str) -> Option<i64> {
    let exact = text.len() == 23 && text.as_bytes().get(19) == Some(&b'.');
    let time: jiff::civil::DateTime = text.parse().ok().filter(|_| exact)?;
    time.to_zoned(jiff::tz::TimeZone::UTC).ok().map(|zoned| zoned.timestamp().as_millisecond())
}

fn utc(millis: i64) -> String {
    let time = jiff::Timestamp::from_millisecond(millis).unwrap_or_default();
    time.strftime("%Y-%m-%dT%H:%M:%S%.3f").to_string()
}

/// A scripted refusal: an error code with its status, or a bare status.
fn refuse(refusal: &Refusal) -> Response {
    match &refusal.code {
        Some(code) => {
            let said = Refused::code(code);
            let status = refusal.status.map_or(said.status, |_| refusal.http_status(400));
            Refused { status, description: refusal.text(""), ..said }.write()
        }
        None => reply::plain(refusal.http_status(500), refusal.text("")),
    }
}

async fn call(State(server): State<Arc<Ctrader>>, call: Call) -> Response {
    let operation = operation(&call.method, &call.path);
    let known = lock(&server.token).clone();
    if operation != "token" && (known.is_none() || call.query("token") != known.as_deref()) {
        server.desk.count("denied");
        return Refused::denied().write();
    }
    let call = Arc::new(call);
    let apply = {
        let (server, call) = (Arc::clone(&server), Arc::clone(&call));
        move || server.run(operation, &call)
    };
    server.desk.serve(operation, || call.flat(), refuse, apply).await
}

impl Controlled for Ctrader {
    fn desk(&self) -> &Desk {
        &self.desk
    }

    fn state(&self, only: Option<&str>) -> Map<String, Value> {
        lock(&self.book).describe(only.and_then(|text| text.parse().ok()))
    }

    fn clear(&self) {
        let mut book = lock(&self.book);
        *book = book.emptied();
    }
}

async fn control_positions(State(server): State<Arc<Ctrader>>, call: Call) -> Response {
    let wanted: NewPosition = match parse(&call.body) {
        Ok(wanted) => wanted,
        Err(response) => return *response,
    };
    match positions::trade(&server, wanted) {
        Some(deal) => reply::ok(&json!({ "deal": deal })),
        None => reply::control_error(StatusCode::NOT_FOUND, "no such login"),
    }
}

/// The token dies, as when the manager's password is changed.
async fn control_token(State(server): State<Arc<Ctrader>>) -> Response {
    *lock(&server.token) = None;
    reply::ok(&json!({ "void": true }))
}

/// `POST /_control/margin`: what open positions hold.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Margin {
    login: i64,
    used: rust_decimal::Decimal,
}

async fn control_margin(State(server): State<Arc<Ctrader>>, call: Call) -> Response {
    let wanted: Margin = match parse(&call.body) {
        Ok(wanted) => wanted,
        Err(response) => return *response,
    };
    match lock(&server.book).traders.get_mut(&wanted.login) {
        Some(trader) => {
            trader.used_margin = wanted.used;
            reply::ok(&trader.record())
        }
        None => reply::control_error(StatusCode::NOT_FOUND, "no such login"),
    }
}
