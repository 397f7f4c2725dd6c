//! `POST /v1/clients`: registers a client.

use std::sync::Arc;

use domain::client::{Client, registered};
use domain::{ClientId, Timestamp};
use runtime::auth::PORTAL;
use runtime::function::{ConfigError, Entropy, Function, Ports};
use runtime::http::{HttpFunction, HttpStep, Reply, Request, Route, Scope};
use runtime::idempotency::{Go, Keyed};
use runtime::{Caller, Problem, awsclients};
use serde_json::json;
use store::{Crm, Home, Saved};

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
        let body = request.json()?;
        let fresh = ClientId::from_bits(self.entropy.id_bits());
        // before the key is claimed: a request that is refused leaves nothing behind
        Client::register(&body, fresh.clone(), request.now).map_err(Problem::input)?;
        let table = Home::<Client>::table(&self.crm);
        let (id, replay) = match keyed.begin::<Client>(table, request, fresh.as_str()).await? {
            Go::Make { id, replay } => (id, replay),
            Go::Made(made) => return Ok(answer(made.entity.id.as_str()).replayed()),
        };
        self.save(&body, &id, request.now, request).await?;
        Ok(if replay { answer(&id).replayed() } else { answer(&id) })
    }

    async fn save(&self, body: &serde_json::Value, id: &str, now: Timestamp, request: &Request) -> Result<(), Problem> {
        let id: ClientId = id.parse().map_err(|_| Problem::not_found("there is no such resource"))?;
        let client = Client::register(body, id, now).map_err(Problem::input)?;
        match self.crm.save(None, registered(client), &request.frame(Self::NAME)).await? {
            Saved::Applied(_) => Ok(()),
            Saved::Conflict => Err(Problem::still_running()),
        }
    }
}

fn answer(id: &str) -> Reply {
    Reply::json(201, &json!({"client_id": id, "kyc": {"status": "not_started"}}))
}
