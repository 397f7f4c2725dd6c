//! A series of messages to one reader: what comes next, and when.
//!
//! Whoever reads is asked for again right before each message: consent, exit conditions, the hour where they live. A message is
//! marked before it is handed over and never handed over twice: one whose sending broke off counts as sent.

pub mod rules;

use serde::{Deserialize, Serialize};

use crate::contact::name;
use crate::decision::{Decision, Verdict, derived_bits};
use crate::entity::{Entity, InCrm, Parts, ReadError};
use crate::journey::rules::{READER, Sequence, SequenceChannel, SequenceStep, Sequences};
use crate::lead::{ContactChannel, Lead, LeadStatus};
use crate::notification::{Fillings, render};
use crate::rules::RuleFault;
use crate::rules::evaluate::Outcome;
use crate::sales::calendar::Hours;
use crate::words::words;
use crate::{JourneyId, LeadId, Redacted, Seconds, Timestamp, Zone};

/// A worker that sends is left alone for so long: longer than a function runs.
pub const GRACE: Seconds = Seconds(90);
/// A message that could not be handed over is tried again after this.
const RETRY_AFTER: Seconds = Seconds(300);
/// How often; then the series goes on without it.
const TRIES_MAX: u32 = 12;

words! {
    /// Where a series stands.
    JourneyStatus {
        /// Goes on.
        Active = "active",
        /// All messages were sent or left out.
        Finished = "finished",
        /// Ended early.
        Ended = "ended",
    }
}

words! {
    /// What became of a message.
    MessageOutcome {
        /// Handed over.
        Sent = "sent",
        /// Handed over or not: the worker ended half-way. It is not sent again.
        Unknown = "unknown",
        /// The reader does not consent to the channel, or has no address there.
        NotAllowed = "not_allowed",
        /// The mail service refused it for good, or again and again.
        Refused = "refused",
    }
}

/// A message that was dealt with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Handled {
    /// The step of the sequence.
    pub step: String,
    /// When.
    pub at: Timestamp,
    /// What became of it.
    pub outcome: MessageOutcome,
}

/// The public part of a series.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JourneyFacts {
    /// The sequence of the rule set.
    pub sequence: String,
    /// The reader.
    pub lead_id: LeadId,
    /// How manieth series of the reader it is, from 1.
    pub entry: u32,
    /// Where it stands.
    pub status: JourneyStatus,
    /// When it began.
    pub began_at: Timestamp,
    /// What was dealt with, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub handled: Vec<Handled>,
    /// A message that is being handed over: its step and since when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sending: Option<(String, Timestamp)>,
    /// How often the next message could not be handed over.
    #[serde(default)]
    pub tries: u32,
    /// Why it ended early.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_by: Option<String>,
}

/// A series to one reader.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Journey {
    /// Its id, derived from the reader and how manieth series it is.
    pub id: JourneyId,
    /// When it is looked at next.
    pub due: Option<Timestamp>,
    /// What events carry.
    pub facts: JourneyFacts,
}

/// What a series needs now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NextStep {
    /// Save this: it waits, ends, or leaves a message out.
    Save(Box<Decision<Journey>>),
    /// Save this, then hand the message over.
    Send(Box<Decision<Journey>>, Box<Letter>),
    /// Nothing.
    Nothing(&'static str),
    /// Somebody is at it.
    Busy,
}

/// A message, complete.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter {
    /// The reader's address.
    pub to: Redacted<String>,
    /// The sender's address.
    pub from: String,
    /// The subject.
    pub subject: Redacted<String>,
    /// The text.
    pub body: Redacted<String>,
}

/// Why a series cannot go on: the rule set lacks what it needs.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JourneyError {
    /// The sequence is not there any more.
    #[error("there is no sequence `{0}`")]
    NoSequence(String),
    /// A text is not there or asks for what nobody gives.
    #[error("the text of step `{0}` cannot be written")]
    NoText(String),
    /// The exit condition could not be judged.
    #[error("the exit condition cannot be judged: {0}")]
    Exit(RuleFault),
}

/// The series that a lead's newest sequence begins; the same lead and sequence again is the same series.
pub fn begun(lead: &Lead, rules: &Sequences, now: Timestamp) -> Result<Option<Decision<Journey>>, JourneyError> {
    let (LeadStatus::Nurturing, Some(own)) = (lead.facts.status, &lead.facts.sequence) else { return Ok(None) };
    let sequence = rules.sequence(&own.name).ok_or_else(|| JourneyError::NoSequence(own.name.clone()))?;
    let facts = JourneyFacts {
        sequence: own.name.clone(),
        lead_id: lead.id.clone(),
        entry: own.entry,
        status: JourneyStatus::Active,
        began_at: now,
        handled: Vec::new(),
        sending: None,
        tries: 0,
        ended_by: None,
    };
    let due = sequence.steps.first().map(|step| now.plus(step.after));
    let journey = Journey { id: id_of(lead, own.entry), due, facts };
    let why = vec![format!("sequence {}", own.name)];
    Ok(Some(Decision::new(journey, "begun", vec!["journey.begun"], why)))
}

