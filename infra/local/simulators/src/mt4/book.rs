//! Accounts and orders.

use std::collections::{BTreeMap, HashMap};

use rust_decimal::Decimal;
use serde_json::{Map, Number, Value, json};

use crate::config::{Mt4Config, Mt5Group};

/// First order number.
const FIRST_ORDER: u64 = 200_001;
/// The command that moves credit, and not the balance.
pub(super) const CREDIT: &str = "Credit";
/// May log in, may change the password.
pub(super) const FLAGS_DEFAULT: u64 = 0x03;

/// A trading account. Money in the group's currency, major units.
#[derive(Debug, Clone)]
pub(super) struct User {
    pub(super) login: u64,
    pub(super) group: Mt5Group,
    pub(super) password: String,
    pub(super) investor_password: String,
    pub(super) leverage: u32,
    /// 0x01 enabled, 0x02 may change its password, 0x04 read only.
    pub(super) flags: u64,
    /// By the bridge's member names.
    pub(super) details: BTreeMap<&'static str, String>,
    /// Seconds since 1970 in the server's clock.
    pub(super) registered_s: i64,
    pub(super) balance: Decimal,
    pub(super) credit: Decimal,
    pub(super) floating: Decimal,
    pub(super) margin: Decimal,
}

impl User {
    /// As the bridge shows it.
    pub(super) fn record(&self) -> Value {
        let mut record: Map<String, Value> =
            self.details.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
        record.extend([
            ("login".to_owned(), json!(self.login)),
            ("group".to_owned(), json!(self.group.name)),
            ("leverage".to_owned(), json!(self.leverage)),
            ("enableFlags".to_owned(), json!(self.flags)),
            ("registrationDate".to_owned(), json!(written(self.registered_s))),
            ("lastDate".to_owned(), json!(written(self.registered_s))),
            ("balance".to_owned(), number(self.balance)),
            ("credit".to_owned(), number(self.credit)),
            ("agentAccount".to_owned(), json!(0)),
            ("sendReports".to_owned(), json!(1)),
        ]);
        Value::Object(record)
    }
}

impl User {
    /// As the bridge shows what open positions hold: what is called balance there has the credit in it.
    pub(super) fn margin_level(&self) -> Value {
        let equity = self.balance + self.credit + self.floating;
        json!({
            "login": self.login, "group": self.group.name, "leverage": self.leverage, "balance": number(self.balance + self.credit),
            "equity": number(equity), "margin": number(self.margin), "marginFree": number(equity - self.margin),
        })
    }
}

/// A closed order or a balance operation.
#[derive(Debug, Clone)]
pub(super) struct Order {
    pub(super) number: u64,
    pub(super) login: u64,
    /// `Buy`, `Sell`, `Balance`, `Credit`, …
    pub(super) command: String,
    pub(super) symbol: String,
    /// 1/100 lot.
    pub(super) volume: u64,
    pub(super) open_s: i64,
    pub(super) close_s: i64,
    pub(super) open_price: Decimal,
    pub(super) close_price: Decimal,
    pub(super) profit: Decimal,
    pub(super) commission: Decimal,
    pub(super) storage: Decimal,
    pub(super) comment: String,
}

impl Order {
    /// As the bridge shows it.
    pub(super) fn record(&self) -> Value {
        json!({
            "order": self.number,
            "login": self.login,
            "symbol": self.symbol,
            "digits": 5,
            "tradeCommand": self.command,
            "volume": self.volume,
            "volumeLots": number(Decimal::from(self.volume) / Decimal::ONE_HUNDRED),
            "tradeRecordState": "ClosedNormal",
            "openPrice": number(self.open_price),
            "sl": 0.0,
            "tp": 0.0,
            "openTime": written(self.open_s),
            "closeTime": written(self.close_s),
            "closePrice": number(self.close_price),
            "commission": number(self.commission),
            "commissionAgent": 0.0,
            "storage": number(self.storage),
            "profit": number(self.profit),
            "taxes": 0.0,
            "magic": 0,
            "comment": self.comment,
            "tradeRecordReason": "Dealer",
            "timeStamp": written(self.close_s),
            "marginRate": 0.0,
        })
    }
}

/// A number as a binary fraction writes it.
pub(super) fn number(value: Decimal) -> Value {
    let number: Option<Number> = value.to_string().parse().ok();
    number.map_or(Value::Null, Value::Number)
}

/// A time of the server's clock, without a zone.
pub(super) fn written(seconds: i64) -> String {
    let time = jiff::Timestamp::from_second(seconds).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    time.strftime("%Y-%m-%dT%H:%M:%S").to_string()
}

/// Everything the trading server stores.
#[derive(Debug)]
pub(super) struct Book {
    groups: BTreeMap<String, Mt5Group>,
    pub(super) users: BTreeMap<u64, User>,
    /// By login, in the order of their closing.
    pub(super) orders: HashMap<u64, Vec<Order>>,
    next_login: u64,
    last_login: u64,
    next_order: u64,
}

impl Book {
    pub(super) fn new(config: &Mt4Config) -> Self {
        let groups = config.groups.iter().cloned();
        Self {
            groups: groups.map(|group| (group.name.clone(), group)).collect(),
            users: BTreeMap::new(),
            orders: HashMap::new(),
            next_login: config.first_login,
            last_login: config.last_login,
            next_order: FIRST_ORDER,
        }
    }

    /// An empty book that gives no login or order number a second time.
    pub(super) fn emptied(&self, config: &Mt4Config) -> Self {
        Self { next_login: self.next_login, next_order: self.next_order, ..Self::new(config) }
    }

    pub(super) fn group(&self, name: &str) -> Option<&Mt5Group> {
        self.groups.get(name)
    }

    /// The wanted login if it is free, else the next free one of the range; none where there is none.
    pub(super) fn choose_login(&mut self, wanted: Option<u64>) -> Option<u64> {
        if let Some(wanted) = wanted {
            return (wanted <= self.last_login && !self.users.contains_key(&wanted)).then_some(wanted);
        }
        while self.users.contains_key(&self.next_login) {
            self.next_login += 1;
        }
        let free = (self.next_login <= self.last_login).then_some(self.next_login)?;
        self.next_login += 1;
        Some(free)
    }

    /// Appends an order and books its result; its number.
    pub(super) fn append(&mut self, order: Order) -> Option<u64> {
        let user = self.users.get_mut(&order.login)?;
        let result = order.profit + order.commission + order.storage;
        match order.command == CREDIT {
            true => user.credit += result,
            false => user.balance += result,
        }
        let number = self.next_order;
        self.next_order += 1;
        self.orders.entry(order.login).or_default().push(Order { number, ..order });
        Some(number)
    }

    pub(super) fn order(&self, number: u64) -> Option<&Order> {
        self.orders.values().flatten().find(|order| order.number == number)
    }

    /// For the state route; one login or all.
    pub(super) fn describe(&self, only: Option<u64>) -> Map<String, Value> {
        let shown = |login: u64| only.is_none_or(|only| only == login);
        let users = self.users.values().filter(|user| shown(user.login));
        let users: Vec<_> = users
            .map(|user| {
                let mut record = user.record();
                record["currency"] = json!(user.group.currency);
                record
            })
            .collect();
        let mut orders: Vec<_> = self.orders.values().flatten().filter(|order| shown(order.login)).collect();
        orders.sort_by_key(|order| order.number);
        let orders: Vec<_> = orders.into_iter().map(Order::record).collect();
        Map::from_iter([("users".to_owned(), json!(users)), ("orders".to_owned(), json!(orders))])
    }
}
