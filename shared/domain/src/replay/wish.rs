//! What somebody wants to have done again.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{ExecutionPlace, ReplayMode};
use crate::input::{Fault, Reader};
use crate::{ClientId, Seconds, Timestamp};

/// Executions of one replay: what a person looks through, and what one worker sends long before its time is over.
pub const EXECUTIONS_MAX: usize = 500;
/// The longest range: each of its days is a look-up.
pub const RANGE_MAX: Seconds = Seconds(31 * 86_400);
/// Longest outcome or entity that is looked for, in characters.
const WORD_MAX: usize = 100;

/// Which executions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Wanted {
    /// One.
    One {
        /// Which.
        execution_id: ExecutionPlace,
    },
    /// Those of a step in a time.
    Range(Range),
}

/// Executions of a step in a time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Range {
    /// The step, or one of its queues.
    pub queue: String,
    /// From this moment on.
    pub from: Timestamp,
    /// Up to this moment, which does not count.
    pub to: Timestamp,
    /// Those only.
    #[serde(default)]
    pub filter: Filter,
}

/// What executions must have had.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Filter {
    /// The outcome of the first decision.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<String>,
    /// The client.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_id: Option<ClientId>,
    /// The entity.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entity: Option<String>,
}

impl fmt::Display for Wanted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::One { execution_id } => write!(f, "{execution_id}"),
            Self::Range(range) => write!(f, "{} from {} to {}", range.queue, range.from, range.to),
        }
    }
}

/// A request for a replay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wish {
    /// How.
    pub mode: ReplayMode,
    /// What.
    pub wanted: Wanted,
}

impl Wish {
    /// Reads a request; `queues` are those that can be named.
    ///
    /// # Errors
    /// Every fault.
    pub fn read(body: &Value, queues: &[String]) -> Result<Self, Vec<Fault>> {
        let mut reader = Reader::new(body);
        let mode = reader.word::<ReplayMode>("mode");
        let named = |name: &str| body.get(name).is_some_and(|value| !value.is_null());
        let of_range = ["queue", "from", "to", "filter"];
        let wanted = if named("execution_id") || !of_range.iter().any(|name| named(name)) {
            for field in of_range {
                if reader.optional_value(field).is_some() {
                    reader.fault_at(field, "not_both", "is for a range: name one execution, or a range");
                }
            }
            // what is no object lacks everything, which is said once
            one(&mut reader, named("execution_id") || !body.is_object())
        } else {
            range(&mut reader, queues)
        };
        let faults = reader.finish();
        match (mode, wanted) {
            (Some(mode), Some(wanted)) if faults.is_empty() => Ok(Self { mode, wanted }),
            _ => Err(faults),
        }
    }
}

fn one(reader: &mut Reader<'_>, is_named: bool) -> Option<Wanted> {
    if !is_named {
        reader.fault_at("execution_id", "missing", "is required, or queue, from and to");
        return None;
    }
    let execution_id = reader.string("execution_id")?.parse().ok();
    if execution_id.is_none() {
        reader.fault_at("execution_id", "unknown_execution", "is no execution_id of an entry of the journal");
    }
    execution_id.map(|execution_id| Wanted::One { execution_id })
}

fn range(reader: &mut Reader<'_>, queues: &[String]) -> Option<Wanted> {
    let queue = reader.string("queue").map(str::to_owned);
    if queue.as_ref().is_some_and(|queue| !queues.contains(queue)) {
        let fault =
            Fault::new("/queue", "unknown_queue", "must be a step as the journal names it, or one of its queues");
        reader.fault(fault.allowing(queues));
    }
    let (from, to) = (reader.time("from"), reader.time("to"));
    if let (Some(from), Some(to)) = (from, to) {
        if from >= to {
            reader.fault_at("to", "out_of_range", "must be after from");
        } else if from.plus(RANGE_MAX) < to {
            reader.fault_at("to", "out_of_range", format!("must be at most {} days after from", RANGE_MAX.0 / 86_400));
        }
    }
    let filter = match reader.optional_object("filter") {
        None => Filter::default(),
        Some(mut inner) => {
            let filter = filter(&mut inner);
            reader.close(inner);
            filter
        }
    };
    Some(Wanted::Range(Range { queue: queue?, from: from?, to: to?, filter }))
}

