//! What a message says that was sent by a replay, and how it is answered.
//!
//! A dry run has no `detail` of its own: code from before there were rehearsals finds no event in it, and does nothing.

use domain::Timestamp;
use domain::replay::Answer;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use store::{AsOf, Rehearsed};

use crate::queue::Message;
use crate::step::StepError;

/// Whose execution a message is, and who is told what came of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReplayOf {
    /// The replay.
    pub replay: String,
    /// The execution among those of the replay.
    pub sort: String,
    /// The step that it is for: whoever else finds it, among dead letters say, takes it for a message like any other.
    pub step: String,
    /// URL of the queue that the answer goes to.
    pub answer_to: String,
}

/// A rehearsal: the event, and what was there then.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DryRun {
    /// Whose it is.
    #[serde(flatten)]
    pub of: ReplayOf,
    /// The invocation that it is a rehearsal of.
    pub execution_id: String,
    /// When that decided.
    pub at: Timestamp,
    /// Entities as they were.
    pub as_of: Vec<AsOf>,
    /// The event.
    pub detail: Value,
}

/// The body of a message that replays an execution by the step itself.
pub fn run_body(of: &ReplayOf, kind: &str, detail: &Value) -> String {
    json!({"source": "pipworks", "detail-type": kind, "detail": detail, "replay": of}).to_string()
}

/// The body of a message that has it rehearsed.
pub fn dry_run_body(dry_run: &DryRun) -> String {
    json!({"dry_run": dry_run}).to_string()
}

/// An answer on its way.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Answered {
    /// The replay.
    pub replay: String,
    /// The execution among those of the replay.
    pub sort: String,
    /// What the step said.
    pub answer: Answer,
}

#[derive(Serialize, Deserialize)]
struct AnswerBody {
    replay_answer: Answered,
}

impl Answered {
    /// From the body of a message; `None` where it is none.
    pub fn read(body: &str) -> Option<Self> {
        serde_json::from_str::<AnswerBody>(body).ok().map(|body| body.replay_answer)
    }

    /// The body of its message.
    pub fn body(self) -> String {
        json!(AnswerBody { replay_answer: self }).to_string()
    }
}

/// What a message is to its queue's step.
pub(crate) enum Kind {
    /// As any other, and somebody is told of it where it is a replay's.
    Real(Option<ReplayOf>),
    /// To be rehearsed.
    Dry(Box<DryRun>),
}

impl Kind {
    pub(crate) fn of(body: &str, step: &str) -> Self {
        #[derive(Deserialize)]
        struct Body {
            #[serde(default)]
            dry_run: Option<Box<DryRun>>,
            #[serde(default)]
            replay: Option<ReplayOf>,
        }
        match serde_json::from_str::<Body>(body) {
            Ok(Body { dry_run: Some(dry_run), .. }) if dry_run.of.step == step => Self::Dry(dry_run),
            Ok(Body { replay, .. }) => Self::Real(replay.filter(|of| of.step == step)),
            Err(_) => Self::Real(None),
        }
    }
}

impl DryRun {
    /// The message as the step got it then.
    pub(crate) fn message(&self, received: &Message) -> Message {
        Message {
            body: json!({"detail": self.detail}).to_string(),
            execution_id: self.execution_id.clone(),
            now: self.at,
            ..received.clone()
        }
    }
}

/// What a step said, and what it would have done.
pub(crate) fn answer(
    result: Option<&Result<&'static str, StepError>>,
    rehearsed: Rehearsed,
    of: ReplayOf,
    at: Timestamp,
) -> Answered {
    let (outcome, failed) = match result {
        Some(Ok(outcome)) => (*outcome, false),
        Some(Err(error)) => (error.kind(), true),
        None => ("stopped", false),
    };
    let Rehearsed { decisions, stopped_at } = rehearsed;
    let answer = Answer { outcome: outcome.to_owned(), failed, decisions, stopped_at, at };
    Answered { replay: of.replay, sort: of.sort, answer }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of() -> ReplayOf {
        let (replay, sort) = ("rpl_1".to_owned(), "1#pay_1:3".to_owned());
        ReplayOf { replay, sort, step: "payments-credit".to_owned(), answer_to: "https://sqs/1/answers".to_owned() }
    }

    #[test]
    fn code_that_knows_no_rehearsals_finds_no_event_in_one() {
        let detail = json!({"event_id": "pay_1:2:0", "entity": "pay_1", "version": 2, "type": "deposit.paid"});
        let at = Timestamp::EPOCH;
        let dry_run = DryRun { of: of(), execution_id: "a".to_owned(), at, as_of: vec![], detail: detail.clone() };
        let body = dry_run_body(&dry_run);
        assert!(serde_json::from_str::<Value>(&body).unwrap().get("detail").is_none());
        let run = run_body(&of(), "deposit.paid", &detail);
        assert!(matches!(Kind::of(&body, "payments-credit"), Kind::Dry(own) if *own == dry_run));
        assert!(matches!(Kind::of(&run, "payments-credit"), Kind::Real(Some(own)) if own == of()));
        for body in [&body, &run] {
            assert!(matches!(Kind::of(body, "ops-dead-letters"), Kind::Real(None)), "a dead letter is filed");
        }
        for body in ["", "not JSON", "{}", "{\"detail\":{}}", "[]", "{\"replay\":7}"] {
            assert!(matches!(Kind::of(body, "payments-credit"), Kind::Real(None)), "{body}");
        }
    }

    #[test]
    fn an_answer_is_read_as_it_was_written() {
        let answered = answer(Some(&Ok("credited")), Rehearsed::default(), of(), Timestamp::EPOCH);
        assert_eq!(Answered::read(&answered.clone().body()), Some(answered));
        assert_eq!(Answered::read("{\"detail\":{}}"), None);
    }
}
