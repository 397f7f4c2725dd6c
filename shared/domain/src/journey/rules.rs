//! The rule set `sequences`: series of messages with delays, conditions that end them, and hours of quiet.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value as Json;

use crate::Seconds;
use crate::input::Fault;
use crate::lead::Lead;
use crate::rules::condition::Condition;
use crate::rules::evaluate::{NodeTrace, evaluate};
use crate::rules::fields::CountryOrNone;
use crate::rules::parse::read_when;
use crate::rules::read::{Faults, Node, Object, read_document};
use crate::rules::rule_set::Offer;
use crate::rules::schema::Schema;
use crate::rules::table::unique_name;
use crate::rules::texts::{Sender, Template, Text, nearest, read_sender, read_templates};
use crate::rules::{Fields, RuleSet};
use crate::sales::calendar::Hours;
use crate::sales::rules::hours_of_day;
use crate::words::words;

const SEQUENCES_MAX: usize = 100;
const STEPS_MAX: usize = 50;
const URL_CHARS_MAX: usize = 200;
const DELAY_MAX: Seconds = Seconds(365 * 86_400);
/// What the link to unsubscribe has in the place of the reader.
pub const READER: &str = "{id}";
/// What the texts may use.
pub const NAMES: [&str; 5] = ["name", "country", "brand", "unsubscribe_url", "at"];

words! {
    /// Who reads a sequence.
    SequenceAudience {
        /// Leads.
        Lead = "lead",
    }
}

words! {
    /// How a message of a sequence travels.
    SequenceChannel {
        /// E-mail.
        Email = "email",
    }
}

/// One message of a sequence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SequenceStep {
    /// Its name in the sequence.
    pub id: String,
    /// How long after the one before, or after the beginning.
    pub after: Seconds,
    /// How it travels.
    pub channel: SequenceChannel,
    /// The words.
    pub template: String,
}

/// A series of messages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Sequence {
    /// Its name.
    pub id: String,
    /// Who reads it.
    pub audience: SequenceAudience,
    /// What ends it early; asked right before each message.
    pub exit: Condition,
    /// The messages.
    pub steps: Vec<SequenceStep>,
}

/// The rule set `sequences`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Sequences {
    /// No message is sent in these hours of the reader's day.
    pub quiet: Hours,
    /// Where a reader unsubscribes; has [`READER`] in it.
    pub unsubscribe_url: String,
    /// Who sends: address and name.
    pub sender: Sender,
    /// The language of readers whose own there is no text in.
    pub default_language: String,
    sequences: BTreeMap<String, Sequence>,
    templates: BTreeMap<String, Template>,
}

impl RuleSet for Sequences {
    const NAME: &'static str = "sequences";
    const OFFERS: &'static [Offer<Self>] =
        &[Offer { what: "sequence", names: |set| set.sequences.keys().cloned().collect() }];

    fn parse(document: &Json) -> Result<Self, Vec<Fault>> {
        read_document(document, read)
    }
}

impl Sequences {
    /// A sequence.
    pub fn sequence(&self, id: &str) -> Option<&Sequence> {
        self.sequences.get(id)
    }

    /// The text of a template in the language that comes nearest.
    pub fn text(&self, template: &str, language: &str) -> Option<(&str, &Text)> {
        nearest(self.templates.get(template)?, language, &self.default_language)
    }
}

impl Sequence {
    /// Whether the sequence ends for a reader, with what was looked at.
    pub fn ends_for(&self, reader: &Lead) -> NodeTrace {
        evaluate(&self.exit, &reader_fields().facts(reader))
    }
}

/// What exit conditions may ask about a reader.
fn reader_fields() -> Fields<Lead> {
    Fields::new()
        .field("status", |lead: &Lead| lead.facts.status)
        .field("band", |lead| lead.facts.scored.as_ref().map(|scored| scored.band.clone()).unwrap_or_default())
        .field("score", |lead| lead.facts.scored.as_ref().map_or(0, |scored| scored.score))
        .field("country", |lead| CountryOrNone(lead.facts.country))
        .field("language", |lead| lead.primary_language().unwrap_or_default().to_owned())
}

const KEYS: [&str; 6] = ["sender", "default_language", "quiet_hours", "unsubscribe_url", "sequences", "templates"];

