//! Coins: addresses, what comes to them, signed callbacks.

mod api;
mod book;
mod payer_acts;
mod signature;

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::{Path, State};
use axum::response::Response;
use axum::routing::{get, post};
use http::StatusCode;
use serde_json::{Map, Value, json};

use crate::clock::{Clock, Ids};
use crate::config::CoinsPaidConfig;
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
pub(crate) struct CoinsPaid {
    config: CoinsPaidConfig,
    base_url: String,
    ids: Arc<Ids>,
    courier: Arc<Courier>,
    desk: Desk,
    book: Mutex<Book>,
    deliveries: Arc<Mutex<Vec<Delivery>>>,
}

impl CoinsPaid {
    pub(crate) fn new(
        config: CoinsPaidConfig,
        base_url: String,
        ids: Arc<Ids>,
        clock: Clock,
        courier: Arc<Courier>,
    ) -> Arc<Self> {
        Arc::new(Self {
            desk: Desk::new(clock),
            config,
            base_url,
            ids,
            courier,
            book: Mutex::default(),
            deliveries: Arc::default(),
        })
    }

    pub(crate) fn router(self: &Arc<Self>) -> Router {
        Router::new()
            .route("/api/v2/addresses/take", post(api::take))
            .route("/api/v2/transactions/info", get(api::info))
            .route("/api/v2/withdrawal/crypto", post(api::withdraw))
            .route("/pay/{address}", get(payer_page).post(payer_sends))
            .with_state(Arc::clone(self))
            .merge(payer::routes(Arc::clone(self)))
    }
}

impl Cashier for CoinsPaid {
    fn name(&self) -> &'static str {
        "coinspaid"
    }

    fn courier(&self) -> &Arc<Courier> {
        &self.courier
    }

    fn route(&self) -> Route {
        Route {
            vendor: "coinspaid",
            signer: Arc::new(BodySigner::new(&self.config.public_key, &self.config.secret_key)),
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

impl Controlled for CoinsPaid {
    fn desk(&self) -> &Desk {
        &self.desk
    }

    fn state(&self, only: Option<&str>) -> Map<String, Value> {
        let book = lock(&self.book);
        let concerns = |id: &str| only.is_none_or(|only| only == id);
        let addresses: Vec<_> = book.addresses.iter().filter(|address| concerns(&address.foreign_id)).collect();
        let deposits: Vec<_> =
            addresses.iter().flat_map(|address| &address.deposits).map(book::Deposit::describe).collect();
        let addresses: Vec<_> = addresses.iter().map(|address| address.describe()).collect();
        let deliveries = lock(&self.deliveries);
        let deliveries: Vec<_> = deliveries.iter().filter(|delivery| concerns(&delivery.payment_id)).collect();
        let mut state = Map::new();
        state.insert("addresses".to_owned(), json!(addresses));
        state.insert("deposits".to_owned(), json!(deposits));
        let withdrawals = book.withdrawals.iter();
        let withdrawals: Vec<_> =
            withdrawals.filter(|sent| sent.get("foreign_id").and_then(Value::as_str).is_some_and(concerns)).collect();
        state.insert("withdrawals".to_owned(), json!(withdrawals));
        state.insert("deliveries".to_owned(), json!(deliveries));
        state
    }

    fn clear(&self) {
        *lock(&self.book) = Book::default();
        lock(&self.deliveries).clear();
    }
}

/// What a broker's own page would show, with a wallet behind it.
async fn payer_page(State(vendor): State<Arc<CoinsPaid>>, Path(address): Path<String>) -> Response {
    let book = lock(&vendor.book);
    match book.find(&Named::Reference(&address)) {
        Some(known) => PayerPage {
            vendor: "CoinsPaid",
            reference: &known.address,
            amount: format!("any amount of {}", known.currency),
            status: known.deposits.last().map_or("open", |deposit| deposit.status),
            // an address takes money as long as it is there
            open: true,
            outcomes: ["confirmed", "cancelled"],
        }
        .render(),
        None => reply::plain(StatusCode::NOT_FOUND, "no such address"),
    }
}

async fn payer_sends(State(vendor): State<Arc<CoinsPaid>>, Path(address): Path<String>, call: Call) -> Response {
    let outcome = call.form("outcome").unwrap_or("cancelled");
    let mut order = Pay::by_page(&address, outcome);
    order.amount = call.form("amount").map(str::to_owned);
    let told = payer::pay(vendor.as_ref(), order).await;
    if !told.status().is_success() {
        return told;
    }
    send_back(None, &[], &format!("{}/pay/{address}", vendor.base_url))
}
