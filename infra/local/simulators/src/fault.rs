//! Scripted faults: what the next calls of an operation must suffer.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// How long a held answer is held when the script does not say.
const HOLD_MS: u64 = 60_000;

fn hold_ms() -> u64 {
    HOLD_MS
}

fn once() -> u32 {
    1
}

/// What happens to a call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Fault {
    /// Answers with an error and does nothing.
    Refuse(Refusal),
    /// Waits, then does it and answers. It is done even if the caller has gone by then.
    Delay { ms: u64 },
    /// Does it, then holds the answer.
    ApplyThenTimeout {
        #[serde(default = "hold_ms")]
        ms: u64,
    },
    /// Holds the connection, then closes it. Nothing is done.
    TimeoutBefore {
        #[serde(default = "hold_ms")]
        ms: u64,
    },
    /// Does it, then closes the connection without an answer.
    ApplyThenDrop,
    /// Closes the connection without an answer. Nothing is done.
    Drop,
    /// Closes the connection without an answer, and does it so much later: the network had it all the time. It waits in
    /// the vendors' time, and is done even if the script was cleared meanwhile.
    DropThenApply { ms: u64 },
    /// Answers this JSON, which is well formed and not true: a clock in another unit, a page that is short. Nothing is
    /// done.
    Answer { body: serde_json::Value },
    /// Answers bytes that are no answer. Nothing is done.
    Garbage,
    /// Does it and answers bytes that are no answer.
    ApplyThenGarbage,
}

/// An error answer in the vendor's own shape.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Refusal {
    /// The number in the body: return code of the trading server, status of the cashier.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) retcode: Option<i64>,
    /// HTTP status.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) status: Option<u16>,
    /// The word in the body.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) code: Option<String>,
    /// The text in the body.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) message: Option<String>,
    /// Seconds in `Retry-After`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) retry_after: Option<u64>,
}

impl Refusal {
    pub(crate) fn http_status(&self, default: u16) -> http::StatusCode {
        http::StatusCode::from_u16(self.status.unwrap_or(default)).unwrap_or(http::StatusCode::INTERNAL_SERVER_ERROR)
    }

    pub(crate) fn text(&self, default: &str) -> String {
        self.message.clone().unwrap_or_else(|| default.to_owned())
    }
}

/// One line of the script.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Planned {
    /// Operation name, or `*` for any.
    pub(crate) operation: String,
    /// Parameter name to substring; every one must be found.
    #[serde(default, rename = "match", skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) matching: BTreeMap<String, String>,
    pub(crate) fault: Fault,
    /// How many calls suffer it; 0 means until cleared.
    #[serde(default = "once")]
    pub(crate) times: u32,
}

impl Planned {
    fn concerns(&self, operation: &str, parameters: &[(String, String)]) -> bool {
        (self.operation == "*" || self.operation == operation)
            && self
                .matching
                .iter()
                .all(|(name, part)| parameters.iter().any(|(key, value)| key == name && value.contains(part.as_str())))
    }
}

/// The faults still to come, and those that came.
#[derive(Debug, Default)]
pub(crate) struct Script {
    pub(crate) pending: Vec<Planned>,
    pub(crate) fired: Vec<(String, Fault)>,
}

impl Script {
    /// Takes the first fault that concerns the call and counts it down.
    pub(crate) fn take(
        &mut self,
        operation: &str,
        parameters: impl FnOnce() -> Vec<(String, String)>,
    ) -> Option<Fault> {
        if self.pending.is_empty() {
            return None;
        }
        let parameters = parameters();
        let index = self.pending.iter().position(|planned| planned.concerns(operation, &parameters))?;
        let planned = self.pending.get_mut(index)?;
        let fault = planned.fault.clone();
        match planned.times {
            0 => {}
            1 => drop(self.pending.remove(index)),
            _ => planned.times -= 1,
        }
        self.fired.push((operation.to_owned(), fault.clone()));
        Some(fault)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn script(json: &str) -> Script {
        Script { pending: serde_json::from_str(json).unwrap(), fired: Vec::new() }
    }

    fn with(name: &str, value: &str) -> Vec<(String, String)> {
        vec![(name.to_owned(), value.to_owned())]
    }

    #[test]
    fn faults_are_taken_in_order_and_count_down() {
        let mut script = script(
            r#"[{"operation":"a","fault":{"kind":"drop"},"times":2},
                {"operation":"a","fault":{"kind":"delay","ms":5}}]"#,
        );
        assert_eq!(script.take("b", Vec::new), None);
        assert_eq!(script.take("a", Vec::new), Some(Fault::Drop));
        assert_eq!(script.take("a", Vec::new), Some(Fault::Drop));
        assert_eq!(script.take("a", Vec::new), Some(Fault::Delay { ms: 5 }));
        assert_eq!(script.take("a", Vec::new), None);
        assert_eq!(script.fired.len(), 3);
    }

    #[test]
    fn a_match_needs_every_part_in_its_parameter() {
        let mut script =
            script(r#"[{"operation":"*","match":{"comment":"ref-1"},"fault":{"kind":"garbage"},"times":0}]"#);
        assert_eq!(script.take("x", || with("comment", "ref-2")), None);
        assert_eq!(script.take("x", || with("other", "ref-1")), None);
        for _ in 0..3 {
            let taken = script.take("x", || with("comment", "a ref-1 b"));
            assert_eq!(taken, Some(Fault::Garbage));
        }
    }

    #[test]
    fn defaults_hold_for_a_minute_and_unknown_kinds_are_refused() {
        let planned: Planned =
            serde_json::from_str(r#"{"operation":"a","fault":{"kind":"apply_then_timeout"}}"#).unwrap();
        assert_eq!(planned.fault, Fault::ApplyThenTimeout { ms: 60_000 });
        assert_eq!(planned.times, 1);
        let unknown = r#"{"operation":"a","fault":{"kind":"explode"}}"#;
        assert!(serde_json::from_str::<Planned>(unknown).is_err());
    }
}
