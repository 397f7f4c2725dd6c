//! Messages: the in-app message is also the claim that keeps e-mail and Slack from being sent twice.

use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnConsumedCapacity, ReturnValuesOnConditionCheckFailure};
use domain::fault::{self, Fault};
use domain::json::place_of;
use domain::{ClientId, NotificationId, Timestamp};
use serde::{Deserialize, Serialize};

use crate::Crm;
use crate::error::StoreError;
use crate::item::{Item, KEY, SORT, STATE, n, s, text};
use crate::usage::{self, Kind};

const SENT: &str = "sent";
const READ: &str = "read_at";
const BEGUN: &str = "begun_ms";
const BEGINNER: &str = "by";

/// A message about one event. Its body is what the client reads in the portal; empty for messages to the desk only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "API.md names them")]
pub struct Notification {
    pub id: NotificationId,
    pub at: Timestamp,
    pub kind: String,
    pub title: String,
    pub body: String,
    pub language: String,
    #[serde(default)]
    pub in_app: bool,
    #[serde(default, skip_deserializing)]
    pub read: bool,
}

/// Whose message this is to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotificationOutcome {
    /// Ours: nothing of it was sent yet.
    First,
    /// Begun before; these channels are done.
    Begun {
        /// Channels that were sent; one may be named twice.
        sent: Vec<String>,
        /// When it was begun: whoever began may still be sending.
        at: Timestamp,
    },
}

/// What a record that was there says to an execution.
fn begun(item: Option<&Item>, by: &str) -> NotificationOutcome {
    let attribute = |name: &str| item.and_then(|item| item.get(name));
    let sent = attribute(SENT).and_then(|value| value.as_l().ok());
    let is_own = attribute(BEGINNER).and_then(|value| value.as_s().ok()).is_some_and(|beginner| beginner == by);
    if sent.is_none() && is_own && !fault::is_back(Fault::OwnWriteIsAStrangers) {
        return NotificationOutcome::First;
    }
    let at = attribute(BEGUN).and_then(|value| value.as_n().ok()).and_then(|text| text.parse().ok());
    NotificationOutcome::Begun {
        sent: sent.map(|list| list.iter().filter_map(|v| v.as_s().ok().cloned()).collect()).unwrap_or_default(),
        at: at.and_then(Timestamp::from_millis).unwrap_or(Timestamp::EPOCH),
    }
}

fn sort(id: &NotificationId) -> String {
    id.as_str().to_owned()
}

impl Crm {
    /// Records a message before anything of it leaves the house. `by` is the execution that will send it: its own write whose
    /// answer was lost, and that was sent again, is still the first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn begin_notification(
        &self,
        owner: &str,
        message: &Notification,
        by: &str,
        now: Timestamp,
    ) -> Result<NotificationOutcome, StoreError> {
        let table = &self.0;
        let body = serde_json::to_string(message).map_err(|error| StoreError::corrupt(message.id.as_str(), error))?;
        let put = table
            .client
            .put_item()
            .table_name(&table.name)
            .item(KEY, s(owner))
            .item(SORT, s(sort(&message.id)))
            .item(STATE, s(body))
            .item(BEGUN, n(now.millis()))
            .item(BEGINNER, s(by))
            .condition_expression("attribute_not_exists(pk)")
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .return_consumed_capacity(ReturnConsumedCapacity::Total);
        match put.send().await {
            Ok(answer) => {
                usage::count(&table.name, &Kind::Write, answer.consumed_capacity());
                Ok(NotificationOutcome::First)
            }
            Err(error) => match error.as_service_error() {
                Some(PutItemError::ConditionalCheckFailedException(lost)) => {
                    usage::count(&table.name, &Kind::Write, None);
                    Ok(begun(lost.item(), by))
                }
                _ => Err(error.into()),
            },
        }
    }

    /// Takes over a message that was begun at a moment and not ended: the grace of whoever takes it over begins anew. False when
    /// somebody else took it over first; `by`'s own write whose answer was lost, and that was sent again, is its own.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn take_over_notification(
        &self,
        owner: &str,
        id: &NotificationId,
        begun: Timestamp,
        by: &str,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let update = self
            .0
            .update(owner, sort(id))
            .update_expression("SET #begun = :now, #by = :by")
            .condition_expression("#begun = :begun OR attribute_not_exists(#begun)")
            .expression_attribute_names("#begun", BEGUN)
            .expression_attribute_names("#by", BEGINNER)
            .expression_attribute_values(":now", n(now.millis()))
            .expression_attribute_values(":begun", n(begun.millis()))
            .expression_attribute_values(":by", s(by));
        Ok(self.0.send(update).await?.is_ours(|standing| standing.get(BEGINNER) == Some(&s(by))))
    }

    /// Marks channels of a message as sent, beside those that are marked already.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn mark_sent(&self, owner: &str, id: &NotificationId, channels: &[String]) -> Result<(), StoreError> {
        let list = channels.iter().map(s).collect();
        let update = self
            .0
            .update(owner, sort(id))
            .update_expression("SET #sent = list_append(if_not_exists(#sent, :none), :sent)")
            .expression_attribute_names("#sent", SENT)
            .expression_attribute_values(":none", AttributeValue::L(Vec::new()))
            .expression_attribute_values(":sent", AttributeValue::L(list));
        self.0.send(update).await?;
        Ok(())
    }

    /// The in-app messages of a client, newest first, from the one before the given on.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn notifications_of(
        &self,
        client: &ClientId,
        limit: i32,
        before: Option<&NotificationId>,
    ) -> Result<(Vec<Notification>, Option<String>), StoreError> {
        let table = &self.0;
        let mut call = table
            .query()
            .key_condition_expression("#pk = :pk AND begins_with(#sk, :prefix)")
            .expression_attribute_names("#pk", KEY)
            .expression_attribute_names("#sk", SORT)
            .expression_attribute_values(":pk", s(client.as_str()))
            .expression_attribute_values(":prefix", s(NotificationId::PREFIX))
            .scan_index_forward(false)
            .limit(limit);
        if let Some(before) = before {
            call = call.exclusive_start_key(KEY, s(client.as_str())).exclusive_start_key(SORT, s(before.as_str()));
        }
        let answer = call.send().await?;
        usage::count(&table.name, &Kind::Read, answer.consumed_capacity());
        let next = match &answer.last_evaluated_key {
            Some(last) if !last.is_empty() => Some(text(last, "?", SORT)?.to_owned()),
            _ => None,
        };
        let mut messages = Vec::new();
        for item in answer.items() {
            let message = read(item)?;
            if message.in_app {
                messages.push(message);
            }
        }
        Ok((messages, next))
    }

    /// Marks an in-app message as read; false when there is none.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn mark_read(&self, client: &ClientId, id: &NotificationId, now: Timestamp) -> Result<bool, StoreError> {
        let update = self
            .0
            .update(client.as_str(), sort(id))
            .update_expression("SET #read = if_not_exists(#read, :now)")
            .condition_expression("attribute_exists(pk)")
            .expression_attribute_names("#read", READ)
            .expression_attribute_values(":now", s(now.to_string()));
        Ok(self.0.send(update).await?.is_done())
    }
}

fn read(item: &Item) -> Result<Notification, StoreError> {
    let key = text(item, "?", SORT)?;
    let mut message: Notification =
        serde_json::from_str(text(item, key, STATE)?).map_err(|error| StoreError::corrupt(key, place_of(&error)))?;
    message.read = item.contains_key(READ);
    Ok(message)
}
