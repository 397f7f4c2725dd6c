//! What a function is to whoever runs it: bytes in, bytes out, on Lambda and on the embedded host alike.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use aws_types::SdkConfig;
use domain::Timestamp;
use domain::json::place_of;
use providers::http::{BoxFuture, Transport};
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::awsclients::TableClient;
use crate::telemetry;

/// One invocation's frame.
#[derive(Debug, Clone)]
pub struct Invocation {
    /// The platform's request id; it is the execution id of the journal.
    pub request_id: String,
    /// How long this invocation may still run.
    pub time_left: Duration,
}

/// A failed invocation: the trigger is to be delivered again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{kind}: {message}")]
pub struct FunctionError {
    /// A stable name for the alarm and the log, e.g. `StoreUnavailable`.
    pub kind: &'static str,
    /// What happened, without personal data.
    pub message: String,
}

/// Reads a trigger.
///
/// # Errors
/// [`FunctionError`] with the place that does not read, and nothing of what stands there.
pub fn read_event<T: DeserializeOwned>(event: &RawValue) -> Result<T, FunctionError> {
    serde_json::from_str(event.get())
        .map_err(|error| FunctionError { kind: "MalformedEvent", message: place_of(&error) })
}

/// The answer of a function that is given many records at once: which of them are to come again.
///
/// # Errors
/// Never for texts.
pub fn come_again<'i>(ids: impl IntoIterator<Item = &'i str>) -> Result<Box<RawValue>, FunctionError> {
    let failures: Vec<Value> = ids.into_iter().map(|id| json!({"itemIdentifier": id})).collect();
    telemetry::raw(&json!({"batchItemFailures": failures}))
}

/// A deployable function: the raw trigger event (API Gateway, SQS, stream, schedule) to its raw answer.
pub trait Function: Send + Sync {
    /// Handles one trigger.
    fn call<'a>(
        &'a self,
        event: &'a RawValue,
        invocation: Invocation,
    ) -> BoxFuture<'a, Result<Box<RawValue>, FunctionError>>;
}

/// Where `now` comes from.
pub trait Clock: Send + Sync {
    /// The current moment.
    fn now(&self) -> Timestamp;
}

/// Where fresh 128-bit time-ordered values and random bytes come from.
pub trait Entropy: Send + Sync {
    /// A UUID version 7 as a number.
    fn id_bits(&self) -> u128;
    /// Random bytes for passwords and nonces; `None` when the operating system has none.
    fn bytes(&self) -> Option<[u8; 32]>;
}

/// What a function is built from. A function makes only the clients that its policy allows.
#[derive(Clone)]
pub struct Ports {
    /// Region, credentials and HTTP client of every AWS client.
    pub aws: SdkConfig,
    /// The client of the tables.
    pub tables: TableClient,
    /// HTTP to the vendors.
    pub transport: Arc<dyn Transport>,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// Ids and random bytes.
    pub entropy: Arc<dyn Entropy>,
    /// The function's environment.
    pub environment: Arc<BTreeMap<String, String>>,
}

/// Why a function cannot start.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// An environment variable is missing.
    #[error("environment variable {0} is not set")]
    Missing(&'static str),
    /// An environment variable does not read as what it must be.
    #[error("environment variable {0} is not valid: {1}")]
    Invalid(&'static str, &'static str),
}

impl Ports {
    /// A required environment variable.
    ///
    /// # Errors
    /// [`ConfigError::Missing`].
    pub fn need(&self, key: &'static str) -> Result<&str, ConfigError> {
        self.environment.get(key).map(String::as_str).filter(|v| !v.is_empty()).ok_or(ConfigError::Missing(key))
    }
}

/// Builds a function from its ports; the name is the binary's and the template's.
pub type Build = fn(&Ports) -> Result<Arc<dyn Function>, ConfigError>;
