//! A lead: somebody who may become a client, from the form to the first call and back when nobody picks up.
//!
//! The public part ([`LeadFacts`]) is what events and journal carry; who the person is stays in [`LeadPerson`].

mod consent;
pub mod consequences;
pub mod contacts;
mod fetch;
mod join;
mod outcome;
mod placed;
pub mod plan;
pub mod rules;
pub mod score;
pub mod submission;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use consent::{Consent, Consents, ContactChannel};
pub use consequences::ConversionEnds;
pub use contacts::{Arrives, ContactTie, KnownContact};
pub use fetch::{Answers, FetchStep, Fetched, MetaLead, ReadForm, announced, lead_id_of};
pub use join::{Attribution, LaterForm};
pub use placed::{Assignment, NeedsPerson, Placed, Waiting};
pub use score::Scored;
pub use submission::{LeadChannel, Source, Submission};

use crate::contact;
use crate::entity::{Entity, InCrm, Parts, ReadError};
use crate::sales::AgentId;
use crate::words::words;
use crate::{ClientId, Country, LeadId, Redacted, Timestamp, Zone};

words! {
    /// Where a lead stands.
    LeadStatus {
        /// An ad platform named it; its data is still to be fetched.
        Announced = "announced",
        /// Taken; not yet routed.
        Received = "received",
        /// An agent has it and the clock runs.
        Assigned = "assigned",
        /// The agent began.
        Working = "working",
        /// The agent is done with it.
        Contacted = "contacted",
        /// Nobody can take it now.
        Waiting = "waiting",
        /// Gets a sequence of messages.
        Nurturing = "nurturing",
        /// The team lead decides.
        Escalated = "escalated",
        /// Given up.
        Closed = "closed",
        /// Became a client.
        Converted = "converted",
        /// Joined an earlier lead.
        Duplicate = "duplicate",
        /// Sent by the ad platform's own tool to try a form: no enquiry, and nobody's.
        Test = "test",
    }
}

impl LeadStatus {
    /// Whether a lead that stands here may be given to somebody else, or to somebody at all.
    pub const fn is_routable(self) -> bool {
        match self {
            Self::Received | Self::Assigned | Self::Waiting | Self::Nurturing => true,
            Self::Announced
            | Self::Working
            | Self::Contacted
            | Self::Escalated
            | Self::Closed
            | Self::Converted
            | Self::Duplicate
            | Self::Test => false,
        }
    }

    /// Whether nobody deals with it any more, so that its return begins anew.
    pub const fn is_over(self) -> bool {
        matches!(self, Self::Contacted | Self::Closed | Self::Converted)
    }
}

/// Something that the lead did.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Signal {
    /// What, e.g. `form_completed`.
    pub kind: String,
    /// When.
    pub at: Timestamp,
}

/// The lead's earlier lead.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Returning {
    /// The earlier lead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lead_id: Option<LeadId>,
    /// Who had it.
    pub agent_id: AgentId,
}

