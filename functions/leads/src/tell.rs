//! Tells an agent about a lead: in Slack with buttons, by mail where Slack does not take it. Each task once.

use std::sync::Arc;
use std::time::Duration;

use domain::contact::name::unlinked;
use domain::decision::derived_bits;
use domain::lead::{ContactChannel, Lead};
use domain::notification::{Fillings, render};
use domain::payment::GRACE;
use domain::sales::Task;
use domain::sales::rules::{Agent, SalesRules};
use domain::{NotificationId, Redacted, Timestamp};
use providers::NOTIFY_CALL_TIMEOUT_S;
use providers::http::BoxFuture;
use providers::notify::email::LazyEmail;
use providers::notify::slack::Slack;
use providers::notify::{self, Notifier as _, NotifyError, SlackButton, SlackPost};
use runtime::function::{ConfigError, Function, Ports};
use runtime::queue::{Message, QueueFunction, QueueStep};
use runtime::rehearsal::Guard;
use runtime::rulebook::{Live, RuleBook};
use runtime::secrets::Secrets;
use runtime::{StepError, awsclients};
use store::{Crm, Notification, NotificationOutcome};

use crate::slack::{DECLINE, START};

/// The language of the sales floor: what agents are told is not translated.
const LANGUAGE: &str = "en";

/// The step.
pub struct Tell {
    crm: Crm,
    rules: RuleBook,
    secrets: Secrets,
    email: LazyEmail,
    slack: Slack,
}

/// Builds the function.
///
/// # Errors
/// [`ConfigError`].
pub fn build(ports: &Ports) -> Result<Arc<dyn Function>, ConfigError> {
    let aws = ports.aws.clone();
    let step = Tell {
        crm: awsclients::crm(ports)?,
        rules: RuleBook::new(ports)?,
        secrets: Secrets::new(ports),
        email: LazyEmail::new(move || {
            let config = aws_sdk_ses::config::Builder::from(&aws).interceptor(Guard).build();
            aws_sdk_ses::Client::from_conf(config)
        }),
        slack: Slack::new(ports.transport.clone(), Duration::from_secs(u64::from(NOTIFY_CALL_TIMEOUT_S))),
    };
    QueueFunction::build(step, ports)
}

impl QueueStep for Tell {
    const NAME: &'static str = "leads-tell";

    fn handle<'a>(&'a self, message: &'a Message) -> BoxFuture<'a, Result<&'static str, StepError>> {
        Box::pin(async move {
            let event = message.event()?;
            let task = self.crm.load::<Task>(&event.id()?).await?;
            let task = task.ok_or_else(|| StepError::Absent(event.entity.clone()))?.entity;
            if !task.facts.status.is_held() {
                return Ok("nothing_to_do");
            }
            let live = self.rules.live::<SalesRules>().await?;
            let Some(agent) = live.rules.agent(task.facts.agent_id.name()) else { return Ok("no_such_agent") };
            let lead = self.crm.load::<Lead>(&task.facts.lead_id).await?;
            let lead = lead.ok_or_else(|| StepError::Absent(task.facts.lead_id.to_string()))?.entity;
            let id =
                NotificationId::from_bits(derived_bits(event.at, &[&event.event_id, task.facts.agent_id.as_str()]));
            let record = record(&id, event.at);
            let owner = task.facts.agent_id.as_str();
            match self.crm.begin_notification(owner, &record, &message.execution_id, message.now).await? {
                NotificationOutcome::First => {}
                NotificationOutcome::Begun { sent, .. } if !sent.is_empty() => return Ok("nothing_to_do"),
                NotificationOutcome::Begun { at, .. } if message.now < at.plus(GRACE) => {
                    return Err(StepError::Busy("the message is being sent"));
                }
                NotificationOutcome::Begun { at, .. } => {
                    let by = &message.execution_id;
                    if !self.crm.take_over_notification(owner, &id, at, by, message.now).await? {
                        return Err(StepError::Busy("the message is being sent"));
                    }
                }
            }
            let channel = self.send(&live, agent, &task, &lead).await?;
            self.crm.mark_sent(owner, &id, &[channel.to_owned()]).await?;
            Ok(channel)
        })
    }
}

/// The record that keeps a task from being told twice; nobody reads it in a portal.
fn record(id: &NotificationId, at: Timestamp) -> Notification {
    Notification {
        id: id.clone(),
        at,
        kind: "task.opened".to_owned(),
        title: String::new(),
        body: String::new(),
        language: LANGUAGE.to_owned(),
        in_app: false,
        read: false,
    }
}

