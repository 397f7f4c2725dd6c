//! DynamoDB: tables, keys, expressions, conditional writes; nobody else knows a table.
//!
//! A method per business commit. A duplicate is a value, not an error. See README.md for every access pattern.

mod claims;
mod commit;
mod contacts;
mod due;
mod entities;
mod error;
mod item;
mod journal;
mod ledger;
mod lists;
mod notifications;
mod rules;
mod usage;

pub use claims::{Claim, ClaimRequest};
pub use commit::{Commit, Committed};
pub use due::{DUE_SHARDS, DueEntry};
pub use entities::{Saved, Stored};
pub use error::StoreError;
pub use item::{KEY, Outboxed, SORT, SORT_ENTITY, VERSION};
pub use journal::{JournalEntry, verify};
pub use ledger::LedgerEntry;
pub use lists::Page;
pub use notifications::{Notification, NotificationOutcome};
pub use rules::RuleVersion;
pub use usage::{TableUsage, Usage, measured};

use aws_sdk_dynamodb::Client;

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

/// The append-only journal.
#[derive(Debug, Clone)]
pub struct Journal(pub Table);

/// Rule sets and their versions.
#[derive(Debug, Clone)]
pub struct Rules(pub Table);

/// Which table an entity lives in.
pub trait Home<T> {
    /// The table.
    fn table(&self) -> &Table;
}

macro_rules! homes {
    ($home:ty: $($entity:ty),+ $(,)?) => {$(
        impl Home<$entity> for $home {
            fn table(&self) -> &Table {
                &self.0
            }
        }
    )+};
}

homes!(
    Crm: domain::client::Client,
    domain::account::Account,
    domain::work::WorkItem,
    domain::lead::Lead,
    domain::sales::Task,
    domain::sales::AgentState,
    domain::sales::PoolState,
    domain::journey::Journey,
);
homes!(MoneyTable: domain::payment::StrayReport, domain::payment::Deposit);
