//! The journal and its chain.

use aws_sdk_dynamodb::types::AttributeValue;
use domain::PaymentId;
use store::{KEY, Outboxed, SORT, SORT_ENTITY, Saved, StoreError, Stored, verify};

use crate::both::{Tables, on_both};
use crate::samples::{decision, deposit, frame};

impl Tables {
    /// Saves three versions of a deposit; what the stream would tell of each.
    async fn three_versions(&self, number: u128) -> Vec<Outboxed> {
        let mut was: Option<Stored<_>> = None;
        let mut told = Vec::new();
        for (version, correlation) in [(1, "cor-1"), (2, "cor-1"), (3, "cor-2")] {
            let next = decision(deposit(number, 1, version), "deposit.pending");
            match self.money.save(was.as_ref(), next, &frame(correlation)).await.unwrap() {
                Saved::Applied(stored) => was = Some(stored),
                Saved::Conflict => panic!("somebody else saved first"),
            }
            let id = PaymentId::from_bits(number).to_string();
            let item = self.client.get_item().table_name(self.name("MoneyTable")).consistent_read(true);
            let item = item.key(KEY, AttributeValue::S(id)).key(SORT, AttributeValue::S(SORT_ENTITY.to_owned()));
            told.push(Outboxed::read(&item.send().await.unwrap().item.unwrap()).unwrap());
        }
        told
    }

    /// Changes an attribute of an entry, as nobody may.
    async fn tamper(&self, entry: &Outboxed, attribute: &str, value: &str) {
        let update = self.client.update_item().table_name(self.name("JournalTable"));
        update
            .key("entity", AttributeValue::S(entry.entity.clone()))
            .key("version", AttributeValue::N(entry.version.to_string()))
            .update_expression("SET #a = :v")
            .expression_attribute_names("#a", attribute)
            .expression_attribute_values(":v", AttributeValue::S(value.to_owned()))
            .send()
            .await
            .unwrap();
    }
}

#[tokio::test]
async fn entries_are_appended_once_in_any_order_and_their_chain_verifies() {
    on_both(async |tables| {
        let told = tables.three_versions(1).await;
        for entry in [&told[1], &told[0], &told[2]] {
            assert!(matches!(tables.journal.append(entry).await.unwrap(), Saved::Applied(_)));
            assert_eq!(tables.journal.append(entry).await.unwrap(), Saved::Conflict);
        }
        let entries = tables.journal.of_entity(&told[0].entity).await.unwrap();
        assert_eq!(entries.iter().map(|entry| entry.version).collect::<Vec<_>>(), [1, 2, 3]);
        assert!(entries.iter().zip(&told).all(|(entry, told)| entry.record == told.record && entry.hash == told.hash));
        assert!(verify(&entries));
        assert!(!verify(&entries[1..]));
    })
    .await;
}

#[tokio::test]
async fn an_entry_with_other_content_is_refused() {
    on_both(async |tables| {
        let told = tables.three_versions(1).await;
        tables.journal.append(&told[0]).await.unwrap();
        let other = Outboxed { version: 1, ..told[1].clone() };
        assert!(matches!(tables.journal.append(&other).await, Err(StoreError::JournalConflict(_))));
        let entries = tables.journal.of_entity(&told[0].entity).await.unwrap();
        assert_eq!(entries.len(), 1);
        assert_eq!(entries[0].public_text, told[0].public_text);
    })
    .await;
}

#[tokio::test]
async fn an_entry_that_was_changed_afterwards_is_found() {
    on_both(async |tables| {
        let told = tables.three_versions(1).await;
        for entry in &told {
            tables.journal.append(entry).await.unwrap();
        }
        let id = &told[0].entity;
        for attribute in ["state", "outbox"] {
            let original = if attribute == "state" { &told[1].public_text } else { &told[1].record_text };
            let changed = original.replacen('1', "2", 1);
            assert_ne!(&changed, original);
            tables.tamper(&told[1], attribute, &changed).await;
            assert!(!verify(&tables.journal.of_entity(id).await.unwrap()), "{attribute}");
            tables.tamper(&told[1], attribute, original).await;
            assert!(verify(&tables.journal.of_entity(id).await.unwrap()), "{attribute}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_correlation_id_names_the_entities_that_it_touched() {
    on_both(async |tables| {
        for number in [1, 2] {
            for entry in tables.three_versions(number).await {
                tables.journal.append(&entry).await.unwrap();
            }
        }
        let both = [1, 2].map(|number| PaymentId::from_bits(number).to_string());
        let since = |version: u64| both.clone().map(|entity| (entity, version));
        assert_eq!(tables.journal.of_correlation("cor-1").await.unwrap(), since(1));
        assert_eq!(tables.journal.of_correlation("cor-2").await.unwrap(), since(3));
        assert_eq!(tables.journal.of_correlation("cor-3").await.unwrap(), []);
        tables.found_nothing();
    })
    .await;
}
