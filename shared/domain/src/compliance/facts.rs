//! Who a scenario is about and what has happened, as rules may ask.

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use super::rules::{Scenarios, Trigger};
use crate::activity::{History, Movement, NameMatch, News, NewsKind, SeenLogin};
use crate::client::Client;
use crate::kyc::KycCase;
use crate::kyc::case::ListKind;
use crate::kyc::rescreening::Pair;
use crate::rules::{Facts, Fields, Row, RuleError, first_match};
use crate::words::words;
use crate::{ClientId, Country, Day, Timestamp};

words! {
    /// What is known to be alike of a client and somebody on a list.
    ListHit {
        /// Sanctioned.
        Sanctions = "sanctions",
        /// Politically exposed.
        Pep = "pep",
        /// On another list.
        Other = "other",
    }
}

/// What is known about the client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct About {
    /// The client.
    pub client_id: ClientId,
    /// Where he lives.
    pub residence: Country,
    /// His nationality.
    pub nationality: Country,
    /// The broker's entity that he is a client of.
    pub entity: Option<String>,
    /// The band of his risk, once it was assessed.
    pub risk_band: Option<String>,
    /// Whether he declared to be politically exposed; none while he has declared nothing.
    pub pep: Option<bool>,
    /// When he registered.
    pub since: Timestamp,
}

impl About {
    /// What a client and his verification say.
    pub fn of(client: &Client, kyc: Option<&KycCase>) -> Self {
        let facts = kyc.map(|case| &case.facts);
        Self {
            client_id: client.id.clone(),
            residence: client.facts.residence,
            nationality: client.facts.nationality,
            entity: client.facts.entity.clone(),
            risk_band: facts.and_then(|facts| Some(facts.risk.as_ref()?.band.clone())),
            pep: facts.and_then(|facts| Some(facts.declaration.as_ref()?.pep)),
            since: client.facts.created_at,
        }
    }
}

/// Something that happened, at the time at which it did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moment {
    /// What sets the evaluation off.
    pub trigger: Trigger,
    /// When it happened: nothing later is seen.
    pub at: Timestamp,
    /// What names it, the same however often and whenever it is heard.
    pub name: String,
    /// What it is about, as ids.
    pub evidence: Vec<String>,
    /// In the base currency, where it is about money.
    pub amount: Option<Decimal>,
    /// How the payer's or payee's name compares to the client's.
    pub name_match: Option<NameMatch>,
    /// The country of the card, account or wallet.
    pub instrument_country: Option<Country>,
    /// From where he logged in.
    pub login_country: Option<Country>,
    /// What kind of list.
    pub hit: Option<ListHit>,
}

impl Moment {
    fn new(trigger: Trigger, at: Timestamp, name: String) -> Self {
        Self {
            trigger,
            at,
            name,
            evidence: vec![],
            amount: None,
            name_match: None,
            instrument_country: None,
            login_country: None,
            hit: None,
        }
    }

    /// Money moved.
    pub fn of_movement(movement: &Movement) -> Self {
        let name = format!("{}:{}:{}", movement.payment_id, movement.kind, movement.at.millis());
        Self {
            evidence: vec![movement.payment_id.to_string()],
            amount: movement.base.as_ref().map(|base| base.money.amount()),
            name_match: movement.name,
            instrument_country: movement.instrument_country,
            ..Self::new(movement.kind.into(), movement.at, name)
        }
    }

    /// The client logged in.
    pub fn of_login(login: &SeenLogin) -> Self {
        let device = login.device.as_deref().unwrap_or_default();
        let name = format!("login:{}:{device}", login.at.millis());
        Self { login_country: login.country, ..Self::new(Trigger::Login, login.at, name) }
    }

    /// Deals were told. They are known by days, so all that is told of one day is one moment: its evidence grows, its name stays.
    pub fn of_trades(news: &News) -> Option<Self> {
        if news.kind != NewsKind::Trades {
            return None;
        }
        let evidence = news.trade_ids.iter().map(ToString::to_string).collect();
        Some(Self { evidence, at: news.at, ..Self::of_traded(Day::of(news.at)) })
    }

    /// All that was told of a day on which he traded.
    pub fn of_traded(day: Day) -> Self {
        Self { trigger: Trigger::Trades, name: format!("trades:{day}"), ..Self::of_day(day) }
    }

    /// A day is over.
    pub fn of_day(day: Day) -> Self {
        let end = day.next().begins().millis().saturating_sub(1);
        let at = Timestamp::from_millis(end).unwrap_or_else(|| day.begins());
        Self::new(Trigger::Daily, at, format!("day:{day}"))
    }

