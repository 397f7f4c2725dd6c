//! Accounts, the history of their balance, closed positions, and the people who log in.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde_json::{Map, Value, json};

use crate::config::CtraderConfig;

/// A bonus that cannot be withdrawn was given, or taken back.
pub(super) const BONUS_IN: i64 = 19;
pub(super) const BONUS_OUT: i64 = 20;

/// A trading account. Money in the deposit currency, major units.
#[derive(Debug, Clone)]
pub(super) struct Trader {
    pub(super) login: i64,
    /// The second number, which only the manager's interface uses.
    pub(super) trader_id: i64,
    pub(super) access: String,
    pub(super) account_type: String,
    pub(super) broker: String,
    pub(super) currency: String,
    pub(super) money_digits: u32,
    pub(super) group: String,
    pub(super) hashed_password: String,
    pub(super) leverage_cents: i64,
    pub(super) margin_type: String,
    pub(super) contact: Map<String, Value>,
    pub(super) name: String,
    pub(super) last_name: String,
    pub(super) description: String,
    pub(super) registered_ms: i64,
    pub(super) balance: Decimal,
    /// Counts for margin and cannot be withdrawn.
    pub(super) bonus: Decimal,
    pub(super) used_margin: Decimal,
    /// The person it is linked to.
    pub(super) user_id: Option<i64>,
}

impl Trader {
    /// As a whole number of the smallest unit that is shown.
    pub(super) fn scaled(&self, amount: Decimal) -> i64 {
        let factor = Decimal::from(10_i64.pow(self.money_digits));
        i64::try_from((amount * factor).trunc()).unwrap_or(i64::MAX)
    }

    /// The record as the web services give it: the second number is not in it, nor the password.
    pub(super) fn record(&self) -> Value {
        let equity = self.balance + self.bonus;
        let free = equity - self.used_margin;
        json!({
            "accessRights": self.access,
            "accountType": self.account_type,
            "balance": self.scaled(self.balance),
            "bonus": 0,
            "brokerName": self.broker,
            "cashEquity": self.scaled(self.balance),
            "contactDetails": self.contact,
            "depositCurrency": self.currency,
            "description": self.description,
            "equity": self.scaled(equity),
            "freeMargin": self.scaled(free),
            "groupName": self.group,
            "isLimitedRisk": false,
            "lastConnectionTimestamp": 0,
            "lastName": self.last_name,
            "lastUpdateTimestamp": self.registered_ms,
            "leverageInCents": self.leverage_cents,
            "login": self.login,
            "moneyDigits": self.money_digits,
            "name": self.name,
            "nonWithdrawableBonus": self.scaled(self.bonus),
            "registrationTimestamp": self.registered_ms,
            "swapFree": false,
            "totalMarginCalculationType": self.margin_type,
            "usedMargin": self.scaled(self.used_margin),
        })
    }
}

/// A row of the history of balance.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) number: i64,
    pub(super) trader_id: i64,
    /// 0 deposit, 1 withdrawal, 2 result of a closed position, [`BONUS_IN`], [`BONUS_OUT`].
    pub(super) kind: i64,
    /// Scaled by the account's digits; negative where it was taken out.
    pub(super) delta: i64,
    pub(super) balance: i64,
    pub(super) money_digits: u32,
    pub(super) at_ms: i64,
    pub(super) comment: String,
    pub(super) external_note: String,
    pub(super) external_id: String,
}

/// A closed position or a part of one.
#[derive(Debug, Clone)]
pub(super) struct Closed {
    pub(super) login: i64,
    pub(super) position: i64,
    pub(super) deal: i64,
    pub(super) opened_ms: i64,
    pub(super) closed_ms: i64,
    pub(super) direction: String,
    pub(super) volume: i64,
    pub(super) symbol: String,
    pub(super) entry_price: Decimal,
    pub(super) close_price: Decimal,
    pub(super) commission: Decimal,
    pub(super) swap: Decimal,
    pub(super) pnl: Decimal,
}

/// Everything the server stores.
#[derive(Debug, Default)]
pub(super) struct Book {
    pub(super) traders: BTreeMap<i64, Trader>,
    pub(super) entries: Vec<Entry>,
    pub(super) closed: Vec<Closed>,
    /// Person by mail address.
    pub(super) people: BTreeMap<String, i64>,
    next_login: i64,
    last_login: i64,
    next_number: i64,
}

impl Book {
    pub(super) fn new(config: &CtraderConfig) -> Self {
        Self {
            next_login: config.first_login,
            last_login: config.last_login,
            next_number: 1_000_001,
            ..Self::default()
        }
    }

    /// An empty book that gives no number a second time.
    pub(super) fn emptied(&self) -> Self {
        Self {
            next_login: self.next_login,
            last_login: self.last_login,
            next_number: self.next_number,
            ..Self::default()
        }
    }

    pub(super) fn next_login(&mut self) -> Option<i64> {
        let login = self.next_login;
        (login <= self.last_login).then(|| {
            self.next_login += 1;
            login
        })
    }

    /// A number for whatever else is numbered.
    pub(super) fn number(&mut self) -> i64 {
        self.next_number += 1;
        self.next_number - 1
    }

    /// Books an amount and gives the number of the row.
    pub(super) fn enter(&mut self, login: i64, amount: Decimal, what: Entry) -> Option<i64> {
        let number = self.number();
        let trader = self.traders.get_mut(&login)?;
        match matches!(what.kind, BONUS_IN | BONUS_OUT) {
            true => trader.bonus += amount,
            false => trader.balance += amount,
        }
        let delta = trader.scaled(amount);
        let balance = trader.scaled(trader.balance);
        let (trader_id, money_digits) = (trader.trader_id, trader.money_digits);
        self.entries.push(Entry { number, trader_id, delta, balance, money_digits, ..what });
        Some(number)
    }

    /// For the state route; one login or all.
    pub(super) fn describe(&self, only: Option<i64>) -> Map<String, Value> {
        let traders = self.traders.values().filter(|trader| only.is_none_or(|login| login == trader.login));
        let rows: Vec<_> = traders
            .clone()
            .map(|trader| {
                json!({
                    "login": trader.login,
                    "trader_id": trader.trader_id,
                    "group": trader.group,
                    "currency": trader.currency,
                    "access": trader.access,
                    "leverage_cents": trader.leverage_cents,
                    "name": trader.name,
                    "last_name": trader.last_name,
                    "description": trader.description,
                    "balance": trader.balance,
                    "bonus": trader.bonus,
                    "contact": trader.contact,
                    "hashed_password": trader.hashed_password,
                    "user_id": trader.user_id,
                })
            })
            .collect();
        let ids: Vec<i64> = traders.map(|trader| trader.trader_id).collect();
        let entries = self.entries.iter().filter(|entry| ids.contains(&entry.trader_id));
        let entries: Vec<_> = entries
            .map(|entry| {
                let trader = self.traders.values().find(|trader| trader.trader_id == entry.trader_id);
                json!({
                    "number": entry.number,
                    "login": trader.map(|trader| trader.login),
                    "type": entry.kind,
                    "delta": entry.delta,
                    "amount": Decimal::new(entry.delta, entry.money_digits),
                    "comment": entry.comment,
                    "external_id": entry.external_id,
                })
            })
            .collect();
        Map::from_iter([("users".to_owned(), json!(rows)), ("history".to_owned(), json!(entries))])
    }
}
