//! Whether a client may still have an account that is about to be created. Between wish and creation lie seconds, or the hours for which
//! a trading server was away: what let the client have it may have been taken back since.

use serde::{Deserialize, Serialize};

use super::rules::OpeningTrigger;
use super::{Account, AccountStatus, GRACE};
use crate::Timestamp;
use crate::decision::{Decision, Verdict};
use crate::input::Fault;
use crate::kyc::levels::Level;
use crate::kyc::{KycCase, KycStatus};
use crate::work::rules::WorkKind;

/// Why an account was not created in the end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// In a word.
    pub code: String,
    /// And in some more.
    pub reason: String,
}

impl Account {
    /// Why the client may not have the account as his case stands now; `level` is his level of verification, where that binds anybody.
    /// What opens by an approval needs it still, whatever its kind; a client who was rejected gets no live account whoever asked for it.
    pub fn not_due(&self, case: Option<&KycCase>, level: Option<&Level>) -> Option<Fault> {
        let status = case.map_or(KycStatus::NotStarted, |case| case.facts.status);
        let message = match self.inner.opened_by {
            Some(OpeningTrigger::KycApproved) if status != KycStatus::Approved => "the client is not approved any more",
            _ if status == KycStatus::Rejected && self.takes_money() => "the client was rejected",
            Some(OpeningTrigger::KycApproved | OpeningTrigger::Registered) | None => {
                return level.and_then(|level| level.refuses_account(self));
            }
        };
        Some(Fault::new("", "no_longer_approved", message))
    }

    /// It is not created: the client may not have it any more. Nothing of it can be on the platform, or still come to be there. A person
    /// is asked about it only where the rules want that.
    pub fn refused(&self, fault: &Fault, asks: bool, now: Timestamp) -> Verdict<Self> {
        let is_wanted = match self.facts.status {
            AccountStatus::Requested => true,
            AccountStatus::Creating | AccountStatus::Unknown => self.facts.review.is_none() && self.grace_over(now),
            AccountStatus::Open | AccountStatus::Failed | AccountStatus::Closed => false,
        };
        if !is_wanted {
            return Verdict::Nothing("it is not to be created now");
        }
        let mut next = self.clone();
        next.due = None;
        next.facts.status = AccountStatus::Failed;
        next.facts.refused = Some(Refusal { code: fault.code.to_owned(), reason: fault.message.clone() });
        next.inner.sealed = None;
        next.inner.attempted = None;
        let mut events = vec!["account.refused"];
        if asks {
            next.facts.review = Some(WorkKind::AccountCreationRefused.as_str().to_owned());
            next.inner.asked = Some(now);
            events.insert(0, "account.needs_review");
        }
        Verdict::change(next, "refused", events, vec![format!("{}: {}", fault.code, fault.message)])
    }

    /// Whether it opens after all when its rule wants it again: it was refused, and nobody is asked about it.
    pub(super) fn opens_after_all(&self) -> bool {
        self.facts.status == AccountStatus::Failed && self.facts.refused.is_some() && self.facts.review.is_none()
    }

    /// It was refused, and the rules want it again now: the client was approved after all.
    pub(super) fn requested_after_all(&self, why: Vec<String>, now: Timestamp) -> Decision<Self> {
        let mut next = self.clone();
        next.facts.status = AccountStatus::Requested;
        next.facts.refused = None;
        next.inner.retried = Some(now);
        next.due = Some(now.plus(GRACE));
        Decision::new(next, "requested", vec!["account.requested"], why)
    }
}

#[cfg(test)]
mod tests;