impl Tell {
    /// Slack first; mail when Slack refuses, does not answer, or is not set up.
    async fn send(
        &self,
        live: &Live<SalesRules>,
        agent: &Agent,
        task: &Task,
        lead: &Lead,
    ) -> Result<&'static str, StepError> {
        let words = fillings(&live.rules, agent, task, lead);
        let broken = |name: String| StepError::Rules { set: "sales", what: format!("`{name}` is not filled in") };
        let body = render(&live.rules.message.body, LANGUAGE, &words).map_err(broken)?;
        let secret = live.rules.team(&agent.team).and_then(|team| team.slack_secret.as_ref());
        if let Some(secret) = secret {
            match self.post(secret, body.clone(), agent, buttons(&live.rules, task)).await {
                Ok(()) => return Ok("slack"),
                Err(reason) => tracing::warn!(task.id = %task.id, reason, "Slack did not take a lead; mail instead"),
            }
        }
        let Some(address) = agent.email.clone() else {
            let what = "neither Slack nor a mail address reaches the agent".to_owned();
            return Err(StepError::Vendor { what, to_do: providers::Disposition::Hold });
        };
        let subject = render(&live.rules.message.subject, LANGUAGE, &words).map_err(broken)?;
        let mail = notify::Email {
            to: Redacted::new(address),
            from: live.rules.message.sender.clone(),
            subject: Redacted::new(subject),
            body: Redacted::new(body),
            unsubscribe_url: None,
        };
        match self.email.send(&notify::Message::Email(mail)).await {
            // a mail whose answer is lost may have arrived; the task stands in any case
            Ok(_) | Err(NotifyError::Unknown(_)) => Ok("email"),
            Err(error) => Err(error.into()),
        }
    }

    async fn post(&self, secret: &str, text: String, agent: &Agent, buttons: Vec<SlackButton>) -> Result<(), String> {
        let webhook_url = self.secrets.get(secret).await.map_err(|error| error.to_string())?;
        let post = SlackPost { webhook_url, text, mention: agent.slack_user.clone(), buttons };
        let sent = self.slack.send(&notify::Message::Slack(post)).await;
        sent.map(|_| ()).map_err(|error| error.to_string())
    }
}

fn buttons(sales: &SalesRules, task: &Task) -> Vec<SlackButton> {
    let button = |label: &String, action: &str| SlackButton {
        label: label.clone(),
        action_id: action.to_owned(),
        value: task.id.to_string(),
    };
    vec![button(&sales.message.start, START), button(&sales.message.decline, DECLINE)]
}

fn fillings(sales: &SalesRules, agent: &Agent, task: &Task, lead: &Lead) -> Fillings {
    let facts = &lead.facts;
    let personal = |value: &Option<Redacted<String>>, none: &str| {
        value.as_ref().map_or_else(|| none.to_owned(), |value| value.reveal().clone())
    };
    // without consent a channel may not be used: nobody is handed what would be used
    let allowed = |channel, value, none: &str, forbidden: &str| {
        if facts.consents.allows(channel) { personal(value, none) } else { forbidden.to_owned() }
    };
    let phone = match (lead.number_to_call(), facts.phone_unverified, facts.phone_costs) {
        (Some(number), _, true) => Some(Redacted::new(format!("{number} (unverified, costs more than a call)"))),
        (Some(number), true, false) => Some(Redacted::new(format!("{number} (unverified)"))),
        (number, _, _) => number.map(Redacted::new),
    };
    // whoever fills in a form may write a link there: it is shown, and not to be clicked
    let name = lead.person.full_name.as_ref().map(|name| Redacted::new(unlinked(name.reveal())));
    let email = &lead.person.email;
    let scored = facts.scored.as_ref();
    let assignment = facts.assignment.as_ref();
    Fillings::new()
        .with("agent", agent.name.as_str())
        .with("lead_id", lead.id.as_str())
        .with("task_id", task.id.as_str())
        .with("name", personal(&name, "somebody"))
        .with("phone", allowed(ContactChannel::Phone, &phone, "no telephone number", "no consent to calls"))
        .with("email", allowed(ContactChannel::Email, email, "no e-mail address", "no consent to e-mail"))
        .with("country", facts.country.map_or("country unknown", |country| country.code()))
        .with("language", facts.language.as_deref().unwrap_or("an unknown language"))
        .with("source", facts.source.channel.as_str())
        .with("campaign", facts.source.campaign.as_deref().unwrap_or_default())
        .with("score", scored.map_or(0, |scored| scored.score))
        .with("band", scored.map_or("", |scored| scored.band.as_str()))
        .with("due", due(sales, agent, task.facts.due_at))
        .with("rule", assignment.map_or("", |assignment| assignment.rule_id.as_str()))
        .with("pool", task.facts.pool_id.as_str())
}

/// The time by the agent's own clock.
fn due(sales: &SalesRules, agent: &Agent, at: Timestamp) -> String {
    match sales.working_time(agent) {
        Some(time) => {
            let minute = time.calendar.zone.wall_clock(at).minute_of_day();
            format!("{:02}:{:02} ({})", minute / 60, minute % 60, time.calendar.zone)
        }
        None => at.to_string(),
    }
}
