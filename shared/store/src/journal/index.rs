//! Which executions a function had on a day: pages in the journal's own table, beside its entries and of another form.
//!
//! A page lists the entries of one function and day that came together. Its place follows from what it lists, so a repeat is the same page; entries that come
//! again in other company are listed twice, and whoever reads takes them for one. Pages, like entries, are written once and never changed.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::types::ReturnConsumedCapacity;
use domain::{Day, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::{ENTITY, ENTRY_VERSION, JournalEntry, read};
use crate::Journal;
use crate::error::StoreError;
use crate::item::{Item, item_of_json, n, s, text};
use crate::usage::{self, Kind};

/// What the key of a page begins with; no id of an entity does.
const PAGE_PREFIX: &str = "index#";
const LINES: &str = "lines";
/// Entries of one page: a line is some two hundred bytes, and an item holds 400 KB.
const LINES_MAX: usize = 1_000;

/// An entry as a page lists it. Names are short: there is one for each version of everything.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Indexed {
    /// Milliseconds since 1970 UTC.
    #[serde(rename = "at")]
    pub at_ms: i64,
    /// Entity.
    #[serde(rename = "e")]
    pub entity: String,
    /// Version.
    #[serde(rename = "v")]
    pub version: u64,
    /// The invocation.
    #[serde(rename = "x")]
    pub execution_id: String,
    /// What set it off.
    #[serde(rename = "tr")]
    pub trigger: String,
    /// Outcome.
    #[serde(rename = "o")]
    pub outcome: String,
    /// Client, if the entity belongs to one.
    #[serde(rename = "c", default, skip_serializing_if = "Option::is_none")]
    pub client: Option<String>,
    /// The trading platform that the entity names, by which its events are routed.
    #[serde(rename = "p", default, skip_serializing_if = "Option::is_none")]
    pub platform: Option<String>,
}

/// What is looked for.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// The function.
    pub function: &'a str,
    /// From this moment on.
    pub from: Timestamp,
    /// Up to this moment, which does not count.
    pub to: Timestamp,
    /// The first decision of an execution had this outcome.
    pub outcome: Option<&'a str>,
    /// It was about something of this client.
    pub client: Option<&'a str>,
    /// It was about this entity.
    pub entity: Option<&'a str>,
    /// It was about something on this trading platform.
    pub platform: Option<&'a str>,
}

impl Asked<'_> {
    fn is(&self, line: &Indexed) -> bool {
        let same = |wanted: Option<&str>, own: Option<&str>| wanted.is_none_or(|wanted| own == Some(wanted));
        (self.from.millis()..self.to.millis()).contains(&line.at_ms)
            && same(self.outcome, Some(&line.outcome))
            && same(self.client, line.client.as_deref())
            && same(self.entity, Some(&line.entity))
            && same(self.platform, line.platform.as_deref())
    }
}

pub(super) fn is_page(key: &str) -> bool {
    key.starts_with(PAGE_PREFIX)
}

fn key(function: &str, day: Day) -> String {
    format!("{PAGE_PREFIX}{function}#{day}")
}

/// The number of a page: when its first entry was made, and a hash of all of it. DynamoDB's numbers have 38 digits.
fn number_of(first_ms: i64, lines: &str) -> String {
    let digest: [u8; 32] = Sha256::digest(lines.as_bytes()).into();
    let hash = digest.iter().take(8).fold(0_u64, |hash, byte| (hash << 8) | u64::from(*byte));
    format!("{:013}{hash:020}", first_ms.max(1))
}

impl JournalEntry {
    /// Reads the new image of a record of the journal's own stream.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`].
    pub fn read_json(image: &Value) -> Result<Self, StoreError> {
        read(&item_of_json(image)?)
    }

    fn line(&self) -> Indexed {
        Indexed {
            at_ms: self.record.at_ms,
            entity: self.entity.clone(),
            version: self.version,
            execution_id: self.record.execution_id.clone(),
            trigger: self.record.trigger.clone(),
            outcome: self.record.outcome.clone(),
            client: self.client.clone(),
            platform: self.platform(),
        }
    }

    /// The trading platform that the public part names: `platform`, or `platform.name`.
    pub fn platform(&self) -> Option<String> {
        let public: Value = serde_json::from_str(&self.public_text).ok()?;
        let platform = public.get("platform")?;
        platform.get("name").unwrap_or(platform).as_str().map(str::to_owned)
    }
}

impl Journal {
    /// Lists entries: a page for each function and day that they are of, 1 write unit a KB.
    ///
    /// # Errors
    /// [`StoreError`]; pages that were written before it are found when it is done again.
    pub async fn list(&self, entries: &[JournalEntry]) -> Result<usize, StoreError> {
        let mut pages: BTreeMap<String, Vec<Indexed>> = BTreeMap::new();
        for entry in entries {
            let at = Timestamp::from_millis(entry.record.at_ms).unwrap_or(Timestamp::EPOCH);
            pages.entry(key(&entry.record.function, Day::of(at))).or_default().push(entry.line());
        }
        let mut written = 0;
        for (key, mut lines) in pages {
            lines.sort();
            for part in lines.chunks(LINES_MAX) {
                self.put_page(&key, part).await?;
                written += 1;
            }
        }
        Ok(written)
    }

