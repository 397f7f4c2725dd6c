//! What the simulators of payment providers have alike: a book of what they record, the payer's page, first answers under an idempotency
//! key, and what their control routes need of them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::{Path, State};
use axum::response::Response;
use axum::routing::get;
use http::StatusCode;
use serde_json::{Map, Value, json};

use crate::clock::{Clock, Ids};
use crate::courier::{Courier, Delivery, Notification, Route, Signer};
use crate::desk::{Desk, lock};
use crate::page::{PayerPage, send_back};
use crate::payer::{self, Cashier, Named, Pay, Resend, SendEvent};
use crate::reply;
use crate::request::Call;

/// Everything that a provider records.
pub(crate) trait Records: Default + Send + 'static {
    /// True when it holds a payment of this name.
    fn knows(&self, name: &Named<'_>) -> bool;
    /// What was told, the newest last.
    fn told(&self) -> &[Notification];
}

/// Payments of a provider that numbers them, with an index of their names.
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

impl<P: Send + 'static> Records for Book<P> {
    fn knows(&self, name: &Named<'_>) -> bool {
        self.find(name).is_some()
    }

    fn told(&self) -> &[Notification] {
        &self.notifications
    }
}

impl<P> Book<P> {
    /// Every payment, or the one of this name.
    pub(crate) fn describe(&self, only: Option<&str>, describe: impl Fn(&P) -> Value) -> Map<String, Value> {
        let payments: Vec<_> = match only {
            Some(payment_id) => self.find(&Named::PaymentId(payment_id)).into_iter().map(describe).collect(),
            None => self.payments.iter().map(describe).collect(),
        };
        Map::from_iter([("payments".to_owned(), json!(payments))])
    }
}

/// What a simulator works with.
pub(crate) struct Till<B> {
    pub(crate) base_url: String,
    pub(crate) ids: Arc<Ids>,
    pub(crate) clock: Clock,
    pub(crate) courier: Arc<Courier>,
    pub(crate) desk: Desk,
    pub(crate) book: Mutex<B>,
    deliveries: Arc<Mutex<Vec<Delivery>>>,
    /// Request and answer by idempotency key.
    first_answers: Mutex<HashMap<String, (String, Value)>>,
}

impl<B: Default> Till<B> {
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

/// A payment provider. Its control routes, and the payer's page, follow from this.
pub(crate) trait Provider: Send + Sync + 'static {
    type Book: Records;
    /// Its part of the path at the address of all providers, and of the webhooks' path.
    const NAME: &'static str;
    /// Its name on the page.
    const TITLE: &'static str;
    /// The outcomes of the two buttons.
    const OUTCOMES: [&'static str; 2];
    /// What a page says that is none.
    const NO_PAGE: &'static str = "no such payment";

    fn till(&self) -> &Till<Self::Book>;

    fn signer(&self) -> Arc<dyn Signer>;

    /// What the page of this number shows.
    fn shown(&self, book: &Self::Book, number: &str) -> Option<Shown>;

    /// The payer acts: the answer of the control route, and what the vendor tells.
    fn apply(&self, order: &Pay) -> Result<(Value, Notification), Box<Response>>;

    /// A notification about a payment, even one that was never made.
    fn forge(&self, order: &SendEvent) -> Result<Notification, Box<Response>>;

    /// Everything recorded of every payment or of one, but the deliveries.
    fn recorded(&self, book: &Self::Book, only: Option<&str>) -> Map<String, Value>;

    /// Forgets what is recorded beside the book.
    fn forget(&self) {}

    /// The address of a page.
    fn page(&self, number: &str) -> String {
        format!("{}/pay/{number}", self.till().base_url)
    }

    /// What a button asks for.
    fn pressed(&self, number: &str, outcome: &str, _call: &Call) -> Pay {
        Pay::by_page(number, outcome)
    }

    /// What the payer takes back to the shop.
    fn takes_back(&self, _shown: &Shown, outcome: &str) -> Vec<(&'static str, String)> {
        vec![("outcome", outcome.to_owned())]
    }
}

impl<V: Provider> Cashier for V {
    fn name(&self) -> &'static str {
        V::NAME
    }

    fn courier(&self) -> &Arc<Courier> {
        &self.till().courier
    }

    fn route(&self) -> Route {
        Route { vendor: V::NAME, signer: self.signer(), log: Arc::clone(&self.till().deliveries) }
    }

    fn knows(&self, name: &Named<'_>) -> bool {
        lock(&self.till().book).knows(name)
    }

    fn apply(&self, order: &Pay) -> Result<(Value, Notification), Box<Response>> {
        Provider::apply(self, order)
    }

    fn forge(&self, order: &SendEvent) -> Result<Notification, Box<Response>> {
        Provider::forge(self, order)
    }

    fn earlier(&self, order: &Resend) -> Vec<Notification> {
        let till = self.till();
        crate::psp::to_resend(lock(&till.book).told(), &lock(&till.deliveries), order)
    }

    fn desk(&self) -> &Desk {
        &self.till().desk
    }

    fn state(&self, only: Option<&str>) -> Map<String, Value> {
        let till = self.till();
        let mut state = self.recorded(&lock(&till.book), only);
        let deliveries = lock(&till.deliveries);
        let concerned: Vec<_> =
            deliveries.iter().filter(|delivery| only.is_none_or(|id| delivery.payment_id == id)).collect();
        state.insert("deliveries".to_owned(), json!(concerned));
        state
    }

    fn clear(&self) {
        let till = self.till();
        lock(&till.first_answers).clear();
        *lock(&till.book) = V::Book::default();
        self.forget();
        lock(&till.deliveries).clear();
    }
}

/// The payers' pages at `/pay/{number}`.
pub(crate) fn pages<V: Provider>(vendor: Arc<V>) -> Router {
    let page = |State(vendor): State<Arc<V>>, Path(number): Path<String>| async move { page(vendor.as_ref(), &number) };
    let press = |State(vendor): State<Arc<V>>, Path(number): Path<String>, call: Call| async move {
        press(vendor.as_ref(), &number, &call).await
    };
    Router::new().route("/pay/{number}", get(page).post(press)).with_state(vendor)
}

/// A payer's page.
pub(crate) fn page<V: Provider>(vendor: &V, number: &str) -> Response {
    let Some(shown) = vendor.shown(&lock(&vendor.till().book), number) else {
        return reply::plain(StatusCode::NOT_FOUND, V::NO_PAGE);
    };
    let Shown { reference, amount, status, open, .. } = shown;
    let page =
        PayerPage { vendor: V::TITLE, reference: &reference, amount, status: &status, open, outcomes: V::OUTCOMES };
    page.render()
}

/// A button of it.
pub(crate) async fn press<V: Provider>(vendor: &V, number: &str, call: &Call) -> Response {
    let Some(shown) = vendor.shown(&lock(&vendor.till().book), number) else {
        return reply::plain(StatusCode::NOT_FOUND, V::NO_PAGE);
    };
    let [_, failed] = V::OUTCOMES;
    let outcome = call.form("outcome").unwrap_or(failed);
    if shown.open {
        let told = payer::pay(vendor, vendor.pressed(number, outcome, call)).await;
        if !told.status().is_success() {
            return told;
        }
    }
    let parameters = vendor.takes_back(&shown, outcome);
    let parameters: Vec<(&str, &str)> = parameters.iter().map(|(name, value)| (*name, value.as_str())).collect();
    send_back(shown.return_url.as_deref(), &parameters, &vendor.page(number))
}
