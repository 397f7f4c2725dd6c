//! `POST /v1/webhooks/kyc/{vendor}`: what a vendor of identity checks says. One conditional write, under the vendor's own id of it, and
//! the answer; what follows is `kyc-verify`'s, which can wait for a vendor that is not there to be asked.

use std::sync::Arc;

use domain::kyc::rules::IdentityVendor;
use domain::kyc::vendor::{Said, VendorNotice, VendorWord};
use providers::kyc::{Event, Refused, Says};
use runtime::Problem;
use runtime::function::{ConfigError, Function, Ports};
use runtime::http::{HttpFunction, HttpStep, Reply, Request, Route, WEBHOOK_BYTES_MAX};
use runtime::step;
use serde_json::json;

use crate::checks::{Checks, words};

/// The step.
pub struct Webhook {
    checks: Checks,
}

/// Builds the function.
///
/// # Errors
/// [`ConfigError`].
pub fn build(ports: &Ports) -> Result<Arc<dyn Function>, ConfigError> {
    HttpFunction::build(Webhook { checks: Checks::new(ports)? }, ports)
}

impl HttpStep for Webhook {
    const NAME: &'static str = "kyc-webhook";
    const ROUTES: &'static [Route<Self>] = &[
        delivery("/v1/webhooks/kyc/sumsub"),
        delivery("/v1/webhooks/kyc/onfido"),
        delivery("/v1/webhooks/kyc/veriff"),
        delivery("/v1/webhooks/kyc/{vendor}"),
    ];
}

/// A vendor with a path of its own has a limit of its own at the gateway; all other names share one.
const fn delivery(path: &'static str) -> Route<Webhook> {
    Route::signed("POST", path, WEBHOOK_BYTES_MAX, |step, request| Box::pin(step.receive(request)))
}

/// The vendor that the address names.
fn name_in(request: &Request) -> &str {
    let own_path = || request.route.rsplit('/').next().unwrap_or_default();
    request.parameters.get("vendor").map_or_else(own_path, String::as_str)
}

impl Webhook {
    async fn receive(&self, request: &Request) -> Result<Reply, Problem> {
        let unknown = || Problem::not_found("there is no such vendor of identity checks");
        let vendor: IdentityVendor = name_in(request).parse().map_err(|_| unknown())?;
        let live = self.checks.vendors.rules().await?;
        let rule = live.rules.rule(vendor).ok_or_else(unknown)?;
        let adapter = self.checks.vendors.adapter(rule).await?;
        let event = adapter.verify(&request.headers, &request.body).map_err(|refused| problem(refused, vendor))?;
        if let Says::Nothing(why) = event.says {
            tracing::info!(vendor = %vendor, why, "a delivery concerns no check");
            return Ok(taken());
        }
        let mut frame = request.frame(Self::NAME);
        frame.used(live.label());
        let client = event.ours.as_ref().and_then(|ours| ours.as_str().parse().ok());
        let (id, kind) = (event.id.clone(), event.kind.clone());
        let (word, said) = statement(event, vendor);
        let decision = VendorNotice::taken(&id, client, &kind, word, &said);
        frame.trigger = format!("{vendor} {}", decision.next.id);
        let notice = decision.next.id.clone();
        if !step::create(&self.checks.crm, decision, &frame).await? {
            step::change(&self.checks.crm, &notice, &mut frame, VendorNotice::heard_again).await?;
        }
        Ok(taken())
    }
}

fn taken() -> Reply {
    Reply::json(200, &json!({"received": true}))
}

/// What the delivery says, as far as its signature covers it.
fn statement(event: Event, vendor: IdentityVendor) -> (Option<VendorWord>, Said) {
    let (word, labels, for_client) = match event.says {
        Says::Outcome(outcome) => {
            let (word, labels, for_client) = words(outcome);
            (Some(word), labels, for_client)
        }
        Says::Fetch | Says::Nothing(_) => (None, vec![], vec![]),
    };
    let said = Said {
        vendor,
        reference: event.reference,
        word: word.unwrap_or(VendorWord::Pending),
        labels,
        for_client,
        at: event.at,
        asked: false,
    };
    (word, said)
}

fn problem(refused: Refused, vendor: IdentityVendor) -> Problem {
    match refused {
        Refused::BadSignature(reason) => {
            tracing::warn!(vendor = %vendor, reason, "webhook signature was not accepted");
            Problem::unauthorized("the signature is missing or not accepted")
        }
        Refused::Malformed { faults } => {
            tracing::warn!(vendor = %vendor, faults = faults.len(), "webhook cannot be read");
            Problem { status: 400, ..Problem::input(faults) }
        }
    }
}
