//! Whether something may be sent or offered: asked last, at the moment of sending, with one closed list of reasons.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::rules::{Channel, Journeys, Topic};
use super::subject::Subject;
use crate::client::Client;
use crate::client::consents::{ConsentChannel, ConsentTopic};
use crate::contact::name;
use crate::kyc::KycStatus;
use crate::lead::{ContactChannel, Lead, LeadSequence};
use crate::rules::texts::Text;
use crate::sales::calendar::Hours;
use crate::words::words;
use crate::{Redacted, Seconds, Timestamp, Zone};

/// What a text must use where the law wants a warning.
pub const RISK_WARNING: &str = "risk_warning";

words! {
    /// Why something is not sent, or not now.
    Reason {
        /// The reader does not agree to the channel.
        NoConsent = "no_consent",
        /// The reader does not want to hear of this.
        TopicRefused = "topic_refused",
        /// There is no address for the channel.
        NoAddress = "no_address",
        /// The address takes no mail.
        Bounced = "bounced",
        /// The reader reported us.
        Complained = "complained",
        /// The reader wrote STOP.
        OptedOut = "opted_out",
        /// The relation is over.
        Closed = "closed",
        /// For a while nothing is advertised to him, whatever the cause: a case of compliance looks like any other.
        Paused = "paused",
        /// It may not be offered where he lives.
        Barred = "barred",
        /// The law wants a warning that the text has not.
        NoRiskWarning = "no_risk_warning",
        /// There is no text that can be written.
        NoText = "no_text",
        /// It is night where he lives.
        QuietHours = "quiet_hours",
        /// He had enough over this channel.
        ChannelCap = "channel_cap",
        /// He had enough over all channels.
        OverallCap = "overall_cap",
        /// It waited so long that it helps nobody any more.
        TooLate = "too_late",
        /// The vendor refused it.
        Refused = "refused",
        /// Nobody knows whether it was handed over, so it is not sent again.
        Unknown = "unknown",
    }
}

impl Reason {
    /// What the reader himself is told of it, in a word: what he said, what his address did, what holds for anybody. Everything else is
    /// one word, so that he cannot tell a case of compliance from a vendor's refusal.
    pub fn as_told(self) -> &'static str {
        match self {
            Self::NoConsent
            | Self::TopicRefused
            | Self::NoAddress
            | Self::Bounced
            | Self::Complained
            | Self::OptedOut
            | Self::Barred
            | Self::QuietHours
            | Self::ChannelCap
            | Self::OverallCap
            | Self::Unknown => self.as_str(),
            Self::Closed | Self::Paused | Self::NoRiskWarning | Self::NoText | Self::TooLate | Self::Refused => {
                "not_sent"
            }
        }
    }
}

/// What stands in the way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hindrance {
    /// Why.
    pub reason: Reason,
    /// Until when; for good without it.
    pub until: Option<Timestamp>,
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ruling {
    /// Do it.
    Send,
    /// Ask again then.
    Defer(Reason, Timestamp),
    /// Never.
    Drop(Reason),
}

/// What is asked about.
#[derive(Debug, Clone, Copy)]
pub enum Asked<'r> {
    /// A message.
    Message {
        /// How it travels.
        channel: Channel,
        /// The words, where there are some in a language that serves.
        text: Option<&'r Text>,
        /// Since when it is to be sent, and how long that makes sense.
        since: Timestamp,
        /// How long that makes sense.
        give_up_after: Seconds,
    },
    /// Somebody is to call.
    Task,
    /// A bonus.
    Bonus,
}

/// A message that counts against the caps.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counted {
    /// When it was sent.
    #[serde(rename = "t")]
    pub at: Timestamp,
    /// How.
    #[serde(rename = "c")]
    pub channel: Channel,
}

/// What a reader already had.
#[derive(Debug, Clone, Copy)]
pub struct Had<'r> {
    /// Messages that count.
    pub sent: &'r [Counted],
    /// Until when each topic rests.
    pub pauses: &'r BTreeMap<Topic, Timestamp>,
}

