//! The rule set `journeys`: what is written, offered and asked of whom, when, and what holds for all of it: hours of quiet, caps, where
//! nothing may be advertised, the warning that the law wants, the words.

pub mod definition;

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value as Json;

pub use definition::{Act, Begins, BonusAct, Definition, EXIT, Goal, MessageAct, Reentry, Step};

use crate::input::Fault;
use crate::journey::sending::{Counted, RISK_WARNING};
use crate::journey::subject::{Audience, Subject, Trigger, fields};
use crate::rules::RuleSet;
use crate::rules::condition::Condition;
use crate::rules::evaluate::{NodeTrace, Outcome, evaluate};
use crate::rules::parse::read_when;
use crate::rules::read::{Faults, Node, Object, optional, read_document};
use crate::rules::rule_set::{Offer, Reference};
use crate::rules::schema::Schema;
use crate::rules::table::unique_name;
use crate::rules::texts::{Sender, Template, Text, nearest, read_sender, read_templates};
use crate::sales::calendar::Hours;
use crate::sales::rules::hours_of_day;
use crate::words::words;
use crate::{Day, Seconds, Timestamp};

const JOURNEYS_MAX: usize = 100;
const PROMOTIONS_MAX: usize = 50;
const URL_CHARS_MAX: usize = 120;
const WARNING_CHARS_MAX: usize = 200;
const MONTH: Seconds = Seconds(31 * 86_400);
/// What the link to unsubscribe has in the place of who unsubscribes from what.
pub const TOKEN: &str = "{token}";
/// The word that a text message must name: who answers it gets no more.
pub const STOP: &str = "STOP";
/// What the texts may use.
pub const NAMES: [&str; 6] = ["name", "country", "brand", "unsubscribe_url", "at", RISK_WARNING];

words! {
    /// How a message travels.
    Channel {
        /// E-mail.
        Email = "email",
        /// Text message.
        Sms = "sms",
        /// The list of messages in the client's portal.
        InApp = "in_app",
    }
}

words! {
    /// What a message is about.
    Topic {
        /// Offers.
        Marketing = "marketing",
        /// Courses and articles.
        Education = "education",
        /// What is new in what he uses.
        Product = "product",
        /// What he asked for himself: it advertises nothing.
        Service = "service",
    }
}

/// At most so many messages within so long.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Cap {
    /// How many.
    pub most: u32,
    /// Within how long.
    pub within: Seconds,
}

impl Cap {
    /// From when on one more fits, where none fits now.
    pub(super) fn free_at<'c>(&self, sent: impl Iterator<Item = &'c Counted>, now: Timestamp) -> Option<Timestamp> {
        let mut ends: Vec<Timestamp> = sent.map(|own| own.at.plus(self.within)).filter(|end| *end > now).collect();
        ends.sort();
        let most = usize::try_from(self.most).unwrap_or(usize::MAX);
        let beyond = ends.len().checked_sub(most)?;
        ends.get(beyond).copied()
    }
}

/// What holds for readers of a place, from a day on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PromotionRow {
    /// Its name.
    pub id: String,
    /// For whom.
    pub when: Condition,
    /// From which day on.
    pub from: Day,
    /// Up to which day, which is not of it.
    pub until: Option<Day>,
    /// What then.
    pub then: Promotion,
}

/// What may be advertised to a reader.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Promotion {
    /// Anything at all.
    pub promotion: bool,
    /// A bonus.
    pub bonus: bool,
    /// Only with the warning.
    pub warning: bool,
}

/// The warning of risk in its languages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Warning {
    /// How many of a hundred retail clients lose money.
    pub loss_percent: u32,
    /// As of when.
    pub at: Day,
    texts: BTreeMap<String, String>,
}

/// How text messages are sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Sms {
    /// Base of the vendor's interface.
    pub url: String,
    /// The name of the secret with the account.
    pub secret: String,
    /// The sender: a number or a name.
    pub from: String,
    /// Where the vendor tells what became of one.
    pub callback_url: String,
}

/// The rule set `journeys`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Journeys {
    /// No message is sent in these hours of the reader's day.
    pub quiet: Hours,
    /// Messages of one channel.
    pub channel_cap: Cap,
    /// Messages of all channels.
    pub overall_cap: Cap,
    /// Of a topic that a client said nothing about, his word on the channel holds; otherwise it is refused.
    pub unsaid_topics_follow: bool,
    /// How often a mailbox may refuse for a time before it counts as gone.
    pub soft_bounces: u32,
    /// Where a reader unsubscribes; has [`TOKEN`] in it.
    pub unsubscribe_url: String,
    /// The name of the secret that those links are signed with.
    pub unsubscribe_secret: String,
    /// The SNS topics that tell of bounces and complaints, as far as they are named.
    pub mail_topics: Vec<String>,
    /// The base of the addresses at which SNS has its certificates.
    pub mail_certificates: String,
    /// Text messages.
    pub sms: Sms,
    /// Who sends mail: address and name.
    pub sender: Sender,
    /// The language of readers whose own there is no text in.
    pub default_language: String,
    /// What the law wants said.
    pub warning: Warning,
    promotions: Vec<PromotionRow>,
    journeys: BTreeMap<String, Definition>,
    templates: BTreeMap<String, Template>,
}

