//! The trading platforms as their simulators have them: how each names what it does, and what it has recorded.

use std::time::Duration;

use bytes::Bytes;
use http::Request;
use providers::http::{Connection, HyperTransport, Transport as _};
use rust_decimal::Decimal;
use serde_json::{Value, json};
use simulators::ctrader::hashed_password;
use simulators::mt5::handshake::{answer_to, password_hash};

use crate::world::World;

const DEADLINE: Duration = Duration::from_secs(5);

/// A platform and the words of its simulator.
#[derive(Debug)]
pub struct Server {
    pub name: &'static str,
    /// The operations that create an account and book money.
    pub create: &'static str,
    pub book: &'static str,
    /// The parameter of a booking that has its reference.
    pub reference: &'static str,
    /// The member of a recorded account that has ours.
    account_reference: &'static str,
    bookings: Bookings,
    /// The answer of a platform that has certainly not booked it and may do so later.
    pub busy: fn() -> Value,
    /// That of one that never will.
    pub refuses: fn() -> Value,
    /// The operation by which a booking is looked up that a person names.
    pub find_ticket: &'static str,
    /// The control route by which sessions and tokens die.
    pub logout: &'static str,
}

/// The list of bookings, and the members of one of them.
#[derive(Debug)]
struct Bookings {
    list: &'static str,
    reference: &'static str,
    number: &'static str,
    amount: &'static str,
}

pub static MT5: Server = Server {
    name: "mt5",
    create: "user_add",
    book: "trade_balance",
    reference: "comment",
    account_reference: "comment",
    bookings: Bookings { list: "deals", reference: "Comment", number: "Deal", amount: "Profit" },
    busy: || json!({"kind": "refuse", "retcode": 8}),
    refuses: || json!({"kind": "refuse", "retcode": 10_019}),
    find_ticket: "deal_get",
    logout: "logout",
};

pub static MT4: Server = Server {
    name: "mt4",
    create: "new_account",
    book: "trade_transaction",
    reference: "comment",
    account_reference: "comment",
    bookings: Bookings { list: "orders", reference: "comment", number: "order", amount: "profit" },
    busy: || json!({"kind": "refuse", "code": "Busy"}),
    refuses: || json!({"kind": "refuse", "retcode": 134}),
    find_ticket: "trade_record_request",
    logout: "logout",
};

pub static CTRADER: Server = Server {
    name: "ctrader",
    create: "trader_create",
    book: "changebalance",
    reference: "externalId",
    account_reference: "description",
    bookings: Bookings { list: "history", reference: "external_id", number: "number", amount: "amount" },
    busy: || json!({"kind": "refuse", "code": "REQUEST_FREQUENCY_EXCEEDED"}),
    refuses: || json!({"kind": "refuse", "code": "NOT_ENOUGH_MONEY"}),
    find_ticket: "manager_history",
    logout: "token",
};

pub static DXTRADE: Server = Server {
    name: "dxtrade",
    create: "client_create",
    book: "transfer",
    reference: "path",
    account_reference: "reference",
    bookings: Bookings { list: "transfers", reference: "comment", number: "id", amount: "amount" },
    busy: || json!({"kind": "refuse", "status": 429}),
    refuses: || json!({"kind": "refuse", "status": 400, "retcode": 106}),
    find_ticket: "transfers",
    logout: "sessions",
};

/// Every one.
pub static SERVERS: [&Server; 4] = [&MT5, &MT4, &CTRADER, &DXTRADE];