fn read(node: &Node<'_>, faults: &mut Faults) -> Option<Sequences> {
    let object = node.object(&KEYS, faults)?;
    let sender = object.need("sender", faults).and_then(|node| read_sender(&node, faults));
    let language = object.need("default_language", faults);
    let language = language.and_then(|node| node.language(faults));
    let quiet = object.need("quiet_hours", faults).and_then(|node| hours_of_day(&node, faults));
    let unsubscribe_url = object.need("unsubscribe_url", faults).and_then(|node| read_unsubscribe(&node, faults));
    let templates_at = object.need("templates", faults).and_then(|node| node.map(faults));
    let templates = templates_at.as_ref().and_then(|at| read_templates(at, faults));
    let names = object.get("templates").as_ref().map(Node::declared).unwrap_or_default();
    let schema = reader_fields().schema(&[]);
    let mut taken = Vec::new();
    let sequences = object.need("sequences", faults).and_then(|list| {
        list.each(1..=SEQUENCES_MAX, faults, |item, faults| {
            let object = item.object(&["id", "audience", "exit", "steps"], faults)?;
            read_sequence(&object, &schema, &names, &mut taken, faults)
        })
    });
    if let (Some(at), Some(templates), Some(language)) = (&templates_at, &templates, &language) {
        refuse_unusable(at, templates, language, faults);
    }
    Some(Sequences {
        quiet: quiet?,
        unsubscribe_url: unsubscribe_url?,
        sender: sender?,
        default_language: language?,
        sequences: sequences?.into_iter().map(|sequence| (sequence.id.clone(), sequence)).collect(),
        templates: templates?,
    })
}

fn read_unsubscribe(node: &Node<'_>, faults: &mut Faults) -> Option<String> {
    let text = node.line(URL_CHARS_MAX, faults)?;
    let secure =
        text.starts_with("https://") || text.starts_with("http://127.0.0.1") || text.starts_with("http://localhost");
    if text.contains("${") || !secure || !text.contains(READER) {
        faults.add(node.fault("bad_url", format!("must be an https URL with {READER} where the reader's id goes")));
        return None;
    }
    Some(text.to_owned())
}

fn read_sequence(
    object: &Object<'_>,
    schema: &Schema,
    templates: &[String],
    taken: &mut Vec<String>,
    faults: &mut Faults,
) -> Option<Sequence> {
    let id = object.need("id", faults).and_then(|node| unique_name(&node, taken, faults));
    let audience = object.need("audience", faults).and_then(|node| node.word(SequenceAudience::ALL, faults));
    let exit = object.need("exit", faults).and_then(|node| read_when(&node, schema, faults));
    let mut names = Vec::new();
    let steps = object.need("steps", faults).and_then(|list| {
        list.each(1..=STEPS_MAX, faults, |item, faults| read_step(item, templates, &mut names, faults))
    });
    Some(Sequence { id: id?, audience: audience?, exit: exit?, steps: steps? })
}

fn read_step(
    node: &Node<'_>,
    templates: &[String],
    names: &mut Vec<String>,
    faults: &mut Faults,
) -> Option<SequenceStep> {
    let object = node.object(&["id", "after", "channel", "template"], faults)?;
    let id = object.need("id", faults).and_then(|node| unique_name(&node, names, faults));
    let after = object.need("after", faults).and_then(|node| node.span(Seconds(0)..=DELAY_MAX, faults));
    let channel = object.need("channel", faults).and_then(|node| node.word(SequenceChannel::ALL, faults));
    let template = object.need("template", faults).and_then(|node| node.reference("template", templates, faults));
    Some(SequenceStep { id: id?, after: after?, channel: channel?, template: template? })
}

/// Each text needs a subject, the default language, only names that are filled in, and the way out.
fn refuse_unusable(at: &Object<'_>, templates: &BTreeMap<String, Template>, language: &str, faults: &mut Faults) {
    for (name, node) in at.entries() {
        let Some(template) = templates.get(name) else { continue };
        if !template.contains_key(language) {
            faults.add(node.fault("missing_language", format!("has no text in the default language `{language}`")));
        }
        for (tag, text) in template {
            let pointer = format!("{}/{tag}", node.pointer());
            let mut fault = |code, message: String| faults.add(Fault::new(pointer.clone(), code, message));
            if text.subject.is_none() {
                fault("missing_key", "`subject` is missing".to_owned());
            }
            let used: Vec<&str> = text.subject.iter().chain([&text.body]).flat_map(|wording| wording.names()).collect();
            for unknown in used.iter().filter(|name| !NAMES.contains(name)) {
                fault("unknown_name", format!("`{unknown}` is not filled in; these are: {}", NAMES.join(", ")));
            }
            if !used.contains(&"unsubscribe_url") {
                fault("no_way_out", "must say where the reader unsubscribes: {{unsubscribe_url}}".to_owned());
            }
        }
    }
}
