//! The KYC case of a client: what was gathered, what the checks say, and where it stands.

use serde::{Deserialize, Serialize};

use super::clearance::Clearance;
use super::declaration::{Declaration, Declared};
use super::document::{DocumentKind, DocumentStatus, Extracted, Finding, KycDocument, Side, UploadFault};
use super::expiry::{Renewal, Validity};
use super::faces::{FaceMatch, FaceState, LivenessCheck};
use super::rules::{Kyc, KycRisk, KycVendors};
use super::vendor::CaseVendor;
use super::{KycOutcome, KycStatus};
use crate::client::Client;
use crate::decision::Verdict;
use crate::entity::{Entity, InCrm, Parts, ReadError};
use crate::payment::deposit::Settled;
use crate::rules::RuleError;
use crate::words::words;
use crate::work::Review;
use crate::{ClientId, DocumentId, KycCaseId, Redacted, Timestamp};

/// Documents that a case remembers; the oldest that cannot be used are forgotten first.
const DOCUMENTS_MAX: usize = 40;
/// Documents that may wait for their upload at a time.
const AWAITED_MAX: usize = 20;

/// A document as the case sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CaseDocument {
    /// Its id.
    pub document_id: DocumentId,
    /// What it is.
    pub kind: DocumentKind,
    /// Which side.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub side: Option<Side>,
    /// Where it stands.
    pub status: DocumentStatus,
    /// Why it cannot be used.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reasons: Vec<UploadFault>,
    /// Whether it was read, if something is to be read of it.
    #[serde(default)]
    pub read: bool,
    /// The fields that were read surely.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sure: Vec<String>,
    /// What was noticed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<Finding>,
    /// The last day on which what says who the client is, is valid, `YYYY-MM-DD`, as it was read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<String>,
    /// A newer document has taken its place.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub replaced: bool,
}

impl CaseDocument {
    fn of(document: &KycDocument) -> Self {
        let facts = &document.facts;
        let reading = facts.reading.as_ref();
        let extracted = document.inner.extracted.as_ref().filter(|_| facts.kind.is_identity());
        Self {
            document_id: document.id.clone(),
            kind: facts.kind,
            side: facts.side,
            status: facts.status,
            reasons: facts.reasons.clone(),
            read: reading.is_some(),
            sure: reading.map(|reading| reading.sure.clone()).unwrap_or_default(),
            findings: reading.map(|reading| reading.findings.clone()).unwrap_or_default(),
            expires: extracted.and_then(|extracted| extracted.expires.clone()),
            replaced: false,
        }
    }

    /// Whether nothing more is expected of it.
    pub fn is_done(&self) -> bool {
        self.status == DocumentStatus::Accepted && (self.read || !self.kind.is_read())
    }
}

words! {
    /// How the screening stands. One that failed is no clean one.
    ScreeningState {
        /// Not begun.
        Pending = "pending",
        /// Nobody listed is like the client.
        Clear = "clear",
        /// Somebody listed may be the client.
        Hits = "hits",
        /// It could not be done; it is tried again.
        Failed = "failed",
    }
}

words! {
    /// What a list is of.
    ListKind {
        /// Sanctioned persons.
        Sanctions = "sanctions",
        /// Politically exposed persons.
        Pep = "pep",
    }
}

/// Somebody listed who may be the client. No name: the list has it under the id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hit {
    /// Who, on the list.
    pub entity_id: String,
    /// Which list.
    pub list: String,
    /// What it is a list of.
    pub of: ListKind,
    /// How alike, from 0 to 1, as the screening engine writes it.
    pub score: String,
    /// What the dates of birth say of each other.
    pub date_of_birth: String,
    /// What the entry says, and whether it has a document of the client's, as a fingerprint: another one is another hit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entry: Option<String>,
}

/// The screening of a case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Screening {
    /// How it stands.
    pub state: ScreeningState,
    /// Which version of the lists was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub list_version: Option<String>,
    /// Who may be the client.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hits: Vec<Hit>,
    /// Who might be, had people not decided about them before.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cleared: Vec<Hit>,
}

impl Default for Screening {
    fn default() -> Self {
        Self { state: ScreeningState::Pending, list_version: None, hits: vec![], cleared: vec![] }
    }
}

impl Screening {
    /// Whether somebody on a list of that kind may be the client.
    pub fn has(&self, kind: ListKind) -> bool {
        self.hits.iter().any(|hit| hit.of == kind)
    }
}

