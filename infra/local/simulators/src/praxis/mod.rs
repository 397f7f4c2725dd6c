//! The cashier: sessions, orders, signed notifications whose answers must be signed too.

mod api;
mod message;
mod order;
mod payer_acts;
pub mod signature;

use std::sync::Arc;

use axum::Router;
use axum::response::Response;
use axum::routing::post;
use serde_json::{Map, Value, json};

use crate::clock::{Clock, Ids};
use crate::config::PraxisConfig;
use crate::courier::{Courier, Notification, Signer};
use crate::payer::{self, Named, Pay, SendEvent};
use crate::till::{self, Provider, Shown, Till};

use order::Book;
use signature::NotificationSigner;

/// Where a session is created. The gateway path of the vendor's page.
pub const CASHIER_PATH: &str = "/cashier/cashier";
/// Where an order is looked up. The path is that of the vendor's agent interface; no sandbox confirmed it.
pub const FIND_ORDER_PATH: &str = "/agent/find-order";

/// The simulator.
pub(crate) struct Praxis {
    config: PraxisConfig,
    till: Till<Book>,
}

impl Praxis {
    pub(crate) fn new(
        config: PraxisConfig,
        base_url: String,
        ids: Arc<Ids>,
        clock: Clock,
        courier: Arc<Courier>,
    ) -> Arc<Self> {
        Arc::new(Self { config, till: Till::new(base_url, ids, clock, courier) })
    }

    pub(crate) fn router(self: &Arc<Self>) -> Router {
        Router::new()
            .route(CASHIER_PATH, post(api::cashier))
            .route(FIND_ORDER_PATH, post(api::find_order))
            .with_state(Arc::clone(self))
            .merge(till::pages(Arc::clone(self)))
            .merge(payer::routes(Arc::clone(self)))
    }
}

impl Provider for Praxis {
    type Book = Book;
    const NAME: &'static str = "praxis";
    const TITLE: &'static str = "Praxis";
    const OUTCOMES: [&'static str; 2] = ["approved", "rejected"];
    const NO_PAGE: &'static str = "no such session";

    fn till(&self) -> &Till<Book> {
        &self.till
    }

    fn signer(&self) -> Arc<dyn Signer> {
        Arc::new(NotificationSigner::new(&self.config.secret))
    }

    fn shown(&self, book: &Book, number: &str) -> Option<Shown> {
        book.find(&Named::Reference(number)).map(|order| Shown {
            reference: order.order_id.clone(),
            amount: format!("{} {} (as sent)", order.amount, order.currency),
            status: order.status().to_owned(),
            open: order.payer_can_act(),
            return_url: order.return_url.clone(),
        })
    }

    fn apply(&self, order: &Pay) -> Result<(Value, Notification), Box<Response>> {
        payer_acts::apply(self, order)
    }

    fn forge(&self, order: &SendEvent) -> Result<Notification, Box<Response>> {
        payer_acts::forge(self, order)
    }

    fn recorded(&self, book: &Book, only: Option<&str>) -> Map<String, Value> {
        let orders: Vec<_> = match only {
            Some(order_id) => book.find(&Named::PaymentId(order_id)).into_iter().collect(),
            None => book.orders.iter().collect(),
        };
        let orders: Vec<_> = orders.iter().map(|order| order.describe()).collect();
        let mut state = Map::new();
        state.insert("orders".to_owned(), json!(orders));
        state
    }

    fn takes_back(&self, _shown: &Shown, outcome: &str) -> Vec<(&'static str, String)> {
        vec![("status", outcome.to_owned())]
    }
}
