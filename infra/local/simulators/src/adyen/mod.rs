//! Adyen: payment links, and signed items that tell what became of a payment.

mod acts;
mod api;
pub mod signature;

use std::sync::Arc;

use axum::Router;
use axum::response::Response;
use axum::routing::post;
use serde_json::{Map, Value};

use crate::clock::{Clock, Ids};
use crate::config::AdyenConfig;
use crate::courier::{Courier, Notification, Signer};
use crate::payer::{self, Named, Pay, SendEvent};
use crate::till::{self, Book, Provider, Shown, Till};

use acts::Link;
use signature::ItemSigner;

/// The simulator.
pub(crate) struct Adyen {
    config: AdyenConfig,
    till: Till<Book<Link>>,
}

impl Adyen {
    pub(crate) fn new(
        config: AdyenConfig,
        base_url: String,
        ids: Arc<Ids>,
        clock: Clock,
        courier: Arc<Courier>,
    ) -> Arc<Self> {
        Arc::new(Self { config, till: Till::new(base_url, ids, clock, courier) })
    }

    pub(crate) fn router(self: &Arc<Self>) -> Router {
        let links = Router::new().route("/v71/paymentLinks", post(api::create)).with_state(Arc::clone(self));
        links.merge(till::pages(Arc::clone(self))).merge(payer::routes(Arc::clone(self)))
    }
}

impl Provider for Adyen {
    type Book = Book<Link>;
    const NAME: &'static str = "adyen";
    const TITLE: &'static str = "Adyen";
    const OUTCOMES: [&'static str; 2] = ["succeeded", "failed"];

    fn till(&self) -> &Till<Book<Link>> {
        &self.till
    }

    fn signer(&self) -> Arc<dyn Signer> {
        Arc::new(ItemSigner::new(&self.config.hmac_key))
    }

    fn shown(&self, book: &Book<Link>, number: &str) -> Option<Shown> {
        book.find(&Named::Reference(number)).map(|link| Shown {
            reference: link.payment_id.clone(),
            amount: format!("{} {} (minor units)", link.amount, link.currency),
            status: link.status.clone(),
            open: link.payer_can_act(),
            return_url: link.return_url.clone(),
        })
    }

    fn apply(&self, order: &Pay) -> Result<(Value, Notification), Box<Response>> {
        acts::apply(self, order)
    }

    fn forge(&self, order: &SendEvent) -> Result<Notification, Box<Response>> {
        acts::forge(self, order)
    }

    fn recorded(&self, book: &Book<Link>, only: Option<&str>) -> Map<String, Value> {
        book.describe(only, Link::describe)
    }
}