/// How risky a client is by the rules.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RiskFacts {
    /// The sum of the factors, never below zero.
    pub score: u32,
    /// The band of the score.
    pub band: String,
    /// The factors that hold, with their points.
    pub factors: Vec<Factor>,
}

/// A factor that holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Factor {
    /// The rule's name.
    pub id: String,
    /// What it adds.
    pub points: String,
}

words! {
    /// Who decided.
    DecidedBy {
        /// The rules.
        Rule = "rule",
        /// A person.
        Person = "person",
    }
}

/// What was decided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CaseDecision {
    /// What.
    pub outcome: KycOutcome,
    /// By whom.
    pub by: DecidedBy,
    /// Why, as words of the rules.
    pub reasons: Vec<String>,
    /// When.
    pub at: Timestamp,
}

/// The public part of a case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CaseFacts {
    /// Where it stands.
    pub status: KycStatus,
    /// When it was begun.
    pub created_at: Timestamp,
    /// The client's documents, oldest first.
    #[serde(default)]
    pub documents: Vec<CaseDocument>,
    /// What the client declared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub declaration: Option<Declaration>,
    /// Who listed may be the client.
    #[serde(default)]
    pub screening: Screening,
    /// Whether selfie and document show the same face, of the pictures that it names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub face_match: Option<FaceMatch>,
    /// The latest check of liveness.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub liveness: Option<LivenessCheck>,
    /// How risky the client is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub risk: Option<RiskFacts>,
    /// What was decided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decision: Option<CaseDecision>,
    /// Kinds of documents that the client is asked to send again, and why.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub resubmit: Vec<Resubmission>,
    /// How often the client was asked to send something again.
    #[serde(default)]
    pub attempts: u32,
    /// Since when the checks are at it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verifying_since: Option<Timestamp>,
    /// What a person is asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub review: Option<Review>,
    /// How often a vendor's check was asked for.
    #[serde(default)]
    pub checks_asked: u32,
    /// How that stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vendor: Option<CaseVendor>,
    /// Whether the case is not decided without its result.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub vendor_required: bool,
    /// How long the documents of the approval are valid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validity: Option<Validity>,
    /// Newer documents that are being looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub renewal: Option<Renewal>,
    /// Work items that this version makes moot.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub settled: Vec<Settled>,
}

/// A document that is to be sent again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resubmission {
    /// Which.
    pub document_id: DocumentId,
    /// Why, as a word that the texts for clients know.
    pub reason: String,
}

/// The private part of a case.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct CasePrivate {
    /// The client's occupation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub occupation: Option<Redacted<String>>,
    /// Why each hit is one, in the order of the public hits: it names the client.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub why_hit: Vec<Redacted<String>>,
    /// What was read of the document that says who the client is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extracted: Option<Extracted>,
    /// The service's id of the latest check of liveness: whoever has it can take the client's part in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub liveness_session: Option<Redacted<String>>,
    /// What the vendor of the check has the client told.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub vendor_says: Vec<Redacted<String>>,
    /// What was screened of the client last, as a fingerprint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub screened_as: Option<String>,
    /// What people decided about hits.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cleared: Vec<Clearance>,
}

/// The case of a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KycCase {
    /// Its id, [`KycCaseId::of`] the client's.
    pub id: KycCaseId,
    /// Whose it is.
    pub client_id: ClientId,
    /// When something must happen although no trigger comes.
    pub due: Option<Timestamp>,
    /// What events carry.
    pub facts: CaseFacts,
    /// What they do not.
    pub inner: CasePrivate,
}

/// The rules that decide about a case.
#[derive(Debug, Clone, Copy)]
pub struct CaseRules<'r> {
    /// What a case needs.
    pub kyc: &'r Kyc,
    /// What is risky.
    pub risk: &'r KycRisk,
    /// Who verifies identities.
    pub vendors: &'r KycVendors,
}

/// What the screening of a client came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Screened {
    /// It was done.
    Done {
        /// With which version of the lists.
        list_version: String,
        /// What of the client, as a fingerprint.
        client: String,
        /// Who may be the client, with the reasons in words, which may name the client.
        hits: Vec<(Hit, Redacted<String>)>,
    },
    /// It could not be done.
    Failed(String),
}

impl KycCase {
    /// The case of a client as it begins.
    pub fn begun(client_id: ClientId, now: Timestamp) -> Self {
        let facts = CaseFacts {
            status: KycStatus::Collecting,
            created_at: now,
            documents: vec![],
            declaration: None,
            screening: Screening::default(),
            face_match: None,
            liveness: None,
            risk: None,
            decision: None,
            resubmit: vec![],
            attempts: 0,
            verifying_since: None,
            review: None,
            checks_asked: 0,
            vendor: None,
            vendor_required: false,
            validity: None,
            renewal: None,
            settled: vec![],
        };
        Self { id: KycCaseId::of(&client_id), client_id, due: None, facts, inner: CasePrivate::default() }
    }

