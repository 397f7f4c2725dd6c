//! `POST /v1/clients`: registers a client.

use std::sync::Arc;

use domain::ClientId;
use domain::client::{Client, registered};
use runtime::auth::PORTAL;
use runtime::function::{ConfigError, Entropy, Function, Ports};
use runtime::http::{HttpFunction, HttpStep, Reply, Request, Route, Scope};
use runtime::idempotency::{Keyed, Made};
use runtime::{Caller, Problem, awsclients};
use serde_json::json;
use store::Crm;

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
        let make = async |id, client| Ok(Made::decided(registered(Client { id, ..client }), request.frame(Self::NAME)));
        keyed.create(&self.crm, fresh, wish, make, answer).await
    }
}

fn answer(client: &Client) -> Reply {
    Reply::json(201, &json!({"client_id": client.id, "kyc": {"status": "not_started"}}))
}
