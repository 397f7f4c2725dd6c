//! Carries replays out: what set an execution off is made again from the journal and sent to its step's own queue, for real or as a dry run, and what the step says is kept.
//!
//! At least once: an execution is marked after it was sent, so a worker that dies in between sends it a second time, which its step recognises.

mod executions;
mod queues;

use std::collections::BTreeSet;
use std::sync::Arc;

use domain::ReplayId;
use domain::compliance::is_secret;
use domain::replay::{EXECUTIONS_MAX, Execution, ExecutionPlace, Replay, ReplayMode, ReplayStatus, Wanted};
use futures::stream::{self, StreamExt as _, TryStreamExt as _};
use providers::http::BoxFuture;
use runtime::function::{ConfigError, Function, Ports};
use runtime::queue::{Message, QueueFunction, QueueStep};
use runtime::replay::{Answered, DryRun, ReplayOf, dry_run_body, run_body};
use runtime::sqs::Sqs;
use runtime::{StepError, awsclients, step};
use store::{Asked, Crm, Journal};

use executions::{Remade, remake};
pub use executions::{Then, decided, event_ids};
pub use queues::{STEPS, names, queues_of, step_of};

/// Executions that are sent side by side.
const SIDE_BY_SIDE: usize = 10;

/// The step.
pub struct Replaying {
    crm: Crm,
    journal: Journal,
    sqs: Sqs,
    answers_url: String,
}

/// Builds the function.
///
/// # Errors
/// [`ConfigError`].
pub fn build(ports: &Ports) -> Result<Arc<dyn Function>, ConfigError> {
    let step = Replaying {
        crm: awsclients::crm(ports)?,
        journal: awsclients::journal(ports)?,
        sqs: Sqs::new(ports),
        answers_url: ports.need("ANSWERS_URL")?.to_owned(),
    };
    QueueFunction::build(step, ports)
}

impl QueueStep for Replaying {
    const NAME: &'static str = "ops-replay";

    fn handle<'a>(&'a self, message: &'a Message) -> BoxFuture<'a, Result<&'static str, StepError>> {
        Box::pin(async move {
            if let Some(answered) = Answered::read(&message.body) {
                return self.keep(answered).await;
            }
            let event = message.event()?;
            let id: ReplayId = event.id()?;
            let stored = self.crm.load::<Replay>(&id).await?.ok_or_else(|| StepError::Absent(id.to_string()))?;
            if stored.entity.facts.status == ReplayStatus::Sent {
                return Ok("nothing_to_do");
            }
            let (executions, left_out) = self.send_all(&stored.entity, message).await?;
            let mut frame = message.frame(Self::NAME, &event);
            let sent = step::change(&self.crm, &id, &mut frame, |replay: &Replay| replay.sent(executions, left_out));
            Ok(sent.await?.outcome())
        })
    }
}

