//! A message that nobody can process: parked among the dead letters at once, a work item.

use aws_sdk_eventbridge::types::PutEventsRequestEntry;
use domain::{PaymentId, WorkId};
use host::SystemEntropy;
use runtime::Entropy as _;
use serde_json::json;

use crate::deployment::Deployment;
use crate::on_the_stack;
use crate::portal::{text, unique};

impl Deployment {
    /// Announces that finance decided a work item.
    async fn decided(&self, item: &str, correlation: &str) {
        let at = "2026-01-01T00:00:00.000Z";
        let data = json!({
            "kind": "deposit_underpaid", "queue": "finance", "priority": 2, "status": "resolved", "owner": "finance-1",
            "due_at": at, "created_at": at, "subject": {"payment_id": PaymentId::from_bits(1)}, "trigger": {}, "pattern": {},
            "options": [], "runbook": "deposit_underpaid",
            "decision": {"action": "credit_paid_amount", "by": "finance-1", "at": at},
        });
        let detail = json!({
            "event_id": format!("{item}:1:0"), "entity": item, "version": 1, "type": "work.decided", "at": at,
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
        let decided = WorkId::from_bits(SystemEntropy.id_bits()).to_string();
        let correlation = unique("dead");
        stack.decided(&decided, &correlation).await;
        stack.wait("support", "/v1/work?queue=support&limit=100", |answer| answer.text.contains(&decided)).await;
        let items = stack.work("support", &decided).await;
        assert_eq!(items.len(), 1, "{items:?}");
        let item = &items[0];
        assert_eq!((text(item, "/kind"), text(item, "/runbook")), ("dead_letter", "dead_letter"));
        // it lies in the workflow's queue of dead letters and says which queue it comes from
        let queue = stack.resource("PaymentsDecideQueue").unwrap();
        assert_eq!(text(item, "/subject/queue"), queue.rsplit('/').next().unwrap());
        assert!(text(item, "/trigger/body").contains(&correlation));
        let failures = stack.printed("PaymentsDecideFunction").matches(&format!("{decided} does not exist")).count();
        assert_eq!(failures, 1, "to try again cannot help, so it is parked at once");
        let told = stack.chat(text(item, "/work_id")).await;
        assert!(told.contains("dead_letter"), "{told}");
    });
}
