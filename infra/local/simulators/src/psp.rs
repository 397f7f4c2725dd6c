//! All payment providers behind one address: `/stripe/…`, `/praxis/…`, and control routes that find the vendor.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::{get, post};
use serde_json::{Map, Value, json};

use crate::control::webhook_base_route;
use crate::courier::{Courier, Delivery, Notification};
use crate::desk::Desk;
use crate::fault::Planned;
use crate::payer::{self, Cashier, Named, Pay, Resend, SendEvent, named, parse};
use crate::reply;
use crate::request::Call;

/// The vendors this address speaks for; payments that none of them made are forged in the name of the first.
pub(crate) struct Psp {
    first: Arc<dyn Cashier>,
    others: Vec<Arc<dyn Cashier>>,
}

impl Psp {
    /// Vendors with their own routes, which are served below their names.
    pub(crate) fn router(
        first: (Arc<dyn Cashier>, Router),
        others: Vec<(Arc<dyn Cashier>, Router)>,
        courier: Arc<Courier>,
    ) -> Router {
        let mut all = Router::new();
        for (vendor, routes) in std::iter::once(&first).chain(&others) {
            all = all.nest(&format!("/{}", vendor.name()), routes.clone());
        }
        let others = others.into_iter().map(|(vendor, _)| vendor).collect();
        let own = Router::new()
            .route("/_control/pay", post(pay))
            .route("/_control/webhook", post(webhook))
            .route("/_control/resend", post(resend))
            .route("/_control/state", get(state))
            .route("/_control/faults", post(add_faults).delete(clear_faults))
            .route("/_control/reset", post(reset))
            .with_state(Arc::new(Self { first: first.0, others }));
        all.merge(own).merge(webhook_base_route(courier))
    }

    fn all(&self) -> impl Iterator<Item = &Arc<dyn Cashier>> {
        std::iter::once(&self.first).chain(&self.others)
    }

    fn vendor(&self, name: Option<Named<'_>>) -> &dyn Cashier {
        let known = name.and_then(|name| self.all().find(|vendor| vendor.knows(&name)));
        known.unwrap_or(&self.first).as_ref()
    }
}

async fn pay(State(psp): State<Arc<Psp>>, call: Call) -> Response {
    match parse::<Pay>(&call.body) {
        Ok(order) => {
            let vendor = psp.vendor(named(order.reference.as_ref(), order.payment_id.as_ref()));
            payer::pay(vendor, order).await
        }
        Err(response) => *response,
    }
}

async fn webhook(State(psp): State<Arc<Psp>>, call: Call) -> Response {
    match parse::<SendEvent>(&call.body) {
        Ok(order) => {
            let vendor = psp.vendor(named(order.reference.as_ref(), order.payment_id.as_ref()));
            payer::send_event(vendor, order).await
        }
        Err(response) => *response,
    }
}

async fn resend(State(psp): State<Arc<Psp>>, call: Call) -> Response {
    match parse::<Resend>(&call.body) {
        Ok(order) => payer::resend(psp.vendor(named(None, order.payment_id.as_ref())), order).await,
        Err(response) => *response,
    }
}

async fn state(State(psp): State<Arc<Psp>>, call: Call) -> Response {
    let only = call.query("payment_id");
    let described = psp.all().map(|vendor| {
        let mut state = vendor.state(only);
        vendor.desk().describe(&mut state);
        (vendor.name().to_owned(), Value::Object(state))
    });
    reply::ok(&Value::Object(described.collect::<Map<_, _>>()))
}

/// The vendors' operations have different names, so each takes only its own.
async fn add_faults(State(psp): State<Arc<Psp>>, call: Call) -> Response {
    match parse::<Vec<Planned>>(&call.body) {
        Ok(faults) => {
            let pending: Vec<_> = psp.all().map(|vendor| vendor.desk().script_add(faults.clone())).collect();
            reply::ok(&json!({ "pending": pending }))
        }
        Err(response) => *response,
    }
}

async fn clear_faults(State(psp): State<Arc<Psp>>) -> Response {
    psp.all().map(|vendor| vendor.desk()).for_each(Desk::script_clear);
    reply::ok(&json!({ "pending": vec![0; psp.all().count()] }))
}

async fn reset(State(psp): State<Arc<Psp>>) -> Response {
    for vendor in psp.all() {
        vendor.clear();
        vendor.desk().reset();
    }
    reply::ok(&json!({ "reset": true }))
}

/// The notifications a resend means: one by id, a payment's last, or every one nobody accepted.
pub(crate) fn to_resend(sent: &[Notification], deliveries: &[Delivery], order: &Resend) -> Vec<Notification> {
    let last = |wanted: &dyn Fn(&&Notification) -> bool| sent.iter().rev().find(wanted).cloned().into_iter().collect();
    match (&order.event_id, &order.payment_id) {
        (Some(event_id), _) => last(&|event| event.event_id == *event_id),
        (None, Some(payment_id)) => last(&|event| event.payment_id == *payment_id),
        (None, None) => {
            let accepted: std::collections::HashSet<_> = deliveries
                .iter()
                .filter(|delivery| delivery.accepted())
                .map(|delivery| delivery.event_id.as_str())
                .collect();
            sent.iter().filter(|event| !accepted.contains(event.event_id.as_str())).cloned().collect()
        }
    }
}
