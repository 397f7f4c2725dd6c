//! The rule set `screening`: which lists clients are screened against, where they come from, and when one is not to be trusted.

use std::ops::RangeInclusive;

use serde::Serialize;
use serde_json::Value as Json;
use sha2::{Digest as _, Sha256};

use crate::input::Fault;
use crate::kyc::KycStatus;
use crate::kyc::case::ListKind;
use crate::rules::RuleSet;
use crate::rules::read::{Faults, Node, optional, read_document};
use crate::rules::table::unique_name;
use crate::words::words;
use crate::{Seconds, Timestamp};

const LISTS_MAX: usize = 30;
const PER_MILLE: RangeInclusive<u32> = 1..=1_000;
const ENTRIES: RangeInclusive<u32> = 1..=10_000_000;
const QUERY_CHARS_MAX: usize = 200;
/// So much of a hash tells rules apart.
const FINGERPRINT_CHARS: usize = 12;
const HOUR: Seconds = Seconds(3_600);
const DAY: Seconds = Seconds(24 * HOUR.0);

words! {
    /// How a list is written.
    ListFormat {
        /// OFAC's SDN XML.
        OfacXml = "ofac_xml",
        /// OFAC's advanced XML.
        OfacAdvanced = "ofac_advanced",
        /// The EU's CSV, 1.0 or 1.1.
        EuCsv = "eu_csv",
        /// The EU's XML.
        EuXml = "eu_xml",
        /// The UN's XML.
        UnXml = "un_xml",
        /// The UK Sanctions List, short form.
        UkShort = "uk_short",
        /// The UK Sanctions List, CSV.
        UkFull = "uk_csv",
        /// The UK Sanctions List, XML.
        UkXml = "uk_xml",
        /// OFSI's consolidated list.
        UkOfsi = "uk_ofsi",
        /// The US Consolidated Screening List.
        UsCsl = "us_csl",
        /// OpenSanctions' simple CSV.
        OpenSanctionsSimple = "opensanctions_simple",
        /// OpenSanctions' FtM JSON lines.
        OpenSanctionsFtm = "opensanctions_ftm",
        /// Members of the US Congress.
        PepCongress = "pep_congress",
        /// Office holders by position.
        PepHolders = "pep_holders",
        /// Heads of state and government.
        PepLeaders = "pep_leaders",
        /// A list of one's own.
        Own = "own",
    }
}

/// A list that clients are screened against.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ListRule {
    /// What hits and versions call it.
    pub code: String,
    /// What it is a list of.
    pub of: ListKind,
    /// How it is written.
    pub format: ListFormat,
    /// Where it is fetched.
    pub url: String,
    /// What is added to the address after `?`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub query: Option<String>,
    /// From this score on, in thousandths, a new client may be the listed party.
    pub threshold: u32,
    /// The same for clients who are screened again, every day and when the list has changed.
    pub threshold_daily: u32,
    /// A list with fewer entries is not whole.
    pub at_least: u32,
    /// How much smaller it may be than the version before, in thousandths.
    pub shrinkage_max: u32,
    /// How often it is fetched.
    pub refresh_every: Seconds,
    /// How long a version may be used after its source was last seen to have it.
    pub age_max: Seconds,
    /// How long ago its source may have made it, by its own date.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub published_age_max: Option<Seconds>,
}

/// Who is screened again, and how often.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Rescreen {
    /// Clients whose case stands so.
    pub of: Vec<KycStatus>,
    /// How often, also when no list has changed.
    pub every: Seconds,
    /// How long a client has for the documents that he was asked for because of a hit.
    pub ask_again_after: Seconds,
}

impl Default for Rescreen {
    /// What holds where the rules say nothing of it.
    fn default() -> Self {
        let of = vec![KycStatus::Approved, KycStatus::Expired, KycStatus::InReview, KycStatus::Verifying];
        Self { of, every: DAY, ask_again_after: Seconds(14 * DAY.0) }
    }
}

/// The rule set `screening`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ScreeningRules {
    /// The lists.
    pub lists: Vec<ListRule>,
    /// Who is screened again.
    pub rescreen: Rescreen,
}

impl RuleSet for ScreeningRules {
    const NAME: &'static str = "screening";

