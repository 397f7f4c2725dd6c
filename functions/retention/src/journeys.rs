//! Journeys: who enters when something happens, and what is due. A message is marked before it is handed over.

use std::sync::Arc;

use domain::activity::{ActivityFacts, MovementKind, NewsKind};
use domain::decision::{Frame, Verdict};
use domain::entity::Entity as _;
use domain::journey::rules::Journeys as Rules;
use domain::journey::subject::Trigger;
use domain::journey::{self, Happening, Journey, JourneyError, NextStep};
use domain::{ClientId, JourneyId, LeadId};
use providers::http::BoxFuture;
use providers::notify::email::LazyEmail;
use providers::notify::twilio::Twilio;
use runtime::function::{ConfigError, Function, Ports};
use runtime::queue::{BusEvent, Message, QueueFunction, QueueStep};
use runtime::rehearsal::Guard;
use runtime::rulebook::RuleBook;
use runtime::secrets::Secrets;
use runtime::step::Attempts;
use runtime::{StepError, awsclients};
use serde::Deserialize as _;
use store::Stored;

use crate::reader::Readers;
use crate::saving::{Shelf, save};
use crate::sending::Post;

/// Things that are done for one reader in a row before others have their turn.
const IN_A_ROW: usize = 20;

/// The step.
pub struct Journeys {
    readers: Readers,
    rules: RuleBook,
    post: Post,
}

/// Builds the function.
///
/// # Errors
/// [`ConfigError`].
pub fn build(ports: &Ports) -> Result<Arc<dyn Function>, ConfigError> {
    let aws = ports.aws.clone();
    let crm = awsclients::crm(ports)?;
    let secrets = Secrets::new(ports);
    let step = Journeys {
        readers: Readers { crm: crm.clone(), trades: awsclients::trades(ports)?, secrets: secrets.clone() },
        rules: RuleBook::new(ports)?,
        post: Post {
            crm,
            email: LazyEmail::new(move || {
                let config = aws_sdk_ses::config::Builder::from(&aws).interceptor(Guard).build();
                aws_sdk_ses::Client::from_conf(config)
            }),
            twilio: Twilio::new(ports.transport.clone()),
            secrets,
        },
    };
    QueueFunction::build(step, ports)
}

fn broken(error: JourneyError) -> StepError {
    StepError::Rules { set: "journeys", what: error.to_string() }
}

impl QueueStep for Journeys {
    const NAME: &'static str = "retention-journeys";

    fn handle<'a>(&'a self, message: &'a Message) -> BoxFuture<'a, Result<&'static str, StepError>> {
        Box::pin(async move {
            let event = message.event()?;
            let mut shelf = Shelf::live(&self.rules).await?;
            let mut frame = message.frame(Self::NAME, &event);
            frame.used(shelf.live.label());
            match event.kind.as_str() {
                "lead.nurturing" => self.begin(&event.id()?, &shelf, &frame).await,
                "journey.due" => self.go_on(&event.id()?, &mut shelf, &mut frame).await,
                _ => self.hear(&event, &mut shelf, &mut frame).await,
            }
        })
    }
}

