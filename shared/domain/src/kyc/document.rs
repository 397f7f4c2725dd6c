//! A document that a client uploads: asked for, checked when it is there, read afterwards.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::rules::Kyc;
use crate::decision::{Decision, Verdict};
use crate::entity::{Entity, InCrm, Parts, ReadError};
use crate::input::{Fault, Reader};
use crate::words::words;
use crate::{ClientId, DocumentId, Redacted, Timestamp};

words! {
    /// What a document is (API.md).
    DocumentKind {
        /// A passport.
        Passport = "passport",
        /// An identity card.
        IdCard = "id_card",
        /// A driving licence.
        DrivingLicence = "driving_licence",
        /// A bill, a bank statement and the like with name and address.
        ProofOfAddress = "proof_of_address",
        /// A photo of the client's face.
        Selfie = "selfie",
    }
}

impl DocumentKind {
    /// Whether it says who somebody is.
    pub fn is_identity(self) -> bool {
        match self {
            Self::Passport | Self::IdCard | Self::DrivingLicence => true,
            Self::ProofOfAddress | Self::Selfie => false,
        }
    }

    /// Whether something is read from it.
    pub fn is_read(self) -> bool {
        match self {
            Self::Passport | Self::IdCard | Self::DrivingLicence | Self::ProofOfAddress => true,
            Self::Selfie => false,
        }
    }
}

words! {
    /// The side of a card.
    Side {
        /// With the portrait.
        Front = "front",
        /// The other.
        Back = "back",
    }
}

words! {
    /// Where a document stands.
    DocumentStatus {
        /// The client has the address to send it to.
        AwaitingUpload = "awaiting_upload",
        /// It can be used.
        Accepted = "accepted",
        /// It cannot be used.
        Rejected = "rejected",
        /// It never came.
        Abandoned = "abandoned",
    }
}

words! {
    /// Why an upload cannot be used (API.md).
    UploadFault {
        /// Of no kind that can be read.
        UnsupportedFormat = "unsupported_format",
        /// Too many bytes, pixels or pages.
        TooLarge = "too_large",
        /// Too few pixels.
        TooSmall = "too_small",
        /// Too dark.
        TooDark = "too_dark",
        /// Too bright, or with a reflection on it.
        TooBright = "too_bright",
        /// Not sharp.
        Blurred = "blurred",
        /// No text can be read.
        Unreadable = "unreadable",
        /// Damaged, or protected by a password.
        Corrupt = "corrupt",
    }
}

words! {
    /// What was noticed about a document when it was read.
    Finding {
        /// Its machine-readable zone does not add up.
        ZoneInvalid = "zone_invalid",
        /// The zone and what is printed above it say different things.
        ZoneDiffers = "zone_differs",
        /// The name is another than the client declared.
        NameDiffers = "name_differs",
        /// The date of birth is another than the client declared.
        BirthDateDiffers = "birth_date_differs",
        /// The nationality is another than the client declared.
        NationalityDiffers = "nationality_differs",
        /// It says something else than an earlier document of the client.
        EarlierDiffers = "earlier_differs",
        /// It is no longer valid.
        Expired = "expired",
        /// It is not valid for long.
        ExpiresSoon = "expires_soon",
        /// The date of birth cannot be one.
        BirthDateImpossible = "birth_date_impossible",
        /// It is older than a proof of address may be.
        TooOld = "too_old",
        /// It is of another kind than it was sent as.
        OtherKind = "other_kind",
        /// It shows more than one document.
        SeveralDocuments = "several_documents",
        /// A proof of address does not bear the client's name.
        NameNotFound = "name_not_found",
        /// A proof of address bears no date.
        DateNotFound = "date_not_found",
        /// What has to be on it was not read, or not surely.
        NotSure = "not_sure",
        /// Nothing was read.
        NotRead = "not_read",
    }
}

/// What events carry of a document's reading: no word of what stands on it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reading {
    /// Who read it: `local`, `textract`, and which version.
    pub reader: String,
    /// The fields that were read surely.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sure: Vec<String>,
    /// The fields that were read, but not surely.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unsure: Vec<String>,
    /// What was noticed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<Finding>,
}

