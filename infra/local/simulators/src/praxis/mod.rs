//! The cashier: sessions, orders, signed notifications whose answers must be signed too.

mod api;
mod message;
mod order;
mod payer_acts;
pub mod signature;

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::{Path, State};
use axum::response::Response;
use axum::routing::{get, post};
use serde_json::{Map, Value, json};

use crate::clock::{Clock, Ids};
use crate::config::PraxisConfig;
use crate::control::Controlled;
use crate::courier::{Courier, Delivery, Notification, Route};
use crate::desk::{Desk, lock};
use crate::page::{PayerPage, send_back};
use crate::payer::{self, Cashier, Named, Pay, Resend, SendEvent};
use crate::reply;
use crate::request::Call;

use order::Book;
use signature::NotificationSigner;

/// Where a session is created. The gateway path of the vendor's page.
pub const CASHIER_PATH: &str = "/cashier/cashier";
/// Where an order is looked up. The path is that of the vendor's agent interface; no sandbox confirmed it.
pub const FIND_ORDER_PATH: &str = "/agent/find-order";

/// The simulator.
pub(crate) struct Praxis {
    config: PraxisConfig,
    base_url: String,
    ids: Arc<Ids>,
    clock: Clock,
    courier: Arc<Courier>,
    desk: Desk,
    book: Mutex<Book>,
    deliveries: Arc<Mutex<Vec<Delivery>>>,
}

impl Praxis {
    pub(crate) fn new(
        config: PraxisConfig,
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
            .route(CASHIER_PATH, post(api::cashier))
            .route(FIND_ORDER_PATH, post(api::find_order))
            .route("/pay/{token}", get(payer_page).post(payer_decides))
            .with_state(Arc::clone(self))
            .merge(payer::routes(Arc::clone(self)))
    }
}

impl Cashier for Praxis {
    fn name(&self) -> &'static str {
        "praxis"
    }

    fn courier(&self) -> &Arc<Courier> {
        &self.courier
    }

    fn route(&self) -> Route {
        Route {
            vendor: "praxis",
            signer: Arc::new(NotificationSigner::new(&self.config.secret)),
            log: Arc::clone(&self.deliveries),
        }
    }

    fn knows(&self, name: &Named<'_>) -> bool {
        lock(&self.book).find(name).is_some()
    }

    fn apply(&self, order: &Pay) -> Result<(Value, Notification), Box<Response>> {
        payer_acts::apply(self, order)
    }

    fn forge(&self, order: &SendEvent) -> Result<Notification, Box<Response>> {
        payer_acts::forge(self, order)
    }

    fn earlier(&self, order: &Resend) -> Vec<Notification> {
        let book = lock(&self.book);
        crate::psp::to_resend(&book.notifications, &lock(&self.deliveries), order)
    }
}

impl Controlled for Praxis {
    fn desk(&self) -> &Desk {
        &self.desk
    }

    fn state(&self, only: Option<&str>) -> Map<String, Value> {
        let book = lock(&self.book);
        let orders: Vec<_> = match only {
            Some(order_id) => book.find(&Named::PaymentId(order_id)).into_iter().collect(),
            None => book.orders.iter().collect(),
        };
        let orders: Vec<_> = orders.iter().map(|order| order.describe()).collect();
        let deliveries = lock(&self.deliveries);
        let deliveries: Vec<_> =
            deliveries.iter().filter(|delivery| only.is_none_or(|id| delivery.payment_id == id)).collect();
        let mut state = Map::new();
        state.insert("orders".to_owned(), json!(orders));
        state.insert("deliveries".to_owned(), json!(deliveries));
        state
    }

    fn clear(&self) {
        *lock(&self.book) = Book::default();
        lock(&self.deliveries).clear();
    }
}

async fn payer_page(State(praxis): State<Arc<Praxis>>, Path(token): Path<String>) -> Response {
    let book = lock(&praxis.book);
    match book.find(&Named::Reference(&token)) {
        Some(order) => PayerPage {
            vendor: "Praxis",
            reference: &order.order_id,
            amount: format!("{} {} (as sent)", order.amount, order.currency),
            status: order.status(),
            open: order.payer_can_act(),
            outcomes: ["approved", "rejected"],
        }
        .render(),
        None => reply::plain(http::StatusCode::NOT_FOUND, "no such session"),
    }
}

async fn payer_decides(State(praxis): State<Arc<Praxis>>, Path(token): Path<String>, call: Call) -> Response {
    let page = format!("{}/pay/{token}", praxis.base_url);
    let known = {
        let book = lock(&praxis.book);
        book.find(&Named::Reference(&token)).map(|order| (order.payer_can_act(), order.return_url.clone()))
    };
    let Some((open, return_url)) = known else {
        return reply::plain(http::StatusCode::NOT_FOUND, "no such session");
    };
    let outcome = call.form("outcome").unwrap_or("rejected").to_owned();
    if open {
        let told = payer::pay(praxis.as_ref(), Pay::by_page(&token, &outcome)).await;
        if !told.status().is_success() {
            return told;
        }
    }
    send_back(return_url.as_deref(), &[("status", outcome.as_str())], &page)
}
