//! By what two clients are known to be of one household: one item a campaign and mark, which says who had the bonus. Kept beside each bonus
//! that is granted, so that of two who share a phone one gets it.

use domain::ClientId;

use crate::Crm;
use crate::commit::Commit;
use crate::error::StoreError;
use crate::item::{Item, KEY, SORT, SORT_ENTITY, s, text};

const HOLDER: &str = "holder";

fn key(campaign: &str, mark: &str) -> String {
    format!("bonusmark#{campaign}#{mark}")
}

impl Crm {
    /// Whether one of a client's marks is another client's: half a read unit a mark, strongly consistent ones twice that.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn bonus_taken(&self, campaign: &str, marks: &[String], client: &ClientId) -> Result<bool, StoreError> {
        let keys: Vec<String> = marks.iter().map(|mark| key(campaign, mark)).collect();
        for item in self.0.items(&keys).await? {
            if text(&item, text(&item, "?", KEY)?, HOLDER)? != client.as_str() {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

impl Commit {
    /// Keeps a mark for a client, under the condition that it is nobody else's.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn keep_bonus_mark(
        &mut self,
        crm: &Crm,
        campaign: &str,
        mark: &str,
        client: &ClientId,
    ) -> Result<(), StoreError> {
        let item = Item::from([
            (KEY.to_owned(), s(key(campaign, mark))),
            (SORT.to_owned(), s(SORT_ENTITY)),
            (HOLDER.to_owned(), s(client.as_str())),
        ]);
        self.put(&crm.0, item, None, |put| {
            put.condition_expression("attribute_not_exists(pk) OR #holder = :holder")
                .expression_attribute_names("#holder", HOLDER)
                .expression_attribute_values(":holder", s(client.as_str()))
        })
    }
}
