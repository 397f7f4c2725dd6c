//! What proves a step by hand: one item a platform's ticket or provider's refund, so that none of them proves two.

use aws_sdk_dynamodb::types::AttributeValue;
use domain::payment::Proof;

use crate::MoneyTable;
use crate::commit::Commit;
use crate::error::StoreError;
use crate::item::{Item, KEY, SORT, SORT_ENTITY, s, text};

const HOLDER: &str = "holder";
/// Who holds what was claimed and proved nothing.
const NOBODY: &str = "nobody";

/// The item's key. `place` is the platform's server, or the provider's name: each numbers for itself.
fn key(place: &str, proof: &Proof) -> String {
    match proof {
        Proof::Ticket(number) => format!("ticket#{place}#{number}"),
        Proof::Refund(number) => format!("refund#{place}#{number}"),
    }
}

impl MoneyTable {
    /// Whose step a proof proves already: 1 read unit.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn proven_by(&self, place: &str, proof: &Proof) -> Result<Option<String>, StoreError> {
        let key = key(place, proof);
        let Some(item) = self.0.get(&key, SORT_ENTITY, true).await? else { return Ok(None) };
        Ok(Some(text(&item, &key, HOLDER)?.to_owned()).filter(|holder| holder != NOBODY))
    }
}

impl Commit {
    /// Claims a proof for `holder` (a payment's or stray money's id), under the condition that nobody else has it. The same holder may
    /// name it again.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn prove(&mut self, money: &MoneyTable, place: &str, proof: &Proof, holder: &str) -> Result<(), StoreError> {
        self.put(&money.0, claim(place, proof, holder), None, |put| {
            put.condition_expression("attribute_not_exists(pk) OR #holder IN (:holder, :nobody)")
                .expression_attribute_names("#holder", HOLDER)
                .expression_attribute_values(":holder", AttributeValue::S(holder.to_owned()))
                .expression_attribute_values(":nobody", AttributeValue::S(NOBODY.to_owned()))
        })
    }

    /// Gives a proof back that was claimed for `holder` and proves nothing, so that it may prove what it is of. What another claimed
    /// meanwhile makes the commit a conflict.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn disprove(&mut self, money: &MoneyTable, place: &str, proof: &Proof, holder: &str) -> Result<(), StoreError> {
        self.put(&money.0, claim(place, proof, NOBODY), None, |put| {
            put.condition_expression("attribute_not_exists(pk) OR #holder = :holder")
                .expression_attribute_names("#holder", HOLDER)
                .expression_attribute_values(":holder", AttributeValue::S(holder.to_owned()))
        })
    }
}

fn claim(place: &str, proof: &Proof, holder: &str) -> Item {
    Item::from([
        (KEY.to_owned(), s(key(place, proof))),
        (SORT.to_owned(), s(SORT_ENTITY)),
        (HOLDER.to_owned(), s(holder)),
    ])
}
