//! `POST /v1/clients/{client_id}/accounts`: asks for a trading account.

use std::sync::Arc;

use domain::account::{Account, AccountFacts, AccountInner, AccountStatus};
use domain::client::Client;
use domain::rules::Platforms;
use domain::{AccountId, ClientId, Timestamp};
use runtime::auth::PORTAL;
use runtime::function::{ConfigError, Entropy, Function, Ports};
use runtime::http::{HttpFunction, HttpStep, Reply, Request, Route, Scope};
use runtime::idempotency::{Keyed, Made};
use runtime::rulebook::{Live, RuleBook};
use runtime::{Caller, Problem, StepError, awsclients};
use serde_json::{Value, json};
use store::Crm;

use crate::choice::{self, Choice};

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

    const ROUTES: &'static [Route<Self>] = &[Route::token(
        "POST",
        "/v1/clients/{client_id}/accounts",
        PORTAL,
        Scope::OneClient,
        |step, request, caller| Box::pin(step.ask(request, caller)),
    )];
}

impl Ask {
    async fn ask(&self, request: &Request, caller: &Caller) -> Result<Reply, Problem> {
        let client_id: ClientId = request.id("client_id")?;
        let keyed = Keyed::read(request, caller)?;
        let body = request.json()?;
        let client = self.crm.load::<Client>(&client_id).await?;
        let client = client.ok_or_else(|| Problem::not_found("there is no such client"))?.entity;
        let live = self.rules.live::<Platforms>().await?;
        let fresh = AccountId::from_bits(self.entropy.id_bits());
        let wish = wanted(&body, &client, &live, fresh.clone(), request.now);
        let make = async |id, (account, why)| {
            let mut frame = request.frame(Self::NAME);
            frame.used(live.label());
            Ok(Made::decided(Account { id, ..account }.requested(why), frame))
        };
        keyed.create(&self.crm, fresh, wish, make, answer).await
    }
}

fn answer(account: &Account) -> Reply {
    Reply::json(202, &json!({"account_id": account.id, "status": "requested"}))
}

/// The account that is asked for, and why it is where it is.
fn wanted(
    body: &Value,
    client: &Client,
    live: &Live<Platforms>,
    id: AccountId,
    now: Timestamp,
) -> Result<(Account, Vec<String>), Problem> {
    let choice = choice::read(body, client.facts.residence, &live.rules)?;
    let facts = choice.facts(client.facts.residence);
    let broken = |error: domain::rules::RuleError| StepError::Rules { set: "platforms", what: error.to_string() };
    let placement = live.rules.placement(&facts).map_err(broken)?;
    let Some(place) = placement.outcome() else {
        return Err(Problem::refused("there is no such account on offer"));
    };
    let mut why = placement.why("groups");
    why.extend(live.rules.max_leverage(&facts).map_err(broken)?.why("leverage"));
    let Choice { platform, account_type, currency, leverage, kind } = choice;
    let account = Account {
        id,
        client_id: client.id.clone(),
        due: None,
        facts: AccountFacts {
            status: AccountStatus::Requested,
            platform: platform.as_str().to_owned(),
            account_type,
            kind: kind.as_str().to_owned(),
            currency,
            leverage,
            server: place.server.clone(),
            group: place.group.clone(),
            login: None,
            created_at: now,
            review: None,
        },
        inner: AccountInner::default(),
    };
    Ok((account, why))
}
