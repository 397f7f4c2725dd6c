//! The rule set `lead_scoring`: points for what a lead is and does, and the bands of the score.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde::Serialize;
use serde_json::Value as Json;

use crate::input::Fault;
use crate::lead::Channel;
use crate::rules::RuleSet;
use crate::rules::bands::{Band, faults_of_bands};
use crate::rules::condition::Condition;
use crate::rules::evaluate::{Facts, Outcome, RuleError, Trace, evaluate};
use crate::rules::read::{Faults, Node, is_name, optional, read_document};
use crate::rules::rule_set::Offer;
use crate::rules::schema::Schema;
use crate::rules::table::{ROWS_MAX, Row, unique_name};
use crate::rules::value::ValueType;
use crate::{Country, Seconds};

const BANDS_MAX: usize = 10;
const COUNTS_MAX: u32 = 10;
const POINTS_MAX: u32 = 100;
const HALF_LIFE_MIN: Seconds = Seconds(3_600);
const HALF_LIFE_MAX: Seconds = Seconds(365 * 86_400);

/// A stretch of the score.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ScoreBand {
    /// What routing rules call it.
    pub name: String,
    /// The lowest score in it.
    pub from: u32,
}

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
    bands: Vec<ScoreBand>,
    profile: Vec<Row<Decimal>>,
    signals: BTreeMap<String, SignalRule>,
}

impl RuleSet for LeadScoring {
    const NAME: &'static str = "lead_scoring";
    const OFFERS: &'static [Offer<Self>] = &[
        Offer { what: "band", names: |set| set.bands.iter().map(|band| band.name.clone()).collect() },
        Offer { what: "signal", names: |set| set.signals.keys().cloned().collect() },
    ];

    fn parse(document: &Json) -> Result<Self, Vec<Fault>> {
        read_document(document, read)
    }
}

impl LeadScoring {
    /// The band of a score.
    pub fn band(&self, score: u32) -> &str {
        let band = self.bands.iter().rev().find(|band| band.from <= score);
        band.map_or("", |band| band.name.as_str())
    }

    /// Every kind of signal that counts.
    pub fn signals(&self) -> impl Iterator<Item = (&str, &SignalRule)> {
        self.signals.iter().map(|(kind, rule)| (kind.as_str(), rule))
    }

    /// The rows that hold, with their points: all of them count.
    ///
    /// # Errors
    /// [`RuleError`] when a row cannot be judged.
    pub fn profile_points(&self, facts: &Facts) -> Result<Vec<(&str, Decimal)>, RuleError> {
        let mut points = Vec::new();
        for row in &self.profile {
            match evaluate(&row.when, facts).outcome {
                Outcome::Value(true) => points.push((row.id.as_str(), row.then)),
                Outcome::Value(false) | Outcome::Skipped => {}
                Outcome::Error(fault) => {
                    return Err(RuleError { row_id: row.id.clone(), fault, trace: Box::new(Trace::default()) });
                }
            }
        }
        Ok(points)
    }
}

fn schema() -> Schema {
    Schema::new()
        .choice("channel", Channel::ALL.iter().map(|channel| channel.as_str()))
        .field("has_phone", ValueType::Bool)
        .field("has_name", ValueType::Bool)
        .field("email_consent", ValueType::Bool)
        .field("phone_consent", ValueType::Bool)
        .field("answers", ValueType::Decimal)
        .choice("country", Country::all_codes().chain([""]))
        .field("language", ValueType::Text)
        .field("campaign", ValueType::Text)
        .field("partner_code", ValueType::Text)
        .field("experience", ValueType::Text)
        .field("intended_deposit", ValueType::Decimal)
}

fn read(node: &Node<'_>, faults: &mut Faults) -> Option<LeadScoring> {
    let object = node.object(&["bands", "profile", "signals"], faults)?;
    let bands = object.need("bands", faults).and_then(|node| read_bands(&node, faults));
    let schema = schema();
    let profile = object.need("profile", faults).and_then(|node| read_profile(&node, &schema, faults));
    let signals = object.need("signals", faults).and_then(|node| read_signals(&node, faults));
    Some(LeadScoring { bands: bands?, profile: profile?, signals: signals? })
}

fn read_bands(node: &Node<'_>, faults: &mut Faults) -> Option<Vec<ScoreBand>> {
    let mut names = Vec::new();
    let bands = node.each(1..=BANDS_MAX, faults, |item, faults| {
        let object = item.object(&["name", "from"], faults)?;
        let name = object.need("name", faults).and_then(|node| unique_name(&node, &mut names, faults));
        let from = object.need("from", faults).and_then(|node| node.whole(0..=POINTS_MAX, faults));
        Some(ScoreBand { name: name?, from: from? })
    })?;
    let ends = bands.iter().skip(1).map(|band| Some(Decimal::from(band.from))).chain([None]);
    let stretches: Vec<Band> =
        bands.iter().zip(ends).map(|(band, below)| Band { from: Decimal::from(band.from), below }).collect();
    let found = faults_of_bands(node.pointer(), &stretches, Band { from: Decimal::ZERO, below: None });
    let good = found.is_empty();
    found.into_iter().for_each(|fault| faults.add(fault));
    good.then_some(bands)
}

/// Unlike a table, every row that holds counts, so none can be unreachable.
fn read_profile(node: &Node<'_>, schema: &Schema, faults: &mut Faults) -> Option<Vec<Row<Decimal>>> {
    let mut ids = Vec::new();
    node.each(0..=ROWS_MAX, faults, |item, faults| {
        let object = item.object(&["id", "when", "points"], faults)?;
        let id = object.need("id", faults).and_then(|node| unique_name(&node, &mut ids, faults));
        let when: Option<Condition> =
            object.need("when", faults).and_then(|node| crate::rules::parse::read_when(&node, schema, faults));
        let points = object.need("points", faults).and_then(|node| read_points(&node, faults));
        Some(Row { id: id?, when: when?, then: points? })
    })
}

fn read_signals(node: &Node<'_>, faults: &mut Faults) -> Option<BTreeMap<String, SignalRule>> {
    let object = node.map(faults)?;
    let mut signals = BTreeMap::new();
    for (kind, node) in object.entries() {
        if !is_name(kind) {
            faults.add(node.fault("bad_name", "a signal must be lower-case letters, digits, _ and -"));
        }
        let Some(inner) = node.object(&["points", "counts", "half_life"], faults) else { continue };
        let points = inner.need("points", faults).and_then(|node| read_points(&node, faults));
        let counts = optional(inner.get("counts"), |node| node.whole(1..=COUNTS_MAX, faults));
        let half_life = optional(inner.get("half_life"), |node| node.span(HALF_LIFE_MIN..=HALF_LIFE_MAX, faults));
        if let (Some(points), Some(counts), Some(half_life)) = (points, counts, half_life) {
            signals.insert(kind.to_owned(), SignalRule { points, counts: counts.unwrap_or(1), half_life });
        }
    }
    (signals.len() == object.count()).then_some(signals)
}

fn read_points(node: &Node<'_>, faults: &mut Faults) -> Option<Decimal> {
    let points = node.decimal(faults)?;
    if points.abs() > Decimal::from(POINTS_MAX) {
        faults.add(node.fault("bad_range", format!("must be from -{POINTS_MAX} to {POINTS_MAX}")));
        return None;
    }
    Some(points)
}
