//! The typed resources of a template. Names are physical names, times are in seconds as in the template.

use std::collections::BTreeMap;

use serde_json::Value;

use super::policy::Statement;
use super::schedule::When;

/// A Lambda function and everything that triggers it.
#[derive(Debug, Clone, Default)]
pub struct FunctionSpec {
    /// Logical id.
    pub id: String,
    /// Physical name.
    pub name: String,
    /// What the binary picks among its functions: the key in the code's registry.
    pub handler: String,
    /// The Cargo binary that holds its code, perhaps among others.
    pub binary: String,
    /// Runtime identifier.
    pub runtime: String,
    /// Instruction sets.
    pub architectures: Vec<String>,
    /// Time-out in seconds.
    pub timeout_s: u32,
    /// Memory in megabytes.
    pub memory_mb: u32,
    /// Most executions at once, set aside from the account's.
    pub reserved_concurrency: Option<u32>,
    /// Environment after resolution.
    pub environment: BTreeMap<String, String>,
    /// HTTP routes.
    pub routes: Vec<Route>,
    /// Queues that it consumes.
    pub queues: Vec<QueueMapping>,
    /// Table streams that it consumes.
    pub streams: Vec<StreamMapping>,
    /// What its role allows, from its own policies and from a named role.
    pub statements: Vec<Statement>,
    /// SAM policy templates and managed policies that it or its role names.
    pub named_policies: Vec<String>,
    /// Physical name of its role, where it is written out.
    pub role: Option<String>,
    /// The log group that its logging configuration names.
    pub log_group: Option<String>,
    /// Whether logs are written as JSON.
    pub json_logs: bool,
}

/// A route of the REST API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// Upper-case method, or `ANY`.
    pub method: String,
    /// Path with `{parameters}`.
    pub path: String,
}

/// How many requests the gateway lets through to one route; every route that has one has its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RouteLimit {
    /// The route.
    pub route: Route,
    /// Requests a second, in the long run.
    pub rate: u32,
    /// Requests at once.
    pub burst: u32,
}

/// A queue as the source of a function.
#[derive(Debug, Clone, PartialEq)]
pub struct QueueMapping {
    /// Where it stands in the template.
    pub id: String,
    /// Physical name of the queue.
    pub queue: String,
    /// Most messages of one invocation.
    pub batch_size: usize,
    /// How long Lambda may wait to fill a batch.
    pub batching_window_s: u32,
    /// Most invocations at once.
    pub maximum_concurrency: Option<usize>,
    /// Whether the answer names the failed messages.
    pub report_batch_item_failures: bool,
    /// Patterns of which one must match.
    pub filters: Vec<Value>,
}

/// A table's stream as the source of a function.
#[derive(Debug, Clone, PartialEq)]
pub struct StreamMapping {
    /// Where it stands in the template.
    pub id: String,
    /// Physical name of the table.
    pub table: String,
    /// Most records of one invocation.
    pub batch_size: usize,
    /// How long Lambda may wait to fill a batch.
    pub batching_window_s: u32,
    /// Patterns of which one must match.
    pub filters: Vec<Value>,
    /// Whether a failed batch is split in two.
    pub bisect: bool,
    /// Retries of a batch; `None` retries until the record expires.
    pub maximum_retries: Option<u32>,
    /// The age at which a record is given up; `None` keeps it as long as the stream does.
    pub maximum_age_s: Option<u32>,
    /// Batches of one shard at once.
    pub parallelization: usize,
    /// Whether the answer names the first failed record.
    pub report_batch_item_failures: bool,
    /// Physical name of the queue for records given up.
    pub on_failure: Option<String>,
}

/// A table.
#[derive(Debug, Clone, Default)]
pub struct Table {
    /// Logical id.
    pub id: String,
    /// Physical name.
    pub name: String,
    /// Partition key.
    pub partition: KeyAttribute,
    /// Sort key.
    pub sort: Option<KeyAttribute>,
    /// Global secondary indexes.
    pub indexes: Vec<Index>,
    /// What a stream record shows, where there is a stream.
    pub stream_view: Option<String>,
    /// `PAY_PER_REQUEST` or `PROVISIONED`.
    pub billing: String,
    /// Attribute that holds the expiry.
    pub expiry: Option<String>,
    /// Encryption at rest.
    pub encrypted: bool,
    /// Point-in-time recovery.
    pub recoverable: bool,
    /// Deletion protection.
    pub deletion_protected: bool,
    /// `DeletionPolicy`.
    pub deletion_policy: Option<String>,
    /// `UpdateReplacePolicy`.
    pub replace_policy: Option<String>,
}