    fn parse(document: &Json) -> Result<Self, Vec<Fault>> {
        read_document(document, read)
    }
}

/// What is known of a version of a list, without its entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ListCount<'l> {
    /// Its entries.
    pub entries: u32,
    /// When its source made it, `YYYY-MM-DD`, if it says so.
    pub published: Option<&'l str>,
}

impl ScreeningRules {
    /// A list by its code.
    pub fn list(&self, code: &str) -> Option<&ListRule> {
        self.lists.iter().find(|list| list.code == code)
    }

    /// Of what decides who is found when everybody is screened again: another one means that what changed on the lists does not tell all.
    pub fn fingerprint(&self) -> String {
        let mut hasher = Sha256::new();
        for list in &self.lists {
            hasher.update(format!("{} {} {}\n", list.code, list.of, list.threshold_daily));
        }
        for status in &self.rescreen.of {
            hasher.update(format!("{status}\n"));
        }
        hex::encode(hasher.finalize()).chars().take(FINGERPRINT_CHARS).collect()
    }
}

impl ListRule {
    /// Whether it is time to fetch it.
    pub fn is_to_be_fetched(&self, taken_at: Timestamp, now: Timestamp) -> bool {
        taken_at.plus(self.refresh_every) <= now
    }

    /// Whether a version may no longer be used.
    pub fn is_stale(&self, taken_at: Timestamp, now: Timestamp) -> bool {
        taken_at.plus(self.age_max) <= now
    }

    /// Why a version is not taken over; `before` is the one that is used.
    pub fn objection(&self, before: Option<ListCount<'_>>, fetched: ListCount<'_>, now: Timestamp) -> Option<String> {
        if fetched.entries < self.at_least {
            return Some(format!("it has {} entries, fewer than {}", fetched.entries, self.at_least));
        }
        if let Some(before) = before
            && let Some(why) = self.objection_beside(before, fetched)
        {
            return Some(why);
        }
        let (age_max, published) = (self.published_age_max?, fetched.published);
        let made = published.and_then(day_began);
        match made {
            None => Some("it does not say when it was made".to_owned()),
            // a list of a day is made in the course of it, wherever on earth that day is
            Some(made) if made.plus(age_max).plus(DAY) <= now => Some(format!("it was made {}", published?)),
            Some(_) => None,
        }
    }

    fn objection_beside(&self, before: ListCount<'_>, fetched: ListCount<'_>) -> Option<String> {
        // in thousandths and 64 bits: nothing is rounded away
        let least = u64::from(before.entries).saturating_mul(u64::from(1_000_u32.saturating_sub(self.shrinkage_max)));
        if u64::from(fetched.entries).saturating_mul(1_000) < least {
            return Some(format!("it has {} entries, the version before had {}", fetched.entries, before.entries));
        }
        match (before.published, fetched.published) {
            (Some(known), Some(now)) if now < known => {
                Some(format!("it is of {now}, the version before is of {known}"))
            }
            (Some(known), None) => Some(format!("it has no date, the version before is of {known}")),
            _ => None,
        }
    }
}

fn day_began(date: &str) -> Option<Timestamp> {
    let date: jiff::civil::Date = date.parse().ok()?;
    let midnight = date.to_zoned(jiff::tz::TimeZone::UTC).ok()?;
    Timestamp::from_seconds(midnight.timestamp().as_second())
}

fn read(node: &Node<'_>, faults: &mut Faults) -> Option<ScreeningRules> {
    let object = node.object(&["lists", "rescreen"], faults)?;
    let rescreen = optional(object.get("rescreen"), |node| read_rescreen(&node, faults));
    let node = object.need("lists", faults)?;
    let mut codes = Vec::new();
    let lists = node.each(1..=LISTS_MAX, faults, |item, faults| read_list(item, &mut codes, faults))?;
    if !lists.iter().any(|list| list.of == ListKind::Sanctions) {
        faults.add(node.fault("no_sanctions", "one of them must be of sanctioned persons"));
    }
    Some(ScreeningRules { lists, rescreen: rescreen?.unwrap_or_default() })
}