/// The public part of a lead.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeadFacts {
    /// Where it stands.
    pub status: LeadStatus,
    /// When it was first heard of.
    pub created_at: Timestamp,
    /// Where it came from.
    pub source: Source,
    /// Where it lives: as given, else of the telephone number, else of the language tag.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub country: Option<Country>,
    /// BCP 47.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// As given, else the country's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<Zone>,
    /// What it may be asked over which channel.
    #[serde(default, skip_serializing_if = "Consents::is_empty")]
    pub consents: Consents,
    /// What it did, oldest first; the newest [`SIGNALS_MAX`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub signals: Vec<Signal>,
    /// How promising it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scored: Option<Scored>,
    /// Something changed after which it is routed (again): `new`, `band`, `joined`, `consents`, `returned`, `person`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to_route: Option<String>,
    /// Who has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assignment: Option<Assignment>,
    /// Agents who had it and did not take it up: they are not asked again.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tried: Vec<AgentId>,
    /// Where it waits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waiting: Option<Waiting>,
    /// The sequence of messages it is in, and the how manieth sequence that is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sequence: Option<LeadSequence>,
    /// Who dealt with it, or its forerunner, before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub returning: Option<Returning>,
    /// The lead that this one joined.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duplicate_of: Option<LeadId>,
    /// An earlier lead of which a later form named the same address or number: perhaps the same person, whoever calls may ask.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub perhaps_same_as: Option<LeadId>,
    /// The newest leads that joined this one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub joined: Vec<LeadId>,
    /// What the ad platform announced.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub meta: Option<MetaLead>,
    /// What a person is asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub review: Option<NeedsPerson>,
    /// From its creation to the first touch, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_touch_ms: Option<i64>,
    /// The client it became.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_id: Option<ClientId>,
    /// It gave a telephone number, but one that could not be read or that no numbering plan lists.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub phone_unverified: bool,
    /// Whoever calls the number pays more than for a call: a premium-rate service, a satellite.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub phone_costs: bool,
    /// The address is not one that it began with: a form that joined it named it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub email_is_later: bool,
    /// The number is not one that it began with: a form that joined it named it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub phone_is_later: bool,
    /// Channels that it said no to itself, not in a form: a form that joins it does not open them again.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub withdrawn: BTreeSet<ContactChannel>,
}

/// The sequence of messages that a lead is in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeadSequence {
    /// Its name in the rule set `journeys`.
    pub name: String,
    /// Counts the lead's sequences, from 1.
    pub entry: u32,
}

/// One line of what happened to a lead.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "API.md names them")]
pub struct HistoryLine {
    pub at: Timestamp,
    pub what: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub why: String,
}

/// Why the lead is where it is: the newest routing decision in full.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoutingTrace {
    /// When.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
    /// The rules that were asked, in words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<String>,
    /// Every agent who could have got it, and why or why not.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub candidates: Vec<crate::sales::choose::Candidate>,
}

/// Who the lead is, and what grows too long for events.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeadPerson {
    /// In its one form.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<Redacted<String>>,
    /// E.164.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<Redacted<String>>,
    /// What was written as a number, where `phone` does not say all of it: a number that could not be read, an extension.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone_as_given: Option<Redacted<String>>,
    /// As given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub full_name: Option<Redacted<String>>,
    /// Answers of the form.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub profile: BTreeMap<String, Redacted<Value>>,
    /// Answers that there was no room for.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub profile_left_out: u32,
    /// How the forms that joined it named whoever sent them, oldest first; the newest twenty. Whoever calls sees them: not everybody
    /// who joins is who the first form says.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub later: Vec<LaterForm>,
    /// What happened, oldest first; the newest [`HISTORY_MAX`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub history: Vec<HistoryLine>,
    /// Why it is where it is.
    #[serde(default)]
    pub routing: RoutingTrace,
}

/// A lead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lead {
    /// Its id.
    pub id: LeadId,
    /// When something must happen to it by itself.
    pub due: Option<Timestamp>,
    /// What events carry.
    pub facts: LeadFacts,
    /// What they do not.
    pub person: LeadPerson,
}

/// Signals that are kept.
pub const SIGNALS_MAX: usize = 30;
/// Lines of history that are kept; the journal has them all.
pub const HISTORY_MAX: usize = 60;
/// Longest line of history, in bytes of each of its two texts.
const HISTORY_BYTES_MAX: usize = 1_000;
/// What a lead keeps of answers, in bytes of their names and of their JSON, however many forms give them.
const PROFILE_BYTES_MAX: usize = 64 * 1_024;
/// Joined leads that are named.
const JOINED_MAX: usize = 20;

impl Lead {
    fn note(&mut self, at: Timestamp, what: impl Into<String>, why: impl Into<String>) {
        self.person.history.push(HistoryLine { at, what: shortened(what.into()), why: shortened(why.into()) });
        let surplus = self.person.history.len().saturating_sub(HISTORY_MAX);
        self.person.history.drain(..surplus);
    }

