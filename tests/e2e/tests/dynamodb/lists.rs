//! Lists and their pages.

use domain::entity::Entity;
use domain::work::WorkStatus;
use domain::{AccountId, PaymentId};
use store::{Page, Saved};

use crate::both::on_both;
use crate::samples::{account, client_id, decision, deposit, frame, work};

fn ids<T: Entity>(page: &Page<T>) -> Vec<String> {
    page.items.iter().map(|stored| stored.entity.id().to_string()).collect()
}

#[tokio::test]
async fn a_clients_payments_are_listed_newest_first_page_by_page_and_nobody_elses() {
    on_both(async |tables| {
        for (number, owner) in [(1, 1), (2, 1), (3, 2), (4, 1), (5, 1), (6, 1)] {
            let next = decision(deposit(number, owner, 900), "deposit.pending");
            tables.money.save(None, next, &frame("cor-1")).await.unwrap();
        }
        let (mut pages, mut before) = (Vec::new(), None);
        loop {
            let page = tables.money.payments_of(&client_id(1), 2, before.as_ref()).await.unwrap();
            pages.push(ids(&page));
            let Some(next) = page.next else { break };
            before = Some(next.parse::<PaymentId>().unwrap());
        }
        let id = |number| deposit(number, 1, 0).id.to_string();
        assert_eq!(pages, [vec![id(6), id(5)], vec![id(4), id(2)], vec![id(1)]]);
        let all = tables.money.payments_of(&client_id(1), 100, None).await.unwrap();
        assert_eq!((ids(&all), all.next), (pages.concat(), None));
        assert_eq!(ids(&tables.money.payments_of(&client_id(3), 100, None).await.unwrap()), [""; 0]);
        tables.found_nothing();
    })
    .await;
}

#[tokio::test]
async fn a_clients_accounts_are_listed_without_what_else_the_client_has() {
    on_both(async |tables| {
        for number in 1..=3 {
            let next = decision(account(number, 1), "account.requested");
            tables.crm.save(None, next, &frame("cor-1")).await.unwrap();
        }
        let mut item = work(1, 1, 0);
        item.client_id = Some(client_id(1));
        tables.crm.save(None, decision(item, "work.opened"), &frame("cor-1")).await.unwrap();
        let first = tables.crm.accounts_of(&client_id(1), 2, None).await.unwrap();
        let before = first.next.as_deref().unwrap().parse::<AccountId>().unwrap();
        let rest = tables.crm.accounts_of(&client_id(1), 2, Some(&before)).await.unwrap();
        let id = |number| account(number, 1).id.to_string();
        assert_eq!((ids(&first), ids(&rest)), (vec![id(3), id(2)], vec![id(1)]));
        assert_eq!(rest.next, None);
        let about = tables.crm.work_about(&client_id(1), 10).await.unwrap();
        assert_eq!(ids(&about), [work(1, 0, 0).id.to_string()]);
    })
    .await;
}

#[tokio::test]
async fn a_queue_is_listed_by_priority_then_due_time_and_what_is_resolved_is_listed_apart() {
    on_both(async |tables| {
        let mut stored = Vec::new();
        for (number, priority, due) in [(1, 2, 50), (2, 1, 90), (3, 1, 80), (4, 10, 10)] {
            let next = decision(work(number, priority, due), "work.opened");
            let Saved::Applied(item) = tables.crm.save(None, next, &frame("cor-1")).await.unwrap() else {
                panic!("somebody else saved first");
            };
            stored.push(item);
        }
        let id = |number| work(number, 0, 0).id.to_string();
        let first = tables.crm.work("finance", false, 3, None).await.unwrap();
        let rest = tables.crm.work("finance", false, 3, first.next.as_deref()).await.unwrap();
        assert_eq!((ids(&first), ids(&rest)), (vec![id(3), id(2), id(1)], vec![id(4)]));
        assert_eq!(ids(&tables.crm.work("support", false, 3, None).await.unwrap()), [""; 0]);
        tables.found_nothing();

        let mut resolved = stored[2].entity.clone();
        resolved.facts.status = WorkStatus::Resolved;
        tables.crm.save(Some(&stored[2]), decision(resolved, "work.decided"), &frame("cor-1")).await.unwrap();
        let open = tables.crm.work("finance", false, 10, None).await.unwrap();
        let done = tables.crm.work("finance", true, 10, None).await.unwrap();
        assert_eq!((ids(&open), ids(&done)), (vec![id(2), id(1), id(4)], vec![id(3)]));
    })
    .await;
}
