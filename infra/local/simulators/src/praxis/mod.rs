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
use crate::control::{self, Controlled};
use crate::courier::{Courier, Delivery, Route};
use crate::desk::{Desk, lock};
use crate::page::{PayerPage, send_back};
use crate::payer::{self, Named, parse};
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
            .route("/_control/pay", post(control_pay))
            .route("/_control/webhook", post(control_webhook))
            .route("/_control/resend", post(control_resend))
            .with_state(Arc::clone(self))
            .merge(control::routes(Arc::clone(self), Arc::clone(&self.courier)))
    }

    fn route(&self) -> Route {
        Route {
            vendor: "praxis",
            signer: Arc::new(NotificationSigner::new(&self.config.secret)),
            log: Arc::clone(&self.deliveries),
        }
    }

    /// True when an order of this name was created here.
    pub(crate) fn knows(&self, name: &Named<'_>) -> bool {
        lock(&self.book).find(name).is_some()
    }

    /// The payer acts, the vendor tells.
    pub(crate) async fn pay(&self, order: payer::Pay) -> Response {
        match payer_acts::apply(self, &order) {
            Ok((answer, notification)) => {
                payer::send_and_answer(
                    &self.courier,
                    self.route(),
                    vec![notification],
                    order.webhook,
                    order.wait,
                    answer,
                )
                .await
            }
            Err(response) => *response,
        }
    }

    /// Sends any notification about an order, even one that was never made.
    pub(crate) async fn send_event(&self, order: payer::SendEvent) -> Response {
        match payer_acts::forge(self, &order) {
            Ok(notification) => {
                let answer = json!({ "event_id": notification.event_id });
                payer::send_and_answer(
                    &self.courier,
                    self.route(),
                    vec![notification],
                    order.webhook,
                    order.wait,
                    answer,
                )
                .await
            }
            Err(response) => *response,
        }
    }

    /// Sends earlier notifications again, as the vendor does after about five minutes.
    pub(crate) async fn resend(&self, order: payer::Resend) -> Response {
        let chosen = {
            let book = lock(&self.book);
            let deliveries = lock(&self.deliveries);
            crate::psp::to_resend(&book.notifications, &deliveries, &order)
        };
        let answer = json!({ "events": chosen.len() });
        payer::send_and_answer(&self.courier, self.route(), chosen, order.webhook, order.wait, answer).await
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
        let told = praxis.pay(payer::Pay::by_page(&token, &outcome)).await;
        if !told.status().is_success() {
            return told;
        }
    }
    send_back(return_url.as_deref(), &[("status", outcome.as_str())], &page)
}

async fn control_pay(State(praxis): State<Arc<Praxis>>, call: Call) -> Response {
    match parse(&call.body) {
        Ok(order) => praxis.pay(order).await,
        Err(response) => *response,
    }
}

async fn control_webhook(State(praxis): State<Arc<Praxis>>, call: Call) -> Response {
    match parse(&call.body) {
        Ok(order) => praxis.send_event(order).await,
        Err(response) => *response,
    }
}

async fn control_resend(State(praxis): State<Arc<Praxis>>, call: Call) -> Response {
    match parse(&call.body) {
        Ok(order) => praxis.resend(order).await,
        Err(response) => *response,
    }
}
