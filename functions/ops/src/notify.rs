//! Tells people what happened: in the portal, by e-mail, on the desk's Slack; each message once per event.

pub(crate) mod fillings;

use std::sync::Arc;
use std::time::Duration;

use domain::account::rules::Platforms;
use domain::client::Client;
use domain::decision::derived_bits_in_order;
use domain::notification::rules::{Channel, Notifications};
use domain::notification::{Audience, Fillings, PlannedMessage, plan};
use domain::payment::GRACE;
use domain::{NotificationId, Redacted};
use providers::NOTIFY_CALL_TIMEOUT_S;
use providers::http::BoxFuture;
use providers::notify::email::LazyEmail;
use providers::notify::slack::Slack;
use providers::notify::{self, Notifier, NotifyError, SlackPost};
use runtime::function::{ConfigError, Function, Ports};
use runtime::queue::{BusEvent, Message, QueueFunction, QueueStep};
use runtime::rehearsal::Guard;
use runtime::rulebook::{Live, RuleBook};
use runtime::secrets::Secrets;
use runtime::step::Disposition;
use runtime::{StepError, awsclients};
use store::{Crm, Notification, NotificationOutcome};

/// The step.
pub struct Notify {
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
    let step = Notify {
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

impl QueueStep for Notify {
    const NAME: &'static str = "ops-notify";

    fn handle<'a>(&'a self, message: &'a Message) -> BoxFuture<'a, Result<&'static str, StepError>> {
        Box::pin(async move {
            let event = message.event()?;
            let live = self.rules.live::<Notifications>().await?;
            let client = match &event.client_id {
                Some(id) => self.crm.load_settled::<Client>(id).await?.map(|stored| stored.entity),
                None => None,
            };
            let language = client.as_ref().map_or(live.rules.default_language.as_str(), |c| c.facts.language.as_str());
            let fillings = self.as_clients_call_it(&event, fillings::fillings(&event)).await?;
            let planned = plan(&event.kind, &fillings, language, &live.rules)
                .map_err(|error| StepError::Rules { set: "notifications", what: error.to_string() })?;
            if planned.is_empty() {
                return Ok("nobody_to_tell");
            }
            let mut failure = None;
            for (owner, messages) in by_owner(&event, planned) {
                let for_client = messages.iter().any(|message| message.audience == Audience::Client);
                let delivered = match &client {
                    None if for_client => Err(StepError::Absent(owner)),
                    _ => self.deliver(&owner, &messages, &event, client.as_ref(), &live, message).await,
                };
                // one who cannot be told keeps nobody else from being told
                if let Err(error) = delivered {
                    failure = Some(to_report(failure, error));
                }
            }
            failure.map_or(Ok("told"), Err)
        })
    }
}

/// The messages of an event by whom they are recorded under: the client's id or the desk's name.
fn by_owner(event: &BusEvent, planned: Vec<PlannedMessage>) -> Vec<(String, Vec<PlannedMessage>)> {
    let mut owners: Vec<(String, Vec<PlannedMessage>)> = Vec::new();
    for message in planned {
        let owner = match (&message.audience, &event.client_id) {
            (Audience::Client, Some(client)) => client.to_string(),
            (Audience::Client, None) => continue,
            (Audience::Desk(desk), _) => format!("desk#{desk}"),
        };
        match owners.iter_mut().find(|(known, _)| *known == owner) {
            Some((_, messages)) => messages.push(message),
            None => owners.push((owner, vec![message])),
        }
    }
    owners
}

/// Of two failures the one that the message is to be judged by: as long as one of them may pass, it is not given up.
fn to_report(known: Option<StepError>, next: StepError) -> StepError {
    match known {
        Some(known) if known.disposition() != Disposition::Park => known,
        _ => next,
    }
}

impl Notify {
    /// A trading server has two names: ours in the rules, and the one that clients choose in their terminal.
    async fn as_clients_call_it(&self, event: &BusEvent, fillings: Fillings) -> Result<Fillings, StepError> {
        let named = event.data.get("server").and_then(serde_json::Value::as_str);
        let Some(name) = named.filter(|_| event.kind.starts_with("account.")) else { return Ok(fillings) };
        let live = self.rules.live::<Platforms>().await?;
        Ok(match live.rules.server(name) {
            Some(server) => fillings.with("server", server.display_name.as_str()),
            // taken off the rules since
            None => fillings,
        })
    }

