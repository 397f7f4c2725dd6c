//! What journeys did, counted as it happens: in the write that says so, so that a repeat counts nothing. The numbers of a version of a
//! journey stand in a few items, by reader, so that readers do not wait for one another.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use sha2::{Digest as _, Sha256};

use crate::Crm;
use crate::commit::Commit;
use crate::error::StoreError;
use crate::item::{KEY, SORT, s, text};

/// Items of a version.
const SHARDS: u8 = 8;

/// What is counted of the versions of a journey, by the version of its rules.
pub type Tallies = BTreeMap<u64, BTreeMap<String, u64>>;

fn key(journey: &str) -> String {
    format!("tally#{journey}")
}

impl Commit {
    /// Adds to what is counted of a journey: 2 write units.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn tally(
        &mut self,
        crm: &Crm,
        reader: &str,
        (journey, version): (&str, u64),
        numbers: &BTreeMap<String, u64>,
    ) -> Result<(), StoreError> {
        let digest: [u8; 32] = Sha256::digest(reader).into();
        let shard = digest.first().copied().unwrap_or(0) % SHARDS;
        self.add(&crm.0, (&key(journey), &format!("{version:010}#{shard}")), numbers)
    }
}

impl Crm {
    /// What is counted of a journey: half a read unit for each version and shard.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn tallies(&self, journey: &str) -> Result<Tallies, StoreError> {
        let key = key(journey);
        let query = self.0.query().key_condition_expression("pk = :pk").expression_attribute_values(":pk", s(&key));
        let mut all = Tallies::new();
        self.0
            .each(query, |item| {
                let place = text(item, &key, SORT)?;
                let version = place.split('#').next().and_then(|version| version.parse().ok());
                let version = version.ok_or_else(|| StoreError::corrupt(&key, format!("{place} is no version")))?;
                let of = all.entry(version).or_default();
                for (name, value) in item.iter().filter(|(name, _)| name.as_str() != KEY && name.as_str() != SORT) {
                    let number: u64 = value.as_n().ok().and_then(|text| text.parse().ok()).unwrap_or(0);
                    let sum = of.entry(name.clone()).or_default();
                    *sum = sum.saturating_add(number);
                }
                Ok(ControlFlow::Continue(()))
            })
            .await?;
        Ok(all)
    }
}
