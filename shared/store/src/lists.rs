//! Lists: an index gives the keys, a batch read gives the items.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::{KeysAndAttributes, ReturnConsumedCapacity};
use domain::decision::Entity;
use domain::{AccountId, ClientId, PaymentId, WorkId};

use crate::entities::stored;
use crate::error::StoreError;
use crate::item::{CLIENT, Item, KEY, QUEUE, RANK, SORT, SORT_ENTITY, s, text};
use crate::usage::{self, Kind};
use crate::{Crm, Home, MoneyTable, Stored, Table};

/// A page of a list.
#[derive(Debug, Clone)]
pub struct Page<T> {
    /// The entities in the list's order.
    pub items: Vec<Stored<T>>,
    /// What the last one read is called in the list's order, if there is more.
    pub next: Option<String>,
}

/// Attempts to read keys that a batch left over.
const BATCH_ATTEMPTS: usize = 5;

struct KeyQuery<'a> {
    index: &'a str,
    partition: (&'a str, String),
    sort: &'a str,
    part: Part<'a>,
    limit: i32,
}

/// Which part of a partition is read, and in which order.
enum Part<'a> {
    /// Ids of one kind, newest first, from the one before this on.
    NewestFirst { prefix: &'a str, before: Option<&'a str> },
    /// What follows this place.
    InOrder { after: Option<&'a str> },
}

impl Table {
    /// Keys, and the sort value of the last one read if there is more.
    async fn keys(&self, query: KeyQuery<'_>) -> Result<(Vec<String>, Option<String>), StoreError> {
        let mut call = self
            .client
            .query()
            .table_name(&self.name)
            .index_name(query.index)
            .expression_attribute_names("#p", query.partition.0)
            .expression_attribute_values(":p", s(query.partition.1.clone()))
            .scan_index_forward(matches!(query.part, Part::InOrder { .. }))
            .limit(query.limit)
            .return_consumed_capacity(ReturnConsumedCapacity::Total);
        call = match query.part {
            Part::NewestFirst { prefix, .. } => call
                .key_condition_expression("#p = :p AND begins_with(#s, :s)")
                .expression_attribute_names("#s", query.sort)
                .expression_attribute_values(":s", s(prefix)),
            Part::InOrder { after: Some(after) } => call
                .key_condition_expression("#p = :p AND #s > :s")
                .expression_attribute_names("#s", query.sort)
                .expression_attribute_values(":s", s(after)),
            Part::InOrder { after: None } => call.key_condition_expression("#p = :p"),
        };
        if let Part::NewestFirst { before: Some(id), .. } = query.part {
            call = call
                .exclusive_start_key(query.partition.0, s(query.partition.1.clone()))
                .exclusive_start_key(KEY, s(id))
                .exclusive_start_key(SORT, s(SORT_ENTITY));
        }
        let answer = call.send().await?;
        usage::count(&self.name, &Kind::Read, answer.consumed_capacity());
        let keys =
            answer.items().iter().map(|item| text(item, "?", KEY).map(str::to_owned)).collect::<Result<_, _>>()?;
        let next = match &answer.last_evaluated_key {
            Some(last) if !last.is_empty() => Some(text(last, "?", query.sort)?.to_owned()),
            _ => None,
        };
        Ok((keys, next))
    }

    async fn batch<T: Entity>(&self, keys: &[String]) -> Result<Vec<Stored<T>>, StoreError> {
        let mut found: HashMap<String, Stored<T>> = HashMap::new();
        let mut wanted: Vec<Item> = keys
            .iter()
            .map(|key| HashMap::from([(KEY.to_owned(), s(key)), (SORT.to_owned(), s(SORT_ENTITY))]))
            .collect();
        for _ in 0..BATCH_ATTEMPTS {
            if wanted.is_empty() {
                break;
            }
            let request = KeysAndAttributes::builder()
                .set_keys(Some(std::mem::take(&mut wanted)))
                .consistent_read(true)
                .build()
                .map_err(|error| StoreError::Refused(error.to_string()))?;
            let answer = self
                .client
                .batch_get_item()
                .request_items(&self.name, request)
                .return_consumed_capacity(ReturnConsumedCapacity::Total)
                .send()
                .await?;
            usage::count(&self.name, &Kind::Read, answer.consumed_capacity().first());
            for item in answer.responses().and_then(|tables| tables.get(&self.name)).into_iter().flatten() {
                found.insert(text(item, "?", KEY)?.to_owned(), stored(item)?);
            }
            if let Some(left) = answer.unprocessed_keys().and_then(|tables| tables.get(&self.name)) {
                wanted = left.keys().to_vec();
            }
        }
        if !wanted.is_empty() {
            return Err(StoreError::Unavailable("a batch read was left unfinished".to_owned()));
        }
        Ok(keys.iter().filter_map(|key| found.remove(key)).collect())
    }

    async fn by_client<T: Entity>(
        &self,
        client: &ClientId,
        prefix: &str,
        limit: i32,
        before: Option<&str>,
    ) -> Result<Page<T>, StoreError> {
        let (keys, next) = self
            .keys(KeyQuery {
                index: "by_client",
                partition: (CLIENT, client.as_str().to_owned()),
                sort: KEY,
                part: Part::NewestFirst { prefix, before },
                limit,
            })
            .await?;
        Ok(Page { items: self.batch(&keys).await?, next })
    }
}

impl Crm {
    /// The trading accounts of a client, newest first, from the one before the given on.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn accounts_of(
        &self,
        client: &ClientId,
        limit: i32,
        before: Option<&AccountId>,
    ) -> Result<Page<domain::account::Account>, StoreError> {
        self.0.by_client(client, AccountId::PREFIX, limit, before.map(AccountId::as_str)).await
    }

    /// The newest work items about a client.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn work_about(&self, client: &ClientId, limit: i32) -> Result<Page<domain::work::WorkItem>, StoreError> {
        self.0.by_client(client, WorkId::PREFIX, limit, None).await
    }

    /// The work items of a queue by their rank: priority, then due time. `after` is a rank, of whatever queue; `resolved`
    /// ones are listed apart.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn work(
        &self,
        queue: &str,
        resolved: bool,
        limit: i32,
        after: Option<&str>,
    ) -> Result<Page<domain::work::WorkItem>, StoreError> {
        let state = if resolved { "resolved" } else { "open" };
        let table = Home::<domain::work::WorkItem>::table(self);
        let (keys, next) = table
            .keys(KeyQuery {
                index: "queue",
                partition: (QUEUE, format!("{queue}#{state}")),
                sort: RANK,
                part: Part::InOrder { after },
                limit,
            })
            .await?;
        Ok(Page { items: table.batch(&keys).await?, next })
    }
}

impl MoneyTable {
    /// The payments of a client, newest first, from the one before the given on.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn payments_of(
        &self,
        client: &ClientId,
        limit: i32,
        before: Option<&PaymentId>,
    ) -> Result<Page<domain::payment::Deposit>, StoreError> {
        self.0.by_client(client, PaymentId::PREFIX, limit, before.map(PaymentId::as_str)).await
    }
}
