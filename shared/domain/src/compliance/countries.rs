//! Lists of countries, dated: what was listed on the day counts, whatever is listed today.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use crate::input::Fault;
use crate::rules::RuleSet;
use crate::rules::read::{Faults, Node, optional, read_document};
use crate::rules::rule_set::Offer;
use crate::{Country, Day, Timestamp};

/// How many lists there may be.
const LISTS_MAX: usize = 20;
/// How many rows one may have.
const ROWS_MAX: usize = 600;
/// The longest title, source or measure.
const TEXT_MAX: usize = 300;

/// A country on a list for a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing {
    /// The country.
    pub country: Country,
    /// The first day; none for a listing that began before the list does.
    pub from: Option<Day>,
    /// The first day on which it is listed no more; none while it is.
    pub to: Option<Day>,
}

/// A list of one regime.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CountryList {
    /// What it is called.
    pub title: String,
    /// Where it is from.
    pub source: String,
    /// The last day up to which somebody looked for changes.
    pub checked: Day,
    rows: Vec<Listing>,
}

/// The rule set `country_lists`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CountryLists(BTreeMap<String, CountryList>);

impl CountryLists {
    /// Of the named lists those on which a country stands on the day of a moment.
    pub fn listing<'a>(
        &'a self,
        country: Country,
        at: Timestamp,
        named: &'a [String],
    ) -> impl Iterator<Item = &'a str> {
        let day = Day::of(at);
        let listed = move |list: &CountryList| {
            list.rows.iter().any(|row| {
                row.country == country && row.from.is_none_or(|from| from <= day) && row.to.is_none_or(|to| day < to)
            })
        };
        let found = named.iter().filter_map(|name| self.0.get_key_value(name));
        found.filter(move |(_, list)| listed(list)).map(|(name, _)| name.as_str())
    }

    /// A list.
    pub fn get(&self, name: &str) -> Option<&CountryList> {
        self.0.get(name)
    }

    /// The countries of a list on a day, in order.
    pub fn on(&self, name: &str, day: Day) -> Vec<Country> {
        let rows = self.0.get(name).map(|list| list.rows.as_slice()).unwrap_or_default();
        let listed =
            rows.iter().filter(|row| row.from.is_none_or(|from| from <= day) && row.to.is_none_or(|to| day < to));
        let mut countries: Vec<Country> = listed.map(|row| row.country).collect();
        countries.sort_by_key(Country::code);
        countries
    }
}

impl RuleSet for CountryLists {
    const NAME: &'static str = "country_lists";

    const OFFERS: &'static [Offer<Self>] =
        &[Offer { what: "country_list", names: |set| set.0.keys().cloned().collect() }];

    fn parse(document: &Json) -> Result<Self, Vec<Fault>> {
        read_document(document, read)
    }
}

fn read(node: &Node<'_>, faults: &mut Faults) -> Option<CountryLists> {
    let object = node.object(&["lists"], faults)?;
    let at = object.need("lists", faults)?;
    let lists = at.map(faults)?;
    if lists.count() > LISTS_MAX {
        faults.add(at.fault("too_many", format!("at most {LISTS_MAX} lists are allowed")));
        return None;
    }
    let mut read = BTreeMap::new();
    for (name, node) in lists.entries() {
        if !crate::rules::is_rule_name(name) {
            faults.add(node.fault("bad_name", "must be lower-case letters, digits, _ and -"));
        }
        if let Some(list) = read_list(&node, faults) {
            read.insert(name.to_owned(), list);
        }
    }
    (read.len() == lists.count()).then_some(CountryLists(read))
}

fn read_list(node: &Node<'_>, faults: &mut Faults) -> Option<CountryList> {
    let object = node.object(&["title", "source", "checked", "rows"], faults)?;
    let mut text = |key: &str| object.need(key, faults).and_then(|at| at.line(TEXT_MAX, faults)).map(str::to_owned);
    let (title, source) = (text("title"), text("source"));
    let checked = object.need("checked", faults).and_then(|at| day(&at, faults));
    let rows = object.need("rows", faults).and_then(|at| {
        let mut rows: Vec<Listing> = Vec::new();
        let all = at.each(0..=ROWS_MAX, faults, |item, faults| {
            let row = read_row(item, faults)?;
            if rows.iter().any(|other| other.overlaps(&row)) {
                let message = format!("{} is on the list at that time already", row.country);
                faults.add(item.fault("overlap", message));
                return None;
            }
            rows.push(row);
            Some(())
        });
        all.map(|_| rows)
    });
    Some(CountryList { title: title?, source: source?, checked: checked?, rows: rows? })
}

fn read_row(node: &Node<'_>, faults: &mut Faults) -> Option<Listing> {
    let object = node.object(&["country", "from", "to"], faults)?;
    let country = object.need("country", faults).and_then(|at| at.country(faults));
    let from = optional(object.get("from"), |at| day(&at, faults));
    let to = optional(object.get("to"), |at| day(&at, faults));
    let row = Listing { country: country?, from: from?, to: to? };
    if let (Some(from), Some(to)) = (row.from, row.to)
        && to <= from
    {
        faults.add(
            node.fault("bad_range", "`to` is the first day on which it is listed no more, and must be after `from`"),
        );
        return None;
    }
    Some(row)
}

fn day(node: &Node<'_>, faults: &mut Faults) -> Option<Day> {
    node.parsed("bad_date", "must be a day such as 2026-11-23 (in quotes)", faults)
}

impl Listing {
    fn overlaps(&self, other: &Self) -> bool {
        let before = |end: Option<Day>, start: Option<Day>| match (end, start) {
            (Some(end), Some(start)) => end <= start,
            (Some(_) | None, None) | (None, Some(_)) => false,
        };
        self.country == other.country && !before(self.to, other.from) && !before(other.to, self.from)
    }
}
