//! Money under a reference that is not ours: told until it is taken, and one person's to look at, whatever else is said of it.

use serde_json::{Value, json};

use super::deposit::{deliver, is_accepted};
use crate::world::World;

/// What is said of it, one after the other.
const SAID: [&str; 3] = ["payment_intent.succeeded", "charge.refunded", "charge.dispute.created"];

/// A payment at the provider that nobody of ours opened.
pub struct Stray {
    events: Vec<String>,
    reference: String,
    taken: usize,
}

impl Stray {
    pub fn new() -> Self {
        Self { events: Vec::new(), reference: String::new(), taken: 0 }
    }

    /// Whether all that is said was accepted.
    pub fn is_taken(&self) -> bool {
        self.taken == SAID.len()
    }

    /// It happens; then it is told, twice at once, until somebody takes it; and so the next.
    pub async fn act(&mut self, world: &World) {
        let Some(event) = self.events.get(self.taken) else {
            if self.reference.is_empty() {
                self.reference = format!("pi_stray{}", world.fresh());
            }
            let event = json!({
                "type": SAID[self.taken], "reference": self.reference, "created": world.now().seconds(),
                "amount_minor": 12_300, "currency": "usd", "webhook": {"never": true},
            });
            self.events.push(world.desk.event("stripe", event).await.unwrap().text_at("/event_id"));
            return;
        };
        let deliveries = deliver(world, "stripe", event, json!({"times": 2, "concurrent": true})).await;
        self.taken += usize::from(deliveries.iter().any(is_accepted));
    }

    /// One report, one work item.
    pub async fn holds(&self, world: &World) {
        let event = self.reference.as_str();
        let asks = |item: &&domain::work::WorkItem| item.facts.trigger.to_string().contains(event);
        let work = world.work().await;
        let items: Vec<_> = work.iter().filter(asks).collect();
        assert_eq!(items.len(), 1, "one person looks at {event}: {items:?}");
        assert_eq!(items[0].facts.kind, "deposit_unknown_reference");
        let stray = items[0].facts.subject.get("stray_id").and_then(Value::as_str);
        assert!(stray.is_some(), "the item names the report: {:?}", items[0].facts.subject);
    }
}
