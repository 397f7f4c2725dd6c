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
use axum::extract::{Path, State};
use axum::response::Response;
use axum::routing::{get, post};
use serde_json::{Map, Value, json};

use crate::clock::{Clock, Ids};
use crate::config::StripeConfig;
use crate::control::Controlled;
use crate::courier::{Courier, Delivery, Notification, Route};
use crate::desk::{Desk, lock};
use crate::page::{PayerPage, send_back};
use crate::payer::{self, Cashier, Named, Pay, Resend, SendEvent};
use crate::reply;
use crate::request::Call;

use book::{Book, FirstAnswer};
use signature::EventSigner;

/// The simulator.
pub(crate) struct Stripe {
    config: StripeConfig,
    base_url: String,
    ids: Arc<Ids>,
    clock: Clock,
    courier: Arc<Courier>,
    desk: Desk,
    book: Mutex<Book>,
    /// First answers by idempotency key.
    first_answers: Mutex<HashMap<String, FirstAnswer>>,
    deliveries: Arc<Mutex<Vec<Delivery>>>,
}

impl Stripe {
    pub(crate) fn new(
        config: StripeConfig,
        base_url: String,
        ids: Arc<Ids>,
        clock: Clock,
        courier: Arc<Courier>,
    ) -> Arc<Self> {
        Arc::new(Self {
            desk: Desk::new(clock.clone()),
            config,
            base_url,
            ids,
            clock,
            courier,
            book: Mutex::default(),
            first_answers: Mutex::default(),
            deliveries: Arc::default(),
        })
    }

    pub(crate) fn router(self: &Arc<Self>) -> Router {
        Router::new()
            .route("/v1/payment_intents", post(api::create))
            .route("/v1/payment_intents/search", get(api::search))
            .route("/v1/payment_intents/{id}", get(api::read))
            .route("/v1/payment_intents/{id}/cancel", post(api::cancel))
            .route("/v1/refunds", post(refunds::create).get(refunds::list))
            .route("/v1/refunds/{id}", get(refunds::read))
            .route("/pay/{id}", get(payer_page).post(payer_decides))
            .fallback(api::unknown_route)
            .with_state(Arc::clone(self))
            .merge(payer::routes(Arc::clone(self)))
    }
}

impl Cashier for Stripe {
    fn name(&self) -> &'static str {
        "stripe"
    }

    fn courier(&self) -> &Arc<Courier> {
        &self.courier
    }

    fn route(&self) -> Route {
        Route {
            vendor: "stripe",
            signer: Arc::new(EventSigner::new(&self.config.webhook_secret, self.clock.clone())),
            log: Arc::clone(&self.deliveries),
        }
    }

    fn knows(&self, name: &Named<'_>) -> bool {
        lock(&self.book).find(name).is_some()
    }

    fn apply(&self, order: &Pay) -> Result<(Value, Notification), Box<Response>> {
        events::apply(self, order)
    }

    fn forge(&self, order: &SendEvent) -> Result<Notification, Box<Response>> {
        events::forge(self, order)
    }

    fn earlier(&self, order: &Resend) -> Vec<Notification> {
        let book = lock(&self.book);
        crate::psp::to_resend(&book.events, &lock(&self.deliveries), order)
    }
}

impl Controlled for Stripe {
    fn desk(&self) -> &Desk {
        &self.desk
    }

    fn state(&self, only: Option<&str>) -> Map<String, Value> {
        let book = lock(&self.book);
        let intents: Vec<_> = match only {
            Some(payment_id) => book.of_payment(payment_id).collect(),
            None => book.intents.iter().collect(),
        };
        let intents: Vec<_> = intents.iter().map(|intent| intent.object(&self.base_url)).collect();
        let deliveries = lock(&self.deliveries);
        let deliveries: Vec<_> =
            deliveries.iter().filter(|delivery| only.is_none_or(|id| delivery.payment_id == id)).collect();
        let mut state = Map::new();
        state.insert("intents".to_owned(), json!(intents));
        state.insert("refunds".to_owned(), json!(book.refunds));
        state.insert("deliveries".to_owned(), json!(deliveries));
        state
    }

    fn clear(&self) {
        lock(&self.first_answers).clear();
        *lock(&self.book) = Book::default();
        lock(&self.deliveries).clear();
    }
}

async fn payer_page(State(stripe): State<Arc<Stripe>>, Path(id): Path<String>) -> Response {
    let book = lock(&stripe.book);
    match book.find(&Named::Reference(&id)) {
        Some(intent) => PayerPage {
            vendor: "Stripe",
            reference: &intent.id,
            amount: format!("{} {} (minor units)", intent.amount, intent.currency),
            status: intent.status,
            open: intent.payer_can_act(),
            outcomes: ["succeeded", "failed"],
        }
        .render(),
        None => reply::plain(http::StatusCode::NOT_FOUND, "no such payment"),
    }
}

async fn payer_decides(State(stripe): State<Arc<Stripe>>, Path(id): Path<String>, call: Call) -> Response {
    let page = format!("{}/pay/{id}", stripe.base_url);
    let known = {
        let book = lock(&stripe.book);
        book.find(&Named::Reference(&id)).map(|intent| (intent.payer_can_act(), intent.return_url.clone()))
    };
    let Some((open, return_url)) = known else {
        return reply::plain(http::StatusCode::NOT_FOUND, "no such payment");
    };
    let outcome = call.form("outcome").unwrap_or("failed").to_owned();
    if open {
        let told = payer::pay(stripe.as_ref(), Pay::by_page(&id, &outcome)).await;
        if !told.status().is_success() {
            return told;
        }
    }
    let parameters = [("payment_intent", id.as_str()), ("redirect_status", outcome.as_str())];
    send_back(return_url.as_deref(), &parameters, &page)
}
