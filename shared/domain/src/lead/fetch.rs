//! Leads of Meta's ads: the webhook only announces them, their data is fetched by id.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Consent, Consents, ContactChannel, Lead, LeadStatus, Source, Submission};
use crate::contact::{self, Phone, ReadPhone};
use crate::decision::{Decision, Verdict, derived_bits};
use crate::lead::LeadChannel;
use crate::lead::rules::LeadIntake;
use crate::lead::rules::intake::{Form, FormField, Meta};
use crate::work::rules::WorkKind;
use crate::{LeadId, Seconds, Timestamp};

/// The first wait after a failed fetch; each further one is twice as long.
const RETRY_FIRST: Seconds = Seconds(60);
/// The longest wait.
const RETRY_LONGEST: Seconds = Seconds(3_600);
/// A worker that fetches is left alone for so long: longer than a function runs.
const LEASE: Seconds = Seconds(90);
/// Longest name and answer that are kept, in characters.
const TEXT_MAX: usize = 1_000;
/// Answers of a form that are kept; more are counted.
const ANSWERS_MAX: usize = 60;
/// What the platform's tool for trying a form writes into fields.
const TEST_ANSWER: &str = "<test lead: dummy data";
/// Names of fields that are told when none of them is known, and the longest of them.
const NAMES_TOLD: usize = 20;
const NAME_TOLD_CHARS: usize = 80;

/// What the webhook says of a lead.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "Meta names them")]
pub struct MetaLead {
    pub leadgen_id: String,
    /// Empty where the webhook did not say; the lead's data does.
    #[serde(default, skip_serializing_if = "String::is_empty")]
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
    /// Whether it is the sample that a developer has sent to a webhook: all its ids are fours, and nothing can be fetched.
    pub fn is_sample(&self) -> bool {
        self.leadgen_id.len() >= 6 && self.leadgen_id.bytes().all(|b| b == b'4')
    }

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

/// The answers of a form as the ad platform hands them out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Answers {
    /// Which form it was, where that is said.
    pub form_id: Option<String>,
    /// The form's fields in their order, each with everything that was answered.
    pub fields: Vec<(String, Vec<String>)>,
}

impl Answers {
    /// Whether they are the platform's own, made to try the form.
    pub fn are_a_test(&self, meta: &Meta) -> bool {
        let mut answers = self.fields.iter().flat_map(|(_, values)| values);
        answers.any(|answer| answer.trim().to_lowercase().starts_with(TEST_ANSWER) || meta.is_test_address(answer))
    }

    /// Whether anything in them would reach the person: without that they are no lead that anybody could call.
    pub fn are_understood(&self, meta: &Meta, form: &Form, types: &BTreeMap<String, FormField>) -> bool {
        let reaches = |(name, _): &(String, Vec<String>)| {
            matches!(meta.says(form, name, types), Some(FormField::Email | FormField::Phone))
        };
        self.fields.iter().any(reaches)
    }
}

