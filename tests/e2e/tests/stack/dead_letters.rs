//! A message that nobody can process: parked among the dead letters at once, a work item, and sent back when a person decides so.

use aws_sdk_eventbridge::types::PutEventsRequestEntry;
use domain::decision::{Decision, Frame};
use domain::work::{WorkDecision, WorkItem, WorkStatus};
use domain::{PaymentId, WorkId};
use host::SystemEntropy;
use runtime::Entropy as _;
use serde_json::json;

use crate::deployment::Deployment;
use crate::on_the_stack;
use crate::portal::{text, unique};

impl Deployment {
    /// Saves a decided item, a copy of one that waits, without telling anybody.
    async fn save_decided(&self, item: &str, like: &str, correlation: &str) {
        let stored = self.crm().load::<WorkItem>(&like.parse().unwrap()).await.unwrap().unwrap();
        let now = stored.entity.facts.created_at;
        let mut decided = WorkItem { id: item.parse().unwrap(), ..stored.entity };
        decided.facts.status = WorkStatus::Resolved;
        let (action, by) = ("credit_paid_amount".to_owned(), "finance-1".to_owned());
        decided.facts.decision = Some(WorkDecision { action, evidence: None, by, at: now, approved_by: None });
        let frame = Frame {
            function: "ops-work",
            execution_id: "e2e".to_owned(),
            trigger: "e2e".to_owned(),
            correlation_id: correlation.to_owned(),
            now,
            rules: Vec::new(),
        };
        self.crm().save(None, Decision::new(decided, "resolved", vec![], vec![]), &frame).await.unwrap();
    }

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

        // what was decided is there now, and about a deposit that waits for it
        let vera = stack.trader("Vera Late", "de", "EUR").await;
        let payment = stack.deposit(&vera, "500.00", "stripe").await;
        stack.pay("stripe", &payment, &json!({"amount_minor": 40_000})).await;
        stack.payment_in(&payment, "needs_review").await;
        stack.wait("finance", "/v1/work?queue=finance&limit=100", |answer| answer.text.contains(&payment)).await;
        let waiting = stack.work("finance", &payment).await;
        stack.save_decided(&decided, text(&waiting[0], "/work_id"), &correlation).await;
        let actions = format!("/v1/work/{}/actions", text(item, "/work_id"));
        stack.post_as("support", &actions, &json!({"action": "retry"})).await.expect(200).unwrap();
        stack.payment_in(&payment, "credited").await;
        assert_eq!(stack.deals(&vera, &payment).await.len(), 1);
    });
}