    /// The pairs that a version of a client's screening raised.
    pub fn of_screening(raised: &[Pair]) -> Vec<Self> {
        let moment = |pair: &Pair| {
            let hit = match pair.hit.of {
                ListKind::Sanctions => ListHit::Sanctions,
                ListKind::Pep => ListHit::Pep,
            };
            // what the entry says is part of the name: another one is another hit
            let entry = pair.hit.entry.as_deref().unwrap_or_default();
            Self::of_hit(hit, &format!("{}/{}", pair.hit.list, pair.hit.entity_id), entry, pair.since)
        };
        raised.iter().map(moment).collect()
    }

    /// The client may be somebody on a list, of which `name` names the pair and `entry` is what the list says of him, as a fingerprint.
    pub fn of_hit(hit: ListHit, name: &str, entry: &str, at: Timestamp) -> Self {
        Self {
            hit: Some(hit),
            evidence: vec![name.to_owned()],
            ..Self::new(Trigger::Watchlist, at, format!("hit:{name}:{entry}"))
        }
    }
}

/// What tables and conditions are judged by.
#[derive(Debug, Clone)]
pub(super) struct Subject<'a> {
    pub(super) about: &'a About,
    pub(super) jurisdiction: String,
    pub(super) segment: String,
    pub(super) moment: &'a Moment,
}

/// Which part of the rules asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Asker {
    /// Under whose rules a client is.
    Jurisdictions,
    /// By when a case is decided.
    Deadlines,
    /// What kind of client he is.
    Segments,
    /// Whose parameters a scenario has.
    Overrides,
    /// Whether it is a hit.
    Condition,
}

/// What may be asked: each asks what those before it do, and more.
pub(super) fn fields<'a>(asker: Asker) -> Fields<Subject<'a>> {
    let mut fields = Fields::new()
        .field("residence", |subject: &Subject<'a>| subject.about.residence)
        .field("nationality", |subject| subject.about.nationality)
        .field("entity", |subject| subject.about.entity.clone());
    if asker >= Asker::Deadlines {
        fields = fields.declared("jurisdiction", |subject| subject.jurisdiction.clone());
    }
    if asker >= Asker::Segments {
        fields = fields
            .field("risk_band", |subject| subject.about.risk_band.clone())
            .field("pep", |subject| subject.about.pep)
            .field("relationship_days", |subject| relationship_days(subject.about, subject.moment.at));
    }
    if asker >= Asker::Overrides {
        fields = fields.declared("segment", |subject| subject.segment.clone());
    }
    if asker >= Asker::Condition {
        fields = fields
            .field("event", |subject| subject.moment.trigger)
            .field("amount", |subject| subject.moment.amount)
            .field("name", |subject| subject.moment.name_match)
            .field("instrument_country", |subject| subject.moment.instrument_country)
            .field("login_country", |subject| subject.moment.login_country)
            .field("hit", |subject| subject.moment.hit);
    }
    fields
}

fn relationship_days(about: &About, at: Timestamp) -> u32 {
    u32::try_from(at.millis_since(about.since).max(0) / 86_400_000).unwrap_or(u32::MAX)
}

impl<'a> Subject<'a> {
    /// The client with the names that the rules have for him.
    pub(super) fn of(about: &'a About, moment: &'a Moment, rules: &Scenarios) -> Result<Self, RuleError> {
        let mut subject = Self { about, jurisdiction: String::new(), segment: String::new(), moment };
        subject.jurisdiction = name(&rules.jurisdictions, fields(Asker::Jurisdictions).facts(&subject))?;
        subject.segment = name(&rules.segments, fields(Asker::Segments).facts(&subject))?;
        Ok(subject)
    }

    pub(super) fn facts(&self, asker: Asker) -> Facts {
        fields(asker).facts(self)
    }
}

/// The last row always holds, so there is a name.
fn name(rows: &[Row<String>], facts: Facts) -> Result<String, RuleError> {
    Ok(first_match(rows, facts)?.outcome().cloned().unwrap_or_default())
}

/// What happened from a moment on, of the kind that was told, and sets evaluations off, the oldest first: what is heard late changes what
/// is to be said of what came after it.
pub fn moments_from(history: &History, kind: NewsKind, from: Timestamp, until: Timestamp) -> Vec<Moment> {
    let within = |at: Timestamp| from <= at && at <= until;
    let moments: Vec<Moment> = match kind {
        NewsKind::Movement => history.movements.iter().filter(|one| within(one.at)).map(Moment::of_movement).collect(),
        NewsKind::Login => history.logins.iter().filter(|one| within(one.at)).map(Moment::of_login).collect(),
        NewsKind::Trades => Vec::new(),
    };
    let by_place: BTreeMap<(Timestamp, String), Moment> =
        moments.into_iter().map(|moment| ((moment.at, moment.name.clone()), moment)).collect();
    by_place.into_values().collect()
}
