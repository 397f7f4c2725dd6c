//! Rule sets: immutable versions; the newest whose time has come is live. Beside them what people wrote, and a mark by which of two that
//! are published at once the older is not lost without a word.

use domain::Timestamp;

use crate::commit::{Commit, Committed};
use crate::error::StoreError;
use crate::item::{Item, n, number, s, text};
use crate::usage::{self, Kind};
use crate::{Rules, Table};

const SET: &str = "set";
const SET_VERSION: &str = "version";
const DOCUMENT: &str = "document";
const AUTHOR: &str = "author";
const PUBLISHED_BY: &str = "published_by";
const EFFECTIVE_AT: &str = "effective_at";
/// What people wrote, apart from what functions read every minute.
const SOURCE: &str = "source";
/// The newest version that was published.
const NEWEST: &str = "newest";
/// Versions looked through for the live one: so many may be scheduled ahead.
const AHEAD_MAX: i32 = 20;

/// One version of a rule set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleVersion {
    /// The set's name, e.g. `psps`.
    pub set: String,
    /// Its version, from 1.
    pub version: u64,
    /// The document as JSON text.
    pub document: String,
    /// Who wrote it.
    pub author: String,
    /// Who published it, where that is not the same.
    pub published_by: Option<String>,
    /// From when it holds.
    pub effective_at: Timestamp,
}

impl Rules {
    /// The live version of a set. Most often that is the newest one, so that one is read first: 0.5 units per 4 KB.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn live(&self, set: &str, now: Timestamp) -> Result<Option<RuleVersion>, StoreError> {
        for (limit, consistent) in [(1, false), (AHEAD_MAX, false)] {
            let versions = self.newest(set, limit, consistent).await?;
            let found = versions.into_iter().find(|version| version.effective_at <= now);
            if found.is_some() {
                return Ok(found);
            }
        }
        Ok(None)
    }

    /// The newest versions of a set, the newest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn newest(&self, set: &str, limit: i32, consistent: bool) -> Result<Vec<RuleVersion>, StoreError> {
        let table = &self.0;
        let answer = table
            .query()
            .key_condition_expression("#set = :set")
            .expression_attribute_names("#set", SET)
            .expression_attribute_values(":set", s(set))
            .scan_index_forward(false)
            .consistent_read(consistent)
            .limit(limit)
            .send()
            .await?;
        usage::count(&table.name, &Kind::Read, answer.consumed_capacity());
        answer.items().iter().map(read).collect()
    }

    /// One version of a set.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn version(&self, set: &str, version: u64) -> Result<Option<RuleVersion>, StoreError> {
        self.one(set, version).await?.map(|item| read(&item)).transpose()
    }

    /// A version as it was written; none of a version from before texts were kept.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn source(&self, set: &str, version: u64) -> Result<Option<String>, StoreError> {
        let key = source_key(set);
        let Some(item) = self.one(&key, version).await? else { return Ok(None) };
        Ok(Some(text(&item, &key, SOURCE)?.to_owned()))
    }

    async fn one(&self, set: &str, version: u64) -> Result<Option<Item>, StoreError> {
        let table = &self.0;
        let answer = table
            .query()
            .key_condition_expression("#set = :set AND #version = :version")
            .expression_attribute_names("#set", SET)
            .expression_attribute_names("#version", SET_VERSION)
            .expression_attribute_values(":set", s(set))
            .expression_attribute_values(":version", n(version))
            .consistent_read(true)
            .send()
            .await?;
        usage::count(&table.name, &Kind::Read, answer.consumed_capacity());
        Ok(answer.items().first().cloned())
    }

    /// Publishes a version by itself; false when that version or a newer one was published.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn publish(&self, version: &RuleVersion, source: &str) -> Result<bool, StoreError> {
        let mut commit = self.0.commit();
        commit.publish(self, version, source)?;
        Ok(commit.send().await? == Committed::Applied)
    }
}

impl Commit {
    /// Adds a version of a rule set, under the condition that neither it nor a newer one was published.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn publish(&mut self, rules: &Rules, version: &RuleVersion, source: &str) -> Result<(), StoreError> {
        let table: &Table = &rules.0;
        let mut item = Item::from([
            (SET.to_owned(), s(&version.set)),
            (SET_VERSION.to_owned(), n(version.version)),
            (DOCUMENT.to_owned(), s(&version.document)),
            (AUTHOR.to_owned(), s(&version.author)),
            (EFFECTIVE_AT.to_owned(), s(version.effective_at.to_string())),
        ]);
        item.extend(version.published_by.as_ref().map(|by| (PUBLISHED_BY.to_owned(), s(by))));
        let new = "attribute_not_exists(#set)";
        self.put(table, item, None, |put| put.condition_expression(new).expression_attribute_names("#set", SET))?;
        let written = Item::from([
            (SET.to_owned(), s(source_key(&version.set))),
            (SET_VERSION.to_owned(), n(version.version)),
            (SOURCE.to_owned(), s(source)),
        ]);
        self.put(table, written, None, |put| put)?;
        let newest = Item::from([
            (SET.to_owned(), s(format!("newest#{}", version.set))),
            (SET_VERSION.to_owned(), n(0)),
            (NEWEST.to_owned(), n(version.version)),
        ]);
        self.put(table, newest, None, |put| {
            put.condition_expression("attribute_not_exists(#newest) OR #newest < :this")
                .expression_attribute_names("#newest", NEWEST)
                .expression_attribute_values(":this", n(version.version))
        })
    }
}

fn source_key(set: &str) -> String {
    format!("source#{set}")
}

fn read(item: &Item) -> Result<RuleVersion, StoreError> {
    let set = text(item, "?", SET)?.to_owned();
    Ok(RuleVersion {
        version: number(item, &set, SET_VERSION)?,
        document: text(item, &set, DOCUMENT)?.to_owned(),
        author: text(item, &set, AUTHOR)?.to_owned(),
        published_by: item.get(PUBLISHED_BY).and_then(|by| by.as_s().ok()).cloned(),
        effective_at: text(item, &set, EFFECTIVE_AT)?.parse().map_err(|error| StoreError::corrupt(&set, error))?,
        set,
    })
}
