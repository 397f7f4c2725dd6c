//! `POST /v1/clients`: registers a client.

use std::sync::Arc;

use domain::ClientId;
use domain::client::{Client, registered_from};
use domain::lead::Lead;
use runtime::auth::PORTAL;
use runtime::function::{ConfigError, Entropy, Function, Ports};
use runtime::http::{HttpFunction, HttpStep, Reply, Request, Route, Scope};
use runtime::idempotency::{Keyed, Made};
use runtime::{Caller, Problem, awsclients};
use serde_json::json;
use store::{Crm, StoreError};

/// The step.
pub struct Register {
    crm: Crm,
    entropy: Arc<dyn Entropy>,
}

/// Builds the function.
///
/// # Errors
/// [`ConfigError`].
pub fn build(ports: &Ports) -> Result<Arc<dyn Function>, ConfigError> {
    HttpFunction::build(Register { crm: awsclients::crm(ports)?, entropy: ports.entropy.clone() }, ports)
}

impl HttpStep for Register {
    const NAME: &'static str = "kyc-register";

    const ROUTES: &'static [Route<Self>] =
        &[Route::token("POST", "/v1/clients", PORTAL, Scope::Everybody, |step, request, caller| {
            Box::pin(step.register(request, caller))
        })];
}

impl Register {
    async fn register(&self, request: &Request, caller: &Caller) -> Result<Reply, Problem> {
        let keyed = Keyed::read(request, caller)?;
        let fresh = ClientId::from_bits(self.entropy.id_bits());
        let wish = Client::register(&request.json()?, fresh.clone(), request.now).map_err(Problem::input);
        let make = async |id, client: Client| {
            let named = self.named_lead(&client).await?;
            let decision = registered_from(Client { id, ..client }, named.as_ref());
            Ok(Made::decided(decision, request.frame(Self::NAME)))
        };
        keyed.create(&self.crm, fresh, wish, make, answer).await
    }

    /// The lead that a registration names, or the one that it joined: the first form's address and number count, not what
    /// whoever joined it wrote.
    async fn named_lead(&self, client: &Client) -> Result<Option<Lead>, StoreError> {
        let Some(id) = &client.facts.lead_id else { return Ok(None) };
        let Some(lead) = self.crm.load::<Lead>(id).await? else { return Ok(None) };
        match &lead.entity.facts.duplicate_of {
            Some(first) => Ok(self.crm.load::<Lead>(first).await?.map(|first| first.entity)),
            None => Ok(Some(lead.entity)),
        }
    }
}

fn answer(client: &Client) -> Reply {
    Reply::json(201, &json!({"client_id": client.id, "kyc": {"status": "not_started"}}))
}
