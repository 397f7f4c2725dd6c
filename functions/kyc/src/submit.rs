//! `POST /v1/clients/{client_id}/kyc/documents/{document_id}/submit`: the document was uploaded; it is checked at once.

use std::sync::Arc;

use domain::kyc::rules::Kyc;
use domain::kyc::{Checked, DocumentStatus, KycDocument, UploadFault};
use domain::{ClientId, DocumentId};
use files::{Files, FilesError};
use runtime::auth::PORTAL;
use runtime::function::{ConfigError, Function, Ports};
use runtime::http::{HttpFunction, HttpStep, Reply, Request, Route, Scope};
use runtime::{Problem, StepError, step};
use serde_json::{Value, json};

use crate::cases::Cases;
use crate::check::{check, too_large};

/// The step.
pub struct Submit {
    cases: Cases,
    files: Files,
}

/// Builds the function.
///
/// # Errors
/// [`ConfigError`].
pub fn build(ports: &Ports) -> Result<Arc<dyn Function>, ConfigError> {
    HttpFunction::build(Submit { cases: Cases::new(ports)?, files: Files::documents(ports)? }, ports)
}

impl HttpStep for Submit {
    const NAME: &'static str = "kyc-submit";

    const ROUTES: &'static [Route<Self>] = &[Route::token(
        "POST",
        "/v1/clients/{client_id}/kyc/documents/{document_id}/submit",
        PORTAL,
        Scope::OneClient,
        |step, request, _| Box::pin(step.submit(request)),
    )];
}

impl Submit {
    async fn submit(&self, request: &Request) -> Result<Reply, Problem> {
        let client_id: ClientId = request.id("client_id")?;
        let id: DocumentId = request.id("document_id")?;
        let client = self.cases.known(&client_id).await?;
        let stored = self.cases.crm.load::<KycDocument>(&id).await?;
        let document = stored.map(|stored| stored.entity).filter(|document| document.client_id == client_id);
        // another client's document is as unknown as one that is not there
        let document = document.ok_or_else(|| Problem::not_found("there is no such document"))?;
        let needs = self.cases.needs().await?;
        let mut frame = request.frame(Self::NAME);
        frame.used(needs.label());
        let document = match document.facts.status {
            DocumentStatus::Accepted | DocumentStatus::Rejected => document,
            DocumentStatus::AwaitingUpload | DocumentStatus::Abandoned => {
                let checked = self.look_at(&document, &needs.rules).await?;
                let now = request.now;
                let decide = |document: &KycDocument| document.checked(&checked, now);
                step::change(&self.cases.crm, &id, &mut frame, decide).await?.stored().entity.clone()
            }
        };
        // again with each repeat: whoever checked it may have died before the case knew
        self.cases.absorb(&document, &client, &mut frame).await?;
        Ok(answer(&document, &needs.rules, &client.facts.language))
    }

    async fn look_at(&self, document: &KycDocument, rules: &Kyc) -> Result<Checked, Problem> {
        let (key, most) = (document.key(), rules.upload.bytes_max.into());
        match self.files.get(&key, most).await {
            Ok(Some(file)) => {
                Ok(check(file, document.facts.kind, document.facts.content_type.clone(), &rules.upload).await?)
            }
            Ok(None) => Err(Problem::conflict("nothing was uploaded yet: send the file to the address first")),
            Err(FilesError::TooLarge { bytes, .. }) => {
                let head = self.files.head(&key).await.map_err(StepError::from)?;
                Ok(too_large(head.map(|head| head.version.0).unwrap_or_default(), bytes))
            }
            Err(error) => Err(StepError::from(error).into()),
        }
    }
}

fn answer(document: &KycDocument, rules: &Kyc, language: &str) -> Reply {
    let facts = &document.facts;
    let reason = |fault: &UploadFault| json!({"code": fault, "message": rules.sentence(*fault, facts.kind, language)});
    let reasons: Vec<Value> = facts.reasons.iter().map(reason).collect();
    let mut body = json!({"status": facts.status, "reasons": reasons});
    if let (Some(extracted), Some(object)) = (&document.inner.extracted, body.as_object_mut()) {
        object.insert("extracted".to_owned(), json!(extracted));
    }
    Reply::json(200, &body)
}
