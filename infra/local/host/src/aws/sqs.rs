//! SQS: what a function itself puts into a queue of the template, and how long it leaves a message hidden.

use std::collections::BTreeMap;
use std::time::Duration;

use md5::{Digest, Md5};
use serde::Deserialize;
use serde_json::json;

use super::{Answer, Caller, Denied};
use crate::dispatch::queues::Queues;
use crate::template::{queue_arn, queue_of};

/// Largest message in bytes.
const MESSAGE_SIZE_BYTES_MAX: usize = 1024 * 1024;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct SendMessage {
    queue_url: String,
    message_body: String,
    #[serde(default)]
    message_attributes: BTreeMap<String, Attribute>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Attribute {
    #[serde(default)]
    string_value: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ChangeMessageVisibility {
    queue_url: String,
    receipt_handle: String,
    visibility_timeout: u32,
}

/// The queue's name in a body that holds its URL.
pub(super) fn target(body: &[u8]) -> String {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Named {
        queue_url: String,
    }
    let url = serde_json::from_slice::<Named>(body).map(|named| named.queue_url).unwrap_or_default();
    queue_of(&url).map(str::to_owned).unwrap_or_default()
}

/// Answers one call.
pub(super) fn send_message(queues: &Queues, caller: &Caller, body: &[u8]) -> Answer {
    let Ok(send) = serde_json::from_slice::<SendMessage>(body) else {
        return Answer::error(
            400,
            "com.amazonaws.sqs#MissingRequiredParameterException",
            "QueueUrl and MessageBody are required",
        );
    };
    let name = queue_of(&send.queue_url).unwrap_or_default();
    let is_open = queues.get(name).is_some_and(|queue| queue.is_open);
    if !is_open && let Err(Denied(message)) = caller.may("sqs:SendMessage", &queue_arn(name)) {
        return Answer::error(403, "com.amazonaws.sqs#AccessDeniedException", &message);
    }
    let Some(queue) = queues.get(name) else {
        return Answer::error(400, "com.amazonaws.sqs#QueueDoesNotExist", "The specified queue does not exist.");
    };
    if send.message_body.is_empty() || send.message_body.len() > MESSAGE_SIZE_BYTES_MAX {
        let message = "One or more parameters are invalid. Reason: Message must have 1 to 1048576 bytes.";
        return Answer::error(400, "com.amazonaws.sqs#InvalidParameterValue", message);
    }
    let digest = hex::encode(Md5::digest(send.message_body.as_bytes()));
    let attributes = send.message_attributes.into_iter().map(|(name, value)| (name, value.string_value)).collect();
    let id = queue.send_with(send.message_body, attributes);
    Answer::json(&json!({"MessageId": id, "MD5OfMessageBody": digest}))
}

/// Answers one call.
pub(super) fn change_visibility(queues: &Queues, caller: &Caller, body: &[u8]) -> Answer {
    let Ok(change) = serde_json::from_slice::<ChangeMessageVisibility>(body) else {
        return Answer::error(
            400,
            "com.amazonaws.sqs#MissingRequiredParameterException",
            "QueueUrl, ReceiptHandle and VisibilityTimeout are required",
        );
    };
    let name = queue_of(&change.queue_url).unwrap_or_default();
    if let Err(Denied(message)) = caller.may("sqs:ChangeMessageVisibility", &queue_arn(name)) {
        return Answer::error(403, "com.amazonaws.sqs#AccessDeniedException", &message);
    }
    let Some(queue) = queues.get(name) else {
        return Answer::error(400, "com.amazonaws.sqs#QueueDoesNotExist", "The specified queue does not exist.");
    };
    queue.hide_for(&change.receipt_handle, Duration::from_secs(change.visibility_timeout.into()));
    Answer::json(&json!({}))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::activity::Activity;
    use crate::defaults::SystemEntropy;
    use crate::dispatch::queues::QueueContext;
    use crate::template::Template;
    use crate::time::LocalTime;

    const FIXTURE: &str = include_str!("../../tests/fixtures/template.yaml");

    fn send(queues: &Queues, caller: &Caller, url: &str, body: &str) -> (u16, serde_json::Value) {
        let request = json!({"QueueUrl": url, "MessageBody": body}).to_string();
        assert_eq!(target(request.as_bytes()), url.rsplit('/').next().unwrap());
        let answer = send_message(queues, caller, request.as_bytes());
        (answer.status, serde_json::from_slice(&answer.body).unwrap())
    }

    #[tokio::test]
    async fn a_function_sends_to_the_queues_that_its_role_allows() {
        let parameters = [("Stage", "test"), ("JwtIssuer", "http://i"), ("JwksUrl", "http://i/keys")];
        let parameters = parameters.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        let template = Template::parse(FIXTURE, &parameters).unwrap();
        let context = QueueContext {
            activity: Activity::default(),
            entropy: Arc::new(SystemEntropy),
            delivery: None,
            retry_speed: 1,
            time: LocalTime::real(),
        };
        let queues = Queues::new(&template, &context);
        let relay = template.function("steps-relay").unwrap();
        let caller = Caller::function("steps-relay", &relay.statements);
        let parked = relay.environment["PARKED_QUEUE_URL"].as_str();

        let (status, answer) = send(&queues, &caller, parked, "an image");
        assert_eq!((status, answer["MD5OfMessageBody"].as_str()), (200, Some("5312e17c8c92d7c946a5940990a0a9d9")));
        assert_eq!(queues.get("RelayParked").unwrap().peek(), ["an image"]);

        let work = parked.replace("RelayParked", "work-test");
        let denied = send(&queues, &caller, &work, "an image");
        assert_eq!((denied.0, &denied.1["__type"]), (403, &json!("com.amazonaws.sqs#AccessDeniedException")));
        let gone = send(&queues, &Caller::host(), &parked.replace("RelayParked", "gone"), "an image");
        assert_eq!((gone.0, &gone.1["__type"]), (400, &json!("com.amazonaws.sqs#QueueDoesNotExist")));
        let large = "x".repeat(MESSAGE_SIZE_BYTES_MAX + 1);
        assert_eq!(send(&queues, &caller, parked, &large).0, 400);
        assert_eq!(queues.get("RelayParked").unwrap().peek().len(), 1);
    }
}
