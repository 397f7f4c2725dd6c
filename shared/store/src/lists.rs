//! Lists: an index gives the keys, a batch read gives the items.

use std::collections::HashMap;
use std::ops::ControlFlow;

use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use aws_sdk_dynamodb::types::{KeysAndAttributes, ReturnConsumedCapacity, Select};
use domain::client::list_of_clients;
use domain::entity::Entity;
use domain::lead::{Lead, waiting_list};
use domain::{AccountId, ClientId, PartnerId, PaymentId, WorkId};

use crate::entities::stored;
use crate::error::StoreError;
use crate::item::{CLIENT, Item, KEY, KIND as ITEM_KIND, QUEUE, RANK, SORT, SORT_ENTITY, optional_text, s, text};
use crate::rehearsal;
use crate::usage::{self, Kind};
use crate::{Crm, MoneyTable, PartnersTable, Places, Stored, Table};

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
/// Items of a page of the whole table.
const UNLISTED_PAGE: i32 = 1_000;
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
    /// What stands before this place, the last first.
    Backwards { before: Option<&'a str> },
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
            Part::Backwards { before: Some(before) } => call
                .key_condition_expression("#p = :p AND #s < :s")
                .expression_attribute_names("#s", query.sort)
                .expression_attribute_values(":s", s(before)),
            Part::InOrder { after: None } | Part::Backwards { before: None } => {
                call.key_condition_expression("#p = :p")
            }
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
        Ok(if rehearsal::is_rehearsed() { self.as_rehearsed(keys, found) } else { found })
    }

    /// The same as a rehearsal sees them.
    fn as_rehearsed(&self, keys: &[String], found: Vec<Item>) -> Vec<Item> {
        let mut today: HashMap<String, Item> =
            found.into_iter().filter_map(|item| Some((text(&item, "?", KEY).ok()?.to_owned(), item))).collect();
        let seen = |key: &String| rehearsal::seen(&self.name, key, SORT_ENTITY, today.remove(key));
        keys.iter().filter_map(seen).collect()
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

    /// Entities of a list by their rank.
    async fn ranked<T: Entity>(&self, list: String, limit: i32, part: Part<'_>) -> Result<Page<T>, StoreError> {
        let query = KeyQuery { index: "queue", partition: (QUEUE, list), sort: RANK, part, limit };
        let (keys, next) = self.keys(query).await?;
        Ok(Page { items: self.batch(&keys).await?, next })
    }

    /// Those of the highest rank first, from before the given place on.
    pub(crate) async fn ranked_backwards<T: Entity>(
        &self,
        list: String,
        limit: i32,
        before: Option<&str>,
    ) -> Result<Page<T>, StoreError> {
        self.ranked(list, limit, Part::Backwards { before }).await
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

impl Table {
    fn listed(&self, list: u8, condition: &str) -> QueryFluentBuilder {
        self.query()
            .index_name("queue")
            .key_condition_expression(condition)
            .expression_attribute_names("#list", QUEUE)
            .expression_attribute_values(":list", s(list_of_clients(list)))
    }
}

impl PartnersTable {
    /// The books of all partners by their partners' ids, from the one after the given place on. The index may be some moments behind.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn books(
        &self,
        limit: i32,
        after: Option<&str>,
    ) -> Result<Page<domain::partner::closing::PartnerBook>, StoreError> {
        self.0.ranked(domain::partner::closing::BOOKS.to_owned(), limit, Part::InOrder { after }).await
    }

    /// The partners, the newest first, from before the given place on. The index may be some moments behind; who applied before there was
    /// this list stands in it from his next version on.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn partners(
        &self,
        limit: i32,
        before: Option<&str>,
    ) -> Result<Page<domain::partner::profile::Partner>, StoreError> {
        self.0.ranked_backwards(domain::partner::profile::PARTNERS.to_owned(), limit, before).await
    }

    /// The payout runs, the newest first, as [`Self::partners`].
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn payout_runs(
        &self,
        limit: i32,
        before: Option<&str>,
    ) -> Result<Page<domain::partner::run::PayoutRun>, StoreError> {
        self.0.ranked_backwards(domain::partner::run::RUNS.to_owned(), limit, before).await
    }

    /// The statements of a partner, newest first, from before the given place on. The index may be some moments behind.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn statements_of(
        &self,
        partner: &PartnerId,
        limit: i32,
        before: Option<&str>,
    ) -> Result<Page<domain::partner::statement::Statement>, StoreError> {
        self.0.ranked_backwards(domain::partner::statement::list_of(partner), limit, before).await
    }
}

