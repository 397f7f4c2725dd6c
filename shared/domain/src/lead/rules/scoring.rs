//! The rule set `lead_scoring`: points for what a lead is and does, and the bands of the score.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde::Serialize;
use serde_json::Value as Json;

use crate::Seconds;
use crate::input::Fault;
use crate::lead::{ContactChannel, Lead};
use crate::rules::bands::{ScoreBands, read_score_bands};
use crate::rules::fields::CountryOrNone;
use crate::rules::points::{Added, Points, read_points, read_points_rows};
use crate::rules::read::{Faults, Node, is_name, optional, read_document};
use crate::rules::rule_set::Offer;
use crate::rules::{Fields, RuleError, RuleSet};

const COUNTS_MAX: u32 = 10;
const POINTS_MAX: u32 = 100;
const HALF_LIFE_MIN: Seconds = Seconds(3_600);
const HALF_LIFE_MAX: Seconds = Seconds(365 * 86_400);

/// What something a lead does is worth.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SignalRule {
    /// Points of a fresh one; may be below zero.
    pub points: Decimal,
    /// How many count, the newest first.
    pub counts: u32,
    /// After how long half of it is left; without one it does not fade.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub half_life: Option<Seconds>,
}

/// The rule set `lead_scoring`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LeadScoring {
    bands: ScoreBands,
    profile: Points,
    signals: BTreeMap<String, SignalRule>,
}

impl RuleSet for LeadScoring {
    const NAME: &'static str = "lead_scoring";
    const OFFERS: &'static [Offer<Self>] = &[
        Offer { what: "band", names: |set| set.bands.names().map(str::to_owned).collect() },
        Offer { what: "signal", names: |set| set.signals.keys().cloned().collect() },
    ];

    fn parse(document: &Json) -> Result<Self, Vec<Fault>> {
        read_document(document, read)
    }
}

impl LeadScoring {
    /// The band of a score.
    pub fn band(&self, score: u32) -> &str {
        self.bands.of(score)
    }

    /// What a lead is worth by what it is: every row that holds.
    ///
    /// # Errors
    /// [`RuleError`] when a row cannot be judged.
    pub fn profile(&self, lead: &Lead) -> Result<Added<'_>, RuleError> {
        self.profile.add_up(&fields().facts(lead))
    }

    /// Every kind of signal that counts.
    pub fn signals(&self) -> impl Iterator<Item = (&str, &SignalRule)> {
        self.signals.iter().map(|(kind, rule)| (kind.as_str(), rule))
    }
}

/// What rows may ask about a lead; what it does not say is an empty text or zero.
fn fields() -> Fields<Lead> {
    Fields::new()
        .field("channel", |lead: &Lead| lead.facts.source.channel)
        .field("has_phone", |lead| lead.number_to_call().is_some() && !lead.facts.phone_costs)
        .field("has_name", |lead| lead.person.full_name.is_some())
        .field("email_consent", |lead| lead.facts.consents.allows(ContactChannel::Email))
        .field("phone_consent", |lead| lead.facts.consents.allows(ContactChannel::Phone))
        .field("answers", |lead| u32::try_from(lead.person.profile.len()).unwrap_or(u32::MAX))
        .field("country", |lead| CountryOrNone(lead.facts.country))
        .field("language", |lead| lead.primary_language().unwrap_or_default().to_owned())
        .field("campaign", |lead| lead.facts.source.campaign.clone().unwrap_or_default())
        .field("partner_code", |lead| lead.facts.source.partner_code.clone().unwrap_or_default())
        .field("experience", |lead| text_answer(lead, "experience"))
        .field("intended_deposit", |lead| number_answer(lead, "intended_deposit"))
}

/// The answer of a question; the first one where several were ticked.
fn first_answer<'l>(lead: &'l Lead, name: &str) -> Option<&'l Json> {
    let answer = lead.person.profile.get(name)?.reveal();
    answer.as_array().map_or(Some(answer), |answers| answers.first())
}

fn text_answer(lead: &Lead, name: &str) -> String {
    let answer = first_answer(lead, name).and_then(Json::as_str);
    answer.map(|text| text.trim().to_lowercase()).unwrap_or_default()
}

fn number_answer(lead: &Lead, name: &str) -> Decimal {
    let answer = first_answer(lead, name);
    let text = answer.map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned));
    text.and_then(|text| text.parse().ok()).unwrap_or_default()
}

fn read(node: &Node<'_>, faults: &mut Faults) -> Option<LeadScoring> {
    let object = node.object(&["bands", "profile", "signals"], faults)?;
    let bands = object.need("bands", faults).and_then(|node| read_score_bands(&node, POINTS_MAX, faults));
    let schema = fields().schema(&[]);
    let profile = object.need("profile", faults).and_then(|node| read_points_rows(&node, &schema, POINTS_MAX, faults));
    let signals = object.need("signals", faults).and_then(|node| read_signals(&node, faults));
    Some(LeadScoring { bands: bands?, profile: profile?, signals: signals? })
}

fn read_signals(node: &Node<'_>, faults: &mut Faults) -> Option<BTreeMap<String, SignalRule>> {
    let object = node.map(faults)?;
    let mut signals = BTreeMap::new();
    for (kind, node) in object.entries() {
        if !is_name(kind) {
            faults.add(node.fault("bad_name", "a signal must be lower-case letters, digits, _ and -"));
        }
        let Some(inner) = node.object(&["points", "counts", "half_life"], faults) else { continue };
        let points = inner.need("points", faults).and_then(|node| read_points(&node, POINTS_MAX, faults));
        let counts = optional(inner.get("counts"), |node| node.whole(1..=COUNTS_MAX, faults));
        let half_life = optional(inner.get("half_life"), |node| node.span(HALF_LIFE_MIN..=HALF_LIFE_MAX, faults));
        if let (Some(points), Some(counts), Some(half_life)) = (points, counts, half_life) {
            signals.insert(kind.to_owned(), SignalRule { points, counts: counts.unwrap_or(1), half_life });
        }
    }
    (signals.len() == object.count()).then_some(signals)
}
