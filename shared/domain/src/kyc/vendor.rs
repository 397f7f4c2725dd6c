//! A client's identity check at a vendor: an entity of its own beside the case, as a document is. It goes on while the case is
//! decided, has a time of its own, and keeps the link that only the client may have out of everything that the case is part of.

mod advance;
mod case;
mod hear;
mod notice;

pub use advance::{NotStarted, Opened, Todo};
pub(super) use case::VendorNeed;
pub use case::{CaseVendor, VendorStanding};
pub use hear::Said;
pub use notice::{NoticeFacts, NoticePrivate, NoticeStatus, VendorNotice};

use serde::{Deserialize, Serialize};

use super::rules::IdentityVendor;
use crate::entity::{Entity, InCrm, Parts, ReadError};
use crate::words::words;
use crate::{ClientId, KycCheckId, Redacted, Seconds, Timestamp};

/// How long after an intent its call may still reach the vendor.
pub const GRACE: Seconds = crate::payment::GRACE;
/// Codes that are kept of one statement.
const LABELS_MAX: usize = 50;
const CODE_CHARS_MAX: usize = 80;
const TEXT_CHARS_MAX: usize = 1_000;
const TEXTS_MAX: usize = 10;

words! {
    /// What a vendor says of a check.
    VendorWord {
        /// Nothing yet.
        Pending = "pending",
        /// The client is who they say.
        Approved = "approved",
        /// Not this time; the client may try again.
        Retry = "retry",
        /// Refused for good.
        Final = "final",
        /// A person has to look.
        Review = "review",
        /// Over without a result.
        Expired = "expired",
        /// What was said before does not hold any more.
        Revoked = "revoked",
        /// The vendor could not do it.
        Broken = "broken",
    }
}

words! {
    /// Where a check stands.
    CheckState {
        /// It is to be opened at the vendor, or being opened.
        Starting = "starting",
        /// The client or the vendor is at it.
        Pending = "pending",
        /// Passed.
        Approved = "approved",
        /// Not passed; the client may try again.
        Retry = "retry",
        /// Refused for good.
        Final = "final",
        /// A person of the vendor looks, or should.
        Review = "review",
        /// Over without a result.
        Expired = "expired",
        /// Passed once; it does not hold any more.
        Revoked = "revoked",
        /// No vendor of the chain could open it.
        Unavailable = "unavailable",
    }
}

impl CheckState {
    /// Whether the client is to go to the vendor.
    pub const fn is_clients_turn(self) -> bool {
        match self {
            Self::Pending | Self::Retry | Self::Revoked | Self::Expired => true,
            Self::Starting | Self::Approved | Self::Final | Self::Review | Self::Unavailable => false,
        }
    }

    /// Whether the client has a check at the vendor to go on with.
    pub const fn is_open(self) -> bool {
        match self {
            Self::Pending | Self::Retry | Self::Revoked => true,
            Self::Starting | Self::Approved | Self::Final | Self::Review | Self::Expired | Self::Unavailable => false,
        }
    }

    /// Whether its vendor may still say something else without anybody asking for it: then it is asked from time to time.
    const fn is_asked_about(self) -> bool {
        match self {
            Self::Pending | Self::Retry | Self::Revoked | Self::Review => true,
            Self::Starting | Self::Approved | Self::Final | Self::Expired | Self::Unavailable => false,
        }
    }
}

/// A vendor that could not open a check, or not end it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tried {
    /// Which.
    pub vendor: IdentityVendor,
    /// Why, as a code.
    pub why: String,
    /// When it was left.
    pub at: Timestamp,
}

/// The public part of a check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckFacts {
    /// Where it stands.
    pub state: CheckState,
    /// At which vendor.
    pub vendor: IdentityVendor,
    /// The vendor's id of it (of the applicant, run or session), once it is opened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// Since when it stands so.
    pub since: Timestamp,
    /// When the vendor said so, by its own clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub said_at: Option<Timestamp>,
    /// The vendor's codes for it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub labels: Vec<String>,
    /// The vendors that it has left.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tried: Vec<Tried>,
    /// How often the case has asked for it.
    pub round: u32,
    /// Attempts to open it, or to ask about it, that failed in a row.
    #[serde(default)]
    pub failed: u32,
    /// How often the vendor was asked since it stands so.
    #[serde(default)]
    pub polls: u32,
    /// Since when a call is under way that opens it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calling: Option<Timestamp>,
    /// Its vendor has told something while it was not yet known where it is: it is asked as soon as that is known.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub ask_at_once: bool,
}

/// The private part of a check.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct CheckPrivate {
    /// Where the client goes; as good as a password.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<Redacted<String>>,
    /// Until when that is good.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link_until: Option<Timestamp>,
    /// What the vendor has the client told.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub for_client: Vec<Redacted<String>>,
}

/// A client's check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VendorCheck {
    /// Its id, [`KycCheckId::of`] the client's.
    pub id: KycCheckId,
    /// Whose it is.
    pub client_id: ClientId,
    /// When it is tried again to open it, or its vendor is asked.
    pub due: Option<Timestamp>,
    /// What events carry.
    pub facts: CheckFacts,
    /// What they do not.
    pub inner: CheckPrivate,
}

/// A vendor's word for something, with nothing in it that is no code: it goes where no free text may.
pub fn code(text: &str) -> String {
    let kept = text.trim().chars().filter(|c| c.is_ascii_alphanumeric() || "_-.:".contains(*c));
    kept.take(CODE_CHARS_MAX).collect()
}

fn codes(labels: &[String]) -> Vec<String> {
    labels.iter().map(|label| code(label)).filter(|label| !label.is_empty()).take(LABELS_MAX).collect()
}

fn texts(for_client: &[Redacted<String>]) -> Vec<Redacted<String>> {
    let cut = |text: &Redacted<String>| Redacted::new(text.reveal().chars().take(TEXT_CHARS_MAX).collect());
    for_client.iter().take(TEXTS_MAX).map(cut).collect()
}

impl Entity for VendorCheck {
    type Id = KycCheckId;
    type Table = InCrm;
    type Public = CheckFacts;
    type Private = CheckPrivate;
    const KIND: &'static str = "kyc_check";
    const TIMED: bool = true;

    fn id(&self) -> &KycCheckId {
        &self.id
    }

    fn client(&self) -> Option<&ClientId> {
        Some(&self.client_id)
    }

    fn due(&self) -> Option<Timestamp> {
        self.due
    }

    fn public(&self) -> &CheckFacts {
        &self.facts
    }

    fn private(&self) -> &CheckPrivate {
        &self.inner
    }

    fn from_parts(parts: Parts<Self>) -> Result<Self, ReadError> {
        Ok(Self { client_id: parts.owner()?, id: parts.id, due: parts.due, facts: parts.public, inner: parts.private })
    }
}
