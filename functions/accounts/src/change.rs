//! `POST /v1/accounts/{account_id}/changes`: asks for a change of an account: another leverage or type, what the client may do, or its
//! closing and reopening.

use std::sync::Arc;

use domain::account::Account;
use domain::account::change::wish::{Asking, ChangeRefusal};
use domain::account::change::{Change, NoChange};
use domain::account::rules::{Asker, Platforms};
use domain::client::Client;
use domain::rules::RuleSet;
use domain::{AccountId, ChangeId, Country};
use runtime::auth::Role;
use runtime::function::{ConfigError, Entropy, Function, Ports};
use runtime::http::{HttpFunction, HttpStep, Reply, Request, Route, Scope};
use runtime::idempotency::{Keyed, Made};
use runtime::rulebook::{Live, RuleBook};
use runtime::vendors::Servers;
use runtime::{Caller, Problem, StepError, awsclients};
use serde_json::{Value, json};
use store::Crm;

use crate::begin::{self, Begun, Limits};

/// Who may ask. What a client may ask for, and what a person must approve, the rules say.
const ASKERS: &[Role] = &[Role::Portal, Role::Compliance, Role::Support, Role::Admin];

/// The step.
pub struct AskChange {
    crm: Crm,
    servers: Servers,
    entropy: Arc<dyn Entropy>,
}

/// Builds the function.
///
/// # Errors
/// [`ConfigError`].
pub fn build(ports: &Ports) -> Result<Arc<dyn Function>, ConfigError> {
    let step = AskChange {
        crm: awsclients::crm(ports)?,
        servers: Servers::new(ports, RuleBook::new(ports)?),
        entropy: ports.entropy.clone(),
    };
    HttpFunction::build(step, ports)
}

impl HttpStep for AskChange {
    const NAME: &'static str = "accounts-change";

    const ROUTES: &'static [Route<Self>] =
        &[Route::token("POST", "/v1/accounts/{account_id}/changes", ASKERS, Scope::Owned, |step, request, caller| {
            Box::pin(step.ask(request, caller))
        })];
}

impl AskChange {
    async fn ask(&self, request: &Request, caller: &Caller) -> Result<Reply, Problem> {
        let id: AccountId = request.id("account_id")?;
        let keyed = Keyed::read(request, caller)?;
        let body = request.json()?;
        let account = self.account(&id).await?;
        caller.require_client(&account.client_id)?;
        let fresh = ChangeId::from_bits(self.entropy.id_bits());
        let wish = self.wanted(&body, &account, fresh.clone(), request, caller).await;
        let make = async |id, wish: Wish| self.begin(id, wish, request).await;
        keyed.create(&self.crm, fresh, wish, make, answer).await
    }

    async fn account(&self, id: &AccountId) -> Result<Account, Problem> {
        let stored = self.crm.load::<Account>(id).await?;
        Ok(stored.ok_or_else(|| Problem::not_found("there is no such account"))?.entity)
    }

    async fn wanted(
        &self,
        body: &Value,
        account: &Account,
        id: ChangeId,
        request: &Request,
        caller: &Caller,
    ) -> Result<Wish, Problem> {
        let client = self.crm.load_settled::<Client>(&account.client_id).await?;
        let country = client.ok_or_else(|| Problem::not_found("there is no such client"))?.entity.facts.residence;
        let live = self.servers.rules().await?;
        let able = self.servers.capabilities(&account.facts.server).await?.able();
        let by = if caller.require(&[Role::Portal]).is_ok() { Asker::Client } else { Asker::Staff };
        let asking = Asking { by, subject: &caller.subject, country, now: request.now };
        let (change, why) = Change::wanted(body, account, &live.rules, &able, asking, id).map_err(refusal)?;
        Ok(Wish { change, why, residence: country, live })
    }

    async fn begin(&self, id: ChangeId, wish: Wish, request: &Request) -> Result<Made<Change>, Problem> {
        let mut frame = request.frame(Self::NAME);
        frame.used(wish.live.label());
        let limits = Limits { rules: &wish.live.rules, residence: wish.residence };
        match begin::begin(&self.crm, &Change { id, ..wish.change }.asked(wish.why), &limits, &frame).await? {
            Begun::Made(made) => Ok(Made::Saved(*made)),
            Begun::TooMany(fault) => Err(Problem::input(vec![fault])),
            Begun::Not(no) => Err(no_change(no)),
            Begun::NoAccount => Err(Problem::not_found("there is no such account")),
        }
    }
}

/// A change that may be begun.
struct Wish {
    change: Change,
    why: Vec<String>,
    residence: Country,
    /// The rules that it was held against.
    live: Arc<Live<Platforms>>,
}

fn answer(change: &Change) -> Reply {
    let facts = &change.facts;
    // the first answer, whatever has become of it since
    Reply::json(
        202,
        &json!({"change_id": change.id, "account_id": facts.account_id, "status": "requested", "needs": facts.needs}),
    )
}

fn refusal(refusal: ChangeRefusal) -> Problem {
    match refusal {
        ChangeRefusal::Faults(faults) => Problem::input(faults),
        ChangeRefusal::NotForClients => Problem::forbidden("clients can ask for another leverage only"),
        ChangeRefusal::Account(no) => no_change(no),
        ChangeRefusal::Rules(error) => StepError::Rules { set: Platforms::NAME, what: error.to_string() }.into(),
    }
}

fn no_change(no: NoChange) -> Problem {
    match no {
        NoChange::NotNow(reason) => Problem::conflict(reason),
        NoChange::UnderWay(id) => Problem::conflict(format!("a change of the account is not over yet: {id}")),
    }
}
