//! Which table, index and IAM action each DynamoDB operation touches, and what it consumes.

use dynoxide::types::{ConsumedCapacity, Item, item_size, write_capacity_units};
use dynoxide::{Database, DynoxideError, actions as a};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::template::table_arn;

/// One thing that a request does to one table.
pub(super) struct Access {
    /// IAM action.
    pub(super) action: &'static str,
    /// ARN of the table or index.
    pub(super) resource: String,
    /// Table name.
    pub(super) table: String,
    /// Whether the table's stream may have something new.
    pub(super) writes: bool,
}

/// Units that one table or index consumed.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Consumed {
    /// Table, or `table/index/name`.
    pub(crate) target: String,
    /// Read units.
    pub(crate) read: f64,
    /// Write units.
    pub(crate) write: f64,
}

/// What AWS bills for a write whose condition fails; no emulator reports it.
pub(super) struct FailureUnits {
    table: String,
    /// Units of the item that was to be written, or of the smallest one.
    units: f64,
    transactional: bool,
}

impl FailureUnits {
    fn new(table: &str, item: Option<&Item>) -> Self {
        let units = item.map_or(1.0, |item| write_capacity_units(item_size(item)));
        Self { table: table.to_owned(), units, transactional: false }
    }
}

/// The failure units of every item of a request.
#[derive(Default)]
pub(super) struct FailureCosts(Vec<FailureUnits>);

impl FailureCosts {
    /// What a failed request consumed. The stored item counts where the answer shows it.
    pub(super) fn of(&self, error: &DynoxideError) -> Vec<Consumed> {
        let stored = match error {
            DynoxideError::ConditionalCheckFailedException(_, Some(item)) => write_capacity_units(item_size(item)),
            DynoxideError::ConditionalCheckFailedException(_, None)
            | DynoxideError::TransactionCanceledException(..) => 0.0,
            _ => return Vec::new(),
        };
        let consumed = |cost: &FailureUnits| {
            let units = cost.units.max(stored);
            let write = if cost.transactional { 2.0 * units } else { units };
            Consumed { target: cost.table.clone(), read: 0.0, write }
        };
        self.0.iter().map(consumed).collect()
    }
}

/// A data operation of DynamoDB.
pub(super) trait Operation: DeserializeOwned + Send + 'static {
    type Answer: Payload;

    fn capacity_mode(&mut self) -> &mut Option<String>;
    fn accesses(&self) -> Vec<Access>;
    fn units_of_failure(&self) -> FailureCosts {
        FailureCosts::default()
    }
    fn execute(self, database: &Database) -> dynoxide::Result<Self::Answer>;
}

/// The answer of a data operation.
pub(super) trait Payload: Serialize + Send + 'static {
    /// What was consumed; taken out of the answer where the caller did not ask for it.
    fn consumed(&mut self, accesses: &[Access], take: bool) -> Vec<Consumed>;
}

fn table_access(action: &'static str, table: &str, writes: bool) -> Access {
    Access { action, resource: table_arn(table), table: table.to_owned(), writes }
}

fn index_access(action: &'static str, table: &str, index: Option<&String>) -> Access {
    let mut access = table_access(action, table, false);
    if let Some(index) = index {
        access.resource = format!("{}/index/{index}", access.resource);
    }
    access
}

/// Table and index parts of a reported capacity; an operation either reads or writes.
fn parts(capacity: &ConsumedCapacity, writes: bool) -> Vec<Consumed> {
    let consumed = |target: String, units: f64| {
        let (read, write) = if writes { (0.0, units) } else { (units, 0.0) };
        Consumed { target, read, write }
    };
    let table = &capacity.table_name;
    let Some(own) = &capacity.table else { return vec![consumed(table.clone(), capacity.capacity_units)] };
    let mut all = vec![consumed(table.clone(), own.capacity_units)];
    for (index, detail) in capacity.global_secondary_indexes.iter().flatten() {
        all.push(consumed(format!("{table}/index/{index}"), detail.capacity_units));
    }
    all.retain(|part| part.read > 0.0 || part.write > 0.0);
    all
}

macro_rules! operation {
    ($request:ty => $answer:ty, $method:ident, |$r:ident| $accesses:expr $(, failure $failure:expr)?) => {
        impl Operation for $request {
            type Answer = $answer;

            fn capacity_mode(&mut self) -> &mut Option<String> {
                &mut self.return_consumed_capacity
            }

            fn accesses(&self) -> Vec<Access> {
                let $r = self;
                $accesses
            }

            $(fn units_of_failure(&self) -> FailureCosts {
                let $r = self;
                FailureCosts($failure)
            })?

            fn execute(self, database: &Database) -> dynoxide::Result<$answer> {
                database.$method(self)
            }
        }

        impl Payload for $answer {
            fn consumed(&mut self, accesses: &[Access], take: bool) -> Vec<Consumed> {
                let writes = accesses.iter().any(|access| access.writes || access.action.ends_with("ConditionCheckItem"));
                let all = self.consumed_capacity.iter().flat_map(capacities).flat_map(|c| parts(c, writes)).collect();
                if take {
                    self.consumed_capacity = None;
                }
                all
            }
        }
    };
}

