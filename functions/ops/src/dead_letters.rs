//! What no automation could process ends here as a work item; the whole message is kept beside it, and `redrive` sends it back.
//!
//! A notice of a work item that reached nobody is the exception: an item for each would have a notice of its own, and so on
//! without end. They are one item for each way to a desk.

use std::sync::Arc;

use domain::Timestamp;
use domain::decision::Frame;
use domain::notification::rules::{Notifications, NotifiedEvent};
use domain::notification::{Audience, plan};
use domain::work::WorkItem;
use domain::work::rules::{Queue, WorkAction, WorkKinds};
use providers::http::BoxFuture;
use runtime::function::{ConfigError, Function, Ports};
use runtime::queue::{BusEvent, Message, QueueFunction, QueueStep};
use runtime::rulebook::RuleBook;
use runtime::sqs::url_of;
use runtime::{StepError, awsclients, step};
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};
use store::{Crm, Letter};

use crate::desk::Opening;
use crate::notify::fillings::fillings;

/// Longest body that a work item shows, in characters; the rest is cut with a mark.
const BODY_MAX: usize = 8_000;

/// The step.
pub struct DeadLetters {
    crm: Crm,
    rules: RuleBook,
}

/// Builds the function.
///
/// # Errors
/// [`ConfigError`].
pub fn build(ports: &Ports) -> Result<Arc<dyn Function>, ConfigError> {
    QueueFunction::build(DeadLetters { crm: awsclients::crm(ports)?, rules: RuleBook::new(ports)? }, ports)
}

impl QueueStep for DeadLetters {
    const NAME: &'static str = "ops-dead-letters";
    // what this step fails at has nowhere else to go
    const PARKS: bool = false;

    fn handle<'a>(&'a self, message: &'a Message) -> BoxFuture<'a, Result<&'static str, StepError>> {
        Box::pin(async move {
            let live = self.rules.live::<WorkKinds>().await?;
            let arn = origin(&message.record, &message.body);
            let queue = arn.rsplit(':').next().unwrap_or_default().to_owned();
            let letter = letter(message, &arn);
            let event = message.event().ok();
            let unreachable = self.unreachable(event.as_ref()).await?;
            let stuck = match &unreachable {
                Some(way) => format!("{} to {way}", NotifiedEvent::WorkOpened.as_str()),
                None => stuck(event.as_ref(), &message.body),
            };
            let opening = Opening {
                kind: "dead_letter",
                // what is stuck, and not which message said so: however often it fails, it is one item
                derived_from: ["dead_letter", &queue, &stuck],
                id_at: Timestamp::EPOCH,
                at: message.now,
                client_id: event.as_ref().and_then(|event| event.client_id.clone()),
                subject: json!({
                    "queue": queue, "message_id": message_id(message),
                    "entity": event.as_ref().map(|event| event.entity.clone()), "unreachable": unreachable,
                }),
                trigger: json!({"attributes": message.record.get("attributes")}),
                pattern: json!({}),
                stakes: vec![],
            };
            let mut frame = Frame {
                function: Self::NAME,
                execution_id: message.execution_id.clone(),
                trigger: format!("dead letter {}", message.id),
                correlation_id: event.map_or_else(|| message.id.clone(), |event| event.correlation_id),
                now: message.now,
                rules: vec![live.label()],
            };
            let mut item = opening.item(&live.rules)?;
            // it may hold an image with its private part: not for events and journal
            item.private.trigger = shown(message);
            if item.is_secret() {
                // whoever else has the queue would never see it
                item.facts.queue = Queue::Compliance.as_str().to_owned();
            }
            match &letter {
                // before its item: who decides on that finds it
                Some(letter) => self.crm.keep_letter(&item.id, letter, message.now).await?,
                None => item.facts.options.retain(|option| option.action != WorkAction::Retry.as_str()),
            }
            tracing::error!(work.id = %item.id, queue, "dead letter");
            if step::create(&self.crm, item.clone().opened(), &frame).await? {
                return Ok("opened");
            }
            let now = message.now;
            let again = |stored: &WorkItem| stored.again(&item, now);
            Ok(step::change(&self.crm, &item.id, &mut frame, again).await?.outcome())
        })
    }
}

