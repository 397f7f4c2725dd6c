//! What moves a check on from our side: it is opened, at this vendor or the next, asked about, and given up.

use super::{CheckFacts, CheckPrivate, CheckState, GRACE, Tried, VendorCheck, code};
use crate::decision::{Decision, Verdict};
use crate::kyc::rules::{IdentityVendor, KycVendors, VendorRule};
use crate::{ClientId, KycCheckId, Redacted, Seconds, Timestamp};

/// A link that ends sooner is as good as none.
const LINK_MARGIN: Seconds = Seconds(60);

/// What a check waits for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Todo {
    /// Opening at its vendor.
    Start,
    /// Its vendor's answer; the reference to ask for.
    Poll(String),
    /// Nothing now, and why.
    Nothing(&'static str),
}

/// Why a check was not opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotStarted {
    /// As a code.
    pub why: String,
    /// Whether trying again may help.
    pub passes: bool,
    /// How long the vendor asks to wait.
    pub retry_after: Option<Seconds>,
}

/// A check that the vendor has opened, or found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opened {
    /// At which vendor.
    pub vendor: IdentityVendor,
    /// The vendor's id.
    pub reference: String,
    /// Where the client goes.
    pub link: Option<Redacted<String>>,
}

impl VendorCheck {
    /// The check that a case asks for; `None` if no vendor opens any.
    pub fn begun(client_id: &ClientId, round: u32, rules: &KycVendors, now: Timestamp) -> Option<Decision<Self>> {
        let vendor = rules.first_but(&[])?;
        let facts = CheckFacts {
            state: CheckState::Starting,
            vendor,
            reference: None,
            since: now,
            said_at: None,
            labels: vec![],
            tried: vec![],
            round,
            failed: 0,
            polls: 0,
            calling: None,
            ask_at_once: false,
        };
        let id = KycCheckId::of(client_id);
        // whoever saves this goes on at once; its time is for the case that he dies
        let due = Some(now.plus(GRACE));
        let check = Self { id, client_id: client_id.clone(), due, facts, inner: CheckPrivate::default() };
        Some(Decision::new(check, "begun", vec!["kyc_check.updated"], vec![format!("at {vendor}")]))
    }

    /// The case asks for it again: what has come to no end begins anew, at the first vendor of the chain.
    pub fn asked_again(&self, round: u32, rules: &KycVendors, now: Timestamp) -> Verdict<Self> {
        if round <= self.facts.round {
            return Verdict::Nothing("it was asked for before");
        }
        let over = matches!(self.facts.state, CheckState::Unavailable | CheckState::Expired);
        match Self::begun(&self.client_id, round, rules, now) {
            Some(decision) if over => Verdict::Change(Box::new(decision)),
            _ => Verdict::Nothing("it is under way, or has come to its end"),
        }
    }

    /// The client wants to begin another one because this one is over.
    pub fn reopened(&self, rules: &KycVendors, now: Timestamp) -> Verdict<Self> {
        self.asked_again(self.facts.round.saturating_add(1), rules, now)
    }

    /// What it waits for.
    pub fn todo(&self, now: Timestamp) -> Todo {
        let due = self.due.is_some_and(|due| due <= now);
        match (self.facts.state, &self.facts.reference) {
            (CheckState::Starting, _) if self.facts.calling.is_some_and(|since| now < since.plus(GRACE)) => {
                Todo::Nothing("a call may be under way")
            }
            (CheckState::Starting, _) if due || self.facts.failed == 0 => Todo::Start,
            (_, Some(reference)) if due => Todo::Poll(reference.clone()),
            _ => Todo::Nothing("it is not due"),
        }
    }

    /// The intent: from here on the vendor may have it.
    pub fn calling(&self, now: Timestamp) -> Verdict<Self> {
        match self.todo(now) {
            Todo::Start => {
                let mut next = self.clone();
                next.facts.calling = Some(now);
                next.due = Some(now.plus(GRACE));
                let why = vec![format!("to be opened at {}, attempt {}", self.facts.vendor, self.facts.failed + 1)];
                Verdict::change(next, "calling", vec![], why)
            }
            Todo::Poll(_) => Verdict::Nothing("it is opened"),
            Todo::Nothing(reason) => Verdict::Nothing(reason),
        }
    }

    /// The outcome: the vendor has opened it. Also the answer to a call for another link.
    pub fn opened(&self, opened: &Opened, rules: &KycVendors, now: Timestamp) -> Verdict<Self> {
        let Some(rule) = rules.rule(opened.vendor).filter(|_| opened.vendor == self.facts.vendor) else {
            return Verdict::Nothing("the check is at another vendor by now");
        };
        let is_new = self.facts.reference.as_deref() != Some(opened.reference.as_str());
        if self.facts.state != CheckState::Starting && !self.facts.state.is_open() {
            return Verdict::Nothing("it has come to its end meanwhile");
        }
        let mut next = self.clone();
        next.inner.link.clone_from(&opened.link);
        next.inner.link_until = opened.link.as_ref().map(|_| now.plus(rule.link_life));
        if !is_new {
            return Verdict::change(next, "link_made", vec![], vec!["another link".to_owned()]);
        }
        next.facts.reference = Some(opened.reference.clone());
        next.facts.said_at = None;
        next.enter(CheckState::Pending, vec![], rule, now);
        if self.facts.ask_at_once {
            next.due = Some(now);
        }
        let why = vec![format!("{} has it as {}", opened.vendor, opened.reference)];
        Verdict::change(next, "opened", vec!["kyc_check.updated"], why)
    }