/// The id of a lead's series.
pub fn id_of(lead: &Lead, entry: u32) -> JourneyId {
    JourneyId::from_bits(derived_bits(lead.facts.created_at, &[lead.id.as_str(), "journey", &entry.to_string()]))
}

impl Journey {
    /// What it needs now, for the reader as they are now.
    ///
    /// # Errors
    /// [`JourneyError`].
    pub fn next_step(&self, rules: &Sequences, lead: &Lead, now: Timestamp) -> Result<NextStep, JourneyError> {
        if self.facts.status != JourneyStatus::Active {
            return Ok(NextStep::Nothing("it is over"));
        }
        if let Some((step, since)) = &self.facts.sending {
            if now < since.plus(GRACE) {
                return Ok(NextStep::Busy);
            }
            let sequence = rules.sequence(&self.facts.sequence);
            return Ok(self.handled(sequence, step, MessageOutcome::Unknown, now, "its worker ended half-way"));
        }
        if lead.facts.sequence.as_ref().is_none_or(|own| own.entry != self.facts.entry) {
            return Ok(NextStep::Save(Box::new(self.ends("a later series took its place".to_owned()))));
        }
        let Some(sequence) = rules.sequence(&self.facts.sequence) else {
            let gone = format!("the sequence `{}` is not in the rules any more", self.facts.sequence);
            return Ok(NextStep::Save(Box::new(self.ends(gone))));
        };
        if let Some(reason) = ended(sequence, lead)? {
            return Ok(NextStep::Save(Box::new(self.ends(reason))));
        }
        let Some(step) = self.step(sequence) else { return Ok(NextStep::Save(Box::new(self.finishes()))) };
        let from = self.last_at().plus(step.after).max(self.due.unwrap_or(Timestamp::EPOCH));
        if now < from {
            return Ok(self.waits(from));
        }
        let SequenceChannel::Email = step.channel;
        let Some(to) = lead.person.email.clone().filter(|_| lead.facts.consents.allows(ContactChannel::Email)) else {
            let why = "no consent or no address";
            return Ok(self.handled(Some(sequence), &step.id, MessageOutcome::NotAllowed, now, why));
        };
        if let Some(morning) = quiet_until(rules.quiet, lead.facts.time_zone.as_ref(), now) {
            return Ok(self.waits(morning));
        }
        let letter = letter(rules, step, lead, to, now)?;
        let mut next = self.clone();
        next.facts.sending = Some((step.id.clone(), now));
        next.due = Some(now.plus(GRACE));
        let why = vec![format!("step {}", step.id)];
        let decision = Decision::new(next, "sending", vec![], why);
        Ok(NextStep::Send(Box::new(decision), Box::new(letter)))
    }

    /// The first step that was not dealt with: a sequence may have changed since it began.
    fn step<'r>(&self, sequence: &'r Sequence) -> Option<&'r SequenceStep> {
        sequence.steps.iter().find(|step| !self.facts.handled.iter().any(|handled| handled.step == step.id))
    }

    fn last_at(&self) -> Timestamp {
        self.facts.handled.last().map_or(self.facts.began_at, |handled| handled.at)
    }

    fn waits(&self, until: Timestamp) -> NextStep {
        if self.due == Some(until) {
            return NextStep::Nothing("it is not time yet");
        }
        let mut next = self.clone();
        next.due = Some(until);
        let why = vec![format!("until {until}")];
        NextStep::Save(Box::new(Decision::new(next, "waits", vec![], why)))
    }

    /// A message is dealt with; the series is finished when that was the last, or the rules have no more.
    fn handled(
        &self,
        sequence: Option<&Sequence>,
        step: &str,
        outcome: MessageOutcome,
        now: Timestamp,
        why: &str,
    ) -> NextStep {
        let mut next = self.clone();
        next.facts.handled.push(Handled { step: step.to_owned(), at: now, outcome });
        next.facts.sending = None;
        next.facts.tries = 0;
        next.due = sequence.and_then(|sequence| next.step(sequence)).map(|step| now.plus(step.after));
        if next.due.is_none() {
            next.facts.status = JourneyStatus::Finished;
        }
        let why = vec![format!("step {step}: {outcome}, {why}")];
        let events = if next.due.is_none() { vec!["journey.finished"] } else { vec![] };
        NextStep::Save(Box::new(Decision::new(next, outcome.as_str(), events, why)))
    }

    fn ends(&self, reason: String) -> Decision<Self> {
        let mut next = self.clone();
        next.facts.status = JourneyStatus::Ended;
        next.facts.ended_by = Some(reason.clone());
        next.due = None;
        Decision::new(next, "ended", vec!["journey.ended"], vec![reason])
    }

    fn finishes(&self) -> Decision<Self> {
        let mut next = self.clone();
        next.facts.status = JourneyStatus::Finished;
        next.due = None;
        Decision::new(next, "finished", vec!["journey.finished"], vec![])
    }

    /// What became of the message that was being handed over.
    pub fn delivered(&self, outcome: &Delivery, rules: &Sequences, now: Timestamp) -> Verdict<Self> {
        let Some((step, _)) = &self.facts.sending else { return Verdict::Nothing("nothing was being sent") };
        let sequence = rules.sequence(&self.facts.sequence);
        let (outcome, why) = match outcome {
            Delivery::Sent => (MessageOutcome::Sent, "handed over".to_owned()),
            Delivery::Unknown(why) => (MessageOutcome::Unknown, why.clone()),
            Delivery::Refused(why) => (MessageOutcome::Refused, why.clone()),
            Delivery::NotNow(why) if self.facts.tries >= TRIES_MAX => (MessageOutcome::Refused, why.clone()),
            Delivery::NotNow(why) => {
                let mut next = self.clone();
                next.facts.sending = None;
                next.facts.tries = self.facts.tries.saturating_add(1);
                next.due = Some(now.plus(RETRY_AFTER));
                return Verdict::change(next, "not_sent", vec![], vec![why.clone()]);
            }
        };
        match self.handled(sequence, step, outcome, now, &why) {
            NextStep::Save(decision) => Verdict::Change(decision),
            NextStep::Send(..) | NextStep::Nothing(_) | NextStep::Busy => Verdict::Nothing("nothing to save"),
        }
    }
}

