//! Consumed capacity, counted per invocation: units are what DynamoDB bills.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::future::Future;

use aws_sdk_dynamodb::types::ConsumedCapacity;

/// Calls and units of one invocation by table.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Usage {
    /// By table name.
    pub tables: BTreeMap<String, TableUsage>,
}

/// Calls and units on one table.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct TableUsage {
    /// Round trips.
    pub calls: u32,
    /// Read units.
    pub read_units: f64,
    /// Write units, indexes included.
    pub write_units: f64,
}

impl Usage {
    /// All read units.
    pub fn read_units(&self) -> f64 {
        self.tables.values().map(|t| t.read_units).sum()
    }

    /// All write units.
    pub fn write_units(&self) -> f64 {
        self.tables.values().map(|t| t.write_units).sum()
    }
}

tokio::task_local! {
    static USAGE: RefCell<Usage>;
}

/// Runs an invocation and returns what it consumed beside its result.
pub async fn measured<F: Future>(work: F) -> (F::Output, Usage) {
    USAGE
        .scope(RefCell::new(Usage::default()), async {
            let output = work.await;
            let usage = USAGE.with(|usage| usage.borrow().clone());
            (output, usage)
        })
        .await
}

pub(crate) enum Kind {
    Read,
    Write,
}

pub(crate) fn count(table: &str, kind: &Kind, capacity: Option<&ConsumedCapacity>) {
    // outside `measured` (tools, tests) there is nobody to count for
    let counted = USAGE.try_with(|usage| {
        let mut usage = usage.borrow_mut();
        let entry = usage.tables.entry(table.to_owned()).or_default();
        entry.calls += 1;
        let units = capacity.and_then(ConsumedCapacity::capacity_units).unwrap_or(0.0);
        match kind {
            Kind::Read => entry.read_units += units,
            Kind::Write => entry.write_units += units,
        }
    });
    if counted.is_err() {
        tracing::trace!("store call outside a measured invocation");
    }
}
