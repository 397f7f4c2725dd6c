//! Reads an accepted document, and holds what it says against what the client declared and what earlier documents of his say.

mod earlier;
pub mod found;
mod reader;
mod textract;

use std::sync::Arc;

use documents::{Fields, Line};
use domain::client::Client;
use domain::kyc::rules::{Kyc, ReaderRule};
use domain::kyc::{CaseDocument, DocumentKind, DocumentStatus, Extracted, KycCase, KycDocument, Reading};
use domain::{DocumentId, Timestamp};
use files::Files;
use providers::http::BoxFuture;
use providers::kyc::textract::Textract;
use runtime::function::{ConfigError, Function, Ports};
use runtime::queue::{Message, QueueFunction, QueueStep};
use runtime::{StepError, step};

use crate::aws::{Looker, checked_version, stored};
use crate::cases::Cases;
use reader::LocalReader;

/// So many of a client's earlier documents, the newest, are held against a new one.
const EARLIER_MAX: usize = 4;

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
            let document = self.cases.document(&id).await?;
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
    async fn read(
        &self,
        document: &KycDocument,
        client: &Client,
        rules: &Kyc,
        now: Timestamp,
    ) -> Result<(Reading, Extracted), StepError> {
        let mut sides = vec![self.lines(document, rules).await?];
        let today = now.day();
        let reader = match rules.reader {
            ReaderRule::Local => "local",
            ReaderRule::Textract(_) => "textract",
        };
        let Some(kind) = identity_kind(document.facts.kind) else {
            let pages: Vec<&[Line]> = sides.iter().map(Vec::as_slice).collect();
            return Ok(found::address(&pages, client, rules.proof_max_age, today, reader));
        };
        let case = self.cases.find(&document.client_id).await?;
        let known = case.as_ref().map(|case| case.facts.documents.as_slice()).unwrap_or_default();
        // what stands on the two sides of a card confirms one another
        let counting = case.as_ref().map(KycCase::counting).unwrap_or_default();
        let other = other_side(document, &counting).filter(|_| rules.both_sides.contains(&document.facts.kind));
        if let Some(other) = other {
            sides.push(self.lines(&self.cases.document(other).await?, rules).await?);
        }
        let earlier = self.earlier(document, other, known, rules, now).await?;
        let sides: Vec<&[Line]> = sides.iter().map(Vec::as_slice).collect();
        Ok(found::identity(&sides, kind, client, &earlier, today, reader))
    }

    /// What the client's earlier documents say. One that waits to be read as this one does is read for it: of two that are read at the
    /// same time neither would see the other.
    async fn earlier(
        &self,
        document: &KycDocument,
        other_side: Option<&DocumentId>,
        known: &[CaseDocument],
        rules: &Kyc,
        now: Timestamp,
    ) -> Result<Vec<Fields>, StepError> {
        let is_earlier = |known: &&CaseDocument| {
            let usable = known.status == DocumentStatus::Accepted && known.kind.is_identity();
            usable && known.document_id < document.id && Some(&known.document_id) != other_side
        };
        let mut said = Vec::new();
        for known in known.iter().rev().filter(is_earlier).take(EARLIER_MAX) {
            let earlier = self.cases.document(&known.document_id).await?;
            said.push(match identity_kind(known.kind).filter(|_| earlier.to_be_read()) {
                Some(kind) => {
                    let lines = self.lines(&earlier, rules).await?;
                    earlier::sure_of(documents::read(&lines, kind, now.day()).fields)
                }
                None => earlier::kept(&earlier),
            });
        }
        Ok(said)
    }

    /// The lines of one upload, in the version that was checked.
    async fn lines(&self, document: &KycDocument, rules: &Kyc) -> Result<Vec<Line>, StepError> {
        let content_type = document.facts.content_type.clone();
        // who somebody is stands on a document that was photographed or scanned, and a service does not say whether text that it reads
        // in a PDF was
        let written = !document.facts.kind.is_identity();
        match &rules.reader {
            ReaderRule::Textract(url) if written || content_type != "application/pdf" => {
                textract::lines(&Textract(self.looker.at(url)?), &stored(&self.files, document)?).await
            }
            ReaderRule::Local | ReaderRule::Textract(_) => {
                let file = self
                    .files
                    .get_version(&document.key(), &checked_version(document)?, rules.upload.bytes_max.into())
                    .await?;
                self.local.lines(file.bytes, content_type, &rules.upload, written).await
            }
        }
    }
}

/// The other side of the same card that counts: not that of a card which was to be sent again.
fn other_side<'k>(document: &KycDocument, counting: &[&'k CaseDocument]) -> Option<&'k DocumentId> {
    let facts = &document.facts;
    let other = counting.iter().find(|known| known.kind == facts.kind && known.side != facts.side);
    other.map(|other| &other.document_id)
}

/// What it is to the reader, if it says who somebody is.
fn identity_kind(kind: DocumentKind) -> Option<documents::Kind> {
    match kind {
        DocumentKind::Passport => Some(documents::Kind::Passport),
        DocumentKind::IdCard => Some(documents::Kind::IdCard),
        DocumentKind::DrivingLicence => Some(documents::Kind::DrivingLicence),
        DocumentKind::ProofOfAddress | DocumentKind::Selfie => None,
    }
}
