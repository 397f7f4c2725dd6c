//! Lists: an index gives the keys, a batch read gives the items.

use std::collections::HashMap;
use std::ops::ControlFlow;

use aws_sdk_dynamodb::types::{KeysAndAttributes, ReturnConsumedCapacity};
use domain::entity::Entity;
use domain::lead::{Lead, waiting_list};
use domain::{AccountId, ClientId, PaymentId, WorkId};

use crate::entities::stored;
use crate::error::StoreError;
use crate::item::{CLIENT, Item, KEY, KIND as ITEM_KIND, QUEUE, RANK, SORT, SORT_ENTITY, optional_text, s, text};
use crate::usage::{self, Kind};
use crate::{Crm, MoneyTable, Places, Stored, Table};

/// A page of a list.
#[derive(Debug, Clone)]
pub struct Page<T> {
    /// The entities in the list's order.
    pub items: Vec<Stored<T>>,
    /// What the last one read is called in the list's order, if there is more.
    pub next: Option<String>,
}

/// Keys that one batch read takes.
const BATCH_MAX: usize = 100;
/// Of a client's accounts so many, the newest, are counted against his limits.
const COUNTED_MAX: i32 = 100;
/// Keys of a page of a list that is read to its end.
const PAGE: i32 = 100;
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
            .query()
            .index_name(query.index)
            .expression_attribute_names("#p", query.partition.0)
            .expression_attribute_values(":p", s(query.partition.1.clone()))
            .scan_index_forward(matches!(query.part, Part::InOrder { .. }))
            .limit(query.limit);
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

    /// The items of keys that are there, strongly consistent, in no order.
    pub(crate) async fn items(&self, keys: &[String]) -> Result<Vec<Item>, StoreError> {
        let mut found = Vec::new();
        for part in keys.chunks(BATCH_MAX) {
            let mut wanted: Vec<Item> = part
                .iter()
                .map(|key| HashMap::from([(KEY.to_owned(), s(key)), (SORT.to_owned(), s(SORT_ENTITY))]))
                .collect();
            for _ in 0..BATCH_ATTEMPTS {
                if wanted.is_empty() {
                    break;
                }
                wanted = self.some_items(wanted, &mut found).await?;
            }
            if !wanted.is_empty() {
                return Err(StoreError::Unavailable("a batch read was left unfinished".to_owned()));
            }
        }
        Ok(found)
    }

    /// Reads what one call gives; what it left over comes back.
    async fn some_items(&self, wanted: Vec<Item>, found: &mut Vec<Item>) -> Result<Vec<Item>, StoreError> {
        let request = KeysAndAttributes::builder()
            .set_keys(Some(wanted))
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
        let items = answer.responses().and_then(|tables| tables.get(&self.name));
        found.extend(items.into_iter().flatten().cloned());
        let left = answer.unprocessed_keys().and_then(|tables| tables.get(&self.name));
        Ok(left.map(|left| left.keys().to_vec()).unwrap_or_default())
    }

    pub(crate) async fn batch<T: Entity>(&self, keys: &[String]) -> Result<Vec<Stored<T>>, StoreError> {
        let mut found: HashMap<String, Stored<T>> = HashMap::new();
        for item in self.items(keys).await? {
            // ids of one family begin alike: another kind of payment has a list of its own
            if optional_text(&item, ITEM_KIND).is_some_and(|kind| kind != T::KIND) {
                continue;
            }
            found.insert(text(&item, "?", KEY)?.to_owned(), stored(&item)?);
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
        let (keys, next) = self.keys_of(client, prefix, limit, before).await?;
        Ok(Page { items: self.batch(&keys).await?, next })
    }

    pub(crate) async fn keys_of(
        &self,
        client: &ClientId,
        prefix: &str,
        limit: i32,
        before: Option<&str>,
    ) -> Result<(Vec<String>, Option<String>), StoreError> {
        let partition = (CLIENT, client.as_str().to_owned());
        let part = Part::NewestFirst { prefix, before };
        self.keys(KeyQuery { index: "by_client", partition, sort: KEY, part, limit }).await
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

    /// The newest accounts of a client as his limits count them, and `others` as far as they are there: those of the index, which may be
    /// some moments behind, and those of the item that each new account is saved with.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn accounts_held(
        &self,
        client: &ClientId,
        places: &Places<AccountId>,
        others: &[AccountId],
    ) -> Result<Vec<domain::account::Account>, StoreError> {
        let (mut keys, _) = self.0.keys_of(client, AccountId::PREFIX, COUNTED_MAX, None).await?;
        for id in places.newest.iter().chain(others) {
            if !keys.iter().any(|key| key == id.as_str()) {
                keys.push(id.as_str().to_owned());
            }
        }
        Ok(self.0.batch(&keys).await?.into_iter().map(|stored| stored.entity).collect())
    }

    /// The accounts of a server that have a login, by it, from the one after the given place on. The index may be some moments
    /// behind, and accounts that were opened before it had them stand in it from their next version on.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn accounts_on(
        &self,
        server: &str,
        limit: i32,
        after: Option<&str>,
    ) -> Result<Page<domain::account::Account>, StoreError> {
        self.ranked(domain::account::list_of_server(server), limit, after).await
    }

    /// The account of a login.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn account_of_login(
        &self,
        server: &str,
        login: &str,
    ) -> Result<Option<Stored<domain::account::Account>>, StoreError> {
        let page = self.accounts_on(server, 1, Some(&format!("{login}#"))).await?;
        let mut found = page.items.into_iter();
        Ok(found.next().filter(|stored| stored.entity.facts.login.as_deref() == Some(login)))
    }

    /// The newest work items about a client.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn work_about(&self, client: &ClientId, limit: i32) -> Result<Page<domain::work::WorkItem>, StoreError> {
        self.0.by_client(client, WorkId::PREFIX, limit, None).await
    }

    /// The leads that wait in a pool, who waits longest first. The index may be some moments behind.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn waiting(&self, pool: &str, limit: i32) -> Result<Page<Lead>, StoreError> {
        self.ranked(waiting_list(pool), limit, None).await
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
        self.ranked(format!("{queue}#{state}"), limit, after).await
    }

    /// Entities of a list by their rank.
    async fn ranked<T: Entity>(&self, list: String, limit: i32, after: Option<&str>) -> Result<Page<T>, StoreError> {
        let part = Part::InOrder { after };
        let query = KeyQuery { index: "queue", partition: (QUEUE, list), sort: RANK, part, limit };
        let (keys, next) = self.0.keys(query).await?;
        Ok(Page { items: self.0.batch(&keys).await?, next })
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

    /// Hands over every deposit of a client, newest first, a page at a time, until it is told to stop.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn each_page_of_deposits(
        &self,
        client: &ClientId,
        mut take: impl FnMut(Vec<domain::payment::Deposit>) -> ControlFlow<()>,
    ) -> Result<(), StoreError> {
        let mut before: Option<PaymentId> = None;
        loop {
            let page = self.payments_of(client, PAGE, before.as_ref()).await?;
            if take(page.items.into_iter().map(|stored| stored.entity).collect()).is_break() {
                return Ok(());
            }
            // a page may hold few deposits or none, and is followed by others all the same
            let Some(next) = page.next else { return Ok(()) };
            before = Some(next.parse().map_err(|_| StoreError::corrupt(&next, "it is no payment"))?);
        }
    }

    /// The ids of a client's newest payments, of every kind.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn payment_ids_of(&self, client: &ClientId, limit: i32) -> Result<Vec<PaymentId>, StoreError> {
        let (keys, _) = self.0.keys_of(client, PaymentId::PREFIX, limit, None).await?;
        let id = |key: String| key.parse().map_err(|_| StoreError::corrupt(&key, "it is no payment"));
        keys.into_iter().map(id).collect()
    }
}
