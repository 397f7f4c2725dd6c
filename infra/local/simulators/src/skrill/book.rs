//! Payments by the merchant's number, and the sessions that lead to them.

use std::collections::HashMap;

use serde_json::{Value, json};

use crate::courier::Notification;
use crate::payer::Named;
use crate::till::Records;

/// A payment of a merchant.
#[derive(Debug, Clone)]
pub(super) struct Payment {
    pub(super) transaction_id: String,
    /// The vendor's number; each attempt has one.
    pub(super) mb_transaction_id: String,
    pub(super) amount: String,
    pub(super) currency: String,
    /// What reached the merchant's account.
    pub(super) mb_amount: String,
    pub(super) mb_currency: String,
    pub(super) payer: String,
    pub(super) return_url: Option<String>,
    pub(super) told: bool,
    /// None until the payer acts: the vendor has no transaction then.
    pub(super) status: Option<i32>,
}

impl Payment {
    pub(super) fn status_word(&self) -> &'static str {
        match self.status {
            None => "open",
            Some(2) => "processed",
            Some(0) => "pending",
            Some(-1) => "cancelled",
            Some(-2) => "failed",
            Some(-3) => "chargeback",
            Some(_) => "unknown",
        }
    }

    /// True while the payer's page has something to offer.
    pub(super) fn payer_can_act(&self) -> bool {
        matches!(self.status, None | Some(-2))
    }

    /// Fields of a status report, without its signature.
    pub(super) fn fields(&self, merchant_email: &str, merchant_id: &str) -> Vec<(String, String)> {
        let status = self.status.unwrap_or(0).to_string();
        let mut fields = vec![
            ("pay_to_email", merchant_email.to_owned()),
            ("pay_from_email", self.payer.clone()),
            ("merchant_id", merchant_id.to_owned()),
            ("customer_id", "54322".to_owned()),
            ("transaction_id", self.transaction_id.clone()),
            ("mb_transaction_id", self.mb_transaction_id.clone()),
            ("mb_amount", self.mb_amount.clone()),
            ("mb_currency", self.mb_currency.clone()),
            ("status", status),
            ("amount", self.amount.clone()),
            ("currency", self.currency.clone()),
            ("payment_type", "WLT".to_owned()),
        ];
        if self.status == Some(-2) {
            fields.push(("failed_reason_code", "05".to_owned()));
        }
        fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }

    /// For the state route.
    pub(super) fn describe(&self) -> Value {
        json!({
            "transaction_id": self.transaction_id,
            "mb_transaction_id": self.mb_transaction_id,
            "amount": self.amount,
            "currency": self.currency,
            "mb_amount": self.mb_amount,
            "mb_currency": self.mb_currency,
            "status": self.status,
        })
    }
}

/// Everything recorded.
#[derive(Debug, Default)]
pub(crate) struct Book {
    payments: Vec<Payment>,
    by_transaction: HashMap<String, usize>,
    by_session: HashMap<String, usize>,
    pub(super) notifications: Vec<Notification>,
}

impl Book {
    pub(super) fn payments(&self) -> impl Iterator<Item = &Payment> {
        self.payments.iter()
    }

    /// Another session of a payment; false if there is one of this number with another amount or currency.
    pub(super) fn prepare(&mut self, payment: Payment, session: String) -> bool {
        let index = match self.by_transaction.get(&payment.transaction_id).copied() {
            Some(index) => {
                let same = self
                    .payments
                    .get(index)
                    .is_some_and(|known| (&known.amount, &known.currency) == (&payment.amount, &payment.currency));
                if !same {
                    return false;
                }
                index
            }
            None => {
                self.by_transaction.insert(payment.transaction_id.clone(), self.payments.len());
                self.payments.push(payment);
                self.payments.len() - 1
            }
        };
        self.by_session.insert(session, index);
        true
    }

    /// By our number, or by a session's.
    pub(super) fn find(&self, name: &Named<'_>) -> Option<&Payment> {
        self.payments.get(self.index(name)?)
    }

    pub(super) fn find_mut(&mut self, name: &Named<'_>) -> Option<&mut Payment> {
        let index = self.index(name)?;
        self.payments.get_mut(index)
    }

    fn index(&self, name: &Named<'_>) -> Option<usize> {
        match name {
            Named::Reference(session) => {
                self.by_session.get(*session).or_else(|| self.by_transaction.get(*session)).copied()
            }
            Named::PaymentId(id) => self.by_transaction.get(*id).copied(),
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