/// A reader as he is when something is to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sight {
    /// As rules see him.
    pub subject: Subject,
    /// His addresses by channel.
    pub addresses: BTreeMap<Channel, Redacted<String>>,
    /// Channels that he agreed to.
    pub agreed: Vec<Channel>,
    /// He said that he is not to be called.
    pub refuses_calls: bool,
    /// Topics on which he said something.
    pub topics: BTreeMap<Topic, bool>,
    /// Where he lives.
    pub zone: Zone,
    /// Channels on which he cannot or must not be reached.
    pub suppressed: BTreeMap<Channel, Reason>,
    /// Nothing is advertised to him for a while.
    pub paused: bool,
    /// The relation is over.
    pub closed: bool,
    /// How he is addressed.
    pub first_name: String,
    /// Where he says no.
    pub unsubscribe_url: String,
    /// The series that routing put a lead into last.
    pub series: Option<LeadSequence>,
}

impl Sight {
    /// A lead.
    pub fn of_lead(lead: &Lead) -> Self {
        let own = &lead.facts.consents;
        let pairs = [(Channel::Email, ContactChannel::Email), (Channel::Sms, ContactChannel::Sms)];
        let agreed = pairs.into_iter().filter(|(_, theirs)| own.allows(*theirs)).map(|(channel, _)| channel).collect();
        let person = &lead.person;
        Self {
            subject: Subject::of_lead(lead),
            addresses: addresses(person.email.as_ref(), person.phone.as_ref()),
            agreed,
            refuses_calls: false,
            topics: BTreeMap::new(),
            zone: lead.facts.time_zone.clone().unwrap_or_else(Zone::utc),
            suppressed: BTreeMap::new(),
            paused: false,
            closed: false,
            first_name: spoken(person.full_name.as_ref()),
            unsubscribe_url: String::new(),
            series: lead.facts.sequence.clone(),
        }
    }

    /// A client, as `subject` sees him. `watched` says that compliance has something open.
    pub fn of_client(client: &Client, subject: Subject, watched: bool) -> Self {
        let own = &client.facts.consents;
        let pairs = [(Channel::Email, ConsentChannel::Email), (Channel::Sms, ConsentChannel::Sms)];
        let agreed = pairs.into_iter().filter(|(_, theirs)| own.allows(*theirs)).map(|(channel, _)| channel);
        let topic = |theirs: ConsentTopic| own.topics.get(&theirs).map(|said| said.given);
        let topics = [
            (Topic::Marketing, ConsentTopic::Marketing),
            (Topic::Education, ConsentTopic::Education),
            (Topic::Product, ConsentTopic::Product),
        ];
        let mut addresses = addresses(Some(&client.person.email), client.person.phone.as_ref());
        addresses.insert(Channel::InApp, Redacted::new(client.id.to_string()));
        let kyc = subject.kyc;
        let resting = matches!(kyc, Some(KycStatus::InReview | KycStatus::Expired));
        Self {
            subject,
            addresses,
            agreed: agreed.chain([Channel::InApp]).collect(),
            refuses_calls: own.channels.get(&ConsentChannel::Phone).is_some_and(|said| !said.given),
            topics: topics.into_iter().filter_map(|(own, theirs)| Some((own, topic(theirs)?))).collect(),
            zone: client.facts.residence.zone().unwrap_or_else(Zone::utc),
            suppressed: BTreeMap::new(),
            paused: watched || resting,
            closed: kyc == Some(KycStatus::Rejected),
            first_name: spoken(Some(&client.person.full_name)),
            unsubscribe_url: String::new(),
            series: None,
        }
    }
}

fn addresses(
    email: Option<&Redacted<String>>,
    phone: Option<&Redacted<String>>,
) -> BTreeMap<Channel, Redacted<String>> {
    let email = email.map(|address| (Channel::Email, address.clone()));
    let phone = phone.map(|number| (Channel::Sms, number.clone()));
    email.into_iter().chain(phone).collect()
}

/// Nobody proved a name: it is not a place for what a stranger wants to say.
fn spoken(name: Option<&Redacted<String>>) -> String {
    name.and_then(|name| name::first_name(name.reveal())).unwrap_or_default().to_owned()
}