/// One or several reported capacities.
trait Capacities {
    fn each(&self) -> &[ConsumedCapacity];
}

impl Capacities for ConsumedCapacity {
    fn each(&self) -> &[ConsumedCapacity] {
        std::slice::from_ref(self)
    }
}

impl Capacities for Vec<ConsumedCapacity> {
    fn each(&self) -> &[ConsumedCapacity] {
        self
    }
}

fn capacities(capacity: &impl Capacities) -> &[ConsumedCapacity] {
    capacity.each()
}

operation!(a::get_item::GetItemRequest => a::get_item::GetItemResponse, get_item,
    |r| vec![table_access("dynamodb:GetItem", &r.table_name, false)]);
operation!(a::put_item::PutItemRequest => a::put_item::PutItemResponse, put_item,
    |r| vec![table_access("dynamodb:PutItem", &r.table_name, true)],
    failure vec![FailureUnits::new(&r.table_name, Some(&r.item))]);
operation!(a::update_item::UpdateItemRequest => a::update_item::UpdateItemResponse, update_item,
    |r| vec![table_access("dynamodb:UpdateItem", &r.table_name, true)],
    failure vec![FailureUnits::new(&r.table_name, None)]);
operation!(a::delete_item::DeleteItemRequest => a::delete_item::DeleteItemResponse, delete_item,
    |r| vec![table_access("dynamodb:DeleteItem", &r.table_name, true)],
    failure vec![FailureUnits::new(&r.table_name, None)]);
operation!(a::query::QueryRequest => a::query::QueryResponse, query,
    |r| vec![index_access("dynamodb:Query", &r.table_name, r.index_name.as_ref())]);
operation!(a::scan::ScanRequest => a::scan::ScanResponse, scan,
    |r| vec![index_access("dynamodb:Scan", &r.table_name, r.index_name.as_ref())]);
operation!(a::batch_get_item::BatchGetItemRequest => a::batch_get_item::BatchGetItemResponse, batch_get_item,
    |r| r.request_items.keys().map(|table| table_access("dynamodb:BatchGetItem", table, false)).collect());
operation!(a::batch_write_item::BatchWriteItemRequest => a::batch_write_item::BatchWriteItemResponse, batch_write_item,
    |r| r.request_items.keys().map(|table| table_access("dynamodb:BatchWriteItem", table, true)).collect());
operation!(a::transact_get_items::TransactGetItemsRequest => a::transact_get_items::TransactGetItemsResponse,
    transact_get_items,
    |r| r.transact_items.iter().map(|item| table_access("dynamodb:GetItem", &item.get.table_name, false)).collect());
operation!(a::transact_write_items::TransactWriteItemsRequest => a::transact_write_items::TransactWriteItemsResponse,
    transact_write_items,
    |r| r.transact_items.iter().flat_map(transaction_accesses).collect(),
    failure r.transact_items.iter().flat_map(transaction_failures).collect());

/// There is no IAM action for transactions: the actions inside count.
fn transaction_accesses(item: &a::transact_write_items::TransactWriteItem) -> Vec<Access> {
    let put = item.put.as_ref().map(|put| table_access("dynamodb:PutItem", &put.table_name, true));
    let update = item.update.as_ref().map(|update| table_access("dynamodb:UpdateItem", &update.table_name, true));
    let delete = item.delete.as_ref().map(|delete| table_access("dynamodb:DeleteItem", &delete.table_name, true));
    let check = item.condition_check.as_ref();
    let check = check.map(|check| table_access("dynamodb:ConditionCheckItem", &check.table_name, false));
    [put, update, delete, check].into_iter().flatten().collect()
}

fn transaction_failures(item: &a::transact_write_items::TransactWriteItem) -> Vec<FailureUnits> {
    let put = item.put.as_ref().map(|put| FailureUnits::new(&put.table_name, Some(&put.item)));
    let update = item.update.as_ref().map(|update| FailureUnits::new(&update.table_name, None));
    let delete = item.delete.as_ref().map(|delete| FailureUnits::new(&delete.table_name, None));
    let check = item.condition_check.as_ref().map(|check| FailureUnits::new(&check.table_name, None));
    let all = [put, update, delete, check].into_iter().flatten();
    all.map(|cost| FailureUnits { transactional: true, ..cost }).collect()
}