impl Journeys {
    async fn begin(&self, lead: &LeadId, shelf: &Shelf, frame: &Frame) -> Result<&'static str, StepError> {
        let lead = self.readers.lead(lead).await?;
        let Some(decision) = journey::begun(&lead, &shelf.books(), frame.now).map_err(broken)? else {
            return Ok("nothing_to_do");
        };
        Ok(if save(&self.readers.crm, None, &decision, frame).await?.is_some() { "begun" } else { "nothing_to_do" })
    }

    /// Something that a client did: goals, exits and entries. Most of it concerns no journey, and writes nothing.
    async fn hear(&self, event: &BusEvent, shelf: &mut Shelf, frame: &mut Frame) -> Result<&'static str, StepError> {
        let client = event.client_id.clone();
        let client = client.ok_or_else(|| StepError::Malformed(format!("{} is nobody's", event.event_id)))?;
        let malformed = |error: serde_json::Error| StepError::Malformed(domain::json::place_of(&error));
        let activity = ActivityFacts::deserialize(&event.data).map_err(malformed)?;
        let Some(own) = self.happening(&client, &activity).await? else { return Ok("nothing_to_do") };
        if !shelf.live.rules.listens(own.trigger) {
            return Ok("nobody_listens");
        }
        let account = activity.news.as_ref().and_then(|news| news.account_id.as_ref());
        let sight = self.readers.active(&client, &activity, account, frame.now).await?;
        let mut attempts = Attempts::of(frame, "the client's journeys keep changing");
        loop {
            let stored = self.readers.crm.load_settled::<Journey>(&JourneyId::of(&client)).await?;
            let was = stored.as_ref().map_or_else(|| Journey::of_client(&client), |stored| stored.entity.clone());
            shelf.fetch(&self.rules, &was).await?;
            let verdict = was.hears(&own, &sight, &shelf.books(), frame.now).map_err(broken)?;
            let (due, outcome) = match verdict {
                Verdict::Nothing(_) => (was.due(), "nothing_to_do"),
                Verdict::Change(decision) => {
                    if save(&self.readers.crm, stored.as_ref(), &decision, frame).await?.is_none() {
                        attempts.again().await?;
                        continue;
                    }
                    (decision.next.due(), decision.outcome)
                }
            };
            // what is to be done at once waits for no timer
            if due.is_some_and(|due| due <= frame.now) {
                return self.go_on(&JourneyId::of(&client), shelf, frame).await;
            }
            return Ok(outcome);
        }
    }

    /// What the news of an activity is to journeys. A streak is known by its account and the position that began it, so that it begins
    /// nothing twice, however long it grows.
    async fn happening(&self, client: &ClientId, activity: &ActivityFacts) -> Result<Option<Happening>, StepError> {
        let Some(news) = &activity.news else { return Ok(None) };
        let of = |trigger, key| Happening { trigger, at: news.at, key, amount: None };
        Ok(match (news.kind, news.movement, &news.payment_id) {
            (NewsKind::Trades, _, _) => {
                let account = news.account_id.as_ref();
                let streak = account.and_then(|account| Some((account, activity.streaks.get(account)?)));
                let key =
                    streak.map_or_else(|| news.at.to_string(), |(account, own)| format!("{account}/{}", own.first));
                Some(of(Trigger::Traded, key))
            }
            (NewsKind::Login, _, _) => Some(of(Trigger::LoggedIn, news.at.to_string())),
            (NewsKind::Movement, Some(kind), Some(payment)) => {
                let trigger = match kind {
                    MovementKind::Deposit => Trigger::Deposited,
                    MovementKind::DepositFailed => Trigger::DepositFailed,
                    MovementKind::WithdrawalRequested => Trigger::WithdrawalRequested,
                    MovementKind::Withdrawal => Trigger::Withdrawn,
                    MovementKind::Refund
                    | MovementKind::Chargeback
                    | MovementKind::Reinstated
                    | MovementKind::WithdrawalReturned => return Ok(None),
                };
                let noted = self.readers.trades.movements_of(client, payment).await?;
                let noted = noted.iter().rev().find(|own| own.kind == kind).and_then(|own| own.base.as_ref());
                let amount = noted.map(|base| base.money.amount());
                Some(Happening { amount, ..of(trigger, payment.to_string()) })
            }
            (NewsKind::Movement, _, _) => None,
        })
    }

    /// What is due, one thing after the other: each is saved before the next is looked at.
    async fn go_on(&self, id: &JourneyId, shelf: &mut Shelf, frame: &mut Frame) -> Result<&'static str, StepError> {
        let stored = self.readers.crm.load::<Journey>(id).await?;
        let mut stored = stored.ok_or_else(|| StepError::Absent(id.to_string()))?;
        frame.correlation_id.clone_from(&stored.correlation_id);
        let mut outcome = "nothing_to_do";
        for _ in 0..IN_A_ROW {
            shelf.fetch(&self.rules, &stored.entity).await?;
            let sight = self.readers.of(&stored.entity, &shelf.live.rules, frame.now).await?;
            match stored.entity.next_step(&sight, &shelf.books(), frame.now).map_err(broken)? {
                NextStep::Nothing(_) => return Ok(outcome),
                NextStep::Busy => return Err(StepError::Busy("a message is being handed over")),
                NextStep::Save(decision) => {
                    outcome = decision.outcome;
                    stored = self.save(&stored, &decision, frame).await?;
                }
                NextStep::Send(decision, letter) => {
                    let marked = self.save(&stored, &decision, frame).await?;
                    let by = &frame.execution_id;
                    let rules: &Rules = &shelf.live.rules;
                    let delivery = self.post.hand_over(&letter, &marked.entity, rules, by, frame.now).await;
                    match marked.entity.delivered(&delivery, &shelf.books(), frame.now) {
                        Verdict::Nothing(_) => return Ok(outcome),
                        Verdict::Change(decision) => {
                            outcome = decision.outcome;
                            stored = self.save(&marked, &decision, frame).await?;
                        }
                    }
                }
            }
        }
        Ok(outcome)
    }

    async fn save(
        &self,
        was: &Stored<Journey>,
        decision: &domain::decision::Decision<Journey>,
        frame: &Frame,
    ) -> Result<Stored<Journey>, StepError> {
        let saved = save(&self.readers.crm, Some(was), decision, frame).await?;
        saved.ok_or(StepError::Busy("another worker has it"))
    }
}
