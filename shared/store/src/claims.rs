//! Idempotency keys: one item a key, kept as long as what it made.

use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::types::{ReturnConsumedCapacity, ReturnValuesOnConditionCheckFailure};
use domain::fault::{self, Fault};
use domain::{Seconds, Timestamp};
use sha2::{Digest as _, Sha256};

use crate::Table;
use crate::error::StoreError;
use crate::item::{Item, KEY, SORT, SORT_ENTITY, n, number, s, text};
use crate::usage::{self, Kind};

const ENTITY: &str = "entity";
const REQUEST: &str = "request";
const LEASE: &str = "lease_ms";
const TAKEN_OVER_BY: &str = "by";

/// A request that must not run twice.
#[derive(Debug, Clone)]
pub struct ClaimRequest<'a> {
    /// The route and whoever calls it, so that two callers may use the same key.
    pub scope: &'a str,
    /// The caller's `Idempotency-Key`.
    pub key: &'a str,
    /// SHA-256 of the request, hexadecimal.
    pub request_hash: &'a str,
    /// The id that this request will give to what it makes, if it is the first.
    pub fresh_id: &'a str,
    /// The moment.
    pub now: Timestamp,
    /// How long the first may be at work before another takes over.
    pub lease: Seconds,
}

/// What a claim came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claim {
    /// The first with this key: go on with the id.
    First(String),
    /// Made before, or begun before, under this id.
    Known {
        /// The id.
        entity: String,
        /// Whether whoever began may still be at work.
        running: bool,
    },
    /// The key was used for another request.
    OtherRequest,
}

fn claim_key(scope: &str, key: &str) -> String {
    let digest = hex::encode(Sha256::digest(format!("{scope}\n{key}").as_bytes()));
    format!("idem#{}", digest.get(..40).unwrap_or(&digest))
}

impl Table {
    /// Claims an idempotency key: 1 write unit for the first, none billed back for a repeat's read.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn claim(&self, request: &ClaimRequest<'_>) -> Result<Claim, StoreError> {
        let key = claim_key(request.scope, request.key);
        let put = self
            .client
            .put_item()
            .table_name(&self.name)
            .item(KEY, s(&key))
            .item(SORT, s(SORT_ENTITY))
            .item(ENTITY, s(request.fresh_id))
            .item(REQUEST, s(request.request_hash))
            .item(LEASE, n(request.now.plus(request.lease).millis()))
            .condition_expression("attribute_not_exists(pk)")
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .return_consumed_capacity(ReturnConsumedCapacity::Total);
        match put.send().await {
            Ok(answer) => {
                usage::count(&self.name, &Kind::Write, answer.consumed_capacity());
                Ok(Claim::First(request.fresh_id.to_owned()))
            }
            Err(error) => {
                usage::count(&self.name, &Kind::Write, None);
                match error.as_service_error() {
                    Some(PutItemError::ConditionalCheckFailedException(lost)) => match lost.item() {
                        // nobody else has our fresh id: it is our own write, sent again after its answer was lost
                        Some(item)
                            if text(item, &key, ENTITY)? == request.fresh_id
                                && !fault::is_back(Fault::OwnWriteIsAStrangers) =>
                        {
                            Ok(Claim::First(request.fresh_id.to_owned()))
                        }
                        Some(item) => known(item, &key, request),
                        None => Err(StoreError::corrupt(&key, "the losing item was not returned")),
                    },
                    _ => Err(error.into()),
                }
            }
        }
    }

    /// Takes over a claim whose first owner's lease is over; false when somebody else did. The claim names who took it over by the
    /// fresh id, which nobody else has: a write of its own that was sent again after its answer was lost is no other's.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn take_over(&self, request: &ClaimRequest<'_>) -> Result<bool, StoreError> {
        let update = self
            .update(claim_key(request.scope, request.key), SORT_ENTITY)
            .update_expression("SET #lease = :new, #by = :by")
            .condition_expression("#lease < :now")
            .expression_attribute_names("#lease", LEASE)
            .expression_attribute_names("#by", TAKEN_OVER_BY)
            .expression_attribute_values(":by", s(request.fresh_id))
            .expression_attribute_values(":new", n(request.now.plus(request.lease).millis()))
            .expression_attribute_values(":now", n(request.now.millis()));
        Ok(self.send(update).await?.is_ours(|standing| is_taken_over(standing, request)))
    }
}

/// Whether what stands was written by this very request: its id, and the lease that it asked for.
fn is_taken_over(item: &Item, request: &ClaimRequest<'_>) -> bool {
    item.get(TAKEN_OVER_BY) == Some(&s(request.fresh_id))
        && item.get(LEASE) == Some(&n(request.now.plus(request.lease).millis()))
}

impl Table {
    /// What a key stands for, without claiming it; `None` when nobody did: 1 read unit.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn claimed(&self, request: &ClaimRequest<'_>) -> Result<Option<Claim>, StoreError> {
        let key = claim_key(request.scope, request.key);
        self.get(&key, SORT_ENTITY, true).await?.map(|item| known(&item, &key, request)).transpose()
    }

    /// Ends the lease that this request got, so that a repeat need not wait for its end. Whoever took over keeps theirs.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn give_back(&self, request: &ClaimRequest<'_>) -> Result<(), StoreError> {
        let update = self
            .update(claim_key(request.scope, request.key), SORT_ENTITY)
            .update_expression("SET #lease = :over")
            .condition_expression("#lease = :own")
            .expression_attribute_names("#lease", LEASE)
            .expression_attribute_values(":over", n(0))
            .expression_attribute_values(":own", n(request.now.plus(request.lease).millis()));
        self.send(update).await?;
        Ok(())
    }
}

fn known(item: &Item, key: &str, request: &ClaimRequest<'_>) -> Result<Claim, StoreError> {
    if text(item, key, REQUEST)? != request.request_hash {
        return Ok(Claim::OtherRequest);
    }
    let lease = number(item, key, LEASE)?;
    let running = u64::try_from(request.now.millis()).unwrap_or(0) < lease;
    Ok(Claim::Known { entity: text(item, key, ENTITY)?.to_owned(), running })
}