    /// The outcome: the vendor did not open it. It is tried again, or the next vendor is asked.
    pub fn not_opened(
        &self,
        vendor: IdentityVendor,
        failure: &NotStarted,
        rules: &KycVendors,
        now: Timestamp,
    ) -> Verdict<Self> {
        if self.facts.vendor != vendor || self.facts.state != CheckState::Starting {
            return Verdict::Nothing("it is opened, or at another vendor by now");
        }
        let mut next = self.clone();
        next.facts.calling = None;
        next.facts.failed = next.facts.failed.saturating_add(1);
        let rule = rules.rule(vendor).filter(|rule| failure.passes && next.facts.failed < rule.attempts_max);
        let Some(rule) = rule else { return next.at_the_next(&failure.why, rules, now) };
        let wait = rule.attempt_wait(next.facts.failed);
        next.due = Some(now.plus(failure.retry_after.map_or(wait, |asked| wait.max(asked))));
        Verdict::change(next, "not_opened", vec![], vec![format!("{vendor}: {}", code(&failure.why))])
    }

    /// Leaves its vendor for the next of the chain, if there is one.
    pub(super) fn at_the_next(mut self, why: &str, rules: &KycVendors, now: Timestamp) -> Verdict<Self> {
        let left = self.facts.vendor;
        self.facts.tried.push(Tried { vendor: left, why: code(why), at: now });
        let tried: Vec<IdentityVendor> = self.facts.tried.iter().map(|tried| tried.vendor).collect();
        self.inner = CheckPrivate::default();
        self.facts.labels = vec![];
        self.facts.calling = None;
        self.facts.ask_at_once = false;
        (self.facts.failed, self.facts.polls) = (0, 0);
        self.facts.since = now;
        let mut lines = vec![format!("{left} could not do it: {}", code(why))];
        match rules.first_but(&tried) {
            Some(vendor) => {
                lines.push(format!("the next is {vendor}"));
                self.facts.state = CheckState::Starting;
                self.facts.vendor = vendor;
                self.facts.reference = None;
                self.facts.said_at = None;
                self.due = Some(now);
                Verdict::change(self, "next_vendor", vec!["kyc_check.updated"], lines)
            }
            None => {
                lines.push("there is no next one".to_owned());
                self.facts.state = CheckState::Unavailable;
                self.due = None;
                Verdict::change(self, "unavailable", vec!["kyc_check.updated"], lines)
            }
        }
    }

    /// Its vendor was asked and did not answer.
    pub fn not_answered(&self, failure: &NotStarted, rules: &KycVendors, now: Timestamp) -> Verdict<Self> {
        let Todo::Poll(_) = self.todo(now) else { return Verdict::Nothing("it is not asked about any more") };
        let Some(rule) = rules.rule(self.facts.vendor) else { return self.clone().over("its vendor has no rule", now) };
        if self.is_overdue(rule, now) {
            return self.clone().over("its time is over", now);
        }
        let mut next = self.clone();
        next.facts.failed = next.facts.failed.saturating_add(1);
        let wait = rule.attempt_wait(next.facts.failed);
        next.due = Some(now.plus(failure.retry_after.map_or(wait, |asked| wait.max(asked))));
        Verdict::change(next, "not_answered", vec![], vec![code(&failure.why)])
    }

    /// Whether it has come to no end for longer than the rules allow.
    pub(super) fn is_overdue(&self, rule: &VendorRule, now: Timestamp) -> bool {
        self.facts.state.is_asked_about() && self.facts.since.plus(rule.overdue_after) <= now
    }

    /// It is given up.
    pub(super) fn over(mut self, why: &str, now: Timestamp) -> Verdict<Self> {
        self.facts.state = CheckState::Expired;
        self.facts.since = now;
        self.inner = CheckPrivate::default();
        self.due = None;
        Verdict::change(self, "expired", vec!["kyc_check.updated"], vec![why.to_owned()])
    }

    /// It stands so from now on.
    pub(super) fn enter(&mut self, state: CheckState, labels: Vec<String>, rule: &VendorRule, now: Timestamp) {
        self.facts.state = state;
        self.facts.labels = labels;
        self.facts.since = now;
        self.facts.calling = None;
        self.facts.ask_at_once = false;
        (self.facts.failed, self.facts.polls) = (0, 0);
        self.due = state.is_asked_about().then(|| now.plus(rule.poll_wait(0)));
        if !state.is_open() {
            self.inner = CheckPrivate::default();
        }
    }

    /// Where the client goes, and until when, if that is known and good for a while.
    pub fn link(&self, now: Timestamp) -> Option<(&Redacted<String>, Timestamp)> {
        let (link, until) = (self.inner.link.as_ref()?, self.inner.link_until?);
        (self.facts.state.is_open() && now.plus(LINK_MARGIN) < until).then_some((link, until))
    }
}
