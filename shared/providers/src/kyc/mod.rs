//! Vendors that verify who a client is: opening a check, asking where it stands, and reading what they send by themselves.
//!
//! What each event says and what follows stands in `statements.md`. An event carries an outcome only where the vendor's signature
//! covers all of it; everything else is fetched, from an address that is made here and never from one that came in a message. Whether
//! a refusal is one for good is what the vendor says in its own member for that, never what a label sounds like.

use std::fmt;
use std::str::FromStr;

use ::http::HeaderMap;
use domain::input::Fault;
use domain::{ClientId, Redacted, Seconds, Timestamp};
use url::Url;

use crate::Disposition;
use crate::http::{BoxFuture, TransportError};

pub mod aws;
mod call;
pub mod faces;
pub mod onfido;
pub mod rekognition;
mod signature;
mod statements;
pub mod sumsub;
pub mod textract;
mod vendor;
pub mod veriff;

pub use vendor::{Algorithm, Settings, SettingsError, vendor};

/// One vendor of identity checks.
pub trait KycVendor: Send + Sync {
    /// Opens a check, or finds the one that was opened before: what is begun twice under one id of ours is one applicant. Where the
    /// vendor cannot be asked for our id, the second is one that nobody was sent to; see the vendor's module.
    ///
    /// # Errors
    /// [`VendorError`].
    fn start<'a>(&'a self, applicant: &'a Applicant, check: &'a CheckId)
    -> BoxFuture<'a, Result<Started, VendorError>>;

    /// Asks where a check stands; `None` where the vendor knows no such reference.
    ///
    /// # Errors
    /// [`VendorError`].
    fn fetch<'a>(&'a self, reference: &'a str) -> BoxFuture<'a, Result<Option<Verdict>, VendorError>>;

    /// Checks and reads a delivery. The signature is checked over the bytes as they came, before anything else.
    ///
    /// # Errors
    /// [`Refused`].
    fn verify(&self, headers: &HeaderMap, body: &[u8]) -> Result<Event, Refused>;
}

/// Our id of whom or what is checked. The vendor keeps it (`externalUserId`, `customer_user_id`, `vendorData`) and gives it back.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct CheckId(String);

/// Why a text is not an id of a check.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not 1 to 100 letters, digits, `_` or `-`")]
pub struct CheckIdError;

impl CheckId {
    /// The id.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for CheckId {
    type Err = CheckIdError;

    fn from_str(text: &str) -> Result<Self, CheckIdError> {
        const CHARS_MAX: usize = 100;
        // it stands in paths and queries as it is
        let plain = text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
        if text.is_empty() || text.len() > CHARS_MAX || !plain {
            return Err(CheckIdError);
        }
        Ok(Self(text.to_owned()))
    }
}

impl From<&ClientId> for CheckId {
    fn from(id: &ClientId) -> Self {
        Self(id.as_str().to_owned())
    }
}

impl fmt::Display for CheckId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Who is checked, as the client declared it.
#[derive(Debug, Clone)]
pub struct Applicant {
    /// The whole name in the order in which the client writes it.
    pub full_name: Redacted<String>,
    /// `YYYY-MM-DD`.
    pub date_of_birth: Option<Redacted<String>>,
    /// Where the vendor may write to.
    pub email: Option<Redacted<String>>,
    /// In international form.
    pub phone: Option<Redacted<String>>,
    /// BCP 47 language of the vendor's pages.
    pub language: String,
}

impl Applicant {
    /// First and last name for vendors that want two. The last word is taken for the last name; a name of one word is both, for no
    /// vendor takes an empty one.
    pub(crate) fn two_names(&self) -> (String, String) {
        let words: Vec<&str> = self.full_name.reveal().split_whitespace().collect();
        match words.split_last() {
            Some((last, [])) => ((*last).to_owned(), (*last).to_owned()),
            Some((last, first)) => (first.join(" "), (*last).to_owned()),
            None => (String::new(), String::new()),
        }
    }
}

/// An opened check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Started {
    /// The vendor's id of it; what [`KycVendor::fetch`] takes.
    pub reference: String,
    /// Where the client goes. It is as good as a password: for the client alone.
    pub link: Option<Url>,
}

/// What a vendor has decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Nothing yet: the client or the vendor is at it.
    Pending,
    /// The client is who they say.
    Approved,
    /// Not this time; the client may try again.
    Retry {
        /// The vendor's texts that are meant for the client.
        for_client: Vec<Redacted<String>>,
        /// The vendor's codes.
        labels: Vec<Label>,
    },
    /// Refused for good.
    Final {
        /// The vendor's codes.
        labels: Vec<Label>,
    },
    /// Undecided: a person has to look, the vendor's or ours.
    Review {
        /// The vendor's codes.
        labels: Vec<Label>,
    },
    /// The client did not come, or left, and the check is over; another one can be opened.
    Expired,
    /// What was decided before does not hold any more: the applicant begins anew or is gone.
    Revoked,
    /// The vendor could not do it; it says nothing about the client.
    Broken,
}

/// A vendor's code for a reason. The lists are open, so unknown ones are kept; whatever is no code in it is taken out, because labels
/// go where no free text may.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Label(String);

impl Label {
    /// Most labels that are kept of one verdict.
    pub(crate) const COUNT_MAX: usize = 50;

