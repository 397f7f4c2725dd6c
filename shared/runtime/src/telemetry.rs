//! JSON log lines and metrics in CloudWatch's embedded format; ids as fields, never bodies or personal data.

use std::io::Write as _;
use std::sync::atomic::{AtomicBool, Ordering};

use domain::Timestamp;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use store::Usage;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::function::FunctionError;

/// The namespace of all metrics.
const NAMESPACE: &str = "pipworks";

/// What one invocation of a step measured.
#[derive(Debug)]
pub struct StepMetrics<'a> {
    /// When it ended.
    pub at: Timestamp,
    /// The function.
    pub function: &'static str,
    /// One word for the result.
    pub outcome: &'a str,
    /// Milliseconds from trigger to answer.
    pub latency_ms: i64,
    /// What the store consumed.
    pub usage: &'a Usage,
    /// Follows the work from its first request.
    pub correlation_id: &'a str,
    /// The invocation.
    pub execution_id: &'a str,
}

/// Starts logging as `AWS_LAMBDA_LOG_LEVEL` says, else at `INFO`, one JSON object a line.
pub fn init(level: Option<&str>) {
    let filter = filter(level);
    let lines = tracing_subscriber::fmt::layer().json().flatten_event(true).with_current_span(false).without_time();
    // a second initialisation (several functions in one process) keeps the first
    if tracing_subscriber::registry().with(filter).with(lines).try_init().is_err() {
        tracing::debug!("logging was already initialised");
    }
}

/// Not `EnvFilter`: for directives that nobody writes it brings an engine for regular expressions into every function.
fn filter(level: Option<&str>) -> Targets {
    let level = level.filter(|level| !level.is_empty()).unwrap_or("info").to_lowercase();
    level.parse().unwrap_or_else(|_| Targets::new().with_default(LevelFilter::INFO))
}

/// Set by the bootstrap on Lambda; the embedded host counts by itself and keeps its terminal readable.
static METRICS: AtomicBool = AtomicBool::new(false);

/// Lets metric lines out on standard output.
pub fn enable_metrics() {
    METRICS.store(true, Ordering::Relaxed);
}

/// Writes the metrics of an invocation as one line of embedded metric format.
pub fn emit(metrics: &StepMetrics<'_>) {
    if !METRICS.load(Ordering::Relaxed) {
        return;
    }
    // not a log event: CloudWatch reads `_aws` at the top level of the line
    if let Err(error) = writeln!(std::io::stdout().lock(), "{}", line(metrics)) {
        tracing::warn!(error = %error, "metrics line was not written");
    }
}

/// The line as CloudWatch wants it.
pub fn line(metrics: &StepMetrics<'_>) -> Value {
    let calls: u32 = metrics.usage.tables.values().map(|table| table.calls).sum();
    json!({
        "_aws": {
            "Timestamp": metrics.at.millis(),
            "CloudWatchMetrics": [{
                "Namespace": NAMESPACE,
                "Dimensions": [["function"], ["function", "outcome"]],
                "Metrics": [
                    {"Name": "latency_ms", "Unit": "Milliseconds"},
                    {"Name": "store_calls", "Unit": "Count"},
                    {"Name": "read_units", "Unit": "Count"},
                    {"Name": "write_units", "Unit": "Count"},
                ],
            }],
        },
        "function": metrics.function,
        "outcome": metrics.outcome,
        "latency_ms": metrics.latency_ms,
        "store_calls": calls,
        "read_units": metrics.usage.read_units(),
        "write_units": metrics.usage.write_units(),
        "correlation_id": metrics.correlation_id,
        "execution_id": metrics.execution_id,
    })
}

/// An answer as raw JSON.
///
/// # Errors
/// Never for a JSON value.
pub fn raw(value: &Value) -> Result<Box<RawValue>, FunctionError> {
    RawValue::from_string(value.to_string())
        .map_err(|error| FunctionError { kind: "Answer", message: error.to_string() })
}

#[cfg(test)]
mod tests {
    use tracing_subscriber::filter::Targets;

    use super::filter;

    #[test]
    fn the_level_is_the_one_that_is_asked_for_and_info_where_none_can_be_read() {
        let shown = |filter: &Targets| {
            let all = [tracing::Level::ERROR, tracing::Level::WARN, tracing::Level::INFO, tracing::Level::DEBUG];
            all.iter().filter(|level| filter.would_enable("payments::credit", level)).count()
        };
        let levels = [("ERROR", 1), ("WARN", 2), ("INFO", 3), ("DEBUG", 4), ("off", 0), ("", 3), ("payments=loud", 3)];
        for (level, expected) in levels {
            assert_eq!(shown(&filter(Some(level))), expected, "{level}");
        }
        assert_eq!(shown(&filter(None)), 3);
        assert_eq!(shown(&filter(Some("warn,payments=debug"))), 4);
    }
}
