//! What a vendor's check is to the case: when it asks for one, whether it waits for the result, and what follows from it.

use serde::{Deserialize, Serialize};

use super::{CheckState, Tried, VendorCheck};
use crate::Timestamp;
use crate::client::Client;
use crate::decision::Verdict;
use crate::kyc::case::CaseRules;
use crate::kyc::rules::{CheckSubject, IdentityVendor};
use crate::kyc::{Finding, KycCase, KycStatus, NextStep};
use crate::rules::RuleError;
use crate::words::words;
use crate::work::Review;
use crate::work::rules::WorkKind;

words! {
    /// How a vendor's check stands, as rules and answers say it.
    VendorStanding {
        /// None was asked for.
        None = "none",
        /// No result yet.
        Pending = "pending",
        /// Passed.
        Approved = "approved",
        /// Not passed; the client may try again.
        Retry = "retry",
        /// Refused for good.
        Final = "final",
        /// Undecided: a person has to look.
        Review = "review",
        /// Over without a result.
        Expired = "expired",
        /// Passed once; it does not hold any more.
        Revoked = "revoked",
        /// No vendor could do it.
        Unavailable = "unavailable",
    }
}

/// A check as the case sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CaseVendor {
    /// Where it stands.
    pub state: CheckState,
    /// At which vendor.
    pub name: IdentityVendor,
    /// The vendor's id of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub applicant_id: Option<String>,
    /// Since when it stands so.
    pub since: Timestamp,
    /// The vendor's codes for it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub labels: Vec<String>,
    /// The vendors that it has left.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tried: Vec<Tried>,
    /// How often it was asked for.
    pub round: u32,
}

impl CaseVendor {
    fn of(check: &VendorCheck) -> Self {
        let facts = &check.facts;
        Self {
            state: facts.state,
            name: facts.vendor,
            applicant_id: facts.reference.clone(),
            since: facts.since,
            labels: facts.labels.clone(),
            tried: facts.tried.clone(),
            round: facts.round,
        }
    }
}

/// What a case that has all else does about the vendor's result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::kyc) enum VendorNeed {
    /// Nothing: it has one, or needs none.
    None,
    /// It waits: the client or the vendor is at it.
    Wait,
    /// A person decides: there is none to be had.
    Person,
}

impl KycCase {
    /// How the vendor's check stands.
    pub fn vendor_standing(&self) -> VendorStanding {
        match self.facts.vendor.as_ref().map(|vendor| vendor.state) {
            None => VendorStanding::None,
            Some(CheckState::Starting | CheckState::Pending) => VendorStanding::Pending,
            Some(CheckState::Approved) => VendorStanding::Approved,
            Some(CheckState::Retry) => VendorStanding::Retry,
            Some(CheckState::Final) => VendorStanding::Final,
            Some(CheckState::Review) => VendorStanding::Review,
            Some(CheckState::Expired) => VendorStanding::Expired,
            Some(CheckState::Revoked) => VendorStanding::Revoked,
            Some(CheckState::Unavailable) => VendorStanding::Unavailable,
        }
    }

    /// Whether a vendor says that the client is who they say.
    pub fn is_verified_by_vendor(&self) -> bool {
        self.vendor_standing() == VendorStanding::Approved
    }

    /// Whether a vendor has said yes, or no for good.
    pub(in crate::kyc) fn has_vendors_last_word(&self) -> bool {
        matches!(self.vendor_standing(), VendorStanding::Approved | VendorStanding::Final)
    }

    fn check_subject(&self, client: &Client, rules: CaseRules<'_>, now: Timestamp) -> CheckSubject {
        let declaration = self.facts.declaration.as_ref();
        let mut findings: Vec<Finding> =
            self.counting().iter().flat_map(|document| document.findings.iter().copied()).collect();
        findings.sort_unstable();
        findings.dedup();
        CheckSubject {
            residence: client.facts.residence,
            nationality: client.facts.nationality,
            age: client.age(now),
            source_of_funds: declaration.map(|declaration| declaration.source_of_funds),
            pep_declared: declaration.map(|declaration| declaration.pep),
            read_surely: self.read_surely(rules.kyc),
            findings,
        }
    }

    /// Asks for a check where the rules say so and none was asked for; whether it did.
    pub(in crate::kyc) fn ask_for_check(
        &mut self,
        why: &mut Vec<String>,
        client: &Client,
        rules: CaseRules<'_>,
        now: Timestamp,
    ) -> Result<bool, RuleError> {
        let subject = self.check_subject(client, rules, now);
        self.facts.vendor_required = rules.vendors.requires(&subject)?;
        let nobody = rules.vendors.first_but(&[]).is_none();
        if self.facts.checks_asked > 0 || nobody || !(self.facts.vendor_required || rules.vendors.starts(&subject)?) {
            return Ok(false);
        }
        self.facts.checks_asked = 1;
        why.push("a vendor is to verify the client".to_owned());
        Ok(true)
    }

