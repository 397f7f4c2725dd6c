//! Clients, their accounts, transfers and closed orders.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde_json::{Map, Value, json};

/// A person who logs in.
#[derive(Debug, Clone)]
pub(super) struct Client {
    pub(super) login: String,
    pub(super) password: String,
    /// Everything else that was given, by its name.
    pub(super) details: Map<String, Value>,
    pub(super) accounts: Vec<String>,
    /// Goes up with each change; its text is the `ETag`.
    pub(super) version: u64,
}

impl Client {
    pub(super) fn record(&self, domain: &str) -> Value {
        let mut record = self.details.clone();
        record.insert("domain".to_owned(), json!(domain));
        record.insert("login".to_owned(), json!(self.login));
        record.insert("accounts".to_owned(), json!(self.accounts));
        Value::Object(record)
    }
}

/// A trading account.
#[derive(Debug, Clone)]
pub(super) struct Account {
    pub(super) code: String,
    pub(super) status: String,
    pub(super) account_type: String,
    pub(super) currency: String,
    pub(super) balance: Decimal,
    /// What positions hold of it.
    pub(super) held: Decimal,
    pub(super) categories: BTreeMap<String, String>,
    pub(super) metadata: Map<String, Value>,
    pub(super) transfers: Vec<Transfer>,
    pub(super) orders: Vec<Value>,
}

impl Account {
    pub(super) fn record(&self, clearing_code: &str, broker_code: &str) -> Value {
        let categories: Vec<_> =
            self.categories.iter().map(|(category, value)| json!({ "category": category, "value": value })).collect();
        json!({
            "clearingCode": clearing_code,
            "accountCode": self.code,
            "brokerCode": broker_code,
            "type": "CLIENT",
            "status": self.status,
            "accountCashType": "MARGIN",
            "accountType": self.account_type,
            "currency": self.currency,
            "balance": number(self.balance),
            "credit": 0,
            "categories": categories,
            "metadata": self.metadata,
        })
    }
}

/// A deposit or withdrawal.
#[derive(Debug, Clone)]
pub(super) struct Transfer {
    pub(super) code: String,
    /// The id in the path.
    pub(super) id: String,
    /// `DEPOSIT` or `WITHDRAWAL`.
    pub(super) kind: &'static str,
    pub(super) amount: Decimal,
    pub(super) description: String,
    pub(super) at_ms: i64,
}

/// A number as JSON has it.
pub(super) fn number(amount: Decimal) -> Value {
    serde_json::from_str(&amount.normalize().to_string()).unwrap_or(Value::Null)
}

/// Everything the server stores.
#[derive(Debug, Default)]
pub(super) struct Book {
    pub(super) clients: BTreeMap<String, Client>,
    pub(super) accounts: BTreeMap<String, Account>,
    next_number: u64,
}

impl Book {
    /// An empty book that gives no number a second time.
    pub(super) fn emptied(&self) -> Self {
        Self { next_number: self.next_number, ..Self::default() }
    }

    pub(super) fn number(&mut self) -> u64 {
        self.next_number += 1;
        self.next_number + 700_000
    }

    /// For the state route; one account or all.
    pub(super) fn describe(&self, only: Option<&str>) -> Map<String, Value> {
        let wanted = |code: &str| only.is_none_or(|only| only == code);
        let accounts = self.accounts.values().filter(|account| wanted(&account.code));
        let transfers: Vec<_> = accounts
            .clone()
            .flat_map(|account| account.transfers.iter().map(move |transfer| (account, transfer)))
            .map(|(account, transfer)| {
                json!({
                    "login": account.code,
                    "code": transfer.code,
                    "id": transfer.id,
                    "type": transfer.kind,
                    "amount": transfer.amount,
                    "comment": transfer.description,
                })
            })
            .collect();
        let accounts: Vec<_> = accounts
            .map(|account| {
                json!({
                    "login": account.code,
                    "status": account.status,
                    "type": account.account_type,
                    "currency": account.currency,
                    "balance": account.balance,
                    "categories": account.categories,
                    "reference": account.metadata.get("reference"),
                })
            })
            .collect();
        let clients = self.clients.values().filter(|client| wanted(&client.login));
        let clients: Vec<_> = clients
            .map(|client| {
                json!({
                    "login": client.login,
                    "password": client.password,
                    "name": client.details.get("fullName"),
                    "accounts": client.accounts,
                    "version": client.version,
                })
            })
            .collect();
        Map::from_iter([
            ("users".to_owned(), json!(accounts)),
            ("clients".to_owned(), json!(clients)),
            ("transfers".to_owned(), json!(transfers)),
        ])
    }
}