impl DeadLetters {
    /// The desks that a notice of a work item was to reach, and how; as long as the rules do not say so, the item's own queue.
    /// `None` for what is no such notice.
    async fn unreachable(&self, event: Option<&BusEvent>) -> Result<Option<String>, StepError> {
        let Some(event) = event.filter(|event| event.kind == NotifiedEvent::WorkOpened.as_str()) else {
            return Ok(None);
        };
        let planned = match self.rules.live::<Notifications>().await {
            Ok(live) => plan(&event.kind, &fillings(event), &live.rules.default_language, &live.rules),
            // the very rules may be what is broken
            Err(StepError::Rules { .. }) => Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let ways: Vec<String> = planned
            .unwrap_or_default()
            .into_iter()
            .filter_map(|message| match message.audience {
                Audience::Desk(desk) => Some(format!("{desk} by {}", message.channel.as_str())),
                Audience::Client => None,
            })
            .collect();
        let queue = event.data.get("queue").and_then(Value::as_str).unwrap_or_default();
        Ok(Some(if ways.is_empty() { queue.to_owned() } else { ways.join(", ") }))
    }
}

/// What a message is about: an entity and what happened to it, else the body itself.
fn stuck(event: Option<&BusEvent>, body: &str) -> String {
    match event {
        Some(event) => format!("{} {}", event.kind, event.entity),
        None => hex::encode(Sha256::digest(body.as_bytes())),
    }
}

/// What the desk is shown of the message.
fn shown(message: &Message) -> Map<String, Value> {
    let body = json!(shortened(&message.body));
    let beside = message.record.get("messageAttributes").cloned().unwrap_or_default();
    Map::from_iter([("body".to_owned(), body), ("message_attributes".to_owned(), beside)])
}

/// The message as it is sent back, if it was in a queue, or on the way to one: a note about a piece of a stream is not what failed, and
/// neither is the event of a function that a rule could not start.
fn letter(message: &Message, arn: &str) -> Option<Letter> {
    let lies_in = message.record.get("eventSourceARN").and_then(Value::as_str);
    url_of(arn).filter(|_| lies_in != Some(arn))?;
    Some(Letter {
        queue: arn.to_owned(),
        body: message.body.clone(),
        attributes: message.record.get("messageAttributes").map(Value::to_string).unwrap_or_default(),
        message_id: message.id.clone(),
        sent: false,
    })
}

/// What gave the message up, by its ARN: the queue whose consumer failed, the target that a rule could not
/// reach, the function whose stream mapping gave up, and else the queue that it lies in.
fn origin(record: &Value, body: &str) -> String {
    let text = |pointer: &str| record.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
    let of_stream = || {
        let note = serde_json::from_str::<Value>(body).ok()?;
        note.get("DDBStreamBatchInfo")?;
        Some(note.pointer("/requestContext/functionArn")?.as_str()?.to_owned())
    };
    let arn = text("/attributes/DeadLetterQueueSourceArn")
        .or_else(|| text("/messageAttributes/queue/stringValue"))
        .or_else(|| text("/messageAttributes/TARGET_ARN/stringValue"))
        .or_else(of_stream)
        .or_else(|| text("/eventSourceARN"));
    arn.unwrap_or_default()
}

/// The id that the message had where it failed.
fn message_id(message: &Message) -> &str {
    let parked = message.record.pointer("/messageAttributes/message_id/stringValue").and_then(Value::as_str);
    parked.unwrap_or(&message.id)
}

fn shortened(body: &str) -> String {
    if body.chars().count() <= BODY_MAX {
        return body.to_owned();
    }
    let mut cut: String = body.chars().take(BODY_MAX).collect();
    cut.push('…');
    cut
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dead_letter_says_what_gave_it_up() {
        let lies_in = "arn:aws:sqs:eu-west-1:1:pipworks-prod-payments-dead-letters";
        let arn = |name: &str| format!("arn:aws:sqs:eu-west-1:1:pipworks-prod-{name}");
        let redriven = json!({
            "eventSourceARN": lies_in, "attributes": {"DeadLetterQueueSourceArn": arn("payments-credit")},
        });
        let undelivered = json!({
            "eventSourceARN": lies_in, "attributes": {},
            "messageAttributes": {"TARGET_ARN": {"stringValue": arn("payments-decide"), "dataType": "String"}},
        });
        let function = "arn:aws:lambda:eu-west-1:1:function:pipworks-prod-ops-relay";
        let note = json!({"requestContext": {"functionArn": function}, "DDBStreamBatchInfo": {}}).to_string();
        let parked = json!({
            "eventSourceARN": lies_in, "attributes": {},
            "messageAttributes": {"queue": {"stringValue": arn("payments-overdue"), "dataType": "String"}},
        });
        let other = json!({"eventSourceARN": lies_in, "attributes": {}, "messageAttributes": {}});
        for (record, body, from) in [
            (&redriven, "{}", "payments-credit"),
            (&redriven, note.as_str(), "payments-credit"),
            (&undelivered, "{}", "payments-decide"),
            (&parked, "{}", "payments-overdue"),
            (&other, note.as_str(), "ops-relay"),
            (&other, "not JSON", "payments-dead-letters"),
            (&other, "{}", "payments-dead-letters"),
        ] {
            assert!(origin(record, body).ends_with(&format!(":pipworks-prod-{from}")), "{record} {body}");
        }
    }
}
