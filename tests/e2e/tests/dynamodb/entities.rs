//! Entities and what is due.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use domain::account::Account;
use domain::client::{Client, registered};
use domain::decision::{ChainHash, Decision, Verdict};
use domain::payment::Deposit;
use domain::work::{ActionRequest, OfferedOption, WorkItem};
use store::{Committed, DUE_SHARDS, Postponed, Saved, StoreError, Stored, Table};

use crate::both::{Tables, on_both};
use crate::samples::{account, at, client, decision, deposit, frame, work};

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
        assert_eq!(tables.crm.load::<Client>(&ana.id).await.unwrap(), Some(saved.clone()));
        assert_eq!(tables.crm.load_settled::<Client>(&ana.id).await.unwrap(), Some(saved));
        assert_eq!(tables.crm.load::<Client>(&client(2).id).await.unwrap(), None);

        let paid = deposit(1, 1, 900);
        let saved =
            applied(tables.money.save(None, decision(paid.clone(), "deposit.pending"), &frame("cor-1")).await.unwrap());
        assert_ne!(saved.hash, ChainHash::GENESIS);
        assert_eq!(tables.money.load::<Deposit>(&paid.id).await.unwrap(), Some(saved));
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
        assert_eq!(tables.money.load::<Deposit>(&id).await.unwrap(), Some(second));
    })
    .await;
}

