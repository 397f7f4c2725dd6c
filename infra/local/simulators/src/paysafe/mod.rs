//! The wallet behind payment handles: the payer agrees, the merchant asks for the money, signed events.

mod acts;
mod api;
mod book;
mod signature;

use std::sync::Arc;

use axum::Router;
use axum::response::Response;
use axum::routing::{get, post};
use serde_json::{Map, Value, json};

use crate::clock::{Clock, Ids};
use crate::config::PaysafeConfig;
use crate::courier::{Courier, Notification, Signer};
use crate::payer::{self, Named, Pay, SendEvent};
use crate::till::{self, Provider, Shown, Till};

use book::Book;
use signature::BodySigner;

/// The simulator.
pub(crate) struct Paysafe {
    config: PaysafeConfig,
    till: Till<Book>,
}

impl Paysafe {
    pub(crate) fn new(
        config: PaysafeConfig,
        base_url: String,
        ids: Arc<Ids>,
        clock: Clock,
        courier: Arc<Courier>,
    ) -> Arc<Self> {
        Arc::new(Self { config, till: Till::new(base_url, ids, clock, courier) })
    }

    pub(crate) fn router(self: &Arc<Self>) -> Router {
        Router::new()
            .route("/paymenthub/v1/paymenthandles", post(api::create_handle).get(api::list_handles))
            .route("/paymenthub/v1/payments", post(api::create_payment).get(api::list_payments))
            .route("/paymenthub/v1/payments/{id}", get(api::read_payment))
            .with_state(Arc::clone(self))
            .merge(till::pages(Arc::clone(self)))
            .merge(payer::routes(Arc::clone(self)))
    }

    /// As the vendor writes times.
    fn now(&self) -> String {
        let now = jiff::Timestamp::from_second(self.till.clock.now_s()).unwrap_or_default();
        now.to_string()
    }
}

impl Provider for Paysafe {
    type Book = Book;
    const NAME: &'static str = "paysafe";
    const TITLE: &'static str = "Paysafe";
    const OUTCOMES: [&'static str; 2] = ["payable", "failed"];
    const NO_PAGE: &'static str = "no such handle";

    fn till(&self) -> &Till<Book> {
        &self.till
    }

    fn signer(&self) -> Arc<dyn Signer> {
        Arc::new(BodySigner::new(&self.config.webhook_key))
    }

    fn shown(&self, book: &Book, number: &str) -> Option<Shown> {
        book.find(&Named::Reference(number)).map(|handle| Shown {
            reference: handle.id.clone(),
            amount: format!("{} {} (minor units)", handle.amount, handle.currency),
            status: handle.status.to_owned(),
            open: handle.status == "INITIATED",
            return_url: handle.return_url.clone(),
        })
    }

    fn apply(&self, order: &Pay) -> Result<(Value, Notification), Box<Response>> {
        acts::apply(self, order)
    }

    fn forge(&self, order: &SendEvent) -> Result<Notification, Box<Response>> {
        acts::forge(self, order)
    }

    fn recorded(&self, book: &Book, only: Option<&str>) -> Map<String, Value> {
        let concerns = |id: &str| only.is_none_or(|only| only == id);
        let known: Vec<_> = book.handles.iter().filter(|handle| concerns(&handle.merchant_ref)).collect();
        let handles: Vec<_> = known.iter().map(|handle| handle.object(&self.till.base_url)).collect();
        let payments: Vec<_> = known.iter().filter_map(|handle| handle.payment_object()).collect();
        let mut state = Map::new();
        state.insert("handles".to_owned(), json!(handles));
        state.insert("payments".to_owned(), json!(payments));
        state
    }

    fn takes_back(&self, _shown: &Shown, _outcome: &str) -> Vec<(&'static str, String)> {
        vec![]
    }
}
