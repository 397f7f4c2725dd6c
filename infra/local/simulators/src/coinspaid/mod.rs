//! Coins: addresses, what comes to them, signed callbacks.

mod api;
mod book;
mod payer_acts;
mod signature;

use std::sync::Arc;

use axum::Router;
use axum::response::Response;
use axum::routing::{get, post};
use serde_json::{Map, Value, json};

use crate::clock::{Clock, Ids};
use crate::config::CoinsPaidConfig;
use crate::courier::{Courier, Notification, Signer};
use crate::payer::{self, Named, Pay, SendEvent};
use crate::request::Call;
use crate::till::{self, Provider, Shown, Till};

use book::Book;
use signature::BodySigner;

/// The simulator.
pub(crate) struct CoinsPaid {
    config: CoinsPaidConfig,
    till: Till<Book>,
}

impl CoinsPaid {
    pub(crate) fn new(
        config: CoinsPaidConfig,
        base_url: String,
        ids: Arc<Ids>,
        clock: Clock,
        courier: Arc<Courier>,
    ) -> Arc<Self> {
        Arc::new(Self { config, till: Till::new(base_url, ids, clock, courier) })
    }

    pub(crate) fn router(self: &Arc<Self>) -> Router {
        Router::new()
            .route("/api/v2/addresses/take", post(api::take))
            .route("/api/v2/transactions/info", get(api::info))
            .route("/api/v2/withdrawal/crypto", post(api::withdraw))
            .with_state(Arc::clone(self))
            .merge(till::pages(Arc::clone(self)))
            .merge(payer::routes(Arc::clone(self)))
    }
}

impl Provider for CoinsPaid {
    type Book = Book;
    const NAME: &'static str = "coinspaid";
    const TITLE: &'static str = "CoinsPaid";
    const OUTCOMES: [&'static str; 2] = ["confirmed", "cancelled"];
    const NO_PAGE: &'static str = "no such address";

    fn till(&self) -> &Till<Book> {
        &self.till
    }

    fn signer(&self) -> Arc<dyn Signer> {
        Arc::new(BodySigner::new(&self.config.public_key, &self.config.secret_key))
    }

    fn shown(&self, book: &Book, number: &str) -> Option<Shown> {
        book.find(&Named::Reference(number)).map(|known| Shown {
            reference: known.address.clone(),
            amount: format!("any amount of {}", known.currency),
            status: known.deposits.last().map_or("open", |deposit| deposit.status).to_owned(),
            // an address takes money as long as it is there
            open: true,
            return_url: None,
        })
    }

    fn apply(&self, order: &Pay) -> Result<(Value, Notification), Box<Response>> {
        payer_acts::apply(self, order)
    }

    fn forge(&self, order: &SendEvent) -> Result<Notification, Box<Response>> {
        payer_acts::forge(self, order)
    }

    fn recorded(&self, book: &Book, only: Option<&str>) -> Map<String, Value> {
        let concerns = |id: &str| only.is_none_or(|only| only == id);
        let addresses: Vec<_> = book.addresses.iter().filter(|address| concerns(&address.foreign_id)).collect();
        let deposits: Vec<_> =
            addresses.iter().flat_map(|address| &address.deposits).map(book::Deposit::describe).collect();
        let addresses: Vec<_> = addresses.iter().map(|address| address.describe()).collect();
        let mut state = Map::new();
        state.insert("addresses".to_owned(), json!(addresses));
        state.insert("deposits".to_owned(), json!(deposits));
        let withdrawals = book.withdrawals.iter();
        let withdrawals: Vec<_> =
            withdrawals.filter(|sent| sent.get("foreign_id").and_then(Value::as_str).is_some_and(concerns)).collect();
        state.insert("withdrawals".to_owned(), json!(withdrawals));
        state
    }

    fn pressed(&self, number: &str, outcome: &str, call: &Call) -> Pay {
        Pay { amount: call.form("amount").map(str::to_owned), ..Pay::by_page(number, outcome) }
    }
}
