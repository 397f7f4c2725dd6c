//! Payment handles, and the payment made with each.

use serde_json::{Value, json};

use crate::courier::Notification;
use crate::payer::Named;
use crate::till::Records;

/// What was collected with a handle.
#[derive(Debug, Clone)]
pub(super) struct Payment {
    pub(super) id: String,
    pub(super) amount: i64,
    pub(super) currency: String,
    pub(super) status: &'static str,
    pub(super) time: String,
}

/// A handle.
#[derive(Debug, Clone)]
pub(super) struct Handle {
    pub(super) id: String,
    pub(super) token: String,
    pub(super) merchant_ref: String,
    pub(super) payment_type: String,
    pub(super) amount: i64,
    pub(super) currency: String,
    pub(super) status: &'static str,
    pub(super) return_url: Option<String>,
    pub(super) time: String,
    pub(super) payment: Option<Payment>,
}

impl Handle {
    pub(super) fn object(&self, base_url: &str) -> Value {
        json!({
            "id": self.id,
            "paymentType": self.payment_type,
            "paymentHandleToken": self.token,
            "merchantRefNum": self.merchant_ref,
            "transactionType": "PAYMENT",
            "amount": self.amount,
            "currencyCode": self.currency,
            "status": self.status,
            "action": "REDIRECT",
            "usage": "SINGLE_USE",
            "executionMode": "SYNCHRONOUS",
            "timeToLiveSeconds": 899,
            "txnTime": self.time,
            "links": [{ "rel": "redirect_payment", "href": format!("{base_url}/pay/{}", self.id) }],
        })
    }

    pub(super) fn payment_object(&self) -> Option<Value> {
        let payment = self.payment.as_ref()?;
        Some(json!({
            "id": payment.id,
            "paymentType": self.payment_type,
            "paymentHandleToken": self.token,
            "merchantRefNum": self.merchant_ref,
            "amount": payment.amount,
            "currencyCode": payment.currency,
            "status": payment.status,
            "settleWithAuth": true,
            "dupCheck": true,
            "txnTime": payment.time,
        }))
    }
}

/// Everything recorded.
#[derive(Debug, Default)]
pub(crate) struct Book {
    pub(super) handles: Vec<Handle>,
    pub(super) notifications: Vec<Notification>,
}

impl Book {
    /// By our number, or by that of the handle or of the payment.
    pub(super) fn find(&self, name: &Named<'_>) -> Option<&Handle> {
        self.handles.iter().rev().find(|handle| is_named(handle, name))
    }

    pub(super) fn find_mut(&mut self, name: &Named<'_>) -> Option<&mut Handle> {
        self.handles.iter_mut().rev().find(|handle| is_named(handle, name))
    }
}

fn is_named(handle: &Handle, name: &Named<'_>) -> bool {
    match name {
        Named::PaymentId(id) => handle.merchant_ref == *id,
        Named::Reference(id) => handle.id == *id || handle.payment.as_ref().is_some_and(|payment| payment.id == *id),
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
