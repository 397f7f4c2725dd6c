//! What one source has on each side, a day at a time, read once for all the comparisons that need it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use domain::account::Account;
use domain::reconciliation::{Booked, SettledRow, Settlement, Side, Source};
use domain::{AccountId, Day};
use runtime::StepError;
use store::{Crm, MoneyTable, Stored};

/// Accounts that are looked up at once.
const ACCOUNTS_AT_ONCE: usize = 100;

/// The days of a source.
pub(super) struct Books<'a> {
    crm: &'a Crm,
    money: &'a MoneyTable,
    pub(super) source: &'a Source,
    booked: BTreeMap<Day, Arc<Vec<Booked>>>,
    files: BTreeMap<(Day, String), Arc<Vec<SettledRow>>>,
    /// Whether an account is on the server.
    accounts: BTreeMap<AccountId, bool>,
}

impl<'a> Books<'a> {
    pub(super) fn new(crm: &'a Crm, money: &'a MoneyTable, source: &'a Source) -> Self {
        let (booked, files, accounts) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        Self { crm, money, source, booked, files, accounts }
    }

    /// The settlement of a day, if there is one.
    pub(super) async fn settlement(&self, day: Day) -> Result<Option<Stored<Settlement>>, StepError> {
        Ok(self.money.load::<Settlement>(&Settlement::id_of(self.source, day)).await?)
    }

    /// Both sides of a day, whose settlement was just loaded.
    pub(super) async fn side(&mut self, day: Day, settlement: Option<&Settlement>) -> Result<Side, StepError> {
        let file = match settlement.and_then(Settlement::place) {
            Some(place) => Some(self.rows(day, place).await?),
            None => None,
        };
        Ok(Side { file, booked: self.booked(day).await? })
    }

    /// No day before this one is asked for any more.
    pub(super) fn forget_before(&mut self, day: Day) {
        self.booked.retain(|known, _| *known >= day);
        self.files.retain(|(known, _), _| *known >= day);
    }

    async fn rows(&mut self, day: Day, place: String) -> Result<Arc<Vec<SettledRow>>, StepError> {
        let key = (day, place);
        if let Some(known) = self.files.get(&key) {
            return Ok(known.clone());
        }
        let rows = Arc::new(self.money.rows_of(&key.1).await?);
        self.files.insert(key, rows.clone());
        Ok(rows)
    }

    async fn booked(&mut self, day: Day) -> Result<Arc<Vec<Booked>>, StepError> {
        if let Some(known) = self.booked.get(&day) {
            return Ok(known.clone());
        }
        let entries = self.money.day_book(day).await?;
        let mut all: Vec<Booked> =
            entries.iter().flat_map(|entry| Booked::of(&entry.event_id, entry.at, &entry.postings)).collect();
        match self.source {
            Source::Psp(psp) => all.retain(|booked| booked.psp() == Some(psp)),
            Source::Server(server) => {
                self.find_accounts(server, &all).await?;
                let is_there = |account: &AccountId| self.accounts.get(account).copied().unwrap_or(false);
                all.retain(|booked| booked.on_account().is_some_and(is_there));
            }
        }
        let all = Arc::new(all);
        self.booked.insert(day, all.clone());
        Ok(all)
    }

    /// Which of the accounts are on the server.
    async fn find_accounts(&mut self, server: &str, all: &[Booked]) -> Result<(), StepError> {
        let named: BTreeSet<&AccountId> = all.iter().filter_map(Booked::on_account).collect();
        let unknown: Vec<AccountId> =
            named.into_iter().filter(|account| !self.accounts.contains_key(account)).cloned().collect();
        for some in unknown.chunks(ACCOUNTS_AT_ONCE) {
            for stored in self.crm.load_some::<Account>(some).await? {
                let is_there = stored.entity.facts.server == server;
                self.accounts.insert(stored.entity.id, is_there);
            }
        }
        Ok(())
    }
}