/// What stands on a document, as far as it was read.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Extracted {
    /// Surname.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub surname: Option<Redacted<String>>,
    /// Given names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub given_names: Option<Redacted<String>>,
    /// Date of birth, `YYYY-MM-DD`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub date_of_birth: Option<Redacted<String>>,
    /// Number of the document.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<Redacted<String>>,
    /// Last day of validity, `YYYY-MM-DD`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<String>,
    /// Nationality as the document writes it: three letters where it has a machine-readable zone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nationality: Option<Redacted<String>>,
    /// Who issued it, likewise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
}

impl Extracted {
    /// The whole name, where given names and surname were read: a part of a name is many people's.
    pub fn full_name(&self) -> Option<Redacted<String>> {
        let (given, surname) = (self.given_names.as_ref()?.reveal().trim(), self.surname.as_ref()?.reveal().trim());
        (!given.is_empty() && !surname.is_empty()).then(|| Redacted::new(format!("{given} {surname}")))
    }
}

/// The public part of a document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DocumentFacts {
    /// What it is.
    pub kind: DocumentKind,
    /// Which side, of a card.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub side: Option<Side>,
    /// Where it stands.
    pub status: DocumentStatus,
    /// The media type that the upload must have.
    pub content_type: String,
    /// The bytes that it must have.
    pub bytes: u32,
    /// When the client asked to upload it.
    pub created_at: Timestamp,
    /// When it was checked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checked_at: Option<Timestamp>,
    /// Why it cannot be used.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reasons: Vec<UploadFault>,
    /// How it read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reading: Option<Reading>,
}

/// The private part of a document.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct DocumentPrivate {
    /// Which version of the stored object was checked: a later upload under the same address is another document.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object: Option<String>,
    /// What was read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extracted: Option<Extracted>,
}

/// A document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KycDocument {
    /// Its id.
    pub id: DocumentId,
    /// Whose it is.
    pub client_id: ClientId,
    /// When it is given up, while it awaits its upload.
    pub due: Option<Timestamp>,
    /// What events carry.
    pub facts: DocumentFacts,
    /// What they do not.
    pub inner: DocumentPrivate,
}

/// What the check of an upload came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    /// Which version of the stored object was checked.
    pub object: String,
    /// Why it cannot be used; none if it can.
    pub reasons: Vec<UploadFault>,
    /// What was measured, for the record.
    pub measured: Vec<String>,
}

impl KycDocument {
    /// The document that a client wants to upload.
    ///
    /// # Errors
    /// Every fault of the request at once.
    pub fn wanted(
        body: &Value,
        client_id: ClientId,
        rules: &Kyc,
        id: DocumentId,
        now: Timestamp,
    ) -> Result<Self, Vec<Fault>> {
        let mut reader = Reader::new(body);
        let kind = reader.word::<DocumentKind>("kind");
        let side = reader.optional_word::<Side>("side");
        let content_type = reader.string("content_type").and_then(|text| content_type(text, rules, &mut reader));
        let bytes = reader.whole("bytes");
        if let Some(bytes) = bytes {
            size(bytes, rules, &mut reader);
        }
        let faults = reader.finish();
        match (kind, content_type, bytes) {
            (Some(kind), Some(content_type), Some(bytes)) if faults.is_empty() => {
                let facts = DocumentFacts {
                    kind,
                    side,
                    status: DocumentStatus::AwaitingUpload,
                    content_type,
                    bytes,
                    created_at: now,
                    checked_at: None,
                    reasons: vec![],
                    reading: None,
                };
                let due = Some(now.plus(rules.upload.abandoned_after));
                Ok(Self { id, client_id, due, facts, inner: DocumentPrivate::default() })
            }
            _ => Err(faults),
        }
    }

    /// The decision that asks for it.
    pub fn requested(self) -> Decision<Self> {
        let why = vec![format!("{} of {} bytes", self.facts.kind, self.facts.bytes)];
        Decision::new(self, "requested", vec!["document.requested"], why)
    }

    /// Where its bytes are kept: under the client, so that all of one client's can be found and deleted.
    pub fn key(&self) -> String {
        format!("documents/{}/{}", self.client_id, self.id)
    }

