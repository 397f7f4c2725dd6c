//! What the vendor remembers: intents, refunds, events, first answers.

use std::collections::HashMap;

use axum::response::Response;
use http::{HeaderValue, StatusCode};
use serde_json::Value;

use crate::courier::Notification;
use crate::payer::Named;
use crate::reply;
use crate::till::Records;

use super::intent::Intent;

/// The first answer given under an idempotency key.
#[derive(Debug, Clone)]
pub(crate) struct FirstAnswer {
    /// Method, path and parameters, sorted.
    pub(crate) fingerprint: String,
    pub(crate) status: StatusCode,
    pub(crate) body: Value,
}

impl FirstAnswer {
    /// The answer to a repeat.
    pub(crate) fn again(&self) -> Response {
        let mut response = reply::json(self.status, &self.body);
        response.headers_mut().insert("idempotent-replayed", HeaderValue::from_static("true"));
        response
    }
}

/// Everything recorded, with an index for each way it is looked up.
#[derive(Debug, Default)]
pub(crate) struct Book {
    pub(crate) intents: Vec<Intent>,
    by_id: HashMap<String, usize>,
    by_payment_id: HashMap<String, Vec<usize>>,
    pub(crate) refunds: Vec<Value>,
    pub(crate) events: Vec<Notification>,
}

impl Book {
    pub(crate) fn add(&mut self, intent: Intent) {
        let index = self.intents.len();
        self.by_id.insert(intent.id.clone(), index);
        self.by_payment_id.entry(intent.payment_id().to_owned()).or_default().push(index);
        self.intents.push(intent);
    }

    /// The intent of this name; of several attempts the last.
    pub(crate) fn find(&self, name: &Named<'_>) -> Option<&Intent> {
        self.intents.get(self.index(name)?)
    }

    pub(crate) fn find_mut(&mut self, name: &Named<'_>) -> Option<&mut Intent> {
        let index = self.index(name)?;
        self.intents.get_mut(index)
    }

    fn index(&self, name: &Named<'_>) -> Option<usize> {
        match name {
            Named::Reference(id) => self.by_id.get(*id).copied(),
            Named::PaymentId(id) => self.by_payment_id.get(*id)?.last().copied(),
        }
    }

    /// Every attempt of a payment, oldest first.
    pub(crate) fn of_payment(&self, payment_id: &str) -> impl Iterator<Item = &Intent> {
        self.by_payment_id
            .get(payment_id)
            .map(Vec::as_slice)
            .unwrap_or_default()
            .iter()
            .filter_map(|index| self.intents.get(*index))
    }
}

impl Records for Book {
    fn knows(&self, name: &Named<'_>) -> bool {
        self.find(name).is_some()
    }

    fn told(&self) -> &[Notification] {
        &self.events
    }
}
