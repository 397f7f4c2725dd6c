//! The wallet: prepared sessions, the payer's page, signed forms, the query interface.

mod api;
mod book;
mod payer_acts;
mod payouts;
mod signature;

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use serde_json::{Map, Value, json};

use crate::clock::{Clock, Ids};
use crate::config::SkrillConfig;
use crate::courier::{Courier, Notification, Signer};
use crate::desk::lock;
use crate::payer::{self, Named, Pay, SendEvent};
use crate::request::Call;
use crate::till::{self, Provider, Shown, Till};

use book::Book;
use signature::FormSigner;

/// Where a transaction is asked for.
const QUERY_PATH: &str = "/app/query.pl";

/// The simulator.
pub(crate) struct Skrill {
    config: SkrillConfig,
    till: Till<Book>,
    payouts: Mutex<payouts::Payouts>,
}

impl Skrill {
    pub(crate) fn new(
        config: SkrillConfig,
        base_url: String,
        ids: Arc<Ids>,
        clock: Clock,
        courier: Arc<Courier>,
    ) -> Arc<Self> {
        Arc::new(Self { config, till: Till::new(base_url, ids, clock, courier), payouts: Mutex::default() })
    }

    pub(crate) fn router(self: &Arc<Self>) -> Router {
        Router::new()
            .route("/", get(payer_page).post(prepare_or_pay))
            .route(QUERY_PATH, get(api::query).post(api::query))
            .route("/app/pay.pl", get(payouts::pay))
            .with_state(Arc::clone(self))
            .merge(payer::routes(Arc::clone(self)))
    }
}

impl Provider for Skrill {
    type Book = Book;
    const NAME: &'static str = "skrill";
    const TITLE: &'static str = "Skrill";
    const OUTCOMES: [&'static str; 2] = ["2", "-2"];
    const NO_PAGE: &'static str = "no such session";

    fn till(&self) -> &Till<Book> {
        &self.till
    }

    fn signer(&self) -> Arc<dyn Signer> {
        Arc::new(FormSigner::new(&self.config.secret_word))
    }

    fn shown(&self, book: &Book, number: &str) -> Option<Shown> {
        book.find(&Named::Reference(number)).map(|payment| Shown {
            reference: payment.transaction_id.clone(),
            amount: format!("{} {}", payment.amount, payment.currency),
            status: payment.status_word().to_owned(),
            open: payment.payer_can_act(),
            return_url: payment.return_url.clone(),
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
        let payments: Vec<_> =
            book.payments().filter(|payment| concerns(&payment.transaction_id)).map(book::Payment::describe).collect();
        let mut state = Map::new();
        state.insert("payments".to_owned(), json!(payments));
        state.insert("payouts".to_owned(), json!(lock(&self.payouts).describe(only)));
        state
    }

    fn forget(&self) {
        *lock(&self.payouts) = payouts::Payouts::default();
    }

    fn page(&self, number: &str) -> String {
        format!("{}/?sid={number}", self.till.base_url)
    }

    fn takes_back(&self, shown: &Shown, _outcome: &str) -> Vec<(&'static str, String)> {
        vec![("transaction_id", shown.reference.clone())]
    }
}

async fn payer_page(State(skrill): State<Arc<Skrill>>, call: Call) -> Response {
    till::page(skrill.as_ref(), call.query("sid").unwrap_or_default())
}

/// The gateway's one address: with a session in the query it is the payer's page, else a session is prepared.
async fn prepare_or_pay(State(skrill): State<Arc<Skrill>>, call: Call) -> Response {
    match call.query("sid") {
        Some(session) => till::press(skrill.as_ref(), session, &call).await,
        None => api::prepare(&skrill, call).await,
    }
}
