//! How long a client's documents say who he is: the renewal that is asked for in time, what a new document must be like, and what
//! happens where none came. The approval stands all the while, unless the rules or a person say otherwise.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::case::{CaseDecision, CaseDocument, CaseRules, DecidedBy, KycCase, Resubmission};
use super::document::{DocumentKind, Finding};
use super::rules::requirements::AtExpiry;
use super::rules::{Kyc, Ruling};
use super::{KycOutcome, KycStatus};
use crate::client::Client;
use crate::decision::Verdict;
use crate::payment::deposit::Settled;
use crate::rules::RuleError;
use crate::words::words;
use crate::work::rules::{WorkAction, WorkKind};
use crate::work::{HumanDecision, Review};
use crate::{DocumentId, Timestamp};

/// What a new document must not say: it is somebody else's then, or a person must explain it.
const DISAGREEMENTS: [Finding; 4] =
    [Finding::NameDiffers, Finding::BirthDateDiffers, Finding::NationalityDiffers, Finding::EarlierDiffers];

words! {
    /// How far it is with the validity of a client's documents.
    ValidityStage {
        /// It is not soon over.
        Valid = "valid",
        /// It is over soon: the client was asked for another document.
        RenewalAsked = "renewal_asked",
        /// It is over.
        Expired = "expired",
    }
}

/// How long the documents of an approval are valid. The date is public: it names nobody, and message, desk and journal say nothing
/// without it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Validity {
    /// The newest document that the approval is based on: a newer one may renew it.
    pub newest: DocumentId,
    /// What is valid the longest of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<DocumentKind>,
    /// The last day on which it is, `YYYY-MM-DD`, if it was read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<String>,
    /// How far it is.
    pub stage: ValidityStage,
    /// The client was asked a second time before it is over, or there was no time for that.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub reminded: bool,
    /// The work item that was opened about it and is not known to be closed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub item: Option<Settled>,
}

impl Validity {
    fn date(&self) -> Option<Date> {
        self.expires.as_ref()?.parse().ok()
    }

    /// The first moment at which it is over: a day ends where the clock is behind UTC later than in UTC, and nobody is hurried.
    fn ends(&self) -> Option<Timestamp> {
        let next = self.date()?.tomorrow().ok()?.to_zoned(jiff::tz::TimeZone::UTC).ok()?;
        Timestamp::from_seconds(next.timestamp().as_second())
    }

    /// When something is to happen about it.
    fn next_at(&self, rules: &Kyc) -> Option<Timestamp> {
        match self.stage {
            ValidityStage::Valid => Some(self.ends()?.minus(rules.expiry.ask_before)),
            ValidityStage::RenewalAsked => Some(self.reminder_at(rules).unwrap_or(self.ends()?)),
            ValidityStage::Expired => None,
        }
    }

    /// When the client is asked a second time, if he is yet to be.
    fn reminder_at(&self, rules: &Kyc) -> Option<Timestamp> {
        let before = rules.expiry.ask_again_before.filter(|_| !self.reminded)?;
        Some(self.ends()?.minus(before))
    }
}

/// A newer document that is to renew an approval.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Renewal {
    /// The newest of its documents.
    pub document_id: DocumentId,
    /// Whether a person decides about it.
    pub with_person: bool,
}

impl KycCase {
    /// Whether checks are under way, of the case or of a renewal.
    pub fn is_checking(&self) -> bool {
        self.facts.status == KycStatus::Verifying || self.is_renewing()
    }

    fn is_renewing(&self) -> bool {
        self.facts.renewal.as_ref().is_some_and(|renewal| !renewal.with_person)
    }

    /// Whether the client is asked for a newer document although he is approved.
    pub(super) fn is_to_renew(&self) -> bool {
        self.facts.renewal.is_none() && !self.facts.resubmit.is_empty()
    }

    fn identity(&self) -> impl Iterator<Item = &CaseDocument> {
        self.counting().into_iter().filter(|document| document.kind.is_identity())
    }

    /// The document that is valid the longest; dates that were read surely count before others.
    fn valid_longest(&self) -> Option<(&CaseDocument, Date)> {
        let dated = self.identity().filter_map(|known| Some((known, known.expires.as_ref()?.parse::<Date>().ok()?)));
        dated.max_by_key(|(known, date)| (known.sure.iter().any(|field| field == "expires"), *date))
    }

