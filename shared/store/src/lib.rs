//! DynamoDB: tables, keys, expressions, conditional writes; nobody else knows a table.
//!
//! A method per business commit. A duplicate is a value, not an error. See README.md for every access pattern.

mod balances;
mod bonuses;
mod claims;
mod commit;
mod contacts;
mod due;
mod entities;
mod error;
mod health;
mod item;
mod journal;
mod ledger;
mod letters;
mod lists;
mod logins;
mod notes;
mod notifications;
mod pages;
mod partners;
mod payments;
mod places;
mod proofs;
mod rates;
mod rehearsal;
mod replays;
mod rules;
mod settlements;
mod tallies;
mod trades;
mod updates;
mod usage;

pub use balances::KeptBalance;
pub use claims::{Claim, ClaimRequest};
pub use commit::{Commit, Committed};
pub use due::{DUE_SHARDS, DueCursor, DueEntry, DuePage, Postponed};
pub use entities::{Saved, Stored};
pub use error::StoreError;
pub use health::KeptHealth;
pub use item::{KEY, Outboxed, SORT, SORT_ENTITY, VERSION};
pub use journal::{Asked, End, Indexed, JournalEntry, ON_ITS_WAY, Stretch, verify};
pub use ledger::LedgerEntry;
pub use letters::{LETTER_KEPT, Letter};
pub use lists::Page;
pub use notes::Note;
pub use notifications::{Notification, NotificationOutcome};
pub use partners::{LinePage, ReadMonths, TreeTimes};
pub use payments::Payment;
pub use places::Places;
pub use rehearsal::{AsOf, Rehearsed, is_rehearsed, rehearsed, stops_at};
pub use replays::KeptExecution;
pub use rules::RuleVersion;
pub use tallies::Tallies;
pub use trades::ReadBook;
pub use usage::{TableUsage, Usage, measured};

use aws_sdk_dynamodb::Client;
use domain::entity::{Entity, InCrm, InMoney, InPartners, InTrades};

/// One DynamoDB table and the client that reaches it.
#[derive(Debug, Clone)]
pub struct Table {
    client: Client,
    name: String,
}

impl Table {
    /// A table by its physical name.
    pub fn new(client: Client, name: impl Into<String>) -> Self {
        Self { client, name: name.into() }
    }
}

/// Leads, tasks, agents, clients, trading accounts, work items, notifications.
#[derive(Debug, Clone)]
pub struct Crm(pub Table);

/// Payments and the ledger.
#[derive(Debug, Clone)]
pub struct MoneyTable(pub Table);

/// Deals on trading platforms, and what clients do in numbers.
#[derive(Debug, Clone)]
pub struct TradesTable(pub Table);

/// Partners, who brought whom, what trades earned, payouts.
#[derive(Debug, Clone)]
pub struct PartnersTable(pub Table);

/// The append-only journal.
#[derive(Debug, Clone)]
pub struct Journal(pub Table);

/// Rule sets and their versions.
#[derive(Debug, Clone)]
pub struct Rules(pub Table);

/// The table that an entity lives in; there is one for each entity, and it follows from the entity's type.
pub trait Home<T: Entity> {
    /// The table.
    fn table(&self) -> &Table;
}

impl<T: Entity<Table = InCrm>> Home<T> for Crm {
    fn table(&self) -> &Table {
        &self.0
    }
}

impl<T: Entity<Table = InTrades>> Home<T> for TradesTable {
    fn table(&self) -> &Table {
        &self.0
    }
}

impl<T: Entity<Table = InPartners>> Home<T> for PartnersTable {
    fn table(&self) -> &Table {
        &self.0
    }
}

impl<T: Entity<Table = InMoney>> Home<T> for MoneyTable {
    fn table(&self) -> &Table {
        &self.0
    }
}
