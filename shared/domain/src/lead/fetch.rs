//! Leads of Meta's ads: the webhook only announces them, their data is fetched by id.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Consent, Consents, ContactChannel, Lead, LeadStatus, Source, Submission};
use crate::contact::{self, ReadPhone};
use crate::decision::{Decision, Verdict, derived_bits};
use crate::lead::LeadChannel;
use crate::lead::rules::LeadIntake;
use crate::lead::rules::intake::{Form, FormField};
use crate::work::rules::WorkKind;
use crate::{LeadId, Seconds, Timestamp};

/// The first wait after a failed fetch; each further one is twice as long.
const RETRY_FIRST: Seconds = Seconds(60);
/// The longest wait.
const RETRY_LONGEST: Seconds = Seconds(3_600);
/// A worker that fetches is left alone for so long: longer than a function runs.
const LEASE: Seconds = Seconds(90);
/// Longest name and answer that are kept, in characters.
const TEXT_MAX: usize = 200;
/// Answers of a form that are kept.
const ANSWERS_MAX: usize = 40;

/// What the webhook says of a lead.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "Meta names them")]
pub struct MetaLead {
    pub leadgen_id: String,
    pub form_id: String,
    pub page_id: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ad_id: Option<String>,
    /// When the form was sent, as Meta says; the start of 1970 where it says nothing.
    pub created_at: Timestamp,
    /// Fetches that failed.
    #[serde(default)]
    pub failed: u32,
    /// Since when it is tried.
    pub since: Timestamp,
}

impl MetaLead {
    /// When the form was sent: not after we were told of it, and then where Meta does not say.
    fn sent_at(&self) -> Timestamp {
        if self.created_at == Timestamp::EPOCH { self.since } else { self.created_at.min(self.since) }
    }
}

/// Our id of a lead of Meta's: the same announcement twice is the same lead.
pub fn lead_id_of(lead: &MetaLead) -> LeadId {
    LeadId::from_bits(derived_bits(lead.created_at, &["meta", &lead.leadgen_id]))
}

/// A lead that was announced and whose data is still to be fetched.
pub fn announced(meta: MetaLead, now: Timestamp) -> Decision<Lead> {
    let source = Source { channel: LeadChannel::Social, campaign: None, ad_id: meta.ad_id.clone(), partner_code: None };
    let id = lead_id_of(&meta);
    let mut lead = Submission::nameless(source, meta.sent_at()).lead(id);
    lead.facts.status = LeadStatus::Announced;
    lead.facts.to_route = None;
    lead.facts.meta = Some(meta);
    lead.due = Some(now.plus(LEASE));
    Decision::new(lead, "announced", vec!["lead.announced"], vec![])
}

/// What a fetch came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fetched {
    /// The form's fields in their order.
    Fields(Vec<(String, Vec<String>)>),
    /// Not now: the API does not answer, or asks to wait.
    Silent(String),
    /// Never: the API refuses for good.
    Refused(String),
}

/// What an announced lead needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FetchStep {
    /// Its data.
    Fetch(MetaLead),
    /// Nothing.
    Nothing(&'static str),
}

impl Lead {
    /// What it needs now.
    pub fn fetch_step(&self) -> FetchStep {
        match (&self.facts.meta, self.facts.status) {
            (Some(meta), LeadStatus::Announced) => FetchStep::Fetch(meta.clone()),
            _ => FetchStep::Nothing("its data was fetched, or a person has it"),
        }
    }

    /// The fetch failed: again later, or a person.
    pub fn not_fetched(&self, outcome: &Fetched, retry_for: Seconds, now: Timestamp) -> Verdict<Self> {
        let FetchStep::Fetch(mut meta) = self.fetch_step() else { return Verdict::Nothing("it was fetched meanwhile") };
        let (what, final_word) = match outcome {
            Fetched::Fields(_) => return Verdict::Nothing("it was fetched"),
            Fetched::Silent(what) => (what, now >= meta.since.plus(retry_for)),
            Fetched::Refused(what) => (what, true),
        };
        meta.failed = meta.failed.saturating_add(1);
        let why = vec![format!("Meta lead {}: {what}", meta.leadgen_id)];
        if final_word {
            let trigger = format!("{} attempt {}", meta.leadgen_id, meta.failed);
            let mut decision = self.escalates(WorkKind::LeadNotFetched, trigger, None, why, now);
            decision.next.due = None;
            decision.next.facts.meta = Some(meta);
            return Verdict::Change(Box::new(decision));
        }
        let doubled = RETRY_FIRST.0.saturating_mul(1 << meta.failed.saturating_sub(1).min(10));
        let mut next = self.clone();
        next.due = Some(now.plus(Seconds(doubled.min(RETRY_LONGEST.0))));
        next.facts.meta = Some(meta);
        Verdict::change(next, "not_fetched", vec![], why)
    }

