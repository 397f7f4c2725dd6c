//! What the client is to do next.

use serde::Serialize;

use super::case::KycCase;
use super::document::{DocumentKind, DocumentStatus, Side};
use super::rules::{IdentityVendor, Kyc};
use super::{KycStatus, UploadFault};
use crate::{DocumentId, Redacted};

/// One thing that the client is to do, or to know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "step", rename_all = "snake_case")]
pub enum NextStep {
    /// Upload one of these.
    UploadDocument {
        /// The kinds of which one is enough.
        any_of: Vec<DocumentKind>,
        /// Kinds of which both sides are needed.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        both_sides: Vec<DocumentKind>,
        /// Why another one is needed, if one was sent.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        reasons: Vec<String>,
    },
    /// Upload what was asked for, and submit it.
    SubmitDocument {
        /// Which.
        document_id: DocumentId,
        /// What it is.
        kind: DocumentKind,
        /// Which side.
        #[serde(skip_serializing_if = "Option::is_none")]
        side: Option<Side>,
    },
    /// Go to the vendor that verifies identities: the portal asks for the link when the client wants to go there.
    VerifyIdentity {
        /// At whom.
        vendor: IdentityVendor,
        /// Whether the case is not decided without it; else it does instead of a document that says who the client is.
        required: bool,
        /// What the vendor wants done otherwise this time, in its own words.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        messages: Vec<Redacted<String>>,
    },
    /// Send the declaration.
    SubmitDeclaration,
    /// Show that somebody alive is there.
    CheckLiveness,
    /// Nothing: we are at it.
    Wait,
}

impl KycCase {
    /// What the client is to do next.
    pub fn next_steps(&self, rules: &Kyc) -> Vec<NextStep> {
        match self.facts.status {
            KycStatus::Verifying | KycStatus::InReview => vec![NextStep::Wait],
            KycStatus::Approved | KycStatus::Expired if self.facts.renewal.is_some() => vec![NextStep::Wait],
            KycStatus::Approved if self.is_to_renew() => self.wanted(rules),
            KycStatus::Approved | KycStatus::Rejected => vec![],
            KycStatus::NotStarted | KycStatus::Collecting | KycStatus::Expired => self.wanted(rules),
        }
    }

    fn wanted(&self, rules: &Kyc) -> Vec<NextStep> {
        let open = self.facts.documents.iter().filter(|known| known.status == DocumentStatus::AwaitingUpload);
        let mut steps: Vec<NextStep> = open
            .map(|known| NextStep::SubmitDocument {
                document_id: known.document_id.clone(),
                kind: known.kind,
                side: known.side,
            })
            .collect();
        steps.extend(self.missing(rules).into_iter().map(|any_of| NextStep::UploadDocument {
            any_of: any_of.to_vec(),
            both_sides: any_of.iter().copied().filter(|kind| rules.both_sides.contains(kind)).collect(),
            reasons: self.reasons_for(any_of),
        }));
        if self.facts.declaration.is_none() {
            steps.push(NextStep::SubmitDeclaration);
        }
        if self.lacks_liveness(rules) {
            steps.push(NextStep::CheckLiveness);
        }
        steps.extend(self.at_the_vendor(rules));
        steps
    }

    /// Going to the vendor, where that is of use.
    fn at_the_vendor(&self, rules: &Kyc) -> Option<NextStep> {
        let vendor = self.facts.vendor.as_ref().filter(|vendor| vendor.state.is_clients_turn())?;
        let missing = self.missing(rules);
        let of_use = self.facts.vendor_required || missing.iter().any(|any_of| any_of.iter().all(|k| k.is_identity()));
        of_use.then(|| NextStep::VerifyIdentity {
            vendor: vendor.name,
            required: self.facts.vendor_required,
            messages: self.inner.vendor_says.clone(),
        })
    }

    /// Why what was sent of these kinds is not enough.
    fn reasons_for(&self, any_of: &[DocumentKind]) -> Vec<String> {
        let of = |id: &DocumentId| self.facts.documents.iter().find(|known| known.document_id == *id);
        let asked = self
            .facts
            .resubmit
            .iter()
            .filter(|asked| of(&asked.document_id).is_some_and(|known| any_of.contains(&known.kind)));
        let mut reasons: Vec<String> = asked.map(|asked| asked.reason.clone()).collect();
        let newest = self.facts.documents.iter().rev().find(|known| any_of.contains(&known.kind));
        if let Some(rejected) = newest.filter(|known| known.status == DocumentStatus::Rejected) {
            reasons.extend(rejected.reasons.iter().map(|reason: &UploadFault| reason.as_str().to_owned()));
        }
        reasons.dedup();
        reasons
    }
}

impl Kyc {
    /// What a client without a case is to do.
    pub fn first_steps(&self) -> Vec<NextStep> {
        let rules = self;
        let upload = |any_of: &Vec<DocumentKind>| NextStep::UploadDocument {
            any_of: any_of.clone(),
            both_sides: any_of.iter().copied().filter(|kind| rules.both_sides.contains(kind)).collect(),
            reasons: vec![],
        };
        let uploads = rules.requires.iter().map(|requirement| upload(&requirement.any_of));
        let live = rules.faces.liveness_required.then_some(NextStep::CheckLiveness);
        uploads.chain([NextStep::SubmitDeclaration]).chain(live).collect()
    }
}
