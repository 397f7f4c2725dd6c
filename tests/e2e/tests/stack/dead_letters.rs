//! A message that nobody can process: received five times, moved to the dead letters, a work item.

use std::time::Duration;

use aws_sdk_eventbridge::types::PutEventsRequestEntry;
use domain::PaymentId;
use host::SystemEntropy;
use http::Method;
use runtime::Entropy as _;
use serde_json::json;

use crate::deployment::Deployment;
use crate::on_the_stack;
use crate::portal::{text, unique, until};

/// As the template says.
const TEMPLATE_HIDES_FOR_S: u32 = 180;

impl Deployment {
    /// Sets how long a received message stays hidden: the template's three minutes five times over are too long here.
    async fn hide_for(&self, queue: &str, seconds: u32) {
        let queue_url = self.resource(queue).unwrap();
        let path = queue_url.splitn(4, '/').nth(3).unwrap();
        let form = format!(
            "Action=SetQueueAttributes&Version=2012-11-05&Attribute.1.Name=VisibilityTimeout&Attribute.1.Value={seconds}"
        );
        let headers = [("content-type", "application/x-www-form-urlencoded")];
        let url = format!("{}/{path}", self.endpoint);
        self.http.send(Method::POST, &url, &headers, form.into_bytes()).await.unwrap().expect(200).unwrap();
    }

    /// Announces that finance decided about a payment.
    async fn decided_about(&self, payment: &str, correlation: &str) {
        let at = "2026-01-01T00:00:00.000Z";
        let data = json!({
            "kind": "deposit_underpaid", "queue": "finance", "priority": 2, "status": "resolved", "owner": "finance-1",
            "due_at": at, "created_at": at, "subject": {"payment_id": payment}, "trigger": {}, "pattern": {},
            "options": [], "runbook": "deposit_underpaid",
            "decision": {"action": "credit_paid_amount", "by": "finance-1", "at": at},
        });
        let detail = json!({
            "event_id": format!("{payment}:1:0"), "entity": payment, "version": 1, "type": "work.decided", "at": at,
            "correlation_id": correlation, "data": data,
        });
        let event = PutEventsRequestEntry::builder()
            .event_bus_name(self.output("BusName").unwrap())
            .source("pipworks")
            .detail_type("work.decided")
            .detail(detail.to_string())
            .build();
        let put = aws_sdk_eventbridge::Client::new(&self.aws).put_events().entries(event).send().await.unwrap();
        assert_eq!(put.failed_entry_count(), 0);
    }
}

#[test]
fn a_message_that_cannot_be_processed_becomes_a_work_item_of_support() {
    on_the_stack(async |stack| {
        let _turn = stack.turn.read().await;
        stack.hide_for("PaymentsDecideQueue", 1).await;
        // a poll that is under way keeps the old time, so something that concerns nobody ends it
        let waker = unique("waker");
        stack.decided_about("nothing", &waker).await;
        until("the end of the poll", Duration::from_secs(30), async || {
            let log = stack.printed("PaymentsDecideFunction");
            if log.contains(&waker) { Ok(()) } else { Err(log) }
        })
        .await;

        let payment = PaymentId::from_bits(SystemEntropy.id_bits()).to_string();
        let correlation = unique("dead");
        stack.decided_about(&payment, &correlation).await;
        stack.wait("support", "/v1/work?queue=support&limit=100", |answer| answer.text.contains(&payment)).await;
        stack.hide_for("PaymentsDecideQueue", TEMPLATE_HIDES_FOR_S).await;
        let items = stack.work("support", &payment).await;
        assert_eq!(items.len(), 1, "{items:?}");
        let item = &items[0];
        assert_eq!((text(item, "/kind"), text(item, "/runbook")), ("dead_letter", "dead_letter"));
        // it lies in the workflow's queue of dead letters and says which queue it comes from
        let queue = stack.resource("PaymentsDecideQueue").unwrap();
        assert_eq!(text(item, "/subject/queue"), queue.rsplit('/').next().unwrap());
        assert!(text(item, "/trigger/body").contains(&correlation));
        let failures = stack.printed("PaymentsDecideFunction").matches(&format!("{payment} does not exist")).count();
        assert_eq!(failures, 5);
        let told = stack.chat(text(item, "/work_id")).await;
        assert!(told.contains("dead_letter"), "{told}");
    });
}
