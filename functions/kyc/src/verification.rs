//! `POST /v1/clients/{client_id}/kyc/verification`: where the client goes to be verified by a vendor.
//!
//! The link is as good as a password, so it is in no event and in no answer but this one, which the portal asks for when the client
//! wants to go there: it is fresh then, and no list of next steps that somebody keeps holds one.

use std::sync::Arc;

use domain::ClientId;
use domain::decision::Frame;
use domain::kyc::vendor::{CheckState, VendorCheck};
use runtime::auth::PORTAL;
use runtime::function::{ConfigError, Function, Ports};
use runtime::http::{HttpFunction, HttpStep, Reply, Request, Route, Scope};
use runtime::{Problem, step};
use serde_json::json;

use crate::cases::Cases;
use crate::checks::Checks;

/// The step.
pub struct Verification {
    cases: Cases,
    checks: Checks,
}

/// Builds the function.
///
/// # Errors
/// [`ConfigError`].
pub fn build(ports: &Ports) -> Result<Arc<dyn Function>, ConfigError> {
    HttpFunction::build(Verification { cases: Cases::new(ports)?, checks: Checks::new(ports)? }, ports)
}

impl HttpStep for Verification {
    const NAME: &'static str = "kyc-verification";

    const ROUTES: &'static [Route<Self>] = &[Route::token(
        "POST",
        "/v1/clients/{client_id}/kyc/verification",
        PORTAL,
        Scope::OneClient,
        |step, request, _| Box::pin(step.open(request)),
    )];
}

impl Verification {
    async fn open(&self, request: &Request) -> Result<Reply, Problem> {
        let client_id: ClientId = request.id("client_id")?;
        let client = self.cases.known(&client_id).await?;
        let mut frame = request.frame(Self::NAME);
        if self.checks.vendors.rules().await?.rules.first_but(&[]).is_none() {
            return Err(Problem::not_found("no vendor verifies clients here"));
        }
        let case = self.cases.to_verify(&client, &mut frame).await?;
        if !case.takes_checks() {
            return Err(Problem::conflict("the case is decided or with a person"));
        }
        let begun = self.checks.begin(&client_id, case.facts.checks_asked, &mut frame).await?;
        let check = begun.ok_or_else(|| Problem::not_found("no vendor verifies clients here"))?;
        let check = self.checks.advance(self.open_again(check, &mut frame).await?, &mut frame).await?;
        let check = match check.facts.state.is_open() && check.link(request.now).is_none() {
            true => self.checks.link_again(check, &mut frame).await?,
            false => check,
        };
        answer(&check, request)
    }

    /// One that is over without a result begins anew.
    async fn open_again(&self, check: VendorCheck, frame: &mut Frame) -> Result<VendorCheck, Problem> {
        match check.facts.state {
            CheckState::Expired | CheckState::Unavailable => {}
            CheckState::Starting
            | CheckState::Pending
            | CheckState::Approved
            | CheckState::Retry
            | CheckState::Final
            | CheckState::Review
            | CheckState::Revoked => return Ok(check),
        }
        let live = self.checks.vendors.rules().await?;
        frame.used(live.label());
        let now = frame.now;
        let reopen = |check: &VendorCheck| check.reopened(&live.rules, now);
        Ok(step::change(&self.checks.crm, &check.id, frame, reopen).await?.stored().entity.clone())
    }
}

fn answer(check: &VendorCheck, request: &Request) -> Result<Reply, Problem> {
    match (check.link(request.now), check.facts.state) {
        (Some((link, until)), _) => Ok(Reply::json(
            200,
            &json!({
                "vendor": check.facts.vendor, "applicant_id": check.facts.reference, "url": link, "expires_at": until,
            }),
        )),
        (None, CheckState::Approved | CheckState::Final | CheckState::Review) => {
            Err(Problem::conflict("the vendor has decided, or a person there looks at it"))
        }
        (
            None,
            CheckState::Starting
            | CheckState::Pending
            | CheckState::Retry
            | CheckState::Revoked
            | CheckState::Expired
            | CheckState::Unavailable,
        ) => Err(Problem::unavailable("the vendor gives no link just now; try again")),
    }
}
