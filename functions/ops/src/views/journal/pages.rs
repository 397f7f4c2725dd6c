//! One page out of the chains of one or many entities, in the order of time.
//!
//! A chain is read from where the page before ended, and no further than the page goes. Entities that were done before the
//! page begins are left out by what their own items say, and those that came into being after it ends by their ids.

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;

use domain::decision::ChainHash;
use domain::entity::{TableName, family_of};
use domain::id::moment_of;
use domain::{PaymentId, Timestamp};
use store::{
    Crm, End, Journal, JournalEntry, MoneyTable, ON_ITS_WAY, Outboxed, PartnersTable, StoreError, TradesTable,
};

/// Own items that are read at once.
const HEADS_AT_ONCE: usize = 50;

/// How far the clocks of functions, and an id and its first decision, may be apart.
fn slack_ms() -> i64 {
    i64::from(ON_ITS_WAY.0) * 1_000
}

/// A place in the journal: the moment, and within it entity and version. Within a chain the moments never go back.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    at_ms: i64,
    pub(super) entity: String,
    version: u64,
}

impl Place {
    pub(super) fn cursor(&self) -> String {
        format!("{}~{}~{}", self.at_ms, self.entity, self.version)
    }
}

impl FromStr for Place {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (at, rest) = text.split_once('~').ok_or(())?;
        let (entity, version) = rest.rsplit_once('~').ok_or(())?;
        let (at_ms, version) = (at.parse().map_err(|_| ())?, version.parse().map_err(|_| ())?);
        Ok(Self { at_ms, entity: entity.to_owned(), version })
    }
}

/// What is wanted of an entity's chain.
#[derive(Debug, Clone)]
pub(super) struct Chain {
    pub(super) entity: String,
    /// Entries after this version.
    pub(super) after: u64,
    /// As long as they have this correlation id.
    pub(super) correlation: Option<String>,
}

impl Chain {
    /// All of it.
    pub(super) fn whole(entity: String) -> Self {
        Self { entity, after: 0, correlation: None }
    }

    /// Before this moment it has no entry. Ids carry theirs, some moments after that of the first decision; one from a clock that is
    /// ahead of ours says nothing.
    fn begins_ms(&self, now: Timestamp) -> i64 {
        let begins = moment_of(&self.entity).filter(|moment| *moment <= now);
        begins.map_or(i64::MIN, |moment| moment.millis().saturating_sub(slack_ms()))
    }
}

/// A page.
pub(super) struct Page {
    /// Whether the chains that were looked at are whole, as far as they were.
    pub(super) verified: bool,
    /// Versions that entities have and the journal has not yet.
    pub(super) pending: u64,
    /// The entries, each with the hash before it; one more than asked for if there is more.
    pub(super) found: BTreeMap<Place, (JournalEntry, ChainHash)>,
}

/// Where everything is read.
pub(in crate::views) struct Sources<'a> {
    pub(in crate::views) crm: &'a Crm,
    pub(in crate::views) money: &'a MoneyTable,
    pub(in crate::views) trades: &'a TradesTable,
    pub(in crate::views) partners: &'a PartnersTable,
    pub(in crate::views) journal: &'a Journal,
}

/// What is asked for.
#[derive(Clone, Copy)]
pub(super) struct Asked<'a> {
    pub(super) after: Option<&'a Place>,
    pub(super) limit: usize,
    pub(super) now: Timestamp,
}

impl Asked<'_> {
    /// One more than the page shows, to know whether there is more.
    fn count(&self) -> usize {
        self.limit.saturating_add(1)
    }
}

impl Page {
    /// Keeps what may stand on the page; the moment after which nothing can, once it is full.
    fn cut(&mut self, asked: Asked<'_>) -> Option<i64> {
        while self.found.len() > asked.count() {
            self.found.pop_last();
        }
        let full = self.found.len() == asked.count();
        self.found.last_key_value().filter(|_| full).map(|(place, _)| place.at_ms)
    }
}

