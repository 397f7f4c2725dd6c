//! `POST /v1/clients/{client_id}/accounts`: asks for a trading account.

use std::sync::Arc;

use domain::account::Account;
use domain::account::request::{AccountRefusal, too_many};
use domain::account::rules::Platforms;
use domain::client::Client;
use domain::kyc::rules::KycLevels;
use domain::rules::RuleSet;
use domain::{AccountId, ClientId, Timestamp};
use runtime::auth::PORTAL;
use runtime::function::{ConfigError, Entropy, Function, Ports};
use runtime::http::{HttpFunction, HttpStep, Reply, Request, Route, Scope};
use runtime::idempotency::{Keyed, Made};
use runtime::rulebook::{Live, RuleBook};
use runtime::{Caller, Problem, StepError, awsclients, verification};
use serde_json::{Value, json};
use store::Crm;

/// Of a client's accounts so many, the newest, are counted.
const COUNTED: i32 = 100;

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
        let make = async |id, (account, why): (Account, Vec<String>)| {
            let newest = self.crm.accounts_of(&client_id, COUNTED, None).await?;
            let newest: Vec<Account> = newest.items.into_iter().map(|stored| stored.entity).collect();
            if let Some(fault) = too_many(&newest, &live.rules, request.now) {
                return Err(Problem::input(vec![fault]));
            }
            let mut frame = request.frame(Self::NAME);
            frame.used(live.label());
            let mut why = why;
            let levels = self.rules.live::<KycLevels>().await?;
            if levels.rules.restrict_accounts() {
                let level = verification::level_of(&self.crm, &client, &levels).await?;
                if let Some(fault) = level.refuses_account(&account) {
                    return Err(Problem::input(vec![fault]));
                }
                frame.used(levels.label());
                why.extend(level.why);
            }
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
    Account::wanted(body, client, &live.rules, id, now).map_err(|refusal| match refusal {
        AccountRefusal::Faults(faults) => Problem::input(faults),
        AccountRefusal::NotOnOffer => Problem::refused("there is no such account on offer"),
        AccountRefusal::Rules(error) => StepError::Rules { set: Platforms::NAME, what: error.to_string() }.into(),
    })
}