    /// The client is approved, or approved again: until when the documents are valid is remembered.
    pub(super) fn approved(
        mut self,
        event: &'static str,
        rules: &Kyc,
        mut why: Vec<String>,
        now: Timestamp,
    ) -> Verdict<Self> {
        let moot = self.facts.validity.take().and_then(|validity| validity.item);
        let longest = self.valid_longest().map(|(known, date)| (known.kind, date));
        let newest = self.identity().map(|known| known.document_id.clone()).max();
        why.push(match &longest {
            Some((kind, date)) => format!("{kind} is valid until {date}"),
            None => "until when the documents are valid is not known, so no renewal will be asked for".to_owned(),
        });
        self.facts.validity = newest.map(|newest| Validity {
            newest,
            kind: longest.map(|(kind, _)| kind),
            expires: longest.map(|(_, date)| date.to_string()),
            stage: ValidityStage::Valid,
            reminded: false,
            item: None,
        });
        self.facts.status = KycStatus::Approved;
        self.facts.review = None;
        self.facts.renewal = None;
        self.facts.resubmit.clear();
        self.facts.attempts = 0;
        self.due = self.next_due(rules, now);
        let mut events = vec![event];
        if let Some(moot) = moot {
            self.facts.settled = vec![moot];
            events.push("desk.settled");
        }
        Verdict::change(self, if event == "kyc.renewed" { "renewed" } else { "approved" }, events, why)
    }

    /// When something is to happen about the validity of its documents. Not while a newer document is looked at: nobody loses by
    /// our being slow.
    pub(super) fn validity_due(&self, rules: &Kyc, now: Timestamp) -> Option<Timestamp> {
        let idle = self.facts.status == KycStatus::Approved && self.facts.renewal.is_none();
        let validity = self.facts.validity.as_ref().filter(|_| idle)?;
        Some(validity.next_at(rules)?.max(now))
    }

    /// Its documents are about to expire, or have: the client is asked for another one, and compliance is told.
    pub(super) fn validity_came_due(&self, rules: &Kyc, now: Timestamp) -> Option<Verdict<Self>> {
        self.validity_due(rules, now).filter(|_| self.due.is_some_and(|due| due <= now))?;
        let validity = self.facts.validity.as_ref()?;
        let (at, ends) = (validity.next_at(rules)?, validity.ends()?);
        if now < at {
            // the rules ask later than they did
            let mut next = self.onward();
            next.due = next.next_due(rules, now);
            let why = vec![format!("a renewal is asked for from {at} on")];
            return Some(Verdict::change(next, "asked_later", vec![], why));
        }
        Some(match validity.stage {
            _ if now >= ends => self.ran_out(rules, now),
            ValidityStage::Valid | ValidityStage::Expired => self.renewal_asked(rules, now),
            ValidityStage::RenewalAsked => self.asked_again(rules, now),
        })
    }

    /// The client did not react: he is asked once more. The desk knows already.
    fn asked_again(&self, rules: &Kyc, now: Timestamp) -> Verdict<Self> {
        let mut next = self.onward();
        if let Some(validity) = &mut next.facts.validity {
            validity.reminded = true;
        }
        next.due = next.next_due(rules, now);
        let why = vec!["no newer document came: the client is asked again".to_owned()];
        Verdict::change(next, "renewal_requested", vec!["kyc.renewal_requested"], why)
    }

    fn renewal_asked(&self, rules: &Kyc, now: Timestamp) -> Verdict<Self> {
        let mut next = self.onward();
        let why = next.ask_to_renew(ValidityStage::RenewalAsked, Finding::ExpiresSoon, now);
        if let Some(validity) = &mut next.facts.validity {
            // whose document is as good as over was asked just now
            validity.reminded = validity.reminder_at(rules).is_some_and(|at| at <= now);
        }
        next.due = next.next_due(rules, now);
        let mut events = vec!["kyc.renewal_requested", "desk.item"];
        next.announce_moot(&mut events);
        Verdict::change(next, "renewal_requested", events, why)
    }

