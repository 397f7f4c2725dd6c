//! The rule set `lead_routing`: which pool, or which sequence of messages, a lead goes to.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde::Serialize;
use serde_json::Value as Json;

use crate::input::Fault;
use crate::lead::{Channel, ContactChannel, Lead};
use crate::rules::RuleSet;
use crate::rules::evaluate::{Facts, FirstMatch, RuleError, first_match};
use crate::rules::reach::{Cell, Space};
use crate::rules::read::{Faults, Node, is_name, read_document};
use crate::rules::rule_set::Reference;
use crate::rules::schema::Schema;
use crate::rules::table::{Row, read_rows, refuse_gap};
use crate::rules::value::{Value, ValueType};
use crate::{Country, Timestamp, Zone};

const REGIONS_MAX: usize = 100;
const COUNTRIES_MAX: usize = 249;
/// A broker with desks in many countries has some hundred rows.
const ROWS_MAX: usize = 1_000;
const ENTITY_ROWS_MAX: usize = 100;
const WEEKDAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// Where a lead goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Destination {
    /// To the agents of a pool of the rule set `sales`.
    Pool(String),
    /// Into a sequence of the rule set `sequences`.
    Sequence(String),
}

/// The rule set `lead_routing`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LeadRouting {
    regions: BTreeMap<String, Vec<Country>>,
    legal_entities: Vec<Row<String>>,
    rows: Vec<Row<Destination>>,
}

impl RuleSet for LeadRouting {
    const NAME: &'static str = "lead_routing";

    fn parse(document: &Json) -> Result<Self, Vec<Fault>> {
        read_document(document, read)
    }

    fn references(&self) -> Vec<Reference> {
        let to = |pointer, what, name: &str| Reference { pointer, what, name: name.to_owned() };
        let destinations = self.rows.iter().enumerate().map(|(n, row)| match &row.then {
            Destination::Pool(name) => to(format!("/rows/{n}/then/pool"), "pool", name),
            Destination::Sequence(name) => to(format!("/rows/{n}/then/sequence"), "sequence", name),
        });
        let bands = self.rows.iter().enumerate().flat_map(|(n, row)| {
            row.when.texts_asked_of("band").into_iter().map(move |name| to(format!("/rows/{n}/when"), "band", name))
        });
        destinations.chain(bands).collect()
    }
}

impl LeadRouting {
    /// Finds the first row that holds for a lead; a parsed set has one for every lead.
    ///
    /// # Errors
    /// [`RuleError`].
    pub fn destination(&self, lead: &Lead, now: Timestamp) -> Result<FirstMatch<'_, Destination>, RuleError> {
        let facts = self.facts(lead, now);
        let entity = first_match(&self.legal_entities, facts.clone())?.outcome().cloned();
        first_match(&self.rows, facts.with_optional("entity", entity))
    }

    /// The legal entity that a lead belongs to.
    ///
    /// # Errors
    /// [`RuleError`].
    pub fn legal_entity(&self, lead: &Lead, now: Timestamp) -> Result<Option<String>, RuleError> {
        Ok(first_match(&self.legal_entities, self.facts(lead, now))?.outcome().cloned())
    }

    /// What rows may ask. Whatever a lead does not say is an empty text, so that no row can fail for want of an answer; its
    /// time is UTC where the zone is unknown.
    fn facts(&self, lead: &Lead, now: Timestamp) -> Facts {
        let facts = &lead.facts;
        let regions: Vec<&str> = match facts.country {
            Some(country) => {
                let inside = self.regions.iter().filter(|(_, countries)| countries.contains(&country));
                inside.map(|(name, _)| name.as_str()).collect()
            }
            None => Vec::new(),
        };
        let wall = facts.time_zone.clone().unwrap_or_else(Zone::utc).wall_clock(now);
        let hour = Decimal::from(wall.minute_of_day()) / Decimal::from(60);
        let weekday = usize::try_from(wall.date().weekday().to_monday_zero_offset()).ok();
        let weekday = weekday.and_then(|index| WEEKDAYS.get(index)).copied().unwrap_or_default();
        let text = |value: &Option<String>| value.clone().unwrap_or_default();
        Facts::new()
            .with("region", regions)
            .with("channel", facts.source.channel.as_str())
            .with("score", facts.scored.as_ref().map_or(0, |scored| scored.score))
            .with("band", facts.scored.as_ref().map_or("", |scored| scored.band.as_str()))
            .with("returning", facts.returning.is_some())
            .with("email_consent", facts.consents.allows(ContactChannel::Email))
            .with("phone_consent", facts.consents.allows(ContactChannel::Phone))
            .with("sms_consent", facts.consents.allows(ContactChannel::Sms))
            .with("country", facts.country.map_or("", |country| country.code()))
            .with("language", lead.primary_language().unwrap_or_default())
            .with("campaign", text(&facts.source.campaign))
            .with("partner_code", text(&facts.source.partner_code))
            .with("local_hour", Value::Decimal(hour))
            .with("local_weekday", weekday)
    }
}