    /// The client wants to be verified by a vendor, whatever the rules say of when that begins.
    pub fn to_verify(&self) -> Verdict<Self> {
        match self.facts.status {
            KycStatus::NotStarted | KycStatus::Collecting | KycStatus::Verifying if self.facts.checks_asked == 0 => {
                let mut next = self.clone();
                next.facts.checks_asked = 1;
                let why = vec!["the client wants to be verified by a vendor".to_owned()];
                Verdict::change(next, "check_wanted", vec!["kyc.updated", "kyc.check_wanted"], why)
            }
            _ => Verdict::Nothing("a check was asked for, or the case is decided or with a person"),
        }
    }

    /// Whether the client may go to a vendor: until the case is decided or with a person.
    pub fn takes_checks(&self) -> bool {
        match self.facts.status {
            KycStatus::NotStarted | KycStatus::Collecting | KycStatus::Verifying => true,
            KycStatus::InReview | KycStatus::Approved | KycStatus::Rejected | KycStatus::Expired => false,
        }
    }

    /// Asks for another check where the one that there was has come to no end; whether it did.
    pub(in crate::kyc) fn ask_for_another_check(&mut self) -> bool {
        let Some(vendor) = &self.facts.vendor else { return false };
        if !matches!(vendor.state, CheckState::Unavailable | CheckState::Expired) {
            return false;
        }
        self.facts.checks_asked = self.facts.checks_asked.max(vendor.round).saturating_add(1);
        true
    }

    /// What a case that has all else does about the vendor's result.
    pub(in crate::kyc) fn vendor_need(&self) -> VendorNeed {
        if !self.facts.vendor_required {
            return VendorNeed::None;
        }
        let asked_since = self.facts.vendor.as_ref().is_none_or(|vendor| vendor.round < self.facts.checks_asked);
        match self.vendor_standing() {
            VendorStanding::Approved | VendorStanding::Final | VendorStanding::Review => VendorNeed::None,
            VendorStanding::Unavailable if !asked_since => VendorNeed::Person,
            VendorStanding::None
            | VendorStanding::Pending
            | VendorStanding::Retry
            | VendorStanding::Expired
            | VendorStanding::Revoked
            | VendorStanding::Unavailable => VendorNeed::Wait,
        }
    }

    /// Takes over what a check has become.
    ///
    /// # Errors
    /// [`RuleError`] when the case could be decided and a rule cannot be judged.
    pub fn verified(
        &self,
        check: &VendorCheck,
        client: &Client,
        rules: CaseRules<'_>,
        now: Timestamp,
    ) -> Result<Verdict<Self>, RuleError> {
        if check.client_id != self.client_id {
            return Ok(Verdict::Nothing("it is another client's check"));
        }
        let seen = CaseVendor::of(check);
        if self.facts.vendor.as_ref() == Some(&seen) {
            return Ok(Verdict::Nothing("the case knows it"));
        }
        let before = self.vendor_standing();
        let mut next = self.clone();
        let mut why = vec![format!("check at {}: {}", seen.name, seen.state)];
        why.extend(seen.labels.iter().cloned());
        let again =
            seen.state == CheckState::Retry && self.facts.vendor.as_ref().is_none_or(|was| was.since < seen.since);
        next.facts.vendor = Some(seen);
        next.inner.vendor_says.clone_from(&check.inner.for_client);
        if self.facts.status == KycStatus::Approved && next.is_contradicted(before) {
            return Ok(next.contradicted(why, now));
        }
        let mut verdict = next.settled("vendor", why, client, rules, now)?;
        let goes_there =
            |case: &Self| case.next_steps(rules.kyc).iter().any(|step| matches!(step, NextStep::VerifyIdentity { .. }));
        if let Verdict::Change(decision) = &mut verdict
            && again
            && goes_there(&decision.next)
        {
            decision.events.push("kyc.verify_again");
        }
        Ok(verdict)
    }

    /// Whether the vendor says now that an approved client should not be: refuses for good, or takes an approval of its own back.
    fn is_contradicted(&self, before: VendorStanding) -> bool {
        let was_approved = before == VendorStanding::Approved;
        match self.vendor_standing() {
            VendorStanding::Final => before != VendorStanding::Final,
            VendorStanding::Retry | VendorStanding::Review | VendorStanding::Revoked => was_approved,
            VendorStanding::None
            | VendorStanding::Pending
            | VendorStanding::Approved
            | VendorStanding::Expired
            | VendorStanding::Unavailable => false,
        }
    }

    /// The client stays approved until a person decides: nothing of theirs is locked by a machine.
    fn contradicted(mut self, mut why: Vec<String>, now: Timestamp) -> Verdict<Self> {
        why.push("the client is approved, and stays so until a person decides".to_owned());
        let kind = WorkKind::KycApprovalContradicted;
        let mut events = vec!["kyc.contradicted"];
        // the open item shows what the case says by now
        if self.facts.review.is_none() {
            self.facts.review = Some(Review::of(kind, format!("{kind}:{}", now.millis())));
            events.push("desk.item");
        }
        Verdict::change(self, "contradicted", events, why)
    }
}