/// Everything that stands in the way of something, the gravest first.
pub fn hindrances(
    asked: Asked<'_>,
    topic: Topic,
    sight: &Sight,
    had: Had<'_>,
    rules: &Journeys,
    now: Timestamp,
) -> Vec<Hindrance> {
    let mut found = Vec::new();
    let advertises = topic != Topic::Service;
    if sight.closed {
        found.push(never(Reason::Closed));
    }
    let rests = had.pauses.get(&topic).is_some_and(|until| *until > now);
    if advertises && (sight.paused || rests) {
        found.push(never(Reason::Paused));
    }
    let promotion = rules.promotion(&sight.subject, now);
    let barred = match asked {
        Asked::Bonus => !promotion.bonus,
        Asked::Message { .. } | Asked::Task => {
            matches!(topic, Topic::Marketing | Topic::Product) && !promotion.promotion
        }
    };
    if barred {
        found.push(never(Reason::Barred));
    }
    if matches!(asked, Asked::Task) && advertises && sight.refuses_calls {
        found.push(never(Reason::NoConsent));
    }
    let Asked::Message { channel, text, since, give_up_after } = asked else { return found };
    if !sight.addresses.contains_key(&channel) {
        found.push(never(Reason::NoAddress));
    }
    found.extend(sight.suppressed.get(&channel).map(|reason| never(*reason)));
    if advertises && !sight.agreed.contains(&channel) {
        found.push(never(Reason::NoConsent));
    }
    if advertises && !sight.topics.get(&topic).copied().unwrap_or(rules.unsaid_topics_follow || sight.topics_unasked())
    {
        found.push(never(Reason::TopicRefused));
    }
    match text {
        None => found.push(never(Reason::NoText)),
        Some(text) if advertises && promotion.warning && !uses(text, RISK_WARNING) => {
            found.push(never(Reason::NoRiskWarning));
        }
        Some(_) => {}
    }
    if advertises {
        found.extend(waits(channel, sight, had, rules, now));
    }
    let latest = since.plus(give_up_after);
    if now > latest || found.iter().any(|own| own.until.is_some_and(|until| until > latest)) {
        found.push(never(Reason::TooLate));
    }
    found
}

impl Sight {
    /// Leads are asked about channels alone.
    fn topics_unasked(&self) -> bool {
        self.subject.audience == super::subject::Audience::Lead
    }
}

fn never(reason: Reason) -> Hindrance {
    Hindrance { reason, until: None }
}

fn uses(text: &Text, name: &str) -> bool {
    text.body.names().any(|used| used == name)
}

/// What only time stands in the way of.
fn waits(channel: Channel, sight: &Sight, had: Had<'_>, rules: &Journeys, now: Timestamp) -> Vec<Hindrance> {
    let mut found = Vec::new();
    let wait = |reason, until| Hindrance { reason, until: Some(until) };
    if channel != Channel::InApp {
        found.extend(quiet_until(rules.quiet, &sight.zone, now).map(|until| wait(Reason::QuietHours, until)));
    }
    let own = |counted: &&Counted| counted.channel == channel;
    let on_channel = rules.channel_cap.free_at(had.sent.iter().filter(own), now);
    found.extend(on_channel.map(|until| wait(Reason::ChannelCap, until)));
    found.extend(rules.overall_cap.free_at(had.sent.iter(), now).map(|until| wait(Reason::OverallCap, until)));
    found
}

/// Of everything that stands in the way, what follows: the gravest decides, and of several waits the longest.
pub fn ruling(found: &[Hindrance]) -> Ruling {
    if let Some(never) = found.iter().find(|own| own.until.is_none()) {
        return Ruling::Drop(never.reason);
    }
    let longest = found.iter().filter_map(|own| Some((own.until?, own.reason))).max_by_key(|(until, _)| *until);
    longest.map_or(Ruling::Send, |(until, reason)| Ruling::Defer(reason, until))
}

/// The end of the quiet hours that a moment lies in, by the reader's clock.
fn quiet_until(quiet: Hours, zone: &Zone, now: Timestamp) -> Option<Timestamp> {
    let wall = zone.wall_clock(now);
    let minute = wall.minute_of_day();
    let (inside, next_day) = if quiet.is_overnight() {
        (minute >= quiet.from || minute < quiet.until, minute >= quiet.from)
    } else {
        ((quiet.from..quiet.until).contains(&minute), false)
    };
    let day = if next_day { wall.date().tomorrow().ok()? } else { wall.date() };
    // a clock that is put back may show the end twice: the first one that is still ahead
    let end = || zone.first_moment(day, quiet.until).filter(|end| *end > now);
    inside.then(|| end().or_else(|| zone.last_moment(day, quiet.until))).flatten()
}
