//! Entities and what is due.

use domain::client::{Client, registered};
use domain::decision::ChainHash;
use domain::payment::Deposit;
use store::{DUE_SHARDS, Saved, Stored, Table};

use crate::both::{Tables, on_both};
use crate::samples::{account, at, client, decision, deposit, frame};

fn applied<T: std::fmt::Debug>(saved: Saved<T>) -> Stored<T> {
    match saved {
        Saved::Applied(stored) => stored,
        Saved::Conflict => panic!("somebody else saved first"),
    }
}

#[tokio::test]
async fn an_entity_is_loaded_as_it_was_saved() {
    on_both(async |tables| {
        let ana = client(1);
        let saved = applied(tables.crm.save(None, registered(ana.clone()), &frame("cor-1")).await.unwrap());
        assert_eq!((saved.version, &saved.entity), (1, &ana));
        assert_eq!(tables.crm.load::<Client>(ana.id.as_str()).await.unwrap(), Some(saved.clone()));
        assert_eq!(tables.crm.load_settled::<Client>(ana.id.as_str()).await.unwrap(), Some(saved));
        assert_eq!(tables.crm.load::<Client>(client(2).id.as_str()).await.unwrap(), None);

        let paid = deposit(1, 1, 900);
        let saved =
            applied(tables.money.save(None, decision(paid.clone(), "deposit.pending"), &frame("cor-1")).await.unwrap());
        assert_ne!(saved.hash, ChainHash::GENESIS);
        assert_eq!(tables.money.load::<Deposit>(paid.id.as_str()).await.unwrap(), Some(saved));
    })
    .await;
}

#[tokio::test]
async fn of_two_who_save_the_same_version_the_second_is_told_and_changes_nothing() {
    on_both(async |tables| {
        let save = async |was: Option<&Stored<Deposit>>, due| {
            tables.money.save(was, decision(deposit(1, 1, due), "deposit.pending"), &frame("cor-1")).await.unwrap()
        };
        let first = applied(save(None, 900).await);
        assert_eq!(save(None, 901).await, Saved::Conflict);
        let second = applied(save(Some(&first), 902).await);
        assert_eq!(second.version, 2);
        assert_eq!(save(Some(&first), 903).await, Saved::Conflict);
        let id = deposit(1, 1, 0).id;
        assert_eq!(tables.money.load::<Deposit>(id.as_str()).await.unwrap(), Some(second));
    })
    .await;
}

async fn due(tables: &Tables, table: &Table, kind: &str, seconds: u32) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for shard in 0..DUE_SHARDS {
        let of_shard = table.due(kind, shard, at(seconds)).await.unwrap();
        assert!(of_shard.is_sorted_by_key(|entry| entry.due_at.clone()), "{of_shard:?}");
        if of_shard.is_empty() {
            tables.found_nothing();
        }
        found.extend(of_shard.into_iter().map(|entry| (entry.entity, entry.due_at)));
    }
    found.sort();
    found
}

#[tokio::test]
async fn what_is_due_is_found_by_kind_and_time_and_is_gone_when_it_waits_for_nothing() {
    on_both(async |tables| {
        let mut stored = Vec::new();
        for number in 1..=9 {
            let next = decision(deposit(number, 1, 100 * u32::try_from(number).unwrap()), "deposit.pending");
            stored.push(applied(tables.money.save(None, next, &frame("cor-1")).await.unwrap()));
        }
        let mut requested = account(1, 1);
        requested.due = Some(at(100));
        tables.crm.save(None, decision(requested.clone(), "account.requested"), &frame("cor-2")).await.unwrap();

        let expected: Vec<_> =
            stored.iter().take(5).map(|s| (s.entity.id.to_string(), s.entity.due.unwrap().to_string())).collect();
        assert_eq!(due(tables, &tables.money.0, "payment", 500).await, expected);
        assert_eq!(due(tables, &tables.money.0, "payment", 99).await, []);
        assert_eq!(due(tables, &tables.money.0, "account", 500).await, []);
        let of_account = (requested.id.to_string(), at(100).to_string());
        assert_eq!(due(tables, &tables.crm.0, "account", 500).await, [of_account]);

        let first = stored.remove(0);
        let mut settled = first.entity.clone();
        settled.due = None;
        tables.money.save(Some(&first), decision(settled, "deposit.expired"), &frame("cor-1")).await.unwrap();
        assert_eq!(due(tables, &tables.money.0, "payment", 500).await, expected[1..]);
    })
    .await;
}
