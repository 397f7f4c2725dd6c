//! `POST /v1/accounts/{account_id}/credentials`: hands the platform's passwords over, once.

use std::sync::Arc;

use domain::AccountId;
use domain::account::rules::{Platform, Platforms};
use domain::account::{Account, AccountFacts, HandOverRefusal};
use domain::decision::Frame;
use runtime::auth::PORTAL;
use runtime::function::{ConfigError, Function, Ports};
use runtime::http::{HttpFunction, HttpStep, Reply, Request, Route, Scope};
use runtime::rulebook::{Live, RuleBook};
use runtime::secrets::Secrets;
use runtime::step::{self, Attempt};
use runtime::{Caller, Problem, StepError, awsclients};
use secrecy::SecretString;
use serde_json::{Value, json};
use store::Crm;

use crate::seal;

/// The step.
pub struct HandOver {
    crm: Crm,
    rules: RuleBook,
    secrets: Secrets,
    key_name: String,
}

/// Builds the function.
///
/// # Errors
/// [`ConfigError`].
pub fn build(ports: &Ports) -> Result<Arc<dyn Function>, ConfigError> {
    let step = HandOver {
        crm: awsclients::crm(ports)?,
        rules: RuleBook::new(ports)?,
        secrets: Secrets::new(ports),
        key_name: ports.need("CREDENTIALS_KEY_SECRET")?.to_owned(),
    };
    HttpFunction::build(step, ports)
}

impl HttpStep for HandOver {
    const NAME: &'static str = "accounts-credentials";

    const ROUTES: &'static [Route<Self>] = &[Route::token(
        "POST",
        "/v1/accounts/{account_id}/credentials",
        PORTAL,
        Scope::Owned,
        |step, request, caller| Box::pin(step.hand_over(request, caller)),
    )];
}

impl HandOver {
    async fn hand_over(&self, request: &Request, caller: &Caller) -> Result<Reply, Problem> {
        let id: AccountId = request.id("account_id")?;
        let live = self.rules.live::<Platforms>().await?;
        let key = self.secrets.get(&self.key_name).await?;
        let mut frame = request.frame(Self::NAME);
        frame.used(live.label());
        // whatever else is saved of the account at the moment: of two that ask at once one gets them, and the other is told so
        step::together(&frame, "the account keeps changing", || {
            Box::pin(self.attempt(&id, &key, &live, &frame, caller))
        })
        .await
    }

    async fn attempt(
        &self,
        id: &AccountId,
        key: &SecretString,
        live: &Live<Platforms>,
        frame: &Frame,
        caller: &Caller,
    ) -> Result<Attempt<Reply>, Problem> {
        let stored = self.crm.load::<Account>(id).await?;
        let stored = stored.ok_or_else(|| Problem::not_found("there is no such account"))?;
        caller.require_client(&stored.entity.client_id)?;
        let (sealed, decision) = stored.entity.hand_over(frame.now).map_err(|refusal| match refusal {
            HandOverRefusal::NotReady => Problem::conflict("the account is not open yet"),
            HandOverRefusal::Gone => Problem::gone("the credentials were handed over before"),
        })?;
        // opened before the save: what cannot be opened must not be thrown away
        let credentials = seal::open(key, id.as_str(), &sealed)?;
        let facts = &stored.entity.facts;
        let server =
            live.rules.server(&facts.server).map_or(facts.server.clone(), |server| server.display_name.clone());
        let mut commit = self.crm.0.commit();
        commit.save(&self.crm, Some(&stored), &decision, frame).map_err(StepError::from)?;
        Ok(Attempt::Save(commit, Reply::json(200, &shown(facts, &credentials, &server))))
    }
}

/// What the client logs in with. The second password is shown where the platform was given one.
fn shown(facts: &AccountFacts, credentials: &seal::Credentials, server: &str) -> Value {
    let mut shown = json!({"login": facts.login, "password": credentials.password, "server": server});
    let platform = facts.platform.parse::<Platform>();
    if platform.is_ok_and(Platform::has_investor_password) {
        shown["investor_password"] = json!(credentials.investor_password);
    }
    shown
}
