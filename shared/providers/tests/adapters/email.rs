//! Mail over SES against the simulator.

use aws_sdk_ses::Client;
use aws_sdk_ses::config::retry::RetryConfig;
use aws_sdk_ses::config::{BehaviorVersion, Config, Credentials, Region};
use domain::Redacted;
use providers::notify::email::SesEmail;
use providers::notify::{Email, Message, Notifier, NotifyError};
use secrecy::SecretString;
use serde_json::json;

use crate::support::{fault, simulators};

fn ses(url: &str) -> SesEmail {
    let config = Config::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::new("eu-west-1"))
        .credentials_provider(Credentials::new("local", "local", None, None, "test"))
        .endpoint_url(url)
        // as functions have it: the adapter must not let a client repeat a mail
        .retry_config(RetryConfig::standard())
        .build();
    SesEmail::new(Client::from_conf(config))
}

fn mail() -> Message {
    let text = |text: &str| Redacted::new(text.to_owned());
    Message::Email(Email {
        to: text("jane@example.com"),
        from: "desk@broker.example".to_owned(),
        subject: text("Grüße"),
        body: text("Your deposit has arrived."),
        unsubscribe_url: None,
    })
}

#[tokio::test]
async fn a_mail_arrives_as_it_was_written() {
    let running = simulators().await;
    let receipt = ses(running.url("mail")).send(&mail()).await.unwrap();
    let mails = running.mails();
    assert_eq!(mails.len(), 1);
    assert_eq!(receipt.reference.as_deref(), Some(mails[0].message_id.as_str()));
    assert_eq!((mails[0].subject.as_str(), mails[0].from.as_str()), ("Grüße", "desk@broker.example"));
    assert_eq!(mails[0].to, ["jane@example.com"]);
    assert_eq!(mails[0].text.as_deref(), Some("Your deposit has arrived."));
}

#[tokio::test]
async fn each_failure_says_whether_to_try_again() {
    let running = simulators().await;
    let url = running.url("mail");
    fault(url, "send_email", json!({"kind": "refuse", "status": 400, "code": "MessageRejected"})).await;
    let Err(NotifyError::Refused { code, .. }) = ses(url).send(&mail()).await else { panic!() };
    assert_eq!(code, "MessageRejected");
    for (status, code) in [(400, "Throttling"), (503, "ServiceUnavailable")] {
        for _ in 0..3 {
            fault(url, "send_email", json!({"kind": "refuse", "status": status, "code": code})).await;
        }
        assert!(matches!(ses(url).send(&mail()).await, Err(NotifyError::Retry { .. })), "{code}");
    }
    fault(url, "send_email", json!({"kind": "refuse", "status": 500, "code": "InternalFailure"})).await;
    assert!(matches!(ses(url).send(&mail()).await, Err(NotifyError::Unknown(_))));
    assert_eq!(running.mails().len(), 0);
    fault(url, "send_email", json!({"kind": "apply_then_drop"})).await;
    let sent = ses(url).send(&mail()).await;
    assert!(matches!(sent, Err(NotifyError::Unknown(_))), "{sent:?}");
    assert_eq!(running.mails().len(), 1, "the client did not repeat it");
    fault(url, "send_email", json!({"kind": "refuse", "status": 400, "code": "Throttling"})).await;
    assert!(ses(url).send(&mail()).await.is_ok(), "what was not taken is offered again");
    assert_eq!(running.mails().len(), 2);
    let post = providers::notify::SlackPost::plain(SecretString::from("x"), "x".to_owned());
    let wrong = ses(url).send(&Message::Slack(post)).await;
    assert!(matches!(wrong, Err(NotifyError::Refused { .. })));
}