impl Replaying {
    async fn keep(&self, answered: Answered) -> Result<&'static str, StepError> {
        let malformed = || StepError::Malformed(format!("{} is no replay", answered.replay));
        let id: ReplayId = answered.replay.parse().map_err(|_| malformed())?;
        let answer = answered.answer.kept(is_secret);
        let kept = self.crm.execution_answered(&id, &answered.sort, &answer).await?;
        Ok(if kept { "answered" } else { "nothing_to_do" })
    }

    /// Sends what was not sent; how many executions there are, and how many cannot be done again.
    async fn send_all(&self, replay: &Replay, message: &Message) -> Result<(usize, usize), StepError> {
        let kept = self.crm.executions_of(&replay.id).await?;
        let sent: BTreeSet<String> = kept.into_iter().filter(|own| own.sent).map(|own| own.execution.sort()).collect();
        let places = wanted(&self.journal, &replay.facts.wanted, EXECUTIONS_MAX).await?;
        let places = places.into_iter().take(EXECUTIONS_MAX);
        let one = |place| self.send_one(replay, place, &sent, message);
        let done: Vec<Option<bool>> =
            stream::iter(places.map(one)).buffer_unordered(SIDE_BY_SIDE).try_collect().await?;
        let found: Vec<bool> = done.into_iter().flatten().collect();
        Ok((found.len(), found.iter().filter(|is_left_out| **is_left_out).count()))
    }

    /// Whether one cannot be done again; `None` where the journal has it no more.
    async fn send_one(
        &self,
        replay: &Replay,
        place: ExecutionPlace,
        sent: &BTreeSet<String>,
        message: &Message,
    ) -> Result<Option<bool>, StepError> {
        let Some(then) = Then::find(&self.journal, &place).await? else { return Ok(None) };
        let remade = remake(&self.journal, &then).await?;
        let newest = self.journal.newest(&then.first.entity).await?;
        let execution = Execution {
            place: then.place(),
            function: then.first.record.function.clone(),
            trigger: then.first.record.trigger.clone(),
            at: then.at(),
            head: newest.map_or(then.first.version, |entry| entry.version),
            left_out: remade.as_ref().err().cloned(),
        };
        let sort = execution.sort();
        self.crm.keep_execution(&replay.id, &execution).await?;
        let Ok(remade) = remade else { return Ok(Some(true)) };
        if !sent.contains(&sort) {
            self.send(replay, &then, &remade, &sort).await?;
            self.crm.execution_sent(&replay.id, &sort, message.now).await?;
        }
        Ok(Some(false))
    }

    async fn send(&self, replay: &Replay, then: &Then, remade: &Remade, sort: &str) -> Result<(), StepError> {
        let answer_to = self.answers_url.clone();
        let (replay_id, step) = (replay.id.to_string(), then.first.record.function.clone());
        let of = ReplayOf { replay: replay_id, sort: sort.to_owned(), step, answer_to };
        let body = match replay.facts.mode {
            ReplayMode::Run => run_body(&of, &remade.kind, &remade.detail),
            ReplayMode::DryRun => dry_run_body(&DryRun {
                of,
                execution_id: then.first.record.execution_id.clone(),
                at: then.at(),
                as_of: then.as_of(&self.journal).await?,
                detail: remade.detail.clone(),
            }),
        };
        self.sqs.send(&self.url_of(&remade.queue)?, &body, &[]).await
    }

    /// The URL of a step's queue: beside that of the answers.
    fn url_of(&self, queue: &str) -> Result<String, StepError> {
        let begin = self.answers_url.strip_suffix(ANSWERS);
        let begin = begin.ok_or_else(|| StepError::Queue("ANSWERS_URL is not the queue of the answers".to_owned()))?;
        Ok(format!("{begin}{queue}"))
    }
}

/// What the name of the queue of answers ends with, after what the name of every queue begins with.
const ANSWERS: &str = "ops-replay-answers";

/// The executions that are wanted, the oldest first; one more than `most` where there are more. Of what only compliance may see there is none.
///
/// # Errors
/// [`StepError`].
pub async fn wanted(journal: &Journal, wanted: &Wanted, most: usize) -> Result<Vec<ExecutionPlace>, StepError> {
    let range = match wanted {
        Wanted::One { execution_id } if is_secret(&execution_id.entity) => return Ok(vec![]),
        Wanted::One { execution_id } => return Ok(vec![execution_id.clone()]),
        Wanted::Range(range) => range,
    };
    let (function, platform) = step_of(&range.queue);
    let asked = Asked {
        function,
        from: range.from,
        to: range.to,
        outcome: range.filter.outcome.as_deref(),
        client: range.filter.client_id.as_ref().map(domain::ClientId::as_str),
        entity: range.filter.entity.as_deref(),
        platform,
    };
    let found = journal.executions(&asked, most).await?.into_iter().filter(|line| !is_secret(&line.entity));
    let place = |line: store::Indexed| ExecutionPlace {
        invocation: line.execution_id,
        entity: line.entity,
        version: line.version,
    };
    Ok(found.map(place).collect())
}
