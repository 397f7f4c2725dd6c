//! Queue functions: each message on its own, failed ones reported, none fails its neighbours.

use std::sync::Arc;
use std::time::{Duration, Instant};

use domain::decision::Frame;
use domain::entity::EntityId;
use domain::fault::{self, Fault};
use domain::json::place_of;
use domain::{ClientId, Timestamp};
use providers::http::BoxFuture;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::aftermath::{Aftermath, Fate};
use crate::function::{Clock, ConfigError, Function, FunctionError, Invocation, Ports, come_again, read_event};
use crate::replay::{self, DryRun, ReplayOf};
use crate::sqs::Sqs;
use crate::step::StepError;
use crate::telemetry::{self, StepMetrics};

/// Time that is left over for the answer when the next message takes as long as the slowest so far.
const SPARE: Duration = Duration::from_secs(1);

/// A domain event as the bus carries it in `detail`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct BusEvent {
    /// Derived id: `entity:version:n`.
    pub event_id: String,
    /// Entity id.
    pub entity: String,
    /// Its version.
    pub version: u64,
    /// Event type.
    #[serde(rename = "type")]
    pub kind: String,
    /// When it was decided.
    pub at: Timestamp,
    /// Follows the work from its first request.
    pub correlation_id: String,
    /// The client, if the entity belongs to one.
    #[serde(default)]
    pub client_id: Option<ClientId>,
    /// The entity's public part.
    #[serde(default)]
    pub data: Value,
}

impl BusEvent {
    /// The id of the entity, of the kind that the step is about.
    ///
    /// # Errors
    /// [`StepError::Malformed`].
    pub fn id<I: EntityId>(&self) -> Result<I, StepError> {
        let wrong = || StepError::Malformed(format!("{} {} is no {}…", self.kind, self.entity, I::PREFIX));
        self.entity.parse().map_err(|_| wrong())
    }
}

#[derive(Deserialize)]
struct Envelope {
    detail: BusEvent,
}

/// One message of a queue.
#[derive(Debug, Clone)]
pub struct Message {
    /// The queue's message id.
    pub id: String,
    /// Its body.
    pub body: String,
    /// The whole record, for whoever files dead letters.
    pub record: Value,
    /// The invocation.
    pub execution_id: String,
    /// The moment.
    pub now: Timestamp,
}

impl Message {
    /// The event in the body.
    ///
    /// # Errors
    /// [`StepError::Malformed`].
    pub fn event(&self) -> Result<BusEvent, StepError> {
        serde_json::from_str::<Envelope>(&self.body)
            .map(|envelope| envelope.detail)
            .map_err(|error| StepError::Malformed(place_of(&error)))
    }

    /// The frame of a decision that an event sets off.
    pub fn frame(&self, function: &'static str, event: &BusEvent) -> Frame {
        Frame {
            function,
            execution_id: self.execution_id.clone(),
            trigger: format!("{} {}", event.kind, event.event_id),
            correlation_id: event.correlation_id.clone(),
            now: self.now,
            rules: Vec::new(),
        }
    }
}

/// One queue step.
pub trait QueueStep: Send + Sync + 'static {
    /// The function's name.
    const NAME: &'static str;
    /// Whether what cannot help to deliver again is put among the dead letters at once.
    const PARKS: bool = true;

    /// Handles one message; the text names the outcome for log and metric.
    fn handle<'a>(&'a self, message: &'a Message) -> BoxFuture<'a, Result<&'static str, StepError>>;
}

/// A step as a function.
pub struct QueueFunction<S> {
    step: S,
    aftermath: Aftermath,
    sqs: Sqs,
    clock: Arc<dyn Clock>,
}

impl<S: QueueStep> QueueFunction<S> {
    /// Wraps a step.
    ///
    /// # Errors
    /// [`ConfigError`].
    pub fn build(step: S, ports: &Ports) -> Result<Arc<dyn Function>, ConfigError> {
        let aftermath = Aftermath::new(ports, S::PARKS);
        Ok(Arc::new(Self { step, aftermath, sqs: Sqs::new(ports), clock: ports.clock.clone() }))
    }

    /// Handles a message; its id, if it is to be delivered again.
    async fn one(&self, record: &Value, invocation: &Invocation) -> Result<(), String> {
        let started = self.clock.now();
        let message = Message {
            id: text(record, "messageId"),
            body: text(record, "body"),
            record: record.clone(),
            execution_id: invocation.request_id.clone(),
            now: started,
        };
        let replay_of = match replay::Kind::of(&message.body, S::NAME) {
            replay::Kind::Dry(dry_run) => return self.rehearse(message, *dry_run).await,
            replay::Kind::Real(replay_of) => replay_of,
        };
        let event = message.event().ok();
        let correlation_id = event.as_ref().map(|event| event.correlation_id.clone()).unwrap_or_default();
        let (result, usage) = store::measured(self.step.handle(&message)).await;
        let outcome = match &result {
            Ok(outcome) => outcome,
            Err(error) => {
                tracing::error!(
                    message.id = %message.id, correlation_id = %correlation_id, error = %error, kind = error.kind(),
                    retry = ?error.disposition(), "message `{}` failed in {}", message.id, S::NAME
                );
                error.kind()
            }
        };
        let ended = self.clock.now();
        telemetry::emit(&StepMetrics {
            at: ended,
            function: S::NAME,
            outcome,
            latency_ms: ended.millis_since(started),
            usage: &usage,
            correlation_id: &correlation_id,
            execution_id: &invocation.request_id,
        });
        if let Some(of) = replay_of {
            self.tell(&result, of, ended).await;
        }
        match result {
            Ok(_) => Ok(()),
            Err(_) if fault::is_back(Fault::AcknowledgedUnsaved) => Ok(()),
            Err(error) => match self.aftermath.of(&message, event.as_ref(), &error).await {
                Fate::Deleted => Ok(()),
                Fate::Again => Err(message.id),
            },
        }
    }