fn filter(reader: &mut Reader<'_>) -> Filter {
    let outcome = reader.optional_string("outcome").map(|text| reader.line("outcome", text, WORD_MAX));
    let entity = reader.optional_string("entity").map(|text| reader.line("entity", text, WORD_MAX));
    let client = reader.optional_string("client_id");
    let client_id = client.and_then(|text| text.parse().ok());
    if client.is_some() && client_id.is_none() {
        reader.fault_at("client_id", "unknown_client", "is no id of a client");
    }
    Filter { outcome, client_id, entity }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn queues() -> Vec<String> {
        ["payments-credit", "payments-credit-mt5"].map(str::to_owned).to_vec()
    }

    fn faults(body: &Value) -> Vec<String> {
        let faults = Wish::read(body, &queues()).err().unwrap_or_default();
        faults.into_iter().map(|fault| format!("{} {}", fault.pointer, fault.code)).collect()
    }

    #[test]
    fn one_execution_or_a_range_is_wanted() {
        let one = json!({"execution_id": "a@pay_1:3", "mode": "dry_run"});
        let wish = Wish::read(&one, &queues()).unwrap();
        assert_eq!((wish.mode, wish.wanted.to_string()), (ReplayMode::DryRun, "a@pay_1:3".to_owned()));
        let range = json!({
            "queue": "payments-credit-mt5", "from": "2026-11-23T00:00:00Z", "to": "2026-12-24T00:00:00Z", "mode": "run",
            "filter": {"outcome": "crediting", "client_id": "cli_01m83t4cm0ej7tc0zp3q03dde5", "entity": "pay_1"},
        });
        let wish = Wish::read(&range, &queues()).unwrap();
        let Wanted::Range(own) = &wish.wanted else { panic!("{wish:?}") };
        assert_eq!(own.filter.outcome.as_deref(), Some("crediting"));
        for wanted in [wish.wanted.clone(), Wish::read(&one, &queues()).unwrap().wanted] {
            let text = serde_json::to_string(&wanted).unwrap();
            assert_eq!(serde_json::from_str::<Wanted>(&text).unwrap(), wanted, "{text}");
        }
    }

    #[test]
    fn every_fault_is_named_at_once() {
        let (from, to) = ("2026-11-23T00:00:00Z", "2026-11-24T00:00:00Z");
        for (body, expected) in [
            (json!({}), vec!["/mode missing", "/execution_id missing"]),
            (json!([]), vec![" wrong_type"]),
            (
                json!({"execution_id": "x", "mode": "try"}),
                vec!["/mode unknown_value", "/execution_id unknown_execution"],
            ),
            (json!({"execution_id": 7, "mode": "run"}), vec!["/execution_id wrong_type"]),
            (json!({"execution_id": "a@b:1", "queue": "payments-credit", "mode": "run"}), vec!["/queue not_both"]),
            (
                json!({"queue": "nothing", "from": "now", "mode": "run", "more": 1, "filter": {"client_id": "x", "outcome": "", "what": 1}}),
                vec![
                    "/queue unknown_queue",
                    "/from invalid_time",
                    "/to missing",
                    "/filter/outcome empty",
                    "/filter/client_id unknown_client",
                    "/filter/what unknown_field",
                    "/more unknown_field",
                ],
            ),
            (json!({"queue": "payments-credit", "from": to, "to": from, "mode": "run"}), vec!["/to out_of_range"]),
            (json!({"queue": "payments-credit", "from": from, "to": from, "mode": "run"}), vec!["/to out_of_range"]),
            (
                json!({"queue": "payments-credit", "from": from, "to": "2026-12-24T00:00:01Z", "mode": "run"}),
                vec!["/to out_of_range"],
            ),
            (
                json!({"queue": "payments-credit", "from": from, "to": to, "mode": "run", "filter": 1}),
                vec!["/filter wrong_type"],
            ),
        ] {
            assert_eq!(faults(&body), expected, "{body}");
        }
    }
}