    fn ran_out(&self, rules: &Kyc, now: Timestamp) -> Verdict<Self> {
        let mut next = self.onward();
        let mut why = next.ask_to_renew(ValidityStage::Expired, Finding::Expired, now);
        why.push(format!("the rules at expiry: {}", rules.expiry.at_expiry));
        let (event, outcome) = match rules.expiry.at_expiry {
            AtExpiry::AskAgain => ("kyc.renewal_requested", "renewal_requested"),
            AtExpiry::Expire => {
                next.facts.status = KycStatus::Expired;
                ("kyc.expired", "expired")
            }
        };
        next.due = next.next_due(rules, now);
        let mut events = vec![event, "desk.item"];
        next.announce_moot(&mut events);
        Verdict::change(next, outcome, events, why)
    }

    /// The documents that say who the client is count no more; a work item says so, in the place of the one before.
    fn ask_to_renew(&mut self, stage: ValidityStage, reason: Finding, now: Timestamp) -> Vec<String> {
        let identity: Vec<DocumentId> = self.identity().map(|known| known.document_id.clone()).collect();
        for asked in &mut self.facts.resubmit {
            reason.as_str().clone_into(&mut asked.reason);
        }
        let asked = identity.into_iter();
        let asked = asked.map(|document_id| Resubmission { document_id, reason: reason.as_str().to_owned() });
        self.facts.resubmit.extend(asked);
        let Some(validity) = &mut self.facts.validity else { return vec![] };
        let expires = validity.expires.clone().unwrap_or_default();
        let trigger = format!("{stage}:{expires}");
        let item = Settled {
            kind: WorkKind::DocumentExpiry.as_str().to_owned(),
            trigger: trigger.clone(),
            at_ms: now.millis(),
        };
        self.facts.settled = validity.item.replace(item).into_iter().collect();
        validity.stage = stage;
        self.facts.review = Some(Review::of(WorkKind::DocumentExpiry, trigger));
        vec![format!("the document is valid until {expires}")]
    }

    fn announce_moot(&self, events: &mut Vec<&'static str>) {
        if !self.facts.settled.is_empty() {
            events.push("desk.settled");
        }
    }

    /// The documents that are newer than those of the approval, if they are enough to say who the client is.
    fn fresh(&self, rules: &Kyc) -> Option<Vec<CaseDocument>> {
        let validity = self.facts.validity.as_ref()?;
        let fresh: Vec<&CaseDocument> = self.identity().filter(|known| known.document_id > validity.newest).collect();
        let mut needs = rules.requires.iter().filter(|need| need.any_of.iter().all(|kind| kind.is_identity()));
        let enough =
            !fresh.is_empty() && needs.all(|need| super::decide::met_among(&fresh, &need.any_of, rules).is_some());
        // unasked for, it is of use only if it says until when it is valid
        let dated = fresh.iter().any(|known| known.expires.is_some());
        (enough && (self.was_asked() || dated)).then(|| fresh.into_iter().cloned().collect())
    }

    fn was_asked(&self) -> bool {
        self.facts.validity.as_ref().is_some_and(|validity| validity.stage != ValidityStage::Valid)
    }

    /// What follows from a change to a case that is approved, or was until its documents expired.
    pub(super) fn settled_after_approval(
        mut self,
        outcome: &'static str,
        mut why: Vec<String>,
        client: &Client,
        rules: CaseRules<'_>,
        now: Timestamp,
    ) -> Result<Verdict<Self>, RuleError> {
        let mut events = vec!["kyc.updated"];
        let with_person = self.facts.renewal.as_ref().is_some_and(|renewal| renewal.with_person);
        let fresh = if with_person { None } else { self.fresh(rules.kyc) };
        let Some(fresh) = fresh else { return Ok(Verdict::change(self, outcome, events, why)) };
        let newest = fresh.iter().map(|known| known.document_id.clone()).max();
        let known = self.facts.renewal.as_ref().map(|renewal| renewal.document_id.clone());
        if let Some(document_id) = newest.filter(|newest| known.as_ref() != Some(newest)) {
            why.push(
                "a newer document is there: it is checked as the first was, and the approval stands meanwhile"
                    .to_owned(),
            );
            self.facts.renewal = Some(Renewal { document_id, with_person: false });
            self.check_anew(rules.kyc, now);
            events.push("kyc.verifying");
        }
        if self.ask_for_better(&fresh, rules.kyc, &mut why) {
            self.facts.renewal = None;
            self.due = self.next_due(rules.kyc, now);
            events.retain(|event| *event != "kyc.verifying");
            events.push("kyc.documents_requested");
            return Ok(Verdict::change(self, "documents_requested", events, why));
        }
        if self.checks_done() {
            return self.decide(why, client, rules, now);
        }
        Ok(Verdict::change(self, outcome, events, why))
    }

