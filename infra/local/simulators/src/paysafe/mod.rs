//! The wallet behind payment handles: the payer agrees, the merchant asks for the money, signed events.

mod acts;
mod api;
mod book;
mod signature;

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::{Path, State};
use axum::response::Response;
use axum::routing::{get, post};
use http::StatusCode;
use serde_json::{Map, Value, json};

use crate::clock::{Clock, Ids};
use crate::config::PaysafeConfig;
use crate::control::Controlled;
use crate::courier::{Courier, Delivery, Notification, Route};
use crate::desk::{Desk, lock};
use crate::page::{PayerPage, send_back};
use crate::payer::{self, Cashier, Named, Pay, Resend, SendEvent};
use crate::reply;
use crate::request::Call;

use book::Book;
use signature::BodySigner;

/// The simulator.
pub(crate) struct Paysafe {
    config: PaysafeConfig,
    base_url: String,
    ids: Arc<Ids>,
    clock: Clock,
    courier: Arc<Courier>,
    desk: Desk,
    book: Mutex<Book>,
    deliveries: Arc<Mutex<Vec<Delivery>>>,
}

impl Paysafe {
    pub(crate) fn new(
        config: PaysafeConfig,
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
            deliveries: Arc::default(),
        })
    }

    pub(crate) fn router(self: &Arc<Self>) -> Router {
        Router::new()
            .route("/paymenthub/v1/paymenthandles", post(api::create_handle).get(api::list_handles))
            .route("/paymenthub/v1/payments", post(api::create_payment).get(api::list_payments))
            .route("/paymenthub/v1/payments/{id}", get(api::read_payment))
            .route("/pay/{id}", get(payer_page).post(payer_decides))
            .with_state(Arc::clone(self))
            .merge(payer::routes(Arc::clone(self)))
    }

    /// As the vendor writes times.
    fn now(&self) -> String {
        let now = jiff::Timestamp::from_second(self.clock.now_s()).unwrap_or_default();
        now.to_string()
    }
}

impl Cashier for Paysafe {
    fn name(&self) -> &'static str {
        "paysafe"
    }

    fn courier(&self) -> &Arc<Courier> {
        &self.courier
    }

    fn route(&self) -> Route {
        Route {
            vendor: "paysafe",
            signer: Arc::new(BodySigner::new(&self.config.webhook_key)),
            log: Arc::clone(&self.deliveries),
        }
    }

    fn knows(&self, name: &Named<'_>) -> bool {
        lock(&self.book).find(name).is_some()
    }

    fn apply(&self, order: &Pay) -> Result<(Value, Notification), Box<Response>> {
        acts::apply(self, order)
    }

    fn forge(&self, order: &SendEvent) -> Result<Notification, Box<Response>> {
        acts::forge(self, order)
    }

    fn earlier(&self, order: &Resend) -> Vec<Notification> {
        let book = lock(&self.book);
        crate::psp::to_resend(&book.notifications, &lock(&self.deliveries), order)
    }
}

impl Controlled for Paysafe {
    fn desk(&self) -> &Desk {
        &self.desk
    }

    fn state(&self, only: Option<&str>) -> Map<String, Value> {
        let book = lock(&self.book);
        let concerns = |id: &str| only.is_none_or(|only| only == id);
        let known: Vec<_> = book.handles.iter().filter(|handle| concerns(&handle.merchant_ref)).collect();
        let handles: Vec<_> = known.iter().map(|handle| handle.object(&self.base_url)).collect();
        let payments: Vec<_> = known.iter().filter_map(|handle| handle.payment_object()).collect();
        let deliveries = lock(&self.deliveries);
        let deliveries: Vec<_> = deliveries.iter().filter(|delivery| concerns(&delivery.payment_id)).collect();
        let mut state = Map::new();
        state.insert("handles".to_owned(), json!(handles));
        state.insert("payments".to_owned(), json!(payments));
        state.insert("deliveries".to_owned(), json!(deliveries));
        state
    }

    fn clear(&self) {
        *lock(&self.book) = Book::default();
        lock(&self.deliveries).clear();
    }
}

async fn payer_page(State(vendor): State<Arc<Paysafe>>, Path(id): Path<String>) -> Response {
    let book = lock(&vendor.book);
    match book.find(&Named::Reference(&id)) {
        Some(handle) => PayerPage {
            vendor: "Paysafe",
            reference: &handle.id,
            amount: format!("{} {} (minor units)", handle.amount, handle.currency),
            status: handle.status,
            open: handle.status == "INITIATED",
            outcomes: ["payable", "failed"],
        }
        .render(),
        None => reply::plain(StatusCode::NOT_FOUND, "no such handle"),
    }
}

async fn payer_decides(State(vendor): State<Arc<Paysafe>>, Path(id): Path<String>, call: Call) -> Response {
    let page = format!("{}/pay/{id}", vendor.base_url);
    let known = {
        let book = lock(&vendor.book);
        book.find(&Named::Reference(&id)).map(|handle| (handle.status == "INITIATED", handle.return_url.clone()))
    };
    let Some((open, return_url)) = known else {
        return reply::plain(StatusCode::NOT_FOUND, "no such handle");
    };
    if open {
        let outcome = call.form("outcome").unwrap_or("failed");
        let told = payer::pay(vendor.as_ref(), Pay::by_page(&id, outcome)).await;
        if !told.status().is_success() {
            return told;
        }
    }
    send_back(return_url.as_deref(), &[], &page)
}
