//! What follows when something about a case has changed: more is asked for, checks begin, or it is decided.

use super::case::{CaseDecision, CaseDocument, CaseRules, DecidedBy, KycCase, ListKind};
use super::case::{Resubmission, Screening, ScreeningState};
use super::document::{DocumentKind, DocumentStatus, Finding};
use super::faces::FaceState;
use super::rules::{Assessment, Kyc, NOT_SURE, RiskSubject, Ruling};
use super::vendor::VendorNeed;
use super::{KycOutcome, KycStatus};
use crate::Timestamp;
use crate::client::Client;
use crate::decision::Verdict;
use crate::rules::RuleError;
use crate::work::rules::{WorkAction, WorkKind};
use crate::work::{HumanDecision, Review};

impl KycCase {
    /// The newest document of each kind and side that counts: accepted, and not to be sent again.
    pub fn counting(&self) -> Vec<&CaseDocument> {
        let mut newest: Vec<&CaseDocument> = vec![];
        for document in self.facts.documents.iter().rev() {
            let accepted = document.status == DocumentStatus::Accepted;
            let known = newest.iter().any(|known| known.kind == document.kind && known.side == document.side);
            if accepted && !known {
                newest.push(document);
            }
        }
        newest.retain(|document| {
            !document.replaced && !self.facts.resubmit.iter().any(|asked| asked.document_id == document.document_id)
        });
        newest
    }

    /// The kind of document by which a need is met; `None` if it is not.
    fn met_by(&self, any_of: &[DocumentKind], rules: &Kyc) -> Option<DocumentKind> {
        met_among(&self.counting(), any_of, rules)
    }