    /// Asks for another newer document where this one is of no use, and not too often; whether it did.
    fn ask_for_better(&mut self, fresh: &[CaseDocument], rules: &Kyc, why: &mut Vec<String>) -> bool {
        if self.facts.attempts >= rules.attempts_max || !fresh.iter().all(CaseDocument::is_done) {
            return false;
        }
        let is_fresh = |asked: &Resubmission| fresh.iter().any(|known| known.document_id == asked.document_id);
        let mut asked: Vec<Resubmission> = self.useless(rules).into_iter().filter(is_fresh).collect();
        if asked.is_empty() && !self.is_valid_longer(fresh) {
            let of = |known: &CaseDocument| Resubmission {
                document_id: known.document_id.clone(),
                reason: Finding::ExpiresSoon.as_str().to_owned(),
            };
            asked = fresh.iter().map(of).collect();
        }
        why.extend(asked.iter().map(|asked| format!("another {} is needed: {}", asked.document_id, asked.reason)));
        let any = !asked.is_empty();
        self.facts.attempts = self.facts.attempts.saturating_add(u32::from(any));
        self.facts.resubmit.extend(asked);
        any
    }

    /// Whether newer documents are valid for longer than those of the approval, as far as dates are known.
    fn is_valid_longer(&self, fresh: &[CaseDocument]) -> bool {
        let before = self.facts.validity.as_ref().and_then(Validity::date);
        let after = fresh.iter().filter_map(|known| known.expires.as_ref()?.parse::<Date>().ok()).max();
        match (before, after) {
            (Some(before), Some(after)) => after > before,
            (None, _) | (_, None) => true,
        }
    }

    /// What the rules say of a renewal: only what they approve, was read surely and agrees with the case renews it; all else is for a person.
    pub(super) fn renewal_ruled(
        mut self,
        ruling: &Ruling,
        mut why: Vec<String>,
        rules: &Kyc,
        now: Timestamp,
    ) -> Verdict<Self> {
        let fresh = self.fresh(rules).unwrap_or_default();
        let useless = |known: &CaseDocument| known.findings.iter().any(|found| rules.retake.contains(found));
        let sure = rules.sure_fields.iter().all(|field| fresh.iter().any(|known| known.sure.contains(field)))
            && !fresh.iter().any(useless);
        let agrees = !fresh.iter().any(|known| known.findings.iter().any(|found| DISAGREEMENTS.contains(found)));
        let longer = self.is_valid_longer(&fresh);
        if ruling.outcome == KycOutcome::Approve && sure && agrees && longer {
            self.facts.decision = Some(CaseDecision {
                outcome: KycOutcome::Approve,
                by: DecidedBy::Rule,
                reasons: vec![ruling.reason.clone()],
                at: now,
            });
            return self.renewed(&fresh, rules, why, now);
        }
        let said = |holds: bool, word: &str| if holds { word.to_owned() } else { format!("not {word}") };
        let seen =
            [said(sure, "read surely"), said(agrees, "in agreement with the case"), said(longer, "valid longer")];
        why.push(format!(
            "the newer document is {}; the rules say {}: {}",
            seen.join(", "),
            ruling.outcome,
            ruling.reason
        ));
        self.renewal_handed_over(ruling.kind.unwrap_or(WorkKind::KycReview), why, now)
    }

    /// Only the newer documents count from now on.
    fn renewed(mut self, fresh: &[CaseDocument], rules: &Kyc, why: Vec<String>, now: Timestamp) -> Verdict<Self> {
        for known in self.facts.documents.iter_mut().filter(|known| known.kind.is_identity()) {
            known.replaced |= fresh.iter().all(|fresh| known.document_id < fresh.document_id);
        }
        self.approved("kyc.renewed", rules, why, now)
    }

