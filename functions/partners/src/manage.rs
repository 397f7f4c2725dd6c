//! `/v1/partners`: who applies, what he agreed to, who is over him, what he earned and what of it he disputes; `PUT /v1/clients/{client_id}/partner`;
//! and runs that pay.

mod accruals;
mod agreement;
mod apply;
mod csv;
mod disputes;
mod place;
mod runs;
mod show;
mod statements;

use std::sync::Arc;

use domain::PartnerId;
use domain::partner::profile::Partner;
use domain::partner::rules::PartnerAgreements;
use runtime::auth::{PORTAL, Role};
use runtime::function::{ConfigError, Entropy, Function, Ports};
use runtime::http::{HttpFunction, HttpStep, Request, Route, Scope};
use runtime::rulebook::{Live, RuleBook};
use runtime::{Caller, Problem, awsclients};
use store::{Crm, PartnersTable, Rules, Stored};

/// Who may apply for somebody.
const APPLICANTS: &[Role] = &[Role::Portal, Role::Admin];
/// Who sees a partner.
const READERS: &[Role] = &[Role::Portal, Role::Finance, Role::Admin];
/// Who proposes agreements, says who brought whom and sees all partners.
const KEEPERS: &[Role] = &[Role::Finance, Role::Admin];

/// Who pays partners.
const PAYERS: &[Role] = &[Role::Finance];

/// The step.
pub struct Manage {
    crm: Crm,
    partners: PartnersTable,
    rules: RuleBook,
    versions: Rules,
    entropy: Arc<dyn Entropy>,
}

/// Builds the function.
///
/// # Errors
/// [`ConfigError`].
pub fn build(ports: &Ports) -> Result<Arc<dyn Function>, ConfigError> {
    let step = Manage {
        crm: awsclients::crm(ports)?,
        partners: awsclients::partners(ports)?,
        rules: RuleBook::new(ports)?,
        versions: awsclients::rules(ports)?,
        entropy: ports.entropy.clone(),
    };
    HttpFunction::build(step, ports)
}

impl HttpStep for Manage {
    const NAME: &'static str = "partners-manage";

    const ROUTES: &'static [Route<Self>] = &[
        Route::token("POST", "/v1/partners", APPLICANTS, Scope::Everybody, |step, request, caller| {
            Box::pin(step.apply(request, caller))
        }),
        Route::token("GET", "/v1/partners", KEEPERS, Scope::Everybody, |step, request, _| Box::pin(step.list(request))),
        Route::token("GET", "/v1/partners/{partner_id}", READERS, Scope::Owned, |step, request, caller| {
            Box::pin(step.show(request, caller))
        }),
        Route::token("GET", "/v1/partners/{partner_id}/tree", READERS, Scope::Owned, |step, request, caller| {
            Box::pin(step.tree(request, caller))
        }),
        Route::token("GET", "/v1/partners/{partner_id}/accruals", READERS, Scope::Owned, |step, request, caller| {
            Box::pin(step.accruals(request, caller))
        }),
        Route::token(
            "POST",
            "/v1/partners/{partner_id}/agreement",
            KEEPERS,
            Scope::Everybody,
            |step, request, caller| Box::pin(step.propose(request, caller)),
        ),
        Route::token(
            "POST",
            "/v1/partners/{partner_id}/agreement/accept",
            PORTAL,
            Scope::Owned,
            |step, request, caller| Box::pin(step.accept(request, caller)),
        ),
        Route::token(
            "PUT",
            "/v1/partners/{partner_id}/parent",
            &[Role::Admin],
            Scope::Everybody,
            |step, request, caller| Box::pin(step.put_under(request, caller)),
        ),
        Route::token("GET", "/v1/partners/{partner_id}/statements", READERS, Scope::Owned, |step, request, caller| {
            Box::pin(step.statements(request, caller))
        }),
        Route::token("GET", "/v1/statements/{statement_id}", READERS, Scope::Owned, |step, request, caller| {
            Box::pin(step.statement(request, caller))
        }),
        Route::token(
            "POST",
            "/v1/statements/{statement_id}/disputes",
            PORTAL,
            Scope::Owned,
            |step, request, caller| Box::pin(step.dispute(request, caller)),
        ),
        Route::token("GET", "/v1/disputes/{dispute_id}", READERS, Scope::Owned, |step, request, caller| {
            Box::pin(step.show_dispute(request, caller))
        }),
        Route::token("POST", "/v1/payout-runs", PAYERS, Scope::Everybody, |step, request, caller| {
            Box::pin(step.draft_run(request, caller))
        }),
        Route::token("GET", "/v1/payout-runs", PAYERS, Scope::Everybody, |step, request, _| {
            Box::pin(step.list_runs(request))
        }),
        Route::token("GET", "/v1/payout-runs/{run_id}", PAYERS, Scope::Everybody, |step, request, _| {
            Box::pin(step.show_run(request))
        }),
        Route::token("POST", "/v1/payout-runs/{run_id}/actions", PAYERS, Scope::Everybody, |step, request, caller| {
            Box::pin(step.act_on_run(request, caller))
        }),
        Route::token("PUT", "/v1/clients/{client_id}/partner", KEEPERS, Scope::OneClient, |step, request, caller| {
            Box::pin(step.say_who_brought(request, caller))
        }),
    ];
}

impl Manage {
    async fn live(&self) -> Result<Arc<Live<PartnerAgreements>>, Problem> {
        Ok(self.rules.live::<PartnerAgreements>().await?)
    }

    /// The partner of the path, whom the caller may see.
    async fn own(&self, request: &Request, caller: &Caller) -> Result<Stored<Partner>, Problem> {
        let id: PartnerId = request.id("partner_id")?;
        let stored = self.partners.load::<Partner>(&id).await?.ok_or_else(nobody)?;
        may_see(&stored.entity, caller)?;
        Ok(stored)
    }
}

/// A token that is bound to a client is good for the partner that the client is himself.
fn may_see(partner: &Partner, caller: &Caller) -> Result<(), Problem> {
    match (&caller.client_id, &partner.client_id) {
        (Some(_), Some(client)) => caller.require_client(client),
        (Some(_), None) => Err(Problem::forbidden("the token is bound to a client")),
        (None, _) => Ok(()),
    }
}

fn nobody() -> Problem {
    Problem::not_found("there is no such partner")
}
