//! `POST /v1/clients/{client_id}/kyc/documents`: a client wants to upload a document.

use std::sync::Arc;

use domain::input::Fault;
use domain::kyc::{KycDocument, KycStatus};
use domain::{ClientId, DocumentId};
use files::{Files, Upload};
use runtime::auth::PORTAL;
use runtime::function::{ConfigError, Entropy, Function, Ports};
use runtime::http::{HttpFunction, HttpStep, Reply, Request, Route, Scope};
use runtime::idempotency::{Keyed, Made};
use runtime::{Caller, Problem, StepError};
use serde_json::{Map, Value, json};

use crate::cases::Cases;

/// The step.
pub struct Document {
    cases: Cases,
    files: Files,
    entropy: Arc<dyn Entropy>,
}

/// Builds the function.
///
/// # Errors
/// [`ConfigError`].
pub fn build(ports: &Ports) -> Result<Arc<dyn Function>, ConfigError> {
    let step = Document { cases: Cases::new(ports)?, files: Files::documents(ports)?, entropy: ports.entropy.clone() };
    HttpFunction::build(step, ports)
}

impl HttpStep for Document {
    const NAME: &'static str = "kyc-document";

    const ROUTES: &'static [Route<Self>] = &[Route::token(
        "POST",
        "/v1/clients/{client_id}/kyc/documents",
        PORTAL,
        Scope::OneClient,
        |step, request, caller| Box::pin(step.announce(request, caller)),
    )];
}

impl Document {
    async fn announce(&self, request: &Request, caller: &Caller) -> Result<Reply, Problem> {
        let client_id: ClientId = request.id("client_id")?;
        let keyed = Keyed::read(request, caller)?;
        let body = request.json()?;
        let client = self.cases.known(&client_id).await?;
        let needs = self.cases.needs().await?;
        let fresh = DocumentId::from_bits(self.entropy.id_bits());
        let wish = KycDocument::wanted(&body, client_id.clone(), &needs.rules, fresh.clone(), request.now);
        let make = async |id, document: KycDocument| {
            self.refuse_too_many(&client_id).await?;
            let mut frame = request.frame(Self::NAME);
            frame.used(needs.label());
            Ok(Made::decided(KycDocument { id, ..document }.requested(), frame))
        };
        let (document, replayed) = keyed.make(&self.cases.crm, fresh, wish.map_err(Problem::input), make).await?;
        // the case would learn of it from the bus, too; whoever asks for the case now is to see it
        self.cases.absorb(&document, &client, &mut request.frame(Self::NAME)).await?;
        let facts = &document.facts;
        let key = document.key();
        let upload = self.files.presign_put(
            &key,
            &facts.content_type,
            facts.bytes.into(),
            needs.rules.upload.valid_for,
            facts.created_at,
        );
        let reply = answer(&document, &upload.await.map_err(StepError::from)?);
        Ok(if replayed { reply.replayed() } else { reply })
    }

    async fn refuse_too_many(&self, client: &ClientId) -> Result<(), Problem> {
        let Some(case) = self.cases.find(client).await? else { return Ok(()) };
        if case.facts.status == KycStatus::Rejected {
            return Err(Problem::conflict("the client was refused; compliance decides about anything further"));
        }
        match case.too_many() {
            Some(message) => Err(Problem::input(vec![Fault::new("", "too_many_documents", message)])),
            None => Ok(()),
        }
    }
}

fn answer(document: &KycDocument, upload: &Upload) -> Reply {
    let headers: Map<String, Value> = upload.headers.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
    Reply::json(
        201,
        &json!({
            "document_id": document.id,
            "upload": {"method": upload.method, "url": upload.url, "headers": headers},
        }),
    )
}
