//! Checkout.com: hosted payment pages, payments by number and by reference, signed events.

mod acts;
mod api;
pub mod signature;

use std::sync::Arc;

use axum::Router;
use axum::response::Response;
use axum::routing::{get, post};
use serde_json::{Map, Value};

use crate::clock::{Clock, Ids};
use crate::config::CheckoutConfig;
use crate::courier::{Courier, Notification, Signer};
use crate::payer::{self, Named, Pay, SendEvent};
use crate::till::{self, Book, Provider, Shown, Till};

use acts::Page;
use signature::EventSigner;

/// The simulator.
pub(crate) struct Checkout {
    config: CheckoutConfig,
    till: Till<Book<Page>>,
}

impl Checkout {
    pub(crate) fn new(
        config: CheckoutConfig,
        base_url: String,
        ids: Arc<Ids>,
        clock: Clock,
        courier: Arc<Courier>,
    ) -> Arc<Self> {
        Arc::new(Self { config, till: Till::new(base_url, ids, clock, courier) })
    }

    pub(crate) fn router(self: &Arc<Self>) -> Router {
        Router::new()
            .route("/hosted-payments", post(api::create))
            .route("/payments", get(api::list))
            .route("/payments/{id}", get(api::read))
            .with_state(Arc::clone(self))
            .merge(till::pages(Arc::clone(self)))
            .merge(payer::routes(Arc::clone(self)))
    }
}

impl Provider for Checkout {
    type Book = Book<Page>;
    const NAME: &'static str = "checkout";
    const TITLE: &'static str = "Checkout.com";
    const OUTCOMES: [&'static str; 2] = ["succeeded", "failed"];

    fn till(&self) -> &Till<Book<Page>> {
        &self.till
    }

    fn signer(&self) -> Arc<dyn Signer> {
        Arc::new(EventSigner::new(&self.config.webhook_key))
    }

    fn shown(&self, book: &Book<Page>, number: &str) -> Option<Shown> {
        book.find(&Named::Reference(number)).map(|page| Shown {
            reference: page.payment_id.clone(),
            amount: format!("{} {} (minor units)", page.amount, page.currency),
            status: page.status().to_owned(),
            open: page.payer_can_act(),
            return_url: page.return_url.clone(),
        })
    }

    fn apply(&self, order: &Pay) -> Result<(Value, Notification), Box<Response>> {
        acts::apply(self, order)
    }

    fn forge(&self, order: &SendEvent) -> Result<Notification, Box<Response>> {
        acts::forge(self, order)
    }

    fn recorded(&self, book: &Book<Page>, only: Option<&str>) -> Map<String, Value> {
        book.describe(only, Page::describe)
    }
}
