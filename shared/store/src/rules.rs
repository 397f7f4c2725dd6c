//! Rule sets: immutable versions; the newest whose time has come is live.

use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::types::ReturnConsumedCapacity;
use domain::Timestamp;

use crate::Rules;
use crate::error::StoreError;
use crate::item::{Item, n, number, s, text};
use crate::usage::{self, Kind};

const SET: &str = "set";
const SET_VERSION: &str = "version";
const DOCUMENT: &str = "document";
const AUTHOR: &str = "author";
const EFFECTIVE_AT: &str = "effective_at";
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
    /// From when it holds.
    pub effective_at: Timestamp,
}

impl Rules {
    /// The live version of a set.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn live(&self, set: &str, now: Timestamp) -> Result<Option<RuleVersion>, StoreError> {
        let table = &self.0;
        let answer = table
            .query()
            .key_condition_expression("#set = :set")
            .expression_attribute_names("#set", SET)
            .expression_attribute_values(":set", s(set))
            .scan_index_forward(false)
            .limit(AHEAD_MAX)
            .send()
            .await?;
        usage::count(&table.name, &Kind::Read, answer.consumed_capacity());
        for item in answer.items() {
            let version = read(item)?;
            if version.effective_at <= now {
                return Ok(Some(version));
            }
        }
        Ok(None)
    }

    /// Publishes a version; false when that version exists.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn publish(&self, version: &RuleVersion) -> Result<bool, StoreError> {
        let table = &self.0;
        let put = table
            .client
            .put_item()
            .table_name(&table.name)
            .item(SET, s(&version.set))
            .item(SET_VERSION, n(version.version))
            .item(DOCUMENT, s(&version.document))
            .item(AUTHOR, s(&version.author))
            .item(EFFECTIVE_AT, s(version.effective_at.to_string()))
            .condition_expression("attribute_not_exists(#set)")
            .expression_attribute_names("#set", SET)
            .return_consumed_capacity(ReturnConsumedCapacity::Total);
        match put.send().await {
            Ok(answer) => {
                usage::count(&table.name, &Kind::Write, answer.consumed_capacity());
                Ok(true)
            }
            Err(error) if error.as_service_error().is_some_and(PutItemError::is_conditional_check_failed_exception) => {
                Ok(false)
            }
            Err(error) => Err(error.into()),
        }
    }
}

fn read(item: &Item) -> Result<RuleVersion, StoreError> {
    let set = text(item, "?", SET)?.to_owned();
    Ok(RuleVersion {
        version: number(item, &set, SET_VERSION)?,
        document: text(item, &set, DOCUMENT)?.to_owned(),
        author: text(item, &set, AUTHOR)?.to_owned(),
        effective_at: text(item, &set, EFFECTIVE_AT)?.parse().map_err(|error| StoreError::corrupt(&set, error))?,
        set,
    })
}