    /// A person decides about the renewal; what the client may do stays as it is.
    pub(super) fn renewal_handed_over(mut self, kind: WorkKind, why: Vec<String>, now: Timestamp) -> Verdict<Self> {
        if let Some(renewal) = &mut self.facts.renewal {
            renewal.with_person = true;
        }
        self.due = None;
        self.facts.review = Some(Review::of(kind, format!("{kind}:{}", now.millis())));
        Verdict::change(self, "renewal_in_review", vec!["kyc.updated", "desk.item"], why)
    }

    /// What a person decided about documents that expire, or about a renewal; `None` where it is about neither.
    pub(super) fn expiry_decided(
        &self,
        decision: &HumanDecision,
        rules: &Kyc,
        now: Timestamp,
    ) -> Option<Verdict<Self>> {
        let about = |kind: &str, trigger: &str| decision.kind == kind && decision.trigger.as_deref() == Some(trigger);
        let item = self.facts.validity.as_ref().and_then(|validity| validity.item.as_ref());
        if item.is_some_and(|item| about(&item.kind, &item.trigger)) {
            return Some(self.expiry_item_decided(decision));
        }
        let review = self.facts.review.as_ref().filter(|review| about(&review.kind, &review.trigger))?;
        let with_person = self.facts.renewal.as_ref().is_some_and(|renewal| renewal.with_person);
        with_person.then(|| self.renewal_decided(decision, review, rules, now))
    }

    fn expiry_item_decided(&self, decision: &HumanDecision) -> Verdict<Self> {
        let mut next = self.onward();
        if let Some(validity) = &mut next.facts.validity {
            validity.item = None;
        }
        if next.facts.renewal.is_none() {
            next.facts.review = None;
        }
        let why = vec![decision.why()];
        match decision.action() {
            Some(WorkAction::RequestDocuments) => {
                Verdict::change(next, "renewal_requested", vec!["kyc.renewal_requested"], why)
            }
            Some(WorkAction::Expire) if next.facts.status == KycStatus::Approved => {
                next.facts.status = KycStatus::Expired;
                if let Some(validity) = &mut next.facts.validity {
                    validity.stage = ValidityStage::Expired;
                }
                next.due = next.due.filter(|_| next.is_renewing());
                Verdict::change(next, "expired", vec!["kyc.expired"], why)
            }
            _ => Verdict::change(next, "closed", vec![], why),
        }
    }

    fn renewal_decided(&self, decision: &HumanDecision, review: &Review, rules: &Kyc, now: Timestamp) -> Verdict<Self> {
        let mut next = self.onward();
        let why = vec![decision.why()];
        let fresh = self.fresh(rules).unwrap_or_default();
        match decision.action() {
            Some(WorkAction::Approve) => {
                next.facts.decision = Some(super::decide::by_person(KycOutcome::Approve, now));
                next.clear_hits(decision);
                next.renewed(&fresh, rules, why, now)
            }
            Some(WorkAction::Reject) => {
                next.facts.decision = Some(super::decide::by_person(KycOutcome::Reject, now));
                next.facts.renewal = None;
                next.facts.settled =
                    next.facts.validity.take().and_then(|validity| validity.item).into_iter().collect();
                let mut events = vec!["kyc.rejected"];
                next.announce_moot(&mut events);
                next.ended(KycStatus::Rejected, "rejected", events, why)
            }
            Some(WorkAction::RequestDocuments) => {
                next.facts.renewal = None;
                next.facts.review = None;
                next.facts.attempts = 0;
                let asked = fresh.into_iter().map(|known| Resubmission {
                    reason: known.findings.first().map_or("asked_by_person", |finding| finding.as_str()).to_owned(),
                    document_id: known.document_id,
                });
                next.facts.resubmit.extend(asked);
                next.due = next.next_due(rules, now);
                Verdict::change(next, "documents_requested", vec!["kyc.updated", "kyc.documents_requested"], why)
            }
            Some(WorkAction::CheckAgain) => {
                if let Some(renewal) = &mut next.facts.renewal {
                    renewal.with_person = false;
                }
                next.facts.review = None;
                next.check_anew(rules, now);
                Verdict::change(next, "renewing", vec!["kyc.verifying"], why)
            }
            // it was closed without a decision: a person is asked anew
            _ => next.renewal_handed_over(review.kind.parse().unwrap_or(WorkKind::KycReview), why, now),
        }
    }
}
