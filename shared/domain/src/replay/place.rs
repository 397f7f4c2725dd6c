//! Where an execution stands, and what set it off, as texts say it.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::id::IdError;

/// An execution as the journal shows it: the invocation, and a version that it made. The journal has no index of invocations, so an id carries its place.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct ExecutionPlace {
    /// The invocation.
    pub invocation: String,
    /// An entity that it changed.
    pub entity: String,
    /// The version that it made.
    pub version: u64,
}

/// Longest text that is read as one.
const PLACE_MAX: usize = 300;

impl fmt::Display for ExecutionPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}:{}", self.invocation, self.entity, self.version)
    }
}

impl FromStr for ExecutionPlace {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let (invocation, rest) = text.rsplit_once('@').filter(|_| text.len() <= PLACE_MAX).ok_or(IdError)?;
        let (entity, version) = rest.rsplit_once(':').ok_or(IdError)?;
        let version = version.parse().ok().filter(|version| *version > 0).ok_or(IdError)?;
        let place = Self { invocation: invocation.to_owned(), entity: entity.to_owned(), version };
        // one execution has one name
        (place.to_string() == text && !invocation.is_empty() && !entity.is_empty()).then_some(place).ok_or(IdError)
    }
}

impl TryFrom<String> for ExecutionPlace {
    type Error = IdError;

    fn try_from(text: String) -> Result<Self, IdError> {
        text.parse()
    }
}

impl From<ExecutionPlace> for String {
    fn from(place: ExecutionPlace) -> Self {
        place.to_string()
    }
}

/// What set an execution off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trigger {
    /// An event of a version, which the journal has.
    Event {
        /// Its type.
        kind: String,
        /// The entity.
        entity: String,
        /// The version.
        version: u64,
        /// Which of the version's events.
        number: usize,
    },
    /// The timers' announcement that something was due.
    Due {
        /// Its type.
        kind: String,
        /// The entity.
        entity: String,
        /// The due time, as its item had it.
        due_at: String,
    },
    /// A request, a vendor's call, a schedule or a dead letter: what it said is not kept.
    NotKept,
}

impl Trigger {
    /// From a decision record.
    pub fn read(text: &str) -> Self {
        Self::event(text).unwrap_or(Self::NotKept)
    }

    fn event(text: &str) -> Option<Self> {
        let (kind, id) = text.split_once(' ').filter(|(kind, _)| kind.contains('.'))?;
        let kind = kind.to_owned();
        if let Some((entity, due_at)) = id.split_once(":due:") {
            return Some(Self::Due { kind, entity: entity.to_owned(), due_at: due_at.to_owned() });
        }
        let (rest, number) = id.rsplit_once(':')?;
        let (entity, version) = rest.rsplit_once(':')?;
        let (version, number) = (version.parse().ok()?, number.parse().ok()?);
        Some(Self::Event { kind, entity: entity.to_owned(), version, number })
    }

    /// The entity whose event it is.
    pub fn entity(&self) -> Option<&str> {
        match self {
            Self::Event { entity, .. } | Self::Due { entity, .. } => Some(entity),
            Self::NotKept => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_execution_has_one_name() {
        let text = "6f0d3c5e-7d0c-4b2b-9a53-0f6d3b6f5b1e@pay_01m83ydq50eg7vtp95tg713hkv:3";
        let place: ExecutionPlace = text.parse().unwrap();
        assert_eq!((place.version, place.to_string()), (3, text.to_owned()));
        for wrong in
            ["", "a", "a@b", "a@b:", "a@b:0", "a@b:-1", "a@b:03", "a@:1", "@b:1", "a@b:99999999999999999999999"]
        {
            assert!(wrong.parse::<ExecutionPlace>().is_err(), "{wrong}");
        }
        assert!(format!("{}@pay_1:1", "x".repeat(PLACE_MAX)).parse::<ExecutionPlace>().is_err());
    }

    #[test]
    fn events_are_told_from_what_is_not_kept() {
        let event = Trigger::read("deposit.paid pay_1:2:0");
        let (kind, entity) = ("deposit.paid".to_owned(), "pay_1".to_owned());
        assert_eq!(event, Trigger::Event { kind, entity, version: 2, number: 0 });
        let due = Trigger::read("payment.due pay_1:due:2026-11-23T10:30:00.000Z");
        let (kind, entity, due_at) = ("payment.due".into(), "pay_1".into(), "2026-11-23T10:30:00.000Z".into());
        assert_eq!(due, Trigger::Due { kind, entity, due_at });
        for other in [
            "POST /v1/clients/{client_id}/deposits",
            "evt_3SWabd",
            "dead letter 991a",
            "",
            "deposit.paid",
            "a.b c:x:0",
            "a.b c:1",
        ] {
            assert_eq!(Trigger::read(other), Trigger::NotKept, "{other}");
        }
    }
}