/// What the mail service said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Delivery {
    /// It took the message.
    Sent,
    /// Nobody knows.
    Unknown(String),
    /// It did not take it, and may later.
    NotNow(String),
    /// It will never take it.
    Refused(String),
}

fn ended(sequence: &Sequence, lead: &Lead) -> Result<Option<String>, JourneyError> {
    let scored = lead.facts.scored.as_ref();
    let (band, score) = scored.map_or(("", 0), |scored| (scored.band.as_str(), scored.score));
    match sequence.ends_for(lead).outcome {
        Outcome::Value(true) => Ok(Some(format!("status {}, band {band}, score {score}", lead.facts.status))),
        Outcome::Value(false) | Outcome::Skipped => Ok(None),
        Outcome::Error(fault) => Err(JourneyError::Exit(fault)),
    }
}

/// The end of the quiet hours that a moment lies in, by the reader's clock; UTC where that is unknown.
fn quiet_until(quiet: Hours, zone: Option<&Zone>, now: Timestamp) -> Option<Timestamp> {
    let zone = zone.cloned().unwrap_or_else(Zone::utc);
    let wall = zone.wall_clock(now);
    let minute = wall.minute_of_day();
    let (inside, next_day) = if quiet.is_overnight() {
        (minute >= quiet.from || minute < quiet.until, minute >= quiet.from)
    } else {
        ((quiet.from..quiet.until).contains(&minute), false)
    };
    let day = if next_day { wall.date().tomorrow().ok()? } else { wall.date() };
    // a clock that is put back may show the end twice: the first one that is still ahead
    inside
        .then(|| {
            zone.first_moment(day, quiet.until).filter(|end| *end > now).or_else(|| zone.last_moment(day, quiet.until))
        })
        .flatten()
}

fn letter(
    rules: &Sequences,
    step: &SequenceStep,
    lead: &Lead,
    to: Redacted<String>,
    now: Timestamp,
) -> Result<Letter, JourneyError> {
    let missing = || JourneyError::NoText(step.id.clone());
    let language = lead.facts.language.as_deref().unwrap_or(&rules.default_language);
    let (tag, text) = rules.text(&step.template, language).ok_or_else(missing)?;
    // the reader proved nothing, and neither did whoever gave the name: it is not a place for what a stranger wants to say
    let name = lead.person.full_name.as_ref();
    let first = name.and_then(|name| name::first_name(name.reveal())).unwrap_or_default();
    let fillings = Fillings::new()
        .with("name", first)
        .with("country", lead.facts.country.map_or("", |country| country.code()))
        .with("brand", rules.sender.name.as_str())
        .with("unsubscribe_url", rules.unsubscribe_url.replace(READER, lead.id.as_str()))
        .with("at", now);
    let fill = |wording| render(wording, tag, &fillings).map_err(|_| missing());
    Ok(Letter {
        to,
        from: rules.sender.address.clone(),
        subject: Redacted::new(fill(text.subject.as_ref().ok_or_else(missing)?)?),
        body: Redacted::new(fill(&text.body)?),
    })
}

impl Entity for Journey {
    type Id = JourneyId;
    type Table = InCrm;
    type Public = JourneyFacts;
    type Private = ();
    const KIND: &'static str = "journey";
    const TIMED: bool = true;

    fn id(&self) -> &JourneyId {
        &self.id
    }

    fn due(&self) -> Option<Timestamp> {
        self.due
    }

    fn public(&self) -> &JourneyFacts {
        &self.facts
    }

    fn private(&self) -> &() {
        &()
    }

    fn from_parts(parts: Parts<Self>) -> Result<Self, ReadError> {
        Ok(Self { id: parts.id, due: parts.due, facts: parts.public })
    }
}
