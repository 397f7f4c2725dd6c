//! The same person again: what a later form adds to the first lead.

use serde::{Deserialize, Serialize};

use super::{Consents, ContactChannel, JOINED_MAX, Lead, LeadPerson, LeadStatus, Returning, Submission};
use crate::decision::{Decision, Verdict};
use crate::lead::rules::LeadScoring;
use crate::rules::RuleError;
use crate::words::words;
use crate::{LeadId, Redacted, Timestamp};

words! {
    /// Whose advertisement counts when the same person comes several times.
    Attribution {
        /// The earliest.
        First = "first",
        /// The newest.
        Last = "last",
    }
}

/// Later forms that are shown.
pub(super) const LATER_MAX: usize = 20;
/// Longest name or number of a later form that is kept, in characters.
const LATER_TEXT_MAX: usize = 200;

/// How a form that joined a lead named whoever sent it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "API.md names them")]
pub struct LaterForm {
    pub at: Timestamp,
    /// The record of the form.
    pub lead_id: LeadId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub full_name: Option<Redacted<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<Redacted<String>>,
    /// As it is dialled, else as it was written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<Redacted<String>>,
}

impl LaterForm {
    fn of(form: &Submission, lead_id: &LeadId, at: Timestamp) -> Self {
        let kept = |text: &str| Redacted::new(text.chars().take(LATER_TEXT_MAX).collect());
        let phone = form.phone.as_ref().and_then(|phone| phone.e164().or(phone.as_given.as_deref()));
        Self {
            at,
            lead_id: lead_id.clone(),
            full_name: form.full_name.as_deref().map(kept),
            email: form.email.as_deref().map(kept),
            phone: phone.map(kept),
        }
    }

    fn says_what(&self, other: &Self) -> bool {
        (&self.full_name, &self.email, &self.phone) == (&other.full_name, &other.email, &other.phone)
    }
}

impl Lead {
    /// Joins the lead that a later form would begin to this lead. Joining it again changes nothing.
    ///
    /// What the first form lacked is filled in; what it said stays. Both count for the score. A lead that nobody has is
    /// routed again, one that nobody deals with any more to whoever had it.
    ///
    /// # Errors
    /// [`RuleError`].
    pub fn join(
        &self,
        later: &Self,
        form: &Submission,
        attribution: Attribution,
        scoring: &LeadScoring,
        now: Timestamp,
    ) -> Result<Verdict<Self>, RuleError> {
        let id = &later.id;
        if self.facts.joined.contains(id) {
            return Ok(Verdict::Nothing("it joined before"));
        }
        let mut next = self.clone();
        next.agree(&form.consents, now);
        next.fill_in(form);
        next.did(&later.facts.signals);
        if attribution == Attribution::Last {
            next.facts.source = form.source.clone();
        }
        next.facts.joined.push(id.clone());
        let surplus = next.facts.joined.len().saturating_sub(JOINED_MAX);
        next.facts.joined.drain(..surplus);
        next.note(now, "joined", format!("{id} over {}", form.source.channel));
        next.person.remember(LaterForm::of(form, id, now));
        let scored = next.score(scoring, now)?;
        let mut next = next.rescored(scored);
        next.reconsidered("joined");
        if self.facts.status.is_over() && self.facts.status != LeadStatus::Converted {
            next.come_back("returned");
        }
        let mut events = vec!["lead.joined"];
        if next.is_routed_after(self) {
            events.push("lead.received");
        }
        let mut why = vec![format!("{id} has the same e-mail or telephone number")];
        why.extend(next.why_scored());
        Ok(Verdict::change(next, "joined", events, why))
    }

    /// The lead says what it agrees to, or no longer does.
    ///
    /// # Errors
    /// [`RuleError`].
    pub fn consented(
        &self,
        said: &Consents,
        scoring: &LeadScoring,
        now: Timestamp,
    ) -> Result<Verdict<Self>, RuleError> {
        let mut next = self.clone();
        next.facts.consents.merge(said);
        for channel in ContactChannel::ALL.iter().filter(|channel| said.get(**channel).is_some()) {
            if next.facts.consents.allows(*channel) {
                next.facts.withdrawn.remove(channel);
            } else {
                next.facts.withdrawn.insert(*channel);
            }
        }
        if (&next.facts.consents, &next.facts.withdrawn) == (&self.facts.consents, &self.facts.withdrawn) {
            return Ok(Verdict::Nothing("it is known"));
        }
        let words: Vec<String> = ContactChannel::ALL
            .iter()
            .filter(|channel| next.facts.consents.get(**channel) != self.facts.consents.get(**channel))
            .map(|channel| format!("{channel} {}", if next.facts.consents.allows(*channel) { "yes" } else { "no" }))
            .collect();
        next.note(now, "consents changed", words.join(", "));
        let mut events = vec!["lead.consents"];
        // an announced lead is scored when its data is there, a joined one and a test never
        if !matches!(self.facts.status, LeadStatus::Duplicate | LeadStatus::Announced | LeadStatus::Test) {
            let scored = next.score(scoring, now)?;
            next = next.rescored(scored);
        }
        next.reconsidered("consents");
        if next.is_routed_after(self) {
            events.push("lead.received");
        }
        Ok(Verdict::change(next, "consents", events, words))
    }