impl RuleSet for Journeys {
    const NAME: &'static str = "journeys";
    const OFFERS: &'static [Offer<Self>] = &[Offer {
        what: "sequence",
        names: |set| {
            let of_leads = |own: &&Definition| own.audience == Audience::Lead;
            set.journeys.values().filter(of_leads).map(|own| own.id.clone()).collect()
        },
    }];

    fn parse(document: &Json) -> Result<Self, Vec<Fault>> {
        read_document(document, read)
    }

    fn references(&self) -> Vec<Reference> {
        let steps = self.journeys.values().flat_map(|own| &own.steps);
        let named = |step: &Step| match &step.act {
            Act::Bonus(BonusAct::Campaign { campaign, pointer }) => {
                Some(Reference { pointer: pointer.clone(), what: "bonus_campaign", name: campaign.clone() })
            }
            _ => None,
        };
        steps.filter_map(named).collect()
    }
}

impl Journeys {
    /// A journey.
    pub fn journey(&self, id: &str) -> Option<&Definition> {
        self.journeys.get(id)
    }

    /// All of them.
    pub fn journeys(&self) -> impl Iterator<Item = &Definition> {
        self.journeys.values()
    }

    /// Whether any journey begins with something, waits for it or is for it.
    pub fn listens(&self, trigger: Trigger) -> bool {
        let waits = |step: &Step| matches!(&step.act, Act::WaitFor { on, .. } if *on == trigger);
        self.journeys.values().any(|own| {
            own.begins == Begins::On(trigger)
                || own.goal.as_ref().is_some_and(|goal| goal.on == trigger)
                || own.steps.iter().any(waits)
        })
    }

    /// The text of a template in the language that comes nearest.
    pub fn text(&self, template: &str, language: &str) -> Option<(&str, &Text)> {
        nearest(self.templates.get(template)?, language, &self.default_language)
    }

    /// The warning of risk in the language that comes nearest.
    pub fn risk_warning(&self, language: &str) -> &str {
        let primary = crate::contact::primary_language(language);
        let texts = &self.warning.texts;
        let found = texts.get(language).or_else(|| texts.get(primary)).or_else(|| texts.get(&self.default_language));
        found.map_or("", String::as_str)
    }

    /// What may be advertised to a reader: by the first row that holds and is in force. Without one, nothing.
    pub fn promotion(&self, subject: &Subject, now: Timestamp) -> Promotion {
        let facts = fields().facts(subject);
        let today = Day::of(now);
        let in_force = |row: &&PromotionRow| row.from <= today && row.until.is_none_or(|until| today < until);
        let holds = |row: &&PromotionRow| evaluate(&row.when, &facts).outcome == Outcome::Value(true);
        self.promotions.iter().filter(in_force).find(holds).map(|row| row.then).unwrap_or_default()
    }
}

/// Whether a condition holds for a reader, with what was looked at.
pub(super) fn judge(condition: &Condition, subject: &Subject) -> NodeTrace {
    evaluate(condition, &fields().facts(subject))
}

const KEYS: [&str; 15] = [
    "sender",
    "default_language",
    "quiet_hours",
    "caps",
    "unsaid_topics",
    "soft_bounces",
    "unsubscribe_url",
    "unsubscribe_secret",
    "mail_topics",
    "mail_certificates",
    "sms",
    "risk_warning",
    "promotions",
    "journeys",
    "templates",
];

