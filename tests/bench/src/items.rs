//! The size of every item that a deposit writes, seen right after each write.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
use broker::Failure;
use broker::local::Broker;
use domain::{NotificationId, PaymentId};
use host::{CallInfo, Probe, Service, Verdict};
use serde_json::Value;
use store::{KEY, SORT, VERSION};
use tokio::runtime::Handle;

use crate::item_size::item_size;

/// The tables that a deposit writes to.
const TABLES: [&str; 3] = ["MoneyTable", "CrmTable", "JournalTable"];
/// Versions of a plain deposit: pending, paid, crediting, credited.
const VERSIONS: usize = 4;

/// Looks at the tables after each write of a function, while it is switched on.
#[derive(Default)]
pub struct ItemWatch {
    tables: OnceLock<(Client, Vec<String>)>,
    on: AtomicBool,
    sizes: Mutex<BTreeMap<String, usize>>,
}

impl ItemWatch {
    /// Watches a brokerage.
    pub fn open(&self, broker: &Broker) {
        let tables = &broker.host.template().tables;
        let names = TABLES.iter().filter_map(|id| tables.get(*id)).map(|table| table.name.clone());
        self.tables.get_or_init(|| (Client::new(&broker.host.sdk_config()), names.collect()));
    }

    /// Begins or ends to look.
    pub fn switch(&self, on: bool) {
        self.on.store(on, Ordering::SeqCst);
    }

    /// The bytes of each item by what it is.
    ///
    /// # Errors
    /// When a version of the deposit or of its journal was not seen.
    pub fn sizes(&self) -> Result<BTreeMap<String, usize>, Failure> {
        let sizes = self.sizes.lock().unwrap_or_else(PoisonError::into_inner).clone();
        for kind in ["deposit", "journal entry"] {
            let seen = sizes.keys().filter(|name| name.starts_with(kind)).count();
            if seen != VERSIONS {
                return Err(format!("{seen} versions of the {kind} were seen, not {VERSIONS}").into());
            }
        }
        Ok(sizes)
    }

    async fn look(&self) {
        let Some((client, tables)) = self.tables.get() else { return };
        for table in tables {
            // a table that cannot be read shows as a version that was not seen
            let Ok(answer) = client.scan().table_name(table).consistent_read(true).send().await else { continue };
            let mut sizes = self.sizes.lock().unwrap_or_else(PoisonError::into_inner);
            for item in answer.items() {
                if let Some(name) = name(item) {
                    let largest = sizes.entry(name).or_default();
                    *largest = item_size(item).max(*largest);
                }
            }
        }
    }
}

impl Probe for ItemWatch {
    fn before(&self, _call: &CallInfo<'_>) -> Verdict {
        Verdict::Go
    }

    fn after(&self, call: &CallInfo<'_>) -> Verdict {
        let writes = call.service == Service::DynamoDb && matches!(call.operation, "PutItem" | "UpdateItem");
        if writes && self.on.load(Ordering::SeqCst) {
            // the function waits meanwhile, so its next version cannot be there yet
            tokio::task::block_in_place(|| Handle::current().block_on(self.look()));
        }
        Verdict::Go
    }
}

/// What an item is; nothing for those that no deposit writes.
fn name(item: &HashMap<String, AttributeValue>) -> Option<String> {
    let text = |name: &str| item.get(name).and_then(|value| value.as_s().ok()).map_or("", String::as_str);
    let number = |name: &str| item.get(name).and_then(|value| value.as_n().ok()).map_or("", String::as_str);
    let state: Value = serde_json::from_str(text("state")).unwrap_or_default();
    let member = |name: &str| state.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let (key, entity) = (text(KEY), text("entity"));
    if key.starts_with(PaymentId::PREFIX) {
        Some(format!("deposit, version {} ({})", number(VERSION), member("status")))
    } else if key.starts_with("book#") {
        Some("ledger entry".to_owned())
    } else if key.starts_with("idem#") {
        entity.starts_with(PaymentId::PREFIX).then(|| "claim of the idempotency key".to_owned())
    } else if text(SORT).starts_with(NotificationId::PREFIX) {
        let kind = member("kind");
        kind.starts_with("deposit.").then(|| format!("message to the client ({kind})"))
    } else {
        let version = || format!("journal entry, version {} ({})", number("version"), member("status"));
        entity.starts_with(PaymentId::PREFIX).then(version)
    }
}
