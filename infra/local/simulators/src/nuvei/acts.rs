//! What becomes of an order, and the notifications that tell of it.

use axum::body::Bytes;
use axum::response::Response;
use http::StatusCode;
use serde_json::{Value, json};
use url::form_urlencoded::Serializer;

use crate::courier::Notification;
use crate::desk::lock;
use crate::payer::{Pay, SendEvent, named, unknown_payment};
use crate::reply;

use super::Nuvei;

/// A transaction. The amount as it is written.
#[derive(Debug, Clone)]
pub(super) struct Transaction {
    id: String,
    kind: String,
    status: String,
    amount: String,
    currency: String,
    related: String,
}

impl Transaction {
    pub(super) fn details(&self) -> Value {
        json!({
            "transactionId": self.id, "transactionType": self.kind, "transactionStatus": self.status,
            "processedAmount": self.amount, "processedCurrency": self.currency, "relatedTransactionId": self.related,
            "date": "", "gwErrorCode": 0, "gwErrorReason": "",
        })
    }
}

/// An order, known from the page or from whoever said that a payer was there.
#[derive(Debug, Clone)]
pub(crate) struct Order {
    pub(super) id: String,
    pub(super) payment_id: String,
    pub(super) amount: String,
    pub(super) currency: String,
    pub(super) return_url: Option<String>,
    transactions: Vec<Transaction>,
}

impl Order {
    pub(super) fn new(
        id: String,
        payment_id: String,
        amount: String,
        currency: &str,
        return_url: Option<&str>,
    ) -> Self {
        let (currency, return_url) = (currency.to_owned(), return_url.map(str::to_owned));
        Self { id, payment_id, amount, currency, return_url, transactions: Vec::new() }
    }

    /// The payer's last transaction.
    pub(super) fn payers(&self) -> Option<&Transaction> {
        self.transactions.iter().rev().find(|one| matches!(one.kind.as_str(), "Sale" | "Auth" | "Settle"))
    }

    pub(super) fn transaction(&self, id: &str) -> Option<&Transaction> {
        self.transactions.iter().find(|one| one.id == id)
    }

    pub(super) fn status(&self) -> String {
        self.transactions.last().map_or_else(|| "none".to_owned(), |last| format!("{}.{}", last.kind, last.status))
    }

    /// True while the payer's page has something to offer.
    pub(super) fn payer_can_act(&self) -> bool {
        self.payers().is_none_or(|last| last.status != "APPROVED")
    }

    pub(super) fn describe(&self) -> Value {
        let transactions: Vec<Value> = self.transactions.iter().map(Transaction::details).collect();
        json!({
            "id": self.id, "merchant_unique_id": self.payment_id, "amount": self.amount, "currency": self.currency,
            "status": self.status(), "transactions": transactions,
        })
    }
}

/// Kind and status for a word of the control route; the vendor's own words are understood, too.
fn event(outcome: &str) -> Option<(&str, &str)> {
    Some(match outcome {
        "succeeded" => ("Sale", "APPROVED"),
        "failed" => ("Sale", "DECLINED"),
        "processing" => ("Sale", "PENDING"),
        "authorised" => ("Auth", "APPROVED"),
        "settled" => ("Settle", "APPROVED"),
        "voided" => ("Void", "APPROVED"),
        "refunded" => ("Credit", "APPROVED"),
        "refund_declined" => ("Credit", "DECLINED"),
        "disputed" => ("Chargeback", "APPROVED"),
        own => own.split_once('.')?,
    })
}

fn bad(text: &str) -> Box<Response> {
    Box::new(reply::control_error(StatusCode::BAD_REQUEST, text))
}

/// Changes the order as the act does and makes the notification. A payer who was not seen at the page needs amount and currency.
pub(super) fn apply(nuvei: &Nuvei, order: &Pay) -> Result<(Value, Notification), Box<Response>> {
    let name = named(order.reference.as_ref(), order.payment_id.as_ref());
    let name = name.ok_or_else(|| bad("payment_id or reference is needed"))?;
    let (kind, status) = event(&order.outcome).ok_or_else(|| bad("outcome is no kind with a status"))?;
    let book = &mut *lock(&nuvei.till.book);
    if let (None, Some(payment_id), Some(amount), Some(currency)) =
        (book.find(&name), &order.payment_id, &order.amount, &order.currency)
    {
        let id = nuvei.till.ids.number("order").to_string();
        let seen = Order::new(id.clone(), payment_id.clone(), amount.clone(), &currency.to_ascii_uppercase(), None);
        book.add(payment_id, &id, seen);
    }
    let known = book.find_mut(&name).ok_or_else(|| Box::new(unknown_payment()))?;
    let told = transact(nuvei, known, kind, status, (order.amount.as_ref(), order.currency.as_ref()));
    let notification = tell(nuvei, known, &told, &[]);
    let answer = json!({
        "reference": told.id, "payment_id": known.payment_id, "status": known.status(), "event_id": notification.event_id,
    });
    let payment_id = known.payment_id.clone();
    book.also(&payment_id, &told.id);
    book.notifications.push(notification.clone());
    Ok((answer, notification))
}