    /// Begins anew: routed again, with whoever had it asked first.
    pub(super) fn come_back(&mut self, reason: &str) {
        if let Some(owner) = self.owner().cloned() {
            self.facts.returning = Some(Returning { lead_id: None, agent_id: owner });
        }
        self.facts.assignment = None;
        self.facts.tried.clear();
        self.facts.status = LeadStatus::Received;
        self.facts.to_route = Some(reason.to_owned());
        self.facts.review = None;
    }

    /// What a later form agrees to. Whoever knows the address may send one: what the person took back stays taken back.
    fn agree(&mut self, said: &Consents, now: Timestamp) {
        let withdrawn = &self.facts.withdrawn;
        let stays = ContactChannel::ALL.iter().filter(|channel| withdrawn.contains(channel) && said.allows(**channel));
        let stays: Vec<&str> = stays.map(|channel| channel.as_str()).collect();
        self.facts.consents.merge(&said.without_given(withdrawn));
        if !stays.is_empty() {
            self.note(now, "consent not taken", format!("the lead itself said no to {}", stays.join(", ")));
        }
    }

    fn fill_in(&mut self, form: &Submission) {
        let person = &mut self.person;
        let personal = |value: &Option<String>| value.clone().map(Redacted::new);
        if person.email.is_none() && form.email.is_some() {
            person.email = personal(&form.email);
            self.facts.email_is_later = true;
        }
        person.full_name = person.full_name.take().or_else(|| personal(&form.full_name));
        person.profile_left_out = person.profile_left_out.saturating_add(form.left_out);
        person.answered(&form.profile);
        self.take_number_of(form);
        let facts = &mut self.facts;
        facts.country = facts.country.or(form.country);
        facts.language = facts.language.take().or_else(|| form.language.clone());
        facts.time_zone = facts.time_zone.take().or_else(|| form.time_zone.clone());
    }

    /// The later form's number, where there is none that is known to reach the lead. What cannot be read never takes the place
    /// of what can; what was written before it is still said.
    fn take_number_of(&mut self, form: &Submission) {
        let Some(phone) = &form.phone else { return };
        let has_one = self.person.phone.is_some() || self.person.phone_as_given.is_some();
        if has_one && (phone.is_unverified() || !self.facts.phone_unverified) {
            return;
        }
        let before = self.number_to_call();
        let given: Vec<&str> = before.as_deref().into_iter().chain(phone.as_given.as_deref()).collect();
        self.person.phone_as_given = (!given.is_empty()).then(|| Redacted::new(given.join("; ")));
        self.person.phone = phone.e164().map(|e164| Redacted::new(e164.to_owned()));
        self.facts.phone_unverified = phone.is_unverified();
        self.facts.phone_costs = phone.costs();
        self.facts.phone_is_later = true;
    }

    /// The later form's own record: it says which lead it joined.
    pub fn duplicate(mut self, of: LeadId) -> Decision<Self> {
        self.facts.status = LeadStatus::Duplicate;
        self.facts.to_route = None;
        self.facts.duplicate_of = Some(of.clone());
        let why = vec![format!("same e-mail or telephone number as {of}")];
        Decision::new(self, "duplicate", vec!["lead.duplicate"], why)
    }

    /// A new lead. `before` is the same person's lead of another time and who had it.
    pub fn received(mut self, before: Option<Returning>) -> Decision<Self> {
        let why = self.why_scored();
        self.facts.returning = before;
        Decision::new(self, "received", vec!["lead.received"], why)
    }

    /// Says of a new lead which earlier one it may be the same person as.
    #[must_use]
    pub fn perhaps_same_as(mut self, other: &LeadId, now: Timestamp) -> Self {
        self.note(now, format!("perhaps the same as {other}"), "a later form of that lead has its address or number");
        self.facts.perhaps_same_as = Some(other.clone());
        self
    }
}

impl LeadPerson {
    /// Keeps how a later form names whoever sent it, unless one before it said the same.
    fn remember(&mut self, form: LaterForm) {
        if self.later.iter().any(|known| known.says_what(&form)) {
            return;
        }
        self.later.push(form);
        let surplus = self.later.len().saturating_sub(LATER_MAX);
        self.later.drain(..surplus);
    }
}
