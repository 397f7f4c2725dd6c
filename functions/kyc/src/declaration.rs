//! `POST /v1/clients/{client_id}/kyc/declaration`: what a client declares about himself.

use std::sync::Arc;

use domain::ClientId;
use domain::kyc::{Declaration, KycCase, KycStatus};
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
        if let Some(case) = self.cases.find(&client_id).await? {
            refuse_decided(&case, &declared.0)?;
        }
        let case = self.cases.declare(&declared, &client, &mut request.frame(Self::NAME)).await?;
        let needs = self.cases.needs().await?;
        Ok(Reply::json(200, &json!({"status": case.facts.status, "next_steps": case.next_steps(&needs.rules)})))
    }
}

/// A case was decided on what was declared: another declaration is a person's to take. The same one is told again what became of it.
fn refuse_decided(case: &KycCase, declaration: &Declaration) -> Result<(), Problem> {
    let known = case.facts.declaration.as_ref();
    let same = known.is_some_and(|known| Declaration { at: declaration.at, ..known.clone() } == *declaration);
    match case.facts.status {
        KycStatus::NotStarted | KycStatus::Collecting | KycStatus::Verifying => Ok(()),
        KycStatus::InReview | KycStatus::Approved | KycStatus::Rejected | KycStatus::Expired if same => Ok(()),
        KycStatus::InReview | KycStatus::Approved | KycStatus::Rejected | KycStatus::Expired => {
            Err(Problem::conflict("the case is decided or with a person: write to us instead"))
        }
    }
}
