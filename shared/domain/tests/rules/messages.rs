//! From an event to the messages about it.

use domain::notification::rules::{Channel, Notifications, NotifiedEvent};
use domain::notification::{Audience, Fillings, PlanError, PlannedMessage, plan};
use domain::rule_sets::SetName;
use domain::rules::RuleSet;
use domain::{Money, Timestamp};
use serde_json::json;

use crate::seeds::{currency, seed};

fn rules() -> Notifications {
    Notifications::parse(&seed(SetName::Notifications)).unwrap()
}

fn credited() -> Fillings {
    let money = Money::parse("1250", currency("USD")).unwrap();
    Fillings::new()
        .with("payment_id", "pay_1")
        .with("requested", money)
        .with("paid", money)
        .with("credited", money)
        .with("login", "954402")
}

fn all_fillings(event: NotifiedEvent) -> Fillings {
    let at: Timestamp = "2026-11-23T10:20:30Z".parse().unwrap();
    event.names().iter().fold(Fillings::new(), |fillings, name| match *name {
        "at" | "due_at" => fillings.with(name, at),
        "requested" | "paid" | "credited" => fillings.with(name, Money::parse("5", currency("JPY")).unwrap()),
        "queue" => fillings.with(name, "finance"),
        name => fillings.with(name, "x"),
    })
}

#[test]
fn a_client_is_told_in_their_language_over_each_channel() {
    let messages = plan("deposit.credited", &credited(), "de-AT", &rules()).unwrap();
    let body = "Wir haben Ihrem Handelskonto 954402 1250.00 USD gutgeschrieben. Sie können jetzt damit handeln.\n\nReferenz: pay_1\nExample Markets";
    let message = PlannedMessage {
        audience: Audience::Client,
        channel: Channel::InApp,
        language: "de".to_owned(),
        template: "deposit_credited".to_owned(),
        subject: None,
        title: Some("1250.00 USD sind auf Ihrem Handelskonto".to_owned()),
        body: body.to_owned(),
    };
    let email =
        PlannedMessage { channel: Channel::Email, subject: message.title.clone(), title: None, ..message.clone() };
    assert_eq!(messages, [message, email]);
}

#[test]
fn languages_fall_back_to_the_shorter_tag_and_then_to_the_default() {
    let mut document = seed(SetName::Notifications);
    document["templates"]["deposit_pending"]["pt"] = json!({"title": "pt", "body": "pt"});
    let only_pt = Notifications::parse(&document).unwrap();
    document["templates"]["deposit_pending"]["pt-BR"] = json!({"title": "br", "body": "br"});
    let both = Notifications::parse(&document).unwrap();
    let fillings = all_fillings(NotifiedEvent::DepositPending);
    for (rules, wanted, language) in [
        (&both, "pt-BR", "pt-BR"),
        (&both, "pt-br", "pt-BR"),
        (&both, "pt-PT", "pt"),
        (&only_pt, "pt-BR", "pt"),
        (&both, "pt-Latn-BR", "pt"),
        (&both, "fr-CA", "en"),
        (&both, "", "en"),
        (&both, "-", "en"),
        (&both, "ES", "es"),
    ] {
        let messages = plan("deposit.pending", &fillings, wanted, rules).unwrap();
        assert_eq!(
            messages.iter().map(|message| message.language.as_str()).collect::<Vec<_>>(),
            [language],
            "{wanted}"
        );
    }
}

#[test]
fn numbers_keep_their_order_inside_arabic() {
    let messages = plan("deposit.credited", &credited(), "ar", &rules()).unwrap();
    assert!(messages[0].title.as_deref().unwrap().contains("\u{2068}1250.00 USD\u{2069}"));
}

#[test]
fn work_is_told_to_the_desk_of_its_queue() {
    let at: Timestamp = "2026-11-23T10:20:30.5Z".parse().unwrap();
    let fillings =
        all_fillings(NotifiedEvent::WorkOpened).with("queue", "support").with("kind", "dead_letter").with("due_at", at);
    let messages = plan("work.opened", &fillings, "es", &rules()).unwrap();
    assert_eq!(messages.len(), 1);
    assert_eq!((&messages[0].audience, messages[0].channel), (&Audience::Desk("support".to_owned()), Channel::Slack));
    assert_eq!(messages[0].language, "en");
    assert!(
        messages[0].body.starts_with("New work item for support: dead_letter\nPriority x, due 2026-11-23 10:20 UTC\n"),
        "{}",
        messages[0].body
    );
    let nowhere = fillings.with("queue", "kitchen");
    assert!(matches!(plan("work.opened", &nowhere, "es", &rules()), Err(PlanError::MissingReference { .. })));
}

#[test]
fn every_text_of_the_seed_can_be_written_in_every_language() {
    for event in NotifiedEvent::ALL {
        for language in ["en", "es", "de", "ar"] {
            let messages = plan(event.as_str(), &all_fillings(*event), language, &rules()).unwrap();
            for message in messages {
                assert!(!message.body.contains("{{") && !message.body.ends_with('\n'), "{message:?}");
                assert_eq!(message.subject.is_some(), message.channel == Channel::Email);
                assert_eq!(message.title.is_some(), message.channel == Channel::InApp);
                if message.audience == Audience::Client {
                    assert_eq!(message.language, language);
                }
            }
        }
    }
}

#[test]
fn an_event_without_a_needed_value_sends_nothing_and_says_which() {
    let error = plan("deposit.credited", &Fillings::new(), "en", &rules()).unwrap_err();
    assert_eq!(error.to_string(), "event `deposit.credited` gives no `credited` for template `deposit_credited`");
    assert_eq!(plan("deposit.crediting_unknown", &Fillings::new(), "en", &rules()), Ok(Vec::new()));
}

#[test]
fn a_value_from_outside_cannot_add_a_line_to_a_subject() {
    let fillings = credited().with("credited", "1\r\nBcc: x@example.com");
    let messages = plan("deposit.credited", &fillings, "en", &rules()).unwrap();
    assert!(messages.iter().all(|message| !message.subject.as_deref().unwrap_or_default().contains(['\r', '\n'])));
    let long = credited().with("login", "9".repeat(5_000));
    assert!(plan("deposit.credited", &long, "en", &rules()).unwrap()[0].body.len() < 600);
}
