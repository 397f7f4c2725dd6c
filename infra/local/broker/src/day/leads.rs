//! The sales floor: one person who is impatient, and a morning's worth of forms at once.

use std::collections::BTreeSet;

use futures::stream::{self, StreamExt as _, TryStreamExt as _};
use http::Method;
use serde_json::{Value, json};

use super::report::Report;
use super::say;
use super::steps::Desk;
use crate::Failure;
use crate::api::Answer;

/// Leads of the burst.
const LEADS: usize = 150;
/// Requests at the same time.
const AT_ONCE: usize = 8;

impl Desk<'_> {
    /// A call of the sales desk.
    pub(super) async fn sales(&self, method: Method, path: &str, body: &Value) -> Result<Answer, Failure> {
        self.api.send_json(method, &self.broker.url(path), self.broker.token("sales"), body).await
    }

    /// Everybody on the floor says that they are there; who is off shift gets nothing all the same.
    pub async fn everybody_comes(&self) -> Result<(), Failure> {
        let agents = self.look("sales", "/v1/agents").await?.json;
        for agent in items(&agents) {
            let path = format!("/v1/agents/{}/presence", text(&agent, "/agent_id"));
            self.sales(Method::PUT, &path, &json!({"state": "online"})).await?.expect(200)?;
        }
        self.broker.host.idle().await;
        Ok(())
    }

    /// A form of the portal; the lead's id.
    pub async fn form(&self, body: &Value) -> Result<String, Failure> {
        Ok(self.portal("/v1/leads", body).await?.expect(202)?.text_at("/lead_id"))
    }

    /// A lead, as it is when nothing is under way any more.
    pub async fn lead(&self, id: &str) -> Result<Answer, Failure> {
        self.broker.host.idle().await;
        self.look("sales", &format!("/v1/leads/{id}")).await
    }

    /// What Slack got.
    pub async fn slack(&self) -> Result<Vec<Value>, Failure> {
        let state = self.state("slack", "").await?;
        Ok(state.get("messages").and_then(Value::as_array).cloned().unwrap_or_default())
    }

    /// An agent does something with the task of a lead.
    pub(super) async fn on_task(&self, lead: &Answer, action: &str) -> Result<Answer, Failure> {
        let path = format!("/v1/tasks/{}/actions", lead.text_at("/assignment/task_id"));
        self.sales(Method::POST, &path, &json!({"action": action})).await?.expect(200)
    }
}

pub(super) fn text(value: &Value, pointer: &str) -> String {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn items(list: &Value) -> Vec<Value> {
    list.get("items").and_then(Value::as_array).cloned().unwrap_or_default()
}

/// One person, five forms at once, in two spellings.
pub async fn one_person(desk: &Desk<'_>, report: &mut Report) -> Result<(), Failure> {
    say("the same person sends five forms at once, the address spelt in two ways");
    desk.everybody_comes().await?;
    let before = desk.slack().await?.len();
    let forms = ["lena.maas@example.de", "Lena.Maas@EXAMPLE.de"].into_iter().cycle().take(5);
    let ids: Vec<String> = stream::iter(forms)
        .map(|email| async move {
            let body = json!({
                "email": email, "phone": "030 901820", "country": "DE", "source": {"channel": "paid_search"},
                "consents": {"email": true, "phone": true},
            });
            desk.form(&body).await
        })
        .buffer_unordered(AT_ONCE)
        .try_collect()
        .await?;
    let mut first = BTreeSet::new();
    let mut lead = None;
    for id in &ids {
        let answer = desk.lead(id).await?;
        let joined = answer.text_at("/duplicate_of");
        first.insert(if joined.is_empty() { id.clone() } else { joined });
        lead = Some(answer);
    }
    report.check("it is one lead", first.len() == 1, &format!("{first:?}"));
    let told = desk.slack().await?.len().saturating_sub(before);
    report.check("one agent is told, once", told == 1, &format!("{told} message(s)"));
    report.duplicates += ids.len().saturating_sub(1);
    if let Some(lead) = lead {
        desk.on_task(&lead, "done").await?;
    }
    Ok(())
}

/// Many forms at once from three regions.
pub async fn forms_at_once(desk: &Desk<'_>, report: &mut Report) -> Result<(), Failure> {
    say(&format!("{LEADS} forms at once from three regions"));
    let before = desk.slack().await?.len();
    let ids: Vec<String> = stream::iter(0..LEADS)
        .map(|n| async move {
            let country = ["MX", "DE", "GB"].get(n % 3).copied().unwrap_or("GB");
            let body = json!({
                "email": format!("visitor-{n}@example.com"), "country": country, "source": {"channel": "paid_search"},
                "consents": {"email": true, "phone": true},
            });
            desk.form(&body).await
        })
        .buffer_unordered(AT_ONCE)
        .try_collect()
        .await?;
    desk.broker.host.idle().await;
    let messages = desk.slack().await?;
    let messages = messages.get(before..).unwrap_or_default();
    let leads: Vec<Answer> = stream::iter(&ids).map(|id| desk.lead(id)).buffer_unordered(AT_ONCE).try_collect().await?;
    let assigned = leads.iter().filter(|lead| lead.text_at("/status") == "assigned").count();
    report.check("every lead has one agent and one clock", assigned == LEADS, &assigned.to_string());
    report.check(
        "and each agent is told of each lead once",
        messages.len() == LEADS,
        &format!("{} message(s)", messages.len()),
    );
    for lead in &leads {
        let task = lead.text_at("/assignment/task_id");
        let accepted = lead.text_at("/created_at").parse::<domain::Timestamp>().ok();
        let told = messages.iter().find(|message| message.to_string().contains(&task));
        let told = told.and_then(|message| message.get("at_ms")).and_then(Value::as_i64);
        report.told_ms.extend(accepted.zip(told).map(|(accepted, told)| told.saturating_sub(accepted.millis())));
    }
    let agents: BTreeSet<String> = leads.iter().map(|lead| lead.text_at("/assignment/agent_id")).collect();
    say(&format!("  {} agents who are on shift now have them", agents.len()));
    stream::iter(&leads)
        .map(|lead| desk.on_task(lead, "done"))
        .buffer_unordered(AT_ONCE)
        .try_collect::<Vec<_>>()
        .await?;
    Ok(())
}
