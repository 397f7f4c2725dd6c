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
use http::StatusCode;
use serde_json::{Map, Value, json};

use crate::clock::{Clock, Ids};
use crate::config::SkrillConfig;
use crate::control::Controlled;
use crate::courier::{Courier, Delivery, Notification, Route};
use crate::desk::{Desk, lock};
use crate::page::{PayerPage, send_back};
use crate::payer::{self, Cashier, Named, Pay, Resend, SendEvent};
use crate::reply;
use crate::request::Call;

use book::Book;
use signature::FormSigner;

/// Where a transaction is asked for.
const QUERY_PATH: &str = "/app/query.pl";

/// The simulator.
pub(crate) struct Skrill {
    config: SkrillConfig,
    base_url: String,
    ids: Arc<Ids>,
    courier: Arc<Courier>,
    desk: Desk,
    book: Mutex<Book>,
    payouts: Mutex<payouts::Payouts>,
    deliveries: Arc<Mutex<Vec<Delivery>>>,
}

impl Skrill {
    pub(crate) fn new(
        config: SkrillConfig,
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
            payouts: Mutex::default(),
            deliveries: Arc::default(),
        })
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

impl Cashier for Skrill {
    fn name(&self) -> &'static str {
        "skrill"
    }

    fn courier(&self) -> &Arc<Courier> {
        &self.courier
    }

    fn route(&self) -> Route {
        Route {
            vendor: "skrill",
            signer: Arc::new(FormSigner::new(&self.config.secret_word)),
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

impl Controlled for Skrill {
    fn desk(&self) -> &Desk {
        &self.desk
    }

    fn state(&self, only: Option<&str>) -> Map<String, Value> {
        let book = lock(&self.book);
        let concerns = |id: &str| only.is_none_or(|only| only == id);
        let payments: Vec<_> =
            book.payments().filter(|payment| concerns(&payment.transaction_id)).map(book::Payment::describe).collect();
        let deliveries = lock(&self.deliveries);
        let deliveries: Vec<_> = deliveries.iter().filter(|delivery| concerns(&delivery.payment_id)).collect();
        let mut state = Map::new();
        state.insert("payments".to_owned(), json!(payments));
        state.insert("payouts".to_owned(), json!(lock(&self.payouts).describe(only)));
        state.insert("deliveries".to_owned(), json!(deliveries));
        state
    }

    fn clear(&self) {
        *lock(&self.book) = Book::default();
        *lock(&self.payouts) = payouts::Payouts::default();
        lock(&self.deliveries).clear();
    }
}

async fn payer_page(State(skrill): State<Arc<Skrill>>, call: Call) -> Response {
    let session = call.query("sid").unwrap_or_default();
    let book = lock(&skrill.book);
    match book.find(&Named::Reference(session)) {
        Some(payment) => PayerPage {
            vendor: "Skrill",
            reference: &payment.transaction_id,
            amount: format!("{} {}", payment.amount, payment.currency),
            status: payment.status_word(),
            open: payment.payer_can_act(),
            outcomes: ["2", "-2"],
        }
        .render(),
        None => reply::plain(StatusCode::NOT_FOUND, "no such session"),
    }
}

/// The gateway's one address: with a session in the query it is the payer's page, else a session is prepared.
async fn prepare_or_pay(State(skrill): State<Arc<Skrill>>, call: Call) -> Response {
    match call.query("sid") {
        Some(session) => payer_decides(&skrill, session, &call).await,
        None => api::prepare(&skrill, call).await,
    }
}

async fn payer_decides(skrill: &Arc<Skrill>, session: &str, call: &Call) -> Response {
    let page = format!("{}/?sid={session}", skrill.base_url);
    let known = {
        let book = lock(&skrill.book);
        book.find(&Named::Reference(session))
            .map(|payment| (payment.payer_can_act(), payment.return_url.clone(), payment.transaction_id.clone()))
    };
    let Some((open, return_url, transaction_id)) = known else {
        return reply::plain(StatusCode::NOT_FOUND, "no such session");
    };
    if open {
        let outcome = call.form("outcome").unwrap_or("-2");
        let told = payer::pay(skrill.as_ref(), Pay::by_page(session, outcome)).await;
        if !told.status().is_success() {
            return told;
        }
    }
    send_back(return_url.as_deref(), &[("transaction_id", &transaction_id)], &page)
}