async fn due(tables: &Tables, table: &Table, family: &str, seconds: u32) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for shard in 0..DUE_SHARDS {
        let page = table.due(family, shard, at(seconds), None).await.unwrap();
        assert!(page.next.is_none());
        let of_shard = page.entries;
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

#[tokio::test]
async fn a_write_of_our_own_that_comes_back_is_no_conflict_and_anybody_elses_is() {
    on_both(async |tables| {
        let decided = || decision(deposit(1, 1, 900), "deposit.pending");
        let first = applied(tables.money.save(None, decided(), &frame("cor-1")).await.unwrap());
        let again = applied(tables.money.save(None, decided(), &frame("cor-1")).await.unwrap());
        assert_eq!(again, first, "the same write, sent again after its answer was lost");
        let mut other = frame("cor-1");
        other.execution_id = "another invocation".to_owned();
        assert_eq!(tables.money.save(None, decided(), &other).await.unwrap(), Saved::Conflict);
        let later = || decision(deposit(1, 1, 901), "deposit.paid");
        let second = applied(tables.money.save(Some(&first), later(), &frame("cor-1")).await.unwrap());
        let back = applied(tables.money.save(Some(&first), later(), &frame("cor-1")).await.unwrap());
        assert_eq!((back, second.version), (second.clone(), 2));
    })
    .await;
}

#[tokio::test]
async fn nobody_saves_an_approval_of_his_own_proposal_whatever_the_code_decides() {
    on_both(async |tables| {
        let mut item = work(1, 1, 60);
        let two = OfferedOption { action: "close".to_owned(), label: "Close".to_owned(), four_eyes: true };
        item.facts.options = vec![two];
        let opened = applied(tables.crm.save(None, item.opened(), &frame("cor-1")).await.unwrap());
        // what decides takes nobody for the same person: the store is all that holds
        let approval = |of: &Stored<WorkItem>, by: &str| {
            Decision::new(of.entity.clone(), "resolved", vec!["work.decided"], vec![]).approved_by(by)
        };
        let unproposed = tables.crm.save(Some(&opened), approval(&opened, "ben"), &frame("cor-1")).await.unwrap();
        assert_eq!(unproposed, Saved::Conflict, "nothing was proposed");
        let action =
            ActionRequest { action: "close".to_owned(), note: None, until: None, outcome: None, evidence: None };
        let Ok(Verdict::Change(proposed)) = opened.entity.act(&action, "Ana", at(5)) else { panic!("not proposed") };
        let proposed = applied(tables.crm.save(Some(&opened), *proposed, &frame("cor-1")).await.unwrap());
        for own in ["Ana", "ana", " aN\u{200B}a "] {
            let saved = tables.crm.save(Some(&proposed), approval(&proposed, own), &frame("cor-1")).await.unwrap();
            assert_eq!(saved, Saved::Conflict, "{own}");
            let mut commit = tables.crm.0.commit();
            commit.save(&tables.crm, Some(&proposed), &approval(&proposed, own), &frame("cor-1")).unwrap();
            assert_eq!(commit.send().await.unwrap(), Committed::Conflict, "{own}");
        }
        let stands = tables.crm.load::<WorkItem>(&proposed.entity.id).await.unwrap().unwrap();
        assert_eq!(stands.version, 2);
        applied(tables.crm.save(Some(&proposed), approval(&proposed, "ben"), &frame("cor-1")).await.unwrap());
    })
    .await;
}

/// An item as it is stored, to be changed by hand.
async fn edit(tables: &Tables, table: &str, id: &str, change: impl FnOnce(&mut HashMap<String, AttributeValue>)) {
    let key = |name: &str| AttributeValue::S(if name == "pk" { id.to_owned() } else { "#".to_owned() });
    let table = tables.name(table);
    let get =
        tables.client.get_item().table_name(table).key("pk", key("pk")).key("sk", key("sk")).consistent_read(true);
    let mut item = get.send().await.unwrap().item.unwrap();
    change(&mut item);
    tables.client.put_item().table_name(table).set_item(Some(item)).send().await.unwrap();
}

#[tokio::test]
async fn an_item_from_before_kinds_were_written_is_read_as_what_it_was_and_another_kind_is_refused() {
    on_both(async |tables| {
        let (paid, ana, ours) = (deposit(1, 1, 900), client(1), account(1, 1));
        applied(tables.money.save(None, decision(paid.clone(), "deposit.pending"), &frame("cor-1")).await.unwrap());
        applied(tables.crm.save(None, registered(ana.clone()), &frame("cor-1")).await.unwrap());
        applied(tables.crm.save(None, decision(ours.clone(), "account.requested"), &frame("cor-1")).await.unwrap());
        let forget = |item: &mut HashMap<String, AttributeValue>| assert!(item.remove("kind").is_some());
        edit(tables, "MoneyTable", paid.id.as_str(), forget).await;
        edit(tables, "CrmTable", ana.id.as_str(), forget).await;
        edit(tables, "CrmTable", ours.id.as_str(), forget).await;
        assert_eq!(tables.money.load::<Deposit>(&paid.id).await.unwrap().unwrap().entity, paid);
        assert_eq!(tables.crm.load::<Client>(&ana.id).await.unwrap().unwrap().entity, ana);
        assert_eq!(tables.crm.load::<Account>(&ours.id).await.unwrap().unwrap().entity, ours);

        let withdrawal = AttributeValue::S("withdrawal".to_owned());
        edit(tables, "MoneyTable", paid.id.as_str(), |item| drop(item.insert("kind".to_owned(), withdrawal))).await;
        let refused = tables.money.load::<Deposit>(&paid.id).await.unwrap_err();
        assert!(matches!(refused, StoreError::OtherKind { .. }) && !refused.retry(), "{refused}");
        let newer = AttributeValue::N("2".to_owned());
        edit(tables, "CrmTable", ana.id.as_str(), |item| drop(item.insert("sv".to_owned(), newer))).await;
        let refused = tables.crm.load::<Client>(&ana.id).await.unwrap_err();
        assert!(matches!(refused, StoreError::Newer { .. }) && refused.retry(), "{refused}");
    })
    .await;
}

#[tokio::test]
async fn a_due_time_is_moved_on_under_its_version_and_the_next_version_forgets_it() {
    on_both(async |tables| {
        let first = applied(
            tables.money.save(None, decision(deposit(1, 1, 100), "deposit.pending"), &frame("cor-1")).await.unwrap(),
        );
        let (table, id, due_at) = (&tables.money.0, first.entity.id.as_str(), at(100).to_string());
        let later = |seconds: u32| move |_tries: u32| at(seconds);
        assert_eq!(table.postpone(id, &due_at, later(200)).await.unwrap(), Postponed::Moved { tries: 1 });
        assert_eq!(table.postpone(id, &due_at, later(300)).await.unwrap(), Postponed::NotDue, "it is due at 200 now");
        assert_eq!(table.postpone(id, &at(200).to_string(), later(300)).await.unwrap(), Postponed::Moved { tries: 2 });
        assert_eq!(due(tables, table, "payment", 299).await, []);
        assert_eq!(due(tables, table, "payment", 300).await, [(id.to_owned(), at(300).to_string())]);
        let moved = tables.money.load::<Deposit>(&first.entity.id).await.unwrap().unwrap();
        assert_eq!((moved.version, moved.hash), (1, first.hash), "no version of its own");
        let second = decision(deposit(1, 1, 400), "deposit.paid");
        applied(tables.money.save(Some(&moved), second, &frame("cor-1")).await.unwrap());
        let next = table.postpone(id, &at(400).to_string(), later(500)).await.unwrap();
        assert_eq!(next, Postponed::Moved { tries: 1 });
        assert_eq!(table.postpone("pay_none", &due_at, later(1)).await.unwrap(), Postponed::NotDue);
    })
    .await;
}
