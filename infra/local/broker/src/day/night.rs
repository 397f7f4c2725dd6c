//! A form on Facebook at two in the morning, on a brokerage whose clock shows that hour.

use host::LocalTime;
use http::Method;
use serde_json::{Value, json};

use super::leads::text;
use super::report::Report;
use super::say;
use super::steps::Desk;
use crate::Failure;
use crate::api::Answer;
use crate::local::{Broker, Options};

/// Two in the morning at the head office in Nicosia, six in the evening in Mexico City.
const NIGHT: &str = "2026-11-26T00:00:00Z";

/// Plays the night.
///
/// # Errors
/// What kept it from being played.
pub async fn night(report: &mut Report) -> Result<(), Failure> {
    say("02:00 in Nicosia, 18:00 in Mexico City: Ana López fills in a form on Facebook, in Spanish");
    let time = LocalTime::showing(NIGHT.parse()?);
    let broker = Broker::start(Options { time: Some(time), ..Options::default() }).await?;
    let desk = Desk::new(&broker);
    desk.everybody_comes().await?;
    hot(&desk, report).await?;
    no_reaction(&desk, report).await?;
    cold(&desk, report).await?;
    broker.stop().await;
    Ok(())
}

async fn hot(desk: &Desk<'_>, report: &mut Report) -> Result<(), Failure> {
    let form = json!({"fields": {
        "full_name": "Ana López", "phone_number": "+52 55 1234 5678", "email": "ana.lopez@example.com", "country": "Mexico",
        "experience": "some", "intended_deposit": "2000", "how_did_you_hear_of_us": "a friend",
    }});
    desk.api.control(&format!("{}/_control/leads", desk.broker.simulators.url("meta")), &form).await?;
    desk.broker.host.idle().await;
    let messages = desk.slack().await?;
    let message = messages.first().cloned().unwrap_or_default();
    let shown = text(&message, "/message/blocks/0/text/text");
    shown.lines().for_each(|line| say(&format!("  | {line}")));
    let buttons = message.pointer("/message/blocks/1/elements").and_then(Value::as_array).cloned().unwrap_or_default();
    let labels: Vec<String> = buttons.iter().map(|button| format!("[ {} ]", text(button, "/text/text"))).collect();
    say(&format!("  | {}", labels.join(" ")));
    let task = buttons.first().map(|button| text(button, "/value")).unwrap_or_default();
    let started = desk.sales(Method::POST, &format!("/v1/tasks/{task}/actions"), &json!({"action": "start"})).await?;
    let lead = desk.lead(&started.expect(200)?.text_at("/lead_id")).await?;
    let who = lead.text_at("/assignment/agent_id");
    say("  why, from GET /v1/leads/{lead_id}:");
    reasons(&lead, |step, line| step != "rule" || line.contains(": holds"));
    report.check("it goes to the closer for Latin America who is there", who == "agt_mateo_silva", &who);
    let five = lead.text_at("/assignment/due_at").starts_with("2026-11-26T00:05:0");
    report.check("with a call due in five minutes", five, &lead.text_at("/assignment/due_at"));
    report.check("and one message", messages.len() == 1, &messages.len().to_string());
    desk.on_task(&lead, "done").await?;
    Ok(())
}

/// The lines that a person reads.
fn reasons(lead: &Answer, wanted: impl Fn(&str, &str) -> bool) {
    let lines = lead.json.get("why").and_then(Value::as_array).cloned().unwrap_or_default();
    for line in lines {
        let (step, words) = (text(&line, "/step"), text(&line, "/text"));
        if wanted(&step, &words) {
            say(&format!("    {step:<6} {words}"));
        }
    }
}

/// An agent who does not react loses the lead to the next one, who presses the button in Slack.
async fn no_reaction(desk: &Desk<'_>, report: &mut Report) -> Result<(), Failure> {
    say("an agent who does not react within the five minutes, and a next one who does");
    let body = json!({
        "email": "omar.saleh@example.ae", "country": "AE", "language": "ar", "source": {"channel": "paid_search"},
        "consents": {"email": true, "phone": true},
    });
    let id = desk.form(&body).await?;
    let first = desk.lead(&id).await?;
    desk.pass("6m").await?;
    let second = desk.lead(&id).await?;
    let who = |lead: &Answer| lead.text_at("/assignment/agent_id");
    say(&format!("  {} -> {}, because nobody else of the desk is on shift:", who(&first), who(&second)));
    reasons(&second, |step, line| step == "agent" && !line.contains("off_shift"));
    let went_on = !who(&second).is_empty() && who(&first) != who(&second);
    report.check("the lead goes on to another agent", went_on, &who(&second));
    // Slack's member ids of the seed rules: U0 and the first name
    let user = format!("U0{}", who(&second).split('_').nth(1).unwrap_or_default().to_uppercase());
    let press = json!({"user": user, "action_id": "task_start", "value": second.text_at("/assignment/task_id")});
    desk.api.control(&format!("{}/_control/press", desk.broker.simulators.url("slack")), &press).await?;
    let working = desk.lead(&id).await?;
    let status = working.text_at("/status");
    report.check("\"I am calling\" in Slack stops the clock", status == "working", &status);
    desk.on_task(&working, "done").await?;
    Ok(())
}

/// Little intent: messages first, until it grows hot.
async fn cold(desk: &Desk<'_>, report: &mut Report) -> Result<(), Failure> {
    say("a visitor with little intent gets a series of messages instead, until he grows hot");
    let body = json!({
        "email": "luis.rey@example.mx", "full_name": "Luis Rey", "country": "MX", "source": {"channel": "organic"},
        "consents": {"email": true, "phone": true},
    });
    let id = desk.form(&body).await?;
    let status = desk.lead(&id).await?.text_at("/status");
    report.check("nobody calls", status == "nurturing", &status);
    desk.pass("11m").await?;
    let mails = desk.broker.simulators.mails();
    let subjects: Vec<&str> = mails.iter().map(|mail| mail.subject.as_str()).collect();
    report.check(
        "ten minutes later he is written to, in Spanish",
        subjects == ["Bienvenido a Pipworks"],
        &subjects.join(", "),
    );
    for kind in ["form_completed", "kyc_started", "demo_video_watched"] {
        desk.portal(&format!("/v1/leads/{id}/signals"), &json!({"kind": kind})).await?.expect(202)?;
    }
    let lead = desk.lead(&id).await?;
    let band = format!("{}, {}", lead.text_at("/band"), lead.text_at("/status"));
    report.check("he opens an account and is called", band == "hot, assigned", &band);
    desk.on_task(&lead, "done").await?;
    desk.pass("7d").await?;
    let mails = desk.broker.simulators.mails().len();
    report.check("and is not written to again", mails == 1, &format!("{mails} mail(s)"));
    Ok(())
}