/// The transaction that an act makes, or goes on with. A chargeback is told of the sale itself.
fn transact(
    nuvei: &Nuvei,
    order: &mut Order,
    kind: &str,
    status: &str,
    (amount, currency): (Option<&String>, Option<&String>),
) -> Transaction {
    let sale = order.payers().cloned();
    let usual = sale.as_ref().map_or_else(|| order.amount.clone(), |sale| sale.amount.clone());
    let told = Transaction {
        id: nuvei.till.ids.number("transaction").to_string(),
        kind: kind.to_owned(),
        status: status.to_owned(),
        amount: amount.cloned().unwrap_or(usual),
        currency: currency.map_or_else(|| order.currency.clone(), |currency| currency.to_ascii_uppercase()),
        related: match (kind, &sale) {
            ("Sale" | "Auth", _) | (_, None) => String::new(),
            (_, Some(sale)) => sale.id.clone(),
        },
    };
    match (kind, sale) {
        ("Chargeback", Some(sale)) => Transaction { id: sale.id, ..told },
        (_, Some(sale)) if sale.kind == kind && sale.status == "PENDING" => {
            let told = Transaction { id: sale.id, ..told };
            let same = |one: &mut Transaction| one.id != told.id;
            order.transactions.retain_mut(same);
            order.transactions.push(told.clone());
            told
        }
        _ => {
            order.transactions.push(told.clone());
            told
        }
    }
}

/// A notification about an order; about an invented one if amount and currency are given. `object` is laid over its values.
pub(super) fn forge(nuvei: &Nuvei, order: &SendEvent) -> Result<Notification, Box<Response>> {
    let name = named(order.reference.as_ref(), order.payment_id.as_ref());
    let (kind, status) = event(&order.event_type).ok_or_else(|| bad("type is no kind with a status"))?;
    let book = &mut *lock(&nuvei.till.book);
    let known = name.and_then(|name| book.find(&name).cloned());
    let invented = || {
        let payment_id = order.payment_id.clone().unwrap_or_default();
        Some(Order::new(String::new(), payment_id, order.amount.clone()?, order.currency.as_ref()?, None))
    };
    let mut known = known.or_else(invented).ok_or_else(|| Box::new(unknown_payment()))?;
    let mut told = transact(nuvei, &mut known, kind, status, (order.amount.as_ref(), order.currency.as_ref()));
    if let Some(reference) = &order.reference {
        told.id.clone_from(reference);
    }
    let over: Vec<(&str, String)> = order
        .object
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str().map_or_else(|| value.to_string(), str::to_owned)))
        .collect();
    let notification = tell(nuvei, &known, &told, &over);
    book.notifications.push(notification.clone());
    Ok(notification)
}

fn tell(nuvei: &Nuvei, order: &Order, told: &Transaction, over: &[(&str, String)]) -> Notification {
    let at = jiff::Timestamp::from_millisecond(nuvei.till.clock.now_ms()).unwrap_or_default();
    let usual = [
        ("ppp_status", if told.status == "APPROVED" { "OK" } else { "FAIL" }.to_owned()),
        ("Status", told.status.clone()),
        ("transactionType", told.kind.clone()),
        ("TransactionID", told.id.clone()),
        ("relatedTransactionId", told.related.clone()),
        ("totalAmount", told.amount.clone()),
        ("currency", told.currency.clone()),
        ("PPP_TransactionID", order.id.clone()),
        ("responseTimeStamp", at.strftime("%Y-%m-%d.%H:%M:%S").to_string()),
        ("productId", String::new()),
        ("merchant_unique_id", order.payment_id.clone()),
        ("clientUniqueId", order.payment_id.clone()),
        ("invoice_id", order.payment_id.clone()),
        ("merchant_id", nuvei.config.merchant_id.clone()),
        ("merchant_site_id", nuvei.config.merchant_site_id.clone()),
        ("message", "Success".to_owned()),
    ];
    let values = usual.map(|(name, usual)| {
        let laid = over.iter().find(|(over, _)| *over == name).map(|(_, value)| value.clone());
        (name, laid.unwrap_or(usual))
    });
    let value = |wanted: &str| values.iter().find(|(name, _)| *name == wanted).map_or("", |(_, value)| value);
    let signed = ["totalAmount", "currency", "responseTimeStamp", "PPP_TransactionID", "Status", "productId"];
    let mut form = Serializer::new(String::new());
    form.extend_pairs(values.iter());
    Notification {
        event_id: format!("{}:{}.{}", told.id, told.kind, told.status),
        event_type: format!("{}.{}", told.kind, told.status),
        payment_id: order.payment_id.clone(),
        body: Bytes::from(form.finish()),
        signed_values: signed.map(value).concat(),
    }
}
