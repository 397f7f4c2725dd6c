//! Money under a reference that is not ours: told until it is taken, and one person's to look at.

use serde_json::{Value, json};

use super::deposit::{deliver, is_accepted};
use crate::world::World;

/// A payment at the provider that nobody of ours opened.
pub struct Stray {
    event: Option<String>,
    reference: String,
    pub is_taken: bool,
}

impl Stray {
    pub fn new() -> Self {
        Self { event: None, reference: String::new(), is_taken: false }
    }

    /// It happens; then it is told, twice at once, until somebody takes it.
    pub async fn act(&mut self, world: &World) {
        let Some(event) = &self.event else {
            self.reference = format!("pi_stray{}", world.fresh());
            let event = json!({
                "type": "payment_intent.succeeded", "reference": self.reference,
                "amount_minor": 12_300, "currency": "usd", "webhook": {"never": true},
            });
            self.event = Some(world.desk.event("stripe", event).await.unwrap().text_at("/event_id"));
            return;
        };
        let deliveries = deliver(world, "stripe", event, json!({"times": 2, "concurrent": true})).await;
        self.is_taken = deliveries.iter().any(is_accepted);
    }

    /// One report, one work item.
    pub async fn holds(&self, world: &World) {
        let event = self.reference.as_str();
        let asks = |item: &&domain::work::WorkItem| item.facts.trigger["what"].as_str() == Some(event);
        let work = world.work().await;
        let items: Vec<_> = work.iter().filter(asks).collect();
        assert_eq!(items.len(), 1, "one person looks at {event}: {items:?}");
        assert_eq!(items[0].facts.kind, "deposit_unknown_reference");
        let stray = items[0].facts.subject.get("stray_id").and_then(Value::as_str);
        assert!(stray.is_some(), "the item names the report: {:?}", items[0].facts.subject);
    }
}
