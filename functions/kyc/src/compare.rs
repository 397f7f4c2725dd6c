//! `kyc-compare`: holds the face of a selfie against the document's, for a case that is being verified.

use std::sync::Arc;

use domain::client::Client;
use domain::kyc::KycCase;
use domain::kyc::faces::{Compared, FaceMatch, FacePair, FaceState};
use domain::kyc::rules::FaceRules;
use domain::{DocumentId, KycCaseId};
use files::Files;
use providers::http::BoxFuture;
use providers::kyc::VendorError;
use providers::kyc::faces::{Comparison, Faces, NoFace, Picture};
use providers::kyc::rekognition::Rekognition;
use runtime::StepError;
use runtime::function::{ConfigError, Function, Ports};
use runtime::queue::{Message, QueueFunction, QueueStep};

use crate::aws::{Looker, looking, percent, stored};
use crate::cases::Cases;

/// The step.
pub struct Compare {
    cases: Cases,
    files: Files,
    service: Looker,
}

/// Builds the function.
///
/// # Errors
/// [`ConfigError`].
pub fn build(ports: &Ports) -> Result<Arc<dyn Function>, ConfigError> {
    let step = Compare { cases: Cases::new(ports)?, files: Files::documents(ports)?, service: Looker::new(ports)? };
    QueueFunction::build(step, ports)
}

impl QueueStep for Compare {
    const NAME: &'static str = "kyc-compare";

    fn handle<'a>(&'a self, message: &'a Message) -> BoxFuture<'a, Result<&'static str, StepError>> {
        Box::pin(self.compare(message))
    }
}

impl Compare {
    async fn compare(&self, message: &Message) -> Result<&'static str, StepError> {
        let event = message.event()?;
        let id: KycCaseId = event.id()?;
        let case = self.cases.case(&id).await?;
        let Some(pair) = waits(&case) else { return Ok("nothing_to_do") };
        let client: Client = self.cases.client_of(&case.client_id).await?;
        let needs = self.cases.needs().await?;
        let compared = self.measure(&pair, &needs.rules.faces).await?;
        let mut frame = message.frame(Self::NAME, &event);
        let matched = FaceMatch::of(pair, compared);
        Ok(self.cases.matched(&client, &mut frame, &matched).await?.outcome())
    }

    async fn measure(&self, pair: &FacePair, rules: &FaceRules) -> Result<Compared, StepError> {
        let (selfie, document) = (self.picture(&pair.selfie).await?, self.picture(&pair.document).await?);
        let (Some(selfie), Some(document)) = (selfie, document) else { return Ok(Compared::NotPossible) };
        let service = Rekognition(self.service.at(&rules.base_url)?);
        match service.compare(&selfie, &document, percent(rules.similarity_min)?).await {
            Ok(Comparison::Same { similarity }) => Ok(Compared::Same { similarity: similarity.value().to_string() }),
            Ok(Comparison::Different { similarity }) => {
                Ok(Compared::Different { similarity: similarity.map(|figure| figure.value().to_string()) })
            }
            Ok(Comparison::Retake(NoFace::Selfie)) => Ok(Compared::NoFaceInSelfie),
            Ok(Comparison::Retake(NoFace::Document)) => Ok(Compared::NoFaceInDocument),
            // it will not take these pictures the next time either
            Err(VendorError::Refused(_)) => Ok(Compared::NotPossible),
            Err(error) => Err(looking(&error)),
        }
    }

    /// An accepted upload in the version that was checked; `None` for a PDF, which the service does not take.
    async fn picture(&self, id: &DocumentId) -> Result<Option<Picture>, StepError> {
        let document = self.cases.document(id).await?;
        match document.facts.content_type.as_str() {
            "image/jpeg" | "image/png" => stored(&self.files, &document).map(Some),
            _ => Ok(None),
        }
    }
}

/// The pictures whose comparison the case waits for.
fn waits(case: &KycCase) -> Option<FacePair> {
    let pending = case.is_checking() && case.face_state() == FaceState::Pending;
    case.face_pair().filter(|_| pending)
}
