//! The rule set `lead_routing`: which pool, or which sequence of messages, a lead goes to.

use std::collections::BTreeSet;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::decision::Asked;
use crate::input::Fault;
use crate::lead::{ContactChannel, Lead, LeadChannel};
use crate::rules::fields::{Certain, CountryOrNone};
use crate::rules::lists::{Lists, ListsForm};
use crate::rules::reach::{Cell, Space};
use crate::rules::read::{Faults, Node, is_name, read_document};
use crate::rules::rule_set::Reference;
use crate::rules::table::{read_rows, refuse_gap};
use crate::rules::{Fields, FirstMatch, Replays, Row, RuleError, RuleSet, first_match};
use crate::zone::Zone;
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
/// A campaign or a code of a partner that is longer, or has other characters than codes have, may be anything that somebody typed.
const CODE_CHARS_MAX: usize = 64;
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

impl Replays for LeadRouting {
    /// The pool or the sequence.
    fn replay(&self, facts: &Json) -> Result<String, String> {
        let facts: RoutingFacts = serde_json::from_value(facts.clone()).map_err(|error| error.to_string())?;
        let found = self.destination(&facts).map_err(|error| error.to_string())?;
        let destination = found.outcome().ok_or("no row holds")?;
        Ok(match destination {
            Destination::Pool(name) => format!("pool {name}"),
            Destination::Sequence(name) => format!("sequence {name}"),
        })
    }
}

impl LeadRouting {
    /// Finds the first row that holds for a lead; a parsed set has one for every lead.
    ///
    /// # Errors
    /// [`RuleError`].
    pub fn destination(&self, facts: &RoutingFacts) -> Result<FirstMatch<'_, Destination>, RuleError> {
        let mut routed = RoutedLead { facts, regions: &self.regions, entity: None };
        routed.entity = first_match(&self.legal_entities, lead_fields().facts(&routed))?.outcome().cloned();
        first_match(&self.rows, row_fields().facts(&routed))
    }

    /// The legal entity that a lead belongs to.
    ///
    /// # Errors
    /// [`RuleError`].
    pub fn legal_entity(&self, lead: &Lead, now: Timestamp) -> Result<Option<String>, RuleError> {
        let facts = RoutingFacts::of(lead, now);
        let routed = RoutedLead { facts: &facts, regions: &self.regions, entity: None };
        Ok(first_match(&self.legal_entities, lead_fields().facts(&routed))?.outcome().cloned())
    }

    /// What it is asked of a lead, for whoever tries other rows; nothing where that may not be written down.
    pub fn asked(&self, facts: &RoutingFacts) -> Option<Asked> {
        if !facts.is_all_codes() {
            return None;
        }
        Asked::of(self, serde_json::to_value(facts).ok()?)
    }
}

/// What rows may ask about a lead: codes and figures, no name and no address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoutingFacts {
    country: Option<Country>,
    language: String,
    channel: LeadChannel,
    campaign: String,
    partner_code: String,
    score: u32,
    band: String,
    returning: bool,
    email_consent: bool,
    phone_consent: bool,
    sms_consent: bool,
    /// Minutes since midnight where it lives; in UTC where the zone is not known.
    minute: u16,
    /// There too: 0 is Monday.
    weekday: u8,
}

impl RoutingFacts {
    /// What is known of a lead. Whatever it does not say is an empty text, so that no row can fail for want of an answer.
    pub fn of(lead: &Lead, now: Timestamp) -> Self {
        let facts = &lead.facts;
        let wall = facts.time_zone.clone().unwrap_or_else(Zone::utc).wall_clock(now);
        let scored = facts.scored.as_ref();
        Self {
            country: facts.country,
            language: lead.primary_language().unwrap_or_default().to_owned(),
            channel: facts.source.channel,
            campaign: facts.source.campaign.clone().unwrap_or_default(),
            partner_code: facts.source.partner_code.clone().unwrap_or_default(),
            score: scored.map_or(0, |scored| scored.score),
            band: scored.map(|scored| scored.band.clone()).unwrap_or_default(),
            returning: facts.returning.is_some(),
            email_consent: facts.consents.allows(ContactChannel::Email),
            phone_consent: facts.consents.allows(ContactChannel::Phone),
            sms_consent: facts.consents.allows(ContactChannel::Sms),
            minute: wall.minute_of_day(),
            weekday: u8::try_from(wall.date().weekday().to_monday_zero_offset()).unwrap_or_default(),
        }
    }

    /// Whether what others typed looks like the codes that it should be: only those may be kept for ever.
    fn is_all_codes(&self) -> bool {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | ':' | '/' | '|');
        [&self.campaign, &self.partner_code]
            .iter()
            .all(|text| text.chars().count() <= CODE_CHARS_MAX && text.chars().all(plain))
    }
}

/// A lead that is being routed.
struct RoutedLead<'a> {
    facts: &'a RoutingFacts,
    regions: &'a Lists<Country>,
    /// Known once it was found by the other fields.
    entity: Option<String>,
}

impl RoutedLead<'_> {
    fn regions(&self) -> Vec<String> {
        let country = self.facts.country.into_iter();
        country.flat_map(|country| self.regions.having(country)).map(str::to_owned).collect()
    }

    fn weekday(&self) -> &'static str {
        WEEKDAYS.get(usize::from(self.facts.weekday)).copied().unwrap_or_default()
    }
}

/// What rows may ask about a lead.
fn lead_fields<'a>() -> Fields<RoutedLead<'a>> {
    Fields::new()
        .declared("region", |routed: &RoutedLead<'_>| routed.regions())
        .field("channel", |routed| routed.facts.channel)
        .field("score", |routed| routed.facts.score)
        .field("band", |routed| routed.facts.band.clone())
        .field("returning", |routed| routed.facts.returning)
        .field("email_consent", |routed| routed.facts.email_consent)
        .field("phone_consent", |routed| routed.facts.phone_consent)
        .field("sms_consent", |routed| routed.facts.sms_consent)
        .field("country", |routed| CountryOrNone(routed.facts.country))
        .field("language", |routed| routed.facts.language.clone())
        .field("campaign", |routed| routed.facts.campaign.clone())
        .field("partner_code", |routed| routed.facts.partner_code.clone())
        .field("local_hour", |routed| Decimal::from(routed.facts.minute) / Decimal::from(60))
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
