//! The card payment provider: payment intents, refunds, signed events.

mod api;
mod book;
mod events;
mod intent;
mod refunds;
pub mod signature;

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::response::Response;
use axum::routing::{get, post};
use serde_json::{Map, Value, json};

use crate::clock::{Clock, Ids};
use crate::config::StripeConfig;
use crate::courier::{Courier, Notification, Signer};
use crate::desk::lock;
use crate::payer::{self, Named, Pay, SendEvent};
use crate::till::{self, Provider, Shown, Till};

use book::{Book, FirstAnswer};
use signature::EventSigner;

/// The simulator.
pub(crate) struct Stripe {
    config: StripeConfig,
    till: Till<Book>,
    /// First answers by idempotency key.
    first_answers: Mutex<HashMap<String, FirstAnswer>>,
}

impl Stripe {
    pub(crate) fn new(
        config: StripeConfig,
        base_url: String,
        ids: Arc<Ids>,
        clock: Clock,
        courier: Arc<Courier>,
    ) -> Arc<Self> {
        Arc::new(Self { config, till: Till::new(base_url, ids, clock, courier), first_answers: Mutex::default() })
    }

    pub(crate) fn router(self: &Arc<Self>) -> Router {
        Router::new()
            .route("/v1/payment_intents", post(api::create))
            .route("/v1/payment_intents/search", get(api::search))
            .route("/v1/payment_intents/{id}", get(api::read))
            .route("/v1/payment_intents/{id}/cancel", post(api::cancel))
            .route("/v1/refunds", post(refunds::create).get(refunds::list))
            .route("/v1/refunds/{id}", get(refunds::read))
            .fallback(api::unknown_route)
            .with_state(Arc::clone(self))
            .merge(till::pages(Arc::clone(self)))
            .merge(payer::routes(Arc::clone(self)))
    }
}

impl Provider for Stripe {
    type Book = Book;
    const NAME: &'static str = "stripe";
    const TITLE: &'static str = "Stripe";
    const OUTCOMES: [&'static str; 2] = ["succeeded", "failed"];

    fn till(&self) -> &Till<Book> {
        &self.till
    }

    fn signer(&self) -> Arc<dyn Signer> {
        Arc::new(EventSigner::new(&self.config.webhook_secret, self.till.clock.clone()))
    }

    fn shown(&self, book: &Book, number: &str) -> Option<Shown> {
        book.find(&Named::Reference(number)).map(|intent| Shown {
            reference: intent.id.clone(),
            amount: format!("{} {} (minor units)", intent.amount, intent.currency),
            status: intent.status.to_owned(),
            open: intent.payer_can_act(),
            return_url: intent.return_url.clone(),
        })
    }

    fn apply(&self, order: &Pay) -> Result<(Value, Notification), Box<Response>> {
        events::apply(self, order)
    }

    fn forge(&self, order: &SendEvent) -> Result<Notification, Box<Response>> {
        events::forge(self, order)
    }

    fn recorded(&self, book: &Book, only: Option<&str>) -> Map<String, Value> {
        let intents: Vec<_> = match only {
            Some(payment_id) => book.of_payment(payment_id).collect(),
            None => book.intents.iter().collect(),
        };
        let intents: Vec<_> = intents.iter().map(|intent| intent.object(&self.till.base_url)).collect();
        let mut state = Map::new();
        state.insert("intents".to_owned(), json!(intents));
        state.insert("refunds".to_owned(), json!(book.refunds));
        state
    }

    fn forget(&self) {
        lock(&self.first_answers).clear();
    }

    fn takes_back(&self, shown: &Shown, outcome: &str) -> Vec<(&'static str, String)> {
        vec![("payment_intent", shown.reference.clone()), ("redirect_status", outcome.to_owned())]
    }
}
