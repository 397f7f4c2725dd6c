//! Addresses, and what came to each.

use serde_json::{Value, json};

use crate::courier::Notification;
use crate::payer::Named;
use crate::till::Records;

/// One transaction to an address. Amounts as written on the wire.
#[derive(Debug, Clone)]
pub(super) struct Deposit {
    pub(super) id: u64,
    pub(super) status: &'static str,
    pub(super) sent: String,
    pub(super) received: String,
    pub(super) received_currency: String,
    pub(super) txid: String,
}

impl Deposit {
    /// For the state route.
    pub(super) fn describe(&self) -> Value {
        json!({
            "id": self.id,
            "status": self.status,
            "sent": self.sent,
            "received": self.received,
            "received_currency": self.received_currency,
        })
    }

    pub(super) fn is_final(&self) -> bool {
        self.status != "not_confirmed"
    }
}

/// An address that was taken.
#[derive(Debug, Clone)]
pub(super) struct Address {
    pub(super) id: u64,
    pub(super) currency: String,
    pub(super) convert_to: Option<String>,
    pub(super) address: String,
    pub(super) tag: Option<String>,
    pub(super) foreign_id: String,
    pub(super) end_user_reference: Option<String>,
    pub(super) deposits: Vec<Deposit>,
}

impl Address {
    pub(super) fn describe(&self) -> Value {
        let mut all = json!({
            "id": self.id,
            "currency": self.currency,
            "address": self.address,
            "tag": self.tag,
            "foreign_id": self.foreign_id,
            "end_user_reference": self.end_user_reference,
        });
        if let (Some(members), Some(to)) = (all.as_object_mut(), &self.convert_to) {
            members.insert("convert_to".to_owned(), json!(to));
        }
        all
    }

    /// A callback about one of its deposits.
    pub(super) fn callback(&self, deposit: &Deposit) -> Value {
        let is_exchange = self.convert_to.is_some();
        let mut transactions = vec![json!({
            "id": deposit.id + 1,
            "currency": self.currency,
            "transaction_type": "blockchain",
            "type": "deposit",
            "address": self.address,
            "tag": self.tag,
            "amount": deposit.sent,
            "txid": deposit.txid,
            "riskscore": "0.1",
            "confirmations": if deposit.is_final() { "20" } else { "0" },
        })];
        if is_exchange {
            transactions.push(json!({
                "id": deposit.id + 2,
                "currency": self.currency,
                "currency_to": deposit.received_currency,
                "transaction_type": "exchange",
                "type": "exchange",
                "amount": deposit.sent,
                "amount_to": deposit.received,
            }));
        }
        let mut address = self.describe();
        if let Some(members) = address.as_object_mut() {
            members.remove("end_user_reference");
        }
        json!({
            "id": deposit.id,
            "end_user_reference": self.end_user_reference,
            "type": if is_exchange { "deposit_exchange" } else { "deposit" },
            "crypto_address": address,
            "currency_sent": { "currency": self.currency, "amount": deposit.sent },
            "currency_received": {
                "currency": deposit.received_currency,
                "amount": deposit.received,
                "amount_minus_fee": deposit.received,
            },
            "transactions": transactions,
            "fees": [],
            "error": "",
            "status": deposit.status,
        })
    }
}

/// Everything recorded.
#[derive(Debug, Default)]
pub(crate) struct Book {
    pub(super) addresses: Vec<Address>,
    /// What was sent, as it is told of.
    pub(super) withdrawals: Vec<Value>,
    pub(super) notifications: Vec<Notification>,
}

impl Book {
    /// By our number, by the address itself, or by the number of something that came to it.
    pub(super) fn find(&self, name: &Named<'_>) -> Option<&Address> {
        self.addresses.iter().rev().find(|address| is_named(address, name))
    }

    pub(super) fn find_mut(&mut self, name: &Named<'_>) -> Option<&mut Address> {
        self.addresses.iter_mut().rev().find(|address| is_named(address, name))
    }

    /// The address of the same request, or this one from now on.
    pub(super) fn take(&mut self, asked: Address) -> Value {
        let same = |known: &&Address| {
            (&known.foreign_id, &known.currency, &known.convert_to)
                == (&asked.foreign_id, &asked.currency, &asked.convert_to)
        };
        if let Some(known) = self.addresses.iter().find(same) {
            return known.describe();
        }
        let described = asked.describe();
        self.addresses.push(asked);
        described
    }
}

fn is_named(address: &Address, name: &Named<'_>) -> bool {
    match name {
        Named::PaymentId(id) => address.foreign_id == *id,
        Named::Reference(text) => {
            address.address == *text || address.deposits.iter().any(|deposit| deposit.id.to_string() == *text)
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