fn client_id(key: &str) -> Result<ClientId, StoreError> {
    key.parse().map_err(|_| StoreError::corrupt(key, "it is no client"))
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
        self.0.ranked(domain::account::list_of_server(server), limit, Part::InOrder { after }).await
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

    /// The clients of a list, oldest first, from the one after the given on and no further than `through`: a page, and whether there is more.
    /// The index may be some moments behind.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn clients_listed(
        &self,
        list: u8,
        after: Option<&ClientId>,
        through: &ClientId,
        limit: i32,
    ) -> Result<(Vec<ClientId>, bool), StoreError> {
        let partition = (QUEUE, list_of_clients(list));
        let part = Part::InOrder { after: after.map(ClientId::as_str) };
        let (keys, next) = self.0.keys(KeyQuery { index: "queue", partition, sort: RANK, part, limit }).await?;
        let ids = keys.iter().map(|key| client_id(key)).collect::<Result<Vec<_>, _>>()?;
        let is_last = next.is_none() || ids.last().is_none_or(|last| last >= through);
        Ok((ids.into_iter().filter(|id| id <= through).collect(), !is_last))
    }

    /// The newest client of a list.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn newest_listed(&self, list: u8) -> Result<Option<ClientId>, StoreError> {
        let newest = self.0.listed(list, "#list = :list").scan_index_forward(false).limit(1).send().await?;
        usage::count(&self.0.name, &Kind::Read, newest.consumed_capacity());
        newest.items().first().map(|item| client_id(text(item, "?", KEY)?)).transpose()
    }

    /// How many clients a list has up to one, counted by the index itself.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn count_listed(&self, list: u8, through: &ClientId) -> Result<u32, StoreError> {
        let query = self
            .0
            .listed(list, "#list = :list AND #rank <= :through")
            .expression_attribute_names("#rank", RANK)
            .expression_attribute_values(":through", s(through.as_str()))
            .select(Select::Count);
        let (mut counted, mut start) = (0_u32, None);
        loop {
            let answer = query.clone().set_exclusive_start_key(start.take()).send().await?;
            usage::count(&self.0.name, &Kind::Read, answer.consumed_capacity());
            counted = counted.saturating_add(u32::try_from(answer.count()).unwrap_or(0));
            match answer.last_evaluated_key {
                Some(key) if !key.is_empty() => start = Some(key),
                _ => return Ok(counted),
            }
        }
    }

    /// Clients from before there were lists of them, which stand in none: a page of the whole table, and where it goes on. Read once in the
    /// life of an installation, and the only read that goes through a table.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn clients_unlisted(&self, after: Option<&str>) -> Result<(Vec<ClientId>, Option<String>), StoreError> {
        let (id, sort) = after.and_then(|place| place.split_once('\n')).unwrap_or_default();
        let start = after.map(|_| Item::from([(KEY.to_owned(), s(id)), (SORT.to_owned(), s(sort))]));
        let answer = self
            .0
            .client
            .scan()
            .table_name(&self.0.name)
            .filter_expression("#sort = :entity AND begins_with(#key, :client) AND attribute_not_exists(#list)")
            .expression_attribute_names("#sort", SORT)
            .expression_attribute_names("#key", KEY)
            .expression_attribute_names("#list", QUEUE)
            .expression_attribute_values(":entity", s(SORT_ENTITY))
            .expression_attribute_values(":client", s(ClientId::PREFIX))
            .projection_expression("#key")
            .limit(UNLISTED_PAGE)
            .set_exclusive_start_key(start)
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send()
            .await?;
        usage::count(&self.0.name, &Kind::Read, answer.consumed_capacity());
        let ids = answer.items().iter().map(|item| client_id(text(item, "?", KEY)?)).collect::<Result<Vec<_>, _>>()?;
        let next = match answer.last_evaluated_key().filter(|key| !key.is_empty()) {
            Some(last) => Some(format!("{}\n{}", text(last, "?", KEY)?, text(last, "?", SORT)?)),
            None => None,
        };
        Ok((ids, next))
    }

    /// The newest work items about a client.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn work_about(&self, client: &ClientId, limit: i32) -> Result<Page<domain::work::WorkItem>, StoreError> {
        self.0.by_client(client, WorkId::PREFIX, limit, None).await
    }

    /// The cases of compliance by their rank: priority, then due time. `after` is a rank; closed ones are listed apart.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn cases(
        &self,
        closed: bool,
        limit: i32,
        after: Option<&str>,
    ) -> Result<Page<domain::compliance::Case>, StoreError> {
        self.0.ranked(domain::compliance::case::list_of(closed), limit, Part::InOrder { after }).await
    }

    /// The leads that wait in a pool, who waits longest first. The index may be some moments behind.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn waiting(&self, pool: &str, limit: i32) -> Result<Page<Lead>, StoreError> {
        self.0.ranked(waiting_list(pool), limit, Part::InOrder { after: None }).await
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
        self.0.ranked(format!("{queue}#{state}"), limit, Part::InOrder { after }).await
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
