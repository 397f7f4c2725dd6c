//! `POST /v1/clients/{client_id}/accounts`: asks for a trading account.

use std::sync::Arc;

use domain::account::Account;
use domain::account::request::AccountRefusal;
use domain::account::rules::Platforms;
use domain::client::Client;
use domain::rules::RuleSet;
use domain::{AccountId, ClientId, Timestamp};
use providers::http::BoxFuture;
use runtime::auth::PORTAL;
use runtime::function::{ConfigError, Entropy, Function, Ports};
use runtime::http::{Access, HttpFunction, HttpStep, Reply, Request};
use runtime::idempotency::{Go, Keyed};
use runtime::rulebook::{Live, RuleBook};
use runtime::{Caller, Problem, StepError, awsclients};
use serde_json::{Value, json};
use store::{Crm, Home, Saved};

/// The step.
pub struct Ask {
    crm: Crm,
    rules: RuleBook,
    entropy: Arc<dyn Entropy>,
}

/// Builds the function.
///
/// # Errors
/// [`ConfigError`].
pub fn build(ports: &Ports) -> Result<Arc<dyn Function>, ConfigError> {
    let step = Ask { crm: awsclients::crm(ports)?, rules: RuleBook::new(ports)?, entropy: ports.entropy.clone() };
    HttpFunction::build(step, ports)
}

impl HttpStep for Ask {
    const NAME: &'static str = "accounts-request";

    fn access(&self, _request: &Request) -> Access {
        Access::Token
    }

    fn handle(&self, request: Request, caller: Option<Caller>) -> BoxFuture<'_, Result<Reply, Problem>> {
        Box::pin(async move { self.ask(&request, caller).await })
    }
}

impl Ask {
    async fn ask(&self, request: &Request, caller: Option<Caller>) -> Result<Reply, Problem> {
        let caller = caller.ok_or_else(|| Problem::unauthorized("no token"))?;
        caller.require(PORTAL)?;
        let client_id: ClientId = request.id("client_id")?;
        caller.require_client(&client_id)?;
        let keyed = Keyed::read(request, &caller)?;
        let body = request.json()?;
        let client = self.crm.load::<Client>(client_id.as_str()).await?;
        let client = client.ok_or_else(|| Problem::not_found("there is no such client"))?.entity;
        let live = self.rules.live::<Platforms>().await?;
        let fresh = AccountId::from_bits(self.entropy.id_bits());
        let table = Home::<Account>::table(&self.crm);
        let (account, why) = match wanted(&body, &client, &live, fresh.clone(), request.now) {
            Ok(wanted) => wanted,
            Err(refusal) => {
                let made = keyed.made_before::<Account>(table, request, refusal).await?;
                return Ok(answer(made.entity.id.as_str()).replayed());
            }
        };
        let (id, replay) = match keyed.begin::<Account>(table, request, fresh.as_str()).await? {
            Go::Make { id, replay } => (id, replay),
            Go::Made(made) => return Ok(answer(made.entity.id.as_str()).replayed()),
        };
        let id: AccountId = id.parse().map_err(|_| Problem::not_found("there is no such resource"))?;
        let mut frame = request.frame(Self::NAME);
        frame.rules = Some(live.label());
        match self.crm.save(None, Account { id: id.clone(), ..account }.requested(why), &frame).await? {
            Saved::Applied(_) if replay => Ok(answer(id.as_str()).replayed()),
            Saved::Applied(_) => Ok(answer(id.as_str())),
            Saved::Conflict => Err(Problem::still_running()),
        }
    }
}

fn answer(id: &str) -> Reply {
    Reply::json(202, &json!({"account_id": id, "status": "requested"}))
}

/// The account that is asked for, and why it is where it is.
fn wanted(
    body: &Value,
    client: &Client,
    live: &Live<Platforms>,
    id: AccountId,
    now: Timestamp,
) -> Result<(Account, Vec<String>), Problem> {
    Account::wanted(body, client, &live.rules, id, now).map_err(|refusal| match refusal {
        AccountRefusal::Faults(faults) => Problem::input(faults),
        AccountRefusal::NotOnOffer => Problem::refused("there is no such account on offer"),
        AccountRefusal::Rules(error) => StepError::Rules { set: Platforms::NAME, what: error.to_string() }.into(),
    })
}
