//! Sessions by the merchant's order id, and the transaction in each.

use std::collections::HashMap;

use serde_json::{Value, json};

use crate::courier::Notification;
use crate::payer::Named;
use crate::till::Records;

use super::message::{Members, raw, string};

/// What a payer did in a session. Amounts as written on the wire.
#[derive(Debug, Clone)]
pub(super) struct Transaction {
    pub(super) tid: String,
    pub(super) transaction_id: String,
    pub(super) status: String,
    pub(super) amount: String,
    pub(super) currency: String,
    pub(super) conversion_rate: String,
    pub(super) processed_amount: String,
    pub(super) processed_currency: String,
}

/// A session and its order.
#[derive(Debug, Clone)]
pub(super) struct Order {
    pub(super) order_id: String,
    pub(super) auth_token: String,
    pub(super) customer_token: String,
    pub(super) intent: String,
    pub(super) cid: String,
    pub(super) amount: String,
    pub(super) currency: String,
    pub(super) return_url: Option<String>,
    pub(super) expired: bool,
    pub(super) transaction: Option<Transaction>,
}

impl Order {
    /// Transaction status, or the session's when there is no transaction.
    pub(super) fn status(&self) -> &str {
        match (&self.transaction, self.expired) {
            (Some(transaction), _) => &transaction.status,
            (None, true) => "expired",
            (None, false) => "initialized",
        }
    }

    /// True while the payer's page has something to offer.
    pub(super) fn payer_can_act(&self) -> bool {
        !self.expired
            && self.transaction.as_ref().is_none_or(|transaction| {
                matches!(transaction.status.as_str(), "rejected" | "declined" | "error" | "cancelled" | "pending")
            })
    }

    /// The same request again, as far as the session depends on it.
    pub(super) fn same_request(&self, other: &Self) -> bool {
        self.intent == other.intent
            && self.cid == other.cid
            && self.amount == other.amount
            && self.currency == other.currency
    }

    fn transaction_type(&self) -> &'static str {
        if self.intent == "withdrawal" { "payout" } else { "sale" }
    }

    pub(super) fn customer_members(&self) -> Members {
        Members::from([("customer_token".to_owned(), string(&self.customer_token))])
    }

    pub(super) fn session_members(&self) -> Members {
        let status = match (&self.transaction, self.expired) {
            (_, true) => "expired",
            (Some(_), false) => "open",
            (None, false) => "initialized",
        };
        Members::from([
            ("auth_token".to_owned(), string(&self.auth_token)),
            ("intent".to_owned(), string(&self.intent)),
            ("session_status".to_owned(), string(status)),
            ("order_id".to_owned(), string(&self.order_id)),
            ("currency".to_owned(), string(&self.currency)),
            ("amount".to_owned(), raw(&self.amount)),
            ("cid".to_owned(), string(&self.cid)),
        ])
    }

    pub(super) fn transaction_members(&self, transaction: &Transaction) -> Members {
        Members::from([
            ("transaction_type".to_owned(), string(self.transaction_type())),
            ("transaction_status".to_owned(), string(&transaction.status)),
            ("tid".to_owned(), raw(&transaction.tid)),
            ("transaction_id".to_owned(), string(&transaction.transaction_id)),
            ("currency".to_owned(), string(&transaction.currency)),
            ("amount".to_owned(), raw(&transaction.amount)),
            ("conversion_rate".to_owned(), raw(&transaction.conversion_rate)),
            ("processed_currency".to_owned(), string(&transaction.processed_currency)),
            ("processed_amount".to_owned(), raw(&transaction.processed_amount)),
            ("fee".to_owned(), raw("0")),
            ("payment_method".to_owned(), string("Credit Card")),
            ("payment_processor".to_owned(), string("TestCardProcessor")),
            ("gateway".to_owned(), string("simulator")),
            ("status_code".to_owned(), raw("null")),
            ("status_details".to_owned(), string(&transaction.status)),
        ])
    }

    /// For the state route.
    pub(super) fn describe(&self) -> Value {
        let number = |text: &str| serde_json::from_str::<Value>(text).unwrap_or_else(|_| json!(text));
        let transaction = self.transaction.as_ref().map(|transaction| {
            json!({
                "tid": number(&transaction.tid),
                "transaction_id": transaction.transaction_id,
                "transaction_status": transaction.status,
                "amount": number(&transaction.amount),
                "currency": transaction.currency,
                "conversion_rate": number(&transaction.conversion_rate),
                "processed_amount": number(&transaction.processed_amount),
                "processed_currency": transaction.processed_currency,
            })
        });
        json!({
            "order_id": self.order_id,
            "auth_token": self.auth_token,
            "customer_token": self.customer_token,
            "intent": self.intent,
            "cid": self.cid,
            "amount": number(&self.amount),
            "currency": self.currency,
            "status": self.status(),
            "transaction": transaction,
        })
    }
}

/// Everything recorded, with an index for each way it is looked up.
#[derive(Debug, Default)]
pub(crate) struct Book {
    pub(super) orders: Vec<Order>,
    by_order_id: HashMap<String, usize>,
    /// Session tokens and transaction numbers.
    by_reference: HashMap<String, usize>,
    pub(super) notifications: Vec<Notification>,
}

impl Book {
    pub(super) fn add(&mut self, order: Order) {
        let index = self.orders.len();
        self.by_order_id.insert(order.order_id.clone(), index);
        self.by_reference.insert(order.auth_token.clone(), index);
        self.orders.push(order);
    }

    pub(super) fn find(&self, name: &Named<'_>) -> Option<&Order> {
        self.orders.get(self.index(name)?)
    }

    fn index(&self, name: &Named<'_>) -> Option<usize> {
        match name {
            Named::Reference(reference) => self.by_reference.get(*reference).copied(),
            Named::PaymentId(order_id) => self.by_order_id.get(*order_id).copied(),
        }
    }

    /// Replaces an order by its changed copy.
    pub(super) fn update(&mut self, order: Order) {
        let Some(index) = self.by_order_id.get(&order.order_id).copied() else {
            return;
        };
        if let Some(transaction) = &order.transaction {
            self.by_reference.insert(transaction.tid.clone(), index);
        }
        if let Some(slot) = self.orders.get_mut(index) {
            *slot = order;
        }
    }
}

impl Records for Book {
    fn knows(&self, name: &Named<'_>) -> bool {
        self.find(name).is_some()
    }

    fn told(&self) -> &[Notification] {
        &self.notifications
    }
}