    /// A label of a vendor's text: letters, digits, `_`, `-`, `.` and `:` of ASCII stay, blanks become `_`.
    pub(crate) fn of(text: &str) -> Option<Self> {
        const CHARS_MAX: usize = 80;
        let kept = text.trim().chars().filter_map(|c| match c {
            'a'..='z' | 'A'..='Z' | '0'..='9' | '_' | '-' | '.' | ':' => Some(c),
            ' ' => Some('_'),
            _ => None,
        });
        let label: String = kept.take(CHARS_MAX).collect();
        (!label.is_empty()).then_some(Self(label))
    }

    /// The code.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Where a check stands, as the vendor says when asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// The vendor's id, the one that was asked for.
    pub reference: String,
    /// Our id, where the vendor has it.
    pub ours: Option<CheckId>,
    /// What it says.
    pub outcome: Outcome,
    /// When it said so, by the vendor's clock: later than every event that the answer knows of, to a second.
    pub at: Timestamp,
}

/// What a delivery says; all of it is covered by the signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// The same for each delivery of the same statement, and for no other one.
    pub id: String,
    /// The vendor's id of the check; empty where the event is about none.
    pub reference: String,
    /// Our id, where the vendor gives it and it can be one.
    pub ours: Option<CheckId>,
    /// The vendor's word for the event.
    pub kind: String,
    /// When it was so, by the vendor's clock, for the order of events; [`Timestamp::EPOCH`] where the vendor does not say.
    pub at: Timestamp,
    /// What follows.
    pub says: Says,
}

/// What follows from an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Says {
    /// This is so.
    Outcome(Outcome),
    /// Something changed, and only the vendor's answer tells what: [`KycVendor::fetch`].
    Fetch,
    /// Nothing that concerns a check of ours, and why.
    Nothing(&'static str),
}

/// Why a vendor did not do as asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VendorError {
    /// The vendor understood and will not. Its own words are not kept: vendors echo input in them.
    #[error("vendor refused with `{0}`")]
    Refused(String),
    /// Not reached, busy or no answer. Safe to repeat.
    #[error("vendor is unavailable: {why}")]
    Unavailable {
        /// What happened.
        why: String,
        /// How long the vendor asks to wait.
        retry_after: Option<Seconds>,
    },
    /// It answered something that cannot be read; what it did is not known.
    #[error("vendor's answer cannot be read: {0}")]
    Unknown(String),
    /// Credentials, permissions or settings are wrong.
    #[error("vendor is not set up: {0}")]
    Misconfigured(String),
}

impl VendorError {
    /// What to do about it.
    pub fn disposition(&self) -> Disposition {
        match self {
            Self::Refused(_) => Disposition::GiveUp,
            Self::Unavailable { .. } => Disposition::Retry,
            // whoever starts again looks up first
            Self::Unknown(_) => Disposition::LookUp,
            Self::Misconfigured(_) => Disposition::Hold,
        }
    }

    pub(crate) fn unavailable(why: impl Into<String>) -> Self {
        Self::Unavailable { why: why.into(), retry_after: None }
    }
}

impl From<TransportError> for VendorError {
    fn from(error: TransportError) -> Self {
        match error {
            TransportError::NotSent(_) | TransportError::Lost(_) => Self::unavailable(error.to_string()),
            TransportError::TooLarge => Self::Unknown(error.to_string()),
        }
    }
}

/// Why a delivery is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Not proven to come from the vendor. Nothing of it may be used or stored.
    #[error("signature is not accepted: {0}")]
    BadSignature(&'static str),
    /// From the vendor, and not what we understand.
    #[error("delivery cannot be read")]
    Malformed {
        /// Everything that is wrong with it.
        faults: Vec<Fault>,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(full_name: &str) -> Applicant {
        Applicant {
            full_name: Redacted::new(full_name.to_owned()),
            date_of_birth: None,
            email: None,
            phone: None,
            language: "en".to_owned(),
        }
    }

    #[test]
    fn a_name_is_two_names_and_never_an_empty_one() {
        let cases = [
            ("Ana López", ("Ana", "López")),
            ("  Ana  María   López ", ("Ana María", "López")),
            ("Sukarno", ("Sukarno", "Sukarno")),
            ("王小明", ("王小明", "王小明")),
        ];
        for (name, (first, last)) in cases {
            assert_eq!(named(name).two_names(), (first.to_owned(), last.to_owned()));
        }
    }

    #[test]
    fn a_label_keeps_unknown_codes_and_no_free_text() {
        for (text, label) in [
            ("FORGERY", "FORGERY"),
            (" new-Label.2:x ", "new-Label.2:x"),
            ("Bad photo <b>", "Bad_photo_b"),
            ("106", "106"),
        ] {
            assert_eq!(Label::of(text).unwrap().as_str(), label);
        }
        assert_eq!(Label::of("  \u{202e}<>"), None);
        assert_eq!(Label::of(&"x".repeat(500)).unwrap().as_str().len(), 80);
    }

    #[test]
    fn an_id_of_a_check_can_stand_in_a_path() {
        assert_eq!("cli_0123-x".parse::<CheckId>().unwrap().as_str(), "cli_0123-x");
        let long = "x".repeat(101);
        for bad in ["", "a b", "a/b", "a;b=c", "é", "a?b", long.as_str()] {
            assert!(bad.parse::<CheckId>().is_err(), "{bad}");
        }
    }

    #[test]
    fn what_is_for_the_client_reaches_no_log() {
        let outcome = Outcome::Retry {
            for_client: vec![Redacted::new("Jane, your passport is too dark".to_owned())],
            labels: Vec::new(),
        };
        assert!(!format!("{outcome:?}").contains("Jane"));
    }
}
