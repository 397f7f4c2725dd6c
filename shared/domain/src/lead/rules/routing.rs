//! The rule set `lead_routing`: which pool, or which sequence of messages, a lead goes to.

use std::collections::BTreeSet;

use rust_decimal::Decimal;
use serde::Serialize;
use serde_json::Value as Json;

use crate::input::Fault;
use crate::lead::{ContactChannel, Lead};
use crate::rules::fields::{Certain, CountryOrNone};
use crate::rules::lists::{Lists, ListsForm};
use crate::rules::reach::{Cell, Space};
use crate::rules::read::{Faults, Node, is_name, read_document};
use crate::rules::rule_set::Reference;
use crate::rules::table::{read_rows, refuse_gap};
use crate::rules::{Fields, FirstMatch, Row, RuleError, RuleSet, first_match};
use crate::zone::{WallClock, Zone};
use crate::{Country, Timestamp};

const REGIONS: ListsForm<Country> = ListsForm {
    lists_max: 100,
    values_max: 249,
    is_name,
    bad_name: ("bad_name", "a region must be lower-routed letters, digits, _ and -"),
    only_once: None,
};
/// A broker who sells in many countries has some hundred rows.
const ROWS_MAX: usize = 1_000;
const ENTITY_ROWS_MAX: usize = 100;
const WEEKDAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// Where a lead goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Destination {
    /// To the agents of a pool of the rule set `sales`.
    Pool(String),
    /// Into a sequence of the rule set `journeys`.
    Sequence(String),
}

/// The rule set `lead_routing`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LeadRouting {
    regions: Lists<Country>,
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
        let mut routed = self.routed(lead, now);
        routed.entity = first_match(&self.legal_entities, lead_fields().facts(&routed))?.outcome().cloned();
        first_match(&self.rows, row_fields().facts(&routed))
    }

    /// The legal entity that a lead belongs to.
    ///
    /// # Errors
    /// [`RuleError`].
    pub fn legal_entity(&self, lead: &Lead, now: Timestamp) -> Result<Option<String>, RuleError> {
        let facts = lead_fields().facts(&self.routed(lead, now));
        Ok(first_match(&self.legal_entities, facts)?.outcome().cloned())
    }

    fn routed<'a>(&'a self, lead: &'a Lead, now: Timestamp) -> RoutedLead<'a> {
        let wall = lead.facts.time_zone.clone().unwrap_or_else(Zone::utc).wall_clock(now);
        RoutedLead { lead, regions: &self.regions, wall, entity: None }
    }
}

/// A lead that is being routed.
struct RoutedLead<'a> {
    lead: &'a Lead,
    regions: &'a Lists<Country>,
    /// The time where it lives; UTC where the zone is not known.
    wall: WallClock,
    /// Known once it was found by the other fields.
    entity: Option<String>,
}

impl RoutedLead<'_> {
    fn regions(&self) -> Vec<String> {
        let country = self.lead.facts.country.into_iter();
        country.flat_map(|country| self.regions.having(country)).map(str::to_owned).collect()
    }

    fn weekday(&self) -> &'static str {
        let index = usize::try_from(self.wall.date().weekday().to_monday_zero_offset()).ok();
        index.and_then(|index| WEEKDAYS.get(index)).copied().unwrap_or_default()
    }
}

/// What rows may ask about a lead. Whatever it does not say is an empty text, so that no row can fail for want of an answer.
fn lead_fields<'a>() -> Fields<RoutedLead<'a>> {
    Fields::new()
        .declared("region", |routed: &RoutedLead<'_>| routed.regions())
        .field("channel", |routed| routed.lead.facts.source.channel)
        .field("score", |routed| routed.lead.facts.scored.as_ref().map_or(0, |scored| scored.score))
        .field("band", |routed| routed.lead.facts.scored.as_ref().map(|scored| scored.band.clone()).unwrap_or_default())
        .field("returning", |routed| routed.lead.facts.returning.is_some())
        .field("email_consent", |routed| routed.lead.facts.consents.allows(ContactChannel::Email))
        .field("phone_consent", |routed| routed.lead.facts.consents.allows(ContactChannel::Phone))
        .field("sms_consent", |routed| routed.lead.facts.consents.allows(ContactChannel::Sms))
        .field("country", |routed| CountryOrNone(routed.lead.facts.country))
        .field("language", |routed| routed.lead.primary_language().unwrap_or_default().to_owned())
        .field("campaign", |routed| routed.lead.facts.source.campaign.clone().unwrap_or_default())
        .field("partner_code", |routed| routed.lead.facts.source.partner_code.clone().unwrap_or_default())
        .field("local_hour", |routed| Decimal::from(routed.wall.minute_of_day()) / Decimal::from(60))
        .choice("local_weekday", || WEEKDAYS.map(str::to_owned).to_vec(), |routed| routed.weekday())
}

/// What rows that send a lead somewhere may ask besides.
fn row_fields<'a>() -> Fields<RoutedLead<'a>> {
    lead_fields().declared("entity", |routed| Certain(routed.entity.clone()))
}

fn read(node: &Node<'_>, faults: &mut Faults) -> Option<LeadRouting> {
    let object = node.object(&["regions", "legal_entities", "rows"], faults)?;
    let regions_at = object.need("regions", faults);
    let regions = regions_at.as_ref().and_then(|node| REGIONS.read(node, faults, |node, faults| node.country(faults)));
    let region_names = regions_at.as_ref().map(Node::declared).unwrap_or_default();

    let before_entities = lead_fields().schema(&[("region", &region_names)]);
    let entities_at = object.need("legal_entities", faults);
    let legal_entities = entities_at.as_ref().and_then(|at| {
        let rows = read_rows(at, &before_entities, 1..=ENTITY_ROWS_MAX, faults, |then, _, faults| {
            let object = then.object(&["entity"], faults)?;
            object.need("entity", faults)?.name(faults)
        })?;
        refuse_gap(at, "legal_entities", Cell::default(), &rows, &Space::new(&before_entities), faults);
        Some(rows)
    });
    let entities = entities_at.as_ref().map(entity_names).unwrap_or_default();

    let schema = row_fields().schema(&[("region", &region_names), ("entity", &entities)]);
    let rows = object.need("rows", faults).and_then(|at| {
        let rows = read_rows(&at, &schema, 1..=ROWS_MAX, faults, |then, _, faults| read_destination(then, faults))?;
        refuse_gap(&at, "rows", Cell::default(), &rows, &Space::new(&schema), faults);
        Some(rows)
    });
    Some(LeadRouting { regions: regions?, legal_entities: legal_entities?, rows: rows? })
}

/// The entities that rows name, also rows with a fault: only a name that nobody wrote is unknown.
fn entity_names(rows: &Node<'_>) -> Vec<String> {
    let named = |row: &Json| row.pointer("/then/entity").and_then(Json::as_str).map(str::to_owned);
    let names: BTreeSet<String> = rows.raw().as_array().into_iter().flatten().filter_map(named).collect();
    names.into_iter().collect()
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