impl Sources<'_> {
    /// The page of these chains.
    pub(super) async fn page(&self, mut chains: Vec<Chain>, asked: Asked<'_>) -> Result<Page, StoreError> {
        chains.sort_by_cached_key(|chain| (chain.begins_ms(asked.now), chain.entity.clone(), chain.after));
        let mut page = Page { verified: true, pending: 0, found: BTreeMap::new() };
        for part in chains.chunks(HEADS_AT_ONCE) {
            let is_beyond =
                |page: &mut Page, chain: &Chain| page.cut(asked).is_some_and(|end| chain.begins_ms(asked.now) > end);
            if part.first().is_some_and(|chain| is_beyond(&mut page, chain)) {
                break;
            }
            let heads = self.heads(part.iter().map(|chain| chain.entity.clone()).collect()).await?;
            for chain in part {
                let head = heads.get(&chain.entity);
                if !is_beyond(&mut page, chain) && !was_done(head, asked) {
                    self.read(chain, head, asked, &mut page).await?;
                }
            }
        }
        page.cut(asked);
        Ok(page)
    }

    async fn read(
        &self,
        chain: &Chain,
        head: Option<&Outboxed>,
        asked: Asked<'_>,
        page: &mut Page,
    ) -> Result<(), StoreError> {
        let here = asked.after.filter(|after| after.entity == chain.entity && after.version > chain.after);
        let (mut version, mut at_ms) = here.map_or((chain.after, i64::MIN), |here| (here.version, here.at_ms));
        let mut taken = 0;
        loop {
            let stretch = self.journal.stretch(&chain.entity, version, asked.limit).await?;
            page.verified &= stretch.is_linked();
            let mut previous = stretch.begins().map_or(ChainHash::GENESIS, |(_, hash)| hash);
            let is_wanted =
                |entry: &&JournalEntry| chain.correlation.as_ref().is_none_or(|id| entry.record.correlation_id == *id);
            let read: Vec<&JournalEntry> = stretch.entries.iter().chain(&stretch.next).collect();
            let wanted: Vec<&JournalEntry> = read.iter().copied().take_while(is_wanted).collect();
            for entry in &wanted {
                at_ms = at_ms.max(entry.record.at_ms);
                version = entry.version;
                let place = Place { at_ms, entity: chain.entity.clone(), version };
                if asked.after.is_none_or(|after| place > *after) {
                    page.found.insert(place, ((*entry).clone(), previous));
                    taken += 1;
                }
                previous = entry.hash;
            }
            let ends = wanted.len() < read.len() || stretch.next.is_none();
            if ends || taken >= asked.count() {
                let end = self.end(&stretch, head, asked.now).await?;
                page.verified &= matches!(end, End::Whole | End::OnItsWay(_));
                if let End::OnItsWay(behind) | End::Missing(behind) = end {
                    page.pending = page.pending.saturating_add(behind);
                }
                return Ok(());
            }
        }
    }

    /// What the end of a chain is to its entity's item. The item was read before the chain, and may have moved on: a suspicion is
    /// looked into with the item as it is now.
    async fn end(&self, stretch: &store::Stretch, head: Option<&Outboxed>, now: Timestamp) -> Result<End, StoreError> {
        let end = stretch.end(head, now);
        let entity = stretch.newest.as_ref().map(|entry| &entry.entity);
        match (end, entity) {
            (End::Differs, Some(entity)) => {
                let fresh = self.heads([entity.clone()].into()).await?;
                Ok(stretch.end(fresh.get(entity), now))
            }
            _ => Ok(end),
        }
    }

    /// The own items of entities, wherever they live.
    async fn heads(&self, ids: BTreeSet<String>) -> Result<BTreeMap<String, Outboxed>, StoreError> {
        let (trades, ids): (BTreeSet<String>, BTreeSet<String>) =
            ids.into_iter().partition(|id| lives_in(id, TableName::Trades));
        let (partners, ids): (BTreeSet<String>, BTreeSet<String>) =
            ids.into_iter().partition(|id| lives_in(id, TableName::Partners));
        // where most of a kind are is looked first; where it turns out not to be costs a read
        let (money, crm): (Vec<String>, Vec<String>) =
            ids.into_iter().partition(|id| id.starts_with(PaymentId::PREFIX));
        let mut heads = self.crm.0.heads(&crm).await?;
        heads.extend(self.money.0.heads(&money).await?);
        let missing = |ids: Vec<String>| ids.into_iter().filter(|id| !heads.contains_key(id)).collect::<Vec<_>>();
        let (not_in_crm, not_in_money) = (missing(crm), missing(money));
        heads.extend(self.money.0.heads(&not_in_crm).await?);
        heads.extend(self.crm.0.heads(&not_in_money).await?);
        heads.extend(self.trades.0.heads(&trades.into_iter().collect::<Vec<_>>()).await?);
        heads.extend(self.partners.0.heads(&partners.into_iter().collect::<Vec<_>>()).await?);
        Ok(heads)
    }
}

/// Whether an entity lives in a table, where nothing else does.
fn lives_in(id: &str, table: TableName) -> bool {
    family_of(id).is_some_and(|kind| kind.table == table)
}

/// Whether all of an entity's entries were shown on pages before.
fn was_done(head: Option<&Outboxed>, asked: Asked<'_>) -> bool {
    match (head, asked.after) {
        (Some(head), Some(after)) => head.record.at_ms.saturating_add(slack_ms()) < after.at_ms,
        _ => false,
    }
}
