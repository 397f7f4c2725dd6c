//! Messages to clients and desks.

use domain::NotificationId;
use store::{Notification, NotificationOutcome};

use crate::both::on_both;
use crate::samples::{at, client_id};

fn message(number: u128, in_app: bool) -> Notification {
    Notification {
        id: NotificationId::from_bits(number),
        at: at(0),
        kind: "deposit.credited".to_owned(),
        title: "250.00 USD is in your trading account".to_owned(),
        body: "You can trade with it now.".to_owned(),
        language: "en".to_owned(),
        in_app,
        read: false,
    }
}

#[tokio::test]
async fn a_message_is_begun_once_and_a_repeat_learns_which_channels_are_done() {
    on_both(async |tables| {
        let (crm, ana, note) = (&tables.crm, client_id(1), message(1, true));
        let begin_as = async |by, seconds| crm.begin_notification(ana.as_str(), &note, by, at(seconds)).await.unwrap();
        let begin = async |seconds| begin_as("another", seconds).await;
        assert_eq!(begin_as("one", 0).await, NotificationOutcome::First);
        // the answer of its own write was lost, and it was sent again
        assert_eq!(begin_as("one", 0).await, NotificationOutcome::First);
        assert_eq!(begin(0).await, NotificationOutcome::Begun { sent: Vec::new(), at: at(0) });
        assert_eq!(begin(5).await, NotificationOutcome::Begun { sent: Vec::new(), at: at(0) });
        let sent = ["email".to_owned(), "slack".to_owned()];
        crm.mark_sent(ana.as_str(), &note.id, &sent).await.unwrap();
        assert_eq!(begin(9).await, NotificationOutcome::Begun { sent: sent.to_vec(), at: at(0) });
        assert_eq!(begin_as("one", 0).await, NotificationOutcome::Begun { sent: sent.to_vec(), at: at(0) });
        let desk = crm.begin_notification("desk#finance", &note, "one", at(9)).await.unwrap();
        assert_eq!(desk, NotificationOutcome::First);
    })
    .await;
}

#[tokio::test]
async fn a_message_is_taken_over_once_and_its_grace_begins_anew() {
    on_both(async |tables| {
        let (crm, ana, note) = (&tables.crm, client_id(1), message(1, true));
        let begin = async |by, seconds| crm.begin_notification(ana.as_str(), &note, by, at(seconds)).await.unwrap();
        let take_over = async |by, begun, seconds| {
            crm.take_over_notification(ana.as_str(), &note.id, at(begun), by, at(seconds)).await.unwrap()
        };
        assert_eq!(begin("one", 0).await, NotificationOutcome::First);
        assert!(take_over("two", 0, 70).await);
        // its own write came again; somebody else saw the same beginning
        assert!(take_over("two", 0, 70).await);
        assert!(!take_over("three", 0, 70).await);
        assert_eq!(begin("three", 71).await, NotificationOutcome::Begun { sent: Vec::new(), at: at(70) });
        // what both of them sent is marked, whoever is last
        crm.mark_sent(ana.as_str(), &note.id, &["email".to_owned()]).await.unwrap();
        crm.mark_sent(ana.as_str(), &note.id, &["slack".to_owned()]).await.unwrap();
        let sent = vec!["email".to_owned(), "slack".to_owned()];
        assert_eq!(begin("three", 72).await, NotificationOutcome::Begun { sent, at: at(70) });
    })
    .await;
}

#[tokio::test]
async fn a_client_sees_in_app_messages_newest_first_page_by_page_and_can_mark_them_read() {
    on_both(async |tables| {
        let (crm, ana, ben) = (&tables.crm, client_id(1), client_id(2));
        for (owner, number, in_app) in [(&ana, 1, true), (&ana, 2, false), (&ana, 3, true), (&ben, 4, true)] {
            crm.begin_notification(owner.as_str(), &message(number, in_app), "one", at(0)).await.unwrap();
        }
        let (first, next) = crm.notifications_of(&ana, 2, None).await.unwrap();
        assert_eq!(first, [message(3, true)]);
        let before = next.unwrap().parse::<NotificationId>().unwrap();
        let (rest, next) = crm.notifications_of(&ana, 2, Some(&before)).await.unwrap();
        assert_eq!((rest, next), (vec![message(1, true)], None));

        assert!(crm.mark_read(&ana, &NotificationId::from_bits(1), at(10)).await.unwrap());
        assert!(crm.mark_read(&ana, &NotificationId::from_bits(1), at(20)).await.unwrap());
        assert!(!crm.mark_read(&ana, &NotificationId::from_bits(4), at(20)).await.unwrap());
        let (all, _) = crm.notifications_of(&ana, 10, None).await.unwrap();
        assert_eq!(all.iter().map(|message| message.read).collect::<Vec<_>>(), [false, true]);
        let (others, _) = crm.notifications_of(&ben, 10, None).await.unwrap();
        assert_eq!(others, [message(4, true)]);
    })
    .await;
}
