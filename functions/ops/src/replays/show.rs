//! A replay as it stands: what happened then beside what happens now.

use domain::ReplayId;
use domain::replay::{Answer, Decided, Execution, Replay, ReplayMode, ReplayStatus, compare};
use runtime::http::{Reply, Request};
use runtime::{Problem, StepError};
use serde_json::{Map, Value, json};
use store::KeptExecution;

use super::Replays;
use crate::replay::{Then, decided, event_ids};

/// Versions of an entity since a replay that are looked through for what it made.
const SINCE_MAX: usize = 50;
/// What a dry run stands on.
const BASIS: &str = "As it was: the event, the moment, and the public parts of the entity and of the one whose event it was. As it is today: rules, code, private parts, and whatever else the step reads.";

impl Replays {
    pub(super) async fn show(&self, request: &Request) -> Result<Reply, Problem> {
        let id: ReplayId = request.id("replay_id")?;
        let (limit, after) = request.page::<String>()?;
        let stored = self.crm.load::<Replay>(&id).await?;
        let replay = stored.ok_or_else(|| Problem::not_found("there is no such replay"))?.entity;
        let kept = self.crm.executions_of(&id).await?;
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let is_after = |own: &&KeptExecution| after.as_ref().is_none_or(|after| own.execution.sort() > *after);
        let mut page: Vec<&KeptExecution> = kept.iter().filter(is_after).take(limit.saturating_add(1)).collect();
        let more = page.len() > limit;
        page.truncate(limit);
        let next_cursor = page.last().filter(|_| more).map(|own| own.execution.sort());
        let mut items = Vec::new();
        for own in page {
            items.push(self.line(&replay, own).await?);
        }
        let facts = &replay.facts;
        let ended = kept.iter().filter(|own| own.answer.is_some() || own.execution.left_out.is_some()).count();
        let status = match facts.status {
            ReplayStatus::Requested => "requested",
            ReplayStatus::Sent if ended < kept.len() => "running",
            ReplayStatus::Sent => "done",
        };
        let mut view = json!({
            "replay_id": replay.id, "mode": facts.mode, "status": status, "wanted": facts.wanted,
            "requested_at": facts.requested_at, "requested_by": facts.by, "executions": kept.len(), "ended": ended,
            "left_out": kept.iter().filter(|own| own.execution.left_out.is_some()).count(),
            "items": items, "next_cursor": next_cursor,
        });
        if let (ReplayMode::DryRun, Some(object)) = (facts.mode, view.as_object_mut()) {
            object.insert("basis".to_owned(), json!(BASIS));
        }
        Ok(Reply::json(200, &view))
    }

    async fn line(&self, replay: &Replay, own: &KeptExecution) -> Result<Value, Problem> {
        let execution = &own.execution;
        let then = Then::find(&self.journal, &execution.place).await?;
        let then: Vec<Decided> = then.map(|then| then.entries.iter().map(decided).collect()).unwrap_or_default();
        let status = match (&execution.left_out, &own.answer, own.sent) {
            (Some(_), ..) => "left_out",
            (None, Some(_), _) => "answered",
            (None, None, true) => "sent",
            (None, None, false) => "waiting",
        };
        let mut line = json!({
            "execution_id": execution.place, "function": execution.function, "entity": execution.place.entity,
            "trigger": execution.trigger, "status": status, "then": happened(execution.at, &then, None), "now": null,
        });
        let Some(object) = line.as_object_mut() else { return Ok(line) };
        if let Some((code, message)) = &execution.left_out {
            object.insert("left_out".to_owned(), json!({"code": code, "message": message}));
        }
        match replay.facts.mode {
            ReplayMode::DryRun => dry(object, execution, &then, own.answer.as_ref()),
            ReplayMode::Run if own.sent || own.answer.is_some() => {
                let since = self.since(execution).await?;
                object.insert("now".to_owned(), run(replay, own.answer.as_ref(), &since));
            }
            ReplayMode::Run => {}
        }
        Ok(line)
    }

    /// What the same trigger made of the entity since the replay began.
    async fn since(&self, execution: &Execution) -> Result<Vec<Decided>, StepError> {
        let from = execution.head.saturating_add(1);
        let entries = self.journal.entries(&execution.place.entity, from, SINCE_MAX).await?;
        let own = entries.iter().filter(|entry| entry.record.trigger == execution.trigger);
        Ok(own.map(decided).collect())
    }
}

/// Decisions, the first of them in front.
fn happened(at: domain::Timestamp, decisions: &[Decided], word: Option<&str>) -> Value {
    let first = decisions.first();
    let all: Vec<Value> = decisions.iter().map(shown).collect();
    let outcome = word.or(first.map(|first| first.outcome.as_str()));
    json!({
        "at": at, "outcome": outcome, "why": first.map_or(&[][..], |own| &own.why), "events": first.map(event_ids).unwrap_or_default(),
        "rules": first.map_or(&[][..], |own| &own.rules), "decisions": all,
    })
}

fn shown(decided: &Decided) -> Value {
    json!({
        "entity": decided.entity, "version": decided.version, "outcome": decided.outcome, "why": decided.why,
        "events": event_ids(decided), "rules": decided.rules, "state": decided.state,
    })
}

fn dry(line: &mut Map<String, Value>, execution: &Execution, then: &[Decided], answer: Option<&Answer>) {
    let Some(answer) = answer else { return };
    let own: Vec<Decided> = answer.decisions.clone();
    let compared = compare(&execution.place.entity, then, answer);
    // the word of a step that was stopped says only that
    let word = (own.is_empty() && answer.stopped_at.is_none()).then_some(answer.outcome.as_str());
    let mut now = happened(answer.at, &own, word);
    finish(&mut now, answer);
    // of what was there before, the journal has the public part alone: a step that decides by the private one decides by today's
    let certain = execution.place.version == 1 || compared.same == Some(true);
    line.insert("now".to_owned(), now);
    line.insert("certain".to_owned(), json!(certain));
    line.insert("same".to_owned(), json!(compared.same.filter(|_| certain)));
    line.insert("differs".to_owned(), json!(compared.differs));
}

fn run(replay: &Replay, answer: Option<&Answer>, since: &[Decided]) -> Value {
    let at = answer.map_or(replay.facts.requested_at, |answer| answer.at);
    let word = answer.map(|answer| answer.outcome.as_str()).or(since.is_empty().then_some("nothing_to_do"));
    let mut now = happened(at, since, word);
    if let Some(answer) = answer {
        finish(&mut now, answer);
    }
    now
}

fn finish(now: &mut Value, answer: &Answer) {
    let Some(object) = now.as_object_mut() else { return };
    if let Some(call) = &answer.stopped_at {
        object.insert("stopped_at".to_owned(), json!(call));
    } else if answer.failed {
        object.insert("failed".to_owned(), json!(true));
    }
}