fn read(node: &Node<'_>, faults: &mut Faults) -> Option<Journeys> {
    words! {
        /// What holds of a topic that nothing was said about.
        Unsaid {
            /// What was said of the channel.
            FollowChannel = "follow_channel",
            /// No.
            Refused = "refused",
        }
    }
    let object = node.object(&KEYS, faults)?;
    let sender = object.need("sender", faults).and_then(|node| read_sender(&node, faults));
    let language = object.need("default_language", faults).and_then(|node| node.language(faults));
    let quiet = object.need("quiet_hours", faults).and_then(|node| hours_of_day(&node, faults));
    let caps = object.need("caps", faults).and_then(|node| read_caps(&node, faults));
    let unsaid = object.need("unsaid_topics", faults).and_then(|node| node.word(Unsaid::ALL, faults));
    let soft_bounces = object.need("soft_bounces", faults).and_then(|node| node.whole(1..=100, faults));
    let unsubscribe_url = object.need("unsubscribe_url", faults).and_then(|node| read_unsubscribe(&node, faults));
    let secret = object.need("unsubscribe_secret", faults).and_then(|node| node.secret_name(faults));
    let topics = object
        .need("mail_topics", faults)
        .and_then(|list| list.distinct(1..=10, faults, |item, faults| item.line(256, faults).map(str::to_owned)));
    let certificates = object.need("mail_certificates", faults).and_then(|node| node.url(faults));
    let sms = object.need("sms", faults).and_then(|node| read_sms(&node, faults));
    let schema = fields().schema(&[]);
    let warning_at = object.need("risk_warning", faults);
    let warning = warning_at.as_ref().and_then(|node| read_warning(node, faults));
    let promotions = object.need("promotions", faults).and_then(|list| read_promotions(&list, &schema, faults));
    let templates_at = object.need("templates", faults).and_then(|node| node.map(faults));
    let templates = templates_at.as_ref().and_then(|at| read_templates(at, faults));
    let names = object.get("templates").as_ref().map(Node::declared).unwrap_or_default();
    let with = definition::With { schema: &schema, templates: &names };
    let mut taken = Vec::new();
    let journeys = object.need("journeys", faults).and_then(|list| {
        list.each(1..=JOURNEYS_MAX, faults, |item, faults| definition::read(item, &with, &mut taken, faults))
    });
    if let (Some(at), Some(warning), Some(language)) = (&warning_at, &warning, &language)
        && !warning.texts.contains_key(language)
    {
        faults.add(at.fault("missing_language", format!("has no text in the default language `{language}`")));
    }
    if let (Some(at), Some(templates), Some(language)) = (&templates_at, &templates, &language) {
        refuse_unusable(at, templates, language, journeys.as_deref().unwrap_or_default(), faults);
    }
    let (channel_cap, overall_cap) = caps?;
    Some(Journeys {
        quiet: quiet?,
        channel_cap,
        overall_cap,
        unsaid_topics_follow: unsaid? == Unsaid::FollowChannel,
        soft_bounces: soft_bounces?,
        unsubscribe_url: unsubscribe_url?,
        unsubscribe_secret: secret?,
        mail_topics: topics?,
        mail_certificates: certificates?,
        sms: sms?,
        sender: sender?,
        default_language: language?,
        warning: warning?,
        promotions: promotions?,
        journeys: journeys?.into_iter().map(|own| (own.id.clone(), own)).collect(),
        templates: templates?,
    })
}

fn read_caps(node: &Node<'_>, faults: &mut Faults) -> Option<(Cap, Cap)> {
    let object = node.object(&["channel", "overall"], faults)?;
    let mut cap = |key| {
        let object = object.need(key, faults)?.object(&["most", "within"], faults)?;
        let most = object.need("most", faults).and_then(|node| node.whole(1..=100, faults));
        let within = object.need("within", faults).and_then(|node| node.span(Seconds(3_600)..=MONTH, faults));
        Some(Cap { most: most?, within: within? })
    };
    let (channel, overall) = (cap("channel"), cap("overall"));
    Some((channel?, overall?))
}

fn read_unsubscribe(node: &Node<'_>, faults: &mut Faults) -> Option<String> {
    let text = node.line(URL_CHARS_MAX, faults)?;
    let secure =
        text.starts_with("https://") || text.starts_with("http://127.0.0.1") || text.starts_with("http://localhost");
    if text.contains("${") || !secure || !text.contains(TOKEN) {
        faults.add(node.fault("bad_url", format!("must be an https URL with {TOKEN} in the place of the reader")));
        return None;
    }
    Some(text.to_owned())
}

fn read_sms(node: &Node<'_>, faults: &mut Faults) -> Option<Sms> {
    let object = node.object(&["url", "secret", "from", "callback_url"], faults)?;
    let url = object.need("url", faults).and_then(|node| node.url(faults));
    let secret = object.need("secret", faults).and_then(|node| node.secret_name(faults));
    let from = object.need("from", faults).and_then(|node| node.line(20, faults).map(str::to_owned));
    let callback_url = object.need("callback_url", faults).and_then(|node| node.url(faults));
    Some(Sms { url: url?, secret: secret?, from: from?, callback_url: callback_url? })
}

fn read_day(node: &Node<'_>, faults: &mut Faults) -> Option<Day> {
    node.parsed("bad_day", "must be a day such as 2026-11-30", faults)
}

