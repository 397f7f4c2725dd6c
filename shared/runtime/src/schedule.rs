//! What a schedule sets off: no message and no request says what came of it, so its metrics and its answer do.

use std::sync::Arc;

use domain::Timestamp;
use domain::decision::Frame;
use providers::http::BoxFuture;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::function::{Clock, Function, FunctionError, Invocation, Ports};
use crate::step::StepError;
use crate::telemetry::{self, StepMetrics};

/// What came of a firing.
#[derive(Debug, Clone, PartialEq)]
pub struct Fired {
    /// One word for it, for the metrics.
    pub outcome: &'static str,
    /// What whoever invokes the function by hand is told.
    pub answer: Value,
}

impl Fired {
    /// Something was done so many times; `word` names it in the metrics and in the answer.
    pub fn counted(word: &'static str, count: usize) -> Self {
        Self { outcome: if count == 0 { "nothing_to_do" } else { word }, answer: json!({ (word): count }) }
    }
}

/// One step that a schedule sets off.
pub trait ScheduledStep: Send + Sync + 'static {
    /// The function's name.
    const NAME: &'static str;

    /// Does it.
    fn fire<'a>(
        &'a self,
        event: &'a RawValue,
        invocation: &'a Invocation,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<Fired, StepError>>;
}

/// A step as a function.
pub struct ScheduledFunction<S> {
    step: S,
    clock: Arc<dyn Clock>,
}

impl<S: ScheduledStep> ScheduledFunction<S> {
    /// Wraps a step.
    pub fn build(step: S, ports: &Ports) -> Arc<dyn Function> {
        Arc::new(Self { step, clock: ports.clock.clone() })
    }
}

impl<S: ScheduledStep> Function for ScheduledFunction<S> {
    fn call<'a>(
        &'a self,
        event: &'a RawValue,
        invocation: Invocation,
    ) -> BoxFuture<'a, Result<Box<RawValue>, FunctionError>> {
        Box::pin(async move {
            let began = self.clock.now();
            let (done, usage) = store::measured(self.step.fire(event, &invocation, began)).await;
            let ended = self.clock.now();
            telemetry::emit(&StepMetrics {
                at: ended,
                function: S::NAME,
                outcome: done.as_ref().map_or("failed", |fired| fired.outcome),
                latency_ms: ended.millis_since(began),
                usage: &usage,
                correlation_id: "",
                execution_id: &invocation.request_id,
            });
            match done {
                Ok(fired) => telemetry::raw(&fired.answer),
                Err(error) => Err(FunctionError { kind: error.kind(), message: error.to_string() }),
            }
        })
    }
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