    /// What its check came to. Only the first counts: what is decided is not decided again on another object.
    pub fn checked(&self, checked: &Checked, now: Timestamp) -> Verdict<Self> {
        match self.facts.status {
            DocumentStatus::AwaitingUpload | DocumentStatus::Abandoned => {}
            DocumentStatus::Accepted | DocumentStatus::Rejected => {
                return Verdict::Nothing("it was checked before");
            }
        }
        let mut next = self.clone();
        next.due = None;
        next.facts.checked_at = Some(now);
        next.facts.reasons.clone_from(&checked.reasons);
        next.inner.object = Some(checked.object.clone());
        let (status, event) = if checked.reasons.is_empty() {
            (DocumentStatus::Accepted, "document.accepted")
        } else {
            (DocumentStatus::Rejected, "document.rejected")
        };
        next.facts.status = status;
        Verdict::change(next, status.as_str(), vec![event], checked.measured.clone())
    }

    /// Whether it waits to be read.
    pub fn to_be_read(&self) -> bool {
        self.facts.status == DocumentStatus::Accepted && self.facts.kind.is_read() && self.facts.reading.is_none()
    }

    /// What was read of it.
    pub fn read(&self, reading: Reading, extracted: Extracted) -> Verdict<Self> {
        if !self.to_be_read() {
            return Verdict::Nothing("it does not wait to be read");
        }
        let mut next = self.clone();
        let words = |fields: &[String]| if fields.is_empty() { "nothing".to_owned() } else { fields.join(", ") };
        let mut why = vec![
            format!("read by {}", reading.reader),
            format!("sure: {}; not sure: {}", words(&reading.sure), words(&reading.unsure)),
        ];
        why.extend(reading.findings.iter().map(|finding| format!("finding: {finding}")));
        next.facts.reading = Some(reading);
        next.inner.extracted = Some(extracted);
        Verdict::change(next, "read", vec!["document.read"], why)
    }

    /// Its upload did not come in time.
    pub fn overdue(&self, now: Timestamp) -> Verdict<Self> {
        match (self.facts.status, self.due) {
            (DocumentStatus::AwaitingUpload, Some(due)) if due <= now => {
                let mut next = self.clone();
                next.due = None;
                next.facts.status = DocumentStatus::Abandoned;
                Verdict::change(
                    next,
                    "abandoned",
                    vec!["document.abandoned"],
                    vec!["it was never submitted".to_owned()],
                )
            }
            _ => Verdict::Nothing("it is not overdue"),
        }
    }
}

fn content_type(text: &str, rules: &Kyc, reader: &mut Reader<'_>) -> Option<String> {
    let wanted = text.trim().to_ascii_lowercase();
    if rules.upload.content_types.contains(&wanted) {
        return Some(wanted);
    }
    let allowed = rules.upload.content_types.iter();
    let message = format!("must be one of {}", rules.upload.content_types.join(", "));
    reader.fault(Fault::new("/content_type", "unsupported_format", message).allowing(allowed));
    None
}

fn size(bytes: u32, rules: &Kyc, reader: &mut Reader<'_>) {
    let most = rules.upload.bytes_max;
    if bytes == 0 {
        reader.fault(Fault::new("/bytes", "too_small", "must be more than 0"));
    } else if bytes > most {
        reader.fault(Fault::new("/bytes", "too_large", format!("must be at most {most}")));
    }
}

impl Entity for KycDocument {
    type Id = DocumentId;
    type Table = InCrm;
    type Public = DocumentFacts;
    type Private = DocumentPrivate;
    const KIND: &'static str = "document";
    const TIMED: bool = true;

    fn id(&self) -> &DocumentId {
        &self.id
    }

    fn client(&self) -> Option<&ClientId> {
        Some(&self.client_id)
    }

    fn due(&self) -> Option<Timestamp> {
        self.due
    }

    fn public(&self) -> &DocumentFacts {
        &self.facts
    }

    fn private(&self) -> &DocumentPrivate {
        &self.inner
    }

    fn from_parts(parts: Parts<Self>) -> Result<Self, ReadError> {
        Ok(Self { client_id: parts.owner()?, id: parts.id, due: parts.due, facts: parts.public, inner: parts.private })
    }
}
