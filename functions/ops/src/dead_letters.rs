//! What no automation could process ends here as a work item, with everything a person needs to send it again.

use std::sync::Arc;

use domain::Timestamp;
use domain::decision::Frame;
use domain::work::rules::WorkKinds;
use providers::http::BoxFuture;
use runtime::function::{ConfigError, Function, Ports};
use runtime::queue::{Message, QueueFunction, QueueStep};
use runtime::rulebook::RuleBook;
use runtime::{StepError, awsclients};
use serde_json::{Value, json};
use store::{Crm, Saved};

use crate::desk::Opening;

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

    fn handle<'a>(&'a self, message: &'a Message) -> BoxFuture<'a, Result<&'static str, StepError>> {
        Box::pin(async move {
            let live = self.rules.live::<WorkKinds>().await?;
            let text = |pointer: &str| message.record.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
            let queue = text("/eventSourceARN").rsplit(':').next().unwrap_or_default().to_owned();
            let sent = text("/attributes/SentTimestamp").parse().ok().and_then(Timestamp::from_millis);
            let event = message.event().ok();
            let opening = Opening {
                kind: "dead_letter",
                derived_from: ["dead_letter", &queue, &message.id],
                at: sent.unwrap_or(message.now),
                client_id: event.as_ref().and_then(|event| event.client_id.clone()),
                subject: json!({
                    "queue": queue, "message_id": message.id,
                    "entity": event.as_ref().map(|event| event.entity.clone()),
                }),
                trigger: json!({
                    "body": shortened(&message.body),
                    "attributes": message.record.get("attributes"),
                    "message_attributes": message.record.get("messageAttributes"),
                }),
                pattern: json!({}),
            };
            let frame = Frame {
                function: Self::NAME,
                execution_id: message.execution_id.clone(),
                trigger: format!("dead letter {}", message.id),
                correlation_id: event.map_or_else(|| message.id.clone(), |event| event.correlation_id),
                now: message.now,
                rules: Some(live.label()),
            };
            let item = opening.item(&live.rules)?;
            tracing::error!(work.id = %item.id, queue, "dead letter");
            Ok(match self.crm.save(None, item.opened(), &frame).await? {
                Saved::Applied(_) => "opened",
                Saved::Conflict => "nothing_to_do",
            })
        })
    }
}

fn shortened(body: &str) -> String {
    if body.chars().count() <= BODY_MAX {
        return body.to_owned();
    }
    let mut cut: String = body.chars().take(BODY_MAX).collect();
    cut.push('…');
    cut
}
