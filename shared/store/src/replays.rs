//! The executions of a replay, beside it: one item each, for there can be hundreds, and what came of each is written by itself.

use std::ops::ControlFlow;

use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::types::ReturnConsumedCapacity;
use domain::replay::{Answer, Execution};
use domain::{ReplayId, Timestamp};

use crate::Crm;
use crate::error::StoreError;
use crate::item::{Item, KEY, SORT, STATE, n, optional_text, s, text};
use crate::usage::{self, Kind};

const SENT: &str = "sent_ms";
const ANSWER: &str = "answer";

/// An execution of a replay, as it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct KeptExecution {
    /// The execution.
    pub execution: Execution,
    /// Whether its message was sent.
    pub sent: bool,
    /// What the step said.
    pub answer: Option<Answer>,
}

fn key(replay: &ReplayId) -> String {
    format!("replay#{replay}")
}

impl Crm {
    /// Keeps an execution of a replay: 1 write unit. What stands there already stays.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn keep_execution(&self, replay: &ReplayId, execution: &Execution) -> Result<(), StoreError> {
        let table = &self.0;
        let body = serde_json::to_string(execution).map_err(|error| StoreError::corrupt(replay.as_str(), error))?;
        let put = table
            .client
            .put_item()
            .table_name(&table.name)
            .item(KEY, s(key(replay)))
            .item(SORT, s(execution.sort()))
            .item(STATE, s(body))
            .condition_expression("attribute_not_exists(pk)")
            .return_consumed_capacity(ReturnConsumedCapacity::Total);
        match put.send().await {
            Ok(answer) => {
                usage::count(&table.name, &Kind::Write, answer.consumed_capacity());
                Ok(())
            }
            Err(error) => match error.as_service_error() {
                Some(PutItemError::ConditionalCheckFailedException(_)) => {
                    usage::count(&table.name, &Kind::Write, None);
                    Ok(())
                }
                _ => Err(error.into()),
            },
        }
    }

    /// Marks an execution as sent.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn execution_sent(&self, replay: &ReplayId, sort: &str, now: Timestamp) -> Result<(), StoreError> {
        let update = self
            .0
            .update(key(replay), sort)
            .update_expression("SET #sent = :now")
            .condition_expression("attribute_exists(pk)")
            .expression_attribute_names("#sent", SENT)
            .expression_attribute_values(":now", n(now.millis()));
        self.0.send(update).await?;
        Ok(())
    }

    /// Keeps what a step said; `false` where there is no such execution. What it says later counts.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn execution_answered(&self, replay: &ReplayId, sort: &str, answer: &Answer) -> Result<bool, StoreError> {
        let body = serde_json::to_string(answer).map_err(|error| StoreError::corrupt(replay.as_str(), error))?;
        let update = self
            .0
            .update(key(replay), sort)
            .update_expression("SET #answer = :answer")
            .condition_expression("attribute_exists(pk)")
            .expression_attribute_names("#answer", ANSWER)
            .expression_attribute_values(":answer", s(body));
        Ok(self.0.send(update).await?.is_done())
    }

    /// The executions of a replay, the oldest first; strongly consistent.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn executions_of(&self, replay: &ReplayId) -> Result<Vec<KeptExecution>, StoreError> {
        let query = self
            .0
            .query()
            .key_condition_expression("#pk = :pk")
            .expression_attribute_names("#pk", KEY)
            .expression_attribute_values(":pk", s(key(replay)))
            .consistent_read(true);
        let mut kept = Vec::new();
        let unreadable = |error: serde_json::Error| StoreError::corrupt(replay.as_str(), error);
        let take = |item: &Item| {
            kept.push(KeptExecution {
                execution: serde_json::from_str(text(item, replay.as_str(), STATE)?).map_err(unreadable)?,
                sent: item.contains_key(SENT),
                answer: optional_text(item, ANSWER).map(serde_json::from_str).transpose().map_err(unreadable)?,
            });
            Ok(ControlFlow::Continue(()))
        };
        self.0.each(query, take).await?;
        Ok(kept)
    }
}
