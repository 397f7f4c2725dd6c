//! DXtrade: the register API and the trading API under one host, with sessions that die.

mod book;
mod register;
mod trading;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::{any, post};
use http::{Method, StatusCode};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::clock::{Clock, Ids};
use crate::config::DxtradeConfig;
use crate::control::{self, Controlled};
use crate::courier::Courier;
use crate::desk::{Desk, lock};
use crate::fault::Refusal;
use crate::payer::parse;
use crate::reply;
use crate::request::Call;

use book::Book;
use trading::NewTrade;

/// An error; each interface has its own name for the words.
#[derive(Debug)]
struct Refused {
    status: u16,
    code: i64,
    words: String,
}

impl Refused {
    fn new(status: u16, code: i64, words: &str) -> Self {
        Self { status, code, words: words.to_owned() }
    }

    fn write(&self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let body = json!({
            "errorCode": self.code, "errorMessage": self.words, "description": self.words, "errorId": "0f5c",
        });
        reply::json(status, &body)
    }
}

/// The simulator.
pub(crate) struct Dxtrade {
    config: DxtradeConfig,
    ids: Arc<Ids>,
    clock: Clock,
    courier: Arc<Courier>,
    desk: Desk,
    book: Mutex<Book>,
    /// The sessions that are alive, each with the interface that it is good for.
    sessions: Mutex<BTreeSet<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LogIn {
    username: String,
    domain: String,
    password: String,
}

impl Dxtrade {
    pub(crate) fn new(config: DxtradeConfig, ids: Arc<Ids>, clock: Clock, courier: Arc<Courier>) -> Arc<Self> {
        Arc::new(Self {
            desk: Desk::new(clock.clone()),
            book: Mutex::default(),
            config,
            ids,
            clock,
            courier,
            sessions: Mutex::default(),
        })
    }

    pub(crate) fn router(self: &Arc<Self>) -> Router {
        Router::new()
            .route("/dxweb/rest/{*rest}", any(call))
            .route("/dxsca-web/{*rest}", any(call))
            .route("/_control/trades", post(control_trades))
            .route("/_control/sessions", post(control_sessions))
            .route("/_control/margin", post(control_margin))
            .with_state(Arc::clone(self))
            .merge(control::routes(Arc::clone(self), Arc::clone(&self.courier)))
    }

    fn log_in(&self, call: &Call, interface: &str) -> Result<Response, Refused> {
        let wanted: LogIn = serde_json::from_slice(&call.body).map_err(|_| Refused::new(400, 100, "log-in"))?;
        let config = &self.config;
        let is_right =
            wanted.username == config.username && wanted.domain == config.domain && wanted.password == config.password;
        if !is_right {
            return Err(Refused::new(401, 3, "wrong user or password"));
        }
        let token = self.ids.hex32("dxtrade-session");
        lock(&self.sessions).insert(format!("{interface} {token}"));
        Ok(reply::ok(&json!({ "sessionToken": token, "timeout": "00:30:00" })))
    }

    fn is_alive(&self, call: &Call, interface: &str) -> bool {
        let token = call.header("authorization").and_then(|text| text.strip_prefix("DXAPI "));
        token.is_some_and(|token| lock(&self.sessions).contains(&format!("{interface} {token}")))
    }