    async fn deliver(
        &self,
        owner: &str,
        messages: &[PlannedMessage],
        event: &BusEvent,
        client: Option<&Client>,
        live: &Live<Notifications>,
        delivery: &Message,
    ) -> Result<(), StepError> {
        let now = delivery.now;
        let id = NotificationId::from_bits(derived_bits_in_order(event.at, event.version, &[&event.event_id, owner]));
        let record = record(&id, messages, event);
        let outside: Vec<&PlannedMessage> = messages.iter().filter(|m| m.channel != Channel::InApp).collect();
        let by = &delivery.execution_id;
        let busy = StepError::Busy("the message is being sent");
        let before = match self.crm.begin_notification(owner, &record, by, now).await? {
            NotificationOutcome::First => Vec::new(),
            NotificationOutcome::Begun { sent, .. } if outside.iter().all(|m| is_in(&sent, m)) => return Ok(()),
            NotificationOutcome::Begun { at, .. } if now < at.plus(GRACE) => return Err(busy),
            NotificationOutcome::Begun { sent, at } => {
                if !self.crm.take_over_notification(owner, &id, at, by, now).await? {
                    return Err(busy);
                }
                sent
            }
        };
        let mut sent = Vec::new();
        let mut failure = None;
        for message in outside.iter().filter(|message| !is_in(&before, message)) {
            let channel = message.channel.as_str();
            match self.send(message, client, live).await {
                Ok(Ok(())) => sent.push(channel.to_owned()),
                Ok(Err(NotifyError::Refused { code, .. })) => {
                    tracing::error!(event.id = %event.event_id, channel, code, "message was refused for good");
                    sent.push(channel.to_owned());
                }
                Ok(Err(error @ (NotifyError::Retry { .. } | NotifyError::Unknown(_)))) => {
                    failure = Some(to_report(failure, error.into()));
                }
                Err(error) => failure = Some(to_report(failure, error)),
            }
        }
        // whatever failed beside it: what was sent is not sent again
        if !sent.is_empty() {
            self.crm.mark_sent(owner, &id, &sent).await?;
        }
        failure.map_or(Ok(()), Err)
    }

    async fn send(
        &self,
        message: &PlannedMessage,
        client: Option<&Client>,
        live: &Live<Notifications>,
    ) -> Result<Result<(), NotifyError>, StepError> {
        let broken = |what: String| StepError::Rules { set: "notifications", what };
        let desk = match &message.audience {
            Audience::Desk(name) => Some(live.rules.desk(name).ok_or_else(|| broken(format!("no desk {name}")))?),
            Audience::Client => None,
        };
        // the rules are checked for it when they are read
        let nowhere = || broken(format!("nobody is reached by {} for {}", message.channel.as_str(), message.template));
        let outcome = match message.channel {
            Channel::InApp => return Ok(Ok(())),
            Channel::Email => {
                let to = match (desk, client) {
                    (Some(desk), _) => desk.email.clone().map(Redacted::new),
                    (None, Some(client)) => Some(client.person.email.clone()),
                    (None, None) => None,
                };
                let to = to.ok_or_else(nowhere)?;
                let mail = notify::Email {
                    to,
                    from: live.rules.sender.address.clone(),
                    subject: Redacted::new(message.subject.clone().unwrap_or_default()),
                    body: Redacted::new(message.body.clone()),
                    unsubscribe_url: None,
                };
                self.email.send(&notify::Message::Email(mail)).await
            }
            Channel::Slack => {
                let secret = desk.and_then(|desk| desk.slack_secret.as_ref()).ok_or_else(nowhere)?;
                let webhook_url = self.secrets.get(secret).await?;
                self.slack.send(&notify::Message::Slack(SlackPost::plain(webhook_url, message.body.clone()))).await
            }
        };
        Ok(outcome.map(|_| ()))
    }
}

fn is_in(sent: &[String], message: &PlannedMessage) -> bool {
    sent.iter().any(|channel| channel == message.channel.as_str())
}

fn record(id: &NotificationId, messages: &[PlannedMessage], event: &BusEvent) -> Notification {
    let in_app = messages.iter().find(|message| message.channel == Channel::InApp);
    Notification {
        id: id.clone(),
        at: event.at,
        kind: event.kind.clone(),
        title: in_app.and_then(|message| message.title.clone()).unwrap_or_default(),
        body: in_app.map(|message| message.body.clone()).unwrap_or_default(),
        language: in_app.map(|message| message.language.clone()).unwrap_or_default(),
        in_app: in_app.is_some(),
        read: false,
    }
}
