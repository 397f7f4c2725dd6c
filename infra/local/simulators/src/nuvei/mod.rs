//! Nuvei: a payment page behind a signed address, transactions by number, signed forms.

mod acts;
mod api;
pub mod signature;

use std::sync::Arc;

use axum::Router;
use axum::response::Response;
use axum::routing::{get, post};
use serde_json::{Map, Value};

use crate::clock::{Clock, Ids};
use crate::config::NuveiConfig;
use crate::control::Controlled;
use crate::courier::{Courier, Notification, Route};
use crate::desk::{Desk, lock};
use crate::payer::{Cashier, Named, Pay, Resend, SendEvent};
use crate::till::{self, Hosted, Shown, Till};

use acts::Order;
use signature::FormSigner;

/// The simulator.
pub(crate) struct Nuvei {
    config: NuveiConfig,
    till: Till<Order>,
}

impl Nuvei {
    pub(crate) fn new(
        config: NuveiConfig,
        base_url: String,
        ids: Arc<Ids>,
        clock: Clock,
        courier: Arc<Courier>,
    ) -> Arc<Self> {
        Arc::new(Self { config, till: Till::new(base_url, ids, clock, courier) })
    }

    pub(crate) fn router(self: &Arc<Self>) -> Router {
        Router::new()
            .route("/ppp/purchase.do", get(api::purchase))
            .route("/ppp/api/v1/getTransactionDetails.do", post(api::details))
            .with_state(Arc::clone(self))
            .merge(till::routes(Arc::clone(self)))
    }
}

impl Hosted for Nuvei {
    type Payment = Order;
    const TITLE: &'static str = "Nuvei";
    const OUTCOMES: [&'static str; 2] = ["succeeded", "failed"];

    fn till(&self) -> &Till<Order> {
        &self.till
    }

    fn shown(&self, order: &Order) -> Shown {
        Shown {
            reference: order.payment_id.clone(),
            amount: format!("{} {}", order.amount, order.currency),
            status: order.status(),
            open: order.payer_can_act(),
            return_url: order.return_url.clone(),
        }
    }
}

impl Cashier for Nuvei {
    fn name(&self) -> &'static str {
        "nuvei"
    }

    fn courier(&self) -> &Arc<Courier> {
        &self.till.courier
    }

    fn route(&self) -> Route {
        let signer = Arc::new(FormSigner::new(&self.config.secret_key));
        Route { vendor: "nuvei", signer, log: Arc::clone(&self.till.deliveries) }
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

impl Controlled for Nuvei {
    fn desk(&self) -> &Desk {
        &self.till.desk
    }

    fn state(&self, only: Option<&str>) -> Map<String, Value> {
        self.till.state(only, Order::describe)
    }

    fn clear(&self) {
        self.till.clear();
    }
}