/// What a fetch came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fetched {
    /// What was answered.
    Fields(Answers),
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
        let mut next = self.clone();
        next.due = Some(now.plus(RETRY_FIRST.doubled(meta.failed.saturating_sub(1), RETRY_LONGEST)));
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
    pub fn fetched(&self, form: Submission, meta: MetaLead) -> Self {
        let mut next = form.lead(self.id.clone());
        next.facts.created_at = self.facts.created_at;
        next.facts.meta = Some(meta);
        next
    }

    /// It is the platform's own, made to try the form: kept, and nobody's. It is no one's duplicate, and nobody is its.
    pub fn tested(&self, form: Submission, meta: MetaLead, now: Timestamp) -> Verdict<Self> {
        let FetchStep::Fetch(_) = self.fetch_step() else { return Verdict::Nothing("it was fetched meanwhile") };
        let why = vec![format!("Meta lead {} of form {} is a test", meta.leadgen_id, meta.form_id)];
        let mut next = self.fetched(form, meta);
        next.facts.status = LeadStatus::Test;
        next.facts.to_route = None;
        next.note(now, "a test of the form: no enquiry", "");
        Verdict::change(next, "test", vec![], why)
    }

    /// None of its fields is known by its name: its answers are kept, and a person enters the names in the rules.
    pub fn not_understood(
        &self,
        form: Submission,
        answers: &Answers,
        mut meta: MetaLead,
        now: Timestamp,
    ) -> Verdict<Self> {
        let FetchStep::Fetch(_) = self.fetch_step() else { return Verdict::Nothing("it was fetched meanwhile") };
        meta.failed = meta.failed.saturating_add(1);
        let trigger = format!("{} attempt {}", meta.leadgen_id, meta.failed);
        let told = |(name, _): &(String, Vec<String>)| name.chars().take(NAME_TOLD_CHARS).collect();
        let names: Vec<String> = answers.fields.iter().take(NAMES_TOLD).map(told).collect();
        let why = vec![format!(
            "no field of form {} is known as an address or a number; its {} fields: {}",
            meta.form_id,
            answers.fields.len(),
            names.join(", ")
        )];
        let fetched = self.fetched(form, meta);
        Verdict::Change(Box::new(fetched.escalates(WorkKind::LeadFormUnmapped, trigger, None, why, now)))
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
            left_out: 0,
        }
    }

    /// A lead of Meta's of which nothing can be fetched.
    pub fn of_nobody(lead: &MetaLead) -> Self {
        Self::nameless(source_of(lead, None), lead.sent_at())
    }

    /// A form of Meta's as the rule set reads it. What cannot be used as what it is asked for is named and kept as an answer;
    /// nobody could be asked to send it again.
    pub fn of_meta(read: &ReadForm<'_>, lead: &MetaLead, rules: &LeadIntake, phone: ReadPhone<'_>) -> Self {
        let form = read.form;
        let source = source_of(lead, form.campaign.as_deref());
        let mut made = Self::nameless(source, lead.sent_at());
        let (mut first_name, mut last_name, mut number) = (None, None, None);
        for (name, values) in &read.answers.fields {
            let values: Vec<String> =
                values.iter().map(|value| clean(value)).filter(|value| !value.is_empty()).collect();
            let Some((value, others)) = values.split_first() else { continue };
            let said = read.meta.says(form, name, read.types);
            let taken = match said {
                Some(FormField::Email) => made.keep(name, value, contact::email(value), |made| &mut made.email),
                Some(FormField::FullName) => fill(&mut made.full_name, value),
                Some(FormField::FirstName) => fill(&mut first_name, value),
                Some(FormField::LastName) => fill(&mut last_name, value),
                Some(FormField::Phone) => fill(&mut number, &(name, value.clone())),
                Some(FormField::Country) => {
                    made.keep(name, value, crate::country::by_code_or_name(value), |made| &mut made.country)
                }
                Some(FormField::Language) => {
                    made.keep(name, value, contact::language(value), |made| &mut made.language)
                }
                Some(FormField::PartnerCode) => {
                    let code = crate::visible::visible(value);
                    fill(&mut made.source.partner_code, &code.trim().to_owned())
                }
                None => false,
            };
            made.answer(name, if taken { others } else { &values });
        }
        made.language = made.language.or_else(|| form.language.clone());
        if made.full_name.is_none() {
            let parts: Vec<String> = [first_name, last_name].into_iter().flatten().collect();
            made.full_name = (!parts.is_empty()).then(|| parts.join(" "));
        }
        // after the fields: a national number is read in the country that another field may name
        let number = number.and_then(|(name, value)| made.number(name, &value, phone));
        let consent = Consent { given: true, at: lead.sent_at(), wording: Some(format!("meta form {}", lead.form_id)) };
        made.consents = form.consents.iter().map(|channel: &ContactChannel| (*channel, consent.clone())).collect();
        made.complete(number, rules);
        made
    }

    fn number(&mut self, name: &str, value: &str, phone: ReadPhone<'_>) -> Option<Phone> {
        let read = phone(value, self.country).ok().or_else(|| Phone::unread(value));
        if read.as_ref().is_none_or(|phone| phone.number.is_none()) {
            self.dropped.push(format!("{name} is no telephone number"));
        }
        if read.is_none() {
            self.answer(name, &[value.to_owned()]);
        }
        read
    }

    /// Keeps what was answered to a question: all of it, and beside what was answered to another of the same name.
    fn answer(&mut self, name: &str, values: &[String]) {
        if values.is_empty() {
            return;
        }
        let name = clean(name);
        if self.profile.len() >= ANSWERS_MAX && !self.profile.contains_key(&name) {
            self.left_out = self.left_out.saturating_add(1);
            return;
        }
        let before = match self.profile.remove(&name) {
            None => Vec::new(),
            Some(Value::Array(before)) => before,
            Some(one) => vec![one],
        };
        let mut all: Vec<Value> = before.into_iter().chain(values.iter().cloned().map(Value::String)).collect();
        let answer = if all.len() == 1 { all.swap_remove(0) } else { Value::Array(all) };
        self.profile.insert(name, answer);
    }

    /// Whether a value was taken for what it is asked for.
    fn keep<T>(
        &mut self,
        name: &str,
        value: &str,
        read: Option<T>,
        place: impl Fn(&mut Self) -> &mut Option<T>,
    ) -> bool {
        match read {
            Some(read) if place(self).is_none() => {
                *place(self) = Some(read);
                true
            }
            // a second one is kept as an answer
            Some(_) => false,
            None => {
                self.dropped.push(format!("{name} cannot be read ({} characters)", value.chars().count()));
                false
            }
        }
    }
}

/// What is needed to read the answers of a form.
#[derive(Debug, Clone, Copy)]
pub struct ReadForm<'a> {
    /// The answers.
    pub answers: &'a Answers,
    /// How fields are called.
    pub meta: &'a Meta,
    /// What the rules say of this form.
    pub form: &'a Form,
    /// How the platform types the form's questions, where it was asked.
    pub types: &'a BTreeMap<String, FormField>,
}

fn source_of(lead: &MetaLead, campaign: Option<&str>) -> Source {
    let form = || (!lead.form_id.is_empty()).then(|| lead.form_id.clone());
    Source {
        channel: LeadChannel::Social,
        campaign: campaign.map(str::to_owned).or_else(form),
        ad_id: lead.ad_id.clone(),
        partner_code: None,
    }
}

/// Takes the first value that is given.
fn fill<T: Clone>(place: &mut Option<T>, value: &T) -> bool {
    let free = place.is_none();
    if free {
        *place = Some(value.clone());
    }
    free
}

fn clean(text: &str) -> String {
    text.trim().chars().filter(|c| !c.is_control()).take(TEXT_MAX).collect()
}
