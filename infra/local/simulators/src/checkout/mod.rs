//! Checkout.com: hosted payment pages, payments by number and by reference, signed events.

mod acts;
mod api;
pub mod signature;

use std::sync::Arc;

use axum::Router;
use axum::response::Response;
use axum::routing::{get, post};
use serde_json::{Map, Value};

use crate::clock::{Clock, Ids};
use crate::config::CheckoutConfig;
use crate::control::Controlled;
use crate::courier::{Courier, Notification, Route};
use crate::desk::{Desk, lock};
use crate::payer::{Cashier, Named, Pay, Resend, SendEvent};
use crate::till::{self, Hosted, Shown, Till};

use acts::Page;
use signature::EventSigner;

/// The simulator.
pub(crate) struct Checkout {
    config: CheckoutConfig,
    till: Till<Page>,
}

impl Checkout {
    pub(crate) fn new(
        config: CheckoutConfig,
        base_url: String,
        ids: Arc<Ids>,
        clock: Clock,
        courier: Arc<Courier>,
    ) -> Arc<Self> {
        Arc::new(Self { config, till: Till::new(base_url, ids, clock, courier) })
    }

    pub(crate) fn router(self: &Arc<Self>) -> Router {
        Router::new()
            .route("/hosted-payments", post(api::create))
            .route("/payments", get(api::list))
            .route("/payments/{id}", get(api::read))
            .with_state(Arc::clone(self))
            .merge(till::routes(Arc::clone(self)))
    }
}

impl Hosted for Checkout {
    type Payment = Page;
    const TITLE: &'static str = "Checkout.com";
    const OUTCOMES: [&'static str; 2] = ["succeeded", "failed"];

    fn till(&self) -> &Till<Page> {
        &self.till
    }

    fn shown(&self, page: &Page) -> Shown {
        Shown {
            reference: page.payment_id.clone(),
            amount: format!("{} {} (minor units)", page.amount, page.currency),
            status: page.status().to_owned(),
            open: page.payer_can_act(),
            return_url: page.return_url.clone(),
        }
    }
}

impl Cashier for Checkout {
    fn name(&self) -> &'static str {
        "checkout"
    }

    fn courier(&self) -> &Arc<Courier> {
        &self.till.courier
    }

    fn route(&self) -> Route {
        let signer = Arc::new(EventSigner::new(&self.config.webhook_key));
        Route { vendor: "checkout", signer, log: Arc::clone(&self.till.deliveries) }
    }

    fn knows(&self, name: &Named<'_>) -> bool {
        lock(&self.till.book).find(name).is_some()
    }

    fn apply(&self, order: &Pay) -> Result<(Value, Notification), Box<Response>> {
        acts::apply(self, order)
    }

    fn forge(&self, order: &SendEvent) -> Result<Notification, Box<Response>> {
        acts::forge(self, order)
    }

    fn earlier(&self, order: &Resend) -> Vec<Notification> {
        self.till.earlier(order)
    }
}

impl Controlled for Checkout {
    fn desk(&self) -> &Desk {
        &self.till.desk
    }

    fn state(&self, only: Option<&str>) -> Map<String, Value> {
        self.till.state(only, Page::describe)
    }

    fn clear(&self) {
        self.till.clear();
    }
}
