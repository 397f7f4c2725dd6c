//! `POST /v1/webhooks/slack`: an agent pressed a button of the message about a lead.

use std::time::Duration;

use bytes::Bytes;
use domain::TaskId;
use domain::decision::Frame;
use domain::sales::Task;
use domain::sales::rules::SalesRules;
use domain::sales::task::TaskAction;
use http::header::CONTENT_TYPE;
use providers::NOTIFY_CALL_TIMEOUT_S;
use providers::notify::slack_inbound::{self, InboundError, Press};
use runtime::Problem;
use runtime::http::{HttpStep as _, Reply, Request};
use runtime::problem::with_causes;
use serde_json::json;

use crate::task::Tasks;

/// The button that begins a task.
pub(crate) const START: &str = "task_start";
/// The button that gives it back.
pub(crate) const DECLINE: &str = "task_decline";

impl Tasks {
    pub(crate) async fn pressed(&self, request: &Request) -> Result<Reply, Problem> {
        let live = self.rules.live::<SalesRules>().await?;
        let sales = &live.rules;
        let secret = self.secrets.get(&sales.slack.signing_secret).await?;
        let refused = |error: InboundError| match error {
            InboundError::BadSignature(reason) => {
                tracing::warn!(reason, "chat signature was not accepted");
                Problem::unauthorized("the signature is missing or not accepted")
            }
            InboundError::Malformed(what) => Problem::malformed(what),
            InboundError::Repeated(faults) => Problem::input(faults),
        };
        slack_inbound::check(&request.headers, &request.body, &secret, request.now).map_err(refused)?;
        let Some(press) = slack_inbound::press(&request.body).map_err(refused)? else { return Ok(done()) };
        let mut frame = request.frame(Self::NAME);
        // who presses is an agent by the rules
        frame.used(live.label());
        let answer = self.apply(&press, sales, &frame).await?;
        self.tell(&press, sales, &answer).await;
        Ok(done())
    }

    /// What the message says afterwards.
    async fn apply(&self, press: &Press, sales: &SalesRules, frame: &Frame) -> Result<String, Problem> {
        let action = match press.action_id.as_str() {
            START => TaskAction::Start,
            DECLINE => TaskAction::Decline,
            _ => return Ok("This button does nothing any more.".to_owned()),
        };
        let Ok(id) = press.value.parse::<TaskId>() else { return Ok("This task does not exist.".to_owned()) };
        let Some(agent) = sales.agent_in_slack(&press.user) else {
            return Ok("You are not an agent of the sales floor.".to_owned());
        };
        let Some(task) = self.crm.load::<Task>(&id).await? else {
            return Ok("This task does not exist.".to_owned());
        };
        if task.entity.facts.agent_id.name() != agent.id {
            return Ok(format!("This lead is {}'s.", name_of(sales, task.entity.facts.agent_id.name())));
        }
        match self.act(&id, action, None, task.entity.facts.agent_id.as_str(), frame).await {
            Ok(_) if action == TaskAction::Start => Ok(format!("{} is calling.", agent.name)),
            Ok(_) => Ok(format!("{} gave it back; the next one is asked.", agent.name)),
            // too late is an answer, not an error that the chat would send again
            Err(problem) if problem.status == 409 => Ok("Too late: this lead went to somebody else.".to_owned()),
            Err(problem) => Err(problem),
        }
    }

    /// Changes the message, so that nobody presses twice. Only at the chat's own address, and not worth failing for.
    async fn tell(&self, press: &Press, sales: &SalesRules, text: &str) {
        let url = press.response_url.as_deref().filter(|url| url.starts_with(&sales.slack.response_url));
        let Some(url) = url else { return };
        let body = json!({"replace_original": true, "text": text}).to_string();
        let request = http::Request::post(url).header(CONTENT_TYPE, "application/json").body(Bytes::from(body));
        let Ok(request) = request else { return };
        let timeout = Duration::from_secs(u64::from(NOTIFY_CALL_TIMEOUT_S));
        if let Err(error) = self.transport.send(request, timeout).await {
            tracing::warn!(error = with_causes(&error), "a chat message was not changed");
        }
    }
}

fn name_of(sales: &SalesRules, agent: &str) -> String {
    sales.agent(agent).map_or_else(|| agent.to_owned(), |agent| agent.name.clone())
}

/// The chat wants an empty 200 within three seconds.
fn done() -> Reply {
    Reply { status: 200, ..Reply::default() }
}
