//! By which addresses and numbers a lead is known: one item each, so that two forms of the same person cannot both be first.

use aws_sdk_dynamodb::types::AttributeValue;
use domain::Timestamp;
use domain::lead::{ContactTie, KnownContact};

use crate::Crm;
use crate::commit::Commit;
use crate::error::StoreError;
use crate::item::{Item, KEY, SORT, SORT_ENTITY, n, number, s, text};

const LEAD: &str = "lead";
const SINCE: &str = "since_ms";
/// There, if it is only a hint.
const HINT: &str = "hint";

impl Crm {
    /// What is known of some addresses and numbers: 1 read unit each.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn contacts(&self, keys: &[String]) -> Result<Vec<KnownContact>, StoreError> {
        let items = self.0.items(keys).await?;
        items.iter().map(read).collect()
    }
}

fn read(item: &Item) -> Result<KnownContact, StoreError> {
    let key = text(item, "?", KEY)?.to_owned();
    let lead_id = text(item, &key, LEAD)?.parse().map_err(|error| StoreError::corrupt(&key, error))?;
    let since = i64::try_from(number(item, &key, SINCE)?).ok().and_then(Timestamp::from_millis);
    let since = since.ok_or_else(|| StoreError::corrupt(&key, "since_ms is not a time"))?;
    let tie = if item.contains_key(HINT) { ContactTie::Later } else { ContactTie::Own };
    Ok(KnownContact { key, lead_id, since, tie })
}

impl Commit {
    /// Makes a lead known by an address or number, under the condition that nobody changed it since it was read.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn know(&mut self, crm: &Crm, contact: &KnownContact, was: Option<&KnownContact>) -> Result<(), StoreError> {
        let mut item = Item::from([
            (KEY.to_owned(), s(&contact.key)),
            (SORT.to_owned(), s(SORT_ENTITY)),
            (LEAD.to_owned(), s(contact.lead_id.as_str())),
            (SINCE.to_owned(), n(contact.since.millis())),
        ]);
        match contact.tie {
            ContactTie::Own => {}
            ContactTie::Later => drop(item.insert(HINT.to_owned(), AttributeValue::Bool(true))),
        }
        self.put(&crm.0, item, None, |put| match was {
            None => put.condition_expression("attribute_not_exists(pk)"),
            Some(was) => put
                .condition_expression("#lead = :was")
                .expression_attribute_names("#lead", LEAD)
                .expression_attribute_values(":was", AttributeValue::S(was.lead_id.to_string())),
        })
    }
}
