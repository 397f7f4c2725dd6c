//! Sends a dead letter back to the queue in which it failed, when a person decides so.
//!
//! At least once: a letter is marked after it was sent, so an execution that dies in between sends it a second time, and every
//! consumer recognises what it has done. It is never lost: until it is marked it is sent by whoever comes next, and one that fails
//! again is kept anew, as a message of its own, before its item is opened anew.

use std::sync::Arc;

use domain::WorkId;
use domain::work::rules::{WorkAction, WorkKind};
use domain::work::{HumanDecision, WorkItem};
use providers::http::BoxFuture;
use runtime::function::{ConfigError, Function, Ports};
use runtime::people::is_outdated;
use runtime::queue::{Message, QueueFunction, QueueStep};
use runtime::sqs::{Sqs, url_of};
use runtime::{StepError, awsclients};
use store::Crm;

/// The step.
pub struct Redrive {
    crm: Crm,
    sqs: Sqs,
}

/// Builds the function.
///
/// # Errors
/// [`ConfigError`].
pub fn build(ports: &Ports) -> Result<Arc<dyn Function>, ConfigError> {
    QueueFunction::build(Redrive { crm: awsclients::crm(ports)?, sqs: Sqs::new(ports) }, ports)
}

impl QueueStep for Redrive {
    const NAME: &'static str = "ops-redrive";

    fn handle<'a>(&'a self, message: &'a Message) -> BoxFuture<'a, Result<&'static str, StepError>> {
        Box::pin(async move {
            let event = message.event()?;
            let id: WorkId = event.id()?;
            let stored = self.crm.load::<WorkItem>(&id).await?.ok_or_else(|| StepError::Absent(id.to_string()))?;
            if is_outdated(&event, &stored.entity) {
                return Ok("outdated");
            }
            if !is_to_retry(&stored.entity) {
                return Ok("nothing_to_do");
            }
            self.send_back(&id, message).await
        })
    }
}

impl Redrive {
    async fn send_back(&self, id: &WorkId, message: &Message) -> Result<&'static str, StepError> {
        let letters = self.crm.letters(id).await?;
        if letters.is_empty() {
            // somebody decided that it is processed again, so that it cannot be is not passed over
            return Err(StepError::Absent(format!("the message of {id}")));
        }
        let mut outcome = "nothing_to_do";
        for letter in letters.iter().filter(|letter| !letter.sent) {
            let url = url_of(&letter.queue);
            let url = url.ok_or_else(|| StepError::Malformed(format!("{} is no queue", letter.queue)))?;
            self.sqs.send(&url, &letter.body, &[]).await?;
            self.crm.letter_sent(id, letter, message.now).await?;
            tracing::info!(work.id = %id, queue = %letter.queue, "a dead letter was sent back");
            outcome = "redriven";
        }
        Ok(outcome)
    }
}

fn is_to_retry(item: &WorkItem) -> bool {
    let decision = HumanDecision::of(item);
    item.facts.kind == WorkKind::DeadLetter.as_str()
        && decision.and_then(|decision| decision.action()) == Some(WorkAction::Retry)
}
