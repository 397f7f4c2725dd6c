//! Slack's incoming webhooks against the simulator.

use std::sync::Arc;
use std::time::Duration;

use domain::Redacted;
use providers::http::{HyperTransport, Transport};
use providers::notify::slack::Slack;
use providers::notify::{Email, Message, Notifier, NotifyError, Receipt, SlackPost};
use secrecy::SecretString;
use serde_json::{Value, json};

use crate::support::{CALL_TIMEOUT, SHORT_TIMEOUT, fault, simulators};

const PATH: &str = "/services/T00000000/B00000000/local";

fn slack() -> Slack {
    Slack::new(Arc::new(HyperTransport::new()), SHORT_TIMEOUT)
}

fn post(url: &str, text: &str) -> Message {
    Message::Slack(SlackPost::plain(SecretString::from(url.to_owned()), text.to_owned()))
}

async fn messages(base: &str) -> Vec<Value> {
    let request = http::Request::get(format!("{base}/_control/state")).body(bytes::Bytes::new()).unwrap();
    let response = HyperTransport::new().send(request, CALL_TIMEOUT).await.unwrap();
    let state: Value = serde_json::from_slice(response.body()).unwrap();
    state["messages"].as_array().unwrap().clone()
}

#[tokio::test]
async fn a_post_arrives_escaped_in_text_and_blocks() {
    let running = simulators().await;
    let base = running.url("slack");
    let sent = slack().send(&post(&format!("{base}{PATH}"), "Balance < 0 & <urgent>")).await;
    assert_eq!(sent, Ok(Receipt { reference: None }));
    let long = "x".repeat(20_000);
    slack().send(&post(&format!("{base}{PATH}"), &long)).await.unwrap();
    let messages = messages(base).await;
    let escaped = "Balance &lt; 0 &amp; &lt;urgent&gt;";
    assert_eq!(
        messages[0]["message"],
        json!({"text": escaped, "blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": escaped}}]})
    );
    assert_eq!(messages[1]["message"]["blocks"].as_array().unwrap().len(), 5);
}

#[tokio::test]
async fn each_failure_says_whether_to_try_again() {
    let running = simulators().await;
    let base = running.url("slack");
    let url = format!("{base}{PATH}");
    fault(base, "message", json!({"kind": "refuse", "status": 429, "retry_after": 7})).await;
    let Err(NotifyError::Retry { after, .. }) = slack().send(&post(&url, "x")).await else { panic!() };
    assert_eq!(after, Some(Duration::from_secs(7)));

    fault(base, "message", json!({"kind": "refuse", "status": 410, "code": "channel_is_archived"})).await;
    let Err(NotifyError::Refused { code, .. }) = slack().send(&post(&url, "x")).await else { panic!() };
    assert_eq!(code, "channel_is_archived");

    for script in
        [json!({"kind": "apply_then_timeout", "ms": 2000}), json!({"kind": "drop"}), json!({"kind": "garbage"})]
    {
        fault(base, "message", script.clone()).await;
        let sent = slack().send(&post(&url, "x")).await;
        assert!(matches!(sent, Err(NotifyError::Unknown(_))), "{script}: {sent:?}");
    }

    let Err(NotifyError::Refused { code, .. }) = slack().send(&post(&format!("{base}/services/other"), "x")).await
    else {
        panic!()
    };
    assert_eq!(code, "no_service");
    let nobody = slack().send(&post("http://127.0.0.1:1/services/x", "x")).await;
    assert!(matches!(nobody, Err(NotifyError::Retry { .. })), "{nobody:?}");
    let sent = slack().send(&post("not a url", "x")).await;
    assert!(!format!("{sent:?}").contains("not a url"));
    assert!(matches!(sent, Err(NotifyError::Refused { .. })));
}

#[tokio::test]
async fn a_mail_is_not_posted() {
    let text = || Redacted::new("x".to_owned());
    let mail = Message::Email(Email {
        to: text(),
        from: "a@example.com".to_owned(),
        subject: text(),
        body: text(),
        unsubscribe_url: None,
    });
    let sent = slack().send(&mail).await;
    assert!(matches!(sent, Err(NotifyError::Refused { .. })), "{sent:?}");
}
