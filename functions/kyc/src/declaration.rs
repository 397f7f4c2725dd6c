//! `POST /v1/clients/{client_id}/kyc/declaration`: what a client declares about himself.

use std::sync::Arc;

use domain::ClientId;
use domain::kyc::Declaration;
use runtime::Problem;
use runtime::auth::PORTAL;
use runtime::function::{ConfigError, Function, Ports};
use runtime::http::{HttpFunction, HttpStep, Reply, Request, Route, Scope};
use serde_json::json;

use crate::cases::Cases;

/// The step.
pub struct Declare {
    cases: Cases,
}

/// Builds the function.
///
/// # Errors
/// [`ConfigError`].
pub fn build(ports: &Ports) -> Result<Arc<dyn Function>, ConfigError> {
    HttpFunction::build(Declare { cases: Cases::new(ports)? }, ports)
}

impl HttpStep for Declare {
    const NAME: &'static str = "kyc-declaration";

    const ROUTES: &'static [Route<Self>] = &[Route::token(
        "POST",
        "/v1/clients/{client_id}/kyc/declaration",
        PORTAL,
        Scope::OneClient,
        |step, request, _| Box::pin(step.declare(request)),
    )];
}

impl Declare {
    async fn declare(&self, request: &Request) -> Result<Reply, Problem> {
        let client_id: ClientId = request.id("client_id")?;
        let declared = Declaration::read(&request.json()?, request.now).map_err(Problem::input)?;
        let client = self.cases.known(&client_id).await?;
        let case = self.cases.declare(&declared, &client, &mut request.frame(Self::NAME)).await?;
        if !case.takes(&declared.0) {
            return Err(Problem::conflict("the case is decided or with a person: write to us instead"));
        }
        let needs = self.cases.needs().await?;
        Ok(Reply::json(200, &json!({"status": case.facts.status, "next_steps": case.next_steps(&needs.rules)})))
    }
}