    /// Has the step do it without any effect, and answers what it would have done. Whatever comes of it, nothing failed.
    async fn rehearse(&self, message: Message, dry_run: DryRun) -> Result<(), String> {
        let then = dry_run.message(&message);
        let (result, rehearsed) = store::rehearsed(dry_run.as_of, self.step.handle(&then)).await;
        let to = dry_run.of.answer_to.clone();
        let answered = replay::answer(result.as_ref(), rehearsed, dry_run.of, self.clock.now());
        match self.sqs.send(&to, &answered.body(), &[]).await {
            Ok(()) => Ok(()),
            Err(error) => {
                tracing::warn!(message.id = %message.id, error = %error, "a rehearsal was not answered");
                Err(message.id)
            }
        }
    }

    /// Tells a replay what came of it. The step has done it: without the answer the journal still says so.
    async fn tell(&self, result: &Result<&'static str, StepError>, of: ReplayOf, at: Timestamp) {
        let to = of.answer_to.clone();
        let answered = replay::answer(Some(result), store::Rehearsed::default(), of, at);
        if let Err(error) = self.sqs.send(&to, &answered.body(), &[]).await {
            tracing::warn!(error = %error, "a replay was not told what came of it");
        }
    }
}

fn text(record: &Value, name: &str) -> String {
    record.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
}

#[derive(Deserialize)]
struct Batch {
    #[serde(rename = "Records")]
    records: Vec<Value>,
}

impl<S: QueueStep> Function for QueueFunction<S> {
    fn call<'a>(
        &'a self,
        event: &'a RawValue,
        invocation: Invocation,
    ) -> BoxFuture<'a, Result<Box<RawValue>, FunctionError>> {
        Box::pin(async move {
            let batch: Batch = read_event(event)?;
            let mut failures = Vec::new();
            let (began, mut longest) = (Instant::now(), Duration::ZERO);
            for record in &batch.records {
                let used = began.elapsed();
                // one that may not end in time would take all of the batch with it
                if invocation.time_left.saturating_sub(used) < longest.saturating_add(SPARE) {
                    failures.push(text(record, "messageId"));
                    continue;
                }
                if let Err(id) = self.one(record, &invocation).await {
                    failures.push(id);
                }
                longest = longest.max(began.elapsed().saturating_sub(used));
            }
            come_again(failures.iter().map(String::as_str))
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use domain::Seconds;
    use serde_json::json;
    use serde_json::value::to_raw_value;

    use super::*;

    /// Takes its time, as a vendor does that does not answer.
    struct Slow(Arc<Mutex<Vec<String>>>);

    impl QueueStep for Slow {
        const NAME: &'static str = "slow";

        fn handle<'a>(&'a self, message: &'a Message) -> BoxFuture<'a, Result<&'static str, StepError>> {
            Box::pin(async move {
                tokio::time::sleep(Duration::from_millis(300)).await;
                self.0.lock().unwrap().push(message.id.clone());
                Ok("done")
            })
        }
    }

    struct Noon;

    impl Clock for Noon {
        fn now(&self) -> Timestamp {
            Timestamp::EPOCH.plus(Seconds(43_200))
        }
    }

    #[tokio::test]
    async fn what_would_not_end_in_time_is_left_for_another_invocation() {
        let done = Arc::new(Mutex::new(Vec::new()));
        let function = QueueFunction {
            step: Slow(done.clone()),
            aftermath: Aftermath::none(Arc::new(Noon)),
            sqs: Sqs::of(&aws_types::SdkConfig::builder().build()),
            clock: Arc::new(Noon),
        };
        let records: Vec<Value> = (1..=5).map(|n| json!({"messageId": n.to_string(), "body": "{}"})).collect();
        let event = to_raw_value(&json!({"Records": records})).unwrap();
        // time for the first, and not for a third
        let time_left = SPARE + Duration::from_millis(500);
        let answer = function.call(&event, Invocation { request_id: "1".to_owned(), time_left }).await.unwrap();
        let done = done.lock().unwrap().clone();
        assert!(matches!(done.len(), 1 | 2), "{done:?}");
        let left: Value = serde_json::from_str(answer.get()).unwrap();
        let left = left["batchItemFailures"].as_array().unwrap();
        let left = left.iter().map(|failure| failure["itemIdentifier"].as_str().unwrap().to_owned());
        assert_eq!(done.iter().cloned().chain(left).collect::<Vec<_>>(), ["1", "2", "3", "4", "5"]);
    }
}
