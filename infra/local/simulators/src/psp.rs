//! Both payment providers behind one address: `/stripe/…`, `/praxis/…`, and control routes that find the vendor.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::{get, post};
use serde_json::{Value, json};

use crate::control::{Controlled, webhook_base_route};
use crate::courier::{Delivery, Notification};
use crate::desk::Desk;
use crate::fault::Planned;
use crate::payer::{Named, Pay, Resend, SendEvent, named, parse};
use crate::praxis::Praxis;
use crate::reply;
use crate::request::Call;
use crate::stripe::Stripe;

/// The vendors this address speaks for.
pub(crate) struct Psp {
    pub(crate) stripe: Arc<Stripe>,
    pub(crate) praxis: Arc<Praxis>,
}

impl Psp {
    pub(crate) fn router(self: Arc<Self>) -> Router {
        let (stripe, praxis) = (self.stripe.router(), self.praxis.router());
        let courier = self.stripe.courier();
        Router::new()
            .route("/_control/pay", post(pay))
            .route("/_control/webhook", post(webhook))
            .route("/_control/resend", post(resend))
            .route("/_control/state", get(state))
            .route("/_control/faults", post(add_faults).delete(clear_faults))
            .route("/_control/reset", post(reset))
            .with_state(self)
            .merge(webhook_base_route(courier))
            .nest("/stripe", stripe)
            .nest("/praxis", praxis)
    }

    /// Payments neither vendor made are forged in the name of Stripe.
    fn is_praxis(&self, name: Option<Named<'_>>) -> bool {
        name.is_some_and(|name| self.praxis.knows(&name) && !self.stripe.knows(&name))
    }

    fn desks(&self) -> [&Desk; 2] {
        [self.stripe.desk(), self.praxis.desk()]
    }
}

async fn pay(State(psp): State<Arc<Psp>>, call: Call) -> Response {
    match parse::<Pay>(&call.body) {
        Ok(order) if psp.is_praxis(named(order.reference.as_ref(), order.payment_id.as_ref())) => {
            psp.praxis.pay(order).await
        }
        Ok(order) => psp.stripe.pay(order).await,
        Err(response) => *response,
    }
}

async fn webhook(State(psp): State<Arc<Psp>>, call: Call) -> Response {
    match parse::<SendEvent>(&call.body) {
        Ok(order) if psp.is_praxis(named(order.reference.as_ref(), order.payment_id.as_ref())) => {
            psp.praxis.send_event(order).await
        }
        Ok(order) => psp.stripe.send_event(order).await,
        Err(response) => *response,
    }
}

async fn resend(State(psp): State<Arc<Psp>>, call: Call) -> Response {
    match parse::<Resend>(&call.body) {
        Ok(order) if psp.is_praxis(named(None, order.payment_id.as_ref())) => psp.praxis.resend(order).await,
        Ok(order) => psp.stripe.resend(order).await,
        Err(response) => *response,
    }
}

async fn state(State(psp): State<Arc<Psp>>, call: Call) -> Response {
    let only = call.query("payment_id");
    let mut stripe = psp.stripe.state(only);
    psp.stripe.desk().describe(&mut stripe);
    let mut praxis = psp.praxis.state(only);
    psp.praxis.desk().describe(&mut praxis);
    reply::ok(&json!({ "stripe": Value::Object(stripe), "praxis": Value::Object(praxis) }))
}

/// The vendors' operations have different names, so each takes only its own.
async fn add_faults(State(psp): State<Arc<Psp>>, call: Call) -> Response {
    match parse::<Vec<Planned>>(&call.body) {
        Ok(faults) => {
            let pending = psp.desks().map(|desk| desk.script_add(faults.clone()));
            reply::ok(&json!({ "pending": pending }))
        }
        Err(response) => *response,
    }
}

async fn clear_faults(State(psp): State<Arc<Psp>>) -> Response {
    psp.desks().into_iter().for_each(Desk::script_clear);
    reply::ok(&json!({ "pending": [0, 0] }))
}

async fn reset(State(psp): State<Arc<Psp>>) -> Response {
    psp.stripe.clear();
    psp.praxis.clear();
    psp.desks().into_iter().for_each(Desk::reset);
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
