//! Dead letters: the whole message that could not be processed, kept until a person decides on its work item.
//!
//! Beside the item and not in it: a body may be larger than an item may be, and it may hold what has no place in events and journal.

use aws_sdk_dynamodb::types::ReturnConsumedCapacity;
use domain::work::SNOOZE_MAX;
use domain::{Seconds, Timestamp, WorkId};
use sha2::{Digest as _, Sha256};

use crate::Crm;
use crate::error::StoreError;
use crate::item::{Item, KEY, SORT, n, number, s, text};
use crate::usage::{self, Kind};

const PREFIX: &str = "letter#";
const BODY: &str = "body";
const QUEUE_ARN: &str = "queue_arn";
const ATTRIBUTES: &str = "attributes";
const MESSAGE: &str = "message";
const PARTS: &str = "parts";
const SENT: &str = "sent_ms";
const EXPIRES: &str = "expires";

/// How long one is kept: longer than an item may wait for its person, however it is snoozed.
pub const LETTER_KEPT: Seconds = Seconds(400 * 86_400);
const _: () = assert!(LETTER_KEPT.0 > 2 * SNOOZE_MAX.0);
/// Bytes of a body that one item takes; DynamoDB takes 400 KB with everything else.
const PART_BYTES_MAX: usize = 300 * 1024;

/// A message that could not be processed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter {
    /// ARN of the queue in which it failed.
    pub queue: String,
    /// Its body, byte for byte.
    pub body: String,
    /// What it carried beside the body when it was given up, as JSON.
    pub attributes: String,
    /// The id under which it was given up.
    pub message_id: String,
    /// Whether it was sent back since.
    pub sent: bool,
}

impl Letter {
    /// What tells it from the others of an item: the same message that fails again takes its own place.
    fn name(&self) -> String {
        let digest = hex::encode(Sha256::digest(format!("{}\n{}", self.queue, self.body).as_bytes()));
        digest.get(..32).unwrap_or(&digest).to_owned()
    }
}

fn key(work: &WorkId) -> String {
    format!("{PREFIX}{work}")
}

fn sort(name: &str, part: usize) -> String {
    format!("{name}#{part:03}")
}

/// A body in pieces that an item takes each; an empty one is one piece.
fn pieces(body: &str) -> Vec<&str> {
    let mut pieces = Vec::new();
    let mut rest = body;
    while rest.len() > PART_BYTES_MAX {
        let end = (0..=PART_BYTES_MAX).rev().find(|end| rest.is_char_boundary(*end)).unwrap_or(0);
        let (piece, left) = rest.split_at(end);
        pieces.push(piece);
        rest = left;
    }
    pieces.push(rest);
    pieces
}

impl Crm {
    /// Keeps a letter of a work item: 1 write unit per KB. Its head comes last, so that one that is there is whole.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn keep_letter(&self, work: &WorkId, letter: &Letter, now: Timestamp) -> Result<(), StoreError> {
        let table = &self.0;
        let (name, pieces) = (letter.name(), pieces(&letter.body));
        for (part, piece) in pieces.iter().enumerate().rev() {
            let mut put = table
                .client
                .put_item()
                .table_name(&table.name)
                .item(KEY, s(key(work)))
                .item(SORT, s(sort(&name, part)))
                .item(BODY, s(*piece))
                .item(EXPIRES, n(now.plus(LETTER_KEPT).seconds()))
                .return_consumed_capacity(ReturnConsumedCapacity::Total);
            if part == 0 {
                put = put
                    .item(QUEUE_ARN, s(&letter.queue))
                    .item(ATTRIBUTES, s(&letter.attributes))
                    .item(MESSAGE, s(&letter.message_id))
                    .item(PARTS, n(pieces.len()));
            }
            let answer = put.send().await?;
            usage::count(&table.name, &Kind::Write, answer.consumed_capacity());
        }
        Ok(())
    }

    /// The letters of a work item.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn letters(&self, work: &WorkId) -> Result<Vec<Letter>, StoreError> {
        let query = self
            .0
            .query()
            .key_condition_expression("#pk = :pk")
            .expression_attribute_names("#pk", KEY)
            .expression_attribute_values(":pk", s(key(work)))
            .consistent_read(true);
        let mut letters: Vec<(Letter, String, u64)> = Vec::new();
        self.0
            .each(query, |item| {
                let place = text(item, "?", SORT)?.to_owned();
                if item.contains_key(PARTS) {
                    letters.push(head(item, &place)?);
                } else if let Some((letter, name, left)) = letters.last_mut()
                    && place.starts_with(name.as_str())
                    && *left > 0
                {
                    letter.body.push_str(text(item, &place, BODY)?);
                    *left = left.saturating_sub(1);
                }
                Ok(std::ops::ControlFlow::Continue(()))
            })
            .await?;
        // a piece that is missing is no message: nothing is sent that was not received so
        match letters.iter().find(|(_, _, left)| *left > 0) {
            Some((_, name, _)) => Err(StoreError::corrupt(name, "a piece of the letter is missing")),
            None => Ok(letters.into_iter().map(|(letter, ..)| letter).collect()),
        }
    }

    /// Marks a letter as sent back, unless the same message has failed again meanwhile: that one is still to be sent.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn letter_sent(&self, work: &WorkId, letter: &Letter, now: Timestamp) -> Result<(), StoreError> {
        let update = self
            .0
            .update(key(work), sort(&letter.name(), 0))
            .update_expression("SET #sent = :now")
            .condition_expression("#message = :message")
            .expression_attribute_names("#sent", SENT)
            .expression_attribute_names("#message", MESSAGE)
            .expression_attribute_values(":now", n(now.millis()))
            .expression_attribute_values(":message", s(&letter.message_id));
        self.0.send(update).await?;
        Ok(())
    }
}

/// A letter's first item: the letter so far, its name, and how many pieces are to come.
fn head(item: &Item, place: &str) -> Result<(Letter, String, u64), StoreError> {
    let letter = Letter {
        queue: text(item, place, QUEUE_ARN)?.to_owned(),
        body: text(item, place, BODY)?.to_owned(),
        attributes: text(item, place, ATTRIBUTES)?.to_owned(),
        message_id: text(item, place, MESSAGE)?.to_owned(),
        sent: item.contains_key(SENT),
    };
    let name = place.split('#').next().unwrap_or(place).to_owned();
    Ok((letter, name, number(item, place, PARTS)?.saturating_sub(1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_cut_between_characters_and_is_whole_when_put_together() {
        for length in [0, 1, PART_BYTES_MAX - 1, PART_BYTES_MAX, PART_BYTES_MAX + 1, 3 * PART_BYTES_MAX] {
            let body: String = "aü€".chars().cycle().take(length).collect();
            let pieces = pieces(&body);
            assert!(pieces.iter().all(|piece| piece.len() <= PART_BYTES_MAX));
            assert_eq!(pieces.concat(), body);
        }
    }
}