    pub(super) fn fetch_anew(&mut self, now: Timestamp) {
        self.facts.status = LeadStatus::Announced;
        self.facts.review = None;
        self.due = Some(now.plus(LEASE));
        if let Some(meta) = &mut self.facts.meta {
            meta.since = now;
        }
    }

    /// The form's fields as the lead that they make; its history goes on.
    #[must_use]
    pub fn fetched(&self, form: Submission) -> Self {
        let mut next = form.lead(self.id.clone());
        next.facts.created_at = self.facts.created_at;
        next.facts.meta.clone_from(&self.facts.meta);
        next
    }
}

impl Submission {
    fn nameless(source: Source, at: Timestamp) -> Self {
        Self {
            email: None,
            phone: None,
            full_name: None,
            country: None,
            language: None,
            time_zone: None,
            source,
            consents: Consents::default(),
            profile: Default::default(),
            at,
            dropped: Vec::new(),
        }
    }

    /// A form of Meta's as the rule set reads it. What cannot be used is left out and named; nobody could be asked to send
    /// it again.
    pub fn of_meta(
        fields: &[(String, Vec<String>)],
        form: &Form,
        lead: &MetaLead,
        rules: &LeadIntake,
        phone: ReadPhone<'_>,
    ) -> Self {
        let campaign = form.campaign.clone().unwrap_or_else(|| lead.form_id.clone());
        let source = Source {
            channel: LeadChannel::Social,
            campaign: Some(campaign),
            ad_id: lead.ad_id.clone(),
            partner_code: None,
        };
        let mut made = Self { language: form.language.clone(), ..Self::nameless(source, lead.sent_at()) };
        let mut names = (None, None);
        let mut number = None;
        for (name, values) in fields {
            let value = clean(values.first().map_or("", String::as_str));
            match form.fields.get(name) {
                _ if value.is_empty() => {}
                Some(FormField::Email) => {
                    made.keep(name, &value, contact::email(&value), |made, email| made.email = Some(email))
                }
                Some(FormField::FullName) => made.full_name = Some(value),
                Some(FormField::FirstName) => names.0 = Some(value),
                Some(FormField::LastName) => names.1 = Some(value),
                Some(FormField::Phone) => number = Some((name, value)),
                Some(FormField::Country) => {
                    made.keep(name, &value, crate::country::by_code_or_name(&value), |made, country| {
                        made.country = Some(country)
                    });
                }
                Some(FormField::Language) => {
                    made.keep(name, &value, contact::language(&value), |made, tag| made.language = Some(tag));
                }
                Some(FormField::PartnerCode) => {
                    made.source.partner_code = Some(crate::visible::visible(&value).trim().to_owned());
                }
                None if made.profile.len() < ANSWERS_MAX => {
                    made.profile.insert(clean(name), Value::String(value));
                }
                None => {}
            }
        }
        if made.full_name.is_none() {
            let parts: Vec<String> = [names.0, names.1].into_iter().flatten().collect();
            made.full_name = (!parts.is_empty()).then(|| parts.join(" "));
        }
        // after the fields: a national number is read in the country that another field may name
        let read = number.and_then(|(name, value)| {
            let read = phone(&value, made.country);
            if read.is_none() {
                made.dropped.push(format!("{name} is no telephone number"));
            }
            read
        });
        made.phone = read.as_ref().map(|number| number.e164.clone());
        let consent = Consent { given: true, at: lead.sent_at(), wording: Some(format!("meta form {}", lead.form_id)) };
        made.consents = form.consents.iter().map(|channel: &ContactChannel| (*channel, consent.clone())).collect();
        made.complete(read.and_then(|number| number.country), rules);
        made
    }

    fn keep<T>(&mut self, name: &str, value: &str, read: Option<T>, set: impl FnOnce(&mut Self, T)) {
        match read {
            Some(read) => set(self, read),
            None => self.dropped.push(format!("{name} cannot be read ({} characters)", value.chars().count())),
        }
    }
}

fn clean(text: &str) -> String {
    text.trim().chars().filter(|c| !c.is_control()).take(TEXT_MAX).collect()
}