fn schema(regions: &[String], entities: Option<&[String]>) -> Schema {
    let schema = Schema::new()
        .choice("region", regions)
        .many()
        .choice("channel", Channel::ALL.iter().map(|channel| channel.as_str()))
        .field("score", ValueType::Decimal)
        .field("band", ValueType::Text)
        .field("returning", ValueType::Bool)
        .field("email_consent", ValueType::Bool)
        .field("phone_consent", ValueType::Bool)
        .field("sms_consent", ValueType::Bool)
        .choice("country", Country::all_codes().chain([""]))
        .field("language", ValueType::Text)
        .field("campaign", ValueType::Text)
        .field("partner_code", ValueType::Text)
        .field("local_hour", ValueType::Decimal)
        .choice("local_weekday", WEEKDAYS);
    match entities {
        Some(entities) => schema.choice("entity", entities),
        None => schema,
    }
}

fn read(node: &Node<'_>, faults: &mut Faults) -> Option<LeadRouting> {
    let object = node.object(&["regions", "legal_entities", "rows"], faults)?;
    let regions = object.need("regions", faults).and_then(|node| read_regions(&node, faults));
    let region_names: Vec<String> = regions.iter().flat_map(|regions| regions.keys().cloned()).collect();

    let before_entities = schema(&region_names, None);
    let legal_entities = object.need("legal_entities", faults).and_then(|at| {
        let rows = read_rows(&at, &before_entities, 1..=ENTITY_ROWS_MAX, faults, |then, _, faults| {
            let object = then.object(&["entity"], faults)?;
            object.need("entity", faults)?.name(faults)
        })?;
        refuse_gap(&at, "legal_entities", Cell::default(), &rows, &Space::new(&before_entities), faults);
        Some(rows)
    });
    let mut entities: Vec<String> = legal_entities.iter().flatten().map(|row| row.then.clone()).collect();
    entities.sort();
    entities.dedup();

    let schema = schema(&region_names, Some(&entities));
    let rows = object.need("rows", faults).and_then(|at| {
        let rows = read_rows(&at, &schema, 1..=ROWS_MAX, faults, |then, _, faults| read_destination(then, faults))?;
        refuse_gap(&at, "rows", Cell::default(), &rows, &Space::new(&schema), faults);
        Some(rows)
    });
    Some(LeadRouting { regions: regions?, legal_entities: legal_entities?, rows: rows? })
}

fn read_regions(node: &Node<'_>, faults: &mut Faults) -> Option<BTreeMap<String, Vec<Country>>> {
    let object = node.map(faults)?;
    let mut regions = BTreeMap::new();
    for (name, node) in object.entries().take(REGIONS_MAX) {
        if !is_name(name) {
            faults.add(node.fault("bad_name", "a region must be lower-case letters, digits, _ and -"));
        }
        let countries = node.distinct(1..=COUNTRIES_MAX, faults, |item, faults| {
            item.parsed("unknown_country", "must be an ISO 3166-1 alpha-2 country code", faults)
        });
        if let Some(countries) = countries {
            regions.insert(name.to_owned(), countries);
        }
    }
    (regions.len() == object.count()).then_some(regions)
}

fn read_destination(node: &Node<'_>, faults: &mut Faults) -> Option<Destination> {
    let object = node.object(&["pool", "sequence"], faults)?;
    match (object.get("pool"), object.get("sequence")) {
        (Some(pool), None) => pool.name(faults).map(Destination::Pool),
        (None, Some(sequence)) => sequence.name(faults).map(Destination::Sequence),
        _ => {
            faults.add(node.fault("bad_destination", "must name either a `pool` or a `sequence`"));
            None
        }
    }
}
