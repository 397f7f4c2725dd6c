//! KYC: what a client uploads and declares, what checks say about it, and the decision that follows.

pub mod case;
pub mod clearance;
pub mod decide;
pub mod declaration;
pub mod document;
pub mod expiry;
pub mod faces;
pub mod inquiry;
pub mod levels;
pub mod rescreening;
pub mod rules;
mod steps;
pub mod vendor;
pub mod watch_list;

pub use case::{CaseDocument, CaseFacts, CasePrivate, Hit, KycCase, RiskFacts, Screening, ScreeningState};
pub use declaration::{Declaration, SourceOfFunds};
pub use document::{
    Checked, DocumentFacts, DocumentKind, DocumentPrivate, DocumentStatus, Extracted, Finding, KycDocument, Reading,
    Side, UploadFault,
};
pub use faces::{FaceMatch, FaceState, LivenessCheck, LivenessState};
pub use steps::NextStep;

use crate::words::words;

words! {
    /// Where a client's KYC case stands (API.md).
    KycStatus {
        /// Nothing was asked for yet.
        NotStarted = "not_started",
        /// Documents or the declaration are missing.
        Collecting = "collecting",
        /// All is there and being checked.
        Verifying = "verifying",
        /// A person decides.
        InReview = "in_review",
        /// Passed.
        Approved = "approved",
        /// Refused.
        Rejected = "rejected",
        /// Was approved; a document has expired since and the rules ask for a new one.
        Expired = "expired",
    }
}

words! {
    /// What became of a case.
    KycOutcome {
        /// The client may trade.
        Approve = "approve",
        /// A person decides.
        Review = "review",
        /// The client is refused.
        Reject = "reject",
    }
}
