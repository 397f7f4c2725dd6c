//! What the relay is given: records of a stream, or messages with parked ones.

use domain::{Seconds, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A record that could not be delivered for so long is parked: the stream keeps it for a day, and others wait behind it.
const PATIENCE: Seconds = Seconds(900);

#[derive(Deserialize)]
pub(super) struct Batch {
    #[serde(rename = "Records")]
    pub(super) records: Vec<Source>,
}

/// A record of a stream, or a message with a parked one.
#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum Source {
    Stream {
        dynamodb: Change,
    },
    Parked {
        #[serde(rename = "messageId")]
        message_id: String,
        body: String,
    },
}

#[derive(Deserialize)]
pub(super) struct Change {
    #[serde(rename = "SequenceNumber")]
    sequence: String,
    /// Seconds since 1970.
    #[serde(rename = "ApproximateCreationDateTime", default)]
    created: Option<serde_json::Number>,
    #[serde(rename = "NewImage", default)]
    image: Option<Value>,
}

/// What is parked.
#[derive(Serialize, Deserialize)]
pub(super) struct Parked {
    pub(super) image: Value,
}

/// A version to be delivered.
pub(super) struct Record {
    /// What the answer calls it.
    pub(super) item: String,
    /// The entity's item as the table holds it.
    pub(super) image: Value,
    /// Whether it waited long enough; a parked one waits in its queue.
    pub(super) parks: Parks,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Parks {
    /// It is there already.
    Never,
    /// When trying again cannot help.
    Hopeless,
    /// Whatever the failure.
    Any,
}

/// A version to be delivered; none when an item was deleted.
pub(super) fn record(source: Source, now: Timestamp) -> Option<Record> {
    match source {
        Source::Stream { dynamodb: Change { sequence, created, image } } => {
            let created = created.and_then(|seconds| Timestamp::from_seconds(whole(&seconds)?));
            let old = created.is_some_and(|created| now >= created.plus(PATIENCE));
            let parks = if old { Parks::Any } else { Parks::Hopeless };
            Some(Record { item: sequence, image: image?, parks })
        }
        // a body that holds no image fails like an image that cannot be read, and is given up to the dead letters
        Source::Parked { message_id, body } => {
            let image = serde_json::from_str::<Parked>(&body).map_or(Value::Null, |parked| parked.image);
            Some(Record { item: message_id, image, parks: Parks::Never })
        }
    }
}

/// Whole seconds of a number that may be written with a fraction.
fn whole(seconds: &serde_json::Number) -> Option<i64> {
    seconds.as_i64().or_else(|| seconds.to_string().split('.').next()?.parse().ok())
}
