//! What simulators of payment providers with a page of their own for payers have alike: a book of payments, the payer's page, first
//! answers under an idempotency key.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::{Path, State};
use axum::response::Response;
use axum::routing::get;
use http::StatusCode;
use serde_json::{Map, Value, json};

use crate::clock::{Clock, Ids};
use crate::courier::{Courier, Delivery, Notification};
use crate::desk::{Desk, lock};
use crate::page::{PayerPage, send_back};
use crate::payer::{self, Cashier, Named, Pay, Resend};
use crate::reply;
use crate::request::Call;

/// Everything recorded of payments, with an index of their names.
#[derive(Debug)]
pub(crate) struct Book<P> {
    payments: Vec<P>,
    by_payment_id: HashMap<String, usize>,
    by_reference: HashMap<String, usize>,
    pub(crate) notifications: Vec<Notification>,
}

impl<P> Default for Book<P> {
    fn default() -> Self {
        let (by_payment_id, by_reference) = (HashMap::new(), HashMap::new());
        Self { payments: Vec::new(), by_payment_id, by_reference, notifications: Vec::new() }
    }
}

impl<P> Book<P> {
    /// Adds a payment of ours; a later one of the same name takes its place in the index.
    pub(crate) fn add(&mut self, payment_id: &str, reference: &str, payment: P) {
        let index = self.payments.len();
        self.by_payment_id.insert(payment_id.to_owned(), index);
        self.by_reference.insert(reference.to_owned(), index);
        self.payments.push(payment);
    }

    /// Gives a payment another of the vendor's numbers.
    pub(crate) fn also(&mut self, payment_id: &str, reference: &str) {
        if let Some(index) = self.by_payment_id.get(payment_id).copied() {
            self.by_reference.insert(reference.to_owned(), index);
        }
    }

    pub(crate) fn find(&self, name: &Named<'_>) -> Option<&P> {
        self.payments.get(self.index(name)?)
    }

    pub(crate) fn find_mut(&mut self, name: &Named<'_>) -> Option<&mut P> {
        let index = self.index(name)?;
        self.payments.get_mut(index)
    }

    fn index(&self, name: &Named<'_>) -> Option<usize> {
        match name {
            Named::Reference(reference) => self.by_reference.get(*reference).copied(),
            Named::PaymentId(payment_id) => self.by_payment_id.get(*payment_id).copied(),
        }
    }
}

/// What a simulator works with.
pub(crate) struct Till<P> {
    pub(crate) base_url: String,
    pub(crate) ids: Arc<Ids>,
    pub(crate) clock: Clock,
    pub(crate) courier: Arc<Courier>,
    pub(crate) desk: Desk,
    pub(crate) book: Mutex<Book<P>>,
    pub(crate) deliveries: Arc<Mutex<Vec<Delivery>>>,
    /// Request and answer by idempotency key.
    first_answers: Mutex<HashMap<String, (String, Value)>>,
}

impl<P> Till<P> {
    pub(crate) fn new(base_url: String, ids: Arc<Ids>, clock: Clock, courier: Arc<Courier>) -> Self {
        Self {
            desk: Desk::new(clock.clone()),
            base_url,
            ids,
            clock,
            courier,
            book: Mutex::default(),
            deliveries: Arc::default(),
            first_answers: Mutex::default(),
        }
    }

    /// Does it once for a key and gives its first answer again; `None` if the key was used for another request. What is refused is not
    /// kept.
    pub(crate) fn once<E>(
        &self,
        key: &str,
        request: &str,
        make: impl FnOnce() -> Result<Value, E>,
    ) -> Option<Result<Value, E>> {
        // held over `make`, so that two calls with one key cannot both be the first
        let mut first = lock(&self.first_answers);
        match first.get(key) {
            Some((known, answer)) => (known == request).then(|| Ok(answer.clone())),
            None => Some(make().inspect(|answer| {
                first.insert(key.to_owned(), (request.to_owned(), answer.clone()));
            })),
        }
    }

    pub(crate) fn earlier(&self, order: &Resend) -> Vec<Notification> {
        crate::psp::to_resend(&lock(&self.book).notifications, &lock(&self.deliveries), order)
    }

    pub(crate) fn state(&self, only: Option<&str>, describe: impl Fn(&P) -> Value) -> Map<String, Value> {
        let book = lock(&self.book);
        let payments: Vec<_> = match only {
            Some(payment_id) => book.find(&Named::PaymentId(payment_id)).into_iter().map(describe).collect(),
            None => book.payments.iter().map(describe).collect(),
        };
        let deliveries = lock(&self.deliveries);
        let deliveries: Vec<_> =
            deliveries.iter().filter(|delivery| only.is_none_or(|id| delivery.payment_id == id)).collect();
        Map::from_iter([("payments".to_owned(), json!(payments)), ("deliveries".to_owned(), json!(deliveries))])
    }

    pub(crate) fn clear(&self) {
        lock(&self.first_answers).clear();
        *lock(&self.book) = Book::default();
        lock(&self.deliveries).clear();
    }
}

/// What the payer's page shows of a payment.
pub(crate) struct Shown {
    pub(crate) reference: String,
    pub(crate) amount: String,
    pub(crate) status: String,
    /// The payer can still decide.
    pub(crate) open: bool,
    pub(crate) return_url: Option<String>,
}

/// A provider whose payers pay on a page of its own, at `/pay/{its number}`.
pub(crate) trait Hosted: Cashier {
    type Payment: Send + 'static;
    /// Its name on the page.
    const TITLE: &'static str;
    /// The outcomes of the two buttons.
    const OUTCOMES: [&'static str; 2];

    fn till(&self) -> &Till<Self::Payment>;

    fn shown(&self, payment: &Self::Payment) -> Shown;
}

/// The payer's page and the control routes.
pub(crate) fn routes<V: Hosted>(vendor: Arc<V>) -> Router {
    Router::new()
        .route("/pay/{reference}", get(payer_page::<V>).post(payer_decides::<V>))
        .with_state(Arc::clone(&vendor))
        .merge(payer::routes(vendor))
}

fn shown<V: Hosted>(vendor: &V, reference: &str) -> Option<Shown> {
    let book = lock(&vendor.till().book);
    book.find(&Named::Reference(reference)).map(|payment| vendor.shown(payment))
}

async fn payer_page<V: Hosted>(State(vendor): State<Arc<V>>, Path(reference): Path<String>) -> Response {
    let Some(shown) = shown(vendor.as_ref(), &reference) else {
        return reply::plain(StatusCode::NOT_FOUND, "no such payment");
    };
    let Shown { reference, amount, status, open, .. } = shown;
    let page =
        PayerPage { vendor: V::TITLE, reference: &reference, amount, status: &status, open, outcomes: V::OUTCOMES };
    page.render()
}

async fn payer_decides<V: Hosted>(State(vendor): State<Arc<V>>, Path(reference): Path<String>, call: Call) -> Response {
    let Some(shown) = shown(vendor.as_ref(), &reference) else {
        return reply::plain(StatusCode::NOT_FOUND, "no such payment");
    };
    let [_, failed] = V::OUTCOMES;
    let outcome = call.form("outcome").unwrap_or(failed).to_owned();
    if shown.open {
        let told = payer::pay(vendor.as_ref(), Pay::by_page(&reference, &outcome)).await;
        if !told.status().is_success() {
            return told;
        }
    }
    let page = format!("{}/pay/{reference}", vendor.till().base_url);
    send_back(shown.return_url.as_deref(), &[("outcome", outcome.as_str())], &page)
}
