//! `POST /v1/clients/{client_id}/accounts`: asks for a trading account.

use std::sync::Arc;

use domain::account::Account;
use domain::account::rules::Platforms;
use domain::account::wish::{AccountRefusal, Placed};
use domain::client::Client;
use domain::decision::Frame;
use domain::kyc::rules::KycLevels;
use domain::rules::RuleSet;
use domain::{AccountId, ClientId, Timestamp};
use runtime::auth::PORTAL;
use runtime::function::{ConfigError, Entropy, Function, Ports};
use runtime::http::{HttpFunction, HttpStep, Reply, Request, Route, Scope};
use runtime::idempotency::{Keyed, Made};
use runtime::rulebook::{Live, RuleBook};
use runtime::step::{self, Attempt};
use runtime::{Caller, Problem, StepError, awsclients, verification};
use serde_json::{Value, json};
use store::Crm;

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
        let make = async |id, mut placed: Placed| {
            placed.account.id = id;
            let mut frame = request.frame(Self::NAME);
            frame.used(live.label());
            let levels = self.rules.live::<KycLevels>().await?;
            if levels.rules.restrict_accounts() {
                let level = verification::level_of(&self.crm, &client, &levels).await?;
                if let Some(fault) = level.refuses_account(&placed.account) {
                    return Err(Problem::input(vec![fault]));
                }
                frame.used(levels.label());
                placed.why.extend(level.why);
            }
            self.take(&placed, &live, &frame).await.map(Made::Saved)
        };
        keyed.create(&self.crm, fresh, wish, make, answer).await
    }

    /// Saves the account together with the item by which the client's accounts are counted: of requests at once, no more get one than may.
    async fn take(&self, placed: &Placed, live: &Live<Platforms>, frame: &Frame) -> Result<Account, Problem> {
        let Placed { account, why, .. } = placed;
        step::together(frame, "the client's accounts keep changing", || {
            Box::pin(async move {
                let places = self.crm.places(&account.client_id).await?;
                let held = self.crm.accounts_held(&account.client_id, &places, &[]).await?;
                // by this very request, whose answer got lost on its way, or by one that this one follows
                if let Some(made) = held.iter().find(|held| held.id == account.id) {
                    return Ok::<_, Problem>(Attempt::Nothing(made.clone()));
                }
                if let Some(fault) = placed.too_many(&held, &live.rules, frame.now) {
                    return Err(Problem::input(vec![fault]));
                }
                let decision = account.clone().requested(why.clone());
                let mut commit = self.crm.0.commit();
                commit.save(&self.crm, None, &decision, frame)?;
                commit.take_places(&self.crm.0, &places, std::slice::from_ref(&account.id))?;
                Ok(Attempt::Save(commit, decision.next))
            })
        })
        .await
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
) -> Result<Placed, Problem> {
    Account::wanted(body, client, &live.rules, id, now).map_err(|refusal| match refusal {
        AccountRefusal::Faults(faults) => Problem::input(faults),
        AccountRefusal::NotOnOffer => Problem::refused("there is no such account on offer"),
        AccountRefusal::Rules(error) => StepError::Rules { set: Platforms::NAME, what: error.to_string() }.into(),
    })
}