/// A key attribute and its type.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KeyAttribute {
    /// Attribute name.
    pub name: String,
    /// `S`, `N` or `B`.
    pub kind: String,
}

/// A global secondary index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Index {
    /// Its name.
    pub name: String,
    /// Partition key.
    pub partition: KeyAttribute,
    /// Sort key.
    pub sort: Option<KeyAttribute>,
    /// What it carries.
    pub projection: Projection,
}

/// What an index carries beside the keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Projection {
    /// Everything.
    All,
    /// Nothing.
    KeysOnly,
    /// These attributes.
    Include(Vec<String>),
}

/// A bucket.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Bucket {
    /// Logical id.
    pub id: String,
    /// Physical name.
    pub name: String,
    /// Whether what is overwritten is kept.
    pub versioned: bool,
    /// Encryption at rest.
    pub encrypted: bool,
    /// Whether all four ways to make it public are blocked.
    pub private: bool,
    /// Whether an upload in parts that is never completed goes away.
    pub aborts_uploads: bool,
    /// Which web pages may use it.
    pub cors: Vec<CorsRule>,
    /// `DeletionPolicy`.
    pub deletion_policy: Option<String>,
    /// `UpdateReplacePolicy`.
    pub replace_policy: Option<String>,
}

/// What pages of other origins may do with a bucket.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CorsRule {
    /// Origins, e.g. `https://portal.example.com`.
    pub origins: Vec<String>,
    /// Methods.
    pub methods: Vec<String>,
    /// Headers that a page may send.
    pub headers: Vec<String>,
}

/// A queue.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Queue {
    /// Logical id.
    pub id: String,
    /// Physical name.
    pub name: String,
    /// How long a received message stays hidden.
    pub visibility_s: u32,
    /// How long a message is kept.
    pub retention_s: u32,
    /// Where messages go that fail too often.
    pub redrive: Option<Redrive>,
    /// Encryption at rest.
    pub encrypted: bool,
}

/// When and where a queue gives a message up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redrive {
    /// Physical name of the dead-letter queue.
    pub dead_letters: String,
    /// Receives after which the next one moves the message.
    pub maximum_receives: u32,
}

/// An event bus.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bus {
    /// Logical id.
    pub id: String,
    /// Physical name.
    pub name: String,
}

/// A rule with an event pattern.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    /// Logical id, or function and event name.
    pub id: String,
    /// Physical name of the bus.
    pub bus: String,
    /// The event pattern.
    pub pattern: Value,
    /// Whether it is switched on.
    pub enabled: bool,
    /// Where matching events go.
    pub targets: Vec<RuleTarget>,
}

/// Where a rule sends an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleTarget {
    /// Target id.
    pub id: String,
    /// The queue or function.
    pub kind: TargetKind,
    /// Physical name of the queue for events that cannot be delivered.
    pub dead_letters: Option<String>,
    /// Whether the target gets something else than the whole event.
    pub transformed: bool,
}

/// A target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TargetKind {
    /// Physical name of a queue.
    Queue(String),
    /// Logical id of a function.
    Function(String),
}

/// A timer.
#[derive(Debug, Clone, PartialEq)]
pub struct Schedule {
    /// Logical id, or function and event name.
    pub id: String,
    /// Logical id of the function.
    pub function: String,
    /// When it fires.
    pub when: When,
    /// The event, where it is not the standard one.
    pub input: Option<String>,
    /// Whether it is switched on.
    pub enabled: bool,
    /// Physical name of the queue for firings that cannot be delivered.
    pub dead_letters: Option<String>,
}

/// The leave for a service to invoke a function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Permission {
    /// Logical id.
    pub id: String,
    /// Logical id of the function.
    pub function: String,
    /// ARN that may invoke it.
    pub source: String,
}

/// An alarm.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Alarm {
    /// Logical id.
    pub id: String,
    /// What it watches: one metric, or those that its expression combines.
    pub metrics: Vec<Metric>,
}

/// A metric of CloudWatch.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Metric {
    /// Name, e.g. `ApproximateNumberOfMessagesVisible`.
    pub name: String,
    /// Namespace, e.g. `AWS/SQS`.
    pub namespace: String,
    /// Dimensions after resolution.
    pub dimensions: BTreeMap<String, String>,
}

/// A log group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogGroup {
    /// Logical id.
    pub id: String,
    /// Physical name.
    pub name: String,
    /// Days that logs are kept.
    pub retention_days: Option<u32>,
}