    async fn put_page(&self, key: &str, lines: &[Indexed]) -> Result<(), StoreError> {
        let table = &self.0;
        let body = serde_json::to_string(lines).map_err(|error| StoreError::corrupt(key, error))?;
        let number = number_of(lines.first().map_or(0, |line| line.at_ms), &body);
        let put = table
            .client
            .put_item()
            .table_name(&table.name)
            .item(ENTITY, s(key))
            .item(ENTRY_VERSION, n(number))
            .item(LINES, s(body))
            .condition_expression("attribute_not_exists(entity)")
            .return_consumed_capacity(ReturnConsumedCapacity::Total);
        match put.send().await {
            Ok(answer) => {
                usage::count(&table.name, &Kind::Write, answer.consumed_capacity());
                Ok(())
            }
            Err(error) => match error.as_service_error() {
                // its number is of its content: the same page was written before
                Some(PutItemError::ConditionalCheckFailedException(_)) => {
                    usage::count(&table.name, &Kind::Write, None);
                    Ok(())
                }
                _ => Err(error.into()),
            },
        }
    }

    /// The executions of a function, each by the first of the versions of one entity that it made, the oldest first; one more than `most` where there are more than that, and
    /// then it is read no further. What was decided in the last minutes may not be listed yet.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn executions(&self, asked: &Asked<'_>, most: usize) -> Result<Vec<Indexed>, StoreError> {
        let mut found: BTreeSet<Indexed> = BTreeSet::new();
        let mut day = Day::of(asked.from);
        // what goes on past midnight is of the day on which it began
        let mut begun: BTreeMap<Name, Indexed> = BTreeMap::new();
        while day.begins() < asked.to && found.len() <= most {
            let begins = firsts(self.listed(&key(asked.function, day)).await?);
            let fresh = begins.iter().filter(|(name, _)| !begun.contains_key(*name)).map(|(_, line)| line);
            found.extend(fresh.filter(|line| asked.is(line)).cloned());
            begun = begins;
            let next = day.next();
            if next == day {
                break;
            }
            day = next;
        }
        Ok(found.into_iter().take(most.saturating_add(1)).collect())
    }

    async fn listed(&self, key: &str) -> Result<Vec<Indexed>, StoreError> {
        let query = self
            .0
            .query()
            .key_condition_expression("#entity = :entity")
            .expression_attribute_names("#entity", ENTITY)
            .expression_attribute_values(":entity", s(key));
        let mut lines: Vec<Indexed> = Vec::new();
        let take = |item: &Item| {
            let page: Vec<Indexed> =
                serde_json::from_str(text(item, key, LINES)?).map_err(|error| StoreError::corrupt(key, error))?;
            lines.extend(page);
            Ok(ControlFlow::Continue(()))
        };
        self.0.each(query, take).await?;
        Ok(lines)
    }
}

/// An execution and what it changed: the invocation, what set it off, the entity.
type Name = (String, String, String);

/// Of what one execution made of one entity, the first.
fn firsts(lines: Vec<Indexed>) -> BTreeMap<Name, Indexed> {
    let mut firsts: BTreeMap<Name, Indexed> = BTreeMap::new();
    for line in lines {
        let name = (line.execution_id.clone(), line.trigger.clone(), line.entity.clone());
        match firsts.get(&name) {
            Some(first) if first.version <= line.version => {}
            _ => drop(firsts.insert(name, line)),
        }
    }
    firsts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(entity: &str, version: u64, execution: &str, at_ms: i64) -> Indexed {
        Indexed {
            at_ms,
            entity: entity.to_owned(),
            version,
            execution_id: execution.to_owned(),
            trigger: "deposit.paid pay_1:2:0".to_owned(),
            outcome: if version == 3 { "crediting" } else { "credited" }.to_owned(),
            client: Some("cli_1".to_owned()),
            platform: Some("mt5".to_owned()),
        }
    }

    #[test]
    fn an_execution_is_named_once_by_the_first_of_what_it_made() {
        let lines = vec![
            line("pay_1", 4, "a", 20),
            line("pay_1", 3, "a", 10),
            line("pay_1", 3, "a", 10),
            line("pay_2", 3, "a", 10),
        ];
        let places: Vec<_> = firsts(lines).into_values().map(|line| (line.entity, line.version)).collect();
        assert_eq!(places, [("pay_1".to_owned(), 3), ("pay_2".to_owned(), 3)]);
    }

    #[test]
    fn a_page_is_numbered_by_what_it_lists() {
        let number = number_of(1_795_428_930_120, "[]");
        assert_eq!(number, number_of(1_795_428_930_120, "[]"));
        assert_ne!(number, number_of(1_795_428_930_120, "[ ]"));
        assert!(number.len() <= 38 && number.starts_with("1795428930120") && !number.starts_with('0'));
    }

    #[test]
    fn what_is_asked_for_is_held_against_each_line() {
        let at = |ms| Timestamp::from_millis(ms).unwrap();
        let all = Asked {
            function: "f",
            from: at(10),
            to: at(20),
            outcome: None,
            client: None,
            entity: None,
            platform: None,
        };
        for (at_ms, inside) in [(9, false), (10, true), (19, true), (20, false)] {
            assert_eq!(all.is(&line("pay_1", 3, "a", at_ms)), inside, "{at_ms}");
        }
        let own = line("pay_1", 3, "a", 10);
        assert!(Asked { outcome: Some("crediting"), client: Some("cli_1"), entity: Some("pay_1"), ..all }.is(&own));
        assert!(!Asked { outcome: Some("credited"), ..all }.is(&own));
        assert!(!Asked { client: Some("cli_2"), ..all }.is(&own));
        assert!(!Asked { client: Some("cli_1"), ..all }.is(&Indexed { client: None, ..own.clone() }));
        assert!(!Asked { entity: Some("pay_2"), ..all }.is(&own));
        assert!(Asked { platform: Some("mt5"), ..all }.is(&own) && !Asked { platform: Some("mt4"), ..all }.is(&own));
    }
}
