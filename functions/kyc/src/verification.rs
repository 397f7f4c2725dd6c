//! `POST /v1/clients/{client_id}/kyc/verification`: where the client goes to be verified by a vendor.
//!
//! The link is as good as a password, so it is in no event and in no answer but this one, which the portal asks for when the client
//! wants to go there: it is fresh then, and no list of next steps that somebody keeps holds one.

use std::sync::Arc;
use std::time::Duration;

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

/// Between two looks at a check that another worker is opening.
const LOOK: Duration = Duration::from_millis(100);
/// Most looks: the gateway waits for half a minute, a client does not.
const LOOKS_MAX: u32 = 50;

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
        let check = self.opened_by_another(check).await?;
        let check = match check.facts.state.is_open() && check.link(request.now).is_none() {
            true => self.checks.link_again(check, &mut frame).await?,
            false => check,
        };
        answer(&check, request)
    }

    /// The case asks `kyc-verify` for a check as well, so both are at it at once when the case begins here: the other one's outcome is
    /// waited for, for some seconds.
    async fn opened_by_another(&self, mut check: VendorCheck) -> Result<VendorCheck, Problem> {
        for _ in 0..LOOKS_MAX {
            if check.facts.state != CheckState::Starting || check.facts.calling.is_none() {
                break;
            }
            tokio::time::sleep(LOOK).await;
            match self.checks.crm.load::<VendorCheck>(&check.id).await? {
                Some(stored) => check = stored.entity,
                None => break,
            }
        }
        Ok(check)
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