    /// The agent who has it, or dealt with it or its forerunner before.
    pub fn owner(&self) -> Option<&AgentId> {
        let current = self.facts.assignment.as_ref().map(|assignment| &assignment.agent_id);
        current.or_else(|| self.facts.returning.as_ref().map(|returning| &returning.agent_id))
    }

    /// The number for whoever calls: as it is dialled, and as it was written where that says more.
    pub fn number_to_call(&self) -> Option<String> {
        let person = &self.person;
        match (&person.phone, &person.phone_as_given) {
            (Some(phone), None) => Some(phone.reveal().clone()),
            (None, given) => given.as_ref().map(|given| given.reveal().clone()),
            (Some(phone), Some(given)) => Some(format!("{} ({})", phone.reveal(), given.reveal())),
        }
    }

    /// Whether an address or a number is one that it began with. What a later form named proves nothing, and neither does a
    /// number that nobody knows to reach it.
    pub fn began_with(&self, email: &str, phone: Option<&str>) -> bool {
        let own = |value: &Option<Redacted<String>>, later: bool| value.clone().filter(|_| !later);
        let same_email = own(&self.person.email, self.facts.email_is_later)
            .is_some_and(|own| contact::contact_key("email", own.reveal()) == contact::contact_key("email", email));
        let same_phone = own(&self.person.phone, self.facts.phone_is_later || self.facts.phone_unverified)
            .zip(phone)
            .is_some_and(|(own, phone)| contact::same_mobile(own.reveal()) == contact::same_mobile(phone));
        same_email || same_phone
    }

    /// The language without script and region.
    pub fn primary_language(&self) -> Option<&str> {
        self.facts.language.as_deref().map(contact::primary_language)
    }
}

impl LeadPerson {
    /// Takes over answers to questions that were not answered before, as long as there is room: what a lead keeps must fit its
    /// item, whoever sends how many forms. The earlier ones stay.
    fn answered(&mut self, answers: &BTreeMap<String, Value>) {
        let bytes = |name: &str, value: &Value| name.len().saturating_add(value.to_string().len());
        let mut kept: usize = self.profile.iter().map(|(name, value)| bytes(name, value.reveal())).sum();
        for (name, value) in answers {
            if self.profile.contains_key(name) {
                continue;
            }
            let more = kept.saturating_add(bytes(name, value));
            if more > PROFILE_BYTES_MAX {
                self.profile_left_out = self.profile_left_out.saturating_add(1);
                continue;
            }
            kept = more;
            self.profile.insert(name.clone(), Redacted::new(value.clone()));
        }
    }
}

fn shortened(mut text: String) -> String {
    if text.len() > HISTORY_BYTES_MAX {
        let end = (0..=HISTORY_BYTES_MAX).rev().find(|end| text.is_char_boundary(*end));
        text.truncate(end.unwrap_or_default());
        text.push('…');
    }
    text
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
const fn is_zero(number: &u32) -> bool {
    *number == 0
}

/// The part of the waiting list that a pool's waiting leads are in.
pub fn waiting_list(pool: &str) -> String {
    format!("waiting#{pool}")
}

impl Entity for Lead {
    type Id = LeadId;
    type Table = InCrm;
    type Public = LeadFacts;
    type Private = LeadPerson;
    const KIND: &'static str = "lead";
    const TIMED: bool = true;

    fn id(&self) -> &LeadId {
        &self.id
    }

    fn client(&self) -> Option<&ClientId> {
        self.facts.client_id.as_ref()
    }

    fn due(&self) -> Option<Timestamp> {
        self.due
    }

    fn rank(&self) -> Option<(String, String)> {
        let waiting = self.facts.waiting.as_ref()?;
        Some((waiting_list(&waiting.pool_id), format!("{}#{}", waiting.since, self.id)))
    }

    fn public(&self) -> &LeadFacts {
        &self.facts
    }

    fn private(&self) -> &LeadPerson {
        &self.person
    }

    fn from_parts(parts: Parts<Self>) -> Result<Self, ReadError> {
        Ok(Self { id: parts.id, due: parts.due, facts: parts.public, person: parts.private })
    }
}
