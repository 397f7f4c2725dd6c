//! Chat and mail on the wire; the mail protocol is spoken by the real SDK.

use crate::support::{Client, form, post, start, state};
use aws_sdk_ses::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_ses::error::ProvideErrorMetadata;
use aws_sdk_ses::types::{Body, Content, Destination, Message};
use serde_json::json;
use simulators::{MailConfig, Mailbox};

const HOOK: &str = "/services/T00000000/B00000000/local";

#[tokio::test]
async fn chat_messages_are_recorded_and_wrong_ones_refused_in_words() {
    let running = start().await;
    let mut client = Client::connect(running.url("slack")).await;
    let taken = client.post(HOOK, &json!({ "text": "hello" })).await;
    assert_eq!((taken.status, taken.text().as_str()), (200, "ok"));
    let empty = client.post(HOOK, &json!({})).await;
    assert_eq!((empty.status, empty.text().as_str()), (400, "no_text"));
    let nonsense = client.call("POST", HOOK, &[], "nonsense").await;
    assert_eq!((nonsense.status, nonsense.text().as_str()), (400, "invalid_payload"));
    let cut_short = client.call("POST", HOOK, &[], r#"{"text": "he"#).await;
    assert_eq!((cut_short.status, cut_short.text().as_str()), (400, "invalid_payload"));
    let stranger = client.post("/services/T/B/X", &json!({ "text": "hello" })).await;
    assert_eq!((stranger.status, stranger.text().as_str()), (404, "no_service"));
    let state = state(running.url("slack")).await;
    assert_eq!(state["messages"].as_array().unwrap().len(), 1);
    assert_eq!(state["messages"][0]["message"]["text"], "hello");
}

#[tokio::test]
async fn the_chat_limits_its_rate_when_told() {
    let running = start().await;
    let faults = json!([{ "operation": "message", "match": { "text": "alert" },
        "fault": { "kind": "refuse", "status": 429, "retry_after": 3 } }]);
    post(running.url("slack"), "/_control/faults", &faults).await;
    let limited = post(running.url("slack"), HOOK, &json!({ "text": "an alert" })).await;
    assert_eq!((limited.status, limited.header("retry-after")), (429, Some("3")));
    assert_eq!(limited.text(), "rate_limited");
    assert_eq!(post(running.url("slack"), HOOK, &json!({ "text": "an alert" })).await.status, 200);
}

fn sdk(url: &str) -> aws_sdk_ses::Client {
    let config = aws_sdk_ses::Config::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::new("eu-west-1"))
        .credentials_provider(Credentials::new("id", "key", None, None, "test"))
        .retry_config(aws_sdk_ses::config::retry::RetryConfig::disabled())
        .endpoint_url(url)
        .build();
    aws_sdk_ses::Client::from_conf(config)
}

fn content(text: &str) -> Content {
    Content::builder().data(text).build().unwrap()
}

fn to(address: &str) -> Destination {
    Destination::builder().to_addresses(address).build()
}

fn message() -> Message {
    let body = Body::builder().text(content("Grüße & <more>")).html(content("<p>hi</p>")).build();
    Message::builder().subject(content("Deposit received")).body(body).build()
}

#[tokio::test]
async fn the_sdk_sends_a_mail_and_reads_its_id() {
    let running = start().await;
    let sent = sdk(running.url("mail"))
        .send_email()
        .source("Broker <no-reply@broker.example>")
        .destination(to("ada@client.example"))
        .message(message())
        .send()
        .await
        .unwrap();
    let mails = running.mails();
    assert_eq!(mails.len(), 1);
    assert_eq!(mails[0].message_id, sent.message_id());
    assert_eq!(mails[0].to, ["ada@client.example"]);
    assert_eq!(mails[0].subject, "Deposit received");
    assert_eq!(mails[0].text.as_deref(), Some("Grüße & <more>"));
    assert_eq!(mails[0].html.as_deref(), Some("<p>hi</p>"));
    let state = state(running.url("mail")).await;
    assert_eq!(state["mails"][0]["from"], "Broker <no-reply@broker.example>");
    assert_eq!(state["calls"]["send_email"], 1);
}

#[tokio::test]
async fn the_sdk_reads_refusals() {
    let running = start().await;
    let faults = json!([{ "operation": "send_email", "fault":
        { "kind": "refuse", "status": 454, "code": "Throttling", "message": "Maximum sending rate <exceeded>." } }]);
    post(running.url("mail"), "/_control/faults", &faults).await;
    let send = || {
        sdk(running.url("mail"))
            .send_email()
            .source("no-reply@broker.example")
            .destination(to("nobody"))
            .message(message())
            .send()
    };
    let throttled = send().await.unwrap_err().into_service_error();
    assert_eq!(throttled.code(), Some("Throttling"));
    assert_eq!(throttled.message(), Some("Maximum sending rate <exceeded>."));
    let invalid = send().await.unwrap_err().into_service_error();
    assert_eq!(invalid.code(), Some("InvalidParameterValue"));
    assert!(running.mails().is_empty());
}

#[test]
fn a_host_can_hand_mails_over_in_process() {
    let mailbox = Mailbox::new(MailConfig { verified_senders: vec!["@broker.example".to_owned()] });
    let body = |source| {
        form(&[
            ("Action", "SendEmail"),
            ("Version", "2010-12-01"),
            ("Source", source),
            ("Destination.ToAddresses.member.1", "a@x.example"),
            ("Destination.ToAddresses.member.2", "b@x.example"),
            ("Destination.BccAddresses.member.1", "c@x.example"),
            ("ReplyToAddresses.member.1", "desk@broker.example"),
            ("Message.Subject.Data", "S"),
            ("Message.Body.Text.Data", "T"),
            ("Tags.member.1.Name", "kind"),
            ("Tags.member.1.Value", "welcome"),
        ])
    };
    let (status, xml) = mailbox.handle_ses(body("no-reply@broker.example").as_bytes());
    assert_eq!(status, 200);
    assert!(xml.contains("<SendEmailResult><MessageId>"), "{xml}");
    let mail = &mailbox.mails()[0];
    assert_eq!(mail.to, ["a@x.example", "b@x.example"]);
    assert_eq!(mail.bcc, ["c@x.example"]);
    assert_eq!(mail.reply_to, ["desk@broker.example"]);
    assert_eq!(mail.tags, ["kind=welcome"]);
    let (status, xml) = mailbox.handle_ses(body("a@elsewhere.example").as_bytes());
    assert_eq!(status, 400);
    assert!(xml.contains("<Code>MessageRejected</Code>"), "{xml}");
    let (status, xml) = mailbox.handle_ses(b"Action=Fly&Version=2010-12-01");
    assert_eq!(status, 400);
    assert!(xml.contains("<Code>InvalidAction</Code>"), "{xml}");
}
