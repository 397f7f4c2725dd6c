//! What a vendor has sent by itself, kept under the vendor's own id of it before anything follows: so it can come twice and is acted
//! on once, and nothing of it is lost while the vendor is not there to be asked.

use serde::{Deserialize, Serialize};

use super::{Said, VendorWord, code, codes, texts};
use crate::decision::{Decision, Verdict, derived_bits};
use crate::entity::{Entity, InCrm, Parts, ReadError};
use crate::kyc::rules::IdentityVendor;
use crate::words::words;
use crate::{ClientId, KycNoticeId, Redacted, Timestamp};

words! {
    /// What became of a notice.
    NoticeStatus {
        /// It is being acted on, or was.
        Heard = "heard",
        /// It is about nobody whom we have a check of.
        Unknown = "unknown",
    }
}

/// The public part of a notice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoticeFacts {
    /// Whose.
    pub vendor: IdentityVendor,
    /// The vendor's id of the check.
    pub reference: String,
    /// The vendor's word for the event.
    pub kind: String,
    /// When it was so, by the vendor's clock; absent where the vendor does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
    /// What it says; absent where only the vendor's answer tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub says: Option<VendorWord>,
    /// Its codes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub labels: Vec<String>,
    /// What became of it.
    pub status: NoticeStatus,
}

/// The private part of a notice.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct NoticePrivate {
    /// What the vendor has the client told.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub for_client: Vec<Redacted<String>>,
}

/// A notice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VendorNotice {
    /// Its id, derived from the vendor's.
    pub id: KycNoticeId,
    /// Our client, where the vendor says whom it is about.
    pub client_id: Option<ClientId>,
    /// What events carry.
    pub facts: NoticeFacts,
    /// What they do not.
    pub inner: NoticePrivate,
}

impl VendorNotice {
    /// A delivery that is taken; `event_id` is the same for each delivery of it. `word` is what it says, if its signature covers that.
    pub fn taken(
        event_id: &str,
        client_id: Option<ClientId>,
        kind: &str,
        word: Option<VendorWord>,
        said: &Said,
    ) -> Decision<Self> {
        let facts = NoticeFacts {
            vendor: said.vendor,
            reference: said.reference.clone(),
            kind: code(kind),
            at: Some(said.at).filter(|at| *at != Timestamp::EPOCH),
            says: word,
            labels: codes(&said.labels),
            status: NoticeStatus::Heard,
        };
        let why = vec![format!("{} tells of {}", facts.vendor, facts.kind)];
        let id = KycNoticeId::from_bits(derived_bits(Timestamp::EPOCH, &[said.vendor.as_str(), event_id]));
        let inner = NoticePrivate { for_client: texts(&said.for_client) };
        Decision::new(Self { id, client_id, facts, inner }, "heard", vec!["kyc_notice.heard"], why)
    }

    /// What it says; `None` where the vendor has to be asked.
    pub fn said(&self) -> Option<Said> {
        Some(Said {
            vendor: self.facts.vendor,
            reference: self.facts.reference.clone(),
            word: self.facts.says?,
            labels: self.facts.labels.clone(),
            for_client: self.inner.for_client.clone(),
            at: self.facts.at.unwrap_or(Timestamp::EPOCH),
            asked: false,
        })
    }

    /// It has come again. What has no time cannot be told from something new that is said in the same words: the vendor is asked again.
    pub fn heard_again(&self) -> Verdict<Self> {
        if self.facts.at.is_some() || self.facts.says.is_some() {
            return Verdict::Nothing("it was taken before");
        }
        let why = vec![format!("{} tells of {} again", self.facts.vendor, self.facts.kind)];
        Verdict::change(self.clone(), "heard_again", vec!["kyc_notice.heard"], why)
    }

    /// Nobody of ours is meant.
    pub fn about_nobody(&self) -> Verdict<Self> {
        if self.facts.status == NoticeStatus::Unknown {
            return Verdict::Nothing("that is known");
        }
        let mut next = self.clone();
        next.facts.status = NoticeStatus::Unknown;
        Verdict::change(next, "unknown_applicant", vec![], vec!["no check of ours is meant".to_owned()])
    }
}

impl Entity for VendorNotice {
    type Id = KycNoticeId;
    type Table = InCrm;
    type Public = NoticeFacts;
    type Private = NoticePrivate;
    const KIND: &'static str = "kyc_notice";

    fn id(&self) -> &KycNoticeId {
        &self.id
    }

    fn client(&self) -> Option<&ClientId> {
        self.client_id.as_ref()
    }

    fn public(&self) -> &NoticeFacts {
        &self.facts
    }

    fn private(&self) -> &NoticePrivate {
        &self.inner
    }

    fn from_parts(parts: Parts<Self>) -> Result<Self, ReadError> {
        Ok(Self { client_id: parts.client, id: parts.id, facts: parts.public, inner: parts.private })
    }
}