    /// Its next version, to be changed.
    pub(super) fn onward(&self) -> Self {
        let mut next = self.clone();
        // what the version before made moot is closed by that one
        next.facts.settled.clear();
        next
    }

    /// When it must be looked at although nothing comes: the earliest of the reasons that it has.
    pub(super) fn next_due(&self, rules: &Kyc, now: Timestamp) -> Option<Timestamp> {
        let checks = self.is_checking().then(|| now.plus(rules.check_again_after));
        [checks, self.validity_due(rules, now)].into_iter().flatten().min()
    }

    /// Why the client may not begin another document, if so.
    pub fn too_many(&self) -> Option<String> {
        let of = |status: DocumentStatus| self.facts.documents.iter().filter(move |known| known.status == status);
        let awaited = of(DocumentStatus::AwaitingUpload).count();
        if awaited >= AWAITED_MAX {
            return Some(format!("{awaited} documents wait for their upload: send those first"));
        }
        let all = self.facts.documents.len();
        (all >= DOCUMENTS_MAX && of(DocumentStatus::Accepted).count() >= DOCUMENTS_MAX / 2)
            .then(|| format!("the client has sent {all} documents and may send no more"))
    }

    /// Takes over what a document has become.
    ///
    /// # Errors
    /// [`RuleError`] when the case could be decided and a rule cannot be judged.
    pub fn absorb(
        &self,
        document: &KycDocument,
        client: &Client,
        rules: CaseRules<'_>,
        now: Timestamp,
    ) -> Result<Verdict<Self>, RuleError> {
        if document.client_id != self.client_id {
            return Ok(Verdict::Nothing("it is another client's document"));
        }
        let mut seen = CaseDocument::of(document);
        let before = self.facts.documents.iter().find(|known| known.document_id == seen.document_id);
        seen.replaced = before.is_some_and(|before| before.replaced);
        if before == Some(&seen) {
            return Ok(Verdict::Nothing("the case knows it"));
        }
        let mut next = self.onward();
        let mut why = vec![format!("{} {}: {}", seen.kind, seen.document_id, seen.status)];
        next.take_in(seen);
        if document.facts.kind.is_identity() && document.inner.extracted.is_some() {
            next.inner.extracted.clone_from(&document.inner.extracted);
        }
        let extracted = &next.inner.extracted;
        let names = extracted.as_ref().and_then(Extracted::full_name).is_some();
        let stands = matches!(self.facts.status, KycStatus::Approved | KycStatus::Expired) && !self.is_checking();
        let mut again = !stands && names && *extracted != self.inner.extracted && next.screen_again(&mut why);
        again |= next.face_state() == FaceState::Pending && next.face_pair() != self.face_pair();
        let mut verdict = next.settled("document", why, client, rules, now)?;
        if let Verdict::Change(decision) = &mut verdict
            && again
            && decision.next.is_checking()
            && !decision.events.contains(&"kyc.verifying")
        {
            decision.events.push("kyc.verifying");
        }
        Ok(verdict)
    }

    /// Who was screened under the declared name alone is screened again now that a document names the client; whether that is so.
    fn screen_again(&mut self, why: &mut Vec<String>) -> bool {
        match self.facts.screening.state {
            ScreeningState::Clear | ScreeningState::Hits => {
                self.facts.screening.state = ScreeningState::Pending;
                why.push("to be screened again, under the name on the document too".to_owned());
                true
            }
            // it is yet to come, and reads what is there then
            ScreeningState::Pending | ScreeningState::Failed => false,
        }
    }

    fn take_in(&mut self, seen: CaseDocument) {
        match self.facts.documents.iter_mut().find(|known| known.document_id == seen.document_id) {
            Some(known) => *known = seen,
            None => self.facts.documents.push(seen),
        }
        // ids are in the order of time
        self.facts.documents.sort_by(|a, b| a.document_id.cmp(&b.document_id));
        while self.facts.documents.len() > DOCUMENTS_MAX {
            let useless = self.facts.documents.iter().position(|known| known.status != DocumentStatus::Accepted);
            self.facts.documents.remove(useless.unwrap_or(0));
        }
    }