fn read_rescreen(node: &Node<'_>, faults: &mut Faults) -> Option<Rescreen> {
    let object = node.object(&["of", "every", "ask_again_after"], faults)?;
    let of = object.need("of", faults).and_then(|node| {
        let statuses = node.each(1..=KycStatus::ALL.len(), faults, |node, faults| node.word(KycStatus::ALL, faults))?;
        if !statuses.contains(&KycStatus::Approved) {
            faults.add(node.fault("no_approved", "`approved` must be one of them: else no client is screened again"));
        }
        Some(statuses)
    });
    let every = object.need("every", faults).and_then(|node| node.span(HOUR..=Seconds(7 * DAY.0), faults));
    let again = object.need("ask_again_after", faults).and_then(|node| node.span(DAY..=Seconds(60 * DAY.0), faults));
    Some(Rescreen { of: of?, every: every?, ask_again_after: again? })
}

fn read_list(node: &Node<'_>, codes: &mut Vec<String>, faults: &mut Faults) -> Option<ListRule> {
    let object = node.object(
        &[
            "code",
            "of",
            "format",
            "url",
            "query",
            "threshold",
            "threshold_daily",
            "at_least",
            "shrinkage_max",
            "refresh_every",
            "age_max",
            "published_age_max",
        ],
        faults,
    )?;
    let code = object.need("code", faults).and_then(|node| unique_name(&node, codes, faults));
    let of = object.need("of", faults).and_then(|node| node.word(ListKind::ALL, faults));
    let format = object.need("format", faults).and_then(|node| node.word(ListFormat::ALL, faults));
    let url = object.need("url", faults).and_then(|node| node.url(faults));
    let query = object.get("query").map(|node| read_query(&node, faults));
    let threshold = object.need("threshold", faults).and_then(|node| node.whole(PER_MILLE, faults));
    let daily = optional(object.get("threshold_daily"), |node| node.whole(PER_MILLE, faults));
    let at_least = object.need("at_least", faults).and_then(|node| read_count(&node, faults));
    let shrinkage_max = object.need("shrinkage_max", faults).and_then(|node| node.whole(0..=999, faults));
    let refresh_every =
        object.need("refresh_every", faults).and_then(|node| node.span(HOUR..=Seconds(7 * DAY.0), faults));
    let age_max = object.need("age_max", faults);
    let age = age_max.as_ref().and_then(|node| node.span(HOUR..=Seconds(90 * DAY.0), faults));
    let published = object.get("published_age_max").map(|node| node.span(DAY..=Seconds(400 * DAY.0), faults));
    if let (Some(every), Some(age), Some(node)) = (refresh_every, age, age_max)
        && age <= every
    {
        faults.add(
            node.fault("bad_range", "must be longer than refresh_every: else a list is too old before it is fetched"),
        );
    }
    Some(ListRule {
        code: code?,
        of: of?,
        format: format?,
        url: url?,
        query: query.map_or(Some(None), |query| query.map(Some))?,
        threshold: threshold?,
        threshold_daily: daily?.or(threshold)?,
        at_least: at_least?,
        shrinkage_max: shrinkage_max?,
        refresh_every: refresh_every?,
        age_max: age?,
        published_age_max: published.map_or(Some(None), |published| published.map(Some))?,
    })
}

/// What is added to an address: nothing that ends it or begins another.
fn read_query(node: &Node<'_>, faults: &mut Faults) -> Option<String> {
    let text = node.line(QUERY_CHARS_MAX, faults)?;
    let plain = |c: char| c.is_ascii_alphanumeric() || "-._~%=&+".contains(c);
    if text.chars().all(plain) {
        return Some(text.to_owned());
    }
    faults.add(node.fault("bad_query", "must be name=value pairs as they stand in an address after the ?"));
    None
}

/// A number, or a text that is one: installations fill it in.
fn read_count(node: &Node<'_>, faults: &mut Faults) -> Option<u32> {
    if !node.raw().is_string() {
        return node.whole(ENTRIES, faults);
    }
    let count: u32 = node.parsed("not_a_number", "must be a whole number", faults)?;
    if ENTRIES.contains(&count) {
        return Some(count);
    }
    faults.add(node.fault("bad_range", format!("must be from {} to {}", ENTRIES.start(), ENTRIES.end())));
    None
}