    /// What the case needs and has not: the kinds of documents of which one is enough.
    pub fn missing<'r>(&self, rules: &'r Kyc) -> Vec<&'r [DocumentKind]> {
        let all = rules.requires.iter().map(|requirement| requirement.any_of.as_slice());
        all.filter(|any_of| !self.is_met(any_of, rules)).collect()
    }

    /// Whether a need is met: by a document, or, where it is about who the client is, by a vendor's last word. That may be a refusal:
    /// then nothing more is asked for before it is decided.
    fn is_met(&self, any_of: &[DocumentKind], rules: &Kyc) -> bool {
        let says_who = any_of.iter().all(|kind| kind.is_identity());
        self.met_by(any_of, rules).is_some() || (says_who && self.has_vendors_last_word())
    }

    /// What follows from a change that has been made to this case.
    pub(super) fn settled(
        mut self,
        outcome: &'static str,
        mut why: Vec<String>,
        client: &Client,
        rules: CaseRules<'_>,
        now: Timestamp,
    ) -> Result<Verdict<Self>, RuleError> {
        match self.facts.status {
            KycStatus::Collecting | KycStatus::Verifying => {}
            KycStatus::Approved | KycStatus::Expired => {
                return self.settled_after_approval(outcome, why, client, rules, now);
            }
            KycStatus::NotStarted | KycStatus::InReview | KycStatus::Rejected => {
                return Ok(Verdict::change(self, outcome, vec!["kyc.updated"], why));
            }
        }
        self.forget_answered();
        let mut events = vec!["kyc.updated"];
        if self.ask_again(rules.kyc, &mut why) {
            events.push("kyc.documents_requested");
        }
        if self.ask_for_check(&mut why, client, rules, now)? {
            events.push("kyc.check_wanted");
        }
        let gathered = self.missing(rules.kyc).is_empty() && !self.lacks_liveness(rules.kyc);
        let all_else = gathered && self.facts.declaration.is_some();
        let need = self.vendor_need();
        if all_else && need == VendorNeed::Person {
            why.push("the result of a vendor is required, and none could be had".to_owned());
            return Ok(self.handed_over(WorkKind::KycChecksOverdue, why, now));
        }
        match (all_else && need == VendorNeed::None, self.facts.status) {
            (false, _) => {
                self.facts.status = KycStatus::Collecting;
                self.due = None;
                Ok(Verdict::change(self, outcome, events, why))
            }
            (true, KycStatus::Collecting) => {
                self.verify(rules.kyc, now);
                events.push("kyc.verifying");
                Ok(Verdict::change(self, "verifying", events, why))
            }
            (true, _) if self.checks_done() => self.decide(why, client, rules, now),
            (true, _) => Ok(Verdict::change(self, outcome, events, why)),
        }
    }

    /// A newer document of the same kind and side answers what was asked for.
    fn forget_answered(&mut self) {
        let documents = self.facts.documents.clone();
        self.facts.resubmit.retain(|asked| {
            let Some(old) = documents.iter().find(|known| known.document_id == asked.document_id) else { return false };
            !documents.iter().any(|newer| {
                newer.document_id > old.document_id
                    && newer.kind == old.kind
                    && newer.side == old.side
                    && newer.status == DocumentStatus::Accepted
            })
        });
    }

    /// Asks for another document where one can help and the client was not asked too often; whether it did.
    fn ask_again(&mut self, rules: &Kyc, why: &mut Vec<String>) -> bool {
        if self.facts.attempts >= rules.attempts_max {
            return false;
        }
        let asked = self.useless(rules);
        if asked.is_empty() {
            return false;
        }
        why.extend(asked.iter().map(|asked| format!("another {} is needed: {}", asked.document_id, asked.reason)));
        self.facts.attempts += 1;
        self.facts.resubmit.extend(asked);
        true
    }

    /// The documents that count and are of no use, with the reason.
    pub(super) fn useless(&self, rules: &Kyc) -> Vec<Resubmission> {
        let of = |document: &CaseDocument, reason: &str| Resubmission {
            document_id: document.document_id.clone(),
            reason: reason.to_owned(),
        };
        let counting = self.counting();
        let noticed = counting.iter().filter(|document| !self.is_mended(document)).filter_map(|document| {
            let finding = document.findings.iter().find(|finding| rules.retake.contains(finding))?;
            Some(of(document, finding.as_str()))
        });
        let mut useless: Vec<Resubmission> = noticed.chain(self.faceless()).collect();
        let all_read = counting.iter().all(|document| document.is_done());
        let identity = counting.iter().filter(|document| document.kind.is_identity());
        // one side of a card says half of it: nobody is asked for it again before the other is there
        let needs = rules.requires.iter().filter(|need| need.any_of.iter().all(|kind| kind.is_identity()));
        let whole = needs.into_iter().all(|need| self.met_by(&need.any_of, rules).is_some());
        if useless.is_empty()
            && all_read
            && whole
            && rules.retake.contains(&Finding::NotSure)
            && !self.identity_sure(rules)
        {
            useless.extend(identity.map(|document| of(document, NOT_SURE)));
        }
        useless
    }

    /// Whether another document of its kind would be of no use, because a vendor says who the client is.
    fn is_mended(&self, document: &CaseDocument) -> bool {
        document.kind.is_identity() && self.is_verified_by_vendor()
    }

    /// Whether it is sure who the client is: a vendor says so, or documents do.
    fn identity_sure(&self, rules: &Kyc) -> bool {
        self.is_verified_by_vendor() || self.read_surely(rules)
    }

    /// Whether what has to be was read surely of the documents that say who the client is.
    pub(super) fn read_surely(&self, rules: &Kyc) -> bool {
        let counting = self.counting();
        let identity = || counting.iter().filter(|document| document.kind.is_identity());
        identity().next().is_some()
            && rules.sure_fields.iter().all(|field| identity().any(|document| document.sure.contains(field)))
    }

    fn verify(&mut self, rules: &Kyc, now: Timestamp) {
        self.facts.status = KycStatus::Verifying;
        self.facts.risk = None;
        self.check_anew(rules, now);
    }

    /// The checks begin.
    pub(super) fn check_anew(&mut self, rules: &Kyc, now: Timestamp) {
        self.facts.screening = Screening::default();
        self.facts.verifying_since = Some(now);
        self.due = self.next_due(rules, now);
    }

    /// Whether every check has an answer.
    pub(super) fn checks_done(&self) -> bool {
        let screened = match self.facts.screening.state {
            ScreeningState::Clear | ScreeningState::Hits => true,
            ScreeningState::Pending | ScreeningState::Failed => false,
        };
        let compared = self.face_state() != FaceState::Pending;
        screened && compared && self.counting().iter().all(|document| document.is_done())
    }

    pub(super) fn decide(
        mut self,
        mut why: Vec<String>,
        client: &Client,
        rules: CaseRules<'_>,
        now: Timestamp,
    ) -> Result<Verdict<Self>, RuleError> {
        let Some(subject) = self.subject(client, rules.kyc, now) else {
            why.push("the rules ask for nothing that says who the client is, or the age is not known".to_owned());
            return Ok(self.for_a_person(WorkKind::KycReview, why, now));
        };
        let asked = rules.risk.asked(&subject);
        let Assessment { risk, why: found, ruling } = rules.risk.assess(subject)?;
        why.extend(found);
        self.facts.risk = Some(risk);
        Ok(self.ruled(&ruling, why, rules.kyc, now).asking(asked))
    }

    fn subject(&self, client: &Client, rules: &Kyc, now: Timestamp) -> Option<RiskSubject> {
        let declaration = self.facts.declaration.as_ref()?;
        let needs_identity = |any_of: &[DocumentKind]| any_of.iter().all(|kind| kind.is_identity());
        let requirement = rules.requires.iter().find(|requirement| needs_identity(&requirement.any_of))?;
        // what another document would mend is mended by a vendor's word too
        let counts =
            |document: &CaseDocument, finding: &Finding| !(self.is_mended(document) && rules.retake.contains(finding));
        let counting = self.counting();
        let noticed = counting
            .iter()
            .flat_map(|document| document.findings.iter().copied().filter(|finding| counts(document, finding)));
        let mut findings: Vec<Finding> = noticed.collect();
        findings.sort_unstable();
        findings.dedup();
        Some(RiskSubject {
            residence: client.facts.residence,
            nationality: client.facts.nationality,
            source_of_funds: declaration.source_of_funds,
            document: self.met_by(&requirement.any_of, rules),
            vendor: self.vendor_standing(),
            findings,
            identity_sure: self.identity_sure(rules),
            sanctions_hit: self.facts.screening.has(ListKind::Sanctions),
            pep_hit: self.facts.screening.has(ListKind::Pep),
            pep_declared: declaration.pep,
            face_match: self.face_state(),
            liveness: self.liveness_state(rules),
            age: client.age(now)?,
            score: 0,
            band: String::new(),
        })
    }

    fn ruled(mut self, ruling: &Ruling, why: Vec<String>, rules: &Kyc, now: Timestamp) -> Verdict<Self> {
        if self.facts.renewal.is_some() {
            return self.renewal_ruled(ruling, why, rules, now);
        }
        let reasons = vec![ruling.reason.clone()];
        self.facts.decision = Some(CaseDecision { outcome: ruling.outcome, by: DecidedBy::Rule, reasons, at: now });
        self.due = None;
        match ruling.outcome {
            KycOutcome::Approve => self.approved("kyc.approved", rules, why, now),
            KycOutcome::Reject => self.ended(KycStatus::Rejected, "rejected", vec!["kyc.rejected"], why),
            KycOutcome::Review => self.handed_over(ruling.kind.unwrap_or(WorkKind::KycReview), why, now),
        }
    }

    pub(super) fn ended(
        mut self,
        status: KycStatus,
        word: &'static str,
        events: Vec<&'static str>,
        why: Vec<String>,
    ) -> Verdict<Self> {
        self.facts.status = status;
        self.facts.review = None;
        self.due = None;
        Verdict::change(self, word, events, why)
    }

    /// A person goes on, with the case or with its renewal.
    fn for_a_person(self, kind: WorkKind, why: Vec<String>, now: Timestamp) -> Verdict<Self> {
        match self.facts.renewal {
            Some(_) => self.renewal_handed_over(kind, why, now),
            None => self.handed_over(kind, why, now),
        }
    }

    fn handed_over(mut self, kind: WorkKind, why: Vec<String>, now: Timestamp) -> Verdict<Self> {
        self.facts.status = KycStatus::InReview;
        self.due = None;
        // no two reviews of a case begin in the same moment: each has a work item of its own
        let trigger = format!("{kind}:{}", now.millis());
        self.facts.review = Some(Review::of(kind, trigger));
        Verdict::change(self, "in_review", vec!["kyc.in_review"], why)
    }

    /// Its time has come: checks that are not done are begun again, and looked at by a person when they take too long.
    pub fn came_due(&self, rules: &Kyc, now: Timestamp) -> Verdict<Self> {
        if let Some(verdict) = self.validity_came_due(rules, now) {
            return verdict;
        }
        let since = match (self.is_checking(), self.due, self.facts.verifying_since) {
            (true, Some(due), Some(since)) if due <= now => since,
            _ => return Verdict::Nothing("it is not due"),
        };
        let mut next = self.onward();
        let left = format!("screening is {}", self.facts.screening.state);
        let unread = self.counting().iter().filter(|document| !document.is_done()).count();
        let faces = format!("comparison of faces is {}", self.face_state());
        let why = vec![left, format!("{unread} documents are not read"), faces];
        if since.plus(rules.checks_overdue_after) <= now {
            return next.for_a_person(WorkKind::KycChecksOverdue, why, now);
        }
        next.due = next.next_due(rules, now);
        Verdict::change(next, "checked_again", vec!["kyc.verifying"], why)
    }

    /// Carries out what a person decided about it.
    pub fn decided(&self, decision: &HumanDecision, rules: &Kyc, now: Timestamp) -> Verdict<Self> {
        if let Some(verdict) = self.expiry_decided(decision, rules, now) {
            return verdict;
        }
        let about = |review: &Review| {
            review.kind == decision.kind && decision.trigger.as_deref() == Some(review.trigger.as_str())
        };
        let contradicted = WorkKind::KycApprovalContradicted.as_str();
        let open = match self.facts.status {
            KycStatus::InReview => true,
            KycStatus::Approved => decision.kind == contradicted,
            KycStatus::NotStarted
            | KycStatus::Collecting
            | KycStatus::Verifying
            | KycStatus::Rejected
            | KycStatus::Expired => false,
        };
        if !open || !self.facts.review.as_ref().is_some_and(about) {
            return Verdict::Nothing("it is not what the case waits for");
        }
        let mut next = self.onward();
        let why = vec![decision.why()];
        match decision.action() {
            // the client was not asked for anything, and is not told that nothing has changed
            Some(WorkAction::Approve) if self.facts.status == KycStatus::Approved => {
                next.facts.review = None;
                Verdict::change(next, "stays_approved", vec!["kyc.updated"], why)
            }
            // it was closed without a decision: the client stays approved, and a person is asked anew
            None if self.facts.status == KycStatus::Approved => {
                let kind = WorkKind::KycApprovalContradicted;
                next.facts.review = Some(Review::of(kind, format!("{kind}:{}", now.millis())));
                Verdict::change(next, "contradicted", vec!["desk.item"], why)
            }
            Some(WorkAction::Approve) => {
                next.facts.decision = Some(by_person(KycOutcome::Approve, now));
                next.clear_hits(decision);
                next.approved("kyc.approved", rules, why, now)
            }
            Some(WorkAction::Reject) => {
                next.facts.decision = Some(by_person(KycOutcome::Reject, now));
                next.ended(KycStatus::Rejected, "rejected", vec!["kyc.rejected"], why)
            }
            Some(WorkAction::RequestDocuments) => next.sent_back(why),
            Some(WorkAction::CheckAgain) => {
                next.facts.review = None;
                next.facts.decision = None;
                next.verify(rules, now);
                let mut events = vec!["kyc.verifying"];
                if next.ask_for_another_check() {
                    events.push("kyc.check_wanted");
                }
                Verdict::change(next, "verifying", events, why)
            }
            // it was closed without a decision: the client still waits, so a person is asked anew
            _ => {
                let kind = decision.kind.parse().unwrap_or(WorkKind::KycReview);
                next.handed_over(kind, why, now)
            }
        }
    }

    /// People found that a listed party is the client, whatever his case came to before: it ends with that.
    pub fn rejected_for_hit(&self, decision: &HumanDecision, now: Timestamp) -> Verdict<Self> {
        if self.facts.status == KycStatus::Rejected {
            return Verdict::Nothing("it is rejected already");
        }
        let mut next = self.onward();
        next.facts.decision = Some(by_person(KycOutcome::Reject, now));
        next.facts.renewal = None;
        next.facts.settled = next.facts.validity.take().and_then(|validity| validity.item).into_iter().collect();
        let mut events = vec!["kyc.rejected"];
        if !next.facts.settled.is_empty() {
            events.push("desk.settled");
        }
        next.ended(KycStatus::Rejected, "rejected", events, vec![decision.why()])
    }

    /// People cannot tell the client from a listed party with what is there: he is asked for other documents. What he may do stays as it is.
    pub fn documents_for_hit(&self, decision: &HumanDecision) -> Verdict<Self> {
        if self.facts.status != KycStatus::Approved || self.is_to_renew() {
            return Verdict::Nothing("the client is asked already, or his case is not decided");
        }
        let mut next = self.onward();
        let identity: Vec<Resubmission> = self
            .counting()
            .iter()
            .filter(|document| document.kind.is_identity())
            .map(|document| Resubmission {
                document_id: document.document_id.clone(),
                reason: "asked_by_person".to_owned(),
            })
            .collect();
        if identity.is_empty() {
            return Verdict::Nothing("there is no document that another one could take the place of");
        }
        next.facts.resubmit.extend(identity);
        Verdict::change(
            next,
            "documents_requested",
            vec!["kyc.updated", "kyc.documents_requested"],
            vec![decision.why()],
        )
    }

    /// A person asks the client for other documents that say who he is.
    fn sent_back(mut self, why: Vec<String>) -> Verdict<Self> {
        let identity: Vec<Resubmission> = self
            .counting()
            .iter()
            .filter(|document| document.kind.is_identity() || !document.findings.is_empty())
            .map(|document| Resubmission {
                document_id: document.document_id.clone(),
                reason: document.findings.first().map_or("asked_by_person", |finding| finding.as_str()).to_owned(),
            })
            .collect();
        self.facts.resubmit.extend(identity);
        self.facts.status = KycStatus::Collecting;
        self.facts.review = None;
        self.facts.decision = None;
        self.facts.attempts = self.facts.attempts.saturating_add(1);
        Verdict::change(self, "documents_requested", vec!["kyc.updated", "kyc.documents_requested"], why)
    }
}

/// The first kind of which documents are enough for a need; `None` if there is none.
pub(super) fn met_among(documents: &[&CaseDocument], any_of: &[DocumentKind], rules: &Kyc) -> Option<DocumentKind> {
    let sides = |kind: DocumentKind| documents.iter().filter(move |document| document.kind == kind).map(|d| d.side);
    any_of.iter().copied().find(|kind| {
        let back = sides(*kind).any(|side| side == Some(super::Side::Back));
        let front = sides(*kind).any(|side| side != Some(super::Side::Back));
        if rules.both_sides.contains(kind) { front && back } else { front }
    })
}

pub(super) fn by_person(outcome: KycOutcome, now: Timestamp) -> CaseDecision {
    CaseDecision { outcome, by: DecidedBy::Person, reasons: vec!["decided_by_compliance".to_owned()], at: now }
}
