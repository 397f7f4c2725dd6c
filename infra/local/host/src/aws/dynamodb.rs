//! DynamoDB in process: dynoxide on a thread of its own, spoken to in DynamoDB's own JSON.
//!
//! SQLite serves one statement at a time, so one thread does all of them in order; requests are read and answers
//! written outside of it, and no async worker ever waits for a lock. A runtime of one thread has nobody to keep waiting
//! and may do it itself: no call then costs two changes of threads, and who comes first is drawn and not raced for.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, mpsc};

use dynoxide::storage::Storage;
use dynoxide::{Database, DynoxideError};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::sync::oneshot;

use super::operations::{Access, Consumed, Operation, Payload};
use super::{Answer, Caller, Denied};
use crate::dispatch::streams::Signals;

/// dynoxide looks for a stream's newest and next records by this expression and has no index for it: without one
/// a write takes longer the more records there are.
const STREAM_INDEX: &str = "CREATE INDEX IF NOT EXISTS host_stream_order \
     ON _stream_records (table_name, CAST(sequence_number AS INTEGER))";

/// Why the database cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum DatabaseError {
    /// The file cannot be opened, or is not ours.
    #[error("database cannot be opened")]
    Open(#[source] DynoxideError),
    /// The thread cannot be started.
    #[error("database thread cannot be started")]
    Thread(#[source] std::io::Error),
}

/// Stream records up to a position, which nobody needs any more.
const TRIM: &str = "DELETE FROM _stream_records WHERE table_name = ?1 AND CAST(sequence_number AS INTEGER) <= ?2";

/// The database, and a second connection for what dynoxide has no call for. One thread has both, so they never meet.
struct Engine {
    database: Database,
    storage: Storage,
}

type Job = Box<dyn FnOnce(&Engine) + Send>;

/// Who does the work.
#[derive(Clone)]
enum Served {
    /// A thread of its own.
    Thread(mpsc::Sender<Job>),
    /// Whoever asks.
    Here(Arc<Here>),
}

/// The database on the threads of those who ask.
struct Here {
    engine: Mutex<Engine>,
    turns: AtomicU64,
}

/// How many times others may come first, before a call and after it.
const TURNS: u64 = 4;

impl Here {
    /// Lets others come first, so often as the next number says: SplitMix64.
    async fn others(&self) {
        const STEP: u64 = 0x9E37_79B9_7F4A_7C15;
        let mut drawn = self.turns.fetch_add(STEP, Ordering::Relaxed);
        drawn = (drawn ^ (drawn >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        drawn = (drawn ^ (drawn >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        for _ in 0..(drawn >> 32).checked_rem(TURNS).unwrap_or_default() {
            tokio::task::yield_now().await;
        }
    }

    async fn run<T>(&self, work: impl FnOnce(&Engine) -> T + Send) -> Option<T> {
        self.others().await;
        let done = {
            let engine = self.engine.lock().unwrap_or_else(PoisonError::into_inner);
            catch_unwind(AssertUnwindSafe(|| work(&engine)))
        };
        self.others().await;
        done.inspect_err(|_| tracing::error!("the embedded DynamoDB panicked")).ok()
    }
}

/// The database did not answer.
#[derive(Debug)]
pub(crate) struct Unanswered;

/// The embedded DynamoDB; clones speak to the same one.
#[derive(Clone)]
pub struct Dynamo {
    served: Served,
    signals: Signals,
    writes: Arc<AtomicU64>,
}

impl Dynamo {
    /// Opens a file, or a new database in memory; it is served by a thread of its own, or with a number by whoever asks.
    pub(crate) fn open(file: Option<&Path>, here: Option<u64>, signals: Signals) -> Result<Self, DatabaseError> {
        let engine = match file {
            Some(path) => open_file(path),
            None => open_memory(),
        };
        let engine = engine.map_err(DatabaseError::Open)?;
        if let Some(turns) = here {
            let here = Here { engine: Mutex::new(engine), turns: AtomicU64::new(turns) };
            return Ok(Self { served: Served::Here(Arc::new(here)), signals, writes: Arc::default() });
        }
        let (jobs, queue) = mpsc::channel::<Job>();
        std::thread::Builder::new()
            .name("dynamodb".to_owned())
            .spawn(move || {
                for job in queue {
                    // a panic inside the emulator is that call's failure; its caller sees the dropped answer
                    if catch_unwind(AssertUnwindSafe(|| job(&engine))).is_err() {
                        tracing::error!("the embedded DynamoDB panicked");
                    }
                }
            })
            .map_err(DatabaseError::Thread)?;
        Ok(Self { served: Served::Thread(jobs), signals, writes: Arc::default() })
    }

    /// Runs one piece of work where the database is served; `None` when it panicked or the thread is gone.
    pub(crate) async fn run<T: Send + 'static>(&self, work: impl FnOnce(&Database) -> T + Send + 'static) -> Option<T> {
        self.run_engine(move |engine| work(&engine.database)).await
    }

    async fn run_engine<T: Send + 'static>(&self, work: impl FnOnce(&Engine) -> T + Send + 'static) -> Option<T> {
        let jobs = match &self.served {
            Served::Thread(jobs) => jobs,
            Served::Here(here) => return here.run(work).await,
        };
        let (reply, answer) = oneshot::channel();
        let job: Job = Box::new(move |engine| {
            // a caller that was killed meanwhile does not hear of what it did
            drop(reply.send(work(engine)));
        });
        jobs.send(job).ok()?;
        answer.await.ok()
    }

    /// Wakes who reads the tables' streams.
    pub(crate) fn signals(&self) -> &Signals {
        &self.signals
    }

    /// Forgets stream records up to a position: without this they stay for ever.
    pub(crate) async fn trim(&self, table: String, position: i64) {
        let trimmed = self.run_engine(move |engine| engine.storage.conn().execute(TRIM, (table, position))).await;
        if let Some(Err(error)) = trimmed {
            tracing::warn!(%error, "stream records are not trimmed");
        }
    }

    /// How many requests have written so far.
    pub(crate) fn writes(&self) -> u64 {
        self.writes.load(Ordering::SeqCst)
    }

    /// The lowest sort key in a table's index, over all partitions: DynamoDB's API has no such question.
    ///
    /// # Errors
    /// When the database does not answer; it is logged.
    pub(crate) async fn earliest(&self, table: &str, index: &str) -> Result<Option<String>, Unanswered> {
        let query = format!("SELECT MIN(gsi_sk) FROM \"{}\"", format!("{table}::gsi::{index}").replace('"', "\"\""));
        let answer = self.run_engine(move |engine| {
            engine.storage.conn().prepare_cached(&query)?.query_row([], |row| row.get::<_, Option<String>>(0))
        });
        match answer.await {
            // dynoxide writes the attribute's type before its value
            Some(Ok(key)) => Ok(key.map(|key| key.trim_start_matches("S:").to_owned())),
            Some(Err(error)) => {
                tracing::warn!(table, index, %error, "the earliest entry is not known");
                Err(Unanswered)
            }
            None => Err(Unanswered),
        }
    }

    /// One request in DynamoDB's JSON, without a function's policy: for tests, seeding and the demo's summary.
    ///
    /// # Errors
    /// DynamoDB's error document.
    pub async fn request(&self, operation: &str, body: &Value) -> Result<Value, Value> {
        let answer = self.answer(operation, body.to_string().as_bytes(), &Caller::host()).await.0;
        let value = serde_json::from_slice(&answer.body).unwrap_or(Value::Null);
        if answer.status == 200 { Ok(value) } else { Err(value) }
    }

    /// Answers one request and says what it consumed.
    pub(super) async fn answer(&self, operation: &str, body: &[u8], caller: &Caller) -> (Answer, Vec<Consumed>) {
        use dynoxide::actions as a;
        match operation {
            "GetItem" => self.metered::<a::get_item::GetItemRequest>(body, caller).await,
            "PutItem" => self.metered::<a::put_item::PutItemRequest>(body, caller).await,
            "UpdateItem" => self.metered::<a::update_item::UpdateItemRequest>(body, caller).await,
            "DeleteItem" => self.metered::<a::delete_item::DeleteItemRequest>(body, caller).await,
            "Query" => self.metered::<a::query::QueryRequest>(body, caller).await,
            "Scan" => self.metered::<a::scan::ScanRequest>(body, caller).await,
            "BatchGetItem" => self.metered::<a::batch_get_item::BatchGetItemRequest>(body, caller).await,
            "BatchWriteItem" => self.metered::<a::batch_write_item::BatchWriteItemRequest>(body, caller).await,
            "TransactGetItems" => self.metered::<a::transact_get_items::TransactGetItemsRequest>(body, caller).await,
            "TransactWriteItems" => {
                self.metered::<a::transact_write_items::TransactWriteItemsRequest>(body, caller).await
            }
            "CreateTable" => self.plain(body, Database::create_table).await,
            "DescribeTable" => self.plain(body, Database::describe_table).await,
            "ListTables" => self.plain(body, Database::list_tables).await,
            "DeleteTable" => self.plain(body, Database::delete_table).await,
            "UpdateTimeToLive" => self.plain(body, Database::update_time_to_live).await,
            _ => {
                (Answer::error(400, "UnknownOperationException", "the local host does not have this operation"), vec![])
            }
        }
    }

    async fn metered<O: Operation>(&self, body: &[u8], caller: &Caller) -> (Answer, Vec<Consumed>) {
        let mut operation: O = match read(body) {
            Ok(operation) => operation,
            Err(answer) => return (answer, vec![]),
        };
        let accesses = operation.accesses();
        for Access { action, resource, .. } in &accesses {
            if let Err(Denied(message)) = caller.may(action, resource) {
                return (Answer::error(400, "AccessDeniedException", &message), vec![]);
            }
        }
        // the units are wanted here in any case; the caller sees them only if it asked
        let asked = operation.capacity_mode().as_deref().is_some_and(|mode| mode != "NONE");
        if !asked {
            *operation.capacity_mode() = Some("INDEXES".to_owned());
        }
        let at_least = operation.units_of_failure();
        let signals = self.signals.clone();
        let writes = Arc::clone(&self.writes);
        let written: Vec<String> = accesses.iter().filter(|a| a.writes).map(|a| a.table.clone()).collect();
        let done = self.run(move |database| {
            let answer = operation.execute(database);
            if answer.is_ok() {
                // before the answer leaves: whoever sees the write sees that it was one, and that there is something to relay
                if !written.is_empty() {
                    writes.fetch_add(1, Ordering::SeqCst);
                }
                written.iter().for_each(|table| signals.wake(table));
            }
            answer
        });
        match done.await {
            Some(Ok(mut payload)) => {
                let consumed = payload.consumed(&accesses, !asked);
                (Answer::json(&payload), consumed)
            }
            Some(Err(error)) => (failure(&error), at_least.of(&error)),
            None => (gone(), vec![]),
        }
    }

    async fn plain<Q, A>(
        &self,
        body: &[u8],
        execute: fn(&Database, Q) -> dynoxide::Result<A>,
    ) -> (Answer, Vec<Consumed>)
    where
        Q: DeserializeOwned + Send + 'static,
        A: Serialize + Send + 'static,
    {
        let request: Q = match read(body) {
            Ok(request) => request,
            Err(answer) => return (answer, vec![]),
        };
        let answer = match self.run(move |database| execute(database, request)).await {
            Some(Ok(answer)) => Answer::json(&answer),
            Some(Err(error)) => failure(&error),
            None => gone(),
        };
        (answer, vec![])
    }
}

fn open_file(path: &Path) -> dynoxide::Result<Engine> {
    let path = path.to_string_lossy();
    let engine = open(&path)?;
    // sets `synchronous = NORMAL`: in WAL mode what is committed survives our end, and no commit waits for the disk
    engine.database.disable_bulk_loading()?;
    Ok(engine)
}

fn open_memory() -> dynoxide::Result<Engine> {
    // a name lets a second connection in; the database lives as long as one of them does
    open(&format!("file:pipworks-{}?mode=memory&cache=shared", uuid::Uuid::now_v7()))
}

fn open(name: &str) -> dynoxide::Result<Engine> {
    let database = Database::new(name)?;
    let storage = Storage::new(name)?;
    storage.conn().execute_batch(STREAM_INDEX)?;
    Ok(Engine { database, storage })
}

fn read<Q: DeserializeOwned>(body: &[u8]) -> Result<Q, Answer> {
    serde_json::from_slice(body).map_err(|error| {
        // dynoxide marks which of DynamoDB's two errors a refused request is
        let message = error.to_string();
        let message = message.rsplit_once(" at line ").map_or(message.as_str(), |(text, _)| text);
        match message.split_once(':') {
            Some(("VALIDATION" | "VALIDATION_REQUEST", text)) => Answer::error(400, "ValidationException", text),
            Some(("SERIALIZATION", text)) => Answer::error(400, "SerializationException", text),
            _ => Answer::error(400, "ValidationException", message),
        }
    })
}

fn failure(error: &DynoxideError) -> Answer {
    Answer { status: error.status_code(), body: error.to_json().into_bytes(), xml: false }
}

fn gone() -> Answer {
    Answer::error(500, "InternalServerError", "the embedded DynamoDB did not answer")
}

#[cfg(test)]
mod tests {
    use dynoxide::actions::get_records::{GetRecordsRequest, GetRecordsResponse};
    use dynoxide::actions::get_shard_iterator::{decode_shard_iterator, encode_shard_iterator};
    use dynoxide::streams::shard_id;
    use serde_json::json;

    use super::*;

    #[tokio::test]
    async fn trimmed_stream_records_are_gone_and_later_ones_go_on_in_order() {
        let dynamo = Dynamo::open(None, None, Signals::default()).unwrap();
        let key = json!([{"AttributeName": "pk", "KeyType": "HASH"}]);
        let create = json!({
            "TableName": "table", "BillingMode": "PAY_PER_REQUEST", "KeySchema": key,
            "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
            "StreamSpecification": {"StreamEnabled": true, "StreamViewType": "NEW_IMAGE"},
        });
        dynamo.request("CreateTable", &create).await.unwrap();
        let put = async |pk: &str| {
            dynamo.request("PutItem", &json!({"TableName": "table", "Item": {"pk": {"S": pk}}})).await.unwrap();
        };
        let page = async |limit: usize| -> GetRecordsResponse {
            let shard_iterator = encode_shard_iterator("table", &shard_id("table"), 0);
            let request = GetRecordsRequest { shard_iterator, limit: Some(limit) };
            dynamo.run(move |database| database.get_records(request)).await.unwrap().unwrap()
        };
        for pk in ["a", "b", "c"] {
            put(pk).await;
        }
        let (_, _, second) = decode_shard_iterator(&page(2).await.next_shard_iterator.unwrap()).unwrap();
        dynamo.trim("table".to_owned(), second).await;
        put("d").await;
        let left = page(9).await.records;
        let left: Vec<Value> = left.iter().map(|r| serde_json::to_value(&r.dynamodb.keys).unwrap()).collect();
        assert_eq!(left, [json!({"pk": {"S": "c"}}), json!({"pk": {"S": "d"}})]);
    }

    #[tokio::test]
    async fn the_earliest_entry_of_an_index_is_found_over_all_its_partitions() {
        let dynamo = Dynamo::open(None, Some(1), Signals::default()).unwrap();
        let key = |name: &str, kind: &str| json!({"AttributeName": name, "KeyType": kind});
        let attributes = ["pk", "shard", "at"].map(|name| json!({"AttributeName": name, "AttributeType": "S"}));
        let create = json!({
            "TableName": "table", "BillingMode": "PAY_PER_REQUEST", "KeySchema": [key("pk", "HASH")],
            "AttributeDefinitions": attributes,
            "GlobalSecondaryIndexes": [{
                "IndexName": "due", "KeySchema": [key("shard", "HASH"), key("at", "RANGE")],
                "Projection": {"ProjectionType": "KEYS_ONLY"},
            }],
        });
        let table = create["TableName"].as_str().unwrap().to_owned();
        dynamo.request("CreateTable", &create).await.unwrap();
        assert_eq!(dynamo.earliest(&table, "due").await.unwrap(), None);
        let put = async |pk: &str, shard: &str, at: Option<&str>| {
            let mut item = json!({"pk": {"S": pk}, "shard": {"S": shard}});
            if let Some(at) = at {
                item["at"] = json!({"S": at});
            }
            dynamo.request("PutItem", &json!({"TableName": table, "Item": item})).await.unwrap();
        };
        let before = dynamo.writes();
        put("a", "lead#1", Some("2026-02")).await;
        put("b", "task#0", Some("2026-01")).await;
        put("c", "task#0", None).await;
        assert_eq!(dynamo.writes(), before + 3);
        assert_eq!(dynamo.earliest(&table, "due").await.unwrap().as_deref(), Some("2026-01"));
        put("b", "task#0", Some("2026-03")).await;
        assert_eq!(dynamo.earliest(&table, "due").await.unwrap().as_deref(), Some("2026-02"));
        assert!(dynamo.earliest(&table, "other").await.is_err());
    }

    #[test]
    fn the_newest_and_the_next_stream_records_are_found_by_index() {
        let storage = Storage::memory().unwrap();
        storage.conn().execute_batch(STREAM_INDEX).unwrap();
        let plan = |query: &str| -> String {
            let mut statement = storage.conn().prepare(&format!("EXPLAIN QUERY PLAN {query}")).unwrap();
            let rows = statement.query_map([], |row| row.get::<_, String>(3)).unwrap();
            rows.map(Result::unwrap).collect::<Vec<_>>().join("; ")
        };
        // as dynoxide writes them
        let newest = "SELECT COALESCE(MAX(CAST(sequence_number AS INTEGER)), 0) + 1 FROM _stream_records \
                      WHERE table_name = 't'";
        let next = "SELECT new_image FROM _stream_records WHERE table_name = 't' AND shard_id = 's' \
                    AND CAST(sequence_number AS INTEGER) > 5 ORDER BY CAST(sequence_number AS INTEGER) ASC LIMIT 9";
        for query in [newest, next] {
            let plan = plan(query);
            assert!(plan.contains("host_stream_order") && !plan.contains("TEMP B-TREE"), "{plan}");
        }
    }
}