fn read_warning(node: &Node<'_>, faults: &mut Faults) -> Option<Warning> {
    let object = node.object(&["loss_percent", "at", "texts"], faults)?;
    let loss_percent = object.need("loss_percent", faults).and_then(|node| node.whole(1..=100, faults));
    let at = object.need("at", faults).and_then(|node| read_day(&node, faults));
    let texts_at = object.need("texts", faults).and_then(|node| node.map(faults))?;
    let mut texts = BTreeMap::new();
    for (tag, node) in texts_at.entries() {
        let Some(text) = node.line(WARNING_CHARS_MAX, faults) else { continue };
        let shown = loss_percent.map_or_else(String::new, |percent| percent.to_string());
        if !text.contains("{percent}") {
            faults.add(node.fault("missing_name", "must say how many lose: {percent}"));
        }
        texts.insert(tag.to_owned(), text.replace("{percent}", &shown));
    }
    (texts.len() == texts_at.count()).then_some(Warning { loss_percent: loss_percent?, at: at?, texts })
}

fn read_promotions(list: &Node<'_>, schema: &Schema, faults: &mut Faults) -> Option<Vec<PromotionRow>> {
    let mut taken = Vec::new();
    list.each(1..=PROMOTIONS_MAX, faults, |item, faults| {
        let object = item.object(&["id", "when", "from", "until", "promotion", "bonus", "warning"], faults)?;
        let id = object.need("id", faults).and_then(|node| unique_name(&node, &mut taken, faults));
        let when = object.need("when", faults).and_then(|node| read_when(&node, schema, faults));
        let from = object.need("from", faults).and_then(|node| read_day(&node, faults));
        let until = optional(object.get("until"), |node| read_day(&node, faults));
        let mut truth = |key| object.need(key, faults).and_then(|node| node.boolean(faults));
        let (promotion, bonus, warning) = (truth("promotion"), truth("bonus"), truth("warning"));
        let then = Promotion { promotion: promotion?, bonus: bonus?, warning: warning? };
        Some(PromotionRow { id: id?, when: when?, from: from?, until: until?, then })
    })
}

/// Each text needs the default language, what its channels want, only names that are filled in, the same ones in every language, and the
/// way out.
fn refuse_unusable(
    at: &Object<'_>,
    templates: &BTreeMap<String, Template>,
    language: &str,
    journeys: &[Definition],
    faults: &mut Faults,
) {
    for (name, node) in at.entries() {
        let Some(template) = templates.get(name) else { continue };
        if !template.contains_key(language) {
            faults.add(node.fault("missing_language", format!("has no text in the default language `{language}`")));
        }
        let using: Vec<&MessageAct> =
            journeys.iter().flat_map(Definition::messages).filter(|own| own.template == name).collect();
        let asked: Option<Vec<&str>> = template.get(language).map(names_of);
        for (tag, text) in template {
            let pointer = format!("{}/{tag}", node.pointer());
            let mut fault = |code, message: String| faults.add(Fault::new(pointer.clone(), code, message));
            let used = names_of(text);
            for unknown in used.iter().filter(|name| !NAMES.contains(name)) {
                fault("unknown_name", format!("`{unknown}` is not filled in; these are: {}", NAMES.join(", ")));
            }
            if asked.as_ref().is_some_and(|asked| *asked != used) {
                fault("other_names", format!("fills in other names than the text in `{language}`"));
            }
            for (code, message) in using.iter().flat_map(|own| lacks(text, &used, own)) {
                fault(code, message.to_owned());
            }
        }
    }
}

fn names_of(text: &Text) -> Vec<&str> {
    let parts = text.subject.iter().chain(text.title.iter()).chain([&text.body]);
    let mut names: Vec<&str> = parts.flat_map(|wording| wording.names()).collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// What a text lacks for a message.
fn lacks(text: &Text, used: &[&str], message: &MessageAct) -> Vec<(&'static str, &'static str)> {
    let advertises = message.topic != Topic::Service;
    let mut found = Vec::new();
    match message.channel {
        Channel::Email => {
            if text.subject.is_none() {
                found.push(("missing_key", "`subject` is missing: the text is sent by email"));
            }
            if advertises && !used.contains(&"unsubscribe_url") {
                found.push(("no_way_out", "must say where the reader unsubscribes: {{unsubscribe_url}}"));
            }
        }
        Channel::Sms => {
            if advertises && !text.body.to_string().contains(STOP) {
                found.push(("no_way_out", "must say that the answer STOP ends these messages"));
            }
        }
        Channel::InApp => {
            if text.title.is_none() {
                found.push(("missing_key", "`title` is missing: the text is shown in the portal"));
            }
        }
    }
    found
}