    fn run(&self, operation: &str, call: &Call, interface: &str) -> Response {
        let path = call.path.replace("%3A", ":");
        let parts: Vec<&str> = path.split('/').collect();
        let part = |place: usize| parts.get(place).copied().unwrap_or_default();
        let is_of_server = match operation {
            "client_get" | "client_put" | "account_add" => part(6) == self.config.domain,
            "account_get" | "account_put" | "category_put" | "transfer" => part(6) == self.config.clearing_code,
            _ => true,
        };
        if !is_of_server {
            return Refused::new(404, 20, "not found").write();
        }
        let done = match operation {
            "login" => self.log_in(call, interface),
            "client_create" => register::create_client(self, call),
            "client_get" => register::client(self, part(7)),
            "client_put" => register::put_client(self, call, part(7)),
            "account_add" => register::add_account(self, call, part(7)),
            "account_get" => register::account(self, part(7)),
            "account_list" => register::accounts(self, call),
            "account_put" => register::put_account(self, call, part(7)),
            "category_put" => register::put_category(self, call, part(7), part(9)),
            "transfer" => register::transfer(self, call, part(7), part(8), part(9)),
            "transfers" => trading::transfers(self, call, part(3)),
            "orders_history" => trading::orders(self, call, part(3)),
            "positions" => trading::positions(self, part(3)),
            _ => return reply::plain(StatusCode::NOT_FOUND, ""),
        };
        done.unwrap_or_else(|refused| refused.write())
    }
}

/// The call by method and path, spelt as the protocol has them.
fn operation(method: &Method, path: &str) -> &'static str {
    let parts: Vec<&str> = path.split('/').skip(1).collect();
    match (method.as_str(), parts.as_slice()) {
        ("POST", ["dxweb", "rest", "login"] | ["dxsca-web", "login"]) => "login",
        ("POST", ["dxweb", "rest", "api", "register", "client"]) => "client_create",
        ("GET", ["dxweb", "rest", "api", "register", "client", _, _]) => "client_get",
        ("PUT", ["dxweb", "rest", "api", "register", "client", _, _]) => "client_put",
        ("POST", ["dxweb", "rest", "api", "register", "client", _, _, "account"]) => "account_add",
        ("GET", ["dxweb", "rest", "api", "register", "account", _, _]) => "account_get",
        ("GET", ["dxweb", "rest", "api", "register", "account"]) => "account_list",
        ("PUT", ["dxweb", "rest", "api", "register", "account", _, _]) => "account_put",
        ("PUT", ["dxweb", "rest", "api", "register", "account", _, _, "category", _]) => "category_put",
        ("PUT", ["dxweb", "rest", "api", "register", "account", _, _, "deposit" | "withdrawal", _]) => "transfer",
        ("GET", ["dxsca-web", "accounts", _, "transfers"]) => "transfers",
        ("GET", ["dxsca-web", "accounts", _, "positions"]) => "positions",
        ("GET", ["dxsca-web", "accounts", _, "orders", "history"]) => "orders_history",
        _ => "unknown",
    }
}

/// A scripted refusal: a status with the application's error, or a bare one.
fn refuse(refusal: &Refusal) -> Response {
    match refusal.retcode {
        Some(code) => Refused::new(refusal.status.unwrap_or(409), code, &refusal.text("refused")).write(),
        None => reply::plain(refusal.http_status(500), refusal.text("")),
    }
}

async fn call(State(server): State<Arc<Dxtrade>>, call: Call) -> Response {
    let operation = operation(&call.method, &call.path);
    let interface = if call.path.starts_with("/dxsca-web") { "trading" } else { "register" };
    if operation != "login" && !server.is_alive(&call, interface) {
        server.desk.count("denied");
        return Refused::new(401, 1, "no session").write();
    }
    let call = Arc::new(call);
    let apply = {
        let (server, call) = (Arc::clone(&server), Arc::clone(&call));
        move || server.run(operation, &call, interface)
    };
    server.desk.serve(operation, || call.flat(), refuse, apply).await
}

impl Controlled for Dxtrade {
    fn desk(&self) -> &Desk {
        &self.desk
    }

    fn state(&self, only: Option<&str>) -> Map<String, Value> {
        lock(&self.book).describe(only)
    }

    fn clear(&self) {
        let mut book = lock(&self.book);
        *book = book.emptied();
    }
}

async fn control_trades(State(server): State<Arc<Dxtrade>>, call: Call) -> Response {
    let wanted: NewTrade = match parse(&call.body) {
        Ok(wanted) => wanted,
        Err(response) => return *response,
    };
    match trading::trade(&server, &wanted) {
        Some(order) => reply::ok(&json!({ "order": order })),
        None => reply::control_error(StatusCode::NOT_FOUND, "no such account"),
    }
}

/// Every session dies, as after its time.
async fn control_sessions(State(server): State<Arc<Dxtrade>>) -> Response {
    lock(&server.sessions).clear();
    reply::ok(&json!({ "closed": true }))
}

/// `POST /_control/margin`: what open positions hold.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Margin {
    account: String,
    held: rust_decimal::Decimal,
}

async fn control_margin(State(server): State<Arc<Dxtrade>>, call: Call) -> Response {
    let wanted: Margin = match parse(&call.body) {
        Ok(wanted) => wanted,
        Err(response) => return *response,
    };
    match lock(&server.book).accounts.get_mut(&wanted.account) {
        Some(account) => {
            account.held = wanted.held;
            reply::ok(&json!({ "held": account.held }))
        }
        None => reply::control_error(StatusCode::NOT_FOUND, "no such account"),
    }
}
