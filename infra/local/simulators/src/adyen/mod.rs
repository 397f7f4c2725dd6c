//! Adyen: payment links, and signed items that tell what became of a payment.

mod acts;
mod api;
pub mod signature;

use std::sync::Arc;

use axum::Router;
use axum::response::Response;
use axum::routing::post;
use serde_json::{Map, Value};

use crate::clock::{Clock, Ids};
use crate::config::AdyenConfig;
use crate::control::Controlled;
use crate::courier::{Courier, Notification, Route};
use crate::desk::{Desk, lock};
use crate::payer::{Cashier, Named, Pay, Resend, SendEvent};
use crate::till::{self, Hosted, Shown, Till};

use acts::Link;
use signature::ItemSigner;

/// The simulator.
pub(crate) struct Adyen {
    config: AdyenConfig,
    till: Till<Link>,
}

impl Adyen {
    pub(crate) fn new(
        config: AdyenConfig,
        base_url: String,
        ids: Arc<Ids>,
        clock: Clock,
        courier: Arc<Courier>,
    ) -> Arc<Self> {
        Arc::new(Self { config, till: Till::new(base_url, ids, clock, courier) })
    }

    pub(crate) fn router(self: &Arc<Self>) -> Router {
        let links = Router::new().route("/v71/paymentLinks", post(api::create)).with_state(Arc::clone(self));
        links.merge(till::routes(Arc::clone(self)))
    }
}

impl Hosted for Adyen {
    type Payment = Link;
    const TITLE: &'static str = "Adyen";
    const OUTCOMES: [&'static str; 2] = ["succeeded", "failed"];

    fn till(&self) -> &Till<Link> {
        &self.till
    }

    fn shown(&self, link: &Link) -> Shown {
        Shown {
            reference: link.payment_id.clone(),
            amount: format!("{} {} (minor units)", link.amount, link.currency),
            status: link.status.clone(),
            open: link.payer_can_act(),
            return_url: link.return_url.clone(),
        }
    }
}

impl Cashier for Adyen {
    fn name(&self) -> &'static str {
        "adyen"
    }

    fn courier(&self) -> &Arc<Courier> {
        &self.till.courier
    }

    fn route(&self) -> Route {
        let signer = Arc::new(ItemSigner::new(&self.config.hmac_key));
        Route { vendor: "adyen", signer, log: Arc::clone(&self.till.deliveries) }
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

impl Controlled for Adyen {
    fn desk(&self) -> &Desk {
        &self.till.desk
    }

    fn state(&self, only: Option<&str>) -> Map<String, Value> {
        self.till.state(only, Link::describe)
    }

    fn clear(&self) {
        self.till.clear();
    }
}
