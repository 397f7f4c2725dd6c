//! Series of messages: begins them, and sends what is due after asking once more whether it may.

use std::sync::Arc;

use domain::decision::Frame;
use domain::journey::rules::Sequences;
use domain::journey::{self, Delivery, Journey, JourneyError, Letter, NextStep};
use domain::lead::Lead;
use domain::{JourneyId, LeadId};
use providers::http::BoxFuture;
use providers::notify::email::LazyEmail;
use providers::notify::{self, Notifier as _, NotifyError};
use runtime::function::{ConfigError, Function, Ports};
use runtime::queue::{Message, QueueFunction, QueueStep};
use runtime::rulebook::{Live, RuleBook};
use runtime::{StepError, awsclients, step};
use store::{Crm, Saved, Stored};

/// The step.
pub struct Journeys {
    crm: Crm,
    rules: RuleBook,
    email: LazyEmail,
}

/// Builds the function.
///
/// # Errors
/// [`ConfigError`].
pub fn build(ports: &Ports) -> Result<Arc<dyn Function>, ConfigError> {
    let aws = ports.aws.clone();
    let step = Journeys {
        crm: awsclients::crm(ports)?,
        rules: RuleBook::new(ports)?,
        email: LazyEmail::new(move || aws_sdk_ses::Client::new(&aws)),
    };
    QueueFunction::build(step, ports)
}

fn broken(error: JourneyError) -> StepError {
    StepError::Rules { set: "sequences", what: error.to_string() }
}

impl QueueStep for Journeys {
    const NAME: &'static str = "retention-journeys";

    fn handle<'a>(&'a self, message: &'a Message) -> BoxFuture<'a, Result<&'static str, StepError>> {
        Box::pin(async move {
            let event = message.event()?;
            let live = self.rules.live::<Sequences>().await?;
            let mut frame = message.frame(Self::NAME, &event);
            frame.used(live.label());
            match event.kind.as_str() {
                "lead.nurturing" => self.begin(&event.id()?, &live, &frame).await,
                _ => self.go_on(&event.id()?, &live, &mut frame).await,
            }
        })
    }
}

impl Journeys {
    async fn begin(&self, lead: &LeadId, live: &Live<Sequences>, frame: &Frame) -> Result<&'static str, StepError> {
        let lead = self.lead(lead).await?;
        let Some(decision) = journey::begun(&lead, &live.rules, frame.now).map_err(broken)? else {
            return Ok("nothing_to_do");
        };
        Ok(if step::create(&self.crm, decision, frame).await? { "begun" } else { "nothing_to_do" })
    }

    async fn lead(&self, id: &LeadId) -> Result<Lead, StepError> {
        let stored = self.crm.load::<Lead>(id).await?;
        Ok(stored.ok_or_else(|| StepError::Absent(id.to_string()))?.entity)
    }

    /// What the series needs now: one message at most, marked before it is handed over.
    async fn go_on(
        &self,
        id: &JourneyId,
        live: &Live<Sequences>,
        frame: &mut Frame,
    ) -> Result<&'static str, StepError> {
        let stored = self.crm.load::<Journey>(id).await?;
        let stored = stored.ok_or_else(|| StepError::Absent(id.to_string()))?;
        frame.correlation_id.clone_from(&stored.correlation_id);
        let lead = self.lead(&stored.entity.facts.lead_id).await?;
        match stored.entity.next_step(&live.rules, &lead, frame.now).map_err(broken)? {
            NextStep::Nothing(_) => Ok("nothing_to_do"),
            NextStep::Busy => Err(StepError::Busy("a message is being handed over")),
            NextStep::Save(decision) => {
                let outcome = decision.outcome;
                self.save(&stored, *decision, frame).await.map(|_| outcome)
            }
            NextStep::Send(decision, letter) => {
                let marked = self.save(&stored, *decision, frame).await?;
                let delivery = self.hand_over(&letter).await;
                self.delivered(&marked, &delivery, live, frame).await
            }
        }
    }

    async fn save(
        &self,
        was: &Stored<Journey>,
        decision: domain::decision::Decision<Journey>,
        frame: &Frame,
    ) -> Result<Stored<Journey>, StepError> {
        match self.crm.save(Some(was), decision, frame).await? {
            Saved::Applied(now) => Ok(now),
            Saved::Conflict => Err(StepError::Busy("another worker has it")),
        }
    }

    async fn hand_over(&self, letter: &Letter) -> Delivery {
        let mail = notify::Email {
            to: letter.to.clone(),
            from: letter.from.clone(),
            subject: letter.subject.clone(),
            body: letter.body.clone(),
        };
        match self.email.send(&notify::Message::Email(mail)).await {
            Ok(_) => Delivery::Sent,
            Err(NotifyError::Retry { reason, .. }) => Delivery::NotNow(reason),
            Err(NotifyError::Refused { code, .. }) => Delivery::Refused(code),
            Err(NotifyError::Unknown(what)) => Delivery::Unknown(what),
        }
    }

    async fn delivered(
        &self,
        marked: &Stored<Journey>,
        delivery: &Delivery,
        live: &Live<Sequences>,
        frame: &Frame,
    ) -> Result<&'static str, StepError> {
        match marked.entity.delivered(delivery, &live.rules, frame.now) {
            domain::decision::Verdict::Nothing(_) => Ok("nothing_to_do"),
            domain::decision::Verdict::Change(decision) => {
                let outcome = decision.outcome;
                self.save(marked, *decision, frame).await.map(|_| outcome)
            }
        }
    }
}
