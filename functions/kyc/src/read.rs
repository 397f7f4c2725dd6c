//! Reads an accepted document, and holds what it says against what the client declared.

pub mod found;
mod reader;
mod textract;

use std::sync::Arc;

use documents::Line;
use domain::client::Client;
use domain::kyc::rules::{Kyc, ReaderRule};
use domain::kyc::{DocumentKind, DocumentStatus, Extracted, KycDocument, Reading};
use domain::{DocumentId, Timestamp};
use files::{FileVersion, Files};
use providers::http::BoxFuture;
use providers::kyc::faces::Picture;
use providers::kyc::textract::Textract;
use runtime::function::{ConfigError, Function, Ports};
use runtime::queue::{Message, QueueFunction, QueueStep};
use runtime::{StepError, step};

use crate::aws::Looker;
use crate::cases::Cases;
use reader::LocalReader;

/// The step.
pub struct Read {
    cases: Cases,
    files: Files,
    local: LocalReader,
    looker: Looker,
}

/// Builds the function.
///
/// # Errors
/// [`ConfigError`].
pub fn build(ports: &Ports) -> Result<Arc<dyn Function>, ConfigError> {
    let step = Read {
        cases: Cases::new(ports)?,
        files: Files::documents(ports)?,
        local: LocalReader::new(),
        looker: Looker::new(ports)?,
    };
    QueueFunction::build(step, ports)
}

impl QueueStep for Read {
    const NAME: &'static str = "kyc-read";

    fn handle<'a>(&'a self, message: &'a Message) -> BoxFuture<'a, Result<&'static str, StepError>> {
        Box::pin(async move {
            let event = message.event()?;
            let mut frame = message.frame(Self::NAME, &event);
            let id: DocumentId = event.id()?;
            let document = self.load(&id).await?;
            if !document.to_be_read() {
                return Ok("nothing_to_do");
            }
            let client = self.cases.client_of(&document.client_id).await?;
            let needs = self.cases.needs().await?;
            frame.used(needs.label());
            let (reading, extracted) = self.read(&document, &client, &needs.rules, frame.now).await?;
            let decide = |document: &KycDocument| document.read(reading.clone(), extracted.clone());
            Ok(step::change(&self.cases.crm, &id, &mut frame, decide).await?.outcome())
        })
    }
}

impl Read {
    async fn load(&self, id: &DocumentId) -> Result<KycDocument, StepError> {
        let stored = self.cases.crm.load::<KycDocument>(id).await?;
        Ok(stored.ok_or_else(|| StepError::Absent(id.to_string()))?.entity)
    }

    async fn read(
        &self,
        document: &KycDocument,
        client: &Client,
        rules: &Kyc,
        now: Timestamp,
    ) -> Result<(Reading, Extracted), StepError> {
        let mut sides = vec![self.lines(document, rules).await?];
        // what stands on the two sides of a card confirms one another
        if rules.both_sides.contains(&document.facts.kind)
            && let Some(other) = self.other_side(document).await?
        {
            sides.push(self.lines(&other, rules).await?);
        }
        let sides: Vec<&[Line]> = sides.iter().map(Vec::as_slice).collect();
        let today = now.day();
        let reader = match rules.reader {
            ReaderRule::Local => "local",
            ReaderRule::Textract(_) => "textract",
        };
        let kind = match document.facts.kind {
            DocumentKind::Passport => documents::Kind::Passport,
            DocumentKind::IdCard => documents::Kind::IdCard,
            DocumentKind::DrivingLicence => documents::Kind::DrivingLicence,
            DocumentKind::ProofOfAddress | DocumentKind::Selfie => {
                return Ok(found::address(&sides, client, rules.proof_max_age, today, reader));
            }
        };
        Ok(found::identity(&sides, kind, client, today, reader))
    }

    /// The lines of one upload, in the version that was checked.
    async fn lines(&self, document: &KycDocument, rules: &Kyc) -> Result<Vec<Line>, StepError> {
        let version = document.inner.object.clone().map(FileVersion);
        let version = version.ok_or_else(|| StepError::Malformed(format!("{} was never checked", document.id)))?;
        let key = document.key();
        let content_type = document.facts.content_type.clone();
        // who somebody is stands on a document that was photographed or scanned, and a service does not say whether text that it reads
        // in a PDF was
        let written = !document.facts.kind.is_identity();
        match &rules.reader {
            ReaderRule::Textract(url) if written || content_type != "application/pdf" => {
                let picture = Picture::Stored { bucket: self.files.bucket().to_owned(), key, version: version.0 };
                textract::lines(&Textract(self.looker.at(url)?), &picture).await
            }
            ReaderRule::Local | ReaderRule::Textract(_) => {
                let file = self.files.get_version(&key, &version, rules.upload.bytes_max.into()).await?;
                self.local.lines(file.bytes, content_type, &rules.upload, written).await
            }
        }
    }

    /// The newest other side of the same card that can be used.
    async fn other_side(&self, document: &KycDocument) -> Result<Option<KycDocument>, StepError> {
        let Some(case) = self.cases.find(&document.client_id).await? else { return Ok(None) };
        let other = case.facts.documents.iter().rev().find(|known| {
            let facts = &document.facts;
            known.status == DocumentStatus::Accepted && known.kind == facts.kind && known.side != facts.side
        });
        match other {
            Some(other) => self.load(&other.document_id).await.map(Some),
            None => Ok(None),
        }
    }
}