/// A member as text, whether it is one or a number.
fn text(record: &Value, name: &str) -> String {
    match &record[name] {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn rows(state: &Value, name: &str) -> Vec<Value> {
    state[name].as_array().unwrap_or_else(|| panic!("no {name} in {state}")).clone()
}

impl Server {
    pub async fn control(&self, world: &World, route: &str, body: &Value) -> Value {
        let url = format!("{}/_control/{route}", world.broker.simulators.url(self.name));
        world.desk.api.control(&url, body).await.unwrap().json
    }

    /// Scripts a fault.
    pub async fn fault(&self, world: &World, fault: Value) {
        self.control(world, "faults", &json!([fault])).await;
    }

    /// The accounts that there are: reference and record.
    pub async fn accounts(&self, world: &World) -> Vec<(String, Value)> {
        let users = rows(&world.desk.state(self.name, "part=users").await.unwrap(), "users");
        users.into_iter().map(|user| (text(&user, self.account_reference), user)).collect()
    }

    /// The bookings under a payment's reference on an account: number and amount.
    pub async fn deals(&self, world: &World, login: &str, payment: &str) -> Vec<(String, String)> {
        let of = &self.bookings;
        let state = world.desk.state(self.name, &format!("login={login}&part={}", of.list)).await.unwrap();
        let bears = |deal: &Value| [of.reference, "comment"].iter().any(|name| text(deal, name).starts_with(payment));
        let deals = rows(&state, of.list).into_iter().filter(bears);
        // DXtrade writes the direction beside the amount
        let sign = |deal: &Value| if deal["type"] == "WITHDRAWAL" { "-" } else { "" };
        deals.map(|deal| (text(&deal, of.number), format!("{}{}", sign(&deal), text(&deal, of.amount)))).collect()
    }

    /// Somebody at the platform books money by hand; what the platform calls the booking.
    pub async fn books_by_hand(&self, world: &World, login: &str, amount: &str, comment: &str) -> String {
        let number = || login.parse::<u64>().unwrap();
        match self.name {
            "mt5" => {
                let deal = json!([{"login": number(), "action": 2, "profit": amount, "comment": cut(comment)}]);
                self.control(world, "deals", &deal).await["deals"][0].to_string()
            }
            "mt4" => {
                let order = json!([{
                    "login": number(), "command": "Balance", "symbol": "", "volume": 0, "profit": amount, "comment": cut(comment),
                }]);
                self.control(world, "orders", &order).await["orders"][0].to_string()
            }
            "ctrader" => ctrader_books(world, number(), amount, comment).await,
            _ => dxtrade_books(world, login, amount, comment).await,
        }
    }

    pub async fn balance(&self, world: &World, login: &str) -> Decimal {
        let state = world.desk.state(self.name, &format!("login={login}&part=users")).await.unwrap();
        text(&state["users"][0], "balance").parse().unwrap()
    }

    /// Whether the client can log in with a password.
    pub async fn lets_in(&self, world: &World, login: &str, password: &str) -> bool {
        match self.name {
            "mt5" => mt5_lets_in(world, login, password).await,
            "mt4" => mt4_lets_in(world, login, password).await,
            _ => {
                let state = world.desk.state(self.name, &format!("login={login}")).await.unwrap();
                let (trader, client) = (&state["users"][0], &state["clients"][0]);
                match self.name {
                    // with the cTrader ID that the account is linked to
                    "ctrader" => trader["user_id"].is_i64() && trader["hashed_password"] == hashed_password(password),
                    _ => client["password"] == password && client["accounts"] == json!([login]),
                }
            }
        }
    }
}

/// What MetaTrader keeps of a comment.
fn cut(comment: &str) -> &str {
    comment.get(..31).unwrap_or(comment)
}

/// Sends JSON as an interface's user.
async fn send(request: http::request::Builder, body: &Value) -> Value {
    let request = request.header("content-type", "application/json").body(Bytes::from(body.to_string())).unwrap();
    let answer = HyperTransport::new().send(request, DEADLINE).await.unwrap();
    assert!(answer.status().is_success(), "{answer:?}");
    serde_json::from_slice(answer.body()).unwrap()
}

/// Whether it is put on the account, and the amount without its sign.
fn direction(amount: &str) -> (bool, Value) {
    let positive = amount.trim_start_matches('-');
    (positive == amount, serde_json::from_str(positive).unwrap())
}

/// Somebody with the manager's rights, who gives no `externalId`.
async fn ctrader_books(world: &World, login: u64, amount: &str, comment: &str) -> String {
    let (base, manager) = (world.broker.simulators.url("ctrader"), broker::local::simulators_config().ctrader);
    let log_in = json!({"login": manager.manager_login, "hashedPassword": hashed_password(&manager.password)});
    let token = send(Request::post(format!("{base}/v2/webserv/managers/token")), &log_in).await;
    let token = token["webservToken"].as_str().unwrap();
    let (on, amount) = direction(amount);
    let kind = if on { "DEPOSIT" } else { "WITHDRAW" };
    let change = json!({"login": login, "preciseAmount": amount, "type": kind, "comment": comment});
    let booked = Request::post(format!("{base}/v2/webserv/traders/{login}/changebalance?token={token}"));
    send(booked, &change).await["balanceHistoryId"].to_string()
}

/// Somebody with the right to make transfers, under an id of his own.
async fn dxtrade_books(world: &World, login: &str, amount: &str, comment: &str) -> String {
    let (base, config) = (world.broker.simulators.url("dxtrade"), broker::local::simulators_config().dxtrade);
    let user = json!({"username": config.username, "domain": config.domain, "password": config.password});
    let session = send(Request::post(format!("{base}/dxweb/rest/login")), &user).await;
    let token = session["sessionToken"].as_str().unwrap();
    let ((on, amount), id) = (direction(amount), format!("by-hand-{}", world.fresh()));
    let kind = if on { "deposit" } else { "withdrawal" };
    let path = format!("{base}/dxweb/rest/api/register/account/{}/{login}/{kind}/{id}", config.clearing_code);
    let transfer = json!({"currency": "USD", "amount": amount, "description": comment});
    send(Request::put(path).header("authorization", format!("DXAPI {token}")), &transfer).await;
    let made = rows(&world.desk.state("dxtrade", &format!("login={login}")).await.unwrap(), "transfers");
    text(made.iter().find(|transfer| transfer["id"] == id.as_str()).unwrap(), "code")
}

/// Asks the trading server as its manager.
async fn mt5_lets_in(world: &World, login: &str, password: &str) -> bool {
    let manager = broker::local::simulators_config().mt5;
    let url = world.broker.simulators.url("mt5").parse().unwrap();
    let mut connection = HyperTransport::new().connect(&url, DEADLINE).await.unwrap();
    let start = format!("/api/auth/start?version=1985&agent=test&login={}&type=manager", manager.manager_login);
    let challenge = ask(connection.as_mut(), &start).await["srv_rand"].as_str().unwrap().to_owned();
    let proof = answer_to(&password_hash(&manager.password), &hex::decode(challenge).unwrap());
    let ours = "00112233445566778899aabbccddeeff";
    ask(connection.as_mut(), &format!("/api/auth/answer?srv_rand_answer={proof}&cli_rand={ours}")).await;
    let escaped: String = password.bytes().map(|byte| format!("%{byte:02x}")).collect();
    let checked = format!("/api/user/check_password?login={login}&type=main&password={escaped}");
    ask(connection.as_mut(), &checked).await["retcode"].as_str().unwrap().starts_with('0')
}

async fn ask(connection: &mut dyn Connection, path: &str) -> Value {
    let answer = connection.send(Request::get(path).body(Bytes::new()).unwrap(), DEADLINE).await.unwrap();
    serde_json::from_slice(answer.body()).unwrap()
}

/// Asks the plug-in.
async fn mt4_lets_in(world: &World, login: &str, password: &str) -> bool {
    let master = broker::local::simulators_config().mt4.master;
    let url = world.broker.simulators.url("mt4_webreg").parse().unwrap();
    let mut stream = HyperTransport::new().dial(&url, DEADLINE).await.unwrap();
    let asked = format!("WCHKACCPASS MASTER={master}|IP=127.0.0.1|LOGIN={login}|PASSWORD={password}\nQUIT\n");
    stream.write(Bytes::from(asked), DEADLINE).await.unwrap();
    stream.read(DEADLINE).await.unwrap().starts_with(b"OK")
}
