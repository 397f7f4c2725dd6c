//! What people and vendors write can name somebody: it stands where staff read it, and nowhere else.

use std::io;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use crate::world::{World, expect, items};

/// Words that stand for a person, one a place where they come in.
const NOTE: &str = "Ottilie Notenberg rang twice";
const EVIDENCE: &str = "wired by Ludmilla Beweisova, see her mail";
const REFUND: &str = "sent back to Ruprecht Rückmann";
const DEBIT: &str = "taken off with Dagobert Abzug";
const OUTCOME: &str = "told Auguste Ausgang";
const BODY: &str = "Brunhilde Briefkasten";
/// A trading server's own words.
const SERVER: &str = "Not enough money";

/// Takes every line that is logged in this process.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The item of finance about a payment that is open.
async fn item(world: &World, payment: &str) -> String {
    let work = world.work_of(payment).await;
    assert_eq!(work.len(), 1, "{work:?}");
    work[0]["work_id"].as_str().unwrap().to_owned()
}

async fn odd(world: &World) -> (String, String) {
    let trader = world.trader("USD").await;
    let payment = world.deposit(&trader, "100.00", "stripe").await;
    expect(world.stripe(&world.intent(&payment, "payment_intent.succeeded", 9_000, "usd")).await, 200);
    (item(world, &payment.id).await, payment.id)
}

/// Decides and answers what the desk is shown then; said again it is the same.
async fn decide(world: &World, who: &str, work: &str, body: &Value) -> Value {
    let shown = expect(world.act(who, work, body).await, 200).json;
    assert_eq!(expect(world.act(who, work, body).await, 200).json, shown);
    world.idle().await;
    shown
}

/// Everything that leaves the private part: public parts and decision records of all items, and the journal whole. The events on the bus
/// are made of these.
async fn public(world: &World) -> String {
    let mut all = String::new();
    for (table, rows) in world.stored().await {
        for row in rows {
            let row: Value = serde_json::from_str(&row).unwrap();
            if table.starts_with("Journal") {
                all.push_str(&row.to_string());
                continue;
            }
            let parts =
                row.as_object().unwrap().iter().filter(|(name, _)| !["private", "body"].contains(&name.as_str()));
            all.extend(parts.map(|(name, value)| format!("{name} {value}\n")));
        }
    }
    all
}

#[tokio::test]
async fn what_people_and_vendors_write_is_not_in_logs_events_journal_or_public_parts() {
    let lines = Lines::default();
    let to = lines.clone();
    let subscriber = tracing_subscriber::fmt().with_max_level(tracing::Level::INFO).with_writer(move || to.clone());
    tracing::subscriber::set_global_default(subscriber.finish()).unwrap();
    let world = World::start().await;

    // a person's notes and proofs, on each way that takes one
    let (work, payment) = odd(&world).await;
    expect(world.act("finance", &work, &json!({"action": "note", "note": NOTE})).await, 200);
    // what is looked up on the platform must be a number
    let credited = json!({"action": "mark_credited", "evidence": EVIDENCE, "note": NOTE});
    let refused = expect(world.act("finance", &work, &credited).await, 422);
    assert_eq!(crate::world::faults(&refused), ["/evidence not_a_ticket"]);
    let refunded = json!({"action": "refund_at_psp", "evidence": EVIDENCE, "note": NOTE});
    let shown = decide(&world, "finance", &work, &refunded).await;
    assert_eq!((&shown["decision"]["evidence"], &shown["history"][1]["note"]), (&json!(EVIDENCE), &json!(NOTE)));
    assert_eq!(world.status(&payment).await, "refunded", "the automation takes it");
    let (work, payment) = odd(&world).await;
    decide(&world, "finance", &work, &json!({"action": "refund_at_psp", "evidence": REFUND})).await;
    assert_eq!(world.status(&payment).await, "refunded");
    let trader = world.trader("USD").await;
    let reversed = world.credited(&trader, "100.00", 10_000).await;
    let mut event = world.intent(&reversed, "charge.refunded", 10_000, "usd");
    event["data"]["object"] = json!({
        "id": "ch_1", "object": "charge", "amount": 10_000, "amount_refunded": 10_000, "currency": "usd",
        "payment_intent": reversed.reference, "metadata": {"payment_id": reversed.id},
    });
    expect(world.stripe(&event).await, 200);
    let work = item(&world, &reversed.id).await;
    let debited = json!({"action": "mark_debited_on_platform", "evidence": DEBIT});
    expect(world.act("finance", &work, &debited).await, 422);
    decide(&world, "finance", &work, &json!({"action": "close", "note": DEBIT})).await;

    // a trading server's words
    world.faults("mt5", &json!([{"operation": "trade_balance", "fault": {"kind": "refuse", "retcode": 10_019}}])).await;
    let refused = world.deposit(&trader, "100.00", "stripe").await;
    world.pay("stripe", &refused, json!({})).await;
    let work = item(&world, &refused.id).await;
    let open = world.work_of(&refused.id).await;
    assert!(open[0]["trigger"]["why"].to_string().contains("10019"), "{open:?}");
    decide(&world, "finance", &work, &json!({"action": "resolve", "outcome": OUTCOME})).await;

    // a message that nobody can read
    world.broker.host.send_message("PaymentsCreditQueue", &json!({"detail": BODY}).to_string()).unwrap();
    world.idle().await;
    let filed = items(&world.get("support", "/v1/work?queue=support").await);
    assert!(filed[0]["trigger"]["body"].as_str().unwrap().contains(BODY), "{filed:?}");
    decide(&world, "support", filed[0]["work_id"].as_str().unwrap(), &json!({"action": "close", "note": NOTE})).await;

    let public = public(&world).await;
    let logged = String::from_utf8_lossy(&lines.0.lock().unwrap()).into_owned();
    assert!(public.contains(&payment) && logged.contains("dead letter"), "it was looked at");
    for words in [NOTE, EVIDENCE, REFUND, DEBIT, OUTCOME, BODY, SERVER] {
        for word in
            words.split(' ').filter(|word| word.len() > 4 && word.starts_with(char::is_uppercase)).chain([words])
        {
            assert!(!public.contains(word), "public: {word}");
            assert!(!logged.contains(word), "logged: {word}");
        }
    }
}
