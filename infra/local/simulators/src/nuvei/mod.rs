//! Nuvei: a payment page behind a signed address, transactions by number, signed forms.

mod acts;
mod api;
pub mod signature;

use std::sync::Arc;

use axum::Router;
use axum::response::Response;
use axum::routing::{get, post};
use serde_json::{Map, Value};

use crate::clock::{Clock, Ids};
use crate::config::NuveiConfig;
use crate::courier::{Courier, Notification, Signer};
use crate::payer::{self, Named, Pay, SendEvent};
use crate::till::{self, Book, Provider, Shown, Till};

use acts::Order;
use signature::FormSigner;

/// The simulator.
pub(crate) struct Nuvei {
    config: NuveiConfig,
    till: Till<Book<Order>>,
}

impl Nuvei {
    pub(crate) fn new(
        config: NuveiConfig,
        base_url: String,
        ids: Arc<Ids>,
        clock: Clock,
        courier: Arc<Courier>,
    ) -> Arc<Self> {
        Arc::new(Self { config, till: Till::new(base_url, ids, clock, courier) })
    }

    pub(crate) fn router(self: &Arc<Self>) -> Router {
        Router::new()
            .route("/ppp/purchase.do", get(api::purchase))
            .route("/ppp/api/v1/getTransactionDetails.do", post(api::details))
            .with_state(Arc::clone(self))
            .merge(till::pages(Arc::clone(self)))
            .merge(payer::routes(Arc::clone(self)))
    }
}

impl Provider for Nuvei {
    type Book = Book<Order>;
    const NAME: &'static str = "nuvei";
    const TITLE: &'static str = "Nuvei";
    const OUTCOMES: [&'static str; 2] = ["succeeded", "failed"];

    fn till(&self) -> &Till<Book<Order>> {
        &self.till
    }

    fn signer(&self) -> Arc<dyn Signer> {
        Arc::new(FormSigner::new(&self.config.secret_key))
    }

    fn shown(&self, book: &Book<Order>, number: &str) -> Option<Shown> {
        book.find(&Named::Reference(number)).map(|order| Shown {
            reference: order.payment_id.clone(),
            amount: format!("{} {}", order.amount, order.currency),
            status: order.status(),
            open: order.payer_can_act(),
            return_url: order.return_url.clone(),
        })
    }

    fn apply(&self, order: &Pay) -> Result<(Value, Notification), Box<Response>> {
        acts::apply(self, order)
    }

    fn forge(&self, order: &SendEvent) -> Result<Notification, Box<Response>> {
        acts::forge(self, order)
    }

    fn recorded(&self, book: &Book<Order>, only: Option<&str>) -> Map<String, Value> {
        book.describe(only, Order::describe)
    }
}
