//! Accounts and payments as the API shows them.

use domain::account::Account;
use domain::account::change::Change;
use domain::payment::Deposit;
use domain::withdrawal::{Destination, Withdrawal};
use serde_json::{Value, json};
use store::{KeptBalance, Payment};

/// A trading account with its balance, as far as it is known.
pub(super) fn account_view(account: &Account, balance: Option<&KeptBalance>) -> Value {
    let facts = &account.facts;
    let mut view = json!({
        "account_id": account.id, "client_id": account.client_id, "platform": facts.platform, "kind": facts.kind,
        "account_type": facts.account_type, "login": facts.login, "group": facts.group, "currency": facts.currency,
        "leverage": facts.leverage, "status": facts.status.as_str(), "created_at": facts.created_at,
        "access": account.access(),
    });
    if let (Some(refused), Some(object)) = (&facts.refused, view.as_object_mut()) {
        object.insert("refused".to_owned(), json!(refused));
    }
    if let (Some(kept), Some(object)) = (balance, view.as_object_mut()) {
        object.insert("balance".to_owned(), json!(kept.balance));
        object.insert("balance_at".to_owned(), json!(kept.at));
    }
    view
}

/// A change of an account.
pub(super) fn change_view(change: &Change) -> Value {
    let facts = &change.facts;
    json!({
        "change_id": change.id, "account_id": facts.account_id, "status": facts.status, "needs": facts.needs,
        "wanted": facts.wanted, "created_at": facts.created_at,
    })
}

/// A payment with its timeline, and for people of ours what they are asked about it: that may name another payment.
pub(super) fn payment_view(payment: &Payment, for_staff: bool) -> Value {
    match payment {
        Payment::Deposit(stored) => deposit_view(&stored.entity, for_staff),
        Payment::Withdrawal(stored) => withdrawal_view(&stored.entity, for_staff),
    }
}

fn withdrawal_view(own: &Withdrawal, for_staff: bool) -> Value {
    let facts = &own.facts;
    let timeline: Vec<Value> =
        own.timeline().map(|(at, status, why)| json!({"at": at, "status": status, "why": why})).collect();
    let destination = if own.is_split() { json!({"auto": true}) } else { destination_view(own) };
    let mut view = json!({
        "payment_id": own.id, "client_id": own.client_id, "account_id": facts.account_id, "kind": "withdrawal",
        "status": facts.status, "requested": facts.requested, "psp": facts.psp, "platform": facts.platform,
        "destination": destination, "timeline": timeline,
    });
    if let Some(object) = view.as_object_mut() {
        if own.is_split() {
            object.insert("legs".to_owned(), json!(facts.legs));
        }
        if let Some(whole) = &facts.part_of {
            object.insert("part_of".to_owned(), json!(whole));
        }
        for (name, money) in [("debited", facts.debited), ("paid", facts.paid), ("returned", facts.returned)] {
            if let Some(money) = money {
                object.insert(name.to_owned(), json!(money));
            }
        }
        if let Some(review) = facts.review.as_ref().filter(|_| for_staff) {
            object.insert("review".to_owned(), json!(review));
        }
        if let Some(payee) = facts.payee.filter(|_| for_staff) {
            object.insert("payee".to_owned(), json!(payee));
        }
    }
    view
}

/// A leg of a withdrawal that goes to several places, as it stands.
pub(super) fn leg_view(own: &Withdrawal) -> Value {
    let facts = &own.facts;
    let mut view = json!({
        "payment_id": own.id, "amount": facts.requested, "status": facts.status, "psp": facts.psp,
        "destination": destination_view(own),
    });
    if let Some(object) = view.as_object_mut() {
        for (name, money) in [("paid", facts.paid), ("returned", facts.returned)] {
            if let Some(money) = money {
                object.insert(name.to_owned(), json!(money));
            }
        }
    }
    view
}

/// Where it goes, as it was asked for.
fn destination_view(own: &Withdrawal) -> Value {
    let psp = &own.facts.psp.name;
    match &own.inner.destination {
        Destination::Source { payment_id, .. } => json!({"psp": psp, "source_payment_id": payment_id}),
        Destination::Email(email) => json!({"psp": psp, "email": email}),
        Destination::Crypto { currency, address, tag: None } => {
            json!({"psp": psp, "currency": currency, "address": address})
        }
        Destination::Crypto { currency, address, tag: Some(tag) } => {
            json!({"psp": psp, "currency": currency, "address": address, "tag": tag})
        }
    }
}

fn deposit_view(deposit: &Deposit, for_staff: bool) -> Value {
    let facts = &deposit.facts;
    let timeline: Vec<Value> =
        deposit.timeline().map(|(at, status, why)| json!({"at": at, "status": status.as_str(), "why": why})).collect();
    let mut view = json!({
        "payment_id": deposit.id, "client_id": deposit.client_id, "account_id": facts.account_id, "kind": "deposit",
        "status": facts.status.as_str(), "requested": facts.requested, "psp": facts.psp, "platform": facts.platform,
        "timeline": timeline,
    });
    if let Some(object) = view.as_object_mut() {
        for (name, money) in [("paid", facts.paid), ("returned", facts.returned), ("credited", facts.credited)] {
            if let Some(money) = money {
                object.insert(name.to_owned(), json!(money));
            }
        }
        if let Some(fx) = &facts.fx {
            object.insert("fx".to_owned(), json!(fx));
        }
        if let Some(fee) = &facts.fee {
            object.insert("fee".to_owned(), json!(fee));
        }
        if let Some(review) = facts.review.as_ref().filter(|_| for_staff) {
            object.insert("review".to_owned(), json!(review));
        }
    }
    view
}