    /// Whether it takes a declaration of the client's: until it is with a person or decided, and then what it knows already.
    pub fn takes(&self, declaration: &Declaration) -> bool {
        match self.facts.status {
            KycStatus::NotStarted | KycStatus::Collecting | KycStatus::Verifying => true,
            KycStatus::InReview | KycStatus::Approved | KycStatus::Rejected | KycStatus::Expired => {
                self.facts.declaration.as_ref().is_some_and(|known| known.says_the_same(declaration))
            }
        }
    }

    /// Takes the client's declaration.
    ///
    /// # Errors
    /// [`RuleError`] when the case could be decided and a rule cannot be judged.
    pub fn declared(
        &self,
        declared: Declared,
        client: &Client,
        rules: CaseRules<'_>,
        now: Timestamp,
    ) -> Result<Verdict<Self>, RuleError> {
        let (declaration, occupation) = declared;
        if !self.takes(&declaration) {
            return Ok(Verdict::Nothing("the case is decided or with a person"));
        }
        let same = self.facts.declaration.as_ref().is_some_and(|known| known.says_the_same(&declaration));
        if same && self.inner.occupation == occupation {
            return Ok(Verdict::Nothing("it was declared before"));
        }
        let mut next = self.onward();
        let pep = if declaration.pep { "politically exposed" } else { "not politically exposed" };
        let why = vec![format!("declared: {}, {pep}", declaration.source_of_funds)];
        next.facts.declaration = Some(declaration);
        next.inner.occupation = occupation;
        next.settled("declared", why, client, rules, now)
    }

    /// Takes what the screening came to.
    ///
    /// # Errors
    /// [`RuleError`] when the case could be decided and a rule cannot be judged.
    pub fn screened(
        &self,
        screened: &Screened,
        client: &Client,
        rules: CaseRules<'_>,
        now: Timestamp,
    ) -> Result<Verdict<Self>, RuleError> {
        if !self.is_checking() {
            return Ok(Verdict::Nothing("the case is not being verified"));
        }
        let mut next = self.onward();
        let why = next.note(screened);
        if matches!(screened, Screened::Done { .. }) && next.facts.screening == self.facts.screening {
            return Ok(Verdict::Nothing("it was screened so before"));
        }
        next.settled("screened", why, client, rules, now)
    }

    fn note(&mut self, screened: &Screened) -> Vec<String> {
        match screened {
            Screened::Done { list_version, client, hits } => {
                let (cleared, hits): (Vec<_>, Vec<_>) =
                    hits.iter().cloned().partition(|(hit, _)| self.clearance_of(hit, client).is_some());
                let state = if hits.is_empty() { ScreeningState::Clear } else { ScreeningState::Hits };
                let mut why = vec![format!("screened against lists {list_version}: {state}")];
                why.extend(hits.iter().map(|(hit, _)| {
                    format!("{} {} score {}, date of birth {}", hit.list, hit.entity_id, hit.score, hit.date_of_birth)
                }));
                let clearances = cleared.iter().filter_map(|(hit, _)| self.clearance_of(hit, client));
                why.extend(clearances.map(Clearance::why));
                let list_version = Some(list_version.clone());
                self.inner.screened_as = Some(client.clone());
                self.inner.why_hit = hits.iter().map(|(_, why)| why.clone()).collect();
                let only_hits = |of: Vec<(Hit, Redacted<String>)>| of.into_iter().map(|(hit, _)| hit).collect();
                self.facts.screening =
                    Screening { state, list_version, hits: only_hits(hits), cleared: only_hits(cleared) };
                why
            }
            Screened::Failed(what) => {
                let list_version = self.facts.screening.list_version.clone();
                self.facts.screening =
                    Screening { state: ScreeningState::Failed, list_version, ..Screening::default() };
                vec![format!("screening failed: {what}")]
            }
        }
    }
}

impl Entity for KycCase {
    type Id = KycCaseId;
    type Table = InCrm;
    type Public = CaseFacts;
    type Private = CasePrivate;
    const KIND: &'static str = "kyc";
    const TIMED: bool = true;

    fn id(&self) -> &KycCaseId {
        &self.id
    }

    fn client(&self) -> Option<&ClientId> {
        Some(&self.client_id)
    }

    fn due(&self) -> Option<Timestamp> {
        self.due
    }

    fn public(&self) -> &CaseFacts {
        &self.facts
    }

    fn private(&self) -> &CasePrivate {
        &self.inner
    }

    fn from_parts(parts: Parts<Self>) -> Result<Self, ReadError> {
        Ok(Self { client_id: parts.owner()?, id: parts.id, due: parts.due, facts: parts.public, inner: parts.private })
    }
}
