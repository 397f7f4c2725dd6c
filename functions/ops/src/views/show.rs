//! Accounts and payments as the API shows them.

use domain::account::Account;
use domain::payment::Deposit;
use serde_json::{Value, json};

/// A trading account; its balance is added by whoever asks the platform.
pub(super) fn account_view(account: &Account) -> Value {
    let facts = &account.facts;
    json!({
        "account_id": account.id, "client_id": account.client_id, "platform": facts.platform, "kind": facts.kind,
        "account_type": facts.account_type, "login": facts.login, "group": facts.group, "currency": facts.currency,
        "leverage": facts.leverage, "status": facts.status.as_str(), "created_at": facts.created_at,
    })
}

/// A payment with its timeline.
pub(super) fn payment_view(deposit: &Deposit) -> Value {
    let facts = &deposit.facts;
    let timeline: Vec<Value> =
        deposit.timeline().map(|(at, status, why)| json!({"at": at, "status": status.as_str(), "why": why})).collect();
    let mut view = json!({
        "payment_id": deposit.id, "client_id": deposit.client_id, "account_id": facts.account_id, "kind": "deposit",
        "status": facts.status.as_str(), "requested": facts.requested, "psp": facts.psp, "platform": facts.platform,
        "timeline": timeline,
    });
    if let Some(object) = view.as_object_mut() {
        for (name, money) in [("paid", facts.paid), ("credited", facts.credited)] {
            if let Some(money) = money {
                object.insert(name.to_owned(), json!(money));
            }
        }
        if let Some(review) = &facts.review {
            object.insert("review".to_owned(), json!(review));
        }
    }
    view
}
