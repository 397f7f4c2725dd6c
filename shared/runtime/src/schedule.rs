//! What a schedule sets off: no message and no request says what came of it, so its metrics and its answer do.

use domain::Timestamp;
use domain::decision::Frame;

use crate::function::{Clock, FunctionError, Invocation};
use crate::step::StepError;
use crate::telemetry::{self, StepMetrics};

/// Runs the work that began at a time, and tells its metrics; `outcome` is one word for a result.
///
/// # Errors
/// Those of the work: the invocation failed.
pub async fn run<T>(
    function: &'static str,
    (clock, began): (&dyn Clock, Timestamp),
    invocation: &Invocation,
    work: impl Future<Output = Result<T, StepError>>,
    outcome: impl FnOnce(&T) -> &'static str,
) -> Result<T, FunctionError> {
    let (done, usage) = store::measured(work).await;
    let ended = clock.now();
    telemetry::emit(&StepMetrics {
        at: ended,
        function,
        outcome: done.as_ref().map_or("failed", outcome),
        latency_ms: ended.millis_since(began),
        usage: &usage,
        correlation_id: "",
        execution_id: &invocation.request_id,
    });
    done.map_err(|error| FunctionError { kind: error.kind(), message: error.to_string() })
}

impl Invocation {
    /// The frame of decisions that no message or request asked for: the invocation is what they follow from.
    pub fn frame(&self, function: &'static str, trigger: &str, now: Timestamp) -> Frame {
        Frame {
            function,
            execution_id: self.request_id.clone(),
            trigger: trigger.to_owned(),
            correlation_id: self.request_id.clone(),
            now,
            rules: vec![],
        }
    }
}
